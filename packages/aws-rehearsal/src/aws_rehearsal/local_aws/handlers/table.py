"""What each type's handlers call: a table of AWS's own facts, and its making.

Each public resource schema tells under `handlers` which actions its create, read, update and delete handler call
("handlers" in the CloudFormation CLI user guide); the service authorization reference tells which actions know no
resource. `table.json` keeps both for the types that a rehearsal meets. It is written again, with further types if any
are named, from what cfn-lint carries:

    python -m aws_rehearsal.local_aws.handlers.table [TYPE ...]

What an action's name in a schema is not in AWS's list of actions is left out: nobody can be allowed it. PassRole and
GetObject are left out too: which roles and objects, the properties tell.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("table.json")
OPERATIONS = ("create", "read", "update", "delete")

_ASKED_APART = {"iam:PassRole", "s3:GetObject"}

_OLDER: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AWS::CloudFormation::Stack": {
        "create": ("cloudformation:CreateStack", "cloudformation:DescribeStacks", "cloudformation:TagResource"),
        "update": (
            "cloudformation:DescribeStacks",
            "cloudformation:TagResource",
            "cloudformation:UntagResource",
            "cloudformation:UpdateStack",
        ),
        "delete": ("cloudformation:DeleteStack", "cloudformation:DescribeStacks"),
    },
    "AWS::CodeBuild::Project": {
        "create": ("codebuild:CreateProject",),
        "read": ("codebuild:BatchGetProjects",),
        "update": ("codebuild:UpdateProject",),
        "delete": ("codebuild:DeleteProject",),
    },
    "AWS::Pinpoint::App": {
        "create": ("mobiletargeting:CreateApp", "mobiletargeting:TagResource"),
        "read": ("mobiletargeting:GetApp", "mobiletargeting:ListTagsForResource"),
        "update": ("mobiletargeting:GetApp", "mobiletargeting:TagResource", "mobiletargeting:UntagResource"),
        "delete": ("mobiletargeting:DeleteApp",),
    },
    **{
        f"AWS::Pinpoint::{kind}": {
            "create": (f"mobiletargeting:Update{name}Channel",),
            "read": (f"mobiletargeting:Get{name}Channel",),
            "update": (f"mobiletargeting:Update{name}Channel",),
            "delete": (f"mobiletargeting:Delete{name}Channel",),
        }
        for kind, name in (("APNSChannel", "Apns"), ("APNSSandboxChannel", "ApnsSandbox"), ("GCMChannel", "Gcm"))
    },
    "AWS::Amplify::Branch": {
        "create": ("amplify:CreateBranch", "amplify:TagResource"),
        "read": ("amplify:GetBranch", "amplify:ListTagsForResource"),
        "update": ("amplify:TagResource", "amplify:UntagResource", "amplify:UpdateBranch"),
        "delete": ("amplify:DeleteBranch", "amplify:GetBranch"),
    },
    "AWS::Elasticsearch::Domain": {
        "create": ("es:AddTags", "es:CreateElasticsearchDomain"),
        "read": ("es:DescribeElasticsearchDomain", "es:ListTags"),
        "update": (
            "es:AddTags",
            "es:DescribeElasticsearchDomainConfig",
            "es:RemoveTags",
            "es:UpdateElasticsearchDomainConfig",
            "es:UpgradeElasticsearchDomain",
        ),
        "delete": ("es:DeleteElasticsearchDomain", "es:DescribeElasticsearchDomain"),
    },
}
"""Nested stacks and branches of an Amplify app, of whose handlers' calls only those named here are made (the other ones
of a branch are for an app that is connected to CodeCommit), and types whose schemas tell none: of a search domain of
the older kind the service's calls of that time."""


@functools.cache
def _read() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def handlers(resource_type: str) -> Mapping[str, Any] | None:
    """Actions by operation, and under `tags` the property that holds tags; None for a type that is not in the table."""
    found: Mapping[str, Any] | None = _read()["types"].get(resource_type)
    return found


@functools.cache
def unscoped() -> frozenset[str]:
    """Actions that know no resource: whoever allows them says `*`."""
    return frozenset(_read()["unscoped"])


def from_schemas(
    schemas: Iterable[Mapping[str, Any]], published: Mapping[str, Any], wanted: Iterable[str]
) -> dict[str, Any]:
    """The table: of the `wanted` types' schemas, with the actions that AWS has `published`, by service."""
    names = frozenset(wanted)
    types: dict[str, dict[str, Any]] = {}
    for schema in schemas:
        name = str(schema.get("typeName"))
        if name not in names or name in types or not schema.get("handlers"):
            continue
        entry: dict[str, Any] = {
            operation: _actions(schema["handlers"].get(operation, {}).get("permissions", []), published)
            for operation in OPERATIONS
        }
        tags = str((schema.get("tagging") or {}).get("tagProperty", ""))
        types[name] = {**entry, "tags": tags.rpartition("/")[2]} if tags else entry
    for name, older in _OLDER.items():
        types[name] = {**{operation: list(older.get(operation, ())) for operation in OPERATIONS}, "tags": "Tags"}
    used = {action for entry in types.values() for operation in OPERATIONS for action in entry[operation]}
    return {
        "types": dict(sorted(types.items())),
        "unscoped": sorted(a for a in used if not _published(a, published).get("Resources")),  # type: ignore[union-attr]
    }


def _actions(permissions: Iterable[str], published: Mapping[str, Any]) -> list[str]:
    found = set()
    for permission in permissions:
        service, _, action = permission.strip().partition(":")
        if re.fullmatch(r"[A-Za-z0-9]+", action):
            found.add(f"{service.lower()}:{action[:1].upper()}{action[1:]}")
    return sorted(a for a in found - _ASKED_APART if _published(a, published) is not None)


def _published(action: str, published: Mapping[str, Any]) -> Mapping[str, Any] | None:
    service, _, name = action.partition(":")
    entry: Mapping[str, Any] | None = published.get(service, {}).get("Actions", {}).get(name.lower())
    return entry


def main() -> None:
    """Write the table from the schemas and the list of actions of the installed cfn-lint."""
    from cfnlint.data import AdditionalSpecs  # noqa: PLC0415 - only this command needs them
    from cfnlint.data.schemas import resources  # noqa: PLC0415

    folder = Path(next(iter(resources.__path__)))
    # Several regions' versions of a schema are kept; sorted by name, so that the same one is taken every time.
    schemas = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    actions = Path(next(iter(AdditionalSpecs.__path__)), "Policies.json")
    wanted = {*_read()["types"], *sys.argv[1:]}
    found = from_schemas(schemas, json.loads(actions.read_text(encoding="utf-8")), wanted)
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in found["types"].items()]
    body = ",\n".join(lines)
    TABLE.write_text(f'{{"types": {{\n{body}\n}},\n"unscoped": {json.dumps(found["unscoped"])}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
