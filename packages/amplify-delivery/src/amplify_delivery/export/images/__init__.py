"""Container images as files: the OCI image layout that Build leaves, and what an assembly says of it."""
