"""A plan without AWS: what deploying the project as it lies here would change, if an earlier commit of it is deployed.

Both sides are made by this engine, from the export and the stack files of either: nothing of the commit runs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from amplify_delivery.changes import gained
from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.impossible import Impossible
from amplify_delivery.changes.published import own
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Step
from amplify_delivery.components.backend.contents import contents as contents_of
from amplify_delivery.components.documents.pipeline.buildspecs import LOCK
from amplify_delivery.delivery.planning.in_order import in_order
from amplify_delivery.delivery.planning.notes import boundary_comes, ignored, losses, unread
from amplify_delivery.delivery.planning.offline.revision import Contents, Revision
from amplify_delivery.delivery.planning.plan import number_of
from amplify_delivery.delivery.planning.termination import protection
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, DeliveryError, ExportRefused, RefusedError
from amplify_delivery.export import Assembly, Export, assemble, load_assembly, read_export, read_files, render_root
from amplify_delivery.stacks.access import staging_bucket
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from amplify_delivery.stacks.config.absent import expect_project
from amplify_delivery.stacks.config.parameters import SecretKey
from amplify_delivery.stacks.config.reader import own_keys_in
from amplify_delivery.stacks.inputs import (
    as_configured,
    environment_values,
    named_assembly,
    of_project,
    root_parameters,
)

PROGRAM = ("__main__.py", "components", LOCK, "requirements.txt", "Pulumi.yaml")
"""What a project's program is made from, beside its export and its stack files."""
_PLACE = ("account", "region", "environment")
"""What of a stack file says where an environment is."""


