"""The declared execution role is enough for every export: to create, update, replace and delete all that is in it.

The local AWS asks for each call with that role, its boundary and the resource's real name. Small exports are in the
repository; large ones and whole apps come from folders of archives: AMPLIFY_DELIVERY_EXPORTS and AMPLIFY_DELIVERY_APPS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.changes.stateful import CALLOUT_PROPERTIES, CLOUDFORMATION_TYPES
from amplify_delivery.errors import ExportRefused
from amplify_delivery.export import Assembly, RootStack, assemble, in_production, read_export
from aws_rehearsal.local_aws import LocalAws
from functional.enforcement.bootstrapped import NO_SECRETS, Bootstrapped, Secrets
from unit.export.categories import with_predictions
from unit.export.conftest import large_export  # noqa: F401 - a fixture
from unit.export.mutations import EXPORTS, copy_export, replace_file
from unit.export.predictions_directive import with_predictions_directive

APPS = "AMPLIFY_DELIVERY_APPS"
"""Environment variable: a folder with one archive per app, too big for this repository."""
CASES = "AMPLIFY_DELIVERY_CASES"
"""Environment variable: a folder with one archive per case after a public bug report."""
SERIES = ("todo-series/v1", "todo-series/v2", "todo-series/v3", "todo-series/v4")
REFUSED = {"triggers": "AD206"}
"""Exports that cannot be delivered as they are, and by which check."""
AGAIN = "todo-series/v1b"
"""The same project exported again: there is nothing to do."""
ALONE = sorted(set(EXPORTS) - set(SERIES) - set(REFUSED) - {AGAIN})

UPDATES: Mapping[str, Mapping[str, Any]] = {
    "AWS::ApiGateway::RestApi": {"Description": "changed"},
    "AWS::AppSync::ApiKey": {"Description": "changed"},
    "AWS::AppSync::FunctionConfiguration": {"Description": "changed"},
    "AWS::AppSync::GraphQLApi": {"XrayEnabled": True},
    "AWS::Cognito::IdentityPool": {"AllowClassicFlow": True},
    "AWS::Cognito::UserPool": {"UserPoolTags": {"changed": "yes"}},
    "AWS::Cognito::UserPoolClient": {"RefreshTokenValidity": 29},
    "AWS::Cognito::UserPoolGroup": {"Description": "changed"},
    "AWS::DynamoDB::Table": {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}},
    "AWS::IAM::Role": {"Description": "changed", "MaxSessionDuration": 3601},
    "AWS::Lambda::Function": {"Timeout": 31, "ReservedConcurrentExecutions": 1, "Tags": [{"Key": "a", "Value": "b"}]},
    "AWS::S3::Bucket": {"VersioningConfiguration": {"Status": "Enabled"}},
}
"""What an update can change in place, by type."""


def updated(logical_id: str, resource: dict[str, Any]) -> bool:
    del logical_id
    changes = UPDATES.get(resource["Type"], {})
    resource.setdefault("Properties", {}).update(changes)
    return bool(changes)


def replaced(logical_id: str, resource: dict[str, Any]) -> bool:
    """What gives a resource another identity: a new name, or a property that cannot be changed."""
    properties = resource.setdefault("Properties", {})
    if resource["Type"] == "AWS::DynamoDB::Table":
        properties["TableName"] = f"{logical_id}-replaced-prod"
    elif resource["Type"] == "AWS::IAM::Role" and logical_id.startswith("LambdaExecution"):
        name = properties["RoleName"]["Fn::If"][1]
        properties["RoleName"] = {"Fn::Sub": ["${Name}-replaced-prod", {"Name": name}]}
    elif resource["Type"] == "AWS::Cognito::UserPoolClient" and logical_id == "UserPoolClientWeb":
        properties["GenerateSecret"] = True
    else:
        return False
    return True


def replaced_but(imported: set[str]) -> Callable[[str, dict[str, Any]], bool]:
    """As `replaced`, without the tables that are `imported`: AWS gives an export that is in use no other value."""

    def change(logical_id: str, resource: dict[str, Any]) -> bool:
        kept = resource["Type"] == "AWS::DynamoDB::Table" and logical_id in imported
        return not kept and replaced(logical_id, resource)

    return change


def imported_of(export: Path) -> set[str]:
    """The logical ids of what other stacks import, by the names that Amplify exports it under."""
    found: set[str] = set()
    for path in export.rglob("*.json"):
        text = path.read_text()
        if "Fn::ImportValue" in text:
            found |= set(re.findall(r":GetAtt:(\w+):", text))
    return found


def changed(export: Path, change: Callable[[str, dict[str, Any]], bool], files: str = "*.json") -> int:
    """Change the templates of an export, or some of its `files`; how many resources were changed."""
    count = 0
    for path in sorted(export.rglob(files)):
        document = json.loads(path.read_bytes())
        resources = document.get("Resources") if isinstance(document, dict) else None
        if isinstance(resources, dict):
            count += sum(change(name, r) for name, r in resources.items() if isinstance(r, dict) and "Type" in r)
            replace_file(path, json.dumps(document).encode())
    return count


def identities(bootstrapped: Bootstrapped, root: RootStack) -> dict[tuple[str, str], str]:
    """The physical id of every resource but nested stacks, by its stack and logical id."""
    found = {}
    cloudformation = bootstrapped.local.client("cloudformation")

    def walk(stack: str) -> None:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for r in (resource for page in pages for resource in page["StackResourceSummaries"]):
            if r["ResourceType"] == "AWS::CloudFormation::Stack":
                walk(r["PhysicalResourceId"])
            else:
                found[stack, r["LogicalResourceId"]] = r["PhysicalResourceId"]

    walk(root.stack_name)
    return found


def done(bootstrapped: Bootstrapped, root: RootStack, status: str, expected: str) -> None:
    """It has ended well, and no clean-up was refused."""
    failures = bootstrapped.failures(root)
    assert failures == {}
    assert status == expected


def live(aws: LocalAws, first: Assembly, *later: Assembly) -> None:
    """A backend's life in an account that was bootstrapped for it."""
    bootstrapped = Bootstrapped.make(aws, [first, *later])
    root = bootstrapped.root(first)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")
    for assembly in later:
        root = bootstrapped.root(assembly)
        done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    assert bootstrapped.clear(root) == "DELETE_COMPLETE", bootstrapped.failures(root)


