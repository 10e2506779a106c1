"""What an account's stack makes, as a CloudFormation template: for organizations that give out accounts with StackSets,
AWS Control Tower or the AWS Deployment Framework.

It is made from the same documents as the Pulumi program's resources. One template serves many environments, each in its
account: what differs between them are account and region, which CloudFormation knows, and three parameters. Whether the
template with an environment's parameters is what that environment's own documents say is compared for each of them,
word by word; where it is not, there is no template. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from amplify_delivery.components.documents.account.account_documents import with_keys
from amplify_delivery.components.documents.account.cloudformation import MANAGED_POLICY, Resources, account_resources
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION, EnvironmentAccess
from amplify_delivery.components.documents.packing import INLINE_ROOM, MANAGED_ROOM
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.statements import size
from amplify_delivery.errors import ConfigError
from amplify_delivery.export.names import ENVIRONMENT as NAME_OF_ENVIRONMENT
from amplify_delivery.export.templates.expressions import spelt

ENVIRONMENT, STACK_NAME, ROLE_PREFIX = "Environment", "StackName", "StackRolePrefix"
_KEYS = ("key/00000000-0000-0000-0000-000000000000", "key/00000000-0000-0000-0000-000000000001")
"""Stand for the keys of the state and of the staging area."""
_STAND_IN = "qzqzqzqzqz"
"""For an environment's name, in its length: policies are cut into parts by their size."""
_NOBODY = "098765432109"
"""For the account."""


@dataclass(frozen=True)
class AccountTemplate:
    """`template` is for all environments, `parameters` are those of each, by name."""

    template: dict[str, Any]
    parameters: Mapping[str, Mapping[str, str]]


def account_template(accesses: Mapping[str, EnvironmentAccess], engine: EngineDownload | None) -> AccountTemplate:
    """The template for these environments. Raises `ConfigError` for one that it cannot be for."""
    # The longest name: what fits into policies with it fits with all others.
    first = max(accesses.values(), key=lambda access: len(access.names.environment))
    stand_in = _standing_in(first)
    names = stand_in.names
    tokens = (
        (stand_in.stack_name, f"${{{STACK_NAME}}}"),
        (names.stack_role_prefix, f"${{{ROLE_PREFIX}}}"),
        (names.arn("kms", _KEYS[0]), "${StateKey.Arn}"),
        (names.arn("kms", _KEYS[1]), "${StagingKey.Arn}"),
        (names.environment, f"${{{ENVIRONMENT}}}"),
        (_NOBODY, "${AWS::AccountId}"),
        (names.region, "${AWS::Region}"),
    )
    resources = _substituted(_own_resources(stand_in, engine), tokens)
    parameters = {name: _parameters(access) for name, access in accesses.items()}
    for name, access in accesses.items():
        differs = different(resources, access, parameters[name], engine)
        if differs:
            raise ConfigError(
                f"{name} needs a template of its own: {', '.join(differs[:3])} would not be what its files say",
                where=f"environment {name}",
                remedy=f"`amplify-delivery bootstrap {name} --template`, and one for the others",
            )
    described = {
        ENVIRONMENT: ("Name of the environment, as its stack file has it", NAME_OF_ENVIRONMENT),
        STACK_NAME: ("Root stack of the backend: amplify-APP-ENV-SUFFIX", "amplify-[A-Za-z0-9-]+"),
        ROLE_PREFIX: ("The first 24 characters of amplify-APP-ENV", "amplify-[A-Za-z0-9-]+"),
    }
    return AccountTemplate(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"Lets {first.visitor} into an account, bootstrap {ACCOUNT_VERSION}",
            "Parameters": {
                name: {"Type": "String", "Description": text, "AllowedPattern": pattern}
                for name, (text, pattern) in described.items()
                if f"${{{name}}}" in json.dumps(resources)
            },
            "Resources": resources,
        },
        parameters,
    )


def different(
    resources: Resources, access: EnvironmentAccess, parameters: Mapping[str, str], engine: EngineDownload | None
) -> list[str]:
    """The logical ids of what the template's resources, with these parameters, have otherwise than the environment's
    own documents."""
    names = access.names
    values = {
        **parameters,
        "AWS::AccountId": names.account,
        "AWS::Region": names.region,
        "StateKey.Arn": names.arn("kms", _KEYS[0]),
        "StagingKey.Arn": names.arn("kms", _KEYS[1]),
    }
    filled: Resources = resolved(resources, values)
    own, found = _meaning(_own_resources(access, engine)), _meaning(filled)
    too_long = {name for name, resource in filled.items() if _is_too_long(resource)}
    return sorted({name for name in own.keys() | found.keys() if own.get(name) != found.get(name)} | too_long)


