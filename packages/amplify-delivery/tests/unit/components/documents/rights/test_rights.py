"""Rights from resource types: what the table says, as narrow as names allow, and an error for what it lacks."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.naming import APP_TAG, EnvironmentNames
from amplify_delivery.components.documents.packing import pack
from amplify_delivery.components.documents.rights import handler_table
from amplify_delivery.components.documents.rights import types as rights
from amplify_delivery.components.documents.rights.scopes import services_passed_to
from amplify_delivery.components.documents.statements import allow, document, size
from amplify_delivery.errors import ConfigError
from aws_rehearsal.policy import Principal, Request, Role, World, decide
from aws_rehearsal.policy.evaluator import evaluate
from unit.components.documents import world as w
from unit.places import EXPORTS


def types_of(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in folder.rglob("*.json"):
        template = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(template, dict) and isinstance(template.get("Resources"), dict):
            found |= {resource["Type"] for resource in template["Resources"].values()}
    return found


@pytest.mark.parametrize("export", sorted(p.name for p in EXPORTS.iterdir() if p.is_dir()))
def test_every_type_of_a_real_export_is_known(export: str) -> None:
    types = types_of(EXPORTS / export)
    assert types
    documents = account_documents(w.access(w.prod, resource_types=frozenset(types)))
    assert all(size(policy.document) <= 6_144 for policy in documents.policies)


def test_an_unknown_type_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"AWS::New::Thing, AWS::Old::Thing[\s\S]*have the program make it"):
        rights.actions_for(["AWS::Old::Thing", "AWS::DynamoDB::Table", "AWS::New::Thing"])


def test_the_use_of_any_key_is_no_part_of_a_types_rights() -> None:
    assert not any(a.startswith("kms:") for a in rights.actions_for(["AWS::Logs::LogGroup", "AWS::Lambda::Function"]))
    assert "kms:CreateKey" in rights.actions_for(["AWS::KMS::Key"])


def test_users_and_groups_are_not_a_backends_business() -> None:
    actions = rights.actions_for(["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"])
    assert "iam:PutRolePolicy" in actions
    assert not any("User" in a or "Group" in a for a in actions)


def test_what_deploy_lacks_for_further_types() -> None:
    access = w.access(w.prod)
    assert rights.missing(access, w.PROGRAM_TYPES) == []
    lacking = rights.missing(access, {*w.PROGRAM_TYPES, "AWS::SQS::Queue"})
    assert {
        a.split(":")[0] for s in lacking for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    } == {"sqs"}


def test_more_rights_than_one_policy_holds_are_split_and_none_is_lost() -> None:
    actions = [f"s3:Action{n:04d}" for n in range(1_000)]
    groups = pack([allow("Many", actions, "*"), allow("Few", "s3:Other", "*")], 6_144)
    assert all(size(document(group)) <= 6_144 for group in groups)
    packed = [
        a for group in groups for s in group for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    ]
    assert sorted(packed) == sorted([*actions, "s3:Other"])


def test_administrators_are_refused_as_rights_of_deploy() -> None:
    for change in (
        {"deploy_managed_policies": ("arn:aws:iam::aws:policy/AdministratorAccess",)},
        {"deploy_statements": ({"Effect": "Allow", "Action": "*", "Resource": "*"},)},
        {"check_statements": ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},)},
    ):
        with pytest.raises(ConfigError):
            w.access(w.prod, **change)


def test_the_table_is_what_cfn_lints_schemas_say() -> None:
    from cfnlint.data import AdditionalSpecs  # half a second, for whoever runs this

    resources = pytest.importorskip("cfnlint.data.schemas.resources")
    folder = Path(next(iter(resources.__path__)))
    published = json.loads(Path(next(iter(AdditionalSpecs.__path__)), "Policies.json").read_text(encoding="utf-8"))
    schemas = (json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json")))
    made = handler_table.from_schemas(schemas, published)
    # A newer cfn-lint may know more; what the table has must not have gone.
    assert set(handler_table.table()) <= set(made)


def test_plan_reads_the_programs_own_parameters_and_secrets_and_no_others() -> None:
    """A preview refreshes them, with their values; nobody else's."""
    types = frozenset({*w.PROGRAM_TYPES, "AWS::SSM::Parameter", "AWS::SecretsManager::Secret"})
    documents = account_documents(w.access(w.prod, program_types=types))
    (role,) = [r for r in documents.project_roles if r.arn == w.prod.project_role_arn("plan")]
    managed = {policy.arn: policy.document for policy in documents.policies}
    policies = (*role.policies.values(), *(managed[arn] for arn in role.managed_policies))
    of_account = document([allow("Account", "kms:*", "*", principal=w.prod.root_arn)])
    world = World({role.arn: Role(role.arn, role.trust, policies)}, {w.customers_key(w.prod): of_account})

    def may(action: str, resource: str, **keys: str) -> bool:
        context = {"aws:RequestedRegion": w.prod.region, **keys}
        return decide(world, Request(Principal(role.arn), action, resource, context)).allowed

    own, other = w.prod.arn("ssm", f"parameter/{w.prod.prefix}-key"), w.prod.arn("ssm", "parameter/amplify/key-prod")
    assert may("ssm:GetParameter", own)
    assert may("ssm:GetParameters", own)
    assert not may("ssm:GetParameter", other)
    assert may("ssm:DescribeParameters", "*")
    assert may("secretsmanager:GetSecretValue", w.prod.arn("secretsmanager", f"secret:{w.prod.prefix}-key-AbCdEf"))
    assert not may("secretsmanager:GetSecretValue", w.prod.arn("secretsmanager", f"secret:{w.stack_name(w.prod)}/a/b"))
    assert not may("ssm:PutParameter", own)

    def decrypts(service: str, context: str, arn: str) -> bool:
        """With a key of the account's own, through the service that keeps it."""
        through = {"kms:ViaService": f"{service}.{w.prod.region}.amazonaws.com"}
        keys = {**through, f"kms:EncryptionContext:{context}": arn}
        return may("kms:Decrypt", w.customers_key(w.prod), **keys)

    secret = w.prod.arn("secretsmanager", f"secret:{w.prod.prefix}-key-AbCdEf")
    assert decrypts("secretsmanager", "SecretARN", secret)
    assert decrypts("ssm", "PARAMETER_ARN", own)
    assert not decrypts("ssm", "PARAMETER_ARN", other)
    assert not decrypts("s3", "SecretARN", secret)


