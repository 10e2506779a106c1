"""Letting a pipeline into accounts, many at once; an environment that runs moves into its account."""
