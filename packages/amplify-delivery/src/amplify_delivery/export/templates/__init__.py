"""CloudFormation templates as data: expressions, nesting, and what they come to with values."""
