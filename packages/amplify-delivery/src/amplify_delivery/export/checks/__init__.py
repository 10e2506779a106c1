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
        remedy="name the folder that holds amplify-export-manifest.json",
    ),
    Rule(
        "AD102",
        "refused",
        "One of the four files that every export has is missing.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="run `amplify export` again, and commit all that it writes",
    ),
    Rule(
        "AD103",
        "refused",
        "A document cannot be read, is not UTF-8, not JSON or YAML, or has a key twice.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        on_aws="`Template format error`",
        remedy="correct the file, or run `amplify export` again, and commit all that it writes",
    ),
    Rule(
        "AD104",
        "refused",
        "A path or a link leaves the export's folder, or is not a file (or the pointer of one in Git LFS).",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="put the file itself there (of Git LFS: `git lfs pull`), or run `amplify export` again",
    ),
    Rule(
        "AD105",
        "refused",
        "A document does not have the form that `amplify export` writes.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="run `amplify export` again, and commit all that it writes",
    ),
    Rule(
        "AD106",
        "refused",
        "A file is larger, or the files are more, than anything the exporter writes.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="take out what does not belong to the export, or run `amplify export` again",
    ),
    Rule(
        "AD107",
        "refused",
        "The manifest names a template that is not there.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="run `amplify export` again, and commit all that it writes",
    ),
    Rule(
        "AD212",
        "warning",
        "A literal of the environment that was exported: the id of a user pool or an identity pool, an "
        "endpoint, a key of an API, an ARN, the path of a secret, the stack's name, a name that ends in `-ENV`. It is "
        "right there only. Any other environment is refused before anything is published (as is a new stack of the "
        "same name, for an id, endpoint or ARN), unless its stack file sets the parameter or lists the literal in "
        "`keptLiterals`.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="take it from a parameter or a resource, set the parameter in each environment's stack "
        "file, or list the literal in its `keptLiterals`",
    ),
    Rule(
        "AD213",
        "warning",
        "A literal that may be one of the environment that was exported: an ARN with an account or a region, an "
        "address whose host holds the environment's name or the Amplify app's, a region, an account, the id of an app "
        "client, of an API, of a subnet and what else there is in one account only.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="look whether it holds in every environment; if it does, list it in `keptLiterals`",
    ),
    Rule(
        "AD214",
        "warning",
        "A literal of the environment that was exported in a function's code: what AD212 and AD213 look for, "
        "in the texts of its zip (of 1 MB at most each, 4 MB together). Packages (`node_modules`, `site-"
        "packages`, `vendor`) are not looked into: whoever wrote them knows no environment of the app. An "
        "environment that lists the literal in `keptLiterals` is not warned.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="read it from an environment variable of the function, or list it in `keptLiterals`",
    ),
    Rule(
        "AD311",
        "warning",
        "Social sign-in without the client secrets of its providers: the app client could not be created. An "
        "environment that is there keeps its providers; a new one is refused until it supplies the secret.",
        "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-social-idp.html",
        on_aws="the app client's callout fails, and with it the auth stack",
        remedy="give each new environment the secret of its providers",
    ),
    Rule(
        "AD406",
        "refused",
        "A template names a file that is not in the export.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        on_aws="`The specified key does not exist`",
        remedy="run `amplify export` again, and commit all that it writes",
    ),
    Rule(
        "AD407",
        "refused",
        "A template composes a location in a way that cannot be rewritten.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html",
        remedy="write the location as a text, or by Ref, Fn::Sub or Fn::Join of the bucket and the key",
    ),
    Rule(
        "AD408",
        "refused",
        "A template uses a name that it has to gain: StagingBucket, ApiKeyExpires, AuthIdentityPoolId, "
        "RootStackName, UserPoolState, BackendPermissionsBoundary, AuthIdentityPool.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html",
        remedy="give the template's own one another name",
    ),
    Rule(
        "AD502",
        "refused",
        "A template with more than 200 parameters, as published.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
        on_aws="`Template format error: Number of parameters, 201, is greater than maximum allowed, 200`",
        remedy="split the model: CloudFormation does not raise this quota",
    ),
    Rule(
        "AD504",
        "refused",
        "A template larger than the 1,000,000 bytes that CloudFormation takes, as published (minified).",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
        on_aws="`Template may not exceed 1000000 bytes in size`",
        remedy="split the model, or the custom resource's template",
    ),
    Rule(
        "AD601",
        "repaired",
        "DeletionPolicy Retain became RetainExceptOnCreate, so that a failed create can be retried.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html",
        on_aws="`X already exists`, in every retry of a failed create",
        remedy="nothing",
    ),
    Rule(
        "AD602",
        "repaired",
        "Random suffixes of API Gateway ids became a function of what they stand for.",
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-deployments.html",
        remedy="nothing",
    ),
    Rule(
        "AD603",
        "repaired",
        "The literal expiry of an AppSync API key became a parameter of the environment.",
        "https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html",
        on_aws="`API key must be valid for a minimum of 1 days`",
        remedy="nothing; `apiKeyExpires` of the stack file says until when they hold",
    ),
    Rule(
        "AD604",
        "repaired",
        "Resolvers held what the GraphQL transformer had taken from the exported environment (names of roles "
        "that end in `-ENV`, the identity pool's id): they take it from the environment that they are "
        "deployed to.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="nothing",
    ),
    Rule(
        "AD605",
        "repaired",
        "A template held the exported stack's name (the network of container APIs): it is made from the name "
        "of the stack that is deployed.",
        "https://docs.amplify.aws/gen1/react/tools/cli/usage/export-to-cdk/",
        remedy="nothing",
    ),
    Rule(
        "AD606",
        "repaired",
        "A custom resource sets Cognito's Lambda triggers, which an update of the user pool clears "
        "silently: its `nonce` follows what the pool is to be, so that it runs again.",
        "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UpdateUserPool.html",
        remedy="nothing",
    ),
    Rule(
        "AD630",
        "repaired",
        "Text files with the line ends of Windows (Git's `core.autocrlf`) are published with LF, and without a byte "
        "order mark: whoever committed the export, the same backend comes of it.",
        "https://git-scm.com/docs/git-config#Documentation/git-config.txt-coreautocrlf",
        remedy="nothing",
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
        what = " ".join((check.__doc__ or "").split())
        yield Rule(check.id, check.severity, what, check.source, check.on_aws, check.remedy)
    yield from OTHER


def run_checks(context: Context) -> Iterator[Finding]:
    """Every finding of every check."""
    for check in all_checks():
        for file, message, remedy in check.find(context):
            yield Finding(check.id, check.severity, file, message, remedy)


__all__ = ["OTHER", "Check", "Context", "all_checks", "rules", "run_checks"]
