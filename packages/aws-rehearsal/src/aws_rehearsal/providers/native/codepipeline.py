"""Pipelines and webhooks through CodePipeline's own API: the local AWS's CloudFormation knows neither type.

What the handlers of `AWS::CodePipeline::Pipeline` and `AWS::CodePipeline::Webhook` are on AWS; the calls are those
their schemas list. Everything is done with the provider's own credentials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.native import pipeline_shapes as shapes
from aws_rehearsal.providers.native.outcomes import HalfMade, handler_failed, operation_failed
from aws_rehearsal.providers.native.schemas import TypeSchema
from aws_rehearsal.providers.wire import Properties

_SERVICE = "CodePipeline"


@dataclass
class Pipelines:
    """Acts on pipelines of one account and region; a pipeline's handle is its name."""

    client: Any

    def create(self, kind: TypeSchema, name: str, properties: Properties, deadline: float) -> tuple[str, Properties]:
        """Make a pipeline, which starts by itself. Raises ProviderError, HalfMade if a transition can't be closed."""
        del kind, name, deadline
        tags = [{"key": key, "value": value} for key, value in shapes.tags_of(properties).items()]
        try:
            made = self.client.create_pipeline(pipeline=shapes.to_api(properties), **({"tags": tags} if tags else {}))
        except self.client.exceptions.ClientError as error:
            raise handler_failed("CREATE", _SERVICE, error) from error
        handle = made["pipeline"]["name"]
        try:
            self._close(handle, {}, shapes.closed_stages(properties))
            return handle, self._attributes(handle)
        except self.client.exceptions.ClientError as error:
            reason = str(handler_failed("CREATE", _SERVICE, error))
            raise HalfMade(handle, {"Version": str(made["pipeline"]["version"])}, reason) from error

    def update(
        self, kind: TypeSchema, handle: str, olds: Properties, properties: Properties, deadline: float
    ) -> Properties:
        """Bring a pipeline to `properties`, and run it again if they say so.

        "RestartExecutionOnUpdate: Indicates whether to rerun the CodePipeline pipeline after you update it": the
        execution takes the branch's newest commit.
        """
        del kind, olds, deadline
        try:
            metadata = self.client.get_pipeline(name=handle)["metadata"]
            self.client.update_pipeline(pipeline=shapes.to_api(properties))
            self._close(handle, self._closed(handle), shapes.closed_stages(properties))
            arn = metadata["pipelineArn"]
            _change_tags(self.client, arn, self._tags(arn), shapes.tags_of(properties))
            if shapes.flag(properties.get("RestartExecutionOnUpdate")):
                self.client.start_pipeline_execution(name=handle)
            return self._attributes(handle)
        except self.client.exceptions.ClientError as error:
            raise handler_failed("UPDATE", _SERVICE, error) from error

    def delete(self, handle: str, deadline: float) -> None:
        """Delete a pipeline; that it is gone already is no error."""
        del deadline
        try:
            self.client.delete_pipeline(name=handle)
        except self.client.exceptions.ClientError as error:
            raise handler_failed("DELETE", _SERVICE, error) from error

    def read(self, handle: str, declared: Properties) -> tuple[Properties, Properties] | None:
        """Attributes, and the properties that differ from the declared ones; None when the pipeline is gone."""
        try:
            found = self.client.get_pipeline(name=handle)
            arn = found["metadata"]["pipelineArn"]
            actual = shapes.to_properties(found["pipeline"], self._tags(arn), self._closed(handle))
        except self.client.exceptions.ClientError as error:
            if error_code(error) == "PipelineNotFoundException":
                return None
            raise aws_error("reading resource", error) from error
        return {"Version": actual["Version"], "Arn": arn}, shapes.differences(declared, actual)

    def _attributes(self, handle: str) -> Properties:
        found = self.client.get_pipeline(name=handle)
        return {"Version": str(found["pipeline"]["version"]), "Arn": found["metadata"]["pipelineArn"]}

    def _closed(self, handle: str) -> dict[str, str]:
        states = self.client.get_pipeline_state(name=handle)["stageStates"]
        transitions = {state["stageName"]: state.get("inboundTransitionState", {}) for state in states}
        return {
            stage: transition.get("disabledReason", "")
            for stage, transition in transitions.items()
            if not transition.get("enabled", True)
        }

    def _close(self, handle: str, now: dict[str, str], wanted: dict[str, str]) -> None:
        """Close and open ways into stages, from those that are closed `now` to those that are `wanted` closed."""
        for stage in now.keys() - wanted.keys():
            self.client.enable_stage_transition(pipelineName=handle, stageName=stage, transitionType="Inbound")
        for stage, reason in wanted.items():
            if now.get(stage) != reason:
                self.client.disable_stage_transition(
                    pipelineName=handle, stageName=stage, transitionType="Inbound", reason=reason
                )

    def _tags(self, arn: str) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self.client.list_tags_for_resource(resourceArn=arn)["tags"]}


