"""What a run that was killed has left in the engine's state, and what becomes of it. Pure.

Before each call of a provider the engine writes what it is about to do into the state ("pending operations"), with the
resource's full inputs, and takes it out again with the answer. Of a run that was killed in between they stay: the next
`up` warns about a create that is pending, and creates again. What becomes of each:

| pending | in AWS | the state afterwards |
|---|---|---|
| create | there, and ours | holds it, with the inputs that it was made with |
| create | not there | as before: it is made again |
| create | there, and not ours | as before: its create is refused in the ordinary way |
| create | there, and nothing proves whose | as before, and the command is refused: a later destroy would take it |
| update of the root stack | as it was to become | holds the new inputs: nothing is left to do |
| any other update, a read | | as before: the program says what is still to do |
| delete | | as before: the refresh finds out |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine.watch import HIDDEN
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import RefusedError

CREATING, UPDATING, DELETING = "creating", "updating", "deleting"
"""Kinds of operations, as the engine's state calls them; it knows `reading` and `importing` as well."""
_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key by which the engine's state marks what is no plain value: a secret, an asset."""
NOT_COMPARED: Mapping[str, str] = {_SIGNATURE: "1b47061264138c4ac30d75fd1eb44270"}
"""In the place of an input that may be any: as a secret, which nobody can compare."""
CLOCKS = timedelta(minutes=15)
"""By which AWS's clock may be behind this machine's: from further on it takes no signature."""
OURS = tuple(f"amplify-delivery:index:{name}$" for name in ("StagingArea", "TargetAccount", "DeliveryPipeline"))
"""In the URN of what components of ours hold, whose names hold the app's and the environment's, those of buckets the
account's number as well."""
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_ROLE = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/")
_ROLES = ("assumeRoleWithWebIdentity", "assumeRole", "assumeRoles")
"""Inputs of a provider that name roles, in the order in which it assumes them."""

AGAIN = frozenset(
    {
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:ecr/lifecyclePolicy:LifecyclePolicy",
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "aws:s3/bucketVersioning:BucketVersioning",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:sns/topic:Topic",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
    }
)
"""Types whose create only sets something of what is there, or gives what is there of that name (PutRule, CreateTopic,
Subscribe, PutLifecyclePolicy and SetRepositoryPolicy in their API references): doing it twice comes to the same. A
secret gets another version of the same value; the first one goes when it is nobody's current or previous one any
more."""


@dataclass(frozen=True)
class Operation:
    """One that was begun and whose answer nobody has written down."""

    kind: str
    resource: Mapping[str, Any]
    """As the engine would have written it, with full inputs; of a create without id and outputs."""

    @property
    def urn(self) -> str:
        return str(self.resource.get("urn"))

    @property
    def type(self) -> str:
        return str(self.resource.get("type"))

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.resource.get("inputs") or {}

    @property
    def id(self) -> str:
        return str(self.resource.get("id") or "")

    @property
    def what(self) -> str:
        """For people: name and type."""
        return f"{self.urn.rpartition('::')[2]} ({self.type})"

    @property
    def in_aws(self) -> bool:
        """Whether it was about anything in AWS: a provider or a `pulumi.Stash` is in the state alone."""
        return not self.type.startswith("pulumi:")

    def seconds(self, default: float) -> float:
        """How long the provider would have waited for AWS."""
        name = {CREATING: "create", UPDATING: "update", DELETING: "delete"}.get(self.kind, "")
        return float((self.resource.get("customTimeouts") or {}).get(name) or default)


