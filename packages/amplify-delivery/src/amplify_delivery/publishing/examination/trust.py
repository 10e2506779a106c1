"""Check of trust policies: IAM refuses a malformed one in the middle of a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.documents import parsed, several
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import in_every_branch, is_open
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
    AssumeRole actions", "Has prohibited field Resource", "Missing required field Principal"). Of one that hangs on what
    only CloudFormation knows, a problem is one in every case."""
    for view in tree.stacks:
        for logical_id, properties in tree.resources(view, "AWS::IAM::Role"):
            for problem in in_every_branch(properties.get("AssumeRolePolicyDocument"), _problems):
                yield TRUST.at(view.file, f"{logical_id}: trust policy {problem}", TRUST.remedy)


def _problems(document: Any) -> Iterator[str]:
    document = parsed(document)
    if not isinstance(document, Mapping) or is_open(document):
        return
    statements = document.get("Statement")
    if statements is None:
        yield "has no Statement"
    for statement in several(statements):
        yield from in_every_branch(statement, _of_statement)


def _of_statement(statement: Any) -> Iterator[str]:
    if not isinstance(statement, Mapping) or is_open(statement):
        return
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny") and not (isinstance(effect, Mapping) and is_open(effect)):
        yield f"has a statement with Effect {effect!r}"
    if not statement.keys() & {"Principal", "NotPrincipal"}:
        yield "has a statement without Principal"
    if statement.keys() & {"Resource", "NotResource"}:
        yield "has a statement with Resource, which only identity policies may have"
    yield from _foreign_actions(statement.get("Action"))


def _foreign_actions(actions: Any) -> Iterator[str]:
    for action in several(actions):
        if isinstance(action, str) and not action.lower().startswith("sts:"):
            yield f"allows {action}; only sts: actions may stand there"
