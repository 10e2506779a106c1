"""Documents of the tooling account: the pipeline, its roles, its artifacts, its buildspecs."""