@dataclass(frozen=True)
class There:
    """It is there, and ours: its id, what of its outputs its inputs do not say, and since when, if AWS tells it.
    `empty`: it could hold data, and holds none."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    made: datetime | None = field(default=None, compare=False)
    empty: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Gone:
    """It is not there, or not what it was to become."""


@dataclass(frozen=True)
class Foreign:
    """Something else has its name."""

    why: str


@dataclass(frozen=True)
class Unknown:
    """Nobody can say."""

    why: str


Answer = There | Gone | Foreign | Unknown


def left(state: Mapping[str, Any]) -> tuple[Operation, ...]:
    """The pending operations in a state (`deployment`, as exported)."""
    found = state.get("pending_operations") or ()
    return tuple(Operation(str(o.get("type")), o.get("resource") or {}) for o in found)


def of_step(step: ProgramStep, state: Mapping[str, Any]) -> Operation | None:
    """A create, or an update of the root stack, that has failed with its plugin, as the engine would have left it
    pending; None where the engine tells its inputs without what is secret in them, or what was in a file."""
    if hidden(step.inputs):
        return None
    if step.operation == "update":
        held = (r for r in state.get("resources") or () if r.get("urn") == step.urn and not r.get("delete"))
        return next((Operation(UPDATING, {**r, "inputs": dict(step.inputs)}) for r in held), None)
    return creating(step, protect=step.protected)


def creating(step: ProgramStep, *, protect: bool) -> Operation:
    """The create of a program's resource, as the engine writes it down before it makes one."""
    resource = {
        "urn": step.urn,
        "custom": True,
        "type": step.type,
        "inputs": dict(step.inputs),
        "parent": step.parent,
        "provider": step.provider,
        **({"protect": True} if protect else {}),
        **({"retainOnDelete": True} if step.kept else {}),
    }
    return Operation(CREATING, resource)


def hidden(value: Any) -> bool:
    """Whether there is anything in it that is no plain value."""
    if isinstance(value, Mapping):
        return _SIGNATURE in value or any(map(hidden, value.values()))
    if isinstance(value, list):
        return any(map(hidden, value))
    return bool(value == HIDDEN)


def since(began: datetime, operation: Operation, answer: Answer) -> Answer:
    """The same of a create of a run that `began` then: what was there before is none of its own, whatever its name."""
    if not isinstance(answer, There) or operation.kind != CREATING or answer.made is None:
        return answer
    if answer.made >= began - CLOCKS:
        return answer
    return Foreign(f"what is there under its name was made before, on {answer.made:%Y-%m-%d %H:%M}: not its own")


def asked(operation: Operation, state: Mapping[str, Any]) -> bool:
    """Whether AWS has to be asked what has become of it."""
    if operation.kind == CREATING:
        return operation.in_aws and operation.type not in AGAIN
    return operation.kind in (UPDATING, DELETING) and operation.type == ROOT_STACK and bool(state)


