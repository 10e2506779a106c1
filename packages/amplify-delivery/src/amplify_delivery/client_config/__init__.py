"""What a front end is configured with: the files that the Amplify CLI and Gen 2 write, of a backend that runs.

Pure: an export, or an assembly, and what CloudFormation tells of the root's nested stacks become files.

| name | shape |
|---|---|
| `of_export(export)`, `of_assembly(assembly)` | what Amplify calls the resources, with templates and parameters |
| `read_backend(declared, stacks, region)` | a `Backend`: what it offers to a client. `stacks` is by logical id |
| `files(backend, platform)` | the files of one of `PLATFORMS`, text by name |
| `left_out(backend, platform)` | what of the backend these do not hold, in sentences |
"""

from amplify_delivery.client_config.backend import Backend, Stack, read_backend
from amplify_delivery.client_config.declared import Declared, of_assembly, of_export
from amplify_delivery.client_config.left_out import left_out
from amplify_delivery.client_config.rendering import FILES, PLATFORMS, Platform, files

__all__ = [
    "FILES",
    "PLATFORMS",
    "Backend",
    "Declared",
    "Platform",
    "Stack",
    "files",
    "left_out",
    "of_assembly",
    "of_export",
    "read_backend",
]
