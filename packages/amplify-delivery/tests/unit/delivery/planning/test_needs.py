"""For which resource types an account has not given the rights, over real exports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.rights.prepared import Prepared
from amplify_delivery.delivery.planning import (
    Identity,
    Lacking,
    ProgramStep,
    Stacks,
    beyond_boundary,
    lacking,
    misnamed,
    named_policies,
    nameless,
    page_buckets,
    plan_backend,
    program_needs,
    unread_policies,
    unreadable,
    without_boundary,
)
from unit.delivery.planning.stacks_of import changed, stacks_of, stacks_of_export, with_resource, without
from unit.export.categories import with_interactions, with_predictions
from unit.export.mutations import copy_export
from unit.export.predictions_directive import with_predictions_directive

NOBODY = Identity()
MODELS, WITH_AUTH = "todo-series/v1", "todo-series/v4"
URN = "urn:pulumi:prod::app::"


def made_for(name: str, *, but: str = "") -> Prepared:
    """What an account's roles are made for when its owner has run the stack with that export."""
    types = {r["Type"] for t in stacks_of(name).templates.values() for r in t["Resources"].values()}
    custom = {"AWS::CloudFormation::CustomResource"} if any(t.startswith("Custom::") for t in types) else set()
    return Prepared(frozenset(types | custom) - {but}, frozenset(), frozenset())


def found(prepared: Prepared, wanted: Stacks, deployed: Stacks | None = None, **program: list[str]) -> Lacking:
    return lacking(prepared, wanted, deployed, plan_backend(deployed, wanted), program)


def test_the_export_that_the_roles_were_made_for_lacks_nothing() -> None:
    assert not found(made_for(MODELS), stacks_of(MODELS))
    assert not found(made_for(MODELS), stacks_of("todo-series/v3"), stacks_of(MODELS))


def test_a_category_that_came_later_is_told_with_what_needs_it() -> None:
    """`amplify add auth` after the account's owner has run her stack."""
    lacks = found(made_for(MODELS), stacks_of(WITH_AUTH), stacks_of(MODELS))
    assert lacks
    assert set(lacks.backend) >= {
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::IdentityPool",
    }
    [pool] = lacks.backend["AWS::Cognito::UserPool"]
    stack, _, name = pool.partition("/")
    assert (stack[:4], name) == ("auth", "UserPool")
    assert "AWS::DynamoDB::Table" not in lacks.backend
    assert (lacks.removed, lacks.program, lacks.unclear) == ({}, {}, {})


def test_also_what_does_not_change_now_needs_its_rights() -> None:
    same = stacks_of(MODELS)
    lacks = found(made_for(MODELS, but="AWS::DynamoDB::Table"), same, same)
    assert list(lacks.backend) == ["AWS::DynamoDB::Table"]


def test_what_goes_needs_the_rights_to_delete_it() -> None:
    """The account's owner has run her stack with the new export, before it was deployed."""
    lacks = found(made_for(MODELS), stacks_of(MODELS), stacks_of(WITH_AUTH))
    assert lacks
    assert lacks.backend == {}
    assert "AWS::Cognito::UserPool" in lacks.removed
    # The roles that were made for what is deployed can remove it.
    assert not found(made_for(WITH_AUTH), stacks_of(MODELS), stacks_of(WITH_AUTH))


