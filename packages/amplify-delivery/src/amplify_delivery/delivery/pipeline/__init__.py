"""The pipeline while it delivers: its own update and restart, its rights, the bake time of a stage."""
