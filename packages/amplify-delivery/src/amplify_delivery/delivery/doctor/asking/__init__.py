"""From AWS, and this machine, to facts: calls that read, and nothing else."""
