"""Statements and policy documents in one canonical form: what AWS gives back reads as what was sent.

"IAM JSON policy elements reference" in the IAM user guide. Lists are sorted and without doubles, a single element is a
scalar, empty elements are left out, principals are full ARNs.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.export.documents import parsed

Document = dict[str, Any]
"""A policy document: `{"Version": "2012-10-17", "Statement": [...]}`."""
Statement = dict[str, Any]
_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")
Conditions = Mapping[str, Mapping[str, str | Iterable[str]]]


def scalar_or_list(values: str | Iterable[str]) -> str | list[str]:
    """The canonical form of an element: sorted, no doubles, a scalar where there is one value."""
    if isinstance(values, str):
        return values
    found = sorted(set(values))
    if not found:
        raise ValueError("an element of a statement without a value matches nothing")
    return found[0] if len(found) == 1 else found


def actions_of(service: str, names: str) -> list[str]:
    """`SERVICE:NAME` for each of the names, which stand in one string with blanks between them."""
    return [f"{service}:{name}" for name in names.split()]


def statement(  # noqa: PLR0917 - in the order of a statement's elements
    effect: str,
    sid: str,
    actions: str | Iterable[str],
    resources: str | Iterable[str] | None = None,
    conditions: Conditions | None = None,
    principal: Mapping[str, str | Iterable[str]] | str | None = None,
) -> Statement:
    """One statement; `resources` is None in a trust policy, `principal` in an identity policy."""
    result: Statement = {"Sid": sid, "Effect": effect, "Action": scalar_or_list(actions)}
    if principal is not None:
        by_type = {"AWS": principal} if isinstance(principal, str) and principal != "*" else principal
        if isinstance(by_type, Mapping):
            by_type = {kind: scalar_or_list(by_type[kind]) for kind in sorted(by_type)}
        result["Principal"] = by_type
    if resources is not None:
        result["Resource"] = scalar_or_list(resources)
    if conditions:
        result["Condition"] = {
            operator: {key: scalar_or_list(conditions[operator][key]) for key in sorted(conditions[operator])}
            for operator in sorted(conditions)
        }
    return result


def allow(
    sid: str,
    actions: str | Iterable[str],
    resources: str | Iterable[str] | None = None,
    conditions: Conditions | None = None,
    principal: Mapping[str, str | Iterable[str]] | str | None = None,
) -> Statement:
    """A statement that allows."""
    return statement("Allow", sid, actions, resources, conditions, principal)


def deny(
    sid: str,
    actions: str | Iterable[str],
    resources: str | Iterable[str] | None = None,
    conditions: Conditions | None = None,
    principal: Mapping[str, str | Iterable[str]] | str | None = None,
) -> Statement:
    """A statement that denies, whatever else allows."""
    return statement("Deny", sid, actions, resources, conditions, principal)


def given(statements: Iterable[Mapping[str, Any]]) -> list[Statement]:
    """A user's own statements in the canonical form; those without a `Sid` are numbered."""
    result = []
    for number, raw in enumerate(statements, start=1):
        found: Statement = {"Sid": f"Given{number}", **raw}
        for element in ("Action", "Resource", "NotResource"):
            if element in found:
                found[element] = scalar_or_list(found[element])
        result.append(found)
    return result


