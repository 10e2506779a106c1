"""What Amplify's own tools do to a backend that is delivered from here: recognised in what is deployed. Pure."""
