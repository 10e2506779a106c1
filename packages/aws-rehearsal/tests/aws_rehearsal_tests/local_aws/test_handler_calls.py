"""What is asked before a handler acts: which calls, on which resource, with which roles passed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.rights.scopes import services_passed_to
from amplify_delivery.components.documents.rights.types import known_types
from aws_rehearsal.local_aws.handlers import table
from aws_rehearsal.local_aws.handlers.calls import Call, Operation, calls
from aws_rehearsal.local_aws.handlers.subject import Subject, made_up

ACCOUNT, REGION, STACK = "012345678901", "eu-west-1", "amplify-myapp-prod-a1b2c"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"


def subject(kind: str, properties: dict[str, Any] | None = None, physical_id: str = "", **more: Any) -> Subject:
    return Subject(f"AWS::{kind}", "Thing", STACK, ACCOUNT, REGION, properties or {}, physical_id, **more)


def asked(operation: Operation, about: Subject, old: dict[str, Any] | None = None) -> dict[str, str]:
    """Resources by action; an action that is asked for several has the last."""
    return {call.action: call.resource for call in calls(operation, about, old)}


def arn(service: str, resource: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def test_the_table_is_that_of_the_schemas_at_hand() -> None:
    """As `python -m aws_rehearsal.local_aws.handlers.table` writes it."""
    from cfnlint.data import AdditionalSpecs
    from cfnlint.data.schemas import resources

    wanted = ("AWS::S3::Bucket", "AWS::IAM::Role", "AWS::AppSync::Resolver", "AWS::Events::Rule")
    folder = Path(next(iter(resources.__path__)))
    schemas = []
    for path in sorted(folder.glob("*.json")):
        text = path.read_text(encoding="utf-8")
        if any(f'"{name}"' in text for name in wanted):
            schemas.append(json.loads(text))
    published = json.loads(Path(next(iter(AdditionalSpecs.__path__)), "Policies.json").read_text(encoding="utf-8"))
    found = table.from_schemas(schemas, published, wanted)
    assert {name: table.handlers(name) for name in wanted} == {name: found["types"][name] for name in wanted}
    assert set(found["unscoped"]) <= table.unscoped()


def test_of_every_type_that_rights_are_computed_for_the_calls_are_known() -> None:
    """Else every action of its service would be asked for, and no account's role has these."""
    without_calls = {f"AWS::CloudFormation::{name}" for name in ("WaitCondition", "WaitConditionHandle")}
    without_calls.add("AWS::CDK::Metadata")
    custom = {"AWS::CloudFormation::CustomResource"}
    assert {kind for kind in known_types() - without_calls - custom if table.handlers(kind) is None} == set()


GRAPHQL = arn("appsync", "apis/a")
BRANCH = {"AppId": "d1example", "BranchName": "prod"}
ASSOCIATION = {"ResourceArn": GRAPHQL, "WebACLArn": arn("wafv2", "regional/webacl/w/1")}


