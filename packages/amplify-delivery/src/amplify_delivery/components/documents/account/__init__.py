"""Documents of a target account: roles, boundary, projects, storage, and the organization's guard."""
