"""The Pulumi engine and its state: run, watched, and where the state lies."""
