"""Where pipelines get their source from: repositories, connections, webhooks, and what starts an execution."""
