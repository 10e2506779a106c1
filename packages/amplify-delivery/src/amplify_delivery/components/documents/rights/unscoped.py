"""Actions that know no resource, or want all of them: where a policy can say nothing but `*`, and why.

The column "Resource types" of the service authorization reference is empty for them; of composite alarms the API
reference wants `*` although it is not. Each is granted in one region only, and with the stack's tags where the service
compares them.
"""

from collections.abc import Mapping

_NO_APPSYNC = "AppSync compares neither the API nor its parts for this action"
_NO_SES = "the first version of SES's API compares no template"

_NO_KEY = "CloudFront compares neither a key nor a group of keys"
_NO_POLICY = "it has no ARN before it is there"

UNSCOPED_WRITES: Mapping[str, str] = {
    "acm:RequestCertificate": "the certificate has no ARN before it is there",
    "appsync:CreateApi": "the API has no ARN before it is there",
    "appsync:CreateApiCache": _NO_APPSYNC,
    "appsync:CreateApiKey": _NO_APPSYNC,
    "appsync:CreateDataSource": _NO_APPSYNC,
    "appsync:CreateFunction": _NO_APPSYNC,
    "appsync:CreateGraphqlApi": "the API has no ARN before it is there",
    "appsync:CreateResolver": _NO_APPSYNC,
    "appsync:DeleteApiCache": _NO_APPSYNC,
    "appsync:DeleteApiKey": _NO_APPSYNC,
    "appsync:DeleteDataSource": _NO_APPSYNC,
    "appsync:DeleteFunction": _NO_APPSYNC,
    "appsync:DeleteResolver": _NO_APPSYNC,
    "appsync:PutGraphqlApiEnvironmentVariables": _NO_APPSYNC,
    "appsync:SetWebACL": _NO_APPSYNC,
    "appsync:StartSchemaCreation": _NO_APPSYNC,
    "appsync:UpdateApiCache": _NO_APPSYNC,
    "appsync:UpdateApiKey": _NO_APPSYNC,
    "appsync:UpdateDataSource": _NO_APPSYNC,
    "appsync:UpdateFunction": _NO_APPSYNC,
    "appsync:UpdateResolver": _NO_APPSYNC,
    "cloudformation:CancelResourceRequest": "Cloud Control's own: the request has no ARN",
    "cloudformation:CreateResource": "Cloud Control's own: it then acts with the caller's rights for the resource",
    "cloudformation:DeleteResource": "Cloud Control's own: it then acts with the caller's rights for the resource",
    "cloudformation:UpdateResource": "Cloud Control's own: it then acts with the caller's rights for the resource",
    "cloudfront:CreateCachePolicy": _NO_POLICY,
    "cloudfront:CreateCloudFrontOriginAccessIdentity": "the identity has no ARN before it is there",
    "cloudfront:CreateDistribution": "the distribution has no ARN before it is there",
    "cloudfront:CreateFunction": _NO_POLICY,
    "cloudfront:CreateKeyGroup": _NO_KEY,
    "cloudfront:CreateOriginAccessControl": _NO_POLICY,
    "cloudfront:CreateOriginRequestPolicy": _NO_POLICY,
    "cloudfront:CreatePublicKey": _NO_KEY,
    "cloudfront:CreateResponseHeadersPolicy": _NO_POLICY,
    "cloudfront:DeleteKeyGroup": _NO_KEY,
    "cloudfront:DeletePublicKey": _NO_KEY,
    "cloudfront:UpdateKeyGroup": _NO_KEY,
    "cloudfront:UpdatePublicKey": _NO_KEY,
    "codestar-notifications:DeleteTarget": "a target has no ARN of its own",
    "cognito-identity:CreateIdentityPool": "the identity pool has no ARN before it is there",
    "cognito-identity:SetPrincipalTagAttributeMap": "Cognito compares no identity pool",
    "cognito-identity:SetIdentityPoolRoles": "Cognito compares no identity pool; iam:PassRole compares the roles",
    "cognito-idp:CreateUserPool": "the user pool has no ARN before it is there",
    "ecr:GetAuthorizationToken": "the token is the account's; what it may do is compared for each repository",
    "ecs:DeregisterTaskDefinition": "ECS compares no task definition here",
    "elasticfilesystem:CreateFileSystem": "the file system has no ARN before it is there",
    "kinesis:DisableEnhancedMonitoring": "Kinesis compares no stream here",
    "kinesis:EnableEnhancedMonitoring": "Kinesis compares no stream here",
    "kinesis:UpdateShardCount": "Kinesis compares no stream here",
    "kinesis:UpdateStreamMode": "Kinesis compares no stream here",
    "kms:CreateKey": "the key has no ARN before it is there",
    "cloudwatch:PutCompositeAlarm": "with a right to fewer than all alarms, CloudWatch makes none",
    "cloudwatch:PutMetricData": "metrics have no ARN",
    "lambda:CreateEventSourceMapping": "the mapping has no ARN before it is there",
    "lex:CreateUploadUrl": "the address has no ARN; what is uploaded is compared when it is imported",
    "rekognition:CreateCollection": "the collection has no ARN before it is there",
    "route53:CreateHostedZone": "the zone has no ARN before it is there",
    "servicediscovery:CreatePrivateDnsNamespace": "the namespace has no ARN before it is there",
    "servicediscovery:TagResource": "Cloud Map compares tags only",
    "servicediscovery:UntagResource": "Cloud Map compares tags only",
    "ses:CreateTemplate": _NO_SES,
    "ses:DeleteTemplate": _NO_SES,
    "ses:UpdateTemplate": _NO_SES,
    "sns:SetSubscriptionAttributes": "SNS compares no subscription",
    "sns:Unsubscribe": "SNS compares no subscription",
}
"""Every write that may stand on `Resource: "*"`, with the reason."""

