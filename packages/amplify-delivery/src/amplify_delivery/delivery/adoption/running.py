"""The root stack that runs: found, and read with the parameters of its nested stacks. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from amplify_delivery.changes import deployed
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export.documents import Malformed
from amplify_delivery.export.names import StackName
from amplify_delivery.publishing.stack_state import described, outputs_of, parameters_of

_GONE = ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
"""States of what is no stack (any more)."""


@dataclass(frozen=True)
class Running:
    """A root stack as it runs."""

    arn: str
    name: StackName
    stacks: Stacks
    """Its templates and those of all nested stacks, and its own parameters."""
    nested: Mapping[str, Mapping[str, str]]
    """The parameters of the first nested stacks, by logical id; those below get theirs from these. `NoEcho` ones are
    masked."""
    role_arn: str | None = None
    """The role that CloudFormation uses for it."""
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The outputs of the first nested stacks, by logical id."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The root stack's, without those that AWS gives."""


def find(account: Account, project: str, stack: str | None, expected: str | None, environment: str) -> StackName:
    """The name of the root stack to adopt: `stack` where it is named, else the one that the stack file describes
    (`expected`), else the only one of `project` and `environment`.

    Raises `ConfigError` for a name that is not Amplify's, another app's, or that nothing or several things match.
    """
    if stack:
        name = StackName.parse(stack)
        if name is None:
            raise ConfigError(
                "is not named as Amplify names root stacks: amplify-APP-ENV-SUFFIX",
                where=stack,
                remedy="name the root stack, as `amplify status` or the console of CloudFormation has it",
            )
        if name.project != project:
            raise ConfigError(
                f"it is a stack of the app {name.project!r}, this project delivers {project!r}: nothing was changed",
                where=stack,
                remedy="run the command in that app's project (`name` in Pulumi.yaml is the app's)",
            )
        return name
    found = [name for name in _roots(account) if name.project == project and name.environment == environment]
    if expected and expected in {str(name) for name in found}:
        return StackName.parse(expected) or found[0]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"several root stacks are called so: {', '.join(map(str, found))}",
            where=f"{environment} of {project} ({account.place})",
            remedy="name the one that is meant with `--stack NAME`; nothing was changed",
        )
    raise ConfigError(
        f"no root stack amplify-{project}-{environment}-... runs here",
        where=account.place,
        remedy="name it with `--stack NAME`, or correct `account`, `region` and `environment` of the stack file; what "
        "does not run yet needs no adoption: the command `up` makes it",
    )


def _roots(account: Account) -> Iterable[StackName]:
    """The names of all root stacks of the account and region that are called as Amplify calls them."""
    with account.asking("listing its stacks"):
        pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
        found = [s for page in pages for s in page["Stacks"] if not s.get("ParentId")]
    names = [StackName.parse(s["StackName"]) for s in found if s["StackStatus"] not in _GONE]
    return [name for name in names if name is not None]


def read(account: Account, name: StackName) -> Running:
    """The root stack of that name with all below it. Raises `RefusedError` when there is none, or it is changing."""
    cloudformation = account.client("cloudformation")
    with account.asking(f"reading stack {name}"):
        root = described(cloudformation, str(name))
        try:
            found = deployed.read(cloudformation, str(name), lambda _: None)
        except Malformed as error:
            raise RefusedError(
                f"its template cannot be read: {error}",
                where=str(name),
                remedy="nothing was changed; allow these credentials cloudformation:GetTemplate on the stack and its "
                "nested stacks, and repeat the command",
            ) from None
        if root is None or found.stacks is None:
            raise RefusedError(
                f"there is nothing to adopt: {f'its state is {found.status}' if found.status else 'no such stack'}",
                where=f"{name} ({account.place})",
                remedy="correct `account`, `region`, `environment` or `suffix` of the stack file, or name the stack "
                "with `--stack NAME`",
            )
        below = {
            logical_id: described(cloudformation, stack) or {}
            for logical_id, stack in deployed.nested(cloudformation, root["StackId"]).items()
        }
    nested = {logical_id: parameters_of(stack) for logical_id, stack in below.items()}
    outputs = {logical_id: outputs_of(stack) for logical_id, stack in below.items()}
    tags = {tag["Key"]: tag["Value"] for tag in root.get("Tags") or () if not tag["Key"].startswith("aws:")}
    return Running(str(root["StackId"]), name, found.stacks, nested, root.get("RoleARN"), outputs, tags)
