"""What runs inside the local AWS's own process (standard library and MiniStack only)."""
