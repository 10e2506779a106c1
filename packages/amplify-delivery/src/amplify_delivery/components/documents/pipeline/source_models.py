"""Where a pipeline's commits come from, and what starts it: sources and triggers, as they stand in
`Pulumi.pipeline.yaml`. "Quotas in AWS CodePipeline" limits triggers and their patterns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from amplify_delivery.components.documents.fields import (
    BadValueError,
    Flag,
    List,
    Model,
    Text,
    pattern,
)

MAX_PUSH_FILTERS = 3
"""Triggers of a pipeline."""
MAX_PATTERNS = 8
"""Patterns in one list of a trigger."""
MAX_PATTERN = 255
"""Characters of a pattern."""
_PART = "[A-Za-z0-9_.-]+"


class ConnectionSource(Model):
    """GitHub, GitLab, Bitbucket or Azure DevOps through a connection of AWS CodeConnections."""

    type: Literal["connection"] = Field(default="connection", description="`connection`, the default")
    connection: Annotated[
        str,
        pattern(
            r"arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[\w-]+",
            "ARN of a connection, such as arn:aws:codeconnections:eu-west-1:123456789012:connection/ID",
        ),
    ] = Field(description="ARN of the connection; it is finished once, by hand, in the console")
    repository: Annotated[str, pattern(f"{_PART}(/{_PART})+", "repository, such as OWNER/NAME")] = Field(
        description="OWNER/NAME"
    )
    branch: Text = Field(default="main", description="the branch that is delivered")
    detect_changes: Flag = Field(default=True, description="a push starts the pipeline, if no `triggers` say otherwise")


class GitHubTokenSource(Model):
    """GitHub with a personal access token, for those who still have one: a version 1 action. Better a connection."""

    type: Literal["github-token"] = Field(description="`github-token`")
    repository: Annotated[str, pattern(f"{_PART}/{_PART}", "repository, such as OWNER/NAME")] = Field(
        description="OWNER/NAME"
    )
    branch: Text = Field(default="main", description="the branch that is delivered")
    token_secret: Text = Field(
        default="github-token", description="secret of Secrets Manager, in the tooling account, that holds the token"
    )
    poll: Flag = Field(default=True, description="CodePipeline asks for changes; off: a webhook with a random secret")

    @property
    def owner_and_name(self) -> tuple[str, str]:
        """The repository's two parts, which the action takes apart."""
        owner, _, name = self.repository.partition("/")
        return owner, name


class CodeCommitSource(Model):
    """A repository of CodeCommit in the tooling account."""

    type: Literal["codecommit"] = Field(description="`codecommit`")
    repository: Annotated[str, pattern(r"[\w.-]{1,100}", "CodeCommit repository")] = Field(description="its name")
    branch: Text = Field(default="main", description="the branch that is delivered")


class S3Source(Model):
    """A zip file in a versioned bucket of the tooling account."""

    type: Literal["s3"] = Field(description="`s3`")
    bucket: Annotated[str, pattern("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "bucket")] = Field(description="the bucket")
    key: Text = Field(description="key of the zip file")
    poll: Flag = Field(
        default=False,
        description="CodePipeline asks for changes; off: the bucket's events start it, if Amazon EventBridge is on in "
        "its properties",
    )


class PipelineSource(Model):
    """Another pipeline of the app: when its last stage has ended, it hands the release on, the very artifact that its
    Build has made. For environments that one pipeline has no room for."""

    type: Literal["pipeline"] = Field(description="`pipeline`")
    pipeline: Annotated[
        str, pattern("[a-z][a-z0-9-]{0,29}", "pipeline, which has up to 30 lower-case letters, digits and hyphens")
    ] = Field(description="stack of the pipeline that this one follows, of the same account and region")


SOURCES = ("connection", "github-token", "codecommit", "s3", "pipeline")
Source = Annotated[
    ConnectionSource | GitHubTokenSource | CodeCommitSource | S3Source | PipelineSource, Field(discriminator="type")
]


def typed_source(value: Any) -> Any:
    """A source without a type is a connection."""
    if not isinstance(value, Mapping):
        raise BadValueError(f"{value!r} is not a mapping", "name `connection` and `repository`")
    kind = value.get("type", "connection")
    if kind not in SOURCES:
        raise BadValueError(f"there is no source of type {kind!r}", f"the types are {', '.join(SOURCES)}")
    return {**value, "type": kind}


def _pattern(value: Any) -> str:
    if len(str(value)) > MAX_PATTERN:
        raise BadValueError(f"the pattern {str(value)[:40]}... has over {MAX_PATTERN} characters", "shorten it")
    return str(value)


Patterns = Annotated[tuple[Annotated[Text, AfterValidator(_pattern)], ...], List, Field(max_length=MAX_PATTERNS)]


class Trigger(Model):
    """Pushes that start the pipeline. CodePipeline takes tags in a trigger of their own."""

    branches: Patterns = Field(default=(), description="patterns of branches, as in release/*")
    exclude_branches: Patterns = Field(default=(), description="but not these")
    paths: Patterns = Field(default=(), description="patterns of files, as in amplify-export-*/**")
    exclude_paths: Patterns = Field(default=(), description="but not if only these changed")
    tags: Patterns = Field(default=(), description="patterns of tags, as in v*")
    exclude_tags: Patterns = Field(default=(), description="but not these")

    @model_validator(mode="after")
    def _something(self) -> Trigger:
        others = (*self.branches, *self.exclude_branches, *self.paths, *self.exclude_paths)
        if not (others or self.tags or self.exclude_tags):
            raise BadValueError("a trigger without a filter", "name `branches`, `paths` or `tags`")
        if others and (self.tags or self.exclude_tags):
            raise BadValueError("a trigger with tags and with branches or paths", "make two triggers of it")
        if (self.paths or self.exclude_paths) and not (self.branches or self.exclude_branches):
            raise BadValueError(
                "a trigger with paths and no branches, which CodePipeline refuses",
                "name the branches too, as in `branches: [main]`",
            )
        return self