OWN = f"orders-{w.prod.environment}"
PLACES = [
    # type, action, resource of one's own, another's
    ("AWS::Events::Rule", "events:PutRule", f"rule/{OWN}", "rule/payroll"),
    ("AWS::Events::Rule", "events:PutRule", f"rule/orders/{OWN}", "rule/orders/payroll"),
    ("AWS::Events::EventBus", "events:CreateEventBus", f"event-bus/{OWN}", "event-bus/payroll"),
    ("AWS::DynamoDB::Table", "dynamodb:CreateTable", f"table/{OWN}", "table/payroll"),
    ("AWS::DynamoDB::GlobalTable", "dynamodb:CreateTableReplica", f"table/{OWN}", "table/payroll"),
    ("AWS::Events::Connection", "events:UpdateConnection", f"connection/{OWN}/1a2b", "connection/payroll/1a2b"),
    (
        "AWS::Events::Connection",
        "secretsmanager:CreateSecret",
        f"secret:events!connection/{OWN}/1a2b-a1B2c3",
        "secret:events!connection/payroll/1a2b-a1B2c3",
    ),
    (
        "AWS::Events::ApiDestination",
        "events:DeleteApiDestination",
        f"api-destination/{OWN}/1a2b",
        "api-destination/payroll/1a2b",
    ),
    ("AWS::KMS::Alias", "kms:UpdateAlias", f"alias/{OWN}", "alias/payroll"),
    ("AWS::KMS::Alias", "kms:UpdateAlias", f"alias/{OWN}", f"alias/{w.prod.app}-another-{w.prod.environment}"),
    ("AWS::SNS::Topic", "sns:CreateTopic", OWN, "payroll"),
    ("AWS::SQS::Queue", "sqs:CreateQueue", OWN, "payroll"),
    ("AWS::SSM::Parameter", "ssm:PutParameter", f"parameter/{OWN}", "parameter/payroll"),
    ("AWS::Lambda::Function", "lambda:CreateFunction", f"function:{OWN}", "function:payroll"),
    ("AWS::Logs::LogGroup", "logs:CreateLogGroup", f"log-group:/aws/lambda/{OWN}", "log-group:/aws/lambda/payroll"),
    ("AWS::SecretsManager::Secret", "secretsmanager:CreateSecret", f"secret:{OWN}-a1B2c3", "secret:payroll-a1B2c3"),
    (
        "AWS::SES::ConfigurationSet",
        "ses:CreateConfigurationSet",
        f"configuration-set/{OWN}",
        "configuration-set/payroll",
    ),
    ("AWS::Events::Archive", "events:DeleteArchive", f"archive/{OWN}", "archive/payroll"),
    (
        "AWS::Scheduler::ScheduleGroup",
        "scheduler:CreateScheduleGroup",
        f"schedule-group/{OWN}",
        "schedule-group/payroll",
    ),
    ("AWS::SES::Template", "ses:CreateEmailTemplate", f"template/{OWN}", "template/payroll"),
    ("AWS::Rekognition::Collection", "rekognition:DeleteCollection", f"collection/{OWN}", "collection/payroll"),
]


