"""Checks: what would fail, leak or destroy, found before AWS does.

One class per check. A check is registered by being in one of this package's modules. Reading an export
refuses malformed documents by itself (AD1xx, `amplify_delivery.export.read`), and some things show only while it is
assembled (`amplify_delivery.export.assembling.assemble`); their ids stand in `OTHER_IDS` so that one list knows all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.checks import assets, parameters, quotas, structure
from amplify_delivery.export.checks.context import Check, Context
from amplify_delivery.findings import Finding, Severity

OTHER_IDS: Mapping[str, tuple[Severity, str]] = {
    "AD101": ("refused", "The path is no folder that can be read."),
    "AD102": ("refused", "One of the four files that every export has is missing."),
    "AD103": ("refused", "A document cannot be read, is not UTF-8, not JSON or YAML, or has a key twice."),
    "AD104": (
        "refused",
        "A path or a link leaves the export's folder, or is no file (or the pointer of one in Git LFS).",
    ),
    "AD105": ("refused", "A document does not have the form that `amplify export` writes."),
    "AD106": ("refused", "A file is larger, or the files are more, than anything the exporter writes."),
    "AD107": ("refused", "The manifest names a template that is not there."),
    "AD212": (
        "warning",
        "A literal of the environment that was exported: the id of a user pool or an identity pool, an endpoint, an "
        "ARN, the stack's name, a name that ends in `-ENV`. It is right there only. Any other environment is refused "
        "before anything is published (as is a new stack of the same name, for an id, endpoint or ARN), unless its "
        "stack file sets the parameter or lists the literal in `keptLiterals`.",
    ),
    "AD213": (
        "warning",
        "A literal that may be one of the environment that was exported: an ARN with an account, an address whose host "
        "holds the environment's name, a region.",
    ),
    "AD214": (
        "warning",
        "A literal of the environment that was exported in a function's code: what AD212 and AD213 look for, in the "
        "texts of its zip (of 1 MB at most each, 4 MB together). Packages (`node_modules`, `site-packages`, `vendor`) "
        "are not looked into: whoever wrote them knows no environment of the app. An environment that lists the "
        "literal in `keptLiterals` is not told.",
    ),
    "AD311": (
        "warning",
        "Social sign-in without the client secrets of its providers: the app client could not be created. An "
        "environment that is there keeps its providers; a new one is refused until it supplies the secret.",
    ),
    "AD406": ("refused", "A template names a file that is not in the export."),
    "AD407": ("refused", "A template composes a location in a way that cannot be rewritten."),
    "AD408": (
        "refused",
        "A template uses a name that it has to gain: StagingBucket, ApiKeyExpires, AuthIdentityPoolId, RootStackName, "
        "UserPoolState, BackendPermissionsBoundary.",
    ),
    "AD502": ("refused", "A template with more than 200 parameters, as published."),
    "AD504": (
        "refused",
        "A template larger than the 1,000,000 bytes that CloudFormation takes, as published (minified).",
    ),
    "AD601": ("repaired", "DeletionPolicy Retain became RetainExceptOnCreate, so that a failed create can be retried."),
    "AD602": ("repaired", "Random suffixes of API Gateway ids became a function of what they stand for."),
    "AD630": (
        "repaired",
        "Text files with the line ends of Windows (Git's `core.autocrlf`) are published with LF: whoever committed the "
        "export, the same backend comes of it.",
    ),
    "AD604": (
        "repaired",
        "Resolvers held what the GraphQL transformer had taken from the exported environment (names of roles that end "
        "in `-ENV`, the identity pool's id): they take it from the environment that they are deployed to.",
    ),
    "AD605": (
        "repaired",
        "A template held the exported stack's name (the network of container APIs): it is made from the name of the "
        "stack that is deployed.",
    ),
    "AD606": (
        "repaired",
        "A custom resource sets Cognito's Lambda triggers, which an update of the user pool clears without a word: its "
        "`nonce` follows what the pool is to be, so that it runs again.",
    ),
    "AD603": ("repaired", "The literal expiry of an AppSync API key became a parameter of the environment."),
}
"""Ids that reading and assembling give by themselves, with severity and a sentence each."""


def all_checks() -> list[Check]:
    """Every check, by id."""
    found: list[Check] = []
    for module in (structure, parameters, assets, quotas):
        for item in vars(module).values():
            if isinstance(item, type) and item.__module__ == module.__name__ and hasattr(item, "find"):
                check: Any = item()
                found.append(check)
    return sorted(found, key=lambda c: c.id)


def run_checks(context: Context) -> Iterator[Finding]:
    """Every finding of every check."""
    for check in all_checks():
        for file, message, remedy in check.find(context):
            yield Finding(check.id, check.severity, file, message, remedy)


__all__ = ["OTHER_IDS", "Check", "Context", "all_checks", "run_checks"]
