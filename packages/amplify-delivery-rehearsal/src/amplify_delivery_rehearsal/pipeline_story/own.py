"""The story of a team's own project: its pipeline, its environments and its export, as its stack files say.

What only AWS holds is made up: accounts are empty, and what the team has encrypted with keys of its own (values with
`secure:`, the stacks' own keys) is taken out of the copy and set again, with values that mean nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from amplify_delivery.delivery.project import sources
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import assemble, read_export
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.absent import expect_project
from amplify_delivery_rehearsal.made_up import lacking
from amplify_delivery_rehearsal.pipeline_story.chapters import (
    Chapter,
    lets_in,
    tooling_state,
)
from amplify_delivery_rehearsal.pipeline_story.people import Person
from amplify_delivery_rehearsal.pipeline_story.pipeline import waiting_approval
from amplify_delivery_rehearsal.pipeline_story.play import Delivering, Play
from aws_rehearsal.pipeline_service.state import SUCCEEDED, Execution

_KEYS = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""How the engine encrypts a stack: written by `pulumi stack init`, for a key of the real account."""

MadeUp = Mapping[tuple[str, str], str]
"""Values for secrets, by nested stack and parameter."""


@dataclass(frozen=True)
class Secret:
    """A value of a stack file that its team has encrypted."""

    stack: str
    path: tuple[str, ...]
    """The config key, then the keys below it."""

    def value(self, given: MadeUp) -> str:
        """What it is in the rehearsal."""
        found = given.get((self.path[-2], self.path[-1])) if len(self.path) > 1 else None
        return found or f"rehearsed-{secrets.token_hex(8)}"


def pipeline_stack(project: Project) -> str:
    """The stack of the pipeline that is rehearsed. Raises `ConfigError` where there is none, or more than one."""
    found = project.stacks("pipeline")
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"there are several pipelines here: {', '.join(found)}",
            where=str(project.directory.resolve()),
            remedy="name one: `amplify-delivery rehearse --stack PIPELINE`",
        )
    raise ConfigError(
        "no stack file here is a pipeline's",
        where=str(project.directory.resolve()),
        remedy="rehearse exports with `amplify-delivery rehearse EXPORT ...`, or add a pipeline (docs/pipeline.md) "
        "or a CI (docs/ci.md)",
    )


def check(project: Project, stack: str) -> None:
    """What the rehearsal needs of a project, before anything is started. Raises `ConfigError`."""
    pipeline = project.pipeline(stack)
    if hasattr(pipeline.source, "pipeline"):
        raise ConfigError(
            f"{stack} follows {pipeline.source.pipeline}, and builds nothing that it could deliver",
            where=str(project.file(stack)),
            remedy=f"rehearse that one: `amplify-delivery rehearse --stack {pipeline.source.pipeline}`",
        )
    if not hasattr(pipeline.source, "repository"):
        raise ConfigError(
            "a rehearsal has no bucket that a pipeline's source is put into",
            where=str(project.file(stack)),
            remedy="rehearse with another source; a commit's way through the pipeline is the same",
        )
    for name in pipeline.environments:
        if not project.environment(name).bootstrapped:
            raise ConfigError(
                f"the environment {name} is in the pipeline {stack}, and its account is not prepared for that",
                where=str(project.file(name)),
                remedy="set `bootstrapped: true` there (docs/pipeline.md)",
            )


def made_up(project: Project, environments: Collection[str], given: MadeUp) -> MadeUp:
    """The secrets that environments need, and neither stack files hold nor somebody has `given`. Raises `ExportRefused`
    for an export that no environment could take, which the first command of the story would refuse after the set-up,
    and `ConfigError` for a stack file that is wrong."""
    if any(project.environment(name).assembly for name in environments):
        return {}  # it was checked when it was assembled
    folder, known = sources.project_export(project.directory, environments)
    known |= given.keys()
    export, images = read_export(folder), sources.named_images(project.directory, None, environments)
    return lacking(export, assemble(export, known, images), known)


def without_secrets(project: Project) -> tuple[Secret, ...]:
    """Take out of the stack files what cannot be decrypted here; what was taken out, stack by stack."""
    found = []
    for file in sorted(project.directory.glob("Pulumi.*.yaml")):
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - text only
        if not isinstance(document, dict):
            continue
        config = document.get("config") or {}
        taken = [path for path in _secure(config, ()) if path]
        keys = [key for key in _KEYS if document.pop(key, None) is not None]
        for path in taken:
            _drop(config, path)
        if taken or keys:
            file.write_text(yaml.dump(document, Dumper=_AsRead, sort_keys=False), encoding="utf-8")
        stack = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        found += [Secret(stack, (path[0].rpartition(":")[2], *path[1:])) for path in taken]
    return tuple(found)