@pytest.mark.parametrize(
    ("about", "action", "resource"),
    [
        (
            subject("Lambda::Function", {"FunctionName": "f-prod"}),
            "lambda:CreateFunction",
            arn("lambda", "function:f-prod"),
        ),
        (
            subject("Lambda::Permission", {"FunctionName": arn("lambda", "function:f-prod:live")}),
            "lambda:AddPermission",
            arn("lambda", "function:f-prod"),
        ),
        (subject("Lambda::EventSourceMapping"), "lambda:CreateEventSourceMapping", "*"),
        (
            subject("Lambda::LayerVersion", {"LayerName": "l-prod"}),
            "lambda:PublishLayerVersion",
            arn("lambda", "layer:l-prod"),
        ),
        (subject("IAM::Role", {"RoleName": "r", "Path": "/p/"}), "iam:CreateRole", arn("iam", "role/p/r", "")),
        (subject("IAM::Policy", {"Roles": ["r"]}), "iam:PutRolePolicy", arn("iam", "role/r", "")),
        (subject("IAM::ManagedPolicy", {"Roles": ["r"]}), "iam:AttachRolePolicy", arn("iam", "role/r", "")),
        (subject("IAM::ManagedPolicy", {"ManagedPolicyName": "p"}), "iam:CreatePolicy", arn("iam", "policy/p", "")),
        (subject("DynamoDB::Table", {"TableName": "t-prod"}), "dynamodb:CreateTable", arn("dynamodb", "table/t-prod")),
        (subject("Amplify::Branch", BRANCH), "amplify:CreateBranch", arn("amplify", "apps/d1example/branches/prod")),
        (subject("Elasticsearch::Domain", {"DomainName": "d"}), "es:CreateElasticsearchDomain", arn("es", "domain/d")),
        (subject("S3::Bucket", {"BucketName": "b"}), "s3:CreateBucket", "arn:aws:s3:::b"),
        (subject("S3::Bucket"), "s3:CreateBucket", f"arn:aws:s3:::{STACK}-thing-1qaz2wsx3edc4"),
        (subject("S3::BucketPolicy", {"Bucket": "b"}), "s3:PutBucketPolicy", "arn:aws:s3:::b"),
        (subject("Cognito::UserPool"), "cognito-idp:CreateUserPool", "*"),
        (
            subject("Cognito::UserPoolClient", {"UserPoolId": "p"}),
            "cognito-idp:CreateUserPoolClient",
            arn("cognito-idp", "userpool/p"),
        ),
        (
            subject("Cognito::IdentityPoolRoleAttachment", {"IdentityPoolId": "i"}),
            "cognito-identity:GetIdentityPoolRoles",
            arn("cognito-identity", "identitypool/i"),
        ),
        (subject("AppSync::Resolver", {"ApiId": "a"}), "appsync:CreateResolver", "*"),
        (subject("ApiGateway::RestApi"), "apigateway:POST", "arn:aws:apigateway:eu-west-1::/restapis"),
        (
            subject("ApiGateway::Deployment", {"RestApiId": "a"}),
            "apigateway:POST",
            "arn:aws:apigateway:eu-west-1::/restapis/a/deployments",
        ),
        (
            subject("ApiGatewayV2::Stage", {"ApiId": "a", "StageName": "s"}),
            "apigateway:POST",
            "arn:aws:apigateway:eu-west-1::/apis/a/stages",
        ),
        (
            subject("Logs::LogGroup", {"LogGroupName": "/aws/lambda/f"}),
            "logs:CreateLogGroup",
            arn("logs", "log-group:/aws/lambda/f:*"),
        ),
        (subject("Events::Rule", {"Name": "r", "EventBusName": "default"}), "events:PutRule", arn("events", "rule/r")),
        (subject("Events::Rule", {"Name": "r", "EventBusName": "b"}), "events:PutRule", arn("events", "rule/b/r")),
        (subject("SNS::Topic", {"TopicName": "t"}), "sns:CreateTopic", arn("sns", "t")),
        (subject("SQS::Queue", {"QueueName": "q"}), "sqs:CreateQueue", arn("sqs", "q")),
        (subject("SSM::Parameter", {"Name": "/a/b"}), "ssm:PutParameter", arn("ssm", "parameter/a/b")),
        (
            subject("SecretsManager::Secret", {"Name": "s"}),
            "secretsmanager:CreateSecret",
            arn("secretsmanager", "secret:s-new"),
        ),
        (
            subject("StepFunctions::StateMachine", {"StateMachineName": "m"}),
            "states:CreateStateMachine",
            arn("states", "stateMachine:m"),
        ),
        (subject("Kinesis::Stream", {"Name": "k"}), "kinesis:CreateStream", arn("kinesis", "stream/k")),
        (subject("KMS::Key"), "kms:CreateKey", "*"),
        (subject("CloudFront::Distribution"), "cloudfront:GetDistribution", arn("cloudfront", "distribution/new", "")),
        (subject("OpenSearchService::Domain", {"DomainName": "d"}), "es:CreateDomain", arn("es", "domain/d")),
        (
            subject("CloudFormation::Stack"),
            "cloudformation:CreateStack",
            arn("cloudformation", f"stack/{STACK}-Thing-1QAZ2WSX3EDC/new"),
        ),
        (subject("Location::Map", {"MapName": "m"}), "geo:CreateMap", arn("geo", "map/m")),
        (
            subject("WAFv2::WebACL", {"Name": "w", "Scope": "REGIONAL"}),
            "wafv2:CreateWebACL",
            arn("wafv2", "regional/webacl/w/new"),
        ),
        (subject("WAFv2::WebACLAssociation", ASSOCIATION), "wafv2:AssociateWebACL", GRAPHQL),
        (subject("WAFv2::WebACLAssociation", ASSOCIATION), "appsync:AssociateWebACL", GRAPHQL),
        (subject("WAFv2::WebACLAssociation", ASSOCIATION), "appsync:SetWebACL", "*"),
        (
            subject("Cognito::UserPoolUser", {"UserPoolId": "p"}),
            "cognito-idp:AdminCreateUser",
            arn("cognito-idp", "userpool/p"),
        ),
        (
            subject("CloudWatch::CompositeAlarm", {"AlarmName": "all"}),
            "cloudwatch:PutCompositeAlarm",
            "*",
        ),
        (subject("CloudWatch::CompositeAlarm", {"AlarmName": "all"}), "cloudwatch:DescribeAlarms", "*"),
        (subject("Events::Archive", {"ArchiveName": "a"}), "events:DescribeArchive", arn("events", "archive/a")),
        (
            subject("Events::Archive", {"ArchiveName": "a", "SourceArn": arn("events", "event-bus/default")}),
            "events:CreateArchive",
            arn("events", "event-bus/default"),
        ),
        (
            subject("Scheduler::Schedule", {"Name": "s"}),
            "scheduler:CreateSchedule",
            arn("scheduler", "schedule/default/s"),
        ),
        (
            subject("Scheduler::Schedule", {"Name": "s", "GroupName": "g"}),
            "scheduler:CreateSchedule",
            arn("scheduler", "schedule/g/s"),
        ),
        (
            subject("Scheduler::ScheduleGroup", {"Name": "g"}),
            "scheduler:CreateScheduleGroup",
            arn("scheduler", "schedule-group/g"),
        ),
        (
            subject("CloudWatch::Dashboard", {"DashboardName": "d"}),
            "cloudwatch:PutDashboard",
            arn("cloudwatch", "dashboard/d", ""),
        ),
        (subject("Pinpoint::App", {"Name": "a"}), "mobiletargeting:CreateApp", arn("mobiletargeting", "apps/new")),
        (
            subject("Pinpoint::GCMChannel", {"ApplicationId": "a"}),
            "mobiletargeting:UpdateGcmChannel",
            arn("mobiletargeting", "apps/a/channels/gcm"),
        ),
        (subject("Lex::Bot", {"Name": "b"}), "lex:CreateBot", arn("lex", "bot/new")),
        (subject("Lex::BotAlias", {"BotId": "b"}), "lex:CreateBotAlias", arn("lex", "bot-alias/b/new")),
        (subject("Lex::BotVersion", {"BotId": "b"}), "lex:CreateBotVersion", arn("lex", "bot/b")),
        (
            subject("SES::EmailIdentity", {"EmailIdentity": "a.io"}),
            "ses:CreateEmailIdentity",
            arn("ses", "identity/a.io"),
        ),
        (
            subject("SES::Template", {"Template": {"TemplateName": "t"}}),
            "ses:CreateEmailTemplate",
            arn("ses", "template/t"),
        ),
        (
            subject("ApplicationAutoScaling::ScalableTarget", {"ServiceNamespace": "dynamodb"}),
            "application-autoscaling:RegisterScalableTarget",
            arn("application-autoscaling", "scalable-target/new"),
        ),
        (
            subject("ApiGateway::BasePathMapping", {"DomainName": "a.io"}),
            "apigateway:POST",
            "arn:aws:apigateway:eu-west-1::/domainnames/a.io/basepathmappings",
        ),
    ],
)
def test_a_call_is_about_the_resource_by_its_name(about: Subject, action: str, resource: str) -> None:
    assert asked("create", about)[action] == resource