@pytest.mark.parametrize(("resource_type", "action", "own", "others"), PLACES)
def test_a_type_is_made_under_the_environments_names_only(
    resource_type: str, action: str, own: str, others: str
) -> None:
    """The ARNs as the service authorization reference has them: EventBridge's rules of the default bus have no bus."""
    access = w.access(w.prod, resource_types=frozenset({resource_type}))
    policy = document(rights.execution_statements(access))
    principal = Principal(w.prod.execution_role_arn)
    service = action.partition(":")[0]
    said = [
        str(evaluate([policy], Request(principal, action, w.prod.arn(service, name)), {})) for name in (own, others)
    ]
    assert (said[0], said[1] == "allow") == ("allow", False)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("AWS::Amplify::Branch", "amplify:CreateBranch"),  # of `amplify add hosting`
        ("AWS::Elasticsearch::Domain", "es:CreateElasticsearchDomain"),  # of every @searchable API
        ("AWS::EC2::VPCEndpoint", "ec2:CreateVpcEndpoint"),  # of a function that asks a database in a VPC
        ("AWS::SNS::TopicPolicy", "sns:SetTopicAttributes"),
        ("AWS::SQS::QueuePolicy", "sqs:SetQueueAttributes"),
        ("AWS::ApiGateway::UsagePlan", "apigateway:POST"),
        ("AWS::ApiGateway::ApiKey", "apigateway:POST"),
        ("AWS::ApiGateway::DomainName", "apigateway:POST"),
        ("AWS::WAFv2::WebACL", "wafv2:CreateWebACL"),
        ("AWS::WAFv2::IPSet", "wafv2:CreateIPSet"),
        ("AWS::WAFv2::WebACLAssociation", "wafv2:AssociateWebACL"),
        ("AWS::WAFv2::WebACLAssociation", "appsync:AssociateWebACL"),
        ("AWS::WAFv2::WebACLAssociation", "apigateway:SetWebACL"),
        ("AWS::WAFv2::WebACLAssociation", "cognito-idp:AssociateWebACL"),
        ("AWS::Cognito::UserPoolUser", "cognito-idp:AdminCreateUser"),
        ("AWS::Cognito::UserPoolUserToGroupAttachment", "cognito-idp:AdminAddUserToGroup"),
        ("AWS::Cognito::UserPoolGroup", "cognito-idp:CreateGroup"),
        ("AWS::Cognito::UserPoolDomain", "cognito-idp:CreateUserPoolDomain"),
        ("AWS::Cognito::UserPoolUICustomizationAttachment", "cognito-idp:SetUICustomization"),
        ("AWS::Cognito::UserPoolRiskConfigurationAttachment", "cognito-idp:SetRiskConfiguration"),
        ("AWS::CloudWatch::Dashboard", "cloudwatch:PutDashboard"),
        ("AWS::CloudWatch::CompositeAlarm", "cloudwatch:DeleteAlarms"),
        ("AWS::Logs::MetricFilter", "logs:PutMetricFilter"),
        ("AWS::SES::EmailIdentity", "ses:CreateEmailIdentity"),
        ("AWS::ApplicationAutoScaling::ScalableTarget", "application-autoscaling:RegisterScalableTarget"),
        ("AWS::ApplicationAutoScaling::ScalingPolicy", "application-autoscaling:PutScalingPolicy"),
        ("AWS::AppSync::DomainName", "appsync:CreateDomainName"),
        ("AWS::Lex::Bot", "lex:CreateBot"),
        ("AWS::Lex::Bot", "lex:BuildBotLocale"),
        ("AWS::Lex::BotAlias", "lex:UpdateBotAlias"),
        ("AWS::Lex::BotVersion", "lex:CreateBotVersion"),
        ("AWS::Pinpoint::App", "mobiletargeting:CreateApp"),
        ("AWS::Pinpoint::APNSSandboxChannel", "mobiletargeting:UpdateApnsSandboxChannel"),
        ("AWS::Pinpoint::GCMChannel", "mobiletargeting:DeleteGcmChannel"),
        ("AWS::RDS::DBCluster", "rds:CreateDBCluster"),
        ("AWS::RDS::DBInstance", "rds:DeleteDBInstance"),
        ("AWS::EFS::MountTarget", "elasticfilesystem:CreateMountTarget"),
        ("AWS::Route53::RecordSet", "route53:ChangeResourceRecordSets"),
        ("AWS::CertificateManager::Certificate", "acm:DeleteCertificate"),
        ("AWS::CloudFront::OriginAccessControl", "cloudfront:DeleteOriginAccessControl"),
        ("AWS::CloudFront::Function", "cloudfront:PublishFunction"),
        ("AWS::AppSync::ChannelNamespace", "appsync:CreateChannelNamespace"),
        ("AWS::ApiGatewayV2::DomainName", "apigateway:POST"),
        ("AWS::SecretsManager::RotationSchedule", "secretsmanager:RotateSecret"),
        ("AWS::SecretsManager::SecretTargetAttachment", "secretsmanager:PutSecretValue"),
        ("AWS::SQS::QueueInlinePolicy", "sqs:SetQueueAttributes"),
        ("AWS::IAM::RolePolicy", "iam:PutRolePolicy"),
    ],
)
def test_what_amplify_and_its_users_add_can_be_made(kind: str, action: str) -> None:
    """A type that is not known ends `bootstrap`, and the whole export with it."""
    statements = rights.statements_for(w.access(w.prod), [kind])
    allowed = [s for s in statements if action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])]
    assert allowed and all(s["Effect"] == "Allow" for s in allowed)
    assert not any(s["Resource"] == "*" for s in allowed)


