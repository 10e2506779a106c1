"""Rewrite one template: every location to its own content's key, and the exporter's noise taken out.

What is rewritten, and nothing else:
- locations: `s3://BUCKET/ROOTKEY/path` of AppSync, `S3Key` of Lambda code that lies in the API's folder,
  in a layer's or among the auxiliary files;
- logical ids of API Gateway with a random suffix (amplify-cli, apigw-input-state / rest-api-cfn);
- `DeletionPolicy: Retain` to `RetainExceptOnCreate`;
- the literal `Expires` of an AppSync API key to a parameter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery.export.templates.expressions import Ref, Segment, compose, flatten, rename, replace_strings
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES

PLACEHOLDER = {"Placeholder": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}

Resources = dict[str, Mapping[str, Any]]

_RANDOM_DEPLOYMENT = re.compile(r"DeploymentAPIGW(?P<api>.+?)(?P<noise>[0-9a-f]{8})")
_RANDOM_RESPONSE = re.compile(r"(?P<api>.+)Default(?P<kind>[45]XX)Response(?P<noise>[0-9a-f]{8})")


@dataclass(frozen=True)
class Locations:
    """How a template's locations are found.

    `prefixes` maps a parameter to the folder that it stands for (`S3DeploymentRootKey` to the API's files,
    a layer's `s3Key` to its builds); `publish` turns a file of the export into its key, or returns None
    after having reported that the file is missing.
    """

    prefixes: Mapping[str, str]
    publish: Callable[[str], str | None]

    def rewritten(self, segments: list[Segment]) -> Any:
        """The JSON of a location with its key, or None when the expression is no location of ours."""
        for index, segment in enumerate(segments[:-1]):
            if isinstance(segment, Ref) and segment.name in self.prefixes:
                rest = segments[index + 1]
                if index + 2 != len(segments) or not isinstance(rest, str) or not _is_file(rest):
                    return None
                key = self.publish(self.prefixes[segment.name] + rest.lstrip("/"))
                if key is None:
                    return compose(segments)
                before = segments[:index]
                if before and isinstance(before[-1], str):
                    return compose([*before[:-1], before[-1] + key])
                return compose([*before, key])
        return None

    def file(self, location: Any) -> str | None:
        """The file that a location means; None when it is none of ours, or more than one."""
        segments = flatten(location)
        if len(segments) > 1 and isinstance(segments[-1], str) and isinstance(segments[-2], Ref):
            folder = self.prefixes.get(segments[-2].name)
            if folder is not None and _is_file(segments[-1]):
                return folder + segments[-1].lstrip("/")
        return None


def _is_file(rest: str) -> bool:
    """Whether what follows a folder's name is one file in it, not the folder itself or a policy's `/*`."""
    return rest.startswith("/") and not rest.endswith("/") and "*" not in rest


def rewrite_locations(resources: Resources, locations: Locations) -> None:
    """Rewrite the locations of every resource but nested stacks, in place."""
    if not locations.prefixes:
        return
    for name, item in resources.items():
        kind = item["Type"]
        if kind == STACK_TYPE:
            continue
        properties = item.get("Properties") or {}
        if kind in ("AWS::AppSync::FunctionConfiguration", "AWS::AppSync::GraphQLSchema"):
            # The many of a large export: only a top-level property can hold a location.
            changed = {
                key: new
                for key, value in properties.items()
                if key.endswith("S3Location") and (new := replace_strings(value, locations.rewritten)) is not value
            }
            if changed:
                resources[name] = {**item, "Properties": {**properties, **changed}}
        else:
            new = replace_strings(properties, locations.rewritten)
            if new is not properties:
                resources[name] = {**item, "Properties": new}


def rewrite_auxiliary_code(
    resources: Resources, auxiliary: Mapping[str, str], bucket: str, publish: Callable[[str], str | None]
) -> None:
    """Rewrite Lambda code whose literal key names an auxiliary file (container APIs), in place.

    Only code that lies in `bucket`, the parameter with the staging bucket's name, is ours to move.
    """
    for name, item in resources.items():
        code = (item.get("Properties") or {}).get("Code")
        if item["Type"] != "AWS::Lambda::Function" or not isinstance(code, dict):
            continue
        named = code.get("S3Key")
        if isinstance(named, str) and named in auxiliary and flatten(code.get("S3Bucket")) == [Ref(bucket)]:
            new = {**code, "S3Key": publish(auxiliary[named])}
            resources[name] = {**item, "Properties": {**item["Properties"], "Code": new}}


def settle_logical_ids(template: dict[str, Any]) -> dict[str, Any]:
    """The template with API Gateway's random suffixes made a function of what they stand for: a digest of the API's
    body and its gateway responses, which is whatever a deployment freezes.

    A GatewayResponse's suffix is that of the deployment it is frozen in. CloudFormation puts a changed body with
    PutRestApi, which drops the responses (amplify-category-api 30 and pull request 764, aws-cdk 28652): only with new
    ids are they put again before the new deployment. That the old ids are deleted in the end, and the responses with
    them, does not reach what the deployment has frozen.
    An id that is already taken by something else is left as it is.
    """
    resources: Mapping[str, Mapping[str, Any]] = template.get("Resources") or {}
    plain: dict[str, str] = {}
    for name, item in resources.items():
        if item["Type"] == "AWS::ApiGateway::GatewayResponse" and (match := _RANDOM_RESPONSE.fullmatch(name)):
            plain[name] = f"{match['api']}Default{match['kind']}Response"
        if item["Type"] == "AWS::ApiGateway::Deployment" and (match := _RANDOM_DEPLOYMENT.fullmatch(name)):
            plain[name] = f"DeploymentAPIGW{match['api']}"
    names = {name: start + _frozen_digest(name, resources, plain) for name, start in plain.items()}
    taken = {*template.get("Parameters", {}), *(set(resources) - set(names))}
    targets = list(names.values())
    names = {old: new for old, new in names.items() if new not in taken and targets.count(new) == 1}
    if all(old == new for old, new in names.items()):
        return template
    renamed = rename(template, names)
    renamed["Resources"] = {names.get(name, name): item for name, item in renamed["Resources"].items()}
    return dict(renamed)


def _frozen_digest(name: str, resources: Mapping[str, Mapping[str, Any]], plain: Mapping[str, str]) -> str:
    """A digest of everything that a deployment of the API of `name` freezes, without any random name."""
    api = (resources[name].get("Properties") or {}).get("RestApiId")
    frozen = [
        [plain.get(other, other), item["Type"], item.get("Properties")]
        for other, item in resources.items()
        if api == {"Ref": other} or (api is not None and (item.get("Properties") or {}).get("RestApiId") == api)
    ]
    return hashlib.sha256(canonical(rename(sorted(frozen, key=lambda entry: entry[0]), plain))).hexdigest()[:8]


def settle_policies(resources: Resources) -> int:
    """Make `Retain` `RetainExceptOnCreate`, in place; how many. A bucket that a failed first create leaves
    behind would make every retry fail on its name (CloudFormation user guide, DeletionPolicy)."""
    count = 0
    for name, item in resources.items():
        if item.get("DeletionPolicy") == "Retain":
            resources[name] = {**item, "DeletionPolicy": "RetainExceptOnCreate"}
            count += 1
    return count


def settle_api_keys(resources: Resources) -> bool:
    """Replace the expiry of API keys that holds a date (export time + days) by a parameter, in place; whether any."""
    found = False
    for name, item in resources.items():
        properties = item.get("Properties") or {}
        if item["Type"] == "AWS::AppSync::ApiKey" and _holds_date(properties.get("Expires")):
            resources[name] = {**item, "Properties": {**properties, "Expires": {"Ref": API_KEY_EXPIRES}}}
            found = True
    return found


def _holds_date(expires: Any) -> bool:
    """Whether an expiry is a literal, or one of those between which a condition chooses: transformer 1 lets a parameter
    override the date of the export (amplify-category-api, DynamoDBModelTransformer, `makeAppSyncApiKey`)."""
    if isinstance(expires, Mapping):
        branches = expires.get("Fn::If")
        return isinstance(branches, list) and len(branches) == 3 and any(map(_holds_date, branches[1:]))
    return isinstance(expires, (int, float)) or (isinstance(expires, str) and expires.isdecimal())
