"""The Source action and its triggers: connections, GitHub with a token, CodeCommit, S3.

"Integrations with CodePipeline action types" and "Automate starting pipelines using triggers and filtering" in the
CodePipeline user guide. There is no filter for pull requests: unreviewed code would run in UpdatePipeline.
"""

from dataclasses import replace
from typing import Any

from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.model import PipelineModel
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    S3Source,
    Trigger,
)

Properties = dict[str, Any]

SOURCE_ARTIFACT = "Source"
BUILD_ARTIFACT = "Build"
"""What everything after Build runs."""
RELEASES_PREFIX = "releases/"
"""Where in its artifact bucket a pipeline leaves what it hands on, one object for each of its executions."""


def source_action(model: PipelineModel) -> Properties:
    """The only action of the first stage; its variables are in the namespace `source`."""
    source = model.source
    owner, version = "AWS", "1"
    role: str | None = model.names.role_arn("source")
    if isinstance(source, ConnectionSource):
        provider = "CodeStarSourceConnection"
        configuration = {
            "BranchName": source.branch,
            "ConnectionArn": source.connection,
            # A filter decides where there is one: with both, each push would start it.
            "DetectChanges": _text(source.detect_changes and not model.triggers),
            "FullRepositoryId": source.repository,
            "OutputArtifactFormat": "CODE_ZIP",
        }
    elif isinstance(source, GitHubTokenSource):
        owner, provider, role = "ThirdParty", "GitHub", None
        configuration = {
            "Branch": source.branch,
            "OAuthToken": model.token,
            "Owner": source.owner_and_name[0],
            "PollForSourceChanges": _text(source.poll),
            "Repo": source.owner_and_name[1],
        }
    elif isinstance(source, CodeCommitSource):
        provider = "CodeCommit"
        configuration = {
            "BranchName": source.branch,
            "OutputArtifactFormat": "CODE_ZIP",
            "PollForSourceChanges": "false",
            "RepositoryName": source.repository,
        }
    elif isinstance(source, S3Source):
        provider = "S3"
        configuration = {
            "PollForSourceChanges": _text(source.poll),
            "S3Bucket": source.bucket,
            "S3ObjectKey": source.key,
        }
    else:
        provider = "S3"
        configuration = handed_on(replace(model.names, name=source.pipeline))
    action: Properties = {
        "Name": "Source",
        "ActionTypeId": {"Category": "Source", "Owner": owner, "Provider": provider, "Version": version},
        "RunOrder": 1,
        "Configuration": configuration,
        "Namespace": "source",
        "OutputArtifacts": [{"Name": BUILD_ARTIFACT if model.before else SOURCE_ARTIFACT}],
    }
    if role:
        action["RoleArn"] = role
    return action


def handed_on(before: PipelineNames) -> dict[str, str]:
    """Where the release of the pipeline `before` comes from: whoever starts an execution says which it is."""
    return {
        # There is none without a start that names one.
        "AllowOverrideForS3ObjectKey": "true",
        "PollForSourceChanges": "false",
        "S3Bucket": before.artifact_bucket(before.region),
        "S3ObjectKey": f"{RELEASES_PREFIX}none.zip",
    }


def push_filter(trigger: Trigger) -> Properties:
    """One filter of a connection's trigger."""

    def criteria(includes: tuple[str, ...], excludes: tuple[str, ...]) -> Properties:
        pairs = {"Includes": sorted(includes), "Excludes": sorted(excludes)}
        return {name: values for name, values in pairs.items() if values}

    filters = {
        "Branches": criteria(trigger.branches, trigger.exclude_branches),
        "FilePaths": criteria(trigger.paths, trigger.exclude_paths),
        "Tags": criteria(trigger.tags, trigger.exclude_tags),
    }
    return {name: value for name, value in filters.items() if value}


def _text(value: bool) -> str:
    return "true" if value else "false"
