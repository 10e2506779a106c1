"""Checks of IAM's policies: their size, and what IAM does not read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from amplify_delivery.export.documents import several
from amplify_delivery.export.templates import aws_policies
from amplify_delivery.export.templates.expressions import spelt
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import in_every_branch, is_choice, same, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

LARGE = Rule(
    "AD735",
    "refused",
    "A policy that is larger than IAM takes: 6,144 characters of a managed one, 10,240 of a role's inline policies "
    "together, without white space. Counted is what is known of it beforehand; it becomes larger still. A warning for "
    "a role with more managed policies than 10: AWS raises that on request.",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
    "`Maximum policy size of 10240 bytes exceeded for role X`, `Cannot exceed quota for PolicySize: 6144`, `Cannot "
    "exceed quota for PoliciesPerRole: 10`",
    remedy="write one wildcard in place of many paths or names (`amplify override`), and export again",
)
MALFORMED = Rule(
    "AD715",
    "refused",
    "A policy that IAM does not read: without a statement, with a statement for no action or no resource, for an "
    "action without its service or with a blank, for a resource that is not an ARN, or for one of IAM in a region. Or "
    "a key's policy in which nobody may change it.",
    "https://github.com/aws-amplify/amplify-cli/issues/4876",
    "`Syntax errors in policy`, `Policy statement must contain resources`, `Actions/Conditions must be prefaced by a "
    'vendor`, `Resource my-bucket must be in ARN format or "*"`, `cannot contain region information`',
    remedy="give the statement what it is about, or take it out (`amplify update function`, or override), and export "
    "again",
)
ELSEWHERE = Rule(
    "AD718",
    "refused",
    "A managed policy of AWS that is attached by another path than it has, or in other capitals: names are one of a "
    "kind, whatever their path. Or one that only a service's own role may have (`aws-service-role/`).",
    "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html",
    "`Policy arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole does not exist or is not attachable`, `Cannot attach "
    "a Service Role Policy to a Customer Role`",
    remedy="write the ARN as AWS has it (`amplify override`), and export again",
)
UNHEARD_OF = Rule(
    "AD719",
    "warning",
    "A managed policy of AWS that is not on its list: misspelt, retired (such as AWSLambdaFullAccess, which nobody can "
    "attach any more), or newer than the list that is known here.",
    "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html",
    "`Policy arn:aws:iam::aws:policy/AmazonDynamoDBFulAccess does not exist or is not attachable`",
    remedy="look whether AWS has it (`aws iam get-policy --policy-arn ARN`); if not, correct it (`amplify override`), "
    "and export again",
)
MANAGED, INLINE = 6_144, 10_240
ATTACHED = 10
"""Managed policies of a role, unless AWS has raised the account's quota."""
_ACCOUNT_ID = 12
"""Characters of an account's id."""
_FUNCTIONS = ("Ref", "Fn::")


def large_policies(tree: Tree) -> Iterator[Finding]:
    """AD735: IAM refuses it, in the middle of the deployment."""
    inline: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    yield from _many(tree)
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::IAM::ManagedPolicy":
            size = _size(properties.get("PolicyDocument"))
            if size > MANAGED:
                yield _told(tree, path, f"is a managed policy of {size:,} characters, IAM takes {MANAGED:,}")
        elif resource.type == "AWS::IAM::Policy":
            roles = properties.get("Roles")
            for role in roles if isinstance(roles, list) else ():
                inline.setdefault(_role(role), []).append((path, _size(properties.get("PolicyDocument"))))
        elif resource.type == "AWS::IAM::Role":
            policies = properties.get("Policies")
            for policy in policies if isinstance(policies, list) else ():
                size = _size(as_mapping(policy).get("PolicyDocument"))
                inline.setdefault(same(list(path)), []).append((path, size))
    for policies in inline.values():
        total = sum(size for _, size in policies)
        if total > INLINE:
            largest, _ = max(policies, key=lambda policy: policy[1])
            others = f" with {len(policies) - 1} more of the same role" if len(policies) > 1 else ""
            yield _told(
                tree, largest, f"and what else it has inline{others} has {total:,} characters, IAM takes 10,240"
            )


