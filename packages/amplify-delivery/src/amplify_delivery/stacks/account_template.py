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

from amplify_delivery.components import policies
from amplify_delivery.components.documents.account.everything import AccountDocuments, account_documents, with_keys
from amplify_delivery.components.documents.account.storage import (
    ARTIFACTS_DAYS,
    AUDIT_DAYS,
    BUILD_LOG_DAYS,
    KEY_DAYS,
    OLD_VERSIONS_DAYS,
    STATE_VERSIONS_DAYS,
    UNTAGGED_EXPIRE,
    repository_policy,
    state_bucket_policy,
    state_key_policy,
)
from amplify_delivery.components.documents.environment import ACCOUNT_VERSION, EnvironmentAccess
from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX
from amplify_delivery.components.documents.packing import MANAGED_ROOM
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.rights.prepared import prepared
from amplify_delivery.components.documents.statements import PolicyDocument, ProjectDocument, RoleDocument, size
from amplify_delivery.errors import ConfigError

ENVIRONMENT, STACK_NAME, ROLE_PREFIX = "Environment", "StackName", "StackRolePrefix"
_KEYS = ("key/00000000-0000-0000-0000-000000000000", "key/00000000-0000-0000-0000-000000000001")
"""Stand for the keys of the state and of the staging area."""
_STAND_IN = "qzqzqzqzqz"
"""For an environment's name, in its length: policies are cut into parts by their size."""
_NOBODY = "098765432109"
"""For the account."""
_POLICY = "AWS::IAM::ManagedPolicy"
Resources = dict[str, dict[str, Any]]


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
    resources = _substituted(_resources(stand_in, engine), tokens)
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
        ENVIRONMENT: ("Name of the environment, as its stack file has it", "[a-z][a-z0-9]{1,9}"),
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
    own, found = _meaning(_resources(access, engine)), _meaning(filled)
    too_long = {
        name
        for name, resource in filled.items()
        if resource["Type"] == _POLICY and size(resource["Properties"]["PolicyDocument"]) > MANAGED_ROOM
    }
    return sorted({name for name in own.keys() | found.keys() if own.get(name) != found.get(name)} | too_long)


def _meaning(resources: Resources) -> dict[str, Any]:
    """What resources come to, whatever the order of lists, and however the rights of a role are cut into policies: the
    longer a name, the more of them."""
    texts = {
        r["Properties"]["ManagedPolicyName"]: r["Properties"]["PolicyDocument"]["Statement"]
        for r in resources.values()
        if r["Type"] == _POLICY
    }
    found: dict[str, Any] = {}
    for name, resource in resources.items():
        properties = dict(resource["Properties"])
        if resource["Type"] == _POLICY and name != "BoundaryPolicy":
            continue
        if resource["Type"] == "AWS::IAM::Role":
            attached = properties.pop("ManagedPolicyArns", [])
            own = [arn for arn in attached if arn.rpartition("/")[2] in texts]
            properties["Statements"] = [s for arn in own for s in texts[arn.rpartition("/")[2]]]
            properties["Others"] = [arn for arn in attached if arn not in own]
        found[name] = [resource["Type"], resource.get("DeletionPolicy"), _sorted(properties)]
    return found


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
            text = re.sub(r"\$\{([^!}]+)\}", lambda found: values[found[1]], value["Fn::Sub"])
            return text.replace("${!", "${")
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


def _resources(access: EnvironmentAccess, engine: EngineDownload | None) -> Resources:
    """All resources with the environment's own names in them."""
    names = access.names
    keyed = with_keys(access, _KEYS)
    documents = account_documents(keyed, engine)
    made = {**_storage(keyed), **_roles_and_projects(documents)}
    parameters = {"Types": (names.types_parameter, prepared(access).to_text())}
    made["Types"] = _parameter(*parameters["Types"], list(made))
    version = str(ACCOUNT_VERSION)
    stamps = {"BootstrapVersion": names.version_parameter}
    if names.former:
        stamps["FormerVersion"] = names.former_version_parameter
    before = list(made)
    return {**made, **{name: _parameter(parameter, version, before) for name, parameter in stamps.items()}}


def _parameter(name: str, value: str, after: list[str]) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "DependsOn": after,
        "Properties": {"Name": name, "Type": "String", "Value": value},
    }


_KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def _storage(access: EnvironmentAccess) -> Resources:
    """Staging area, state and its key, audit log, images."""
    names, staging_key = access.names, access.staging_key_arn
    staging = json.loads(policies.staging_bucket(names.staging_bucket, names.region))
    found = {
        **_bucket("Staging", names.staging_bucket, staging, staging_key, OLD_VERSIONS_DAYS, ci=access.ci is not None),
        **_key("State", f"State of {names.prefix}", state_key_policy(names), names.state_key_alias),
        **_bucket("State", names.state_bucket, state_bucket_policy(names), access.state_key_arn, STATE_VERSIONS_DAYS),
        "AuditLog": {**_log_group(names.audit_log_group, AUDIT_DAYS), **_KEPT},
    }
    if staging_key:
        policy = json.loads(policies.staging_key(names.account, names.region))
        found |= _key("Staging", f"Objects of {names.staging_bucket}", policy, names.staging_key_alias)
    if access.images:
        found["Repository"] = {
            "Type": "AWS::ECR::Repository",
            **_KEPT,
            "Properties": {
                "RepositoryName": names.repository,
                "ImageTagMutability": "IMMUTABLE",
                "ImageScanningConfiguration": {"ScanOnPush": True},
                "RepositoryPolicyText": repository_policy(names),
                "LifecyclePolicy": {"LifecyclePolicyText": UNTAGGED_EXPIRE},
            },
        }
    return found