def test_what_is_kept_is_not_deleted() -> None:
    prepared = Prepared(frozenset({"AWS::S3::Bucket"}), frozenset(), frozenset())
    old = Stacks({(): {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Bucket": {"Type": "AWS::S3::Bucket"}}}}, {})
    new = without(old, "Topic")
    assert found(prepared, new, old).removed == {"AWS::SNS::Topic": ["Topic"]}
    assert not found(prepared, new, with_resource(old, "Topic", DeletionPolicy="Retain"))


def test_a_resource_of_another_type_under_the_same_name_is_deleted_too() -> None:
    prepared = Prepared(frozenset({"AWS::SQS::Queue"}), frozenset(), frozenset())
    old = Stacks({(): {"Resources": {"It": {"Type": "AWS::SNS::Topic"}}}}, {})
    new = Stacks({(): {"Resources": {"It": {"Type": "AWS::SQS::Queue"}}}}, {})
    assert found(prepared, new, old).removed == {"AWS::SNS::Topic": ["It"]}


def test_with_another_execution_role_the_backend_is_not_the_accounts_to_know() -> None:
    steps = plan_backend(stacks_of(MODELS), stacks_of(WITH_AUTH))
    assert not lacking(made_for(MODELS), None, stacks_of(MODELS), steps, {})


# --- what the program makes beside it --------------------------------------------------------------------------------


def test_what_only_aws_can_say_is_no_refusal() -> None:
    prepared = replace(made_for(MODELS), program=frozenset({"AWS::SQS::Queue"}), further=frozenset({"route53"}))
    needs = {"aws:sqs/queue:Queue": ["jobs"], "aws:sns/topic:Topic": ["news"], "aws:route53/zone:Zone": ["zone"]}
    lacks = lacking(prepared, stacks_of(MODELS), None, (), needs)
    assert (lacks.program, lacks.unclear) == ({"aws:sns/topic:Topic": ["news"]}, {"aws:route53/zone:Zone": ["zone"]})
    assert lacks
    del needs["aws:sns/topic:Topic"]
    assert not lacking(prepared, stacks_of(MODELS), None, (), needs)


def step(
    operation: str, kind: str = "aws:sqs/queue:Queue", *, name: str = "jobs", parent: str = "", **more: Any
) -> Any:
    return ProgramStep(f"{URN}{parent}{kind}::{name}", kind, operation, **more)


BACKEND = "amplify-delivery:index:AmplifyBackend$"


@pytest.mark.parametrize(
    ("steps", "needs"),
    [
        ([step("create")], {"aws:sqs/queue:Queue": ["jobs"]}),
        ([step("update"), step("update", name="mails")], {"aws:sqs/queue:Queue": ["jobs", "mails"]}),
        ([step("delete")], {"aws:sqs/queue:Queue": ["jobs"]}),
        ([step("create-replacement"), step("replace"), step("delete-replaced")], {"aws:sqs/queue:Queue": ["jobs"]}),
        ([step("create", "aws-native:sqs:Queue")], {"aws-native:sqs:Queue": ["jobs"]}),
        ([step("same"), step("read"), step("refresh")], {}),
        ([step("delete", kept=True)], {}),
        ([step("create", custom=False)], {}),
        ([step("create", "datadog:index/monitor:Monitor"), step("create", "pulumi:index:Stash")], {}),
        # The backend's own: its stack, and the secrets that every `deploy` may write.
        ([step("update", "aws:cloudformation/stack:Stack", parent=BACKEND)], {}),
        ([step("create", "aws:secretsmanager/secret:Secret", parent=BACKEND)], {}),
        ([step("create", "aws:secretsmanager/secret:Secret")], {"aws:secretsmanager/secret:Secret": ["jobs"]}),
        # Its verification pages: `page_buckets`.
        ([step("create", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", parent=BACKEND)], {}),
        (
            [step("create", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")],
            {"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ["jobs"]},
        ),
    ],
)
def test_what_a_preview_needs(steps: list[ProgramStep], needs: dict[str, list[str]]) -> None:
    assert program_needs(steps, NOBODY) == needs


ROLE = "arn:aws:iam::333333333333:role/dns"
CLASSIC, NATIVE = {"assumeRoles": json.dumps([{"roleArn": ROLE}])}, {"assumeRole": json.dumps({"roleArn": ROLE})}


@pytest.mark.parametrize(
    ("inputs", "identity", "own"),
    [
        ({}, NOBODY, True),
        ({"region": "us-east-1", "allowedAccountIds": '["333333333333"]'}, NOBODY, True),
        (CLASSIC, NOBODY, False),
        (NATIVE, NOBODY, False),
        (CLASSIC, Identity(role_arn=ROLE), True),
        (NATIVE, Identity(role_arn=ROLE), True),
        (CLASSIC, Identity(role_arn=ROLE + "-other"), False),
        ({}, Identity(role_arn=ROLE), False),
        ({"profile": "dns"}, NOBODY, False),
        ({"profile": "prod"}, Identity(profile="prod"), True),
        ({"accessKey": "AKIA"}, NOBODY, False),
    ],
)
def test_what_other_credentials_make_is_not_made_with_these_rights(
    inputs: dict[str, str], identity: Identity, *, own: bool
) -> None:
    provider = ProgramStep(f"{URN}pulumi:providers:aws::dns", "pulumi:providers:aws", "same", inputs=inputs)
    made = step("create", provider=f"{provider.urn}::0123")
    # A provider without inputs of its own is not there at all in a preview's steps.
    assert bool(program_needs([provider, made], identity)) is (own or not inputs)


def test_of_a_provider_that_the_preview_does_not_show_the_rights_are_asked() -> None:
    assert program_needs([step("delete", provider=f"{URN}pulumi:providers:aws::old::1")], Identity(role_arn=ROLE))


BOUNDARY = "arn:aws:iam::222222222222:policy/amplify-delivery/app/env/prod/app-prod-boundary"


@pytest.mark.parametrize("kind", ["aws-native:iam:Role", "aws:iam/role:Role", "aws:iam/user:User"])
@pytest.mark.parametrize(
    ("operation", "inputs", "told"),
    [
        ("create", {}, True),
        ("create", {"permissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess"}, True),
        ("create", {"permissionsBoundary": BOUNDARY}, False),
        ("create", {"permissionsBoundary": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, False),  # not known yet
        ("create-replacement", {}, True),
        ("update", {}, True),
        ("delete", {}, False),
        ("same", {}, False),
    ],
)
def test_a_role_of_the_program_that_lacks_the_boundary_is_found(
    kind: str, operation: str, inputs: dict[str, str], *, told: bool
) -> None:
    """IAM denies `deploy` the creation, and every change, of a role without it."""
    made = step(operation, kind, name="worker", inputs=inputs)
    assert without_boundary([made], NOBODY, BOUNDARY) == ({kind: ["worker"]} if told else {})


def test_a_role_that_others_make_needs_no_boundary_of_ours() -> None:
    provider = ProgramStep(f"{URN}pulumi:providers:aws::dns", "pulumi:providers:aws", "same", inputs=CLASSIC)
    made = step("create", "aws:iam/role:Role", provider=f"{provider.urn}::0123")
    assert without_boundary([provider, made], NOBODY, BOUNDARY) == {}


def test_the_buckets_of_verification_pages_are_the_accounts_to_know() -> None:
    closed, page = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "aws:s3/bucketObjectv2:BucketObjectv2"
    buckets = page_buckets(
        [
            step("same", closed, name="old-prod", parent=BACKEND),
            step("create", closed, name="pages-prod", parent=BACKEND),
            step("delete", page, name="gone-prod/css/style.css", parent=BACKEND),
            step("create", page, name="mine/x"),
        ]
    )
    assert buckets == {"pages-prod", "gone-prod"}
    prepared = replace(made_for(MODELS), pages=frozenset({"pages-prod"}))
    lacks = lacking(prepared, stacks_of(MODELS), None, (), {}, pages=buckets)
    assert lacks.pages == ("gone-prod",)
    assert lacks
    assert not lacking(prepared, stacks_of(MODELS), None, (), {}, pages={"pages-prod"})


# --- what the boundary denies at run time -----------------------------------------------------------------------------


def with_policy(actions: Any, resource: Any = "*") -> Stacks:
    """An export whose function may do something more, as `custom-policies.json` says it."""
    stacks = stacks_of("full")
    place = next(
        "/".join((*path, name))
        for path, template in stacks.templates.items()
        for name, found in template["Resources"].items()
        if found["Type"] == "AWS::IAM::Policy" and name == "lambdaexecutionpolicy"
    )
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}
    return with_resource(stacks, place, PolicyDocument=document)


def test_a_function_that_calls_a_service_which_the_boundary_does_not_let_pass_is_told() -> None:
    stacks = with_policy(["bedrock:InvokeModel", "s3:GetObject"])
    denied = beyond_boundary(made_for("full"), stacks)
    assert list(denied) == ["bedrock:InvokeModel"]
    assert all(place.endswith("/lambdaexecutionpolicy") for place in denied["bedrock:InvokeModel"])
    assert not found(made_for("full"), stacks, stacks), "the deployment succeeds all the same"
    added = replace(made_for("full"), boundary=frozenset({"bedrock"}))
    assert beyond_boundary(added, stacks) == {}


@pytest.mark.parametrize("name", ["todo", "full", "iam", "todo-series/v4"])
def test_real_exports_ask_for_nothing_that_it_denies(name: str) -> None:
    assert beyond_boundary(made_for(name), stacks_of(name)) == {}
    assert unread_policies(stacks_of(name)) == {}


def test_predictions_ask_for_nothing_that_it_denies_and_a_bot_for_what_nobody_gets(tmp_path: Path) -> None:
    predictions = stacks_of_export(with_predictions(copy_export("iam", tmp_path / "predictions")))
    assert beyond_boundary(made_for("iam"), predictions) == {}
    bot = stacks_of_export(with_interactions(copy_export("iam", tmp_path / "bot")))
    assert beyond_boundary(made_for("iam"), bot) == {"iam:*": ["interactionslex7c1d/LambdaExecutionRole"]}


def test_the_directive_of_predictions_asks_for_nothing_that_it_denies(tmp_path: Path) -> None:
    """Nor for types or names that an account made for the rest of the app does not allow."""
    stacks = stacks_of_export(with_predictions_directive(copy_export("full", tmp_path / "export")))
    assert beyond_boundary(made_for("full"), stacks) == {}
    assert unread_policies(stacks) == {}
    assert not found(made_for("full"), stacks, stacks)
    assert named_policies(stacks, "amplify-fullapp-dev") == {}
    narrow = replace(made_for("full"), backend=made_for("full").backend - {"AWS::AppSync::DataSource"})
    assert "AWS::AppSync::DataSource" in found(narrow, stacks, stacks).backend


def test_policies_that_a_function_attaches_are_told_or_named() -> None:
    stacks = stacks_of("full")
    place = next("/".join(p) for p, r in stacks.resolved.resources.items() if p[-1] == "LambdaExecutionRole")
    arns = ["arn:aws:iam::aws:policy/AmazonBedrockReadOnly", "arn:aws:iam::aws:policy/AWSNewServiceFullAccess"]
    changed = with_resource(stacks, place, ManagedPolicyArns=arns)
    assert list(beyond_boundary(made_for("full"), changed)) == ["bedrock:*", "sagemaker:*"]
    assert unread_policies(changed) == {"AWSNewServiceFullAccess": [place]}


def test_a_managed_policy_with_a_name_of_its_own_is_told() -> None:
    stacks = stacks_of("full")
    [place] = [
        "/".join(path)
        for path, resource in stacks.resolved.resources.items()
        if path[-1] == "PolicyAPIGWAuth1" and resource.type == "AWS::IAM::ManagedPolicy"
    ]
    assert named_policies(stacks, "amplify-fullapp-dev") == {}
    for name, told in (("reports-dev", True), ("amplify-fullapp-dev-mine", False)):
        found = named_policies(with_resource(stacks, place, ManagedPolicyName=name), "amplify-fullapp-dev")
        assert found == ({f"AWS::IAM::ManagedPolicy {name}": [place]} if told else {})


@pytest.mark.parametrize(
    ("logical_id", "kind", "properties", "told"),
    [
        ("Machine", "AWS::StepFunctions::StateMachine", {}, True),
        ("Machine", "AWS::StepFunctions::StateMachine", {"StateMachineName": "machine-dev"}, False),
        ("AwaiterMyProviderwaiterstatemachineCF09BEC8", "AWS::StepFunctions::StateMachine", {}, False),
        ("Machine", "AWS::Serverless::StateMachine", {}, True),
        ("Project", "AWS::CodeBuild::Project", {}, True),
        ("ApiPipelineCodeBuildProject117EE1BE", "AWS::CodeBuild::Project", {}, False),
        ("Board", "AWS::CloudWatch::Dashboard", {}, True),
        ("Board", "AWS::CloudWatch::Dashboard", {"DashboardName": "board-dev"}, False),
        ("Queue", "AWS::SQS::Queue", {}, False),
    ],
)
def test_what_would_be_called_after_its_logical_id_alone_is_told(
    logical_id: str, kind: str, properties: dict[str, str], *, told: bool
) -> None:
    resource = {"Type": kind, "Properties": properties}
    stacks = changed(stacks_of("full"), "", lambda template: template["Resources"].update({logical_id: resource}))
    assert nameless(stacks) == ({kind: [logical_id]} if told else {})


TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}
NAMED: list[tuple[str, dict[str, Any], bool]] = [
    # (type, properties, whether the execution role has a right to that name)
    ("AWS::SQS::Queue", {"QueueName": "orders-dev"}, True),
    ("AWS::SQS::Queue", {"QueueName": "orders-dev.fifo"}, True),
    ("AWS::SQS::Queue", {}, True),
    ("AWS::SQS::Queue", {"QueueName": {"Fn::GetAtt": ["Other", "Name"]}}, True),
    ("AWS::SQS::Queue", {"QueueName": {"Fn::Sub": "${AWS::StackName}-orders"}}, True),
    ("AWS::SQS::Queue", {"QueueName": "orders"}, False),
    ("AWS::SQS::Queue", {"QueueName": "dev-orders"}, False),
    ("AWS::SNS::Topic", {"TopicName": "orders-dev.fifo"}, True),
    ("AWS::SNS::Topic", {"TopicName": "orders_dev"}, False),
    ("AWS::DynamoDB::Table", {"TableName": "Orders_dev"}, False),
    ("AWS::Events::Rule", {"Name": "nightly"}, False),
    ("AWS::Lambda::Function", {"FunctionName": "worker"}, False),
    ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/vendedlogs/states/flow-dev"}, True),
    ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/vendedlogs/states/flow"}, False),
    ("AWS::S3::Bucket", {"BucketName": "uploads-dev"}, True),
    ("AWS::S3::Bucket", {"BucketName": "dev-uploads"}, False),
    ("AWS::SSM::Parameter", {"Name": "/shop/endpoint-dev"}, True),
    ("AWS::SSM::Parameter", {"Name": "/shop/dev/endpoint"}, False),
    ("AWS::SecretsManager::Secret", {"Name": "shop/db-dev"}, True),
    ("AWS::SecretsManager::Secret", {"Name": "shop/dev/db"}, False),
    ("AWS::IAM::Role", {"RoleName": "worker-dev"}, True),
    ("AWS::IAM::Role", {}, True),
    ("AWS::IAM::Role", {"RoleName": "dev-worker"}, False),
    ("AWS::IAM::Role", {"Path": "/service-role/"}, False),
    ("AWS::StepFunctions::StateMachine", {"StateMachineName": "flow"}, False),
    ("AWS::ApiGateway::RestApi", {"Name": "anything"}, True),
    ("AWS::DynamoDB::GlobalTable", {"TableName": "orders"}, False),
    ("AWS::Events::Connection", {"Name": "shop-dev"}, True),
    ("AWS::Events::Connection", {"Name": "shop"}, False),
    ("AWS::Events::ApiDestination", {"Name": "shop"}, False),
    ("AWS::Events::Archive", {"ArchiveName": "kept-dev"}, True),
    ("AWS::Events::Archive", {"ArchiveName": "kept"}, False),
    # `amplify-mytodoapp`: in an archive's name there is no room for more of the stack's.
    ("AWS::Events::Archive", {}, False),
    ("AWS::Scheduler::ScheduleGroup", {"Name": "nights-dev"}, True),
    ("AWS::Scheduler::ScheduleGroup", {"Name": "nights"}, False),
    ("AWS::KMS::Alias", {"AliasName": "alias/shop-dev"}, True),
    ("AWS::KMS::Alias", {"AliasName": "alias/shop"}, False),
]


def beside(stacks: Stacks, resource: dict[str, Any]) -> Stacks:
    """With one more resource in the root."""
    return changed(stacks, "", lambda template: template["Resources"].update({"New": resource}))


def access_of(types: frozenset[str], app: str = "mytodoapp") -> EnvironmentAccess:
    names = EnvironmentNames(app, "222222222222", "eu-west-1", "dev")
    return EnvironmentAccess(names, None, f"amplify-{app}-dev-12345", types)


def test_names_that_the_execution_role_has_no_right_to_are_told() -> None:
    """AWS would deny them in the middle of the deployment."""
    for kind, properties, may in NAMED:
        resource = {"Type": kind, "Properties": {"AssumeRolePolicyDocument": TRUST, **properties}}
        before = stacks_of("todo")
        after = beside(before, resource)
        found = misnamed(after, before, plan_backend(before, after), access_of(frozenset({kind})))
        assert (list(found.values()) == []) == may, (kind, properties, found)


def test_what_is_called_otherwise_and_stays_as_it_is_is_not_asked_for() -> None:
    """As in an environment that was adopted; changed and removed it would be."""
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}
    there = beside(stacks_of("todo"), queue)
    tagged = with_resource(there, "New", Tags=[{"Key": "a", "Value": "b"}])
    access = access_of(frozenset({"AWS::SQS::Queue"}))
    assert misnamed(there, there, plan_backend(there, there), access) == {}
    for wanted in (tagged, stacks_of("todo")):
        assert misnamed(wanted, there, plan_backend(there, wanted), access) == {"AWS::SQS::Queue orders": ["New"]}


@pytest.mark.parametrize(("name", "app"), [("full", "fullapp"), ("iam", "iamapp"), ("todo-series/v4", "seriesapp")])
def test_no_name_that_amplify_gives_is_told(name: str, app: str) -> None:
    stacks = stacks_of(name)
    types = frozenset(r["Type"] for t in stacks.templates.values() for r in t["Resources"].values())
    assert misnamed(stacks, None, plan_backend(None, stacks), access_of(types, app)) == {}


SECRET = "arn:aws:secretsmanager:eu-west-1:222222222222:secret"
READ = [
    # (what a queue's tag says, the names that the execution role may not read)
    ("{{resolve:ssm:/shop/key-dev}}", []),
    ("{{resolve:ssm:/shop/key-dev:3}}", []),
    ("{{resolve:ssm:/aws/service/canonical/ubuntu}}", []),
    ("{{resolve:secretsmanager:shop-dev:SecretString:password}}", []),
    ("{{resolve:secretsmanager:amplify-mytodoapp-dev-12345/api/x:SecretString:::v}}", []),
    (f"{{{{resolve:secretsmanager:{SECRET}:shop-dev-AbCdEf:SecretString:password}}}}", []),
    ("{{resolve:ssm:/shared/key}} and {{resolve:ssm-secure:/shared/other:1}}", ["/shared/key", "/shared/other"]),
    ("{{resolve:secretsmanager:shop:SecretString:password}}", ["shop"]),
    (f"{{{{resolve:secretsmanager:{SECRET}:shop-AbCdEf}}}}", [f"{SECRET}:shop-AbCdEf"]),
    ({"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:password}}"}, []),
]


def test_secrets_and_parameters_that_cloudformation_may_not_read_are_told() -> None:
    before, access = stacks_of("todo"), access_of(frozenset({"AWS::SQS::Queue"}))
    for value, names in READ:
        after = beside(before, {"Type": "AWS::SQS::Queue", "Properties": {"Tags": [{"Key": "a", "Value": value}]}})
        found = unreadable(after, plan_backend(before, after), access)
        assert found == {name: ["New"] for name in names}, value
        assert unreadable(after, plan_backend(after, after), access) == {}


@pytest.mark.parametrize(
    ("default", "told"), [("/shop/vpc-dev", False), ("/aws/service/ami/x", False), ("/cdk-bootstrap/x/version", True)]
)
def test_a_parameter_that_is_called_after_one_of_somebody_elses_is_told(default: str, *, told: bool) -> None:
    """CloudFormation looks it up in each operation on the stack, so in one that changes anything in it."""
    before = stacks_of("full")
    place = "functionhelloFn"
    declared = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": default}
    after = changed(before, place, lambda template: template["Parameters"].update({"Shared": declared}))
    after = with_resource(after, f"{place}/LambdaFunction", Timeout=31)
    access = access_of(frozenset({"AWS::Lambda::Function"}), "fullapp")
    found = unreadable(after, plan_backend(before, after), access)
    assert found == ({default: [f"{place}/Shared"]} if told else {})
