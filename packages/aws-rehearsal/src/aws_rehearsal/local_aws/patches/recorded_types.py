"""Resource types that Amplify's categories use and MiniStack lacks are recorded, so that the rest can be rehearsed.

Nothing is made for them: such a resource has properties, a physical id that says so (`recorded-only-...`) and an
answer for every `Fn::GetAtt`; whether the type has that attribute is cfn-lint's to say. MiniStack refuses the whole
template, and with it an export with hosting, containers, @searchable or scaled tables.
AWS: all of these types are in the CloudFormation template reference. Any other type that MiniStack lacks is refused
with its name, as before. A container API's pipeline is made by the pipeline service (`pipeline_service/inside`).
"""

from __future__ import annotations

import logging
import re
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

from ._expect import PatchError

PREFIX = "recorded-only-"
TYPES = (
    # analytics and notifications
    "AWS::Pinpoint::App",
    "AWS::Pinpoint::ADMChannel",
    "AWS::Pinpoint::APNSChannel",
    "AWS::Pinpoint::APNSSandboxChannel",
    "AWS::Pinpoint::EmailChannel",
    "AWS::Pinpoint::GCMChannel",
    "AWS::Pinpoint::SMSChannel",
    # auth
    "AWS::Cognito::ManagedLoginBranding",
    "AWS::Cognito::UserPoolRiskConfigurationAttachment",
    "AWS::Cognito::UserPoolUICustomizationAttachment",
    "AWS::Cognito::UserPoolUser",
    "AWS::Cognito::UserPoolUserToGroupAttachment",
    # api: custom domain, cache, @searchable, scaled tables
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::AppSync::ApiCache",
    "AWS::AppSync::DomainName",
    "AWS::AppSync::DomainNameApiAssociation",
    "AWS::Elasticsearch::Domain",
    # a firewall, alarms and mail of one's own
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::SES::Template",
    "AWS::WAFv2::IPSet",
    "AWS::WAFv2::RegexPatternSet",
    "AWS::WAFv2::WebACLAssociation",
    # hosting, and what else of the web projects add: signed addresses, live channels, secrets that change
    "AWS::Amplify::Branch",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::AppSync::Api",
    "AWS::AppSync::ChannelNamespace",
    "AWS::CloudFront::KeyGroup",
    "AWS::CloudFront::PublicKey",
    "AWS::Events::ApiDestination",
    "AWS::Events::Archive",
    "AWS::Events::Connection",
    "AWS::Kinesis::StreamConsumer",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::RotationSchedule",
    # a network of one's own
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    # container api
    "AWS::ApiGatewayV2::VpcLink",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::NetworkAclEntry",
    "AWS::EC2::SubnetNetworkAclAssociation",
    # geo
    "AWS::Location::APIKey",
    "AWS::Location::GeofenceCollection",
    "AWS::Location::Map",
    "AWS::Location::PlaceIndex",
    "AWS::Location::RouteCalculator",
    # predictions and interactions
    "AWS::Lex::Bot",
    "AWS::Lex::BotAlias",
    "AWS::Lex::BotVersion",
    "AWS::Rekognition::Collection",
)

_log = logging.getLogger("recorded-types")
Properties = dict[str, Any]


class Attributes(dict[str, str]):
    """Answers every attribute: with an ARN where the name says so, else with the physical id.

    Plain entries make it survive being copied or merged as a dictionary.
    """

    def __init__(self, physical_id: str, arn: str) -> None:
        super().__init__({"Ref": physical_id, "Arn": arn})

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return self["Arn"] if name.endswith("Arn") else self["Ref"]


def apply() -> None:
    """Register each type; refuses one that MiniStack has by now."""
    had = [name for name in TYPES if name in provisioners._RESOURCE_HANDLERS]
    if had:
        raise PatchError(f"MiniStack has these types now: {', '.join(had)}")
    for name in TYPES:
        provisioners._RESOURCE_HANDLERS[name] = {
            "create": _creating(name),
            "update": _updating(name),
            "delete": _delete,
        }


def _creating(resource_type: str) -> Any:
    def create(logical_id: str, _props: Properties, stack_name: str) -> tuple[str, Attributes]:
        _log.warning("%s in %s: the local AWS has no %s, it is only recorded", logical_id, stack_name, resource_type)
        physical_id = f"{PREFIX}{logical_id}-{new_uuid()[:8]}"
        return physical_id, Attributes(physical_id, _arn(resource_type, physical_id))

    return create


def _arn(resource_type: str, physical_id: str) -> str:
    _, service, kind = resource_type.lower().split("::")
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{kind}/{physical_id}"


def _updating(resource_type: str) -> Any:
    def update(physical_id: str, _old: Properties, _new: Properties, _stack_name: str) -> tuple[str, Attributes]:
        return physical_id, Attributes(physical_id, _arn(resource_type, physical_id))

    return update


def _delete(_physical_id: str, _props: Properties) -> None:
    """Nothing was made."""


def probe(aws: Any) -> bool:
    """A stack with such a resource is created, and its attributes can be read."""
    name = aws.name("recorded")
    app = {"Type": "AWS::Pinpoint::App", "Properties": {"Name": "probe"}}
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["App", "Arn"]}}}
    if not aws.succeeds(lambda: aws.create_stack({"App": app}, name, Outputs=outputs)):
        return False
    aws.settled(name)
    described = aws.query("cloudformation", Action="DescribeStacks", StackName=name)
    return bool(re.search(r"arn:aws:pinpoint:[^<]*app/recorded-only-App", described))