def changed_and_replaced(export: Path) -> Iterator[Assembly]:
    """The assemblies of an export after it was changed in place, and after parts of it were replaced."""
    for change in (updated, replaced_but(imported_of(export))):
        assert changed(export, change) > 0
        yield assemble(read_export(export))


def all_of_it(aws: LocalAws, export: Path, copy: Path, secrets: Secrets = NO_SECRETS) -> None:
    """Create, update in place, replace, delete; the export is changed in its `copy`."""
    first = assemble(read_export(export), secrets)
    bootstrapped = Bootstrapped.make(aws, [first], secrets)
    root = bootstrapped.root(first)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")
    before = identities(bootstrapped, root)

    assert changed(copy, updated) > 3
    root = bootstrapped.root(assemble(read_export(copy), secrets))
    done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    between = identities(bootstrapped, root)
    # A changed API gets a deployment of another name, all others stay what they are.
    kept = before.keys() & between.keys()
    assert {key: between[key] for key in kept} == {key: before[key] for key in kept}

    count = changed(copy, replaced_but(imported_of(copy)))
    root = bootstrapped.root(assemble(read_export(copy), secrets))
    done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    after = identities(bootstrapped, root)
    assert len([key for key in between if after.get(key) != between[key]]) >= count > 0
    assert bootstrapped.clear(root) == "DELETE_COMPLETE"


@pytest.mark.parametrize("name", ALONE)
def test_the_role_is_enough_for_an_export(local_aws: LocalAws, tmp_path: Path, name: str) -> None:
    all_of_it(local_aws, EXPORTS[name], copy_export(name, tmp_path / "export"))


def test_the_role_is_enough_for_a_project_that_grows(local_aws: LocalAws, tmp_path: Path) -> None:
    """And is changed and replaced at last."""
    last = copy_export(SERIES[-1], tmp_path / "export")
    live(local_aws, *(assemble(read_export(EXPORTS[name])) for name in SERIES), *changed_and_replaced(last))


@pytest.mark.parametrize(("name", "check"), REFUSED.items())
def test_what_is_not_deployed_here_is_refused_before(name: str, check: str) -> None:
    with pytest.raises(ExportRefused, match=check):
        assemble(read_export(EXPORTS[name]))


