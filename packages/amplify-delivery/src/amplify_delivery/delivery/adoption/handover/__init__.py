"""Giving an environment back to Amplify's own tools, and what of it Gen 2 can take."""