def _many(tree: Tree) -> Iterator[Finding]:
    """Of roles of the backend: Amplify has a policy of its own for each API and bucket that the users of its auth role
    reach (amplify-category-api 791)."""
    given = Counter[str]()
    for path, resource in tree.resolved.resources.items():
        roles = as_mapping(resource.properties).get("Roles")
        if resource.type == "AWS::IAM::ManagedPolicy" and path not in tree.resolved.doubtful:
            given.update(map(_role, roles if isinstance(roles, list) else ()))
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::IAM::Role":
            own = properties.get("ManagedPolicyArns")
            several = sum(not is_choice(one) for one in (own if isinstance(own, list) else ()))
            several += given[same(list(path))] + given[same(properties.get("RoleName"))]
            if several > ATTACHED:
                told = f"has {several} managed policies, and a role may have {ATTACHED} where AWS has not raised that"
                yield replace(_told(tree, path, told), severity="warning", remedy=_RAISED)


_RAISED = (
    "have AWS raise the account's quota (`aws service-quotas request-service-quota-increase --service-code iam "
    "--quota-code L-0DA4ABF3 --desired-value 20 --region us-east-1`), or put rights into fewer policies"
)


def _told(tree: Tree, path: tuple[str, ...], what: str) -> Finding:
    return LARGE.at(tree.file(path[:-1]), f"{path[-1]} {what}", LARGE.remedy)


def _role(value: Any) -> str:
    """What tells a role from others."""
    named = target(value)
    return same(value if named is None else list(named))


def _size(value: Any) -> int:
    """Characters of a document without white space, as far as they are known: what only CloudFormation knows counts
    nothing, of two branches the shorter one."""
    if isinstance(value, str):
        return _text(value) + 2
    if isinstance(value, list):
        return sum(map(_size, value)) + max(len(value) - 1, 0) + 2
    if not isinstance(value, Mapping):
        return len(json.dumps(value))
    if len(value) == 1 and next(iter(value)).startswith(_FUNCTIONS):
        return _known(value) + 2
    members = (_text(key) + 3 + _size(item) for key, item in value.items())
    return sum(members) + max(len(value) - 1, 0) + 2


def _text(text: str) -> int:
    return len("".join(json.dumps(text, ensure_ascii=False)[1:-1].split()))