def test_the_accounts_bus_may_be_archived_and_not_changed() -> None:
    """CreateArchive is asked of the archive and of the bus ("Actions defined by Amazon EventBridge")."""
    types = frozenset({"AWS::Events::Archive", "AWS::Events::EventBus"})
    policy = document(rights.execution_statements(w.access(w.prod, resource_types=types)))
    bus = w.prod.arn("events", "event-bus/default")

    def said(action: str) -> str:
        return str(evaluate([policy], Request(Principal(w.prod.execution_role_arn), action, bus, {}), {}))

    assert said("events:CreateArchive") == "allow"
    assert "allow" not in {said("events:UpdateEventBus"), said("events:DeleteEventBus"), said("events:PutPermission")}


@pytest.mark.parametrize("action", ["cloudwatch:PutCompositeAlarm", "cloudwatch:DescribeAlarms"])
def test_a_composite_alarm_is_made_with_a_right_to_all_of_them(action: str) -> None:
    """CloudWatch wants it "scoped to `*`" (PutCompositeAlarm, DescribeAlarms in its API reference): with the alarms of
    the environment alone none is made, and none is found."""
    policy = document(rights.execution_statements(w.access(w.prod, resource_types=frozenset({COMPOSITE}))))
    region = {"aws:RequestedRegion": w.prod.region}
    said = evaluate([policy], Request(Principal(w.prod.execution_role_arn), action, "*", {}), region)
    assert str(said) == "allow"


