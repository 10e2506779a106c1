"""Sixty faults that users have met are told before CloudFormation is called, and nothing is told of what is untouched.

Large exports and apps are not ours to keep here: `AMPLIFY_DELIVERY_EXPORTS` and `AMPLIFY_DELIVERY_APPS` name the
folders of their archives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.export import (
    Assembly,
    ConfigError,
    EnvironmentValues,
    Export,
    ExportRefused,
    RootStack,
    StackName,
    assemble,
    read_export,
    render_root,
)
from amplify_delivery.publishing.examination.preflight import CHECKS, Deployment, examine
from amplify_delivery.publishing.examination.tree import Tree
from unit.archives import unpacked
from unit.export.mutations import EXPORTS, apply, linked
from unit.planted.faults import CASE, FAULTS, Fault
from unit.planted.further import FURTHER, RIGHT

TODAY = date(2026, 6, 1)
EXPIRES = 1_900_000_000
KITCHEN_SECRET = ("authkitchenappauth", "hostedUIProviderCreds")
APPS = {
    "product-catalog": "as-pushed",
    "fitness-tracker": "as-pushed-AD206-remedied",
    "media-vault": "as-pushed",
    "discussions": "as-pushed",
}
"""The kind of export that is taken of each."""
KNOWN = {
    "todo": {"AD303", "AD601", "AD603"},
    "full": {"AD301", "AD303", "AD601", "AD602", "AD603"},
    "iam": {"AD301", "AD303", "AD601"},
    "kitchen": {"AD207", "AD303", "AD601", "AD602", "AD605"},
    "large": {"AD301", "AD303", "AD530", "AD601", "AD603"},
    "product-catalog": {"AD303", "AD307", "AD431", "AD601", "AD603", "AD604"},
    "fitness-tracker": {"AD208", "AD303", "AD431", "AD601", "AD602", "AD603", "AD604", "AD606"},
    "media-vault": {"AD213", "AD303", "AD311", "AD431", "AD601", "AD603", "AD604"},
    "discussions": {"AD303", "AD431", "AD601", "AD603", "AD604"},
}
"""What is found in the untouched ones: warnings and repairs of what the exporter writes. The zips of the apps were
packed by a script, with files that their owner alone may read (AD431): the exporter's own are for everybody."""

KNOWN_OF_TEMPLATES = {"kitchen": [("AD700", "IndexName: 'n' is shorter than 3")]}
"""Faults that are in an untouched one: of its table, whoever made it wrote `n` where the index's name was asked for."""

Told = tuple[str, str, str]
"""Id, severity, and where."""


@dataclass(frozen=True)
class Examined:
    """An export, and what is told of it on the way to CloudFormation."""

    folder: Path
    secrets: frozenset[tuple[str, str]]

    @cached_property
    def export(self) -> Export:
        return read_export(self.folder)

    @cached_property
    def assembly(self) -> Assembly:
        return assemble(self.export, self.secrets)

    def root(self, environment: str) -> RootStack:
        name = StackName.parse(self.export.stack_name)
        values = EnvironmentValues(environment or (name.environment if name else "dev"), EXPIRES, secrets=self.secrets)
        return render_root(self.assembly, values, "staging")

    def stacks(self, environment: str) -> Stacks:
        root = self.root(environment)
        return Stacks.of(self.assembly, root, root.parameters)

    def of_export(self) -> set[Told]:
        try:
            return {(f.id, f.severity, f.file) for f in self.assembly.findings}
        except ExportRefused as error:
            return {(f.id, f.severity, f.file) for f in error.findings}

    def of_templates(self, environment: str, region: str, *, lint: bool = True) -> set[Told]:
        """Without `lint`, what cfn-lint says is left out: it takes most of the time."""
        root = self.root(environment)
        if not lint:
            body = json.loads(root.body)
            tree = Tree(self.assembly, root.object.key, body, "staging", region, stack=root.stack_name)
            return {(f.id, f.severity, f"{f.file}: {f.message}") for check in CHECKS for f in check(tree)}
        deployment = Deployment([(root.object, root.body)], "staging", region, stack=root.stack_name)
        return {(f.id, f.severity, f"{f.file}: {f.message}") for f in examine(self.assembly, {"": deployment})[""]}

    def of_changes(self, environment: str, before: Examined | None) -> set[Told]:
        old, new = _stacks_before(before, environment) if before else None, self.stacks(environment)
        found = impossible(plan_backend(old, new), old, new, TODAY)
        return {(i.id, "refused", i.place) for i in found}


@cache
def _stacks_before(untouched: Examined, environment: str) -> Stacks:
    return untouched.stacks(environment)


