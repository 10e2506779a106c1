"""Check of roles that a service tries as soon as it is given them; and what a role of the backend is given: by the
backend, by AWS's own policies, and perhaps by what only CloudFormation knows."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.export.templates import aws_policies
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.iam import MALFORMED, of_aws
from amplify_delivery.publishing.examination.services.resolved import Path, found, is_open, same, statements_of, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

ROLE = Rule(
    "AD729",
    "refused",
    "A role that a service is given, tries at once, and may not assume: its trust policy names another service.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html",
    "`The role defined for the function cannot be assumed by Lambda`, `The execution role you provide must allow AWS "
    "EventBridge Scheduler to assume the role`, `Neither the global service principal states.amazonaws.com, nor the "
    "regional one is authorized to assume the provided role`",
    remedy="have the role's AssumeRolePolicyDocument name the service, and export again",
)
_ADMINISTERS = "kms:putkeypolicy"
_TRYING: Mapping[str, tuple[tuple[str, ...], str]] = {
    "AWS::CodeBuild::Project": (("ServiceRole",), "codebuild"),
    "AWS::Lambda::Function": (("Role",), "lambda"),
    "AWS::Pipes::Pipe": (("RoleArn",), "pipes"),
    "AWS::Scheduler::Schedule": (("Target", "RoleArn"), "scheduler"),
    "AWS::StepFunctions::StateMachine": (("RoleArn",), "states"),
}
"""By type: where it has its role, and the service that tries it when the resource is made."""


def unassumable_roles(tree: Tree) -> Iterator[Finding]:
    """AD729: the service refuses the resource, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        if resource.type in _TRYING:
            where, service = _TRYING[resource.type]
            given: Any = resource.properties
            for part in where:
                given = as_mapping(given).get(part)
            role = target(given)
            if role is not None and not may_assume(tree, role, service):
                told = f"has the role {'/'.join(role)}, which {service}.amazonaws.com may not assume"
                yield ROLE.at(tree.file(path[:-1]), f"{path[-1]} {told}", ROLE.remedy)


def locked_keys(tree: Tree) -> Iterator[Finding]:
    """AD715: KMS makes no key whose policy nobody could change any more ("CreateKey" in its API reference)."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if (
            resource.type != "AWS::KMS::Key"
            or "KeyPolicy" not in properties
            or str(properties.get("BypassPolicyLockoutSafetyCheck", False)).lower() != "false"
        ):
            continue
        statements = statements_of(properties["KeyPolicy"])
        if not any(s is None or (allows(s) and _administers(s)) for s in statements):
            told = f"{path[-1]} has a KeyPolicy in which nobody may change it (kms:PutKeyPolicy)"
            yield MALFORMED.at(tree.file(path[:-1]), told, MALFORMED.remedy)


def _administers(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is about changing the policy, or may be."""
    excepts = "NotAction" in statement
    actions = statement["NotAction"] if excepts else statement.get("Action", [])
    several = actions if isinstance(actions, list) else [actions]
    if not all(isinstance(action, str) for action in several):
        return True
    return excepts is not any(fnmatch.fnmatchcase(_ADMINISTERS, action.lower()) for action in several)


def may_assume(tree: Tree, role: tuple[str, ...], service: str) -> bool:
    """Whether a role of the backend lets a service (`lambda`) assume it, or may: what is not known may."""
    made = tree.resolved.resources.get(role)
    if made is None or made.type != "AWS::IAM::Role":
        return True
    document = as_mapping(made.properties).get("AssumeRolePolicyDocument")
    return any(statement is None or trusts(statement, service) for statement in statements_of(document))


def allows(statement: Mapping[str, Any]) -> bool:
    """Whether a statement allows something, or may."""
    effect = statement.get("Effect")
    return effect == "Allow" or isinstance(effect, Mapping)


def trusts(statement: Mapping[str, Any], service: str) -> bool:
    """Whether a statement names a service (`lambda`), or may: everybody, and what only CloudFormation works out."""
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if not isinstance(principal, Mapping):
        return bool(principal == "*")
    if is_open(principal):
        return True
    named = [principal.get("Service"), principal.get("AWS")]
    several = [item for value in named for item in (value if isinstance(value, list) else [value])]
    return any(
        isinstance(item, Mapping) or (isinstance(item, str) and (item == "*" or _is(item, service))) for item in several
    )


def for_services(statement: Mapping[str, Any]) -> bool:
    """Whether a statement names services and nobody else."""
    principal = statement.get("Principal")
    return isinstance(principal, Mapping) and principal.keys() == {"Service"}


def _is(principal: str, service: str) -> bool:
    """`lambda.amazonaws.com`, and the forms of a region and of another partition."""
    first, _, rest = principal.partition(".")
    return first == service and "amazonaws" in rest


