"""What starts an execution: pushes, tags, webhooks."""
