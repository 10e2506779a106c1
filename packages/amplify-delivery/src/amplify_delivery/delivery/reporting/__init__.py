"""A report of an environment: what its files say, what is deployed, what would change, who may do what. Reads only."""