def _is_too_long(resource: Mapping[str, Any]) -> bool:
    """Whether IAM would refuse the policies of a resource for their size: those of the longest environment fit, but
    another one's region may be longer."""
    properties = resource["Properties"]
    if resource["Type"] == MANAGED_POLICY:
        return size(properties["PolicyDocument"]) > MANAGED_ROOM
    return sum(size(policy["PolicyDocument"]) for policy in properties.get("Policies", ())) > INLINE_ROOM


def _meaning(resources: Resources) -> dict[str, Any]:
    """What resources come to, whatever the order of lists, and however the rights of a role are cut into policies, its
    own and managed ones: the longer a name, the more of them."""
    texts = {
        r["Properties"]["ManagedPolicyName"]: r["Properties"]["PolicyDocument"]["Statement"]
        for r in resources.values()
        if r["Type"] == MANAGED_POLICY
    }
    found: dict[str, Any] = {}
    for name, resource in resources.items():
        properties = dict(resource["Properties"])
        if resource["Type"] == MANAGED_POLICY and name != "BoundaryPolicy":
            continue
        if resource["Type"] == "AWS::IAM::Role":
            attached = properties.pop("ManagedPolicyArns", [])
            own = [arn for arn in attached if _name(arn) in texts]
            inline = [policy["PolicyDocument"]["Statement"] for policy in properties.pop("Policies", [])]
            properties["Statements"] = [s for some in (*inline, *(texts[_name(arn)] for arn in own)) for s in some]
            properties["Others"] = [arn for arn in attached if arn not in own]
        found[name] = [resource["Type"], resource.get("DeletionPolicy"), _sorted(properties)]
    return found


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def resolved(value: Any, values: Mapping[str, str]) -> Any:
    """What CloudFormation makes of `Fn::Sub` with these values, at any depth."""
    if isinstance(value, Mapping):
        if set(value) == {"Fn::Sub"}:
            return spelt(value, values)
        return {key: resolved(item, values) for key, item in value.items()}
    return [resolved(item, values) for item in value] if isinstance(value, list) else value


def _parameters(access: EnvironmentAccess) -> dict[str, str]:
    return {
        ENVIRONMENT: access.names.environment,
        STACK_NAME: access.stack_name,
        ROLE_PREFIX: access.names.stack_role_prefix,
    }


def _standing_in(access: EnvironmentAccess) -> EnvironmentAccess:
    """The same with names that occur nowhere else."""
    own, name = access.names.environment, _STAND_IN[: len(access.names.environment)]
    names = replace(access.names, account=_NOBODY, environment=name)
    return replace(
        access,
        names=names,
        stack_name=access.stack_name.replace(f"-{own}-", f"-{name}-"),
        page_buckets=frozenset(f"{bucket.removesuffix(own)}{name}" for bucket in access.page_buckets),
        tags={key: name if value == own else value for key, value in access.tags.items()},
        ci=access.ci and replace(access.ci, deploying=tuple(_subject(s, own, name) for s in access.ci.deploying)),
    )


def _subject(subject: str, own: str, name: str) -> str:
    """A subject of GitHub's or GitLab's tokens: `...:environment:prod`."""
    return re.sub(rf"(?<=:environment:){own}(?=:|$)", name, subject)


def _substituted(value: Any, tokens: tuple[tuple[str, str], ...]) -> Any:
    if isinstance(value, Mapping):
        return {key: _substituted(item, tokens) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_substituted(item, tokens) for item in value]
    if not isinstance(value, str) or not any(token in value for token, _ in tokens):
        return value
    text = value.replace("${", "${!")
    for token, reference in tokens:
        text = text.replace(token, reference)
    return {"Fn::Sub": text}


def _own_resources(access: EnvironmentAccess, engine: EngineDownload | None) -> Resources:
    """All resources with the environment's own names in them, and stand-ins for its keys."""
    return account_resources(with_keys(access, _KEYS), engine)
