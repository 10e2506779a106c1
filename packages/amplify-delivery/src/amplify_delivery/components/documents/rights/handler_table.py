"""What CloudFormation needs to make, read, change and delete resources of a type: a table of facts, and its making.

Each public resource schema tells under `handlers` which actions its handlers call ("handlers" in the CloudFormation CLI
user guide). `handler_permissions.json` keeps that for the types that Amplify exports use, in two lists per type. It is
written again from the schemas that cfn-lint carries:

    python -m amplify_delivery.components.documents.rights.handler_table

Types without handlers in their schema (an older kind, or a custom resource) are in `rights.EXTRA`.
"""

import functools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("handler_permissions.json")

_NAMES = """
ApiGateway::Account ApiGateway::ApiKey ApiGateway::Authorizer ApiGateway::BasePathMapping ApiGateway::Deployment
ApiGateway::DomainName ApiGateway::GatewayResponse ApiGateway::Method ApiGateway::Model ApiGateway::RequestValidator
ApiGateway::Resource ApiGateway::RestApi ApiGateway::Stage ApiGateway::UsagePlan ApiGateway::UsagePlanKey
ApiGatewayV2::Api ApiGatewayV2::ApiMapping ApiGatewayV2::Authorizer ApiGatewayV2::Deployment ApiGatewayV2::DomainName
ApiGatewayV2::Integration ApiGatewayV2::Route ApiGatewayV2::Stage ApiGatewayV2::VpcLink
ApplicationAutoScaling::ScalableTarget ApplicationAutoScaling::ScalingPolicy
AppSync::Api AppSync::ApiCache AppSync::ApiKey AppSync::ChannelNamespace AppSync::DataSource AppSync::DomainName
AppSync::DomainNameApiAssociation AppSync::FunctionConfiguration AppSync::GraphQLApi AppSync::GraphQLSchema
AppSync::Resolver
CertificateManager::Certificate
CloudFront::CachePolicy CloudFront::CloudFrontOriginAccessIdentity CloudFront::Distribution CloudFront::Function
CloudFront::KeyGroup CloudFront::OriginAccessControl CloudFront::OriginRequestPolicy CloudFront::PublicKey
CloudFront::ResponseHeadersPolicy
CloudWatch::Alarm CloudWatch::CompositeAlarm CloudWatch::Dashboard
CodeBuild::Project
CodePipeline::Pipeline
Cognito::IdentityPool Cognito::IdentityPoolPrincipalTag Cognito::IdentityPoolRoleAttachment
Cognito::ManagedLoginBranding Cognito::UserPool Cognito::UserPoolClient Cognito::UserPoolDomain Cognito::UserPoolGroup
Cognito::UserPoolIdentityProvider Cognito::UserPoolResourceServer Cognito::UserPoolRiskConfigurationAttachment
Cognito::UserPoolUICustomizationAttachment Cognito::UserPoolUser Cognito::UserPoolUserToGroupAttachment
DynamoDB::GlobalTable DynamoDB::Table
EC2::EIP EC2::InternetGateway EC2::NatGateway EC2::NetworkAcl EC2::NetworkAclEntry EC2::Route EC2::RouteTable
EC2::SecurityGroup EC2::SecurityGroupEgress EC2::SecurityGroupIngress EC2::Subnet EC2::SubnetNetworkAclAssociation
EC2::SubnetRouteTableAssociation EC2::VPC EC2::VPCEndpoint EC2::VPCGatewayAttachment
ECR::Repository
ECS::Cluster ECS::Service ECS::TaskDefinition
EFS::AccessPoint EFS::FileSystem EFS::MountTarget
Events::ApiDestination Events::Archive Events::Connection Events::EventBus Events::Rule
IAM::ManagedPolicy IAM::Policy IAM::Role IAM::RolePolicy
Kinesis::Stream Kinesis::StreamConsumer
KinesisFirehose::DeliveryStream
KMS::Alias KMS::Key
Lambda::Alias Lambda::EventInvokeConfig Lambda::EventSourceMapping Lambda::Function Lambda::LayerVersion
Lambda::LayerVersionPermission Lambda::Permission Lambda::Url Lambda::Version
Lex::Bot Lex::BotAlias Lex::BotVersion
Location::GeofenceCollection Location::Map Location::PlaceIndex Location::RouteCalculator Location::Tracker
Logs::LogGroup Logs::LogStream Logs::MetricFilter Logs::SubscriptionFilter
OpenSearchService::Domain
RDS::DBCluster RDS::DBInstance RDS::DBSubnetGroup
Rekognition::Collection
Route53::RecordSet
S3::Bucket S3::BucketPolicy
Scheduler::Schedule Scheduler::ScheduleGroup
SecretsManager::ResourcePolicy SecretsManager::RotationSchedule SecretsManager::Secret
SecretsManager::SecretTargetAttachment
ServiceDiscovery::PrivateDnsNamespace ServiceDiscovery::Service
SES::ConfigurationSet SES::ConfigurationSetEventDestination SES::EmailIdentity SES::Template
SNS::Subscription SNS::Topic SNS::TopicInlinePolicy SNS::TopicPolicy
SQS::Queue SQS::QueueInlinePolicy SQS::QueuePolicy
SSM::Parameter
StepFunctions::StateMachine
WAFv2::IPSet WAFv2::RegexPatternSet WAFv2::WebACL WAFv2::WebACLAssociation
"""
TYPES = tuple(_NAMES.split())
"""The types of the table, without `AWS::`: those of the exporter's templates, and what is commonly added to them."""