def document(statements: Iterable[Statement]) -> Document:
    """A policy document. The order of statements is kept: AWS keeps it too, and a reader needs it."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def through_s3_for(bucket_arns: Iterable[str], services: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """A condition on the use of a key: S3 (`services`, by region) wants it for objects of these buckets.

    A key's ARN is random, and its alias counts up to five minutes after it was made; what S3 wants a key for is known
    at once: its encryption context is the object's ARN, with a bucket key the bucket's ("Using server-side encryption
    with AWS KMS keys" in the S3 user guide).
    """
    objects = [arn for bucket in bucket_arns for arn in (bucket, f"{bucket}/*")]
    return {
        "StringEquals": {"kms:ViaService": list(services)},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": objects},
    }


def keys_of(sid: str, service: str, arns: Iterable[str], keys: str, endpoint: str) -> Statement:
    """Use of a customer's key for secrets (`service` secretsmanager) or parameters (ssm) that may be read, and for
    nothing else: both ask KMS with the caller's rights, and name what it is for ("How AWS Secrets Manager uses AWS
    KMS", "How AWS Systems Manager Parameter Store uses AWS KMS" in the KMS developer guide). `keys` are ARNs of keys,
    `endpoint` is REGION.SUFFIX."""
    context = {"secretsmanager": "SecretARN", "ssm": "PARAMETER_ARN"}[service]
    return allow(
        sid,
        "kms:Decrypt",
        keys,
        {
            "StringEquals": {"kms:ViaService": f"{service}.{endpoint}"},
            "StringLike": {f"kms:EncryptionContext:{context}": arns},
        },
    )


def to_json(doc: Mapping[str, Any]) -> str:
    """The canonical text of a document, the same in every process."""
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def same_policy(one: Any, other: Any) -> bool:
    """Whether two documents say the same. A service may give one back otherwise than it was sent: lists in another
    order, single elements as scalars, an account's number as the ARN of its root ("AWS JSON policy elements:
    Principal" in the IAM user guide); Sids and the version count for nothing. Texts are documents in JSON; one that is
    none is the same as itself."""
    return bool(_canonical(parsed(one)) == _canonical(parsed(other)))


def _canonical(element: Any) -> Any:
    if isinstance(element, Mapping):
        return {key: _canonical(value) for key, value in element.items() if key not in ("Sid", "Version", "Id")}
    if isinstance(element, list | tuple):
        items = sorted((_canonical(item) for item in element), key=repr)
        return items[0] if len(items) == 1 else items
    if isinstance(element, bool):
        return str(element).lower()  # of a condition
    root = _ROOT.fullmatch(element) if isinstance(element, str) else None
    return root[1] if root else element


def size(doc: Mapping[str, Any]) -> int:
    """Characters of a document as IAM counts them: without white space."""
    return len(to_json(doc))


def service_trust(service: str, account: str, source_arns: Iterable[str] = ()) -> Document:
    """A trust policy for an AWS service that acts for `account`.

    "The confused deputy problem" in the IAM user guide: `aws:SourceAccount` always, `aws:SourceArn` where the service
    sends the ARN of one known resource. CloudFormation sends the ARN of whichever nested stack it works on, so there
    the account must do.
    """
    arns = tuple(source_arns)
    conditions: dict[str, dict[str, str | Iterable[str]]] = {"StringEquals": {"aws:SourceAccount": account}}
    if arns:
        conditions["ArnEquals"] = {"aws:SourceArn": arns}
    return document(
        [allow("Service", "sts:AssumeRole", conditions=conditions, principal={"Service": service})],
    )


def role_trust(role_arn: str) -> Document:
    """A trust policy for exactly one role, by name.

    The principal is the role's account with a condition on `aws:PrincipalArn`. A role's ARN as the principal would be
    replaced by the role's unique id when the policy is saved: the role would have to exist first, and one that was
    deleted and made again would be a stranger ("AWS JSON policy elements: Principal").
    """
    partition, account = role_arn.split(":")[1], role_arn.split(":")[4]
    return document(
        [
            allow(
                "OnlyThisRole",
                "sts:AssumeRole",
                conditions={"ArnEquals": {"aws:PrincipalArn": role_arn}},
                principal=f"arn:{partition}:iam::{account}:root",
            )
        ]
    )


@dataclass(frozen=True)
class RoleDocument:
    """A role to declare, whole: nothing is attached to it elsewhere."""

    name: str
    path: str
    description: str
    trust: Document
    policies: Mapping[str, Document]
    """Inline policies by name; together at most 10,240 characters."""
    arn: str
    boundary: str | None = None
    """ARN of the managed policy that is its permissions boundary."""
    managed_policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class PolicyDocument:
    """A customer-managed policy to declare, at most 6,144 characters."""

    name: str
    path: str
    description: str
    document: Document
    arn: str


@dataclass(frozen=True)
class Network:
    """Where in a VPC a project's builds run ("Use AWS CodeBuild with Amazon Virtual Private Cloud")."""

    vpc: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True)
class ProjectDocument:
    """A CodeBuild project to declare; its source and artifacts are CODEPIPELINE.

    It has no limit of concurrent builds: CodeBuild refuses what is beyond one, and queues what is beyond the account's
    quota ("Builds in AWS CodeBuild"). What must not run twice waits by itself (`delivery.locking.waiting`).
    """

    name: str
    description: str
    role_arn: str
    buildspec: str
    image: str
    compute_type: str
    timeout_minutes: int
    queued_timeout_minutes: int
    log_group: str
    variables: Mapping[str, str] = field(default_factory=dict)
    privileged: bool = False
    """Needed to build images with Docker, and for nothing else."""
    environment_type: str = "LINUX_CONTAINER"
    pull_credentials: str = "CODEBUILD"
    """Whose rights the image is pulled with: CODEBUILD's own, or those of the SERVICE_ROLE."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Variables that CodeBuild reads from Secrets Manager with the project's role: `NAME` or `NAME:JSON-KEY`."""
    network: Network | None = None
