"""An AWS account as a command meets it: whose it is, what it was bootstrapped for, what it records."""
