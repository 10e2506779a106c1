"""The Pulumi programs, one per kind of stack, and the typed form of their configuration."""
