"""`aws:cloudformation/stack:Stack` and `getStack`.

Plays internal/service/cloudformation/stack.go of terraform-provider-aws: the id is set before the wait, so a failed
create stays in the engine's state; parameters come back only if they were configured, NoEcho ones as `****`; an update
sends capabilities and parameters every time, role, notifications and policy only when they changed; a delete sends no
role, so that CloudFormation uses the one it has stored.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from aws_rehearsal.providers.classic.stack_waiter import StackFailed, StackOperation
from aws_rehearsal.providers.errors import InitFailed, ProviderError, aws_error, error_code, error_message
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Change, Prop, normal_json, out
from aws_rehearsal.providers.wire import UNKNOWN, Properties

_CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")


class Stack(Resource):
    token = "aws:cloudformation/stack:Stack"
    called = "CloudFormation Stack"
    default_timeout = 1800.0
    name_property = "name"
    name_length = 255
    props = {
        "capabilities": Prop("set"),
        "disableRollback": Prop("bool", replaces=True),
        "iamRoleArn": Prop(),
        "name": Prop(replaces=True),
        "notificationArns": Prop("set"),
        "onFailure": Prop(replaces=True, choices=("DO_NOTHING", "ROLLBACK", "DELETE")),
        "outputs": out("map"),
        "parameters": Prop("map", computed=True),
        "policyBody": Prop("json", computed=True),
        "policyUrl": Prop(),
        "region": REGION,
        "tags": TAGS,
        "tagsAll": out("map"),
        "templateBody": Prop("template", computed=True),
        "templateUrl": Prop(),
        "timeoutInMinutes": Prop("int", replaces=True),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        wrong = []
        for capability in inputs.get("capabilities") or []:
            if capability is not UNKNOWN and capability not in _CAPABILITIES:
                expected = " ".join(json.dumps(name) for name in _CAPABILITIES)
                wrong.append(("capabilities", f"expected capabilities to be one of [{expected}], got {capability}"))
        policy = inputs.get("policyBody")
        if isinstance(policy, str) and not _is_json(policy):
            wrong.append(("policyBody", '"policy_body" contains an invalid JSON'))
        template = inputs.get("templateBody")
        if isinstance(template, str) and template.lstrip().startswith("{") and not _is_json(template):
            wrong.append(("templateBody", '"template_body" contains an invalid JSON'))
        return wrong

    def unknown_after(self, found: list[Change]) -> set[str]:
        """`outputs` are known in a preview unless something really changes (`stackHasActualChanges`)."""
        return {"outputs"} if any(not change.replaces for change in found) else set()

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        client, token = call.client("cloudformation"), _token()
        request: dict[str, Any] = {"StackName": inputs["name"], "ClientRequestToken": token, **_tags(call, inputs)}
        for key, name in (
            ("capabilities", "Capabilities"),
            ("disableRollback", "DisableRollback"),
            ("iamRoleArn", "RoleARN"),
            ("notificationArns", "NotificationARNs"),
            ("onFailure", "OnFailure"),
            ("policyUrl", "StackPolicyURL"),
            ("templateUrl", "TemplateURL"),
            ("timeoutInMinutes", "TimeoutInMinutes"),
        ):
            if inputs.get(key):
                request[name] = inputs[key]
        if inputs.get("parameters"):
            request["Parameters"] = _parameters(inputs["parameters"])
        if inputs.get("policyBody"):
            request["StackPolicyBody"] = normal_json(inputs["policyBody"])
        if inputs.get("templateBody"):
            request["TemplateBody"] = normal_json(inputs["templateBody"])
        try:
            stack_id = str(client.create_stack(**request)["StackId"])
        except client.exceptions.ClientError as error:
            raise aws_error(f"creating CloudFormation Stack ({inputs['name']})", error) from error
        call.has_id(stack_id)
        try:
            StackOperation(client, stack_id, token, call.deadline()).wait_created()
        except StackFailed as failure:
            half_made = {**inputs, "tagsAll": call.session.tags(inputs.get("tags")), "region": call.region}
            reason = f"waiting for CloudFormation Stack ({stack_id}) create: {failure}"
            raise InitFailed(stack_id, half_made, [reason]) from failure
        return self._state(call, stack_id, inputs)

    def _state(self, call: Call, stack_id: str, known: Properties) -> tuple[str, Properties]:
        call.has_id(stack_id)
        answer = self.read(call, stack_id, known)
        if answer is None:
            raise ProviderError(f"reading CloudFormation Stack ({stack_id}): not found", "NOT_FOUND")
        return answer

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("cloudformation")
        stack = find_stack(client, resource_id)
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return None
        # An import by name gets the name as its id from the program; the real resource keeps what it was given.
        outputs: Properties = {key: olds[key] for key in _NOT_READ if olds.get(key) is not None}
        outputs["name"] = stack["StackName"]
        outputs["templateBody"] = _template(client, resource_id)
        outputs["outputs"] = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
        outputs["parameters"] = _configured(stack.get("Parameters", []), olds.get("parameters") or {})
        outputs["capabilities"] = stack.get("Capabilities") or olds.get("capabilities")
        outputs["notificationArns"] = stack.get("NotificationARNs") or olds.get("notificationArns")
        outputs["iamRoleArn"] = stack.get("RoleARN")
        outputs["timeoutInMinutes"] = stack.get("TimeoutInMinutes")
        # Upstream sets what AWS says and then always false (its test for on_failure is true for an empty string as
        # well): a stack declared with disable_rollback differs, and would be replaced, after each refresh.
        outputs["disableRollback"] = False
        every = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", []) if not tag["Key"].startswith("aws:")}
        outputs["tagsAll"] = every
        outputs["tags"] = call.session.own_tags(every, olds.get("tags"))
        return resource_id, {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        client, token = call.client("cloudformation"), _token()
        request: dict[str, Any] = {"StackName": resource_id, "ClientRequestToken": token, **_tags(call, news)}
        if news.get("capabilities"):
            request["Capabilities"] = news["capabilities"]
        parameters = news.get("parameters") or olds.get("parameters")
        if parameters:
            request["Parameters"] = _parameters(parameters)
        if "iamRoleArn" in changed:
            request["RoleARN"] = news.get("iamRoleArn") or ""
        if "notificationArns" in changed:
            request["NotificationARNs"] = news.get("notificationArns") or []
        if "policyBody" in changed:
            request["StackPolicyBody"] = normal_json(news["policyBody"])
        if "policyUrl" in changed:
            request["StackPolicyURL"] = news.get("policyUrl") or ""
        body = news.get("templateBody") or olds.get("templateBody")
        if news.get("templateUrl"):
            request["TemplateURL"] = news["templateUrl"]
        elif body:
            request["TemplateBody"] = normal_json(body)
        known = {**kept(olds, "templateBody", "policyBody", "parameters"), **news}
        try:
            client.update_stack(**request)
        except client.exceptions.ClientError as error:
            if error_code(error) == "ValidationError" and "No updates are to be performed" in error_message(error):
                return self._state(call, resource_id, known)[1]
            raise aws_error(f"updating CloudFormation Stack ({resource_id})", error) from error
        try:
            StackOperation(client, resource_id, token, call.deadline()).wait_updated()
        except StackFailed as failure:
            raise ProviderError(f"waiting for CloudFormation Stack ({resource_id}) update: {failure}") from failure
        return self._state(call, resource_id, known)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client, token = call.client("cloudformation"), _token()
        try:
            client.delete_stack(StackName=resource_id, ClientRequestToken=token)
        except client.exceptions.ClientError as error:
            # Upstream takes every ValidationError for "it is gone", termination protection included (pulumi-aws #6422).
            if error_code(error) == "ValidationError":
                return
            raise aws_error(f"deleting CloudFormation Stack ({resource_id})", error) from error
        try:
            StackOperation(client, resource_id, token, call.deadline()).wait_deleted()
        except StackFailed as failure:
            raise ProviderError(f"waiting for CloudFormation Stack ({resource_id}) delete: {failure}") from failure


_NOT_READ = ("onFailure", "policyBody", "policyUrl", "templateUrl", "region")
"""What DescribeStacks does not tell, or upstream does not ask: kept as it was."""


def find_stack(client: Any, name: str) -> dict[str, Any] | None:
    """DescribeStacks of one stack, by name or ARN; None when there is none of that name."""
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except client.exceptions.ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise aws_error(f"reading CloudFormation Stack ({name})", error) from error
    return stacks[0] if stacks else None


def _configured(parameters: list[dict[str, str]], configured: Properties) -> dict[str, str]:
    return {
        item["ParameterKey"]: item.get("ParameterValue", "")
        for item in parameters
        if item["ParameterKey"] in configured
    }


def _parameters(parameters: Properties) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()]


def _tags(call: Call, inputs: Properties) -> dict[str, list[dict[str, str]]]:
    return {"Tags": [{"Key": key, "Value": value} for key, value in call.session.tags(inputs.get("tags")).items()]}


def _template(client: Any, name: str) -> str:
    try:
        body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    except client.exceptions.ClientError as error:
        raise aws_error(f"reading CloudFormation Stack ({name}) template", error) from error
    # botocore hands a JSON body back as a dictionary, in the order it was written.
    return normal_json(body if isinstance(body, str) else json.dumps(body))


def _token() -> str:
    return f"terraform-{uuid.uuid4().hex}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def get_stack(call: Call, arguments: Properties) -> Properties:
    """stack_data_source.go: all parameters, and the template as CloudFormation has it."""
    client, name = call.client("cloudformation"), arguments["name"]
    stack = find_stack(client, name)
    if stack is None:
        raise ProviderError(f"reading CloudFormation Stack ({name}): couldn't find resource", "NOT_FOUND")
    return {
        "id": stack["StackId"],
        "name": stack["StackName"],
        "capabilities": stack.get("Capabilities") or [],
        "description": stack.get("Description") or "",
        "disableRollback": bool(stack.get("DisableRollback")),
        "iamRoleArn": stack.get("RoleARN") or "",
        "notificationArns": stack.get("NotificationARNs") or [],
        "outputs": {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])},
        "parameters": {item["ParameterKey"]: item.get("ParameterValue", "") for item in stack.get("Parameters", [])},
        "region": call.region,
        "tags": {tag["Key"]: tag["Value"] for tag in stack.get("Tags", []) if not tag["Key"].startswith("aws:")},
        "templateBody": _template(client, name),
        "timeoutInMinutes": stack.get("TimeoutInMinutes") or 0,
    }


TYPES = {Stack.token: Stack()}
INVOKES = {"aws:cloudformation/getStack:getStack": get_stack}
