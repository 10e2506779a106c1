"""Check of trust policies: IAM refuses a malformed one in the middle of a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.tree import Tree

TRUST = Rule(
    "AD704",
    "refused",
    "A trust policy that IAM refuses.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    "`MalformedPolicyDocument`, in the middle of the deployment",
    remedy="correct the role's AssumeRolePolicyDocument and export again",
)


def malformed_trust(tree: Tree) -> Iterator[Finding]:
    """AD704: a role's trust policy that IAM would refuse ("AssumeRole policy may only specify STS
    AssumeRole actions", "Has prohibited field Resource", "Missing required field Principal")."""
    for view in tree.stacks:
        for logical_id, _, properties in view.resources("AWS::IAM::Role"):
            for problem in _problems(properties.get("AssumeRolePolicyDocument")):
                yield TRUST.at(
                    view.file,
                    f"{logical_id}: trust policy {problem}",
                    "correct the role's AssumeRolePolicyDocument and export again",
                )


def _problems(document: Any) -> Iterator[str]:
    if not isinstance(document, Mapping):
        return
    if _is_expression(document):
        branches = document.get("Fn::If")
        for branch in branches[1:] if isinstance(branches, list) else ():
            yield from _problems(branch)
        return
    statements = document.get("Statement")
    if statements is None:
        yield "has no Statement"
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping) or _is_expression(statement):
            continue
        effect = statement.get("Effect")
        if effect not in ("Allow", "Deny") and not (isinstance(effect, Mapping) and _is_expression(effect)):
            yield f"has a statement with Effect {effect!r}"
        if not statement.keys() & {"Principal", "NotPrincipal"}:
            yield "has a statement without Principal"
        if statement.keys() & {"Resource", "NotResource"}:
            yield "has a statement with Resource, which only identity policies may have"
        yield from _foreign_actions(statement.get("Action"))


def _foreign_actions(actions: Any) -> Iterator[str]:
    for action in actions if isinstance(actions, list) else [actions]:
        if isinstance(action, str) and not action.lower().startswith("sts:"):
            yield f"allows {action}; only sts: actions may stand there"


def _is_expression(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
