"""Where pipelines get their source from: repositories and connections."""