def _known(value: Any) -> int:
    """Characters of a text that are known."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping) and len(value) == 1:
        (name, argument), *_ = value.items()
        if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
            return sum(map(_known, argument[1]))
        if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            return min(map(_known, argument[1:]))
        if value == {"Ref": "AWS::AccountId"}:
            return _ACCOUNT_ID
    return 0


_OF_AWS = re.compile(r"arn:aws:iam::aws:policy/([\w+=,.@/-]+)")
_ANY_PARTITION = {"AWS::Partition": "aws"}
_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eusc-")
"""What regions begin with where AWS has policies of its own: the list is not theirs."""


def attached_policies(tree: Tree) -> Iterator[Finding]:
    """AD718, AD719: IAM refuses the role, the user or the group."""
    if tree.region.startswith(_OTHER_PARTITIONS):
        return
    for path, resource in tree.resolved.resources.items():
        listed = as_mapping(resource.properties).get("ManagedPolicyArns")
        if resource.type in ("AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User") and isinstance(listed, list):
            for arn in listed:
                policy = of_aws(arn)
                if policy:
                    yield from _unlike(tree.file(path[:-1]), path[-1], policy)


def of_aws(arn: Any) -> str:
    """Path and name of a managed policy of AWS (`service-role/AWSLambdaRole`), by its ARN; empty for anything else."""
    named = _OF_AWS.fullmatch(spelt(arn, _ANY_PARTITION) or "")
    return named[1] if named else ""


@cache
def _by_name() -> Mapping[str, str]:
    return {policy.rpartition("/")[2].lower(): policy for policy in aws_policies.policies()}


def _unlike(file: str, name: str, policy: str) -> Iterator[Finding]:
    if policy.startswith(aws_policies.SERVICE_LINKED):
        yield ELSEWHERE.at(file, f"{name} attaches {policy}, which only a service's own role may have", _NOT_OURS)
    elif policy not in aws_policies.policies():
        called = policy.rpartition("/")[2].lower()
        known = _by_name().get(called)
        if known:
            yield ELSEWHERE.at(file, f"{name} attaches {policy}; AWS's is {known}", ELSEWHERE.remedy)
            return
        near = next((known for key, known in _by_name().items() if _one_slip(called, key)), None)
        what = f"AWS has {near}" if near else f"AWS had none of that name on {aws_policies.as_of()}"
        yield UNHEARD_OF.at(file, f"{name} attaches {policy}; {what}", UNHEARD_OF.remedy)


_NOT_OURS = (
    "attach another policy, or write what the code needs as statements of its own (`amplify override`), and export "
    "again"
)


def _one_slip(one: str, other: str) -> bool:
    """Whether a letter is missing or too much, or two beside each other have changed places. Another letter is no slip:
    AWS has AmazonMQ and AmazonSQS. Nor is a line below: it has AWSLambda_FullAccess and AWSLambdaFullAccess."""
    long, short = (one, other) if len(one) > len(other) else (other, one)
    at = next((i for i, (a, b) in enumerate(zip(long, short, strict=False)) if a != b), len(short))
    if len(long) == len(short):
        return long != short and long[:at] + long[at + 1 : at + 2] + long[at] + long[at + 2 :] == short
    return len(long) == len(short) + 1 and long[at] != "_" and long[:at] + long[at + 1 :] == short


def malformed_policies(tree: Tree) -> Iterator[Finding]:
    """AD715: IAM refuses it, in the middle of the deployment. Told is what is wrong whichever way a condition turns out
    that only CloudFormation knows."""
    for path, resource in tree.resolved.resources.items():
        if resource.type in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role"):
            problems = [p for d in _documents(resource.properties) for p in in_every_branch(d, _malformed)]
            for problem in dict.fromkeys(problems):
                yield MALFORMED.at(tree.file(path[:-1]), f"{path[-1]} {problem}", MALFORMED.remedy)


def _documents(properties: Any) -> Iterator[Any]:
    inline = as_mapping(properties).get("Policies")
    for holder in (properties, *(inline if isinstance(inline, list) else ())):
        if "PolicyDocument" in as_mapping(holder):
            yield as_mapping(holder)["PolicyDocument"]


def _malformed(document: Any) -> Iterator[str]:
    if isinstance(document, Mapping):
        yield from in_every_branch(document.get("Statement"), _of_statements)


def _of_statements(listed: Any) -> Iterator[str]:
    if listed == []:
        yield "has a policy without a statement"
    for statement in several(listed):
        yield from in_every_branch(statement, _of_statement)


def _of_statement(statement: Any) -> Iterator[str]:
    said = as_mapping(statement)
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        for _ in in_every_branch(said.get(name), lambda given: [""] if given == [] else []):
            yield f"has a statement with an empty {name}"
    yield from in_every_branch(said.get("Action", said.get("NotAction")), _of_actions)
    yield from in_every_branch(said.get("Resource", said.get("NotResource")), _of_resources)


def _of_resources(resources: Any) -> Iterator[str]:
    for resource in several(resources):
        yield from in_every_branch(resource, _of_resource)


def _of_resource(resource: Any) -> Iterator[str]:
    """ "IAM JSON policy elements: Resource": six parts, wildcards within them."""
    if not isinstance(resource, str) or resource == "*" or "{{resolve:" in resource:
        return
    parts = resource.split(":", 5)
    if (len(parts) < _PARTS and not resource.endswith("*")) or parts[0] not in ("arn", "*"):
        yield f"is about {resource!r}, which is not an ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE"
    elif len(parts) == _PARTS and parts[2] == "iam" and parts[3] not in ("", "*"):
        yield f"is about {resource!r}: IAM's ARNs have no region"


_PARTS = 6
"""Of an ARN."""


def _of_actions(actions: Any) -> Iterator[str]:
    for action in several(actions):
        yield from in_every_branch(action, _of_action)


def _of_action(action: Any) -> Iterator[str]:
    if isinstance(action, str) and action != "*" and ":" not in action:
        yield f"allows or denies {action!r}, which names no service"
    elif isinstance(action, str) and (action != action.strip() or (action.startswith("*:") and action != "*:*")):
        yield f"allows or denies {action!r}, which is not an action: SERVICE:ACTION, without blanks"
