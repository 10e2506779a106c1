"""The project's folder: its stack files, its export or assembly, the shell of its steps."""
