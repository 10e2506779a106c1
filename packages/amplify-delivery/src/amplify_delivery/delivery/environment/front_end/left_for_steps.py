"""The configuration of clients that a deployment leaves in the account, for steps that ask for it (`clientConfig`).

It lies beside the outputs (`amplify_delivery.delivery.engine.stack_outputs`), so that a step, whose commands are
anybody's, needs no right to look at stacks. `{"files": {PLATFORM: {NAME: TEXT}}, "notes": {PLATFORM: [TEXT]}}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amplify_delivery.client_config import PLATFORMS, Backend, Declared, Platform, files, left_out
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.environment.front_end import running_backend
from amplify_delivery.errors import ConfigError, RefusedError

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig, Project


@dataclass(frozen=True)
class Left:
    """The files of a platform, and what a client will not find in them (none from an earlier version)."""

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


def keep(account: Account, names: EnvironmentNames, stack: str, declared: Sequence[Declared], project: Project) -> None:
    """Leave it, if a step of the environment's pipeline asks for it, and unless this very one is there.

    Raises `RefusedError`."""
    if not _is_asked_for(project, names.environment):
        return
    running = running_backend.of_stack(account, stack, declared)
    place, body = state_bucket.client_config_key(names.environment), document(running.backend, running.notes)
    if state_bucket.read(account, names, place) != body:
        state_bucket.write(account, names, place, body)


def document(backend: Backend, notes: Sequence[str] = ()) -> bytes:
    """What is left; `notes` are those that every platform shares."""
    found = {
        "files": {platform: files(backend, platform) for platform in PLATFORMS},
        "notes": {platform: [*notes, *left_out(backend, platform)] for platform in PLATFORMS},
    }
    return (json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def read(config: EnvironmentConfig, context: Context, platform: Platform) -> Left:
    """What is for a step of the environment: as the last deployment has left it; where it is not bootstrapped, as its
    stacks tell. Raises `RefusedError` if there is nothing."""
    if not config.bootstrapped:
        running = running_backend.read(config.environment, context)
        return Left(files(running.backend, platform), (*running.notes, *left_out(running.backend, platform)))
    names = EnvironmentNames(context.project.app, config.account, config.region, config.environment)
    place = state_bucket.client_config_key(config.environment)
    where = f"s3://{names.state_bucket}/{place}"
    body = state_bucket.read(Account.of(config), names, place)
    if body is None:
        raise RefusedError(
            "no deployment has left a client's configuration here",
            where=where,
            remedy="`deploy` leaves it where a step asks for it (`clientConfig`): deploy the environment with this "
            "commit; a step before the first deployment cannot ask for it",
        )
    try:
        return parsed(body, platform)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError(
            "this is not what a deployment has left",
            where=where,
            remedy="deploy the environment again, which rewrites it",
        ) from None


def parsed(body: bytes, platform: Platform) -> Left:
    """What a document of `document` says of a platform; raises `ValueError`, `KeyError`, `TypeError` or
    `AttributeError` for any other."""
    found = json.loads(body)
    texts = {str(name): str(text) for name, text in found["files"][platform].items()}
    return Left(texts, tuple(str(note) for note in found.get("notes", {}).get(platform, ())))


def _is_asked_for(project: Project, environment: str) -> bool:
    try:
        _, pipeline = project.pipeline_of(environment)
    except ConfigError:
        return False
    return any(step.client_config for step in pipeline.steps_of(environment))
