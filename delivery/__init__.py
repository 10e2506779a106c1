"""The commands: `python -m delivery COMMAND`, one module each."""
