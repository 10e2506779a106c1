"""What one environment sets on top of an assembly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class EnvironmentValues:
    """The values of one environment.

    `name` is the Amplify environment (`env`), `suffix` replaces the export's one.
    `parameters` maps a nested stack's logical id (or `root`) to parameter values; `from_export` holds the
    values of a second export of this environment and is weaker. `secrets` names (nested stack, parameter)
    pairs whose value is a secret: it reaches CloudFormation as a dynamic reference, never as text.
    `api_key_expires` is an epoch in seconds (AppSync rounds down to the hour, allows 365 days).
    """

    name: str
    api_key_expires: int
    suffix: str | None = None
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    from_export: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: frozenset[tuple[str, str]] = frozenset()
