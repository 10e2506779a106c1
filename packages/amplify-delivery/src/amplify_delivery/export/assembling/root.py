"""Render the root template: assembly + one environment's values -> what CloudFormation is called with."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.export.assembling.triggers import pool_state
from amplify_delivery.export.assembly import Assembly, AssemblyObject, Value, canonical
from amplify_delivery.export.documents import parse_json
from amplify_delivery.export.images.model import address
from amplify_delivery.export.model import Export
from amplify_delivery.export.names import MAX_BUCKET_NAME, StackName
from amplify_delivery.export.quotas import MAX_OUTPUTS, MAX_PARAMETERS, MAX_TEMPLATE, SPLIT
from amplify_delivery.export.tags import of_stack
from amplify_delivery.export.templates.boundary import PERMISSIONS_BOUNDARY
from amplify_delivery.export.templates.literals import text
from amplify_delivery.export.values.bindings import check_bound
from amplify_delivery.export.values.environment import ROOT, EnvironmentValues, ExportedValues
from amplify_delivery.export.values.layers import check_names, check_value, layered
from amplify_delivery.export.values.parameters import API_KEY_EXPIRES, is_no_echo
from amplify_delivery.findings import Finding, Rule

TEMPLATE_KEY = "RootTemplateKey"
"""A root parameter that holds the root template's own key, and that nothing refers to.

CloudFormation does not tell from which address a stack's template came, but it gives parameters back. Only by this
one does a refresh see that an update was rolled back, and the next deployment that there is something to do.
"""

_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")
_MAX_SECRETS = 60
"""Dynamic references in one template (CloudFormation user guide, "Get values stored in other services")."""


PRODUCTION = Rule(
    "AD215",
    "refused",
    "A first deployment of an environment in production: what it protects could not be taken away again if the "
    "create failed.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html",
    "`Resource cannot be deleted as it is currently protected against deletion`: the stack ends in DELETE_FAILED",
    remedy="deploy it once without `production`, then set `production: true` and deploy that: a change in place",
)

_PROTECTED = PRODUCTION.at(
    "production",
    "nothing is deployed yet: a create that fails halfway could not take away again what `production: true` protects",
    "deploy it once without `production`, then set `production: true` and deploy that: it is a change in place",
)


@dataclass(frozen=True)
class Secret:
    """A secret parameter. Its value lies in Secrets Manager under `secret_name`; the root template refers
    to it, and its root parameter `version_parameter` takes the secret's version id, so that a rotated
    secret updates the nested stack exactly once."""

    nested_stack: str
    parameter: str
    secret_name: str
    version_parameter: str

    def reference(self) -> dict[str, str]:
        """The dynamic reference that CloudFormation replaces by the secret's value."""
        version = f"${{{self.version_parameter}}}"
        return {"Fn::Sub": "{{resolve:secretsmanager:" + f"{self.secret_name}:SecretString:::{version}" + "}}"}


@dataclass(frozen=True)
class RootStack:
    """The root stack of one environment.

    `object` is the template as an object of the staging bucket (its key is made from its content),
    `body` its bytes. `parameters` are all root parameters but the `version_parameter`s of `secrets`.
    `outputs` maps (nested stack, its output) to the root output that repeats it. `against_creating` are refusals of a
    stack that is made anew: one that is there may be updated.
    """

    stack_name: str
    template: Mapping[str, Any]
    body: bytes
    object: AssemblyObject
    parameters: Mapping[str, str]
    secrets: tuple[Secret, ...]
    outputs: Mapping[tuple[str, str], str]
    tags: Mapping[str, str]
    against_creating: tuple[Finding, ...] = ()


def exported_values(export: Export) -> ExportedValues:
    """The values that an export sets, for an environment whose second export it is.

    Left out is what is no setting: secrets (a file that is committed must not hold any), the environment's
    name, and names made from the stack's, which are made from it again.
    """
    values = {
        name: {
            k: text(v)
            for k, v in stack.parameters.items()
            if v is not None and k in stack.declared and k != "env" and not is_no_echo(stack.declared[k])
        }
        for name, stack in {ROOT: export.root, **export.root.nested}.items()
    }
    made = f"{export.stack_name}-"
    return ExportedValues(
        export.stack_name,
        {name: {k: v for k, v in given.items() if not v.startswith(made)} for name, given in values.items()},
    )


