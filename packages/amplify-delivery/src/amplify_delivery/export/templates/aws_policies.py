"""AWS's managed policies, by path and name, and what each gives, by services: AWS's own list, as of a day.

`aws_policies.json` is an extract of what `aws iam list-policies --scope AWS` and `get-policy-version` answer, as moto
carries it (`moto/iam/aws_managed_policies.py`, Apache-2.0). AWS adds to them and retires some; to write it again from
another version:

    pip download --no-deps moto==VERSION && unzip moto-VERSION-*.whl moto/iam/aws_managed_policies.py
    python -m amplify_delivery.export.templates.aws_policies moto-VERSION-*.whl moto/iam/aws_managed_policies.py

Left out is what a policy gives of `iam`, `cloudformation`, `organizations` and `tag` for the console, as lists of roles
to choose from, unless it is about them. Policies that give all services, or nearly all, name none, as `*` does not.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from amplify_delivery.export.documents import several

LIST = Path(__file__).with_name("aws_policies.json")
SERVICE_LINKED = "aws-service-role/"
"""The path of policies that nobody but AWS attaches, to the roles of its services."""

_FOR_THE_CONSOLE = frozenset({"cloudformation", "iam", "organizations", "tag"})
_NEARLY_ALL = 100
"""Services of a policy that is about none in particular (`ReadOnlyAccess`, `SecurityAudit`)."""


@cache
def policies() -> Mapping[str, str]:
    """By path and name (`service-role/AWSLambdaRole`): prefixes of IAM actions, separated by spaces."""
    found: Mapping[str, str] = json.loads(LIST.read_text(encoding="utf-8"))["policies"]
    return found


@cache
def as_of() -> str:
    """The day of the newest policy on the list (`2026-10-27`)."""
    return str(json.loads(LIST.read_text(encoding="utf-8"))["asOf"])


def extract(documents: Mapping[str, Any]) -> dict[str, str]:
    """The list's content from policies by name, each with `Path` and `Document`."""
    found = {f"{policy['Path'].removeprefix('/')}{name}": policy["Document"] for name, policy in documents.items()}
    return {name: " ".join(sorted(_services(document))) for name, document in sorted(found.items())}


def _services(document: Mapping[str, Any]) -> frozenset[str]:
    given = set(_given(document))
    if "*" in given or len(given) > _NEARLY_ALL:
        return frozenset()
    return frozenset(given - _FOR_THE_CONSOLE or given)


def _given(document: Mapping[str, Any]) -> Iterator[str]:
    """The services of which a policy allows something; `*` for all."""
    for statement in several(document["Statement"]):
        if statement["Effect"] == "Allow":
            yield from ("*" for _ in several(statement.get("NotAction")))
            yield from (action.partition(":")[0].lower() for action in several(statement.get("Action")))


def main(wheel: Path, module: Path) -> None:
    """Write the list from moto's `module`, which is of the release `wheel`."""
    _, text, _ = module.read_text(encoding="utf-8").split('"""')
    documents = json.loads(text)
    content = {
        "package": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "asOf": max(policy["UpdateDate"] for policy in documents.values())[:10],
        "policies": extract(documents),
    }
    LIST.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
