"""What one environment sets on top of an assembly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from amplify_delivery.export.names import StackName

ROOT = "root"
"""How an environment's `parameters` name the root stack itself."""

Parameters = Mapping[str, Mapping[str, str]]
"""Parameter values by nested stack's logical id (or `ROOT`), then by parameter."""


@dataclass(frozen=True)
class ExportedValues(Mapping[str, Mapping[str, str]]):
    """What the manifest of an export sets. It knows whose export it was: `stack_name` as exported."""

    stack_name: str
    parameters: Parameters

    def __getitem__(self, nested_stack: str) -> Mapping[str, str]:
        return self.parameters[nested_stack]

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)


@dataclass(frozen=True)
class EnvironmentValues:
    """The values of one environment.

    `name` is the Amplify environment (`env`), `suffix` replaces the export's one.
    `parameters` maps a nested stack's logical id (or `root`) to parameter values; `from_export` holds the
    values of a second export of this environment (`exported_values`) and is weaker. `secrets` names (nested
    stack, parameter) pairs whose value is a secret: it reaches CloudFormation as a dynamic reference, never
    as text. `api_key_expires` is an epoch in seconds (AppSync rounds down to the hour, allows 365 days).
    `kept_literals` are literals of the exported environment that this one takes as they are.
    `permissions_boundary` is the ARN of the policy that every role of the backend carries as its boundary; without it
    they have none but what the export gives them. `tags` stand on the root stack beside those of the export.
    """

    name: str
    api_key_expires: int
    suffix: str | None = None
    parameters: Parameters = field(default_factory=dict)
    from_export: Parameters = field(default_factory=dict)
    secrets: frozenset[tuple[str, str]] = frozenset()
    permissions_boundary: str | None = None
    kept_literals: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_suffix(self) -> str | None:
        """The suffix of this environment's stack, if it sets one or its second export has one."""
        exported = self.exported_name
        if self.suffix is None and exported is not None and exported.environment == self.name:
            return exported.suffix
        return self.suffix

    @property
    def exported_name(self) -> StackName | None:
        """The stack of which `from_export` was exported, if that is known."""
        return StackName.parse(self.from_export.stack_name) if isinstance(self.from_export, ExportedValues) else None
