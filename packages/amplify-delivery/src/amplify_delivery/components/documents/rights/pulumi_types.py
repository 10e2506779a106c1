"""From the types of a Pulumi program to CloudFormation's, whose rights the table of handlers knows.

`aws-native` has CloudFormation's types under other spellings. The classic provider `aws` calls the services itself:
what it needs is taken to be what CloudFormation's handlers of the same resource need. Most of its types are called
alike; those that are not, or that are a part of another resource, are listed.
"""

import functools
from collections.abc import Mapping

from amplify_delivery.components.documents.rights.types import known_types

ROOT_STACK = "aws:cloudformation/stack:Stack"
"""The type of `AmplifyBackend`'s root stack."""

PULUMI_STACK = "pulumi:pulumi:Stack"
"""The resource that stands for a Pulumi stack itself, and holds its outputs."""

PROVIDERS = ("aws", "aws-native")
"""Packages whose resources are made with rights in AWS."""

CLASSIC: Mapping[str, str] = {
    "aws:apigateway/integration:Integration": "AWS::ApiGateway::Method",
    "aws:apigateway/integrationResponse:IntegrationResponse": "AWS::ApiGateway::Method",
    "aws:apigateway/methodResponse:MethodResponse": "AWS::ApiGateway::Method",
    "aws:apigateway/response:Response": "AWS::ApiGateway::GatewayResponse",
    "aws:appautoscaling/policy:Policy": "AWS::ApplicationAutoScaling::ScalingPolicy",
    "aws:appautoscaling/target:Target": "AWS::ApplicationAutoScaling::ScalableTarget",
    "aws:appsync/function:Function": "AWS::AppSync::FunctionConfiguration",
    "aws:cloudfront/originAccessIdentity:OriginAccessIdentity": "AWS::CloudFront::CloudFrontOriginAccessIdentity",
    "aws:cloudwatch/eventBus:EventBus": "AWS::Events::EventBus",
    "aws:cloudwatch/eventRule:EventRule": "AWS::Events::Rule",
    "aws:cloudwatch/eventTarget:EventTarget": "AWS::Events::Rule",
    "aws:cloudwatch/logGroup:LogGroup": "AWS::Logs::LogGroup",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "AWS::Logs::MetricFilter",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "AWS::CloudWatch::Alarm",
    "aws:cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment": "AWS::Cognito::IdentityPoolRoleAttachment",
    "aws:cognito/identityProvider:IdentityProvider": "AWS::Cognito::UserPoolIdentityProvider",
    "aws:cognito/resourceServer:ResourceServer": "AWS::Cognito::UserPoolResourceServer",
    "aws:cognito/userGroup:UserGroup": "AWS::Cognito::UserPoolGroup",
    "aws:cognito/userInGroup:UserInGroup": "AWS::Cognito::UserPoolUserToGroupAttachment",
    "aws:cognito/userPoolUICustomization:UserPoolUICustomization": "AWS::Cognito::UserPoolUICustomizationAttachment",
    "aws:ec2/networkAclRule:NetworkAclRule": "AWS::EC2::NetworkAclEntry",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "AWS::EC2::SubnetRouteTableAssociation",
    # A policy of its own; CloudFormation's `AWS::IAM::Policy` stands in a role.
    "aws:iam/policy:Policy": "AWS::IAM::ManagedPolicy",
    "aws:iam/rolePolicy:RolePolicy": "AWS::IAM::Role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "AWS::IAM::Role",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "AWS::KinesisFirehose::DeliveryStream",
    "aws:lambda/functionUrl:FunctionUrl": "AWS::Lambda::Url",
    "aws:opensearch/domain:Domain": "AWS::OpenSearchService::Domain",
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": "AWS::S3::Bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "AWS::S3::Bucket",
    "aws:s3/bucketNotification:BucketNotification": "AWS::S3::Bucket",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "AWS::S3::Bucket",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "AWS::S3::Bucket",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": "AWS::S3::Bucket",
    "aws:s3/bucketVersioning:BucketVersioning": "AWS::S3::Bucket",
    "aws:secretsmanager/secretVersion:SecretVersion": "AWS::SecretsManager::Secret",
    "aws:sesv2/configurationSet:ConfigurationSet": "AWS::SES::ConfigurationSet",
    "aws:sesv2/emailIdentity:EmailIdentity": "AWS::SES::EmailIdentity",
    "aws:sfn/stateMachine:StateMachine": "AWS::StepFunctions::StateMachine",
    "aws:sns/topicSubscription:TopicSubscription": "AWS::SNS::Subscription",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "AWS::EC2::SecurityGroup",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "AWS::EC2::SecurityGroup",
}
"""Classic types with another name than CloudFormation's, or that are a part of one of CloudFormation's resources."""

_OTHER_CALLS = frozenset(
    {
        # SES's first API: other actions than those of CloudFormation's handlers, which call the second.
        "aws:ses/configurationSet:ConfigurationSet",
        "aws:ses/emailIdentity:EmailIdentity",
        "aws:ses/template:Template",
    }
)
"""Classic types that are called as one of CloudFormation's, and made otherwise: its rights would not do."""

_MODULES: Mapping[str, frozenset[str]] = {
    "appautoscaling": frozenset({"applicationautoscaling"}),
    "cloudwatch": frozenset({"cloudwatch", "events", "logs"}),
    "kinesis": frozenset({"kinesis", "kinesisfirehose"}),
    "opensearch": frozenset({"opensearchservice"}),
    "sfn": frozenset({"stepfunctions"}),
    "vpc": frozenset({"ec2"}),
}
"""Modules of the classic provider that have another name than CloudFormation's services, or hold several."""


def cloudformation_type(token: str) -> str | None:
    """CloudFormation's type for a Pulumi type (`aws:sqs/queue:Queue`); None if the table of rights has none for it."""
    if token in CLASSIC:
        return CLASSIC[token]
    package, module, name = token.split(":")
    if package not in PROVIDERS or token in _OTHER_CALLS:
        return None
    return _by_spelling().get((module.partition("/")[0].lower(), name.lower()))


def services_of(token: str) -> frozenset[str]:
    """CloudFormation's services, without capitals, that a Pulumi type may belong to."""
    module = token.split(":")[1].partition("/")[0].lower()
    return _MODULES.get(module, frozenset({module}))


@functools.cache
def _by_spelling() -> Mapping[tuple[str, str], str]:
    """The table's types by service and name without capitals: `AWS::EC2::VPC` is `aws-native:ec2:Vpc`."""
    found = {}
    for known in known_types():
        _, service, name = known.lower().split("::", 2)
        found[service, name] = known
    return found
