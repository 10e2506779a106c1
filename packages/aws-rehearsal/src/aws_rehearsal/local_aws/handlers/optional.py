"""Which of a handler's calls are made: those that no property asks for are not.

A schema lists every call that a handler may ever make. AWS refuses a missing right when the call is made, so a bucket
without CORS needs no `s3:PutBucketCORS`. A call is asked for unless it stands here; what stands here is asked for when
its properties ask for it. Where AWS does not document when a call is made, it is asked for: too strict, never too
lenient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Properties = Mapping[str, Any]
Condition = Callable[[Properties, Properties], bool]
"""Takes the new properties (none on a delete) and the old ones (none on a create)."""


def is_made(action: str, resource_type: str, new: Properties, old: Properties) -> bool:
    """Whether the type's handler makes this call on the way from `old` to `new`."""
    condition = _BY_TYPE.get(resource_type, {}).get(action)
    if condition is not None:
        return condition(new, old)
    if action in _NEVER or (resource_type, action) in _NEVER_FOR:
        return False
    if action.startswith("kms:") and not resource_type.startswith("AWS::KMS::"):
        return _names_a_key(new) or _names_a_key(old)
    if action == "s3:GetObjectVersion":
        return _has(new, ("S3ObjectVersion", "Version"), depth=3)
    return True


def _present(*names: str) -> Condition:
    return lambda new, old: any(bool(p.get(name)) for p in (new, old) for name in names)


def _changed(*names: str) -> Condition:
    return lambda new, old: any(new.get(name) != old.get(name) for name in names)


def _never(_new: Properties, _old: Properties) -> bool:
    return False


def _before(service: str) -> Condition:
    """A web ACL is put before something of that service."""
    return lambda new, old: any(str(p.get("ResourceArn")).split(":")[2:3] == [service] for p in (new, old))


def _attached_to(service: str) -> Condition:
    """A secret is attached to something of that service (`TargetType`)."""
    return lambda new, old: any(str(p.get("TargetType")).startswith(f"AWS::{service}::") for p in (new, old))


def _scales(service: str) -> Condition:
    return lambda new, old: any(p.get("ServiceNamespace") == service for p in (new, old))


def _added(name: str) -> Condition:
    """An entry of a list is new or another one."""
    return lambda new, old: any(item not in _items(old, name) for item in _items(new, name))


def _removed(*names: str) -> Condition:
    """A property, or an entry of a list, is there no more."""
    return lambda new, old: any(item not in _items(new, name) for name in names for item in _items(old, name))


def _unset(*names: str) -> Condition:
    return lambda new, old: any(bool(old.get(name)) and not new.get(name) for name in names)


def _items(properties: Properties, name: str) -> list[Any]:
    found = properties.get(name)
    return list(found) if isinstance(found, list) else [] if found in (None, "") else [found]


def _on_create(new: Properties, old: Properties) -> bool:
    return bool(new) and not old


def _names_a_key(value: Any) -> bool:
    return _has(value, None, depth=6)


def _has(value: Any, names: tuple[str, ...] | None, depth: int) -> bool:
    """Whether a property of one of these names, by default one that names a KMS key, has a value somewhere within."""
    if depth and isinstance(value, Mapping):
        return any(
            (bool(inner) and isinstance(inner, str) and (_is_key(name) if names is None else name in names))
            or _has(inner, names, depth - 1)
            for name, inner in value.items()
        )
    return depth > 0 and isinstance(value, list) and any(_has(inner, names, depth - 1) for inner in value)


def _is_key(name: str) -> bool:
    folded = name.lower()
    return "kms" in folded and ("key" in folded or "arn" in folded or folded.endswith("id"))