@dataclass(frozen=True)
class OfflinePlan:
    """What deploying one environment would change. Not `deployed`: the commit does not have the environment."""

    config: EnvironmentConfig
    name: str
    """Of its stack file."""
    stack: str
    deployed: bool
    steps: tuple[Step, ...] = ()
    impossible: tuple[Impossible, ...] = ()
    gained: tuple[gained.Gained, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """Their number."""
        return number_of(self.steps)

    @property
    def losses(self) -> tuple[Step, ...]:
        """The steps that lose data."""
        return tuple(step for step in self.steps if step.loss)

    def to_json(self) -> dict[str, Any]:
        return {
            "environment": self.name,
            "account": self.config.account,
            "region": self.config.region,
            "stack": self.stack,
            "deployed": self.deployed,
            "changes": self.changes,
            "dataLoss": [step.to_json() for step in self.losses],
            "impossible": [vars(found) for found in self.impossible],
            "gainedRights": [right.to_json() for right in self.gained],
            "notes": list(self.notes),
            "steps": [step.to_json() for step in self.steps],
        }


@dataclass(frozen=True)
class Against:
    """The plans of all environments that were asked about, against one commit."""

    revision: Revision
    plans: tuple[OfflinePlan, ...]
    notes: tuple[str, ...] = ()
    """What is about all of them."""

    def to_json(self) -> dict[str, Any]:
        return {
            "against": {"ref": self.revision.ref, "commit": self.revision.commit},
            "notes": list(self.notes),
            "environments": [plan.to_json() for plan in self.plans],
        }


def against(folder: Path, ref: str, environments: Sequence[str], variables: Mapping[str, str]) -> Against:
    """The plans of `environments` of the project in `folder`, against the commit `ref`. If none is named: of all but
    those that are disposable, which are nobody's, and as the pattern of previews often never deployed.

    git gets the environment's `variables`.

    Raises `RefusedError` and `ConfigError`s, also for a commit that has no such project, `ExportRefused` for an export
    that is not delivered.
    """
    expect_project(folder)
    here = Project(folder)
    names = tuple(dict.fromkeys(environments)) or here.stacks("backend")
    if not names:
        raise ConfigError(
            "there is no environment here",
            where=str(folder.resolve()),
            remedy="make one: `amplify-delivery init --personal NAME=ACCOUNT/REGION`",
        )
    parsed: dict[str, Mapping[str, Any]] = {}
    new = _Side(folder, parsed)
    configs = {name: stack_files.load(folder, name) for name in names}
    if not environments:
        configs = {name: config for name, config in configs.items() if not config.disposable}
    revision = Revision.of(folder, ref, variables)
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-") as temporary, Contents(revision) as contents:
        old = _of_commit(revision, contents, Path(temporary), parsed)
        plans = tuple(_plan(name, config, old, new) for name, config in configs.items())
        notes = [] if plans else [f"nothing was planned: all environments here are disposable ({', '.join(names)})"]
        return Against(revision, plans, (*notes, *_notes(revision, old, here, asked=bool(environments))))


@dataclass
class _Side:
    """The project at one time, in a folder; of an earlier commit without the exports, which `read` gives."""

    folder: Path
    parsed: dict[str, Mapping[str, Any]]
    """Templates of all sides by their keys: most are the same."""
    revision: Revision | None = None
    read: Callable[[Path], Export] = read_export
    _assemblies: dict[tuple[Path, frozenset[tuple[str, str]]], Assembly] = field(default_factory=dict)

    def stacks(self, config: EnvironmentConfig) -> _Environment:
        """What deploying an environment makes."""
        app, now = Project(self.folder).app, datetime.now(UTC)
        with self.told():
            values = environment_values(config, self.folder, now, app)
            assembly = self._assembly(config, app)
            root = render_root(assembly, values, staging_bucket(app, config))
        parameters = root_parameters(root, values, config)
        stacks = Stacks.of(assembly, root, parameters, self.parsed)
        return _Environment(config, root.stack_name, stacks, own(assembly), contents_of(assembly).stateful)

    def _assembly(self, config: EnvironmentConfig, app: str) -> Assembly:
        named = named_assembly(config, self.folder)
        key = named.path, config.secret_names
        if key not in self._assemblies:
            made = assemble(self.read(named.path), config.secret_names) if named.export else load_assembly(named.path)
            self._assemblies[key] = of_project(made, app, named.path)
        return as_configured(self._assemblies[key], config)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Of an earlier commit, errors name the commit, and not where its files were copied to."""
        try:
            yield
        except DeliveryError as error:
            if self.revision is None:
                raise
            what = "\n".join(map(str, error.findings)) if isinstance(error, ExportRefused) else error.message
            where = error.where.replace(str(self.folder), "").lstrip("/")
            raise RefusedError(
                f"what this commit has cannot be delivered, so nothing can be compared with it: "
                f"{f'{where}: ' if where else ''}{what}",
                where=str(self.revision),
                remedy="compare with a commit whose export and stack files are in order, or with a later one of this "
                "layout",
            ) from None


@dataclass(frozen=True)
class _Environment:
    config: EnvironmentConfig
    stack: str
    stacks: Stacks
    contents: gained.Contents
    holds_data: bool


def _plan(name: str, config: EnvironmentConfig, old: _Side, new: _Side) -> OfflinePlan:
    will = new.stacks(config)
    was, notes = _deployed(name, will, old, new.folder)
    before, after = was.stacks if was else None, will.stacks
    kept = _protection(was, will)
    same = before is not None and (before.templates, before.parameters) == (after.templates, after.parameters)
    if same and not kept:
        return OfflinePlan(config, name, will.stack, True, notes=notes)
    today = datetime.now(UTC).date()
    order = in_order(before, after, plan_backend(before, after), today, config.ignored)
    steps = (*order.first, *order.then, *kept)
    rights = gained.gained(before, after, was.contents if was else gained.nothing_known, will.contents)
    return OfflinePlan(
        config,
        name,
        will.stack,
        was is not None,
        steps,
        order.impossible,
        rights.rights,
        (
            *notes,
            *boundary_comes(steps, bootstrapped=config.bootstrapped),
            *losses(steps, config.guard(name, today)),
            *unread(rights.unread),
            *ignored({i.id: i.reason for i in config.lint.ignore}),
        ),
    )


def _protection(was: _Environment | None, will: _Environment) -> tuple[Step, ...]:
    """The root stack's termination protection, where it would be another one; a new stack's is made with it."""
    if was is None:
        return ()
    before, after = (side.config.termination_protection(side.holds_data) for side in (was, will))
    return protection(bool(before), after)


def _deployed(name: str, will: _Environment, old: _Side, here: Path) -> tuple[_Environment | None, tuple[str, ...]]:
    """What the commit would have deployed, and what is to be said of it; None if that is nothing, or elsewhere."""
    if not stack_files.path(old.folder, name).is_file():
        return None, (f"{old.revision} has no Pulumi.{name}.yaml: everything is new",)
    with old.told():
        config = stack_files.load(old.folder, name)
    was = old.stacks(config)
    moved = [key for key in _PLACE if getattr(config, key) != getattr(will.config, key)]
    if moved or was.stack != will.stack:
        what = [f"{key} {getattr(config, key)} becomes {getattr(will.config, key)}" for key in moved]
        told = "; ".join(what) or f"the stack {was.stack} becomes {will.stack}"
        return None, (
            f"{told}: that is another backend, without the data of the one before; a Pulumi stack that has deployed "
            "the one refuses the other",
        )
    return was, tuple(_secrets(name, here, old.folder, (will.config.secret_names, config.secret_names)))


def _secrets(
    name: str, new: Path, old: Path, secrets: tuple[frozenset[SecretKey], frozenset[SecretKey]]
) -> Iterator[str]:
    """Of secrets, which ones come, and whose text in the file is another one: whether the value is, their key tells."""
    after, before = secrets
    come = sorted(after - before)
    if come:
        yield f"secrets that are new: {', '.join('.'.join(key) for key in come)}"
    texts = [own_keys_in(stack_files.path(folder, name)).get("parameters") or {} for folder in (new, old)]
    again = [key for key in sorted(after & before) if _leaf(texts[0], key) != _leaf(texts[1], key)]
    if again:
        told = ", ".join(".".join(key) for key in again)
        yield f"secrets that were set again: {told}; with another value their nested stacks are updated"


def _leaf(parameters: Any, key: SecretKey) -> Any:
    for part in key:
        parameters = parameters.get(part) if isinstance(parameters, Mapping) else None
    return parameters


def _of_commit(revision: Revision, contents: Contents, temporary: Path, parsed: dict[str, Mapping[str, Any]]) -> _Side:
    """The project of a commit, as far as it is needed: its stack files, and what these name. Its exports are not
    written to the disk: they have thousands of files."""
    names = revision.names()
    folder = temporary / revision.prefix
    if "Pulumi.yaml" not in names:
        raise RefusedError(
            f"this commit has no project in {revision.prefix}: no Pulumi.yaml is there",
            where=str(revision),
            remedy="compare with a commit since the project lies here",
        )

    def copy(path: PurePosixPath) -> None:
        for name, body in contents.read(revision.files(path)).items():
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)

    def read(path: Path) -> Export:
        place = revision.place(os.path.relpath(path, folder))
        found = contents.read(revision.files(place)) if place else {}
        bodies = {name[len(f"{place}/") :]: body for name, body in found.items()}
        return read_files(path, {name: len(body) for name, body in bodies.items()}, bodies.__getitem__)

    for name in names:
        if name == "Pulumi.yaml" or (name.startswith("Pulumi.") and name.endswith(".yaml")):
            copy(revision.prefix / name)
        elif name.startswith("amplify-export-"):
            (folder / name).mkdir()  # so that it is found there
    side = _Side(folder, parsed, revision, read)
    with side.told():
        project = Project(folder)
        for stack in project.stacks("backend"):
            keys = own_keys_in(project.file(stack))
            for path in {str(keys[key]) for key in ("assembly", "valuesFrom") if keys.get(key)}:
                place = revision.place(path)
                if place is not None:
                    copy(place)
    return side


def _notes(revision: Revision, old: _Side, here: Project, *, asked: bool) -> Iterator[str]:
    gone = sorted({*Project(old.folder).stacks("backend")} - {*here.stacks("backend")})
    if gone and not asked:
        yield f"{', '.join(gone)}: in {revision.ref}, and not here; that alone deletes nothing (`destroy` does)"
    changed = revision.differing(PROGRAM)
    if changed:
        yield (
            f"the program differs too ({', '.join(changed[:3])}{', ...' if len(changed) > 3 else ''}): what it makes "
            "beside the backend only `plan` of an environment shows"
        )
