"""The configuration of clients that a deployment leaves in the account, for steps that ask for it (`clientConfig`).

It lies beside the outputs (`amplify_delivery.delivery.engine.stack_outputs`), so that a step, whose commands are
anybody's, needs no right to look at stacks. `{"files": {PLATFORM: {NAME: TEXT}}}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from amplify_delivery.client_config import PLATFORMS, Backend, Declared, Platform, files
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import state_bucket
from amplify_delivery.delivery.front_end import running_backend
from amplify_delivery.errors import ConfigError, RefusedError

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig, Project


def keep(account: Account, names: EnvironmentNames, stack: str, declared: Sequence[Declared], project: Project) -> None:
    """Leave it, if a step of the environment's pipeline asks for it, and unless this very one is there.

    Raises `RefusedError`."""
    if not _is_asked_for(project, names.environment):
        return
    backend = running_backend.of_stack(account, stack, declared).backend
    place, body = state_bucket.client_config_key(names.environment), document(backend)
    if state_bucket.read(account, names, place) != body:
        state_bucket.write(account, names, place, body)


def document(backend: Backend) -> bytes:
    """What is left."""
    found = {platform: files(backend, platform) for platform in PLATFORMS}
    return (json.dumps({"files": found}, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def read(config: EnvironmentConfig, context: Context, platform: Platform) -> dict[str, str]:
    """The files of a platform for a step of the environment: as the last deployment has left them; of one that is not
    bootstrapped, as its stacks tell. Raises `RefusedError` if there are none."""
    if not config.bootstrapped:
        return files(running_backend.read(config.environment, context).backend, platform)
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
        found = json.loads(body)["files"][platform]
        return {str(name): str(text) for name, text in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError(
            "this is not what a deployment has left",
            where=where,
            remedy="deploy the environment again, which writes it anew",
        ) from None


def _is_asked_for(project: Project, environment: str) -> bool:
    try:
        _, pipeline = project.pipeline_of(environment)
    except ConfigError:
        return False
    return any(step.client_config for step in pipeline.steps_of(environment))
