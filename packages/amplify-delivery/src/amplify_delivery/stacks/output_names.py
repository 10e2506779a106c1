"""Outputs of an environment's program that hold those of its stacks."""

from __future__ import annotations

ROOT_OUTPUTS = "rootOutputs"
"""Holds those of the root stack, by CloudFormation's names."""
NESTED_OUTPUTS = "outputs"
"""Holds those of the nested stacks, by stack and name."""