def test_a_firewall_is_asked_of_what_it_stands_before_and_of_nothing_else() -> None:
    made = asked("create", subject("WAFv2::WebACLAssociation", ASSOCIATION))
    assert {action.partition(":")[0] for action in made} == {"appsync", "wafv2"}
    stage = f"arn:aws:apigateway:{REGION}::/restapis/a/stages/s"
    made = asked("create", subject("WAFv2::WebACLAssociation", {**ASSOCIATION, "ResourceArn": stage}))
    assert made["apigateway:SetWebACL"] == stage
    assert "appsync:SetWebACL" not in made


def test_a_name_that_cloudformation_makes_up_is_cut_as_it_cuts_it() -> None:
    long = Subject("AWS::IAM::Role", "ARoleWithAVeryLongLogicalId", f"{STACK}-storage-1ABCDEFGHIJKL", ACCOUNT, REGION)
    name = made_up(long, 64)
    assert len(name) <= 64
    assert name.startswith(f"{STACK[:24]}-ARoleWithAVeryLongLogica-")


def test_what_is_there_is_named_by_its_id() -> None:
    pool = subject("Cognito::UserPool", {}, "eu-west-1_abc")
    assert asked("delete", pool) == {"cognito-idp:DeleteUserPool": arn("cognito-idp", "userpool/eu-west-1_abc")}
    assert asked("update", subject("SQS::Queue", {"DelaySeconds": 1}, f"http://sqs/{ACCOUNT}/q"), {})[
        "sqs:SetQueueAttributes"
    ] == arn("sqs", "q")


