"""The pipeline while it delivers: its restart, its own rights, the bake time of a stage."""
