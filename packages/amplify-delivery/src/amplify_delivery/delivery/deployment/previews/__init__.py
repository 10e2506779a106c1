"""Previews of pull requests: personal stacks that nobody keeps."""