_NEVER = frozenset(
    {
        # The roles of services are taken to be there, as in an account that has been used before.
        "iam:CreateServiceLinkedRole",
        "iam:DeleteServiceLinkedRole",
        "iam:GetServiceLinkedRoleDeletionStatus",
    }
)
_NEVER_FOR = frozenset(
    {
        # CreateGroup and UpdateGroup pass the group's role ("CreateGroup", Cognito API reference) and write none.
        ("AWS::Cognito::UserPoolGroup", "iam:PutRolePolicy"),
        # Delivery of logs to somewhere else is no property of a log group.
        ("AWS::Logs::LogGroup", "firehose:TagDeliveryStream"),
        ("AWS::Logs::LogGroup", "logs:CreateLogDelivery"),
        # A test set is no part of a bot, and no property names one.
        ("AWS::Lex::Bot", "lex:DeleteTestSet"),
        # Its resource is an object (service authorization reference), and a bucket's ACL is none of an object's.
        ("AWS::S3::Bucket", "s3:PutObjectAcl"),
        # A deployment with CodeDeploy is asked for by the resource's UpdatePolicy, which is no property.
        *(
            ("AWS::Lambda::Alias", f"codedeploy:{verb}")
            for verb in (
                "CreateDeployment",
                "GetDeployment",
                "GetDeploymentConfig",
                "GetDeploymentGroup",
                "StopDeployment",
            )
        ),
    }
)


def _all(condition: Condition, actions: str) -> dict[str, Condition]:
    return dict.fromkeys(actions.split(), condition)


_ROLE_TARGETS = {"Role": "Roles", "User": "Users", "Group": "Groups"}

