"""`aws:codebuild/project:Project`.

Plays internal/service/codebuild/project.go of terraform-provider-aws: the id is the ARN; everything but the name
changes in place; an update sends what changed, and all tags. A role that CodeBuild can't use yet is tried again until
IAM's changes have spread. What AWS fills in counts as unchanged where
upstream suppresses it: an artifact's name and packaging, the kinds of logs and the cache that the program leaves out.
"""

from __future__ import annotations

import re
from typing import Any

from aws_rehearsal.providers.classic.codebuild_arguments import LAMBDA_ENVIRONMENTS, PROPS, received, sent
from aws_rehearsal.providers.classic.propagation import patiently
from aws_rehearsal.providers.classic.tags import every_tag, tag_list
from aws_rehearsal.providers.errors import ProviderError, aws_error
from aws_rehearsal.providers.resource import Call, Resource
from aws_rehearsal.providers.schema import Change, canonical
from aws_rehearsal.providers.wire import UNKNOWN, Properties

_NO_ROLE_YET = ("InvalidInputException", "ot authorized to perform")
_API_NAMES = {"buildTimeout": "timeoutInMinutes", "queuedTimeout": "queuedTimeoutInMinutes"}
_SENT = sorted(
    set(PROPS)
    - {"arn", "badgeUrl", "name", "projectVisibility", "publicProjectAlias", "region", "resourceAccessRole"}
    - {"tags", "tagsAll"}
)
_RANGES = {"buildTimeout": (5, 2160), "queuedTimeout": (5, 480)}
_EMPTY: dict[str, Any] = {
    "buildBatchConfig": {},
    "cache": {"type": "NO_CACHE"},
    "concurrentBuildLimit": -1,
    "fileSystemLocations": [],
    "secondaryArtifacts": [],
    "secondarySources": [],
    "secondarySourceVersions": [],
    "vpcConfig": {},
}
"""What takes a property away."""


