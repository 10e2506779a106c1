"""The deployment of an environment: what is wanted, its plan, the approval of that, carrying it out, the record."""