@pytest.mark.large
@pytest.mark.processes
def test_the_role_is_enough_for_2550_resources(
    large_export: Callable[[str], Path],  # noqa: F811
    tmp_path: Path,
) -> None:
    """More than CloudFormation makes in one operation: whoever has them has deployed them in parts."""
    copy, changing = shutil.copytree(large_export("large"), tmp_path / "export"), "Entity010.json"
    first = assemble(read_export(copy))
    # In one release: what each of the two needs, the small ones show.
    assert changed(copy, updated, changing) > 0
    assert changed(copy, replaced_but(imported_of(copy)), changing) > 0
    with LocalAws(operation_limit=10_000) as aws:
        live(aws, first, assemble(read_export(copy)))


SOCIAL = json.dumps([{"ProviderName": p, "client_id": "i", "client_secret": "s"} for p in ("Facebook", "Google")])
SECRETS = {"media-vault": {("authmediavault1f08412d", "hostedUIProviderCreds"): SOCIAL}}


@pytest.mark.large
@pytest.mark.parametrize(
    ("app", "variant"),
    [
        ("discussions", "as-pushed"),
        ("discussions", "recompiled"),
        ("fitness-tracker", "as-pushed-AD206-remedied"),
        ("media-vault", "as-pushed"),
        ("media-vault", "recompiled"),
        ("product-catalog", "as-pushed"),
        ("product-catalog", "recompiled"),
    ],
)
def test_the_role_is_enough_for_an_app(local_aws: LocalAws, tmp_path: Path, app: str, variant: str) -> None:
    export, copy = (unpacked_app(app, variant, tmp_path / folder) for folder in ("export", "copy"))
    all_of_it(local_aws, export, copy, SECRETS.get(app, NO_SECRETS))


@pytest.mark.large
@pytest.mark.parametrize("variant", ["as-pushed", "recompiled"])
def test_an_app_that_has_lost_its_triggers_is_refused_before(tmp_path: Path, variant: str) -> None:
    with pytest.raises(ExportRefused, match="AD206"):
        assemble(read_export(unpacked_app("fitness-tracker", variant, tmp_path)))


@pytest.mark.large
@pytest.mark.parametrize("case", ["hosting-bucket", "amplifyhosting-appid"])
def test_the_role_is_enough_for_analytics_geo_predictions_and_hosting(
    local_aws: LocalAws, tmp_path: Path, case: str
) -> None:
    """Their custom resources' functions really make what they are for, and delete it, within the boundary."""
    export, copy = (unpacked_case(case, tmp_path / folder) for folder in ("export", "copy"))
    all_of_it(local_aws, export, copy)


def test_the_role_is_enough_for_predictions(local_aws: LocalAws, tmp_path: Path) -> None:
    """Rights of users, but for faces: the export's function makes a collection, and deletes it, within the boundary."""
    made = assemble(read_export(with_predictions(copy_export("iam", tmp_path / "export"))))
    bootstrapped = Bootstrapped.make(local_aws, [made])
    root = bootstrapped.root(made)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")
    rekognition = bootstrapped.local.client("rekognition")
    assert rekognition.list_collections()["CollectionIds"] == ["faces7c1d-prod"]
    bootstrapped.empty("photos7c1d-prod")
    assert bootstrapped.clear(root) == "DELETE_COMPLETE"
    assert rekognition.list_collections()["CollectionIds"] == []


def test_the_role_is_enough_for_the_directive_of_predictions(local_aws: LocalAws, tmp_path: Path) -> None:
    """Data sources that AppSync signs for the services, and a function whose name CloudFormation makes."""
    made = assemble(read_export(with_predictions_directive(copy_export("full", tmp_path / "export"))))
    bootstrapped = Bootstrapped.make(local_aws, [made])
    root = bootstrapped.root(made)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")
    appsync = bootstrapped.local.client("appsync")
    [api] = appsync.list_graphql_apis()["graphqlApis"]
    sources = {s["name"]: s for s in appsync.list_data_sources(apiId=api["apiId"])["dataSources"]}
    role = sources["RekognitionDataSource"]["serviceRoleArn"]
    assert role.endswith(f"/predictionsIAMRole-{api['apiId']}-prod")
    assert {sources[name]["serviceRoleArn"] for name in ("TranslateDataSource", "LambdaDataSource")} == {role}
    signed = sources["TranslateDataSource"]["httpConfig"]["authorizationConfig"]
    assert signed == {
        "authorizationType": "AWS_IAM",
        "awsIamConfig": {"signingRegion": bootstrapped.local.region, "signingServiceName": "translate"},
    }
    assert bootstrapped.clear(root) == "DELETE_COMPLETE"


