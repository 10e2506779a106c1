"""What the classic provider (`aws`) calls in AWS for a resource: facts by type and operation, and the rights they need.

`provider_calls.json` was put together from a recording of 2026-11-29: terraform-provider-aws at a commit of June 2026
(6.48.0-dev), under pulumi-terraform-bridge v3.127.0, ran this project's programs, and a proxy in front of the local AWS
wrote down each call. A recording tells program and phase, not resource: what belongs to which type was read in the
provider's source, as was what no program's run had in it (`fromSource` names these operations). `deleteForced` is what
a delete calls in addition where it is told to take what is inside as well; `...WriteOnly` is a secret's version whose
value is write-only. Configured, the provider calls `sts:GetCallerIdentity`, for which nobody needs a right. A role's
read asks for each of its inline policies as well (`iam:GetRolePolicy`), which stands with the policies.

What it does not cover: what pulumi-aws adds to the provider; a bucket's tags in its creation and through S3 Control
(`s3:TagResource`, `s3:UntagResource`, `s3:ListTagsForResource`), which are tried first and need no right, because the
calls that stand here are made where these are refused; and `aws-native`, whose calls are those of CloudFormation's
handlers (`handler_table`).
"""

import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.export.documents import several

FACTS = Path(__file__).with_name("provider_calls.json")

OPERATIONS = ("create", "read", "update", "delete")
"""What the engine asks of a resource. A type without `update` is replaced by every change."""


@functools.cache
def _facts() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))
    return found


def types() -> frozenset[str]:
    """The Pulumi types (`aws:s3/bucket:Bucket`) whose calls are known."""
    return frozenset(_facts()["types"])


def calls(token: str, operation: str) -> frozenset[str]:
    """The calls (`s3:HeadBucket`) of an operation on a known type; one of `OPERATIONS`, or `deleteForced`."""
    return frozenset(_facts()["types"][token].get(operation, ()))


def actions(made: Iterable[str]) -> frozenset[str]:
    """The IAM actions that these calls need: most are called alike, S3's are not."""
    named: Mapping[str, str | list[str]] = _facts()["actions"]
    found: set[str] = set()
    for call in made:
        found.update(several(named.get(call, call)))
    return frozenset(found)


def actions_for_types(names: Iterable[str], kind: str) -> frozenset[str]:
    """The IAM actions of the classic provider for resources of CloudFormation's types; `kind` is `change` or `read`.

    Without emptying what is to be deleted.
    """
    wanted = set(names)
    operations = OPERATIONS if kind == "change" else ("read",)
    return actions(
        call
        for token, entry in _facts()["types"].items()
        if entry.get("cloudformation") in wanted
        for operation in operations
        for call in calls(token, operation)
    )
