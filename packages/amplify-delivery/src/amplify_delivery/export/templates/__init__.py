"""CloudFormation templates as data: expressions, parameters, and what both come to with an environment's values."""