def trusting(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
API_ARN = {"Fn::GetAtt": ["GraphQLAPI", "Arn"]}
ADDED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "Firewall": (
        "WAFv2::WebACL",
        {
            "Name": "firewall-prod",
            "Scope": "REGIONAL",
            "DefaultAction": {"Allow": {}},
            "VisibilityConfig": {
                "CloudWatchMetricsEnabled": True,
                "SampledRequestsEnabled": True,
                "MetricName": "firewall",
            },
        },
    ),
    "OrdersKey": ("KMS::Key", {"KeyPolicy": KEY_POLICY}),
    "OrdersKeyName": ("KMS::Alias", {"AliasName": "alias/orders-prod", "TargetKeyId": {"Ref": "OrdersKey"}}),
    "Everywhere": (
        "DynamoDB::GlobalTable",
        {
            "TableName": "everywhere-prod",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "Replicas": [{"Region": {"Ref": "AWS::Region"}}],
        },
    ),
    "Shop": (
        "Events::Connection",
        {
            "Name": "shop-prod",
            "AuthorizationType": "API_KEY",
            "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "key", "ApiKeyValue": "a"}},
        },
    ),
    "ShopOrders": (
        "Events::ApiDestination",
        {
            "Name": "shop-orders-prod",
            "ConnectionArn": {"Fn::GetAtt": ["Shop", "Arn"]},
            "HttpMethod": "POST",
            "InvocationEndpoint": "https://shop.example.com/orders",
        },
    ),
    "Kept": (
        "Events::Archive",
        {
            "ArchiveName": "kept-prod",
            "SourceArn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"},
        },
    ),
    "Nights": ("Scheduler::ScheduleGroup", {"Name": "nights-prod"}),
    "Night": (
        "Scheduler::Schedule",
        {
            "Name": "night-prod",
            "GroupName": {"Ref": "Nights"},
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": {"Fn::GetAtt": ["Jobs", "Arn"]}, "RoleArn": {"Fn::GetAtt": ["NightRole", "Arn"]}},
        },
    ),
    "NightRole": (
        "IAM::Role",
        {"RoleName": "night-prod", "AssumeRolePolicyDocument": trusting("scheduler.amazonaws.com")},
    ),
    "Jobs": ("SQS::Queue", {"QueueName": "jobs-prod.fifo", "FifoQueue": True}),
    "Orders": ("SNS::Topic", {"TopicName": "orders-prod.fifo", "FifoTopic": True}),
    "Certificate": (
        "CertificateManager::Certificate",
        {
            "DomainName": "app.example.com",
            "ValidationMethod": "DNS",
            "DomainValidationOptions": [{"DomainName": "app.example.com", "HostedZoneId": "Z123"}],
        },
    ),
    "Control": (
        "CloudFront::OriginAccessControl",
        {
            "OriginAccessControlConfig": {
                "Name": "site-prod",
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            }
        },
    ),
    "Login": ("SecretsManager::Secret", {"Name": "database-prod", "SecretString": '{"username": "a"}'}),
    "Database": (
        "RDS::DBCluster",
        {"Engine": "aurora-mysql", "MasterUsername": "a", "MasterUserPassword": "a-password"},
    ),
    "DatabaseLogin": (
        "SecretsManager::SecretTargetAttachment",
        {"SecretId": {"Ref": "Login"}, "TargetId": {"Ref": "Database"}, "TargetType": "AWS::RDS::DBCluster"},
    ),
    "Files": ("EFS::FileSystem", {"Encrypted": True}),
    "Address": ("EC2::EIP", {"Domain": "vpc"}),
    "Live": (
        "AppSync::Api",
        {
            "Name": "live",
            "EventConfig": {
                name: [{"AuthType": "API_KEY"}]
                for name in (
                    "AuthProviders",
                    "ConnectionAuthModes",
                    "DefaultPublishAuthModes",
                    "DefaultSubscribeAuthModes",
                )
            },
        },
    ),
    "Analytics": ("CDK::Metadata", {"Analytics": "v2"}),
    "Addresses": ("WAFv2::IPSet", {"Scope": "REGIONAL", "IPAddressVersion": "IPV4", "Addresses": []}),
    "BeforeTheApi": (
        "WAFv2::WebACLAssociation",
        {"ResourceArn": API_ARN, "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]}},
    ),
    "Pool": ("Cognito::UserPool", {"UserPoolName": "staff-prod"}),
    "Group": ("Cognito::UserPoolGroup", {"GroupName": "admins", "UserPoolId": {"Ref": "Pool"}}),
    "User": ("Cognito::UserPoolUser", {"Username": "ann", "UserPoolId": {"Ref": "Pool"}}),
    "Membership": (
        "Cognito::UserPoolUserToGroupAttachment",
        {"GroupName": {"Ref": "Group"}, "Username": {"Ref": "User"}, "UserPoolId": {"Ref": "Pool"}},
    ),
    "Domain": ("Cognito::UserPoolDomain", {"Domain": "staff-prod", "UserPoolId": {"Ref": "Pool"}}),
    "Dashboard": ("CloudWatch::Dashboard", {"DashboardName": "api-prod", "DashboardBody": '{"widgets": []}'}),
    "Alarm": (
        "CloudWatch::Alarm",
        {
            "AlarmName": "errors-prod",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "MetricName": "5XXError",
            "Namespace": "AWS/AppSync",
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 1,
        },
    ),
    "Search": (
        # As Amplify writes it for `@searchable`, without its policy.
        "Elasticsearch::Domain",
        {
            "DomainName": "search-prod",
            "ElasticsearchVersion": "7.10",
            "ElasticsearchClusterConfig": {"InstanceCount": 1, "InstanceType": "t3.small.elasticsearch"},
            "EBSOptions": {"EBSEnabled": True, "VolumeSize": 10, "VolumeType": "gp2"},
        },
    ),
    "Both": ("CloudWatch::CompositeAlarm", {"AlarmName": "all-prod", "AlarmRule": "ALARM(errors-prod)"}),
    "Bot": (
        "Lex::Bot",
        {
            "Name": "bot-prod",
            "RoleArn": {"Fn::GetAtt": ["BotRole", "Arn"]},
            "DataPrivacy": {"ChildDirected": False},
            "IdleSessionTTLInSeconds": 300,
        },
    ),
    "BotVersion": (
        "Lex::BotVersion",
        {
            "BotId": {"Ref": "Bot"},
            "BotVersionLocaleSpecification": [
                {"LocaleId": "en_US", "BotVersionLocaleDetails": {"SourceBotVersion": "DRAFT"}}
            ],
        },
    ),
    "BotAlias": ("Lex::BotAlias", {"BotId": {"Ref": "Bot"}, "BotAliasName": "live"}),
    "BotRole": (
        "IAM::Role",
        {"RoleName": "bot-prod", "AssumeRolePolicyDocument": trusting("lexv2.amazonaws.com")},
    ),
    "Push": ("Pinpoint::App", {"Name": "push-prod"}),
    "Google": ("Pinpoint::GCMChannel", {"ApplicationId": {"Ref": "Push"}, "ApiKey": "key"}),
    "Sender": ("SES::EmailIdentity", {"EmailIdentity": "shop@example.com"}),
    "Table": (
        "DynamoDB::Table",
        {
            "TableName": "orders-prod",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        },
    ),
    "Capacity": (
        "ApplicationAutoScaling::ScalableTarget",
        {
            "MinCapacity": 1,
            "MaxCapacity": 5,
            "ResourceId": {"Fn::Sub": "table/${Table}"},
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "ServiceNamespace": "dynamodb",
            # As the CDK writes it (`TableScaling`).
            "RoleARN": {
                "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:role/aws-service-role/dynamodb.application-autoscaling"
                ".amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
            },
        },
    ),
    "Scaling": (
        "ApplicationAutoScaling::ScalingPolicy",
        {
            "PolicyName": "reads",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "Capacity"},
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 70,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
            },
        },
    ),
}
"""What projects add to an API, by logical id: a firewall, users, dashboards, search, a bot, push, mail, scaling, a
database, a certificate."""


