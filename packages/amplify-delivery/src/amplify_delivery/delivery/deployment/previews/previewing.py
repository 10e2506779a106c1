"""Previews of pull requests: made and updated, taken down, and those collected that nobody has updated for long.

A preview is a personal stack, so whoever makes it may do nearly everything in its account, and runs code that nobody
has reviewed. So its account must hold nothing that a pipeline or a CI delivers: this project's stack files say so,
and the account itself does, of whatever app.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.naming import ROOT_PATH
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import begun, updating
from amplify_delivery.delivery.deployment.live import following
from amplify_delivery.delivery.deployment.previews import pattern
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.planning import Step
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.teardown import destruction, leftovers
from amplify_delivery.errors import ConfigError, DeliveryError, RefusedError, midway
from amplify_delivery.stacks.config.reader import read_yaml

Line = Callable[[str], None]
_VERSIONS = ("bootstrap-version", "version")
"""How the parameters end by which a bootstrapped environment is told (`EnvironmentNames.version_parameter`)."""


class Fate(Enum):
    """What became of one preview."""

    GONE = "taken down"
    ABSENT = "there was none"
    KEPT = "somebody has updated it since"


@dataclass(frozen=True)
class Collected:
    """What became of the previews that were found: taken down, kept because they are young, and what failed."""

    down: tuple[str, ...]
    kept: tuple[str, ...]
    failed: Mapping[str, DeliveryError]


def up(number: int, like: str, context: Context, patience: Patience, line: Line) -> updating.Updated:
    """Make, or update, the preview of a pull request. Raises `DeliveryError`s."""
    name = pattern.name_of(number)
    _begin(name, like, context)
    # Made while it is held: a collector that is about to take it down would take it from under the update.
    provider = _secrets_provider(name, context)

    def known(engine: Engine) -> None:
        _check_made(engine, like, context)

    def leaves(engine: Engine, _: Sequence[Step]) -> None:
        config = stack_files.load(context.folder, name)
        account = Account.of(config)
        left = destruction.left_by_updates(engine, config, account, context.project)
        for held in left:
            line(f"an update has left {held.path} ({held.type}): {held.physical_id}; it goes, if it was {name}'s own")
        leftovers.delete_kept(account, left, line)

    with _settings_of(name, like):
        return updating.update(
            name, context, patience, line, create=True, secrets_provider=provider, known=known, leaves=leaves
        )


@contextmanager
def _settings_of(name: str, like: str) -> Iterator[None]:
    """A refusal that names a command which sets a value, names the pattern's stack file: the preview's own is made of
    it each time, and that of a CI's job goes with the job."""
    try:
        yield
    except DeliveryError as error:
        remedy = re.sub(rf"(`pulumi config (?:set|rm)[^`]* -s )(?:ENV|{name})\b", rf"\g<1>{like}", error.remedy)
        if remedy != error.remedy:
            error.remedy = f"{remedy}. Then commit Pulumi.{like}.yaml, of which Pulumi.{name}.yaml is made each time"
        raise


def down(number: int, like: str, context: Context, patience: Patience, line: Line) -> bool:
    """Take down the preview of a pull request with all its data; whether there was one. Raises `DeliveryError`s."""
    name = pattern.name_of(number)
    _begin(name, like, context)
    return _down(name, like, context, patience, line) is Fate.GONE


def collect(older: timedelta, like: str, context: Context, patience: Patience, line: Line) -> Collected:
    """Take down all previews that were last updated longer ago than `older`; when, is looked at once more while they
    are held. One that fails, or whose state does not show that it is a preview, keeps no other from going. Raises
    `DeliveryError`s before anything is touched."""
    limit, fates, failed = datetime.now(UTC) - older, dict[str, Fate](), dict[str, DeliveryError]()
    _check_pattern(like, context)
    _check_account(like, context)
    for name, updated in _engine(like, context, line).stacks():
        if not pattern.is_preview(name):
            continue
        if _is_young(updated, limit):
            fates[name] = Fate.KEPT
            continue
        try:
            _write(name, like, context)
            fates[name] = _down(name, like, context, patience, line, limit)
        except DeliveryError as error:
            failed[name] = error

    def those(fate: Fate) -> tuple[str, ...]:
        return tuple(name for name, found in fates.items() if found is fate)

    return Collected(those(Fate.GONE), those(Fate.KEPT), failed)


def _is_young(updated: datetime | None, limit: datetime) -> bool:
    return updated is None or updated.astimezone(UTC) > limit