_BY_TYPE: Mapping[str, Mapping[str, Condition]] = {
    "AWS::ApiGateway::RestApi": {"apigateway:UpdateRestApiPolicy": _present("Policy")},
    "AWS::CloudFront::Distribution": {
        # A distribution for many tenants ("Distribution", `ConnectionMode`) is put into a connection group.
        "cloudfront:CreateConnectionGroup": lambda new, old: any(
            _has(p, ("ConnectionMode",), depth=2) for p in (new, old)
        ),
    },
    "AWS::CertificateManager::Certificate": {
        # A private one's authority signs it; of a public one the handler writes the record where a zone is named.
        "acm-pca:GetCertificate": _present("CertificateAuthorityArn"),
        "acm-pca:IssueCertificate": _present("CertificateAuthorityArn"),
        "route53:ChangeResourceRecordSets": lambda new, old: any(_has(p, ("HostedZoneId",), 3) for p in (new, old)),
    },
    **{
        f"AWS::RDS::{kind}": {
            "iam:GetRole": _present("MonitoringRoleArn", "AssociatedRoles"),
            "iam:ListRoles": _present("MonitoringRoleArn", "AssociatedRoles"),
            "secretsmanager:CreateSecret": _present("ManageMasterUserPassword"),
            "secretsmanager:TagResource": _present("ManageMasterUserPassword"),
        }
        for kind in ("DBCluster", "DBInstance")
    },
    "AWS::SecretsManager::SecretTargetAttachment": {
        "docdb-elastic:GetCluster": _attached_to("DocDBElastic"),
        "redshift-serverless:GetNamespace": _attached_to("RedshiftServerless"),
        "redshift-serverless:ListWorkgroups": _attached_to("RedshiftServerless"),
        "redshift:DescribeClusters": _attached_to("Redshift"),
    },
    "AWS::AppSync::GraphQLApi": {"appsync:PutGraphqlApiEnvironmentVariables": _changed("EnvironmentVariables")},
    "AWS::Cognito::IdentityPool": {
        "cognito-sync:SetCognitoEvents": _present("CognitoEvents"),
        "cognito-sync:SetIdentityPoolConfiguration": _present("PushSync", "CognitoStreams"),
    },
    "AWS::Cognito::UserPool": {
        "cognito-idp:AddCustomAttributes": _changed("Schema"),
        "cognito-idp:SetUserPoolMfaConfig": _present("MfaConfiguration", "EnabledMfas"),
    },
    "AWS::Cognito::UserPoolClient": _all(_present("AnalyticsConfiguration"), "iam:PutRolePolicy iam:DeleteRolePolicy"),
    "AWS::WAFv2::WebACLAssociation": {
        # Each is asked of what the ACL is put before: an API of AppSync, a stage, a pool, an app with hosting.
        **{
            f"{service}:{verb}": _before(service)
            for service, verbs in {
                "amplify": "AssociateWebACL DisassociateWebACL GetWebACLForResource",
                "apigateway": "SetWebACL",
                "apprunner": "AssociateWebAcl DescribeWebAclForService DisassociateWebAcl",
                "appsync": "AssociateWebACL DisassociateWebACL GetWebACLForResource SetWebACL",
                "bedrock-agentcore": "GatewayAssociateWebACL GatewayDisassociateWebACL GatewayGetWebACLForResource",
                "cognito-idp": "AssociateWebACL DisassociateWebACL GetWebACLForResource",
                "ec2": "AssociateVerifiedAccessInstanceWebAcl DescribeVerifiedAccessInstanceWebAclAssociations "
                "DisassociateVerifiedAccessInstanceWebAcl GetVerifiedAccessInstanceWebAcl",
                "elasticloadbalancing": "CreateWebACLAssociation DeleteWebACLAssociation GetLoadBalancerWebACL "
                "SetWebACL",
            }.items()
            for verb in verbs.split()
        },
        # A rule group that another account shares.
        **_all(_never, "wafv2:GetPermissionPolicy wafv2:PutPermissionPolicy"),
    },
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        **_all(
            _present("ScheduledActions"),
            "application-autoscaling:PutScheduledAction application-autoscaling:DeleteScheduledAction",
        ),
        # Of other services than DynamoDB: what scales a function's provisioned concurrency.
        **_all(
            _scales("lambda"),
            "lambda:DeleteProvisionedConcurrencyConfig lambda:GetProvisionedConcurrencyConfig "
            "lambda:PutProvisionedConcurrencyConfig",
        ),
    },
    "AWS::Cognito::UserPoolDomain": {"cloudfront:UpdateDistribution": _present("CustomDomainConfig")},
    "AWS::DynamoDB::Table": {
        "dynamodb:CreateTable": _on_create,
        **_all(
            _present("ImportSourceSpecification"),
            "dynamodb:ImportTable dynamodb:DescribeImport dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:GetItem "
            "dynamodb:PutItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem s3:ListBucket logs:CreateLogGroup "
            "logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams logs:PutLogEvents "
            "logs:PutRetentionPolicy",
        ),
        # Replicas are those of another type, AWS::DynamoDB::GlobalTable.
        **_all(_present("Replicas"), "dynamodb:AssociateTableReplica dynamodb:CreateTableReplica"),
        **_all(
            _present("KinesisStreamSpecification"),
            "dynamodb:DisableKinesisStreamingDestination dynamodb:EnableKinesisStreamingDestination "
            "dynamodb:UpdateKinesisStreamingDestination kinesis:DescribeStream kinesis:PutRecords",
        ),
        "dynamodb:UpdateContinuousBackups": _changed("PointInTimeRecoverySpecification"),
        "dynamodb:UpdateContributorInsights": _present("ContributorInsightsSpecification"),
        "dynamodb:UpdateTimeToLive": _changed("TimeToLiveSpecification"),
        "dynamodb:PutResourcePolicy": _changed("ResourcePolicy"),
        "dynamodb:DeleteResourcePolicy": _unset("ResourcePolicy"),
    },
    "AWS::Events::Rule": {"events:PutTargets": _present("Targets"), "events:RemoveTargets": _removed("Targets")},
    "AWS::IAM::ManagedPolicy": {
        **{f"iam:Attach{kind}Policy": _added(name) for kind, name in _ROLE_TARGETS.items()},
        **{f"iam:Detach{kind}Policy": _removed(name) for kind, name in _ROLE_TARGETS.items()},
        "iam:CreatePolicyVersion": _changed("PolicyDocument"),
        "iam:DeletePolicyVersion": _changed("PolicyDocument"),
    },
    "AWS::IAM::Policy": {
        **{
            f"iam:{verb}{kind}Policy": _present(name) for kind, name in _ROLE_TARGETS.items() for verb in ("Get", "Put")
        },
        **{f"iam:Delete{kind}Policy": _removed(name) for kind, name in _ROLE_TARGETS.items()},
    },
    "AWS::IAM::Role": {
        "iam:AttachRolePolicy": _added("ManagedPolicyArns"),
        "iam:DetachRolePolicy": _removed("ManagedPolicyArns"),
        "iam:PutRolePolicy": _added("Policies"),
        "iam:DeleteRolePolicy": lambda new, old: bool(_policy_names(old) - _policy_names(new)),
        "iam:PutRolePermissionsBoundary": lambda new, old: (
            bool(new.get("PermissionsBoundary")) and _changed("PermissionsBoundary")(new, old)
        ),
        "iam:DeleteRolePermissionsBoundary": _unset("PermissionsBoundary"),
        "iam:UpdateAssumeRolePolicy": _changed("AssumeRolePolicyDocument"),
        "iam:UpdateRole": _changed("Description", "MaxSessionDuration"),
        "iam:UpdateRoleDescription": _changed("Description"),
    },
    "AWS::Kinesis::Stream": {
        "kinesis:StartStreamEncryption": _changed("StreamEncryption"),
        "kinesis:StopStreamEncryption": _unset("StreamEncryption"),
        "kinesis:EnableEnhancedMonitoring": _added("DesiredShardLevelMetrics"),
        "kinesis:DisableEnhancedMonitoring": _removed("DesiredShardLevelMetrics"),
        **_all(
            _changed("RetentionPeriodHours"),
            "kinesis:IncreaseStreamRetentionPeriod kinesis:DecreaseStreamRetentionPeriod",
        ),
        "kinesis:UpdateShardCount": _changed("ShardCount"),
        "kinesis:UpdateStreamMode": _changed("StreamModeDetails"),
        "kinesis:UpdateMaxRecordSize": _changed("MaxRecordSizeInKiB"),
        "kinesis:UpdateStreamWarmThroughput": _changed("WarmThroughputMiBps"),
        "kinesis:UpdateStreamRecordDistributionStrategy": _changed("RecordDistributionStrategy"),
    },
    "AWS::KMS::Key": {
        "kms:DisableKey": lambda new, _: str(new.get("Enabled", True)).lower() == "false",
        "kms:EnableKeyRotation": _changed("EnableKeyRotation", "RotationPeriodInDays"),
        "kms:DisableKeyRotation": _unset("EnableKeyRotation"),
        "kms:EnableKey": lambda new, old: bool(old) and _changed("Enabled")(new, old),
    },
    "AWS::Lambda::Alias": _all(
        _present("ProvisionedConcurrencyConfig"),
        "lambda:PutProvisionedConcurrencyConfig lambda:DeleteProvisionedConcurrencyConfig",
    ),
    "AWS::Lambda::Function": {
        **_all(_present("VpcConfig"), "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs"),
        "ec2:DescribeNetworkInterfaces": _present("VpcConfig"),
        **_all(_present("FileSystemConfigs"), "elasticfilesystem:DescribeMountTargets s3files:ListMountTargets"),
        "lambda:GetLayerVersion": _present("Layers"),
        **_all(_present("CodeSigningConfigArn"), "lambda:GetCodeSigningConfig lambda:PutFunctionCodeSigningConfig"),
        "lambda:DeleteFunctionCodeSigningConfig": _unset("CodeSigningConfigArn"),
        "lambda:PutFunctionConcurrency": lambda new, old: (
            "ReservedConcurrentExecutions" in new and _changed("ReservedConcurrentExecutions")(new, old)
        ),
        "lambda:DeleteFunctionConcurrency": lambda new, old: (
            "ReservedConcurrentExecutions" in old and "ReservedConcurrentExecutions" not in new
        ),
        "lambda:PutFunctionRecursionConfig": _changed("RecursiveLoop"),
        **_all(
            _present("FunctionScalingConfig", "CapacityProviderConfig"),
            "lambda:PutFunctionScalingConfig lambda:PassCapacityProvider",
        ),
        "lambda:PutRuntimeManagementConfig": _changed("RuntimeManagementConfig"),
        "lambda:PublishVersion": _present("SnapStart", "PublishToLatestPublished"),
        "lambda:UpdateFunctionCode": _changed("Code", "Architectures"),
    },
    "AWS::Logs::LogGroup": {
        "logs:AssociateKmsKey": _changed("KmsKeyId"),
        "logs:DisassociateKmsKey": _unset("KmsKeyId"),
        "logs:PutRetentionPolicy": lambda new, old: (
            bool(new.get("RetentionInDays")) and _changed("RetentionInDays")(new, old)
        ),
        "logs:DeleteRetentionPolicy": lambda new, old: bool(new) and _unset("RetentionInDays")(new, old),
        "logs:PutDataProtectionPolicy": _changed("DataProtectionPolicy"),
        "logs:DeleteDataProtectionPolicy": _unset("DataProtectionPolicy"),
        "logs:PutIndexPolicy": _changed("FieldIndexPolicies"),
        "logs:DeleteIndexPolicy": _unset("FieldIndexPolicies"),
        "logs:PutResourcePolicy": _changed("ResourcePolicyDocument"),
        "logs:DeleteResourcePolicy": _unset("ResourcePolicyDocument"),
        "logs:PutLogGroupDeletionProtection": _changed("DeletionProtectionEnabled"),
        "logs:PutBearerTokenAuthentication": _changed("BearerTokenAuthenticationEnabled"),
    },
    "AWS::Elasticsearch::Domain": {"es:UpgradeElasticsearchDomain": _changed("ElasticsearchVersion")},
    "AWS::OpenSearchService::Domain": {"es:UpgradeDomain": _changed("EngineVersion")},
    "AWS::S3::Bucket": {
        "s3:PutAccelerateConfiguration": _changed("AccelerateConfiguration"),
        "s3:PutAnalyticsConfiguration": _changed("AnalyticsConfigurations"),
        "s3:PutBucketAbac": _changed("AbacStatus"),
        **_all(_changed("AccessControl"), "s3:PutBucketAcl s3:GetBucketAcl"),
        "s3:PutBucketCORS": _changed("CorsConfiguration"),
        "s3:PutBucketLogging": _changed("LoggingConfiguration"),
        "s3:PutBucketNotification": _changed("NotificationConfiguration"),
        "s3:PutBucketObjectLockConfiguration": _changed("ObjectLockConfiguration"),
        "s3:PutBucketOwnershipControls": _changed("OwnershipControls"),
        "s3:PutBucketPublicAccessBlock": _changed("PublicAccessBlockConfiguration"),
        "s3:PutReplicationConfiguration": _changed("ReplicationConfiguration"),
        "s3:PutBucketVersioning": _changed("VersioningConfiguration"),
        "s3:PutBucketWebsite": _changed("WebsiteConfiguration"),
        "s3:DeleteBucketWebsite": _unset("WebsiteConfiguration"),
        "s3:PutEncryptionConfiguration": _changed("BucketEncryption"),
        "s3:PutIntelligentTieringConfiguration": _changed("IntelligentTieringConfigurations"),
        "s3:PutInventoryConfiguration": _changed("InventoryConfigurations"),
        "s3:PutLifecycleConfiguration": _changed("LifecycleConfiguration"),
        "s3:PutMetricsConfiguration": _changed("MetricsConfigurations"),
        **_all(
            _present("MetadataTableConfiguration", "MetadataConfiguration"),
            "s3:CreateBucketMetadataTableConfiguration s3:DeleteBucketMetadataTableConfiguration s3:DeleteObject "
            "s3:UpdateBucketMetadataAnnotationTableConfiguration s3:UpdateBucketMetadataInventoryTableConfiguration "
            "s3:UpdateBucketMetadataJournalTableConfiguration s3tables:CreateNamespace s3tables:CreateTable "
            "s3tables:CreateTableBucket s3tables:GetTable s3tables:GetTableMetadataLocation "
            "s3tables:PutTableBucketPolicy s3tables:PutTableEncryption s3tables:PutTablePolicy "
            "s3tables:UpdateTableMetadataLocation",
        ),
    },
    "AWS::SecretsManager::Secret": {
        "secretsmanager:GetRandomPassword": _present("GenerateSecretString"),
        "secretsmanager:ReplicateSecretToRegions": _added("ReplicaRegions"),
        "secretsmanager:RemoveRegionsFromReplication": _removed("ReplicaRegions"),
    },
    "AWS::SNS::Subscription": {"iam:GetRole": _present("SubscriptionRoleArn")},
    "AWS::SNS::Topic": {
        "iam:GetRole": _present("DeliveryStatusLogging"),
        "sns:PutDataProtectionPolicy": _changed("DataProtectionPolicy"),
        "sns:Subscribe": _added("Subscription"),
        "sns:Unsubscribe": _removed("Subscription"),
    },
}


def _policy_names(properties: Properties) -> set[str]:
    return {str(p.get("PolicyName")) for p in _items(properties, "Policies") if isinstance(p, Mapping)}
