"""Render the root template: assembly + one environment's values -> what CloudFormation is called with."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_export.assembly import Assembly, AssemblyObject, NestedStack, Value, canonical
from amplify_export.checks.quotas import MAX_OUTPUTS, MAX_PARAMETERS, MAX_TEMPLATE, SPLIT
from amplify_export.documents import parse_json
from amplify_export.environment import EnvironmentValues
from amplify_export.errors import ConfigError
from amplify_export.model import Export
from amplify_export.names import MAX_BUCKET_NAME, StackName
from amplify_export.parameters import API_KEY_EXPIRES, is_no_echo, text

ROOT = "root"
"""How an environment's `parameters` name the root stack itself."""

_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")
_MAX_TAG_VALUE = 256


@dataclass(frozen=True)
class Secret:
    """A secret parameter. Its value lies in Secrets Manager under `secret_name`; the root template refers
    to it, and its root parameter `version_parameter` takes the secret's version id, so that a rotated
    secret updates the nested stack exactly once."""

    nested_stack: str
    parameter: str
    secret_name: str
    version_parameter: str


@dataclass(frozen=True)
class RootStack:
    """The root stack of one environment.

    `object` is the template as an object of the staging bucket (its key is made from its content),
    `body` its bytes. `parameters` are all root parameters but the `version_parameter`s of `secrets`.
    `outputs` maps (nested stack, its output) to the root output that repeats it.
    """

    stack_name: str
    template: Mapping[str, Any]
    body: bytes
    object: AssemblyObject
    parameters: Mapping[str, str]
    secrets: tuple[Secret, ...]
    outputs: Mapping[tuple[str, str], str]
    tags: Mapping[str, str]


def exported_values(export: Export) -> dict[str, dict[str, str]]:
    """The values that an export sets, by nested stack: what a second export gives to its environment."""
    values = {
        name: {k: text(v) for k, v in stack.parameters.items() if v is not None}
        for name, stack in export.root.nested.items()
    }
    values[ROOT] = {k: text(v) for k, v in export.root.parameters.items() if v is not None}
    return values