_ACCOUNT = "it would be the whole account's"
_NO_RESOURCE = "no ARN in a policy allows it, and no export needs it"

NOT_GRANTED: Mapping[str, str] = {
    "cloudfront:CreateConnectionGroup": _NO_RESOURCE,
    "codedeploy:StopDeployment": _NO_RESOURCE,
    "ecs:PutAccountSetting": _ACCOUNT,
    "ecs:PutAccountSettingDefault": _ACCOUNT,
    "events:PutPermission": "it opens any event bus of the account",
    "events:RemovePermission": "it closes any event bus of the account",
    "lambda:PassCapacityProvider": _NO_RESOURCE,
    "lex:DeleteTestSet": _NO_RESOURCE,
    "logs:CreateLogDelivery": _ACCOUNT,
    "logs:DeleteIndexPolicy": _NO_RESOURCE,
    "logs:DeleteResourcePolicy": _ACCOUNT,
    "logs:PutIndexPolicy": _NO_RESOURCE,
    "wafv2:GetPermissionPolicy": "it shares a rule group with other accounts",
    "wafv2:PutPermissionPolicy": "it shares a rule group with other accounts",
    "vpc-lattice:CreateServiceNetworkVpcEndpointAssociation": "an endpoint of a service network, which no export has",
    "vpce:AllowMultiRegion": _ACCOUNT,
    "logs:PutResourcePolicy": "it opens all log groups, that of the audit log among them",
}
"""What resource schemas list for properties that Amplify's templates do not use, and that could stand on `*` only."""

NO_TAGS_AT_ONCE = frozenset({"cloudwatch", "ecs", "kinesis", "lex", "route53", "ses", "sns"})
"""Services whose actions in `UNSCOPED_WRITES` know no `aws:RequestTag`."""

GLOBAL_SERVICES = frozenset({"cloudfront", "route53"})
"""Services with one endpoint, in us-east-1."""

UNSCOPED_READS = frozenset(
    f"{service}:{action}"
    for service, actions in {
        "acm": "ListCertificates",
        "application-autoscaling": "Describe* DescribeScalableTargets DescribeScalingPolicies DescribeScheduledActions",
        "appsync": "GetApiCache GetDataSource GetFunction GetGraphqlApiEnvironmentVariables GetResolver "
        "GetSchemaCreationStatus ListApiKeys ListApis ListDataSources ListDomainNames ListFunctions ListGraphqlApis "
        "ListResolvers",
        "cloudformation": "DescribeStackDriftDetectionStatus GetResource GetResourceRequestStatus ListResources "
        "ListResourceRequests ListStacks",
        "cloudfront": "GetKeyGroup GetPublicKey ListCachePolicies ListCloudFrontOriginAccessIdentities "
        "ListDistributions ListFunctions ListKeyGroups ListOriginAccessControls ListOriginRequestPolicies "
        "ListPublicKeys ListResponseHeadersPolicies",
        # With a right to fewer than all alarms, no composite one is told ("DescribeAlarms").
        "cloudwatch": "DescribeAlarms ListDashboards",
        "codepipeline": "ListPipelines",
        "cognito-identity": "ListIdentityPools",
        "cognito-idp": "DescribeUserPoolDomain ListUserPools",
        "dynamodb": "ListTables",
        "ec2": "DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeInstances "
        "DescribeInternetGateways DescribeNatGateways DescribeNetworkAcls DescribeNetworkInterfaces "
        "DescribeRegions DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets "
        "DescribeTags DescribeVpcEncryptionControls DescribeVpcEndpoints DescribeVpcs DescribeVpnGateways",
        "ecs": "DescribeTaskDefinition ListClusters ListServices ListTaskDefinitions",
        "events": "ListApiDestinations ListArchives ListConnections ListEventBuses ListRules",
        "firehose": "ListDeliveryStreams",
        "iam": "ListPolicies ListRoles",
        "kinesis": "ListStreams",
        "kms": "ListAliases ListKeys",
        "lex": "ListBots",
        "lambda": "GetCodeSigningConfig GetLayerVersion ListEventSourceMappings ListFunctions ListLayerVersions",
        "logs": "DescribeIndexPolicies DescribeLogGroups DescribeResourcePolicies",
        "rds": "DescribeDBEngineVersions DescribeEvents",
        "rekognition": "ListCollections",
        "route53": "GetChange ListHostedZones ListHostedZonesByName",
        "s3": "ListAllMyBuckets",
        "scheduler": "ListScheduleGroups ListSchedules",
        "secretsmanager": "GetRandomPassword ListSecrets",
        "servicediscovery": "ListNamespaces ListServices ListTagsForResource",
        "ses": "DescribeConfigurationSet GetTemplate ListConfigurationSets ListEmailIdentities ListEmailTemplates "
        "ListTemplates",
        "sns": "GetSubscriptionAttributes ListSubscriptions ListTopics",
        "sqs": "ListQueues",
        "ssm": "DescribeParameters",
        "states": "ListStateMachines",
        "sts": "GetCallerIdentity",
        "wafv2": "ListIPSets ListRegexPatternSets ListWebACLs",
        "codestar-notifications": "ListNotificationRules ListTargets",
        "codebuild": "ListProjects",
    }.items()
    for action in actions.split()
)
"""Reads that can stand on nothing but `*`, or say less otherwise."""