@pytest.mark.parametrize(
    ("kind", "properties", "role", "service"),
    [
        ("Lambda::Function", {"Role": "ROLE"}, "ROLE", "lambda"),
        ("AppSync::DataSource", {"ServiceRoleArn": "ROLE"}, "ROLE", "appsync"),
        ("AppSync::GraphQLApi", {"LogConfig": {"CloudWatchLogsRoleArn": "ROLE"}}, "ROLE", "appsync"),
        ("Cognito::UserPool", {"SmsConfiguration": {"SnsCallerArn": "ROLE"}}, "ROLE", "cognito-idp"),
        ("Cognito::UserPoolGroup", {"RoleArn": "ROLE"}, "ROLE", "cognito-idp"),
        ("Cognito::IdentityPoolRoleAttachment", {"Roles": {"authenticated": "ROLE"}}, "ROLE", "cognito-identity"),
        ("StepFunctions::StateMachine", {"RoleArn": "ROLE"}, "ROLE", "states"),
        ("Events::Rule", {"Targets": [{"Id": "t", "RoleArn": "ROLE"}]}, "ROLE", "events"),
        ("ApiGateway::Account", {"CloudWatchRoleArn": "ROLE"}, "ROLE", "apigateway"),
        ("ApiGateway::Method", {"Integration": {"Credentials": "ROLE"}}, "ROLE", "apigateway"),
        ("ECS::TaskDefinition", {"TaskRoleArn": "ROLE"}, "ROLE", "ecs-tasks"),
        ("KinesisFirehose::DeliveryStream", {"S3DestinationConfiguration": {"RoleARN": "ROLE"}}, "ROLE", "firehose"),
        ("OpenSearchService::Domain", {"CognitoOptions": {"RoleArn": "ROLE"}}, "ROLE", "es"),
        ("CodeBuild::Project", {"ServiceRole": "ROLE"}, "ROLE", "codebuild"),
        ("S3::Bucket", {"ReplicationConfiguration": {"Role": "ROLE"}}, "ROLE", "s3"),
        # Types of which nobody has published what their handlers call.
        ("EKS::Cluster", {"RoleArn": "ROLE"}, "ROLE", "eks"),
        ("Glue::Job", {"Role": "ROLE"}, "ROLE", "glue"),
        ("IoT::TopicRule", {"TopicRulePayload": {"Actions": [{"Sqs": {"RoleArn": "ROLE"}}]}}, "ROLE", "iot"),
        ("KinesisAnalyticsV2::Application", {"ServiceExecutionRole": "ROLE"}, "ROLE", "kinesisanalytics"),
        ("Pipes::Pipe", {"RoleArn": "ROLE"}, "ROLE", "pipes"),
        ("Lambda::Function", {"Environment": {"Variables": {"ROLE_ARN": "ROLE"}}}, None, None),
        ("S3::BucketPolicy", {"PolicyDocument": {"Statement": [{"Principal": {"AWS": "ROLE"}}]}}, None, None),
        ("Lambda::Permission", {"Principal": "ROLE"}, None, None),
    ],
)
def test_a_role_that_a_property_hands_over_is_passed_to_its_service(
    kind: str, properties: dict[str, Any], role: str | None, service: str | None
) -> None:
    given = f"arn:aws:iam::{ACCOUNT}:role/given"
    filled = json.loads(json.dumps(properties).replace('"ROLE"', f'"{given}"'))
    passed = [call for call in calls("create", subject(kind, filled)) if call.action == "iam:PassRole"]
    expected = Call("iam:PassRole", given, {"iam:PassedToService": f"{service}.amazonaws.com"})
    assert passed == ([expected] if role else [])
    if role and f"AWS::{kind}" in known_types():
        # The computed execution role may pass it there.
        assert f"{service}.amazonaws.com" in services_passed_to([f"AWS::{kind}"])