def provider(operation: Operation, resources: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The inputs of its provider, which is among `resources` (URN and inputs each); none if it is not."""
    urn = str(operation.resource.get("provider") or "").rpartition("::")[0]
    return next((r.get("inputs") or {} for r in resources if urn and r.get("urn") == urn), {})


def region(operation: Operation, inputs: Mapping[str, Any]) -> str | None:
    """Where it was made: in the region that it names itself, else in that of its provider with these `inputs`; None if
    neither says."""
    named = (found.get("region") for found in (operation.inputs, inputs))
    return next((name for name in named if name and isinstance(name, str)), None)


def elsewhere(inputs: Mapping[str, Any], account: str, profile: str | None) -> str:
    """Where a provider with these `inputs` acts, if that is not the account of these 12 digits, or nobody can tell;
    empty if it is.

    The one account that it allows is where it acts, whatever its profile is called by now; else the last role that it
    assumes tells, else its profile.
    """
    # Objects and lists among a provider's inputs are JSON in a text.
    allowed = set(_ACCOUNT.findall(json.dumps(inputs.get("allowedAccountIds"))))
    if allowed and account not in allowed:
        return f"in account {', '.join(sorted(allowed))}"
    if len(allowed) == 1:
        return ""
    roles = _ROLE.findall(json.dumps([inputs.get(key) for key in _ROLES]))
    if roles:
        return "" if roles[-1] == account else f"in account {roles[-1]}"
    own = inputs.get("profile")
    return f"with the profile {own}" if own and own != profile else ""


def same(wanted: Any, found: Any) -> bool:
    """Whether what was sent is what AWS tells, as far as it can be compared: a secret in the state cannot. AWS's may
    hold more."""
    if isinstance(wanted, Mapping):
        if _SIGNATURE in wanted:
            return True
        return isinstance(found, Mapping) and all(same(value, found.get(key)) for key, value in wanted.items())
    return bool(wanted == found)


def written(operation: Operation, answer: Answer) -> dict[str, Any] | None:
    """What the state is to hold of the resource; None if it stays as it is."""
    if not isinstance(answer, There) or operation.kind not in (CREATING, UPDATING):
        return None
    # What the provider reads back it compares with these, as after a create that has failed midway; the engine's
    # refresh completes them.
    outputs = {key: value for key, value in operation.inputs.items() if not key.startswith("__")}
    before = operation.resource.get("outputs") or {}
    return {**operation.resource, "id": answer.id, "outputs": {**before, **outputs, **answer.outputs}}


def settled(state: Mapping[str, Any], answers: Iterable[tuple[Operation, Answer]]) -> dict[str, Any] | None:
    """The state without its pending operations, and with what was found; None if it needs no change.

    The engine itself drops all but creates.
    """
    resources = list(state.get("resources") or ())
    changed = False
    for operation, answer in answers:
        entry = written(operation, answer)
        changed = changed or entry is not None or operation.kind == CREATING
        if entry is None:
            continue
        at = next((i for i, r in enumerate(resources) if r.get("urn") == operation.urn and not r.get("delete")), None)
        if at is None:
            resources.append(entry)  # whatever it needs was made before it
        else:
            resources[at] = {**resources[at], **entry}
            resources[at].pop("pendingReplacement", None)
    return {**state, "resources": resources, "pending_operations": []} if changed else None


def replaces(operation: Operation, state: Mapping[str, Any]) -> bool:
    """Whether a create was the first half of a replacement: the old resource is still there."""
    return any(
        r.get("urn") == operation.urn and not r.get("delete") and not r.get("pendingReplacement")
        for r in state.get("resources") or ()
    )


def check(answers: Iterable[tuple[Operation, Answer]], environment: str, variables: str = "") -> None:
    """Raise `RefusedError` for creates of which nobody can say what has become. `variables` is what has to stand before
    a `pulumi` command of the stack."""
    unknown = [(o, a.why) for o, a in answers if isinstance(a, Unknown)]
    if not unknown:
        return
    lines = "\n".join(f"  {o.what}: {why}" for o, why in unknown)
    raise RefusedError(
        f"a run that was killed was making these, and whether they are there cannot be told:\n{lines}",
        where=environment,
        remedy="look in the account. What is not there, or was deleted there: "
        f"`{variables}pulumi refresh -s {environment} --clear-pending-creates --yes`. What is there and somebody "
        "else's: the same, and another name for it in the program. What is there and this environment's: "
        f"`{variables}pulumi import TYPE NAME ID -s {environment}` with `--parent` as the program has it, then the "
        "command before. Then run this again",
    )


def told(operation: Operation, answer: Answer) -> str:
    """A line for people; empty if there is nothing to say."""
    if written(operation, answer) is not None:
        done = "made" if operation.kind == CREATING else "changed"
        return f"{operation.what}: a run that was killed has {done} it; it is taken in"
    if operation.kind != CREATING or not operation.in_aws:
        return ""
    if isinstance(answer, Foreign):
        return f"{operation.what}: a run that was killed was about to make it, but {answer.why}"
    return f"{operation.what}: a run that was killed was making it; it is made now"


def told_of_lost(operation: Operation, answer: Answer) -> str:
    """The same of one whose plugin was lost: of what is not there the next run says that it makes it."""
    done = "made" if operation.kind == CREATING else "changed"
    if written(operation, answer) is not None:
        return f"{operation.what}: it was {done} before its plugin ended; it is taken in"
    if isinstance(answer, Foreign):
        return f"{operation.what}: its plugin ended before it was made, but {answer.why}"
    if isinstance(answer, Unknown):
        again = ". Look in the account before you repeat the command, which makes it again" if done == "made" else ""
        return f"{operation.what}: whether it was {done} before its plugin ended cannot be told: {answer.why}{again}"
    return ""
