"""What this app consists of: components of its own, composed of those that amplify-delivery gives."""
