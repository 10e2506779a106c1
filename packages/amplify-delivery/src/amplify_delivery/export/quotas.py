"""CloudFormation's quotas (user guide, "Understand CloudFormation quotas")."""

from __future__ import annotations

MAX_RESOURCES = 500
MAX_IN_OPERATION = 2_500
"""Resources that one operation on a tree of nested stacks makes, changes or deletes at most."""
MAX_PARAMETERS = 200
MAX_OUTPUTS = 200
MAX_TEMPLATE = 1_000_000
"""Bytes of a template in S3 ("Template may not exceed 1000000 bytes in size"), counted after minifying."""
MAX_VALUE = 4096
"""Bytes of a parameter's value."""
MAX_TAGS, MAX_TAG_KEY, MAX_TAG_VALUE = 50, 128, 256

SPLIT = "split the model: CloudFormation does not raise this quota (in a GraphQL schema, take relations apart)"
