"""Pipelines and build projects that a template declares: the local AWS's CloudFormation has them made here.

`inside/resources.py` hands them on. They are made by the very operations of the APIs, so what these refuse fails the
resource. "AWS::CodePipeline::Pipeline" and "AWS::CodeBuild::Project" in the CloudFormation template reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_rehearsal.pipeline_service import shapes
from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.gate import Caller
from aws_rehearsal.providers.native.pipeline_shapes import closed_stages, flag, to_api

Answer = dict[str, Any]
Find = Callable[[str, str], Callable[[Answer, Caller], Answer] | None]
_NOT_OF_A_PROJECT = ("Triggers", "Visibility", "ResourceAccessRole")
"""What other operations set; no template of Amplify has them."""


class Resources:
    """Makes, changes and deletes what a template declares; `find` gives the operations of the services."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def answer(self, document: Mapping[str, Any]) -> Answer:
        """The resource's attributes. Raises `ServiceError` as the API does."""
        caller = Caller(**document["caller"])
        kind, operation, name = document["resource"], document["operation"], document["name"]
        properties, tags = dict(document["properties"]), dict(document["tags"])
        if kind == "AWS::CodePipeline::Pipeline":
            return self._pipeline(operation, name, properties, tags, caller)
        return self._project(operation, name, properties, tags, caller)

    def _pipeline(
        self, operation: str, name: str, properties: Answer, stack_tags: dict[str, str], caller: Caller
    ) -> Answer:
        if operation == "delete":
            return self._call("codepipeline", "DeletePipeline", {"name": name}, caller)
        given: Answer = {"pipeline": {**to_api(properties), "name": name}}
        tags = _tags(properties, stack_tags)
        if operation == "create":
            made = self._call("codepipeline", "CreatePipeline", given | ({"tags": tags} if tags else {}), caller)
        else:
            made = self._call("codepipeline", "UpdatePipeline", given, caller)
        for stage, reason in closed_stages(properties).items():
            closed = {"pipelineName": name, "stageName": stage, "transitionType": "Inbound", "reason": reason}
            self._call("codepipeline", "DisableStageTransition", closed, caller)
        if operation == "update" and flag(properties.get("RestartExecutionOnUpdate")):
            self._call("codepipeline", "StartPipelineExecution", {"name": name}, caller)
        arn = f"arn:aws:codepipeline:{caller.region}:{caller.account}:{name}"
        return {"Version": str(made["pipeline"]["version"]), "Arn": arn}

    def _project(
        self, operation: str, name: str, properties: Answer, stack_tags: dict[str, str], caller: Caller
    ) -> Answer:
        if operation == "delete":
            return self._call("codebuild", "DeleteProject", {"name": name}, caller)
        for unknown in sorted(set(properties) & set(_NOT_OF_A_PROJECT)):
            raise ServiceError("InvalidInputException", f"{unknown} of a project is not part of the rehearsal")
        given = {
            **{_lower(key): _renamed(value) for key, value in properties.items() if key not in ("Name", "Tags")},
            "name": name,
            "tags": _tags(properties, stack_tags),
        }
        made = self._call("codebuild", "CreateProject" if operation == "create" else "UpdateProject", given, caller)
        return {"Arn": made["project"]["arn"]}

    def _call(self, service: str, operation: str, params: Answer, caller: Caller) -> Answer:
        carry_out = self._find(service, operation)
        assert carry_out is not None  # noqa: S101 - these are part of the service
        shapes.check_input(shapes.service_model(service).operation_model(operation), params)
        return carry_out(params, caller)


def _tags(properties: Answer, stack_tags: dict[str, str]) -> list[dict[str, str]]:
    """Those of the stack, which CloudFormation puts on whatever takes tags, and the resource's own."""
    own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or ()}
    return [{"key": key, "value": value} for key, value in {**stack_tags, **own}.items()]


def _renamed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_lower(key): _renamed(item) for key, item in value.items() if item is not None}
    return [_renamed(item) for item in value] if isinstance(value, list) else value


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
