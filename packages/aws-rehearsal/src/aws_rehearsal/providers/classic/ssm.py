"""`aws:ssm/parameter:Parameter`.

Plays internal/service/ssm/parameter.go of terraform-provider-aws: the id is the name, a create does not take over an
existing parameter unless `overwrite` says so, `value` is a secret and `insecureValue` is not, `valueWo` is sent and
never stored.
"""

from __future__ import annotations

from typing import Any

from aws_rehearsal.providers.errors import aws_error, error_code
from aws_rehearsal.providers.resource import REGION, TAGS, Call, Resource, kept
from aws_rehearsal.providers.schema import Change, Prop, out
from aws_rehearsal.providers.wire import Properties

_VALUES = ("value", "insecureValue", "valueWo")


class Parameter(Resource):
    token = "aws:ssm/parameter:Parameter"
    called = "SSM Parameter"
    name_property = "name"
    name_length = 2048
    props = {
        "allowedPattern": Prop(),
        "arn": Prop(computed=True),
        "dataType": Prop(computed=True, replaces=True, choices=("aws:ec2:image", "aws:ssm:integration", "text")),
        "description": Prop(),
        "hasValueWo": out("bool"),
        "insecureValue": Prop(computed=True, conflicts=("value", "valueWo")),
        "keyId": Prop(computed=True),
        "name": Prop(replaces=True),
        "overwrite": Prop("bool"),
        "region": REGION,
        "tags": TAGS,
        "tagsAll": out("map"),
        "tier": Prop(computed=True, choices=("Standard", "Advanced", "Intelligent-Tiering")),
        "type": Prop(required=True, choices=("String", "StringList", "SecureString")),
        "value": Prop(computed=True, secret=True, conflicts=("insecureValue", "valueWo")),
        "valueWo": Prop(secret=True, write_only=True, conflicts=("insecureValue", "value")),
        "valueWoVersion": Prop("int"),
        "version": out("int"),
    }

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        if not any(key in inputs for key in _VALUES):
            return [("value", "one of `insecure_value,value,value_wo` must be specified")]
        if "insecureValue" in inputs and inputs.get("type") == "SecureString":
            return [("insecureValue", "invalid combination of type SecureString and insecure_value")]
        return []

    def unknown_after(self, found: list[Change]) -> set[str]:
        changed = {change.property for change in found}
        return {"version", *(("value", "insecureValue") if changed & {*_VALUES, "valueWoVersion"} else ())}

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        self._put(call, inputs, overwrite=bool(inputs.get("overwrite")), tags=call.session.tags(inputs.get("tags")))
        return self._state(call, inputs["name"], inputs)

    def _put(self, call: Call, inputs: Properties, *, overwrite: bool, tags: dict[str, str]) -> None:
        client = call.client("ssm")
        value = next((inputs[key] for key in _VALUES if inputs.get(key)), "")
        request: dict[str, Any] = {
            "Name": inputs["name"],
            "Type": inputs["type"],
            "Value": value,
            "Overwrite": overwrite,
        }
        for key, name in (
            ("allowedPattern", "AllowedPattern"),
            ("dataType", "DataType"),
            ("description", "Description"),
            ("tier", "Tier"),
        ):
            if inputs.get(key):
                request[name] = inputs[key]
        if inputs.get("keyId") and inputs["type"] == "SecureString":
            request["KeyId"] = inputs["keyId"]
        if tags and not overwrite:  # PutParameter refuses the two together
            request["Tags"] = [{"Key": key, "Value": text} for key, text in tags.items()]
        try:
            client.put_parameter(**request)
            if tags and overwrite:
                sent = [{"Key": key, "Value": text} for key, text in tags.items()]
                client.add_tags_to_resource(ResourceType="Parameter", ResourceId=inputs["name"], Tags=sent)
        except client.exceptions.ClientError as error:
            doing = "updating" if overwrite else "creating"
            raise aws_error(f"{doing} SSM Parameter ({inputs['name']})", error) from error

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        client = call.client("ssm")
        try:
            found = client.get_parameter(Name=resource_id, WithDecryption=True)["Parameter"]
            details = client.describe_parameters(
                ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [resource_id]}]
            )["Parameters"]
            tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=resource_id)["TagList"]
        except client.exceptions.ClientError as error:
            if error_code(error) in ("ParameterNotFound", "InvalidResourceId"):
                return None
            raise aws_error(f"reading SSM Parameter ({resource_id})", error) from error
        detail = details[0] if details else {}
        every = {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")}
        outputs = {
            **kept(olds, "overwrite", "valueWoVersion"),
            "allowedPattern": detail.get("AllowedPattern"),
            "arn": found["ARN"],
            "dataType": found.get("DataType") or "text",
            "description": detail.get("Description"),
            "hasValueWo": "valueWoVersion" in olds,
            "keyId": detail.get("KeyId") if found["Type"] == "SecureString" else None,
            "name": found["Name"],
            "tags": call.session.own_tags(every, olds.get("tags")),
            "tagsAll": every,
            "tier": detail.get("Tier") or "Standard",
            "type": found["Type"],
            "version": found["Version"],
        }
        if "valueWoVersion" not in olds:
            outputs["insecureValue" if olds.get("insecureValue") is not None else "value"] = found["Value"]
        return resource_id, {key: value for key, value in outputs.items() if value is not None}

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        tags, old_tags = call.session.tags(news.get("tags")), olds.get("tagsAll") or {}
        if changed - {"tags", "overwrite"}:
            current = next((olds[key] for key in _VALUES if olds.get(key)), "")
            given = any(news.get(key) for key in _VALUES)
            self._put(call, news if given else {**news, "value": current}, overwrite=True, tags={})
        client = call.client("ssm")
        try:
            gone = sorted(set(old_tags) - set(tags))
            if gone:
                client.remove_tags_from_resource(ResourceType="Parameter", ResourceId=resource_id, TagKeys=gone)
            if tags and tags != old_tags:
                sent = [{"Key": key, "Value": text} for key, text in tags.items()]
                client.add_tags_to_resource(ResourceType="Parameter", ResourceId=resource_id, Tags=sent)
        except client.exceptions.ClientError as error:
            raise aws_error(f"updating SSM Parameter ({resource_id}) tags", error) from error
        return self._state(call, resource_id, news)[1]

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        client = call.client("ssm")
        try:
            client.delete_parameter(Name=resource_id)
        except client.exceptions.ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise aws_error(f"deleting SSM Parameter ({resource_id})", error) from error


TYPES = {Parameter.token: Parameter()}