def with_given(taken: tuple[Secret, ...], given: MadeUp, environments: Sequence[str]) -> tuple[Secret, ...]:
    """Also the secrets that were given for what no stack file encrypts yet: each environment gets those."""
    known = {(secret.stack, secret.path) for secret in taken}
    new = (Secret(stack, ("parameters", *name)) for stack in environments for name in given)
    return (*taken, *(secret for secret in new if (secret.stack, secret.path) not in known))


class _AsRead(yaml.SafeDumper):
    """Writes texts back as they were read: accounts in quotes, which one YAML or another makes numbers of; what is no
    account and looks like a number or a flag, as one."""


def _scalar(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    if re.fullmatch(r"\d{12}|0\d+", value):
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')
    kind = "bool" if value in ("true", "false") else "int" if re.fullmatch(r"-?\d{1,15}", value) else "str"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", value)


_AsRead.add_representer(str, _scalar)


def _secure(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of `secure:` values."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            yield path
            return
        for key, item in value.items():
            yield from _secure(item, (*path, key))


def _drop(value: dict[str, Any], path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        value = value[key]
    del value[path[-1]]


def story(stack: str, taken: tuple[Secret, ...], given: MadeUp) -> tuple[Chapter, ...]:
    """The chapters for the pipeline `stack`; `taken` was taken out of the stack files, `given` sets some of it."""
    return (
        Chapter(
            "Empty accounts",
            "State for the tooling account; the owner of each environment's account lets the pipeline in; then the "
            "pipeline itself.",
            lambda play: _empty_accounts(play, stack, taken, given),
        ),
        Chapter(
            "The first run",
            "The commit goes through every stage, with each approval given.",
            _first_run,
        ),
        Chapter(
            "Released again",
            "A commit that changes nothing of the backend goes the same way.",
            _again,
        ),
    )


def _empty_accounts(play: Play, stack: str, taken: tuple[Secret, ...], given: MadeUp) -> None:
    setting = play.setting
    with ThreadPoolExecutor() as people:
        state = people.submit(tooling_state, play)
        for first, names in by_account(setting.owners).items():
            setting.owners[first].delivery("bootstrap", *names)
        made = state.result()
    for name in setting.owners:
        give_secrets(play, name, taken, given)
        lets_in(play, name)
    devops = setting.devops.logged_in(made["backend"])
    devops.pulumi("stack", "init", stack, f"--secrets-provider={made['secretsProvider']}")
    for secret in taken:
        if secret.stack == stack:
            devops.pulumi(
                "config", "set", "--secret", "--path", ".".join(secret.path), secret.value(given), "-s", stack
            )
    play.push("First delivery")
    devops.pulumi("up", "-s", stack, "--yes", "--skip-preview")


def give_secrets(play: Delivering, environment: str, taken: tuple[Secret, ...], given: MadeUp) -> None:
    """Have an environment's owner set what was taken out of its stack file."""
    owner = play.setting.owners[environment].logged_in(play.names(environment).state_backend)
    for secret in taken:
        if secret.stack == environment:
            path = ".".join(secret.path)
            owner.pulumi("config", "set", "--secret", "--path", path, secret.value(given), "-s", environment)


def by_account(owners: Mapping[str, Person]) -> dict[str, list[str]]:
    """The environments of each account, by the first of them: an account's stack lets the pipeline into all of its."""
    accounts: dict[str, list[str]] = {}
    for name, owner in owners.items():
        accounts.setdefault(owner.account, []).append(name)
    return {names[0]: names for names in accounts.values()}


def _first_run(play: Play) -> None:
    execution = _to_its_end(play, play.setting.repository.head)
    for name in play.setting.owners:
        play.touched(name, play.assembly)
    play.fact(f"{len(execution.pipeline.stages)} stages, every one succeeded")


def _again(play: Play) -> None:
    notes = play.setting.repository.clone / "REHEARSED.md"
    notes.write_text("Written by a rehearsal.\n", encoding="utf-8")
    _to_its_end(play, play.push("Nothing of the backend changed"))
    for name in play.setting.owners:
        play.unchanged(name)
    play.look(list(play.setting.owners)[-1])


def _to_its_end(play: Play, commit: str) -> Execution:
    """Watch an execution to its end; whoever is asked at its approvals, approves."""
    execution = play.arrive(commit)
    while waiting_approval(execution):
        play.decide(play.pipeline, execution)
        with play.watch(play.pipeline):
            execution = play.pipeline.leave(execution)
    play.must(execution.status == SUCCEEDED, execution)
    return execution


def project_of(folder: Path) -> Project:
    """The project in a folder. Raises `ConfigError` where there is none."""
    expect_project(folder)
    return Project(folder)
