"""What a check sees, and what a check is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from amplify_delivery.export import code
from amplify_delivery.export.archives import MAX_LAMBDA_UNZIPPED, read_entries
from amplify_delivery.export.assets import CONTAINER_KEY_PARAMETER, Assets
from amplify_delivery.export.images.container_api import MAX_SOURCES
from amplify_delivery.export.model import Export
from amplify_delivery.export.templates.exported import Exported
from amplify_delivery.export.values.parameters import Plan, plan
from amplify_delivery.findings import Severity

Found = Iterator[tuple[str, str, str]]
"""Findings as (file, message, remedy)."""


class Check(Protocol):
    """One thing that can be wrong. The class's docstring tells it to the user (docs/checks.md)."""

    id: str
    severity: Severity
    source: str
    """Address of the document that says so."""
    remedy: str
    """What to do, wherever it is; a finding says it of its place."""
    on_aws: str
    """What AWS would answer, where it is known."""

    def find(self, context: Context) -> Found:
        """Every place where it is so."""


@dataclass(frozen=True)
class Context:
    """An export with what is known about it. `secrets` names the (nested stack, parameter) pairs whose
    value an environment supplies as a secret."""

    export: Export
    secrets: frozenset[tuple[str, str]] = frozenset()
    images: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Which (nested stack, parameter) gets the address of which container image."""

    @cached_property
    def assets(self) -> Assets:
        """The export's files by their use."""
        return Assets(self.export)

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """The parameters of every nested stack of the root."""
        root, plans = self.export.root, {}
        for name, stack in root.nested.items():
            secrets = frozenset(parameter for nested, parameter in self.secrets if nested == name)
            images = {parameter: image for (nested, parameter), image in self.images.items() if nested == name}
            plans[name] = plan(stack, root, self.assets, secrets, images)
        return plans

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {}

    @cached_property
    def exported(self) -> Exported:
        """The environment that was exported, as texts can name it."""
        return Exported(self.export.stack_name)

    @cached_property
    def code_literals(self) -> dict[str, tuple[code.CodeLiteral, ...]]:
        """What the zips that were read so far say of the exported environment, by file."""
        return {}

    @cached_property
    def _container_archives(self) -> frozenset[str]:
        nested = self.export.root.nested.values()
        containers = [s for s in nested if self.assets.needs_archive(s) == CONTAINER_KEY_PARAMETER]
        return frozenset(file for s in containers if (file := self.assets.archive(s)))

    def archive_digest(self, file: str) -> str:
        """Digest of a zip's entries, read once. Raises `ArchiveError`."""
        if file not in self._digests:
            limit = MAX_SOURCES if file in self._container_archives else MAX_LAMBDA_UNZIPPED
            digest, texts = read_entries(self.export.read(file), limit, code.Texts(file).wants)
            self.code_literals[file] = tuple(code.literals(self.exported, texts))
            self._digests[file] = digest
        return self._digests[file]
