"""What must not be adopted, asked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.adoption.beside import Beside
from amplify_delivery.delivery.adoption.kept import Kept
from amplify_delivery.delivery.adoption.running import Running
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.errors import ConfigError, DeliveryError, RefusedError
from amplify_delivery.export import Assembly
from amplify_delivery.export.names import StackName
from amplify_delivery.publishing.stack_owner import is_delivered
from amplify_delivery.stacks.config import EnvironmentConfig


def is_ours(stacks: Stacks) -> bool:
    """Whether Amplify Delivery has deployed the root stack."""
    return is_delivered(stacks.parameters)


def check_state(environment: str, running: Running, root: Mapping[str, Any] | None, *, lost: bool = False) -> None:
    """Raise `RefusedError` if another Pulumi stack delivers what runs, or this one delivers something else; `root` is
    the root stack in this one's state. `lost`: a person says that the other one's state is lost."""
    if root is not None and root.get("id") not in (running.arn, str(running.name)):
        raise RefusedError(
            f"this Pulumi stack delivers {root.get('id')} already",
            where=environment,
            remedy=f"adopt {running.name} as another one: make its stack file, and `amplify-delivery adopt NAME`",
        )
    if root is None and is_ours(running.stacks) and not lost:
        raise RefusedError(
            "another Pulumi stack of Amplify Delivery delivers it: two would undo each other's work",
            where=str(running.name),
            remedy="use that stack's state (`pulumi login`, PULUMI_BACKEND_URL; of a bootstrapped environment it lies "
            f"in its account; one that `up` has made comes there by `amplify-delivery bootstrap {environment} "
            "--take-over`). If that state is lost, and nobody delivers it any more, `--state-lost` takes it over; "
            "nothing was changed",
        )


def check_others(environment: str, running: Running, others: Mapping[str, str], place: str) -> None:
    """Raise `RefusedError` if the file of another stack of the project names the same root stack in the same `place`: a
    file that was copied. `others` are the names of root stacks there, by the environments' stacks."""
    for other, name in others.items():
        if other != environment and name == str(running.name):
            raise RefusedError(
                f"Pulumi.{other}.yaml names the same root stack in {place}: both would deliver it, and destroy it",
                where=f"Pulumi.{environment}.yaml",
                remedy=f"nothing was changed. If that file was copied, `pulumi config set -s {environment} environment "
                f"NAME` makes another environment of this one. If {other}'s state is the lost one, "
                f"`amplify-delivery adopt {other} --state-lost`. If nobody uses {other} any more, remove its file",
            )


def check_imported(environment: str, running: Running, resources: Iterable[Mapping[str, Any]], variables: str) -> None:
    """Raise `RefusedError` if somebody has imported the root stack by hand, as a resource that the program does not
    have: the next update would delete it. `variables` is what has to stand before a `pulumi` command of the stack."""
    ids = (running.arn, str(running.name))
    for resource in resources:
        urn = str(resource.get("urn"))
        if resource.get("type") == ROOT_STACK and BACKEND not in urn and resource.get("id") in ids:
            raise RefusedError(
                f"the state holds it already, as {urn.rpartition('::')[2]}, which is none of the program's own: it was "
                "imported by hand, and an update would delete what the program does not have",
                where=environment,
                remedy=f"nothing was changed. `{variables}pulumi state delete --force -s {environment} '{urn}'` has "
                "the engine forget it (nothing in AWS is touched); then repeat the command",
            )


def beside(environment: str, found: Beside, variables: str = "") -> tuple[str, ...]:
    """What a lost state held beside the root: what is in the state again, and what a person has to look at. `variables`
    is what has to stand before a `pulumi` command of the stack."""
    notes = []
    if found.taken:
        notes.append(f"what the lost state held beside the root is taken in: {', '.join(found.taken)}")
    if found.left:
        notes.append(
            f"the plan makes anew what is there already: {'; '.join(found.left)}. Look whose it is. If it is this "
            f"environment's own, `{variables}pulumi import TYPE NAME ID -s {environment}` takes it in, with `--parent` "
            "and `--provider` as the program has it. Else the deployment fails at it: give it another name"
        )
    if found.anew:
        notes.append(
            f"the plan makes anew, and empty: {'; '.join(found.anew)}. Whether the lost state held one with data "
            "cannot be told: it would stay in the account, and nothing would use it any more. Look before you deploy; "
            f"what is there is taken in with `{variables}pulumi import TYPE NAME ID -s {environment}`, and with "
            "`--parent` and `--provider` as the program has it"
        )
    return tuple(notes)


@contextmanager
def going_on(environment: str) -> Iterator[None]:
    """Of an error behind the root, which is in the state by then: how the adoption goes on."""
    try:
        yield
    except DeliveryError as error:
        then = (
            "the root stack is adopted; once that is put right, `amplify-delivery adopt "
            f"{environment} --state-lost` takes in what stood beside it: deploy nothing before"
        )
        error.remedy = "; ".join(filter(None, [error.remedy, then]))
        raise


def check_names(config: EnvironmentConfig, written: Mapping[str, Any], name: StackName, where: str) -> None:
    """Raise `ConfigError` if the stack file says another environment or suffix than the running stack's."""
    for key, own, runs in (
        ("environment", config.environment, name.environment),
        ("suffix", config.suffix, name.suffix),
    ):
        if key in written and own != runs:
            raise ConfigError(
                f"{key} is {own!r} there, but {name} is to be adopted: nothing was changed",
                where=where,
                remedy=f"`pulumi config set {key} {runs}`, or name another stack with `--stack`",
            )


def check_export(assembly: Assembly, config: EnvironmentConfig, name: StackName, *, ours: bool = False) -> None:
    """Raise `ConfigError` for an export of another environment, unless a second one (`valuesFrom`) is this one's. What
    was `ours` before is delivered from one for all environments."""
    exported = assembly.stack_name
    if exported.environment == name.environment or config.values_from or ours:
        return
    raise ConfigError(
        f"this is the export of the environment {exported.environment!r}, and {name.environment!r} is to be adopted: "
        "what differs between the two would be changed with the adoption, and nobody could tell it apart",
        where=str(exported),
        remedy=f"`amplify env checkout {name.environment}` and `amplify export --out .` in the Amplify project; or "
        "export it elsewhere and name that folder with `valuesFrom`; nothing was changed",
    )


def check_known(kept: Kept, where: str) -> None:
    """Raise `ConfigError` for secrets that run and that nobody can read."""
    if not kept.unknown:
        return
    named = ", ".join(".".join(key) for key in kept.unknown)
    stack, parameter = kept.unknown[0]
    raise ConfigError(
        f"CloudFormation does not show the running values of {named}, and this file has none",
        where=where,
        remedy=f"`pulumi config set --secret --path 'parameters.{stack}.{parameter}'` asks for it; then repeat the "
        "command; nothing was changed",
    )