def render_root(assembly: Assembly, values: EnvironmentValues, staging_bucket: str) -> RootStack:
    """The root of `assembly` for one environment. Pure.

    Raises `ConfigError` for an unknown nested stack or parameter (with the nearest valid name), for a
    value that the template wires itself, for a secret that the environment does not supply.
    """
    name = assembly.stack_name.for_environment(values.name, values.suffix)
    template = {**assembly.root_template}
    resources = dict(template["Resources"])
    declared = dict(template["Parameters"])
    bodies = {n: parse_json(assembly.read(s.template)) for n, s in assembly.root.nested.items()}
    _check_names(assembly, values, bodies)
    secrets: list[Secret] = []
    for nested_name, nested in assembly.root.nested.items():
        item = resources[nested_name]
        parameters = {**item["Properties"].get("Parameters", {})}
        given = _layers(nested_name, nested, values, bodies[nested_name].get("Parameters") or {})
        for parameter, value in given.items():
            if value.source == "secret":
                secret = _secret(name, nested_name, parameter)
                secrets.append(secret)
                declared[secret.version_parameter] = {
                    "Type": "String",
                    "Description": f"Version of the secret {secret.secret_name}",
                }
                parameters[parameter] = {
                    "Fn::Sub": "{{resolve:secretsmanager:%s:SecretString:::${%s}}}"
                    % (secret.secret_name, secret.version_parameter)
                }
            else:
                parameters[parameter] = _text(value, name, staging_bucket)
        url = {"Fn::Sub": f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/{staging_bucket}/{nested.template}"}
        properties = {**item["Properties"], "Parameters": parameters, "TemplateURL": url}
        if not parameters:
            del properties["Parameters"]
        resources[nested_name] = {**item, "Properties": properties}
    template["Resources"], template["Parameters"] = resources, declared
    template["Outputs"], outputs = _outputs(template.get("Outputs") or {}, bodies)
    parameters = _root_parameters(assembly, values, name)
    _check_limits(declared, parameters)
    body = canonical(template)
    if len(body) > MAX_TEMPLATE:
        raise ConfigError(f"the root template has {len(body):,} bytes, CloudFormation takes {MAX_TEMPLATE:,}", remedy=SPLIT)
    sha256 = hashlib.sha256(body).hexdigest()
    return RootStack(
        stack_name=str(name),
        template=template,
        body=body,
        object=AssemblyObject(f"templates/{sha256}.json", "template", len(body), sha256, "application/json"),
        parameters=parameters,
        secrets=tuple(secrets),
        outputs=outputs,
        tags=_tags(assembly, name),
    )


def _layers(
    nested_name: str, nested: NestedStack, values: EnvironmentValues, declared: Mapping[str, Any]
) -> dict[str, Value]:
    """A nested stack's values, last wins: the export's, a second export's, the environment's own.

    What the assembly decides (locations, the environment's name) stays; a secret must come as one.
    """
    result = dict(nested.parameters)
    for parameter, literal in values.from_export.get(nested_name, {}).items():
        known = result.get(parameter)
        if parameter in declared and known is not None and known.source == "literal":
            result[parameter] = Value("literal", literal)
    for parameter, literal in values.parameters.get(nested_name, {}).items():
        if is_no_echo(declared[parameter]) and (parameter in result and result[parameter].source == "secret"):
            raise ConfigError(
                f"{nested_name}.{parameter} is a secret, but its value stands in plain text",
                remedy=f"`pulumi config set --secret --path 'parameters.{nested_name}.{parameter}' VALUE`",
            )
        result[parameter] = Value("literal", literal)
    for stack, parameter in values.secrets:
        if stack == nested_name:
            result[parameter] = Value("secret")
    for parameter, value in result.items():
        if value.source == "secret" and (nested_name, parameter) not in values.secrets:
            raise ConfigError(
                f"the secret {nested_name}.{parameter} has no value in environment {values.name}",
                remedy=f"`pulumi config set --secret --path 'parameters.{nested_name}.{parameter}' VALUE`",
            )
    return dict(sorted(result.items()))


def _check_names(assembly: Assembly, values: EnvironmentValues, bodies: Mapping[str, Any]) -> None:
    """Refuse what the environment sets and nothing takes."""
    stacks = {**{n: b.get("Parameters") or {} for n, b in bodies.items()}, ROOT: assembly.root_template["Parameters"]}
    given = [(s, p) for s, parameters in values.parameters.items() for p in (*parameters, None)]
    for stack, parameter in (*given, *sorted(values.secrets)):
        if stack not in stacks:
            raise ConfigError(
                f"parameters: there is no nested stack {stack!r}{_nearest(stack, stacks)}",
                remedy=f"the export has {', '.join(sorted(stacks))}",
            )
        if parameter is None:
            continue
        if parameter not in stacks[stack]:
            raise ConfigError(
                f"parameters: {stack} has no parameter {parameter!r}{_nearest(parameter, stacks[stack])}",
                remedy=f"it has {', '.join(sorted(stacks[stack]))}",
            )
        if stack == ROOT:
            if (stack, parameter) in values.secrets:
                raise ConfigError(f"parameters: {ROOT}.{parameter} cannot be a secret", remedy="give it as plain text")
            continue
        known = assembly.root.nested[stack].parameters.get(parameter)
        wired = assembly.root_template["Resources"][stack]["Properties"].get("Parameters", {})
        if parameter in wired or (known is not None and known.source not in ("literal", "secret")):
            raise ConfigError(
                f"parameters: {stack}.{parameter} is set by the assembly itself and cannot be overridden",
                remedy="take it out; what other stacks or the environment's name decide is not a setting",
            )
        allowed = stacks[stack][parameter].get("AllowedValues")
        value = values.parameters.get(stack, {}).get(parameter)
        if allowed and value is not None and value not in {text(a) for a in allowed}:
            raise ConfigError(
                f"parameters: {stack}.{parameter} is {value!r}, allowed are {', '.join(text(a) for a in allowed)}"
            )


def _nearest(name: str, valid: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(valid), n=1)
    return f", do you mean {close[0]!r}?" if close else ""


def _text(value: Value, name: StackName, staging_bucket: str) -> str:
    match value.source:
        case "staging-bucket":
            return staging_bucket
        case "environment":
            return name.environment
        case "stack-name":
            return f"{name}{value.text}"
        case _:
            return value.text


def _secret(name: StackName, nested: str, parameter: str) -> Secret:
    return Secret(nested, parameter, f"{name}/{nested}/{parameter}", _alphanumeric(f"{nested}{parameter}SecretVersion"))


def _alphanumeric(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text)


def _outputs(own: Mapping[str, Any], bodies: Mapping[str, Any]) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    """The root's outputs, and for each output of a nested stack one that repeats it.

    Only so can a program that owns the root stack read them: a stack's API gives its own outputs. An
    output with a condition is left out, because nothing tells whether it exists.
    """
    outputs, names = dict(own), {}
    for nested in sorted(bodies):
        for output, declaration in sorted((bodies[nested].get("Outputs") or {}).items()):
            name = _alphanumeric(f"{nested}Output{output}")
            if "Condition" in declaration or name in outputs or len(outputs) >= MAX_OUTPUTS:
                continue
            outputs[name] = {"Value": {"Fn::GetAtt": [nested, f"Outputs.{output}"]}}
            names[nested, output] = name
    return outputs, names


def _root_parameters(assembly: Assembly, values: EnvironmentValues, name: StackName) -> dict[str, str]:
    result = {k: _text(v, name, "") for k, v in assembly.root.parameters.items()}
    for parameter, literal in values.from_export.get(ROOT, {}).items():
        if parameter in result and assembly.root.parameters[parameter].source == "literal":
            result[parameter] = literal
    result.update(values.parameters.get(ROOT, {}))
    result.setdefault(API_KEY_EXPIRES, str(values.api_key_expires))
    bucket = result.get("DeploymentBucketName", "")
    if len(bucket) > MAX_BUCKET_NAME:
        raise ConfigError(
            f"the deployment bucket's name {bucket} has {len(bucket)} characters, S3 allows {MAX_BUCKET_NAME}",
            remedy="shorten the environment's name or its suffix",
        )
    return dict(sorted(result.items()))


def _check_limits(declared: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    if len(declared) > MAX_PARAMETERS:
        raise ConfigError(f"the root has {len(declared)} parameters, the quota is {MAX_PARAMETERS}", remedy=SPLIT)
    for name, value in parameters.items():
        if len(value.encode()) > 4096:
            raise ConfigError(f"parameters: {ROOT}.{name} is longer than CloudFormation's 4,096 bytes")


def _tags(assembly: Assembly, name: StackName) -> dict[str, str]:
    """The export's tags, `{project-env}` filled in as the CDK construct does: its first occurrence."""
    tags = {}
    for key, value in assembly.tags:
        tags[key] = value.replace("{project-name}", name.project).replace("{project-env}", name.environment, 1)
        if len(tags[key]) > _MAX_TAG_VALUE:
            raise ConfigError(f"tag {key!r} has {len(tags[key])} characters, AWS takes {_MAX_TAG_VALUE}")
    return tags