@cache
def _told_before(untouched: Examined, lint: bool) -> set[Told]:
    return untouched.of_export() | untouched.of_templates("", "us-east-1", lint=lint)


@pytest.fixture(scope="module")
def untouched() -> Callable[[str], Examined]:
    """An export or app as it came, by its name; skips where there is no archive of it."""
    known: dict[str, Examined] = {}

    def place(name: str) -> Examined:
        if name not in known:
            secrets = frozenset({KITCHEN_SECRET}) if name == "kitchen" else frozenset()
            known[name] = Examined(_folder(name), secrets)
        return known[name]

    return place


def _folder(name: str) -> Path:
    if name in EXPORTS:
        return EXPORTS[name]
    variable = "AMPLIFY_DELIVERY_APPS" if name in APPS else "AMPLIFY_DELIVERY_EXPORTS"
    archive = Path(os.environ.get(variable, "/nonexistent"), f"{name}.tar.gz")
    if not archive.is_file():
        pytest.skip(f"no {name}.tar.gz: set {variable} to the folder of the archives")
    within = f"{APPS[name]}/*/" if name in APPS else ""
    return next(unpacked(archive).rglob(f"{within}amplify-export-manifest.json")).parent


@pytest.fixture(autouse=True)
def _kept(examined: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(examined))


def told(fault: Fault, planted: Examined, untouched: Examined) -> set[Told]:
    """All that is told of a planted export before CloudFormation is called; what refuses it ends it."""
    found = planted.of_export()
    if any(severity == "refused" for _, severity, _ in found):
        return found
    try:
        found |= planted.of_templates(fault.environment, fault.region, lint=fault.found in ("", "AD700"))
    except ExportRefused as error:  # of the environment's values
        return found | {("ExportRefused", "refused", f"{f.id} {f.file}: {f.message}") for f in error.findings}
    except ConfigError as error:
        return found | {("ConfigError", "refused", str(error))}
    return found | planted.of_changes(fault.environment, untouched if fault.deployed else None)


def test_they_are_sixty_each_with_its_source() -> None:
    assert len(FAULTS) == len({fault.name for fault in FAULTS}) == 60
    assert all("#" in f.source or f.source.startswith(("https://", CASE)) for f in (*FAULTS, *FURTHER, *RIGHT))
    assert sum(f.source.startswith(CASE) for f in FAULTS) <= 12


@pytest.mark.parametrize("fault", (*FAULTS, *FURTHER), ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_is_told(fault: Fault, untouched: Callable[[str], Examined], tmp_path: Path) -> None:
    before = untouched(fault.place)
    planted = _planted(fault, before, tmp_path)
    if fault.severity == "delivered":
        assert planted.assembly.digest() == before.assembly.digest()
        return
    found = told(fault, planted, before)
    new = found - before.of_export()
    assert any(
        (id, severity) == (fault.found, fault.severity) and fault.file in where for id, severity, where in new
    ), "\n".join(sorted(f"{id} {severity} {where}"[:300] for id, severity, where in new)) or "nothing is told"


def _planted(fault: Fault, before: Examined, tmp_path: Path) -> Examined:
    folder = linked(before.folder, tmp_path / "export")
    if callable(fault.do):
        fault.do(folder)
    else:
        apply(folder, fault.do)
    return Examined(folder, before.secrets)


@pytest.mark.parametrize("right", RIGHT, ids=lambda right: right.name.replace(" ", "-"))
def test_what_is_right_is_not_refused(right: Fault, untouched: Callable[[str], Examined], tmp_path: Path) -> None:
    before = untouched(right.place)
    planted = _planted(right, before, tmp_path)
    new = told(right, planted, before) - _told_before(before, right.found == "")
    assert sorted(f for f in new if f[1] == "refused") == []


@pytest.mark.parametrize("name", KNOWN)
def test_nothing_is_told_of_what_is_untouched(name: str, untouched: Callable[[str], Examined]) -> None:
    export = untouched(name)
    known = export.of_export()
    assert {id for id, _, _ in known} == KNOWN[name]
    assert not [f for f in known if f[1] == "refused"]
    if name != "large":  # whose 94 templates are linted by the benchmarks
        expected = KNOWN_OF_TEMPLATES.get(name, [])
        found = sorted(export.of_templates("", "us-east-1"))
        assert len(found) == len(expected), found
        assert all(id == e_id and says in where for (id, _, where), (e_id, says) in zip(found, expected, strict=True))
        assert export.of_changes("", None) == set()
        assert export.of_changes("", export) == set()
