"""Drift: what runs is not what was delivered, because somebody changed a resource itself."""