@pytest.mark.parametrize(
    ("kind", "properties", "key"),
    [
        ("Lambda::Function", {"Code": {"S3Bucket": "b", "S3Key": "k.zip"}}, "b/k.zip"),
        ("AppSync::Resolver", {"RequestMappingTemplateS3Location": "s3://b/r.vtl"}, "b/r.vtl"),
        ("AppSync::GraphQLSchema", {"DefinitionS3Location": "s3://b/s.graphql"}, "b/s.graphql"),
        ("CloudFormation::Stack", {"TemplateURL": "https://s3.eu-west-1.amazonaws.com/b/t.json"}, "b/t.json"),
        ("CloudFormation::Stack", {"TemplateURL": "https://b.s3.eu-west-1.amazonaws.com/t.json"}, "b/t.json"),
    ],
)
def test_an_object_that_a_property_names_is_read(kind: str, properties: dict[str, Any], key: str) -> None:
    assert asked("create", subject(kind, properties))["s3:GetObject"] == f"arn:aws:s3:::{key}"


_ROLE = {"AssumeRolePolicyDocument": {"a": 1}, "PermissionsBoundary": BOUNDARY}


@pytest.mark.parametrize(
    ("kind", "old", "new", "made", "not_made"),
    [
        ("S3::Bucket", {}, {"CorsConfiguration": {"a": 1}}, "s3:PutBucketCORS", "s3:PutBucketVersioning"),
        ("S3::Bucket", {}, {"BucketName": "b"}, "s3:GetBucketCORS", "s3:PutBucketCORS"),
        ("DynamoDB::Table", {}, {"TableName": "t"}, "dynamodb:CreateTable", "dynamodb:UpdateTimeToLive"),
        ("DynamoDB::Table", {}, {"SSESpecification": {"KMSMasterKeyId": KEY}}, "kms:DescribeKey", "kinesis:PutRecords"),
        ("Lambda::Function", {}, {"Tags": [{"Key": "a", "Value": "b"}]}, "lambda:TagResource", "kms:Decrypt"),
        (
            "Lambda::Function",
            {},
            {"Tags": [{"Key": "aws:x", "Value": "b"}]},
            "lambda:GetFunction",
            "lambda:TagResource",
        ),
        ("IAM::Role", _ROLE, {**_ROLE, "Description": "d"}, "iam:UpdateRole", "iam:UpdateAssumeRolePolicy"),
        ("IAM::Role", _ROLE, {**_ROLE, "Description": "d"}, "iam:GetRole", "iam:DeleteRolePermissionsBoundary"),
        (
            "IAM::Role",
            _ROLE,
            {"AssumeRolePolicyDocument": {"a": 1}},
            "iam:DeleteRolePermissionsBoundary",
            "iam:UpdateRole",
        ),
        ("IAM::Policy", {}, {"Roles": ["r"]}, "iam:PutRolePolicy", "iam:PutUserPolicy"),
        ("IAM::ManagedPolicy", {"Roles": ["r", "s"]}, {"Roles": ["r"]}, "iam:DetachRolePolicy", "iam:AttachRolePolicy"),
        ("Logs::LogGroup", {}, {"RetentionInDays": 1}, "logs:PutRetentionPolicy", "logs:CreateLogDelivery"),
    ],
)
def test_calls_that_no_property_asks_for_are_not_made(
    kind: str, old: dict[str, Any], new: dict[str, Any], made: str, not_made: str
) -> None:
    found = asked("update" if old else "create", subject(kind, new, "thing" if old else ""), old)
    assert made in found
    assert not_made not in found