COMPOSITE = "AWS::CloudWatch::CompositeAlarm"


def test_a_global_tables_replicas_are_in_other_regions() -> None:
    for kind, may in (("AWS::DynamoDB::GlobalTable", True), ("AWS::DynamoDB::Table", False)):
        policy = document(rights.statements_for(w.access(w.prod), [kind]))
        arn = w.prod.arn("dynamodb", f"table/{OWN}", region="ap-southeast-2")
        said = evaluate([policy], Request(Principal("x"), "dynamodb:CreateTable", arn, {}), {})
        assert (str(said) == "allow") is may


@pytest.mark.parametrize(
    "kind",
    [
        "Cognito::LogDeliveryConfiguration",
        "Events::EventBusPolicy",
        "IoT::Policy",
        "IoT::TopicRule",
        "Logs::ResourcePolicy",
        "Pipes::Pipe",
        "SES::ReceiptFilter",
        "SES::ReceiptRule",
        "SES::ReceiptRuleSet",
    ],
)
def test_what_would_be_the_whole_accounts_is_withheld(kind: str) -> None:
    with pytest.raises(ConfigError, match=f"no account gives a backend the rights for AWS::{kind}"):
        rights.actions_for([f"AWS::{kind}"])


def test_the_keys_of_other_apps_are_held_by_their_tag_whatever_an_environment_is_called() -> None:
    """The rights on aliases go by `*-ENV`, and one of the delivery's own ends with `-staging`. KMS asks for the alias
    and for its key ("Controlling access to aliases" in its developer guide)."""
    own = EnvironmentNames(app="first", account=w.PROD, region=w.AWAY, environment="staging")
    other = EnvironmentNames(app="second", account=w.PROD, region=w.AWAY, environment="prod")
    types = frozenset({"AWS::KMS::Alias", "AWS::KMS::Key"})
    access = replace(w.access(w.prod), names=own, stack_name="amplify-first-staging-a1b2c", resource_types=types)
    policy = document(rights.execution_statements(access))

    def may(action: str, resource: str, keys: dict[str, Any]) -> bool:
        request = Request(Principal(own.execution_role_arn), action, own.arn("kms", resource), keys)
        return str(evaluate([policy], request, keys)) == "allow"

    alias = {"kms:ResourceAliases": (other.staging_key_alias,)}
    for action in ("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"):
        assert may(action, other.staging_key_alias, {})
        assert not may(action, "key/second", {**alias, f"aws:ResourceTag/{APP_TAG}": "second"})
        assert may(action, "key/of-the-backend", {})


def test_what_is_no_part_of_an_api_has_its_own_paths() -> None:
    statements = rights.statements_for(w.access(w.prod), ["AWS::ApiGateway::UsagePlanKey", "AWS::ApiGateway::ApiKey"])
    resources = {r.rpartition("::")[2] for s in statements for r in s["Resource"]}
    assert {"/usageplans", "/usageplans/*", "/apikeys", "/apikeys/*"} <= resources


def test_what_no_backend_may_is_refused_with_its_reason() -> None:
    with pytest.raises(ConfigError) as refused:
        rights.actions_for(["AWS::WAFv2::LoggingConfiguration", "AWS::SNS::Topic", "AWS::No::Such"])
    assert "it is not known what CloudFormation needs for AWS::No::Such; no account gives" in str(refused.value)
    assert "AWS::WAFv2::LoggingConfiguration: it changes who may write into the account's log groups" in str(
        refused.value
    )
    assert "beside the backend" in refused.value.remedy


