"""The Pulumi engine and its state: run, watched, waited for, and where the state lies."""