_ROLE, _MANAGED = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
_ATTACHED = {_MANAGED: "Roles", "AWS::IAM::Policy": "Roles", "AWS::IAM::RolePolicy": "RoleName"}
"""What gives rights to roles, and where it names them."""
Statement = Mapping[str, Any]


@dataclass
class Rights:
    """Of one role."""

    given: list[tuple[Path, Statement]] = field(default_factory=list)
    """Each statement that it has for certain, and the resource that holds it."""
    perhaps: list[Statement | None] = field(default_factory=list)
    """Those that it may have; None for one that only CloudFormation knows."""
    services: set[str] = field(default_factory=set)
    """In which AWS's own policies give it rights; empty text: in any."""

    def giving(self, action: str, source: Any = None) -> list[Path]:
        """The resources that give it an action on a source, or on anything."""
        return [by for by, statement in self.given if gives(statement, action, source)]

    def may(self, action: str, source: Any = None) -> bool:
        """Whether it may have the action from elsewhere."""
        return bool(self.services & {"", action.partition(":")[0]}) or any(
            statement is None or gives(statement, action, source) for statement in self.perhaps
        )

    def add(self, by: Path, document: Any, *, certain: bool = True) -> None:
        for statement in statements_of(document):
            if statement is None or not certain:
                self.perhaps.append(statement)
            else:
                self.given.append((by, statement))


def rights_of(tree: Tree, role: Path) -> Rights | None:
    """Those of a role; None for what is no role of the backend."""
    made = tree.resolved.resources.get(role)
    if made is None or made.type != _ROLE:
        return None
    rights, own = Rights(), as_mapping(made.properties)
    _inline(rights, role, own.get("Policies", []))
    attached = _managed(rights, own.get("ManagedPolicyArns", []))
    for path, resource in tree.resolved.resources.items():
        if resource.type not in _ATTACHED:
            continue
        properties = as_mapping(resource.properties)
        roles = properties.get(_ATTACHED[resource.type])
        listed = roles if isinstance(roles, list) else [roles]
        named = [_names(one, role, own.get("RoleName")) for one in listed]
        if path in attached or True in named:
            rights.add(path, properties.get("PolicyDocument"))
        elif None in named:
            rights.add(path, properties.get("PolicyDocument"), certain=False)
    return rights


def _inline(rights: Rights, role: Path, policies: Any) -> None:
    for policy in policies if isinstance(policies, list) else [None]:
        if isinstance(policy, Mapping) and not is_open(policy):
            rights.add(role, policy.get("PolicyDocument"))
        else:
            rights.perhaps.append(None)


def _managed(rights: Rights, listed: Any) -> set[Path]:
    """Managed policies of the backend that are attached; what AWS's own give is added, and that nobody knows what
    others do."""
    attached = set[Path]()
    for arn in listed if isinstance(listed, list) else [None]:
        own, policy = target(arn), of_aws(arn)
        if own is not None:
            attached.add(own)
        elif policy in aws_policies.policies():
            rights.services.update(aws_policies.policies()[policy].split() or [""])
        else:
            rights.services.add("")
    return attached


def _names(value: Any, role: Path, name: Any) -> bool | None:
    """Whether a value names a role, whose own name is given; None if only CloudFormation knows."""
    if value is None:
        return False
    if target(value) is not None:
        return target(value) == role
    if name is not None and same(value) == same(name):
        return True
    if isinstance(value, Mapping) and isinstance(value.get("Ref"), str):
        return False  # a parameter of the root is the name of the role that has it as such
    return None if isinstance(value, Mapping) or isinstance(name, Mapping) else False


def gives(statement: Statement, action: str, source: Any = None) -> bool:
    """Whether a statement may allow an action on a source, or on anything. What is not known may."""
    actions, resources = statement.get("Action"), statement.get("Resource")
    patterns = actions if isinstance(actions, list) else [actions]
    fits = any(not isinstance(p, str) or fnmatch.fnmatchcase(action.lower(), p.lower()) for p in patterns)
    several = resources if isinstance(resources, list) else [resources]
    return allows(statement) and fits and (source is None or any(_covers(r, source) for r in several))


def _covers(resource: Any, source: Any) -> bool:
    """Whether a statement's resource may be the source: it is not if both name something, and not the same."""
    if resource == source:
        return True
    imported = as_mapping(source).get("Fn::ImportValue")
    if "Fn::ImportValue" in as_mapping(resource):
        return imported is None  # it may be what the source names otherwise
    attribute = as_mapping(resource).get("Fn::GetAtt")
    if attribute is not None and target(resource):
        # A table's own ARN is not its stream's.
        return target(source) is None and (imported is None or attribute[1] == "StreamArn")
    return not any(isinstance(part, str) and "/index/" in part for part in found(resource))