def render_root(assembly: Assembly, values: EnvironmentValues, staging_bucket: str) -> RootStack:
    """The root of `assembly` for one environment. Pure.

    Raises `ConfigError` for an unknown nested stack or parameter (with the nearest valid name), for a
    value that the template wires itself, for a secret that the environment does not supply, for a second
    export that is another project's, and for what CloudFormation's quotas do not allow; `ExportRefused` for literals of
    the exported environment that another one has not said to keep.
    """
    exported = values.exported_name
    if exported is not None and exported.project != assembly.project:
        raise ConfigError(
            f"the second export is of project {exported.project}, this one of {assembly.project}",
            remedy="name an export of the same Amplify project, made in this environment",
        )
    name = assembly.stack_name.for_environment(values.name, values.own_suffix)
    template = {**assembly.root_template}
    declared = dict(template["Parameters"])
    bodies = {n: parse_json(assembly.read(s.template)) for n, s in assembly.root.nested.items()}
    check_names(assembly, values, bodies)
    called, secrets = _called(assembly, values, name, staging_bucket, bodies)
    declared.update({s.version_parameter: _version_of(s) for s in secrets})
    tags = of_stack(assembly.tags, name, values.tags)
    for nested_name, nested in assembly.root.nested.items():
        for parameter, value in nested.parameters.items():
            if value.source == "user-pool":
                called[nested_name][parameter] = pool_state(bodies[value.text], called[value.text], tags)
    against_creating = check_bound(assembly, values, name, called)
    if assembly.protects:
        against_creating = (*against_creating, _PROTECTED)
    declared[TEMPLATE_KEY] = {"Type": "String", "Description": "Key of this template in the staging bucket"}
    template["Resources"], template["Parameters"] = _nested(assembly, called, staging_bucket), declared
    template["Outputs"], outputs = _outputs(template.get("Outputs") or {}, bodies)
    parameters = _root_parameters(assembly, values, name)
    _check_limits(declared, secrets)
    body = canonical(template)
    if len(body) > MAX_TEMPLATE:
        message = f"the root template has {len(body):,} bytes, CloudFormation takes {MAX_TEMPLATE:,}"
        raise ConfigError(message, remedy=SPLIT)
    published = AssemblyObject.of_template(body)
    return RootStack(
        stack_name=str(name),
        template=template,
        body=body,
        object=published,
        parameters=dict(sorted({**parameters, TEMPLATE_KEY: published.key}.items())),
        secrets=tuple(secrets),
        outputs=outputs,
        tags=tags,
        against_creating=against_creating,
    )


def _called(
    assembly: Assembly,
    values: EnvironmentValues,
    name: StackName,
    staging_bucket: str,
    bodies: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, dict[str, Any]], list[Secret]]:
    """The parameters that each nested stack is given, and the secrets among them.

    A secret stands there as a dynamic reference with its version: its value is in no template, and a new version of it
    is a change that CloudFormation sees.
    """
    called: dict[str, dict[str, Any]] = {}
    secrets: list[Secret] = []
    for nested_name, nested in assembly.root.nested.items():
        wired = assembly.root_template["Resources"][nested_name]["Properties"].get("Parameters", {})
        parameters = {**wired}
        given = layered(nested_name, nested, values, bodies[nested_name].get("Parameters") or {}, wired)
        for parameter, value in given.items():
            if value.source == "secret":
                secrets.append(_secret(name, nested_name, parameter))
                parameters[parameter] = secrets[-1].reference()
            elif value.source == "image":
                parameters[parameter] = address(assembly.project, name.environment, assembly.image(value.text))
            else:
                parameters[parameter] = _text(value, name, staging_bucket)
        called[nested_name] = parameters
    return called, secrets


def _version_of(secret: Secret) -> dict[str, str]:
    """The root's parameter that holds a secret's version."""
    return {"Type": "String", "Description": f"Version of the secret {secret.secret_name}"}


def _nested(assembly: Assembly, called: Mapping[str, Mapping[str, Any]], staging_bucket: str) -> dict[str, Any]:
    """The root's resources, its nested stacks with their parameters and the addresses of their templates."""
    resources = dict(assembly.root_template["Resources"])
    for name, nested in assembly.root.nested.items():
        url = {"Fn::Sub": f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/{staging_bucket}/{nested.template}"}
        properties = {**resources[name]["Properties"], "Parameters": called[name], "TemplateURL": url}
        if not called[name]:
            del properties["Parameters"]
        resources[name] = {**resources[name], "Properties": properties}
    return resources


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

    Only so can a program that owns the root stack read them: a stack's API gives its own outputs. Left out,
    and so not in the names that are returned, is an output with a condition, because nothing tells whether it
    exists, and what exceeds CloudFormation's quota of outputs.
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
    known = assembly.root_template["Parameters"]
    result.update({k: v for k, v in values.from_export.get(ROOT, {}).items() if k in known})
    result.update(values.parameters.get(ROOT, {}))
    result.setdefault(API_KEY_EXPIRES, str(values.api_key_expires))
    if PERMISSIONS_BOUNDARY in known and values.permissions_boundary:
        result.setdefault(PERMISSIONS_BOUNDARY, values.permissions_boundary)
    for parameter, value in result.items():
        check_value(f"{ROOT}.{parameter}", known[parameter], value)
    bucket = result.get("DeploymentBucketName", "")
    if len(bucket) > MAX_BUCKET_NAME:
        raise ConfigError(
            f"the deployment bucket's name {bucket} has {len(bucket)} characters, S3 allows {MAX_BUCKET_NAME}",
            remedy="shorten the environment's name or its suffix",
        )
    if name != assembly.stack_name and bucket != bucket.lower():
        raise ConfigError(
            f"the deployment bucket's name {bucket} has capitals, S3 allows none",
            remedy="write the suffix in lower-case letters, or set `parameters: {root: {DeploymentBucketName: ...}}`",
        )
    return result


def _check_limits(declared: Collection[str], secrets: Collection[Secret]) -> None:
    if len(declared) > MAX_PARAMETERS:
        raise ConfigError(f"the root has {len(declared)} parameters, the quota is {MAX_PARAMETERS}", remedy=SPLIT)
    if len(secrets) > _MAX_SECRETS:
        raise ConfigError(
            f"parameters: {len(secrets)} secrets, CloudFormation takes {_MAX_SECRETS} dynamic references in a template",
            remedy="put several values into one secret parameter",
        )