@pytest.mark.parametrize(
    ("kind", "action", "resource"),
    [
        ("AWS::WAFv2::WebACL", "wafv2:DeleteWebACL", "wafv2:{}:{}:regional/webacl/WebACL-AbCd/1a2b"),
        ("AWS::SES::EmailIdentity", "ses:DeleteEmailIdentity", "ses:{}:{}:identity/example.com"),
        ("AWS::Lex::Bot", "lex:DeleteBot", "lex:{}:{}:bot/A1B2C3"),
        ("AWS::Pinpoint::App", "mobiletargeting:DeleteApp", "mobiletargeting:{}:{}:apps/1a2b3c"),
        ("AWS::RDS::DBCluster", "rds:DeleteDBCluster", "rds:{}:{}:cluster:shop"),
        ("AWS::EFS::FileSystem", "elasticfilesystem:DeleteFileSystem", "elasticfilesystem:{}:{}:file-system/fs-1"),
        ("AWS::CertificateManager::Certificate", "acm:DeleteCertificate", "acm:{}:{}:certificate/1a2b"),
    ],
)
def test_another_environments_are_told_by_their_tags(kind: str, action: str, resource: str) -> None:
    """Their ids are random, or an address: AWS documents `aws:ResourceTag` for each."""
    access = w.access(w.prod)
    policy = document(rights.statements_for(access, [kind]))
    arn = "arn:aws:" + resource.format(w.prod.region, w.prod.account)

    def may(tags: dict[str, str]) -> str:
        context = {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
        return str(evaluate([policy], Request(Principal("x"), action, arn, context), context))

    assert access.tags
    assert may(dict(access.tags)) == "allow"
    assert may(dict.fromkeys(access.tags, "another")) != "allow"


FIREWALL = (
    # action, resource; whether a backend with a firewall of its own may
    ("wafv2:CreateWebACL", "wafv2:{}:{}:regional/webacl/WebACL-AbCd/1a2b", True),
    ("wafv2:AssociateWebACL", "appsync:{}:{}:apis/a1b2c3", True),
    ("wafv2:AssociateWebACL", "apigateway:{}::/restapis/a1b2/stages/prod", True),
    ("wafv2:AssociateWebACL", "cognito-idp:{}:{}:userpool/eu-west-1_AbC", True),
    ("appsync:AssociateWebACL", "appsync:{}:{}:apis/a1b2c3", True),
    ("apigateway:SetWebACL", "apigateway:{}::/restapis/a1b2/stages/prod", True),
    # What no export has a place for, and what would share one with other accounts.
    ("wafv2:AssociateWebACL", "elasticloadbalancing:{}:{}:loadbalancer/app/shop/1a2b", False),
    ("elasticloadbalancing:SetWebACL", "elasticloadbalancing:{}:{}:loadbalancer/app/shop/1a2b", False),
    ("wafv2:PutPermissionPolicy", "wafv2:{}:{}:regional/rulegroup/x/1a2b", False),
)


@pytest.mark.parametrize(("action", "resource", "may"), FIREWALL)
def test_a_firewall_stands_before_the_backends_own_apis_and_pools(action: str, resource: str, *, may: bool) -> None:
    """ "AssociateWebACL" (AWS WAF API reference): the caller needs the right on the web ACL and on what it protects."""
    types = {"AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation", "AWS::AppSync::GraphQLApi"}
    types |= {"AWS::ApiGateway::Stage", "AWS::Cognito::UserPool"}
    policy = document(rights.statements_for(w.access(w.prod), types))
    arn = "arn:aws:" + resource.format(w.prod.region, w.prod.account)
    said = evaluate([policy], Request(Principal(w.prod.execution_role_arn), action, arn, {}), {})
    assert (str(said) == "allow") is may


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema["properties"] if isinstance(schema.get("properties"), dict) else ()
        for value in schema.values():
            yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)


def test_a_type_that_takes_a_role_may_hand_it_to_its_service() -> None:
    """Whoever makes such a resource passes the role; what the service is called its own documentation says."""
    from cfnlint.data.schemas import providers
    from cfnlint.data.schemas import resources as schemas

    files = json.loads(Path(next(iter(providers.__path__)), "us-east-1.json").read_text(encoding="utf-8"))
    folder = Path(next(iter(schemas.__path__)))
    lacking = []
    for kind in sorted(rights.known_types() & files.keys() - {"AWS::IAM::Role"}):
        schema = json.loads((folder / f"{files[kind]}.json").read_text(encoding="utf-8"))
        taken = {p for p in _properties(schema) if re.fullmatch(r"(?i).*role_?arn", p)}
        if taken and "::Lambda::" not in kind and services_passed_to([kind]) == ["lambda.amazonaws.com"]:
            lacking.append((kind, sorted(taken)))
    assert lacking == []
