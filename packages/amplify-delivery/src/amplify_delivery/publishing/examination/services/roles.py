"""Check of roles that a service tries as soon as it is given them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import is_open, statements_of, target
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