class Project(Resource):
    token = "aws:codebuild/project:Project"
    called = "CodeBuild Project"
    name_property = "name"
    props = PROPS

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = []
        name = inputs.get("name")
        if isinstance(name, str):
            if not re.match(r"[0-9A-Za-z]", name):
                wrong.append(("name", 'first character of "name" must be a letter or number'))
            if not re.fullmatch(r"[0-9A-Za-z_-]+", name):
                wrong.append(("name", 'only alphanumeric characters, hyphens and underscores allowed in "name"'))
            if len(name) > 255:
                wrong.append(("name", '"name" cannot be greater than 255 characters'))
        for key, (lowest, highest) in _RANGES.items():
            value = inputs.get(key)
            if isinstance(value, int) and not lowest <= value <= highest:
                wrong.append((key, f"expected {key} to be in the range ({lowest} - {highest}), got {value}"))
        limit = inputs.get("concurrentBuildLimit")
        if isinstance(limit, int) and limit < 1:
            wrong.append(("concurrentBuildLimit", f"expected concurrentBuildLimit to be at least (1), got {limit}"))
        description = inputs.get("description")
        if isinstance(description, str) and len(description) > 255:
            wrong.append(
                ("description", f"expected length of description to be in the range (0 - 255), got {description}")
            )
        for key in ("serviceRole", "resourceAccessRole"):
            role = inputs.get(key)
            if isinstance(role, str) and not role.startswith("arn:"):
                wrong.append((key, f'"{key}" ({role}) is an invalid ARN: arn: invalid prefix'))
        cache = inputs.get("cache")
        if isinstance(cache, dict) and cache.get("type") == "S3" and not cache.get("location"):
            wrong.append(("cache", 'cache location is required when cache type is "S3"'))
        return wrong

    def changes(self, olds: Properties, found: list[Change]) -> list[Change]:
        """Without the differences that upstream suppresses."""
        wanted = {change.property: change.new for change in found}
        return [change for change in found if not _suppressed(olds, change, wanted)]

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client = call.client("codebuild")
        name, source = inputs["name"], inputs["source"]
        if source["type"] == "NO_SOURCE" and not source.get("buildspec"):
            raise ProviderError("`buildspec` must be set when source's `type` is `NO_SOURCE`", "INVALID_ARGUMENT")
        if source["type"] == "NO_SOURCE" and source.get("location"):
            raise ProviderError("`location` must be empty when source's `type` is `NO_SOURCE`", "INVALID_ARGUMENT")
        request: dict[str, Any] = {
            "name": name,
            "logsConfig": sent("logsConfig", inputs.get("logsConfig")),
            "tags": _tags(call, inputs),
        }
        for key in _SENT:
            if inputs.get(key):
                request[_API_NAMES.get(key, key)] = sent(key, inputs[key])
        try:
            arn = str(patiently(lambda: client.create_project(**request), *_NO_ROLE_YET)["project"]["arn"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating CodeBuild Project ({name})", error) from error
        call.has_id(arn)
        if inputs["projectVisibility"] != "PRIVATE":
            self._show(client, arn, inputs)
        return self._state(call, arn, inputs)

    def _show(self, client: Any, arn: str, inputs: Properties) -> None:
        request = {"projectArn": arn, "projectVisibility": inputs["projectVisibility"]}
        if inputs.get("resourceAccessRole"):
            request["resourceAccessRole"] = inputs["resourceAccessRole"]
        try:
            client.update_project_visibility(**request)
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating CodeBuild Project ({arn}) visibility", error) from error

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("codebuild")
        try:
            projects = client.batch_get_projects(names=[resource_id])["projects"]
        except client.exceptions.ClientError as error:
            raise aws_error(f"reading CodeBuild Project ({resource_id})", error) from error
        if not projects:
            return None
        found = projects[0]
        badge, every = found.get("badge") or {}, every_tag(found.get("tags", []), "key", "value")
        outputs = {
            **{key: received(key, found.get(_API_NAMES.get(key, key))) for key in _SENT},
            "arn": found["arn"],
            "badgeEnabled": bool(badge.get("badgeEnabled")),
            "badgeUrl": badge.get("badgeRequestUrl", ""),
            "name": found["name"],
            "projectVisibility": found.get("projectVisibility") or "PRIVATE",
            "publicProjectAlias": found.get("publicProjectAlias", ""),
            "resourceAccessRole": found.get("resourceAccessRole"),
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
        }
        return resource_id, {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client = call.client("codebuild")
        visibility = changed & {"projectVisibility", "resourceAccessRole"}
        if visibility:
            self._show(client, resource_id, news)
        if changed - visibility or call.session.tags(news.get("tags")) != (olds.get("tagsAll") or {}):
            request: dict[str, Any] = {"name": news["name"], "tags": _tags(call, news)}
            for key in changed.intersection(_SENT):
                request[_API_NAMES.get(key, key)] = _replacement(key, news.get(key))
            try:
                patiently(lambda: client.update_project(**request), *_NO_ROLE_YET)
            except client.exceptions.ClientError as error:
                raise aws_error(f"updating CodeBuild Project ({resource_id})", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("codebuild")
        try:
            client.delete_project(name=resource_id)  # one that is not there is no error
        except client.exceptions.ClientError as error:
            raise aws_error(f"deleting CodeBuild Project ({resource_id})", error) from error


def _replacement(key: str, value: Any) -> Any:
    if value or key == "logsConfig":
        return sent(key, value)
    if key in _EMPTY:
        return _EMPTY[key]
    return {"bool": False, "int": 0}.get(PROPS[key].kind, "")


def _tags(call: Call, inputs: Properties) -> list[dict[str, str]]:
    return tag_list(call.session.tags(inputs.get("tags")), "key", "value")


def _suppressed(olds: Properties, change: Change, wanted: Properties) -> bool:
    key, old, new = change.property, olds.get(change.property), change.new
    if new is UNKNOWN:
        return False
    if key in _RANGES:
        environment = wanted.get("environment") or olds.get("environment") or {}
        return isinstance(environment, dict) and environment.get("type") in LAMBDA_ENVIRONMENTS
    if key in ("cache", "logsConfig") and not new:
        return bool(old)
    if key == "logsConfig" and isinstance(old, dict):
        given = {kind: block for kind, block in new.items() if block}
        return _same(key, old, {**old, **given})
    if key == "artifacts" and isinstance(old, dict):
        return _same(key, old, {**_filled_in(old, olds.get("name")), **{k: v for k, v in new.items() if v != ""}})
    return False


def _filled_in(artifacts: Properties, project: Any) -> Properties:
    """The fields of an artifact that AWS sets by itself, at the values it sets them to."""
    filled = {}
    if artifacts.get("name") == project:
        filled["name"] = project
    if artifacts["type"] == "CODEPIPELINE" and artifacts.get("packaging"):
        filled["packaging"] = artifacts["packaging"]
    if artifacts["type"] == "S3":
        filled |= {key: "NONE" for key in ("namespaceType", "packaging") if artifacts.get(key) == "NONE"}
    return filled


def _same(key: str, old: Any, new: Any) -> bool:
    return bool(canonical(old, PROPS[key]) == canonical(new, PROPS[key]))


TYPES = {Project.token: Project()}
