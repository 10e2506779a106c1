"""The Source action and its triggers: connections, GitHub with a token, CodeCommit, S3.

"Integrations with CodePipeline action types" and "Automate starting pipelines using triggers and filtering" in the
CodePipeline user guide. There is no filter for pull requests: unreviewed code would run in UpdatePipeline.
"""

from typing import Any

from amplify_delivery.components.documents.pipeline.model import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    PipelineModel,
    Trigger,
)

Properties = dict[str, Any]

SOURCE_ARTIFACT = "Source"


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
    else:
        provider = "S3"
        configuration = {
            "PollForSourceChanges": _text(source.poll),
            "S3Bucket": source.bucket,
            "S3ObjectKey": source.key,
        }
    action: Properties = {
        "Name": "Source",
        "ActionTypeId": {"Category": "Source", "Owner": owner, "Provider": provider, "Version": version},
        "RunOrder": 1,
        "Configuration": configuration,
        "Namespace": "source",
        "OutputArtifacts": [{"Name": SOURCE_ARTIFACT}],
    }
    if role:
        action["RoleArn"] = role
    return action


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
