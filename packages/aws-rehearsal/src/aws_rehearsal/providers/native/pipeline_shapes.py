"""`AWS::CodePipeline::Pipeline` and `Webhook` properties and CodePipeline's API structures, one into the other. Pure.

The forms differ in their letters (`RoleArn`, `roleArn`), in the artifact stores (a list of regions and stores, a map by
region) and in what the API has elsewhere: tags, and transitions, which are state. "AWS::CodePipeline::Pipeline" in the
CloudFormation template reference, PipelineDeclaration in the CodePipeline API reference.
"""

from __future__ import annotations

import json
from typing import Any

from aws_rehearsal.providers.wire import Properties

MASK = "****"
"""What the API answers instead of a secret."""
_APART = ("Tags", "DisableInboundStageTransitions", "RestartExecutionOnUpdate")
"""What is no part of the API's structure."""
_FREE = "Configuration"
"""The one property whose keys are not translated: they are the action's or the rule's own."""
_DEFAULTS = {"ExecutionMode": "SUPERSEDED", "PipelineType": "V1"}


def to_api(properties: Properties) -> Properties:
    """The `pipeline` structure of CreatePipeline and UpdatePipeline."""
    kept = {name: value for name, value in properties.items() if name not in _APART}
    structure: Properties = {_lower(name): _renamed(value, _lower) for name, value in _plain(kept).items()}
    if "artifactStores" in structure:
        structure["artifactStores"] = {item["region"]: item["artifactStore"] for item in structure["artifactStores"]}
    return structure


def to_properties(structure: Properties, tags: dict[str, str], closed: dict[str, str]) -> Properties:
    """Properties from what the API says; `closed` are stages that nothing may enter, with the reason.

    `Version` is among them, as text.
    """
    properties: Properties = {_upper(name): _renamed(value, _upper) for name, value in structure.items()}
    stores = structure.get("artifactStores")
    if stores:
        properties["ArtifactStores"] = [
            {"Region": region, "ArtifactStore": _renamed(store, _upper)} for region, store in sorted(stores.items())
        ]
    if "version" in structure:
        properties["Version"] = str(structure["version"])
    own = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    properties["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(own.items())]
    properties["DisableInboundStageTransitions"] = [
        {"StageName": stage, "Reason": reason} for stage, reason in sorted(closed.items())
    ]
    return {name: value for name, value in _plain(properties).items() if value not in ([], None)}


def tags_of(properties: Properties) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in properties.get("Tags") or ()}


def closed_stages(properties: Properties) -> dict[str, str]:
    """Stages that nothing may enter, with the reason."""
    return {item["StageName"]: item["Reason"] for item in properties.get("DisableInboundStageTransitions") or ()}


def differences(declared: Properties, actual: Properties) -> Properties:
    """The properties whose meaning differs, as they really are; None for one that is not there any more.

    What AWS fills in, and the order of what has no order, is no difference. Stages and actions that mean the same are
    given as declared; a masked secret is given as declared everywhere.
    """
    changed: Properties = {}
    for name in sorted({*declared, *actual} - {"RestartExecutionOnUpdate", "Version", "Arn"}):
        old = declared.get(name)
        new = _unmasked_stages(old, actual.get(name)) if name == "Stages" else actual.get(name)
        if _meaning(name, old) != _meaning(name, new):
            changed[name] = _as_declared(old, new) if name == "Stages" else new
    return changed


def webhook_to_api(properties: Properties) -> Properties:
    """The `webhook` structure of PutWebhook."""
    return {
        "name": properties["Name"],
        "targetPipeline": properties["TargetPipeline"],
        "targetAction": properties["TargetAction"],
        "filters": _renamed(properties["Filters"], _lower),
        "authentication": properties["Authentication"],
        "authenticationConfiguration": properties["AuthenticationConfiguration"],
    }


def webhook_to_properties(webhook: Properties) -> Properties:
    """Properties from an item of ListWebhooks."""
    definition = webhook["definition"]
    tags = [{"Key": tag["key"], "Value": tag["value"]} for tag in webhook.get("tags") or ()]
    properties = {
        **{_upper(name): value for name, value in definition.items() if name != "filters"},
        "Filters": _renamed(definition["filters"], _upper),
    }
    return {**properties, "Tags": tags} if tags else properties