# A wildcard in a schema is written out by AWS for its own convenience; these would reach far beyond the resource.
_TOO_WIDE = {"iam:PassRole", "s3:GetObject"}
"""Granted apart, with their own resources: see `rights`."""

_FOREIGN = frozenset(
    {
        "acm-pca",
        "apprunner",
        "bedrock-agentcore",
        "docdb-elastic",
        "elasticloadbalancing",
        "redshift",
        "redshift-serverless",
    }
)
"""A web ACL's association lists what it can stand before, a certificate who may sign it, a secret's attachment whose
password it may be: services, and Verified Access of EC2, that no backend has."""


@functools.cache
def table() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Per type: `change`, every action of its handlers, and `read`, those of its read handler."""
    found: dict[str, dict[str, list[str]]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return {name: {kind: tuple(actions) for kind, actions in entry.items()} for name, entry in found.items()}


def from_schemas(schemas: Iterable[Mapping[str, Any]], published: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """The table made from resource schemas: sorted, with action names spelled one way.

    Schemas also name what is no action of IAM (an API's name, an action of old); `published` are AWS's, by service.
    """
    wanted = {f"AWS::{name}" for name in TYPES}
    result: dict[str, dict[str, list[str]]] = {}
    for schema in schemas:
        name = str(schema.get("typeName"))
        handlers = schema.get("handlers")
        if name not in wanted or not handlers or name in result:
            continue
        read = _actions(handlers.get("read", {}).get("permissions", []))
        every = _actions(a for handler in handlers.values() for a in handler.get("permissions", []))
        result[name] = {
            "change": sorted(a for a in every if _exists(a, published)),
            "read": sorted(a for a in read if _exists(a, published)),
        }
    return dict(sorted(result.items()))


def _actions(permissions: Iterable[str]) -> set[str]:
    found = set()
    for permission in permissions:
        service, _, action = permission.strip().partition(":")
        if service and re.fullmatch(r"[A-Za-z0-9]+\*?", action):
            found.add(f"{service.lower()}:{action[:1].upper()}{action[1:]}")
    return found - _TOO_WIDE


def _exists(action: str, published: Mapping[str, Any]) -> bool:
    service, _, name = action.lower().partition(":")
    if service in _FOREIGN or "verifiedaccess" in name:
        return False
    return name.endswith("*") or name in published.get(service, {}).get("Actions", {})


def main() -> None:
    """Write the table from the schemas and the list of actions of the installed cfn-lint."""
    from cfnlint.data import AdditionalSpecs  # noqa: PLC0415 - only this command needs them
    from cfnlint.data.schemas import resources  # noqa: PLC0415 - only this command needs it

    folder = Path(next(iter(resources.__path__)))
    # cfn-lint keeps several regions' versions of a schema; sorted by name, so that the same one is taken every time.
    schemas = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    published = json.loads(Path(next(iter(AdditionalSpecs.__path__)), "Policies.json").read_text(encoding="utf-8"))
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in from_schemas(schemas, published).items()]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