def test_the_role_is_enough_for_what_projects_add(local_aws: LocalAws, tmp_path: Path) -> None:
    """Some are only recorded; each handler's calls are asked for all the same."""
    export = copy_export("todo", tmp_path / "export")
    (path,) = (p for p in export.rglob("*.json") if '"AWS::AppSync::GraphQLApi"' in p.read_text())
    template = json.loads(path.read_bytes())
    template["Resources"] |= {name: {"Type": f"AWS::{kind}", "Properties": p} for name, (kind, p) in ADDED.items()}
    replace_file(path, json.dumps(template).encode())
    live(local_aws, assemble(read_export(export)))


@pytest.mark.large
@pytest.mark.parametrize("production", [False, True])
def test_the_pinpoint_app_of_production_stays(local_aws: LocalAws, tmp_path: Path, *, production: bool) -> None:
    """The export's function deletes it when CloudFormation asks for that: of a retained resource it does not."""
    made = assemble(read_export(unpacked_case("hosting-bucket", tmp_path)))
    bootstrapped = Bootstrapped.make(local_aws, [made])
    root = bootstrapped.root(made)
    done(bootstrapped, root, bootstrapped.create(root)["StackStatus"], "CREATE_COMPLETE")
    pinpoint = bootstrapped.local.client("pinpoint")

    def apps() -> list[str]:
        return [app["Id"] for app in pinpoint.get_apps()["ApplicationsResponse"].get("Item", ())]

    (app,) = apps()
    root = bootstrapped.root(in_production(made, production, CLOUDFORMATION_TYPES, CALLOUT_PROPERTIES))
    done(bootstrapped, root, bootstrapped.update(root)["StackStatus"], "UPDATE_COMPLETE")
    assert apps() == [app]
    assert bootstrapped.clear(root) == "DELETE_COMPLETE"
    assert apps() == ([app] if production else [])


