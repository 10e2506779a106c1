"""Which rights resource types need, and the facts that this is computed from."""