def _key(what: str, description: str, policy: Mapping[str, Any], alias: str) -> Resources:
    key = {
        "Type": "AWS::KMS::Key",
        **_KEPT,
        "Properties": {
            "Description": description,
            "EnableKeyRotation": True,
            "PendingWindowInDays": KEY_DAYS,
            "KeyPolicy": policy,
        },
    }
    target = {"AliasName": alias, "TargetKeyId": {"Ref": f"{what}Key"}}
    return {f"{what}Key": key, f"{what}KeyAlias": {"Type": "AWS::KMS::Alias", **_KEPT, "Properties": target}}


def _bucket(
    what: str, name: str, policy: Mapping[str, Any], key: str | None, days: int, *, ci: bool = False
) -> Resources:
    encryption: dict[str, Any] = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms" if key else "AES256"}}
    if key:
        encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] = key
        encryption["BucketKeyEnabled"] = True
    rules: list[dict[str, Any]] = [
        {
            "Id": "overwritten-and-broken-off",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": days},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
    if ci:
        rules.append(
            {
                "Id": f"expires-{ARTIFACTS_PREFIX.rstrip('/')}",
                "Status": "Enabled",
                "Prefix": ARTIFACTS_PREFIX,
                "ExpirationInDays": ARTIFACTS_DAYS,
            }
        )
    bucket = {
        "Type": "AWS::S3::Bucket",
        **_KEPT,
        "Properties": {
            "BucketName": name,
            "BucketNamespace": "account-regional",
            "VersioningConfiguration": {"Status": "Enabled"},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
            "LifecycleConfiguration": {"Rules": rules},
        },
    }
    closed = {
        "Type": "AWS::S3::BucketPolicy",
        "DependsOn": [f"{what}Bucket"],
        **_KEPT,
        "Properties": {"Bucket": name, "PolicyDocument": policy},
    }
    return {f"{what}Bucket": bucket, f"{what}BucketPolicy": closed}


def _log_group(name: str, days: int) -> dict[str, Any]:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "RetentionInDays": days}}


def _roles_and_projects(documents: AccountDocuments) -> Resources:
    prefix = documents.boundary.name.removesuffix("-boundary")
    by_arn = {p.arn: f"{_word(p.name, prefix)}Policy" for p in (documents.boundary, *documents.policies)}
    found = {by_arn[p.arn]: _policy(p) for p in (documents.boundary, *documents.policies)}
    roles = {role.arn: f"{_word(role.name, prefix)}Role" for role in documents.roles}
    found |= {roles[role.arn]: _role(role, by_arn) for role in documents.roles}
    for project in documents.projects:
        what = _word(project.name, prefix)
        found[f"{what}Log"] = _log_group(project.log_group, BUILD_LOG_DAYS)
        found[f"{what}Project"] = _project(project, [f"{what}Log", roles[project.role_arn]])
    return found


def _word(name: str, prefix: str) -> str:
    return "".join(part.capitalize() for part in name.removeprefix(f"{prefix}-").split("-"))


def _policy(document: PolicyDocument) -> dict[str, Any]:
    return {
        "Type": _POLICY,
        "Properties": {
            "ManagedPolicyName": document.name,
            "Path": document.path,
            "Description": document.description,
            "PolicyDocument": document.document,
        },
    }


def _role(document: RoleDocument, made: Mapping[str, str]) -> dict[str, Any]:
    inline = [{"PolicyName": name, "PolicyDocument": document.policies[name]} for name in sorted(document.policies)]
    optional = {
        "Policies": inline,
        "ManagedPolicyArns": list(document.managed_policies),
        "PermissionsBoundary": document.boundary,
    }
    # By name: IAM refuses a managed policy that is not there yet.
    after = [made[arn] for arn in document.managed_policies if arn in made]
    return {
        "Type": "AWS::IAM::Role",
        **({"DependsOn": after} if after else {}),
        "Properties": {
            "RoleName": document.name,
            "Path": document.path,
            "Description": document.description,
            "AssumeRolePolicyDocument": document.trust,
            **{key: value for key, value in optional.items() if value},
        },
    }


def _project(document: ProjectDocument, after: list[str]) -> dict[str, Any]:
    values = {name: ("PLAINTEXT", value) for name, value in document.variables.items()}
    values |= {name: ("SECRETS_MANAGER", reference) for name, reference in document.secrets.items()}
    variables = [{"Name": name, "Value": value, "Type": kind} for name, (kind, value) in sorted(values.items())]
    network = document.network
    vpc = network and {
        "VpcId": network.vpc,
        "Subnets": [*network.subnets],
        "SecurityGroupIds": [*network.security_groups],
    }
    return {
        "Type": "AWS::CodeBuild::Project",
        "DependsOn": after,
        "Properties": {
            "Name": document.name,
            "Description": document.description,
            "ServiceRole": document.role_arn,
            "Artifacts": {"Type": "CODEPIPELINE"},
            "Source": {"Type": "CODEPIPELINE", "BuildSpec": document.buildspec},
            "Environment": {
                "Type": document.environment_type,
                "Image": document.image,
                "ImagePullCredentialsType": document.pull_credentials,
                "ComputeType": document.compute_type,
                "PrivilegedMode": document.privileged,
                "EnvironmentVariables": variables,
            },
            "TimeoutInMinutes": document.timeout_minutes,
            "QueuedTimeoutInMinutes": document.queued_timeout_minutes,
            "LogsConfig": {"CloudWatchLogs": {"Status": "ENABLED", "GroupName": document.log_group}},
            **({"VpcConfig": vpc} if vpc else {}),
        },
    }