@dataclass
class Webhooks:
    """Acts on webhooks of one account and region; a webhook's handle is its name."""

    client: Any

    def create(self, kind: TypeSchema, name: str, properties: Properties, deadline: float) -> tuple[str, Properties]:
        """Make a webhook and register it. Raises ProviderError, HalfMade if it can't be registered."""
        del kind, name, deadline
        handle = properties["Name"]
        tags = [{"key": key, "value": value} for key, value in shapes.tags_of(properties).items()]
        try:
            if self._find(handle) is not None:
                raise operation_failed("CREATE", [f"{handle} already exists"])
            more = {"tags": tags} if tags else {}
            made = self.client.put_webhook(webhook=shapes.webhook_to_api(properties), **more)["webhook"]
        except self.client.exceptions.ClientError as error:
            raise handler_failed("CREATE", _SERVICE, error) from error
        try:
            if shapes.flag(properties.get("RegisterWithThirdParty")):
                self.client.register_webhook_with_third_party(webhookName=handle)
        except self.client.exceptions.ClientError as error:
            reason = str(handler_failed("CREATE", _SERVICE, error))
            raise HalfMade(handle, _webhook_attributes(made), reason) from error
        return handle, _webhook_attributes(made)

    def update(
        self, kind: TypeSchema, handle: str, olds: Properties, properties: Properties, deadline: float
    ) -> Properties:
        """Bring a webhook to `properties`."""
        del kind, olds, deadline
        try:
            made = self.client.put_webhook(webhook=shapes.webhook_to_api(properties))["webhook"]
            now = {tag["key"]: tag["value"] for tag in made.get("tags", ())}
            _change_tags(self.client, made["arn"], now, shapes.tags_of(properties))
            if shapes.flag(properties.get("RegisterWithThirdParty")):
                self.client.register_webhook_with_third_party(webhookName=handle)
            else:
                self.client.deregister_webhook_with_third_party(webhookName=handle)
        except self.client.exceptions.ClientError as error:
            raise handler_failed("UPDATE", _SERVICE, error) from error
        return _webhook_attributes(made)

    def delete(self, handle: str, deadline: float) -> None:
        """Take a webhook away, and the third party's call with it: "You must deregister the webhook before"."""
        del deadline
        try:
            if self._find(handle) is not None:
                self.client.deregister_webhook_with_third_party(webhookName=handle)
                self.client.delete_webhook(name=handle)
        except self.client.exceptions.ClientError as error:
            raise handler_failed("DELETE", _SERVICE, error) from error

    def read(self, handle: str, declared: Properties) -> tuple[Properties, Properties] | None:
        """Attributes, and the properties that differ from the declared ones; None when the webhook is gone."""
        try:
            found = self._find(handle.rpartition(":")[2])
        except self.client.exceptions.ClientError as error:
            raise aws_error("reading resource", error) from error
        if found is None:
            return None
        return _webhook_attributes(found), shapes.webhook_differences(declared, shapes.webhook_to_properties(found))

    def _find(self, name: str) -> Properties | None:
        pages = self.client.get_paginator("list_webhooks").paginate()
        found = (item for page in pages for item in page["webhooks"])
        return next((item for item in found if item["definition"]["name"] == name), None)


def _webhook_attributes(webhook: Properties) -> Properties:
    return {"Id": webhook["arn"], "Url": webhook["url"]}


def _change_tags(client: Any, arn: str, found: dict[str, str], wanted: dict[str, str]) -> None:
    now = {key: value for key, value in found.items() if not key.startswith("aws:")}
    gone = sorted(now.keys() - wanted.keys())
    if gone:
        client.untag_resource(resourceArn=arn, tagKeys=gone)
    new = [{"key": key, "value": value} for key, value in wanted.items() if now.get(key) != value]
    if new:
        client.tag_resource(resourceArn=arn, tags=new)
