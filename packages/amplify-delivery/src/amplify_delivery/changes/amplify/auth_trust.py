"""The trust of the two auth roles outlives every update, also one that fails.

A custom resource sets it, beside the template, which denies everybody. Whether CloudFormation writes the template's
again when it updates a role for another reason, AWS does not say; and when the custom resource itself is updated (by
another identity pool, or by what `amplify push` makes of it), its function is at last told to delete what was before,
which denies everybody (`export.assembling.auth_roles`). So the trust is looked at before and after, and what was lost
is put back, for the pool that there is then: by the program around each update of the root stack, so that plain
`pulumi up` does it too, and by our commands around the engine, so that one that breaks off takes nobody's access.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.errors import FailedError
from amplify_delivery.export import RootStack
from amplify_delivery.export.assembling.auth_roles import auth_roles, setters, users_of
from amplify_delivery.export.assembling.auth_roles import trust as true_trust
from amplify_delivery.export.documents import several
from amplify_delivery.publishing.aws_errors import suppressing, suppressing_all
from amplify_delivery.publishing.stack_state import described, outputs_of

_POOL = "cognito-identity.amazonaws.com:aud"
_NOBODY = {"ValidationError", "NoSuchEntity"}
"""What AWS says of a stack, a resource or a role that is not there."""

Trust = Mapping[str, Any]
"""A role's trust policy."""


@dataclass(frozen=True)
class Reach:
    """How the account is reached: a client of a service; for messages its `place` and what an `aws` command takes."""

    client: Callable[[str], Any]
    place: str
    options: str
    progress: Callable[[str], None]


@dataclass(frozen=True)
class Kept:
    """The trust that the auth roles of `root` had, by their names."""

    reach: Reach
    root: RootStack
    before: Mapping[str, Trust]

    def put_back(self, failure: str = "") -> None:
        """Put back what was lost since. Raises `FailedError`, with `failure` before its own words, for a trust that may
        not be written, with the command for whoever may."""
        iam = self.reach.client("iam")
        if self.before:
            self._settle()
        pool = _pool(self.reach, self.root) if self.before else ""
        lines, commands = [failure] if failure else [], []
        for name, was in self.before.items():
            trust = now_for(was, pool)
            # A stack that is gone has taken the role with it.
            with suppressing_all() as refusal, suppressing(*_NOBODY):
                if not lost(trust, _trust(iam, name)):
                    continue
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
                self.reach.progress(f"CloudFormation had written the template's trust to {name}: put back as it was")
            if refusal:
                # The other role's is put back all the same.
                lines.append(f"the trust of {name} was lost, and cannot be put back: {refusal.said}")
                given = f"--role-name {name} --policy-document '{json.dumps(trust)}' {self.reach.options}"
                commands.append(f"`aws iam update-assume-role-policy {given}`")
        if commands:
            raise FailedError(
                "\n".join(lines),
                where=self.reach.place,
                remedy=f"users cannot sign in to AWS until somebody with that right runs {' and '.join(commands)}",
            )

    def _settle(self) -> None:
        """Wait for CloudFormation: of a provider that was killed the engine knows no answer, and the update goes on
        without it. What is put back before a role is written would be lost the next moment."""

        def told(line: str) -> None:
            self.reach.progress(f"{line}; then the auth roles' trust is looked at, and put back if it is lost")

        with suppressing_all() as refusal:
            cloudformation = self.reach.client("cloudformation")
            deployed.settle(cloudformation, self.root.stack_name, deployed.LONGEST_UPDATE, told)
        if refusal:
            what = f"whether CloudFormation still changes {self.root.stack_name}"
            self.reach.progress(f"{what} is not known: {refusal.said}")


def shut(reach: Reach, root: RootStack) -> tuple[str, ...]:
    """Of each auth role that lets nobody in now, a line that says so, with the command that gives it the trust which
    the custom resource's function sets. It is not written unasked: somebody may have shut it on purpose."""
    users, pool, lines = users_of(root.template["Resources"]), "", []
    for role, (name, trust) in (_roles(reach, root) if users else {}).items():
        pool = pool or _pool(reach, root)
        if role not in users or _pools(trust) or not pool:
            continue
        document = json.dumps(true_trust(pool, users[role]))
        command = f"aws iam update-assume-role-policy --role-name {name} --policy-document '{document}' {reach.options}"
        lines.append(
            f"{name} lets in no user of the identity pool {pool}: it has the trust that its template has, perhaps left "
            f"by a run that was killed. Unless that is wanted: `{command.strip()}`"
        )
    return tuple(lines)


def look(reach: Reach, root: RootStack) -> Kept:
    """The trust of the auth roles as it is now; nothing where no custom resource sets it."""
    return Kept(reach, root, _read(reach, root) if setters(root.template["Resources"]) else {})


def lost(before: Trust, after: Trust) -> bool:
    """Whether a role's trust was lost: it let users of an identity pool in, and now lets in nobody, or the users of the
    same pool otherwise than it did. Of another pool is a deployment's wish."""
    pools = _pools(before)
    return bool(pools) and before != after and _pools(after) in (frozenset(), pools)


def _pools(trust: Trust) -> frozenset[str]:
    """The identity pools whose users a trust lets in."""
    found: set[str] = set()
    for statement in several(trust.get("Statement")):
        if statement.get("Effect") == "Allow":
            for test in (statement.get("Condition") or {}).values():
                found.update(several(test.get(_POOL)))
    return frozenset(found)


def _read(reach: Reach, root: RootStack) -> dict[str, Trust]:
    """The trust of each auth role that is there, by its name."""
    return dict(_roles(reach, root).values())


def _roles(reach: Reach, root: RootStack) -> dict[str, tuple[str, Trust]]:
    """Name and trust of each auth role that is there, by its logical id."""
    cloudformation, iam = reach.client("cloudformation"), reach.client("iam")
    found: dict[str, tuple[str, Trust]] = {}
    for role in auth_roles(root.template["Resources"]):
        with suppressing_all() as refusal, suppressing(*_NOBODY):
            described = cloudformation.describe_stack_resource(StackName=root.stack_name, LogicalResourceId=role)
            name = described["StackResourceDetail"].get("PhysicalResourceId")
            if name:
                found[role] = (name, _trust(iam, name))
        if refusal:
            reach.progress(f"the trust of {role} cannot be read, and so not be kept: {refusal.said}")
    return found


def _trust(iam: Any, name: str) -> Trust:
    document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    return dict(json.loads(document) if isinstance(document, str) else document)


def _pool(reach: Reach, root: RootStack) -> str:
    """The id of the identity pool that there is now; empty if nobody can tell."""
    names = [name for (_, output_name), name in root.outputs.items() if output_name == "IdentityPoolId"]
    with suppressing_all():
        found = described(reach.client("cloudformation"), root.stack_name) or {}
        return next((value for name, value in outputs_of(found).items() if name in names), "")
    return ""


def now_for(trust: Trust, pool: str) -> Trust:
    """A trust for the users of `pool`, where it named one other."""
    pools = _pools(trust)
    if not pool or len(pools) != 1 or pool in pools:
        return trust
    return dict(json.loads(json.dumps(trust).replace(next(iter(pools)), pool)))
