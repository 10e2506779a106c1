"""Adoption: an environment that `amplify push` or the CDK construct has made becomes ours in place."""
