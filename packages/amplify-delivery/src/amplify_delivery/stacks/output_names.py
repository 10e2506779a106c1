"""Outputs of an environment's program that hold those of its stacks."""

from __future__ import annotations

ROOT_OUTPUTS = "rootOutputs"
"""Holds those of the root stack, by CloudFormation's names."""
NESTED_OUTPUTS = "outputs"
"""Holds those of the nested stacks, by stack and name."""
STANDARD = frozenset(
    {
        *("account", "region", "environment", "stagingBucket", "stackName", "stackId", "rootTemplate"),
        *(ROOT_OUTPUTS, NESTED_OUTPUTS, "graphqlEndpoint", "userPoolId"),
    }
)
"""Those that every environment has, of what its backend has."""
STASH = "pulumi:index:Stash"
STASH_PREFIX = "output-"
"""What the names of stashes begin with that keep digests of secret outputs."""