def _down(  # noqa: PLR0917 - each is another thing
    name: str, like: str, context: Context, patience: Patience, line: Line, limit: datetime | None = None
) -> Fate:
    """Destroy what there is, unless it was updated after `limit`, and forget it: stack and file."""
    engine, config, fate = _engine(name, context, line), stack_files.load(context.folder, name), Fate.ABSENT
    if engine.exists():
        with holding(engine, "destroy", context, patience):
            # Whoever was waited for may have updated it, or taken it down.
            there = dict(engine.stacks())
            if limit and name in there and _is_young(there[name], limit):
                fate = Fate.KEPT
            elif name in there:
                _check_made(engine, like, context)
                resolving.resolve(
                    engine, lambda: Account.of(config), lambda s: secrets_provider.check(name, s, context)
                )
                shown = following.destroying(engine, context.variables)
                done = destruction.destroy(engine, config, context.project, patience, shown, data=True)
                with midway():
                    # Amplify's templates keep their buckets. Whoever opens the pull request again needs their names.
                    leftovers.delete_kept(Account.of(config), done.kept, line)
                    engine.remove()
                begun.forget(engine)
                fate = Fate.GONE
    stack_files.path(context.folder, name).unlink(missing_ok=True)
    return fate


def _check_made(engine: Engine, like: str, context: Context) -> None:
    """Raise `RefusedError` unless the stack's state shows that it was made after the pattern: its name alone does not.
    Somebody may have made one of that name by hand, whose stack file is in no commit."""
    source, file = stack_files.path(context.folder, like), stack_files.path(context.folder, engine.stack)
    if pattern.is_encrypted_as(engine.state(), read_yaml(source)):
        return
    file.unlink(missing_ok=True)  # made by `_write`: a plain `pulumi up` would take the stack for a preview by it
    raise RefusedError(
        f"this stack is called like a preview, but its state is not encrypted with the key that {source.name} names, "
        "as every preview's is: somebody has made it by hand, or that key was changed since",
        where=engine.stack,
        remedy=f"nothing was changed. If it is a preview: put the key of then back into {source.name} "
        f"(`git log -p {source.name}` has it), or name its pattern with --pattern, and repeat. If it is not, it stays: "
        "names of pr and a number are better left to previews",
    )


def _begin(name: str, like: str, context: Context) -> None:
    """Write the preview's stack file, if its account may hold previews. Raises `DeliveryError`s before."""
    _check_pattern(like, context)
    _check_account(like, context)
    _write(name, like, context)


def _write(name: str, like: str, context: Context) -> None:
    """Write the preview's stack file, which stays for the commands that follow. Raises `DeliveryError`s before."""
    file, source = stack_files.path(context.folder, name), stack_files.path(context.folder, like)
    _check_pattern(like, context)
    if file.is_file() and not pattern.is_made(file.read_text(encoding="utf-8")):
        raise ConfigError(
            "is the stack file of an environment that is not a preview",
            where=str(file),
            remedy="previews are called pr and their number: give that environment another name. Nothing was changed",
        )
    file.write_text(pattern.text_of(source.read_text(encoding="utf-8"), source.name), encoding="utf-8")


def _check_pattern(like: str, context: Context) -> None:
    source = stack_files.path(context.folder, like)
    config = stack_files.load(context.folder, like, pattern.MISSING)
    pattern.check(config, read_yaml(source), source.name)
    for stack in context.project.stacks("backend"):
        other = stack_files.load(context.folder, stack) if not pattern.is_preview(stack) else config
        if other.account == config.account and (other.bootstrapped or other.production):
            raise RefusedError(
                f"the account {config.account} is also that of {stack}, which is delivered: previews run code that "
                "nobody has reviewed, with nearly every right in their account",
                where=source.name,
                remedy="give previews an account of their own; nothing was changed",
            )


def _check_account(stack: str, context: Context) -> None:
    """Raise `RefusedError` if the account holds a bootstrapped environment, of whatever app."""
    account = Account.of(stack_files.load(context.folder, stack))
    with account.asking("looking for environments that are delivered here"):
        pages = account.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=ROOT_PATH, Recursive=True)
        found = sorted(p["Name"] for page in pages for p in page["Parameters"] if _is_version(p["Name"]))
    if found:
        app, environment = found[0].removeprefix(ROOT_PATH).split("/")[:2]
        raise RefusedError(
            f"the environment {environment} of {app} is delivered to this account: previews run code that nobody has "
            "reviewed, with nearly every right in their account",
            where=account.place,
            remedy="give previews an account of their own; nothing was changed",
        )


def _is_version(parameter: str) -> bool:
    return parameter.rpartition("/")[2] in _VERSIONS


def _engine(name: str, context: Context, line: Line) -> Engine:
    return Engine(name, context.folder.resolve(), line, secrets_provider=_secrets_provider(name, context))


def _secrets_provider(name: str, context: Context) -> str | None:
    lines: Mapping[str, Any] = read_yaml(stack_files.path(Path(context.folder), name))
    return lines.get("secretsprovider")
