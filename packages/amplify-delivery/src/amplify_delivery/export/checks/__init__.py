"""Checks: what would fail, leak or destroy, found before AWS does.

One class per check. A check is registered by being in one of this package's modules. Reading an export
refuses malformed documents by itself (AD1xx, `amplify_delivery.export.read`), and some things show only while it is
assembled (`amplify_delivery.export.assembling.assemble`); their rules stand in `OTHER` so that one list knows all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_delivery.export.checks import assets, parameters, quotas, structure
from amplify_delivery.export.checks.context import Check, Context
from amplify_delivery.findings import Finding, Rule

OTHER = (
    Rule(
        "AD101",
        "refused",
        "The path is not a folder that can be read.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD102",
        "refused",
        "One of the four files that every export has is missing.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD103",
        "refused",
        "A document cannot be read, is not UTF-8, not JSON or YAML, or has a key twice.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD104",
        "refused",
        "A path or a link leaves the export's folder, or is not a file (or the pointer of one in Git LFS).",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD105",
        "refused",
        "A document does not have the form that `amplify export` writes.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD106",
        "refused",
        "A file is larger, or the files are more, than anything the exporter writes.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD107",
        "refused",
        "The manifest names a template that is not there.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD212",
        "warning",
        "A literal of the environment that was exported: the id of a user pool or an identity pool, an "
        "endpoint, an ARN, the stack's name, a name that ends in `-ENV`. It is right there only. Any other "
        "environment is refused before anything is published (as is a new stack of the same name, for an id, "
        "endpoint or ARN), unless its stack file sets the parameter or lists the literal in `keptLiterals`.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD213",
        "warning",
        "A literal that may be one of the environment that was exported: an ARN with an account, an address "
        "whose host holds the environment's name, a region.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD214",
        "warning",
        "A literal of the environment that was exported in a function's code: what AD212 and AD213 look for, "
        "in the texts of its zip (of 1 MB at most each, 4 MB together). Packages (`node_modules`, `site-"
        "packages`, `vendor`) are not looked into: whoever wrote them knows no environment of the app. An "
        "environment that lists the literal in `keptLiterals` is not told.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD311",
        "warning",
        "Social sign-in without the client secrets of its providers: the app client could not be created. An "
        "environment that is there keeps its providers; a new one is refused until it supplies the secret.",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-social-idp.html",
    ),
    Rule(
        "AD406",
        "refused",
        "A template names a file that is not in the export.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD407",
        "refused",
        "A template composes a location in a way that cannot be rewritten.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html",
    ),
    Rule(
        "AD408",
        "refused",
        "A template uses a name that it has to gain: StagingBucket, ApiKeyExpires, AuthIdentityPoolId, "
        "RootStackName, UserPoolState, BackendPermissionsBoundary, AuthIdentityPool.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html",
    ),
    Rule(
        "AD502",
        "refused",
        "A template with more than 200 parameters, as published.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
    ),
    Rule(
        "AD504",
        "refused",
        "A template larger than the 1,000,000 bytes that CloudFormation takes, as published (minified).",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
    ),
    Rule(
        "AD601",
        "repaired",
        "DeletionPolicy Retain became RetainExceptOnCreate, so that a failed create can be retried.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html",
    ),
    Rule(
        "AD602",
        "repaired",
        "Random suffixes of API Gateway ids became a function of what they stand for.",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-deployments.html",
    ),
    Rule(
        "AD603",
        "repaired",
        "The literal expiry of an AppSync API key became a parameter of the environment.",
        "https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html",
    ),
    Rule(
        "AD604",
        "repaired",
        "Resolvers held what the GraphQL transformer had taken from the exported environment (names of roles "
        "that end in `-ENV`, the identity pool's id): they take it from the environment that they are "
        "deployed to.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD605",
        "repaired",
        "A template held the exported stack's name (the network of container APIs): it is made from the name "
        "of the stack that is deployed.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
    ),
    Rule(
        "AD606",
        "repaired",
        "A custom resource sets Cognito's Lambda triggers, which an update of the user pool clears without a "
        "word: its `nonce` follows what the pool is to be, so that it runs again.",
        "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html",
    ),
    Rule(
        "AD630",
        "repaired",
        "Text files with the line ends of Windows (Git's `core.autocrlf`) are published with LF: whoever "
        "committed the export, the same backend comes of it.",
        "https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreautocrlf",
    ),
)
"""What reading and assembling find by themselves."""


def all_checks() -> list[Check]:
    """Every check, by id."""
    found: list[Check] = []
    for module in (structure, parameters, assets, quotas):
        for item in vars(module).values():
            if isinstance(item, type) and item.__module__ == module.__name__ and hasattr(item, "find"):
                check: Any = item()
                found.append(check)
    return sorted(found, key=lambda c: c.id)


def rules() -> Iterator[Rule]:
    """What can be found out about an export before it is rendered for an environment: of checks, the docstring says
    it."""
    for check in all_checks():
        yield Rule(check.id, check.severity, " ".join((check.__doc__ or "").split()), check.source)
    yield from OTHER


def run_checks(context: Context) -> Iterator[Finding]:
    """Every finding of every check."""
    for check in all_checks():
        for file, message, remedy in check.find(context):
            yield Finding(check.id, check.severity, file, message, remedy)


__all__ = ["OTHER", "Check", "Context", "all_checks", "rules", "run_checks"]