def webhook_differences(declared: Properties, actual: Properties) -> Properties:
    """As `differences`, for a webhook: its secret, and whether it is registered, can't be read back."""
    changed: Properties = {}
    for name in sorted({*declared, *actual} - {"TargetPipelineVersion", "RegisterWithThirdParty", "Id", "Url"}):
        old, new = declared.get(name), actual.get(name)
        if name == "AuthenticationConfiguration":
            new = {key: (old or {}).get(key, value) if value == MASK else value for key, value in (new or {}).items()}
        if _meaning(name, old) != _meaning(name, new):
            changed[name] = new
    return changed


def flag(value: Any) -> bool:
    """A boolean property, which CloudFormation also takes as text."""
    return str(value).lower() == "true"


def _meaning(name: str, value: Any) -> Any:
    if value in (None, []):
        return _DEFAULTS.get(name)
    if name == "Stages":
        return [_stage_meaning(stage) for stage in value]
    plain = _plain(value)
    if name in ("Tags", "ArtifactStores", "DisableInboundStageTransitions"):
        return sorted(plain, key=lambda item: json.dumps(item, sort_keys=True))
    return plain


def _stage_meaning(stage: Properties) -> Properties:
    plain: Properties = _plain(stage)
    return {**plain, "Actions": [_action_meaning(action) for action in plain["Actions"]]}


def _action_meaning(action: Properties) -> Properties:
    meaning = {name: value for name, value in _plain(action).items() if value not in ([], {})}
    return {"RunOrder": 1, **meaning}


def _unmasked_stages(declared: Any, actual: Any) -> Any:
    known = {
        (stage["Name"], action["Name"]): _configuration(action)
        for stage in declared or ()
        for action in stage["Actions"]
    }
    return [
        {
            **stage,
            "Actions": [
                _unmasked(action, known.get((stage["Name"], action["Name"]), {})) for action in stage["Actions"]
            ],
        }
        for stage in actual or ()
    ]


def _unmasked(action: Properties, known: Properties) -> Properties:
    configuration = action.get(_FREE)
    if not configuration or MASK not in configuration.values():
        return action
    kept = {key: known.get(key, value) if value == MASK else value for key, value in configuration.items()}
    return {**action, _FREE: kept}


def _as_declared(declared: Any, actual: Any) -> Any:
    """Stages as they are; those, and the actions, that mean what was declared in the words of the declaration."""
    stages = {stage["Name"]: stage for stage in declared or ()}
    result = []
    for stage in actual or ():
        same = stages.get(stage["Name"], {"Actions": []})
        if same.get("Name") and _stage_meaning(same) == _stage_meaning(stage):
            result.append(same)
            continue
        actions = {action["Name"]: action for action in same["Actions"]}
        result.append({**stage, "Actions": [_action_as_declared(actions, action) for action in stage["Actions"]]})
    return result


def _action_as_declared(actions: dict[str, Properties], action: Properties) -> Properties:
    same = actions.get(action["Name"])
    if same is not None and _action_meaning(same) == _action_meaning(action):
        return same
    return {name: value for name, value in action.items() if value not in ([], {})}


def _configuration(action: Properties) -> Properties:
    found: Properties = _text_values(action.get(_FREE) or {})
    return found


def _plain(value: Any) -> Any:
    """Without nulls; a configuration as text by key, which is the API's only form."""
    if isinstance(value, dict):
        return {
            key: _text_values(item) if key == _FREE else _plain(item) for key, item in value.items() if item is not None
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _text_values(configuration: Any) -> Any:
    """CloudFormation takes a configuration also as JSON text, and simple values of any type in it."""
    if isinstance(configuration, str):
        configuration = json.loads(configuration)
    return {key: _text(item) for key, item in configuration.items() if item is not None}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _renamed(value: Any, naming: Any) -> Any:
    if isinstance(value, dict):
        return {
            naming(key): item if key in (_FREE, _lower(_FREE)) else _renamed(item, naming)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, naming) for item in value]
    return value


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
