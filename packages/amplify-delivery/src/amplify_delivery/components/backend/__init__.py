"""What `AmplifyBackend` is made of: what an export holds, what its outputs are, and the engine's hooks around it."""
