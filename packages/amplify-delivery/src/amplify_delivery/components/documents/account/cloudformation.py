"""An account's documents, storage and keys as resources of a CloudFormation template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amplify_delivery.components.documents import staging
from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.account.record import account_record
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
from amplify_delivery.components.documents.limits import check_parameter, check_projects, check_roles
from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX
from amplify_delivery.components.documents.pipeline.buildspecs import EngineDownload
from amplify_delivery.components.documents.statements import PolicyDocument, ProjectDocument, RoleDocument

MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
Resources = dict[str, dict[str, Any]]


def account_resources(access: EnvironmentAccess, engine: EngineDownload | None) -> Resources:
    """All that an account's stack makes for an environment, by logical id. `access` has the ARNs of its keys. Raises
    `ConfigError` for what AWS would refuse."""
    names, documents, types = access.names, account_documents(access, engine), account_record(access).to_text()
    check_parameter(names.types_parameter, types)
    check_roles(documents.roles, (*documents.policies, documents.boundary))
    check_projects(documents.projects)
    made = {**_storage(access), **_roles_and_projects(documents)}
    made["Types"] = _parameter(names.types_parameter, types, list(made))
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
    policy = staging.bucket_policy(names.staging_bucket, names.region)
    found = {
        **_bucket("Staging", names.staging_bucket, policy, staging_key, OLD_VERSIONS_DAYS, ci=access.ci is not None),
        **_key("State", f"State of {names.prefix}", state_key_policy(names), names.state_key_alias),
        **_bucket("State", names.state_bucket, state_bucket_policy(names), access.state_key_arn, STATE_VERSIONS_DAYS),
        "AuditLog": {**_log_group(names.audit_log_group, AUDIT_DAYS), **_KEPT},
    }
    if staging_key:
        policy = staging.key_policy(names.account, names.region)
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
        "Type": MANAGED_POLICY,
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
