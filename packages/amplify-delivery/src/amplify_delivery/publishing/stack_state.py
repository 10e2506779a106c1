"""Whether the root stack can take the change at all, asked before anything is published.

CloudFormation would refuse these too, minutes later and in words that do not say what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing import gen2_lock, stack_owner
from amplify_delivery.publishing.aws_errors import suppressing, suppressing_all
from amplify_delivery.publishing.credentials import client_config, target_session
from amplify_delivery.publishing.stack_states import (
    RECOVERIES,
    Place,
    Way,
    by_hand,
    check_root,
)
from amplify_delivery.publishing.target import PublishTarget

Template = Callable[[Any, str], Mapping[str, Any]]
"""Reads the template of a stack, by CloudFormation's client and its name."""


def check_stack(
    target: PublishTarget, stack_name: str, *, creating: bool, recovered: str | None = None, environment: str = ""
) -> bool:
    """Raise `RefusedError` if the stack cannot be created (it is there already) or updated (locked, stuck, busy).
    `environment` is the Pulumi stack, for the message.

    True if it is in the state `recovered`, which whoever runs the program is going to bring it out of first.

    What AWS does not let us read is left for CloudFormation to say.
    """
    stack = None
    with suppressing_all():
        cloudformation = target_session(target).client("cloudformation", config=client_config())
        stack = described(cloudformation, stack_name)
    if stack is None:
        return False
    status = str(stack["StackStatus"])
    place = Place(stack_name, f"--region {target.region}")
    way = check_root(place, status)
    if way in RECOVERIES:
        if status == recovered:
            return True
        raise RefusedError(
            f"its state is {status}",
            where=_where(target, stack_name),
            remedy=f"nothing was changed. {by_hand(place, way)}",
        )
    if way is Way.MAKE:
        return False
    if not creating:
        gen2_lock.check(cloudformation, stack_name)
        return False
    raise RefusedError(
        f"the stack {stack_name} is there already, in state {status}",
        where=_where(target, stack_name),
        remedy=f"nothing of it was changed. `amplify-delivery plan {environment or 'ENV'}` says whose it is, and what "
        "helps; what a run has made that was killed, our commands take in. If this Pulumi stack holds it, the plan was "
        "to replace it, which would delete its data: put back what was changed (also the name of the backend in the "
        "program), and leave `--replace` out; what `pulumi state taint` has marked, `pulumi state untaint` frees",
    )


def _where(target: PublishTarget, stack_name: str) -> str:
    return f"{stack_name} (account {target.account}, {target.region})"


def stack_is_there(target: PublishTarget, stack_name: str, environment: str, template: Template) -> bool:
    """Whether there is such a stack, as far as these credentials can tell. Raises `RefusedError` for one that Amplify
    Delivery has not made: the engine's state cannot hold it before `environment`, the Pulumi stack, has adopted it."""
    with suppressing_all() as refusal:
        cloudformation = target_session(target).client("cloudformation", config=client_config())
        found = described(cloudformation, stack_name)
        if found is None or stack_owner.is_delivered(parameters_of(found)):
            return found is not None
        body = template(cloudformation, stack_name)
    if refusal or found is None:
        return False
    stack_owner.check(Place(stack_name, "", environment), str(found["StackStatus"]), body)
    return True


@dataclass(frozen=True)
class Name:
    """A name that a resource gets: of a type of CloudFormation, for the resource at `place` (logical ids)."""

    type: str
    name: str
    place: str


def check_names(target: PublishTarget, names: Sequence[Name]) -> None:
    """Raise `RefusedError` if names that a first create gives are taken, all of them at once.

    Buckets are asked for one by one, for their names are global; functions, roles and tables are listed. Credentials of
    another account are for the provider to refuse, and what may not be read is left for CloudFormation to say.
    """
    with suppressing_all() as refusal:
        session = target_session(target)
        account = session.client("sts", config=client_config()).get_caller_identity()["Account"]
    if refusal or account != target.account:
        return
    clients = _Clients(session)
    kinds = {name.type for name in names}
    there = {kind: found for kind in kinds & _LISTS.keys() for found in [_listed(clients, kind)]}
    taken = [
        (name, where)
        for name in names
        if (where := "in this account" if name.name in there.get(name.type, ()) else _asked(clients, name))
    ]
    if not taken:
        return
    lines = "\n".join(f"  {name.name} ({name.type}, {name.place}): {where}" for name, where in taken)
    raise RefusedError(
        f"names that this backend gives to what it makes are taken:\n{lines}",
        where=f"account {target.account}, {target.region}",
        remedy=_free([name for name, _ in taken]),
    )


