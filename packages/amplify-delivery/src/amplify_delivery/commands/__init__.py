"""The commands: `amplify-delivery COMMAND`, one module each."""