def test_a_detached_policy_is_asked_for_the_role_that_loses_it() -> None:
    found = asked("update", subject("IAM::ManagedPolicy", {"Roles": ["r"]}, "arn:p"), {"Roles": ["r", "lost"]})
    assert found["iam:DetachRolePolicy"] == arn("iam", "role/lost", "")


def test_the_boundary_that_a_role_shall_have_is_told() -> None:
    [create] = [c for c in calls("create", subject("IAM::Role", _ROLE)) if c.action == "iam:CreateRole"]
    assert create.context["iam:PermissionsBoundary"] == BOUNDARY


def test_the_stacks_tags_are_told_for_whatever_takes_tags() -> None:
    about = subject("Cognito::UserPool", stack_tags={"user:Stack": "prod"})
    told = {c.action: c.context for c in calls("create", about)}
    assert told["cognito-idp:CreateUserPool"]["aws:RequestTag/user:Stack"] == "prod"
    assert told["cognito-idp:TagResource"]["aws:TagKeys"] == ["user:Stack"]
    assert "aws:TagKeys" not in told["cognito-idp:DescribeUserPool"]


def test_a_custom_resource_is_a_call_of_its_function_or_topic() -> None:
    function = {"ServiceToken": arn("lambda", "function:f")}
    assert asked("delete", Subject("Custom::Any", "Thing", STACK, ACCOUNT, REGION, function)) == {
        "lambda:InvokeFunction": arn("lambda", "function:f")
    }
    topic = subject("CloudFormation::CustomResource", {"ServiceToken": arn("sns", "t")})
    assert asked("create", topic) == {"sns:Publish": arn("sns", "t")}


def test_a_type_of_which_nobody_publishes_the_calls_needs_all_of_its_service() -> None:
    assert asked("create", subject("Pinpoint::ADMChannel")) == {"pinpoint:*": "*"}


def test_what_is_cloudformations_own_needs_nothing() -> None:
    assert asked("create", subject("CloudFormation::WaitConditionHandle")) == {}