def _free(taken: Sequence[Name]) -> str:
    """What to do about names that are taken."""
    remedy = (
        "nothing was made. Another copy of a backend needs another environment name, which all of these names hold: "
        "`pulumi config set environment NAME` (2 to 10 lower-case letters and digits)"
    )
    if [name.place for name in taken] == [DEPLOYMENT_BUCKET]:
        remedy += ", or for this bucket alone another `suffix`"
    buckets = [name.name for name in taken if name.type == "AWS::S3::Bucket"]
    if buckets:
        # No command that empties it: it may hold users' files, and belong to what runs.
        remedy += (
            ". A bucket can be left of a destroyed environment, with users' files, or belong to one that runs: "
            f"`aws s3 ls --recursive s3://{buckets[0]}` shows what it holds, and whoever owns it decides"
        )
    return remedy


DEPLOYMENT_BUCKET = "DeploymentBucket"
"""The only resource of a root template whose name holds the suffix and must be free in the whole world."""

_LISTS: Mapping[str, tuple[str, str, str, str]] = {
    "AWS::DynamoDB::Table": ("dynamodb", "list_tables", "TableNames", ""),
    "AWS::IAM::Role": ("iam", "list_roles", "Roles", "RoleName"),
    "AWS::Lambda::Function": ("lambda", "list_functions", "Functions", "FunctionName"),
}
"""How the names of a type are listed: service, operation, member of the answer, its name."""


class _Clients:
    """Clients of one session, each made once."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._made: dict[str, Any] = {}

    def of(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = self._session.client(service, config=client_config())
        return self._made[service]


def _listed(clients: _Clients, kind: str) -> frozenset[str]:
    service, operation, member, name = _LISTS[kind]
    with suppressing_all():
        pages = clients.of(service).get_paginator(operation).paginate()
        return frozenset(item[name] if name else item for page in pages for item in page[member])
    return frozenset()


def _asked(clients: _Clients, name: Name) -> str:
    """Where something of that name is; empty if nowhere, or if nobody says."""
    with suppressing_all() as refusal:
        if name.type == "AWS::S3::Bucket":
            clients.of("s3").head_bucket(Bucket=name.name)
            return "in this account, perhaps left by an environment that was destroyed"
        if name.type in ("AWS::Cognito::UserPoolDomain", "Custom::LambdaCallout"):
            found = clients.of("cognito-idp").describe_user_pool_domain(Domain=name.name)
            return "a domain of a user pool of this account" if found.get("DomainDescription") else ""
    if name.type == "AWS::S3::Bucket" and refusal.status == HTTPStatus.FORBIDDEN:
        return "in another account (bucket names are global), or these credentials may not look at it"
    return ""


def described(cloudformation: Any, stack_name: str) -> dict[str, Any] | None:
    """A stack as DescribeStacks has it; None if there is none. Raises botocore's errors."""
    with suppressing("ValidationError", saying="does not exist"):
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
        return found
    return None


def resources_called(cloudformation: Any, kind: str, physical_id: str) -> tuple[str, list[str]] | None:
    """The stack that holds what has this type and id, and the states that it is in there; None where it is not told.
    Raises botocore's errors, a ValidationError where no stack holds it.

    CloudFormation answers with the stack, and the first 100 resources of it; of several with one id it names any one
    ("DescribeStackResources" in its API reference; coverage roadmap, issue 998), perhaps of another type.
    """
    found = cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)["StackResources"]
    if not found:
        return None
    stack, told = str(found[0]["StackName"]), found
    if not _states_of(told, kind, physical_id):
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=found[0].get("StackId", stack))
        told = [resource for page in pages for resource in page["StackResourceSummaries"]]
    states = _states_of(told, kind, physical_id)
    return (stack, states) if states else None


def _states_of(resources: Sequence[Mapping[str, Any]], kind: str, physical_id: str) -> list[str]:
    own = (r for r in resources if (r["ResourceType"], r.get("PhysicalResourceId")) == (kind, physical_id))
    return [str(resource["ResourceStatus"]) for resource in own]


def parameters_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """The parameters of a stack as DescribeStacks has it; those that are `NoEcho` are masked."""
    return {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", ())}


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of a stack as DescribeStacks has it."""
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", ())}
