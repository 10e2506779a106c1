"""Render the root template: assembly + one environment's values -> what CloudFormation is called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amplify_export.assembly import Assembly, AssemblyObject
from amplify_export.environment import EnvironmentValues


@dataclass(frozen=True)
class Secret:
    """A secret parameter. Its value lies in Secrets Manager under `secret_name`; the root template refers
    to it, and its root parameter `version_parameter` takes the secret's version id, so that a rotated
    secret updates the nested stack exactly once."""

    nested_stack: str
    parameter: str
    secret_name: str
    version_parameter: str


@dataclass(frozen=True)
class RootStack:
    """The root stack of one environment.

    `object` is the template as an object of the staging bucket (its key is made from its content),
    `body` its bytes. `parameters` are all root parameters but the `version_parameter`s of `secrets`.
    """

    stack_name: str
    template: Mapping[str, Any]
    body: bytes
    object: AssemblyObject
    parameters: Mapping[str, str]
    secrets: tuple[Secret, ...]
    tags: Mapping[str, str]


def render_root(assembly: Assembly, values: EnvironmentValues, staging_bucket: str) -> RootStack:
    """The root of `assembly` for one environment. Pure; raises `ConfigError` for an unknown nested stack
    or parameter (with the nearest valid name), a value that the template wires itself, a missing secret."""
    raise NotImplementedError