EVENTS = {
    "Rest": ("Api", {"Path": "/x", "Method": "get"}),
    "Http": ("HttpApi", {"Path": "/y", "Method": "get"}),
    "Nightly": ("Schedule", {"Schedule": "cron(0 3 * * ? *)"}),
    "Note": ("SNS", {"Topic": {"Ref": "Topic"}}),
    "Daily": ("ScheduleV2", {"ScheduleExpression": "rate(1 day)"}),
    "Line": ("CloudWatchLogs", {"LogGroupName": {"Ref": "Group"}, "FilterPattern": ""}),
    "Job": ("SQS", {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}}),
}
MACHINE = {
    "Name": {"Fn::Sub": "machine-${env}"},
    "Definition": {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}},
    "Policies": [{"LambdaInvokePolicy": {"FunctionName": {"Ref": "LambdaFunction"}}}],
    "Events": {"Daily": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 day)"}}},
}
API = {"StageName": "live", "DefinitionBody": {"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": {}}}


@pytest.mark.large
def test_the_role_is_enough_for_what_the_transform_makes(local_aws: LocalAws, tmp_path: Path) -> None:
    export = unpacked_case("sam-function", tmp_path)
    path = next(export.glob("function/*/*template.json"))
    template = json.loads(path.read_bytes())
    function = template["Resources"]["LambdaFunction"]["Properties"]
    function["Events"] = {name: {"Type": kind, "Properties": given} for name, (kind, given) in EVENTS.items()}
    function |= {
        "EventInvokeConfig": {"DestinationConfig": {"OnFailure": {"Type": "SQS"}}},
        "AutoPublishAlias": "live",
        "FunctionUrlConfig": {"AuthType": "AWS_IAM"},
    }
    del function["Role"]
    template["Resources"] |= {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "group-${env}"}}},
        "Table": {"Type": "AWS::Serverless::SimpleTable"},
        "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": MACHINE},
        "Api": {"Type": "AWS::Serverless::Api", "Properties": API},
        "HttpApi": {"Type": "AWS::Serverless::HttpApi"},
    }
    replace_file(path, json.dumps(template).encode())
    live(local_aws, assemble(read_export(export)), *changed_and_replaced(export))


def unpacked_case(name: str, folder: Path) -> Path:
    archive = Path(os.environ.get(CASES, "/nonexistent"), f"{name}.tar.gz")
    if not archive.is_file():
        pytest.skip(f"no {name}.tar.gz: set {CASES} to the folder of the cases")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.glob("*/*/amplify-export-manifest.json")).parent


def unpacked_app(app: str, variant: str, folder: Path) -> Path:
    archive = Path(os.environ.get(APPS, "/nonexistent"), f"{app}.tar.gz")
    if not archive.is_file():
        pytest.skip(f"no {app}.tar.gz: set {APPS} to the folder of the apps' archives")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return next(folder.glob(f"*/{variant}/*/amplify-export-manifest.json")).parent
