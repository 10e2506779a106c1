"""A team's own project: the files that `init` writes, and those that `upgrade` brings to a newer engine."""
