"""What a stack does, it does with its role's rights, or with its caller's: denied as AWS denies it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.statements import keys_of
from amplify_delivery.export import RootStack, assemble, read_export
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal_tests.local_account import LocalAccount, Template
from functional.enforcement.bootstrapped import Bootstrapped
from functional.enforcement.execution_role import document, execution_role
from unit.components.backends import folder

QUEUE: Template = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}}
SSM = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}
SQS = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}


def parameter(value: str = "value", name: str = "parameter") -> Template:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, "Name": name}}


def resources(**found: Template) -> Template:
    return {"Resources": found}


def allow(action: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def refusal(account: LocalAccount, logical_id: str, stack: str = "stack") -> str:
    return account.reasons(stack)[logical_id]


def rights(account: LocalAccount, *statements: dict[str, Any], role: str = "execution") -> None:
    account.client("iam").put_role_policy(RoleName=role, PolicyName="rights", PolicyDocument=document(*statements))


def test_a_missing_right_fails_the_resource_with_aws_sentence(developer: LocalAccount) -> None:
    role = execution_role(developer, SSM)
    stack = developer.create(resources(P=parameter(), Q={**QUEUE, "DependsOn": "P"}), RoleARN=role)

    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    user = f"arn:aws:sts::{developer.account}:assumed-role/execution/AWSCloudFormation"
    queue = f"arn:aws:sqs:eu-central-1:{developer.account}:queue"
    assert re.fullmatch(
        re.escape(
            f'Resource handler returned message: "User: {user} is not authorized to perform: sqs:CreateQueue on '
            f"resource: {queue} because no identity-based policy allows the sqs:CreateQueue action (Service: Sqs, "
            "Status Code: 403, Request ID: "
        )
        + r'[\w-]+\)" \(RequestToken: [\w-]+, HandlerErrorCode: AccessDenied\)',
        refusal(developer, "Q"),
    )
    assert not developer.client("sqs").list_queues().get("QueueUrls")
    assert developer.client("ssm").describe_parameters()["Parameters"] == []


def test_the_resources_real_name_is_compared(developer: LocalAccount) -> None:
    role = execution_role(developer, allow("ssm:*", f"arn:aws:ssm:*:{developer.account}:parameter/mine-*"))
    template = resources(Mine=parameter(name="mine-1"), Other={**parameter(name="other"), "DependsOn": "Mine"})
    assert developer.create(template, RoleARN=role)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert set(developer.reasons()) == {"Other"}


def test_reading_back_is_part_of_a_create(developer: LocalAccount) -> None:
    role = execution_role(developer, allow("ssm:PutParameter"), allow("ssm:GetParameters"))
    developer.create(resources(P=parameter()), RoleARN=role)
    assert "ssm:ListTagsForResource" in refusal(developer, "P")


def test_an_explicit_deny_and_a_boundary_say_so(developer: LocalAccount) -> None:
    boundary = developer.client("iam").create_policy(PolicyName="limit", PolicyDocument=document(SSM))["Policy"]["Arn"]
    denied = {"Effect": "Deny", "Action": "ssm:PutParameter", "Resource": "*"}
    role = execution_role(developer, SSM, SQS, denied, PermissionsBoundary=boundary)
    developer.create(resources(P=parameter()), "denied", RoleARN=role)
    developer.create(resources(Q=QUEUE), "bounded", RoleARN=role)
    assert "with an explicit deny in an identity-based policy" in refusal(developer, "P", "denied")
    assert "because no permissions boundary allows the sqs:CreateQueue action" in refusal(developer, "Q", "bounded")


@pytest.mark.parametrize("operation", ["update", "replacement", "removal", "delete"])
def test_every_later_operation_uses_the_role_of_the_stack(developer: LocalAccount, operation: str) -> None:
    role = execution_role(developer, SSM)
    developer.create(resources(P=parameter()), RoleARN=role)
    rights(developer, {**SSM, "Action": ["ssm:GetParameters", "ssm:ListTagsForResource", "ssm:AddTagsToResource"]})
    if operation == "update":
        assert developer.update(resources(P=parameter("other")))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert "ssm:PutParameter" in refusal(developer, "P")
    elif operation == "replacement":
        changed = resources(P=parameter(name="another"))
        assert developer.update(changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        assert "parameter/another" in refusal(developer, "P")
    elif operation == "removal":
        rights(developer, {**SSM, "Action": ["ssm:Put*", "ssm:Get*", "ssm:List*"]})
        # A clean-up that fails does not fail the update; the resource is still there.
        assert developer.update(resources(N=parameter(name="n")))["StackStatus"] == "UPDATE_COMPLETE"
        assert "ssm:DeleteParameter" in refusal(developer, "P")
    else:
        assert developer.delete()["StackStatus"] == "DELETE_FAILED"
        assert "ssm:DeleteParameter" in refusal(developer, "P")
        assert developer.client("ssm").get_parameter(Name="parameter")["Parameter"]["Value"] == "value"


def test_what_was_replaced_stays_where_the_role_may_not_delete_it(developer: LocalAccount) -> None:
    role = execution_role(developer, SSM)
    developer.create(resources(P=parameter()), RoleARN=role)
    rights(developer, {**SSM, "Action": ["ssm:AddTagsToResource", "ssm:Put*", "ssm:Get*", "ssm:List*"]})
    assert developer.update(resources(P=parameter(name="another")))["StackStatus"] == "UPDATE_COMPLETE"
    assert "ssm:DeleteParameter" in refusal(developer, "P")
    names = [p["Name"] for p in developer.client("ssm").describe_parameters()["Parameters"]]
    assert sorted(names) == ["another", "parameter"]


def test_a_role_that_is_not_there_or_trusts_somebody_else_is_refused_at_once(developer: LocalAccount) -> None:
    other = execution_role(developer, SSM, name="other", trusted="lambda")
    for role in (other, other.replace("other", "none"), "no-arn-but-long-enough"):
        with pytest.raises(ClientError, match=f"Role {role} is invalid or cannot be assumed"):
            developer.create(resources(P=parameter()), RoleARN=role)


def test_a_stack_whose_role_is_gone_cannot_be_deleted_without_another(developer: LocalAccount) -> None:
    role = execution_role(developer, SSM)
    developer.create(resources(P=parameter()), RoleARN=role)
    developer.client("iam").delete_role_policy(RoleName="execution", PolicyName="rights")
    developer.client("iam").delete_role(RoleName="execution")
    with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
        developer.delete()
    assert developer.delete(RoleARN=execution_role(developer, SSM, name="new"))["StackStatus"] == "DELETE_COMPLETE"


# Nested stacks

NESTED = allow("cloudformation:*")
READ = allow("s3:GetObject")


def child(developer: LocalAccount, template: Template, key: str = "child.json") -> Template:
    url = developer.upload(key, template)
    return resources(Child={"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}})


def test_a_nested_stack_gets_the_role_by_pass_role_on_itself(developer: LocalAccount) -> None:
    role = execution_role(developer, SSM, NESTED, READ)
    template = child(developer, resources(P=parameter()))
    developer.create(template, "without", RoleARN=role)
    assert f"iam:PassRole on resource: {role} because no identity-based policy" in refusal(
        developer, "Child", "without"
    )

    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    rights(developer, SSM, NESTED, READ, allow("iam:PassRole", role, **to_lambda))
    developer.create(template, "elsewhere", RoleARN=role)
    assert "iam:PassRole" in refusal(developer, "Child", "elsewhere")

    to_cloudformation = {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}
    rights(developer, SSM, NESTED, READ, allow("iam:PassRole", role, **to_cloudformation))
    assert developer.create(template, "with", RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"
    [made] = [c for c in developer.children() if c["StackStatus"] == "CREATE_COMPLETE"]
    assert made["RoleARN"] == role


def test_the_role_reads_the_nested_template_and_acts_in_the_nested_stack(developer: LocalAccount) -> None:
    passed = allow("iam:PassRole")
    role = execution_role(developer, SSM, NESTED, passed)
    template = child(developer, resources(P=parameter(), Q={**QUEUE, "DependsOn": "P"}))
    developer.create(template, "unread", RoleARN=role)
    key = f"arn:aws:s3:::{developer.bucket()}/child.json"
    assert f"s3:GetObject on resource: {key}" in refusal(developer, "Child", "unread")

    rights(developer, SSM, NESTED, passed, READ)
    assert developer.create(template, "unmade", RoleARN=role)["StackStatus"] == "ROLLBACK_COMPLETE"
    [made] = [c for c in developer.children() if "Child" in c["StackName"] and "unmade" in c["StackName"]]
    assert "sqs:CreateQueue" in refusal(developer, "Q", made["StackId"])


def test_the_role_reads_a_secret_that_a_template_refers_to(developer: LocalAccount) -> None:
    secret = developer.client("secretsmanager").create_secret(Name="mine", SecretString="s3cret")["ARN"]
    role = execution_role(developer, SSM)
    developer.create(resources(P=parameter("{{resolve:secretsmanager:mine}}")), "unread", RoleARN=role)
    assert f"secretsmanager:GetSecretValue on resource: {secret}" in refusal(developer, "P", "unread")

    rights(developer, SSM, allow("secretsmanager:GetSecretValue", f"{secret[:-7]}-*"))
    template = resources(P=parameter("{{resolve:secretsmanager:mine}}"))
    assert developer.create(template, "read", RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"

    # One that a key of the account's own encrypts: Secrets Manager asks KMS with the same rights.
    key = developer.client("kms").create_key()["KeyMetadata"]["Arn"]
    developer.client("secretsmanager").update_secret(SecretId="mine", KmsKeyId=key)
    encrypted = resources(P=parameter("{{resolve:secretsmanager:mine}}", "encrypted"))
    developer.create(encrypted, "undecrypted", RoleARN=role)
    assert f"kms:Decrypt on resource: {key}" in refusal(developer, "P", "undecrypted")
    reads, here = allow("secretsmanager:GetSecretValue", f"{secret[:-7]}-*"), f"{developer.region}.amazonaws.com"
    keys = f"arn:aws:kms:{developer.region}:{developer.account}:key/*"
    rights(developer, SSM, reads, keys_of("Keys", "secretsmanager", [secret], keys, here))
    assert developer.create(encrypted, "decrypted", RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"


def test_the_role_looks_up_what_a_nested_stacks_parameter_is_called_after(developer: LocalAccount) -> None:
    developer.client("ssm").put_parameter(Name="/shared/value", Value="x", Type="String")
    declared = {"Value": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/shared/value"}}
    looking = {**resources(Q=QUEUE), "Parameters": declared}
    role = execution_role(developer, SQS, NESTED, READ, allow("iam:PassRole"))
    named = f"arn:aws:ssm:{developer.region}:{developer.account}:parameter/shared/value"
    developer.create(child(developer, looking), "unread", RoleARN=role)
    assert f"ssm:GetParameters on resource: {named}" in refusal(developer, "Child", "unread")

    rights(developer, SQS, NESTED, READ, allow("iam:PassRole"), allow("ssm:GetParameters", named))
    assert developer.create(child(developer, looking), "read", RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"


def test_what_was_replaced_in_a_nested_stack_stays_where_the_role_may_not_delete_it(developer: LocalAccount) -> None:
    passed = allow("iam:PassRole")
    role = execution_role(developer, SSM, NESTED, READ, passed)
    developer.create(child(developer, resources(P=parameter())), RoleARN=role)
    may = {**SSM, "Action": ["ssm:AddTagsToResource", "ssm:Put*", "ssm:Get*", "ssm:List*"]}
    rights(developer, may, NESTED, READ, passed)
    changed = child(developer, resources(P=parameter(name="another")), "changed.json")
    assert developer.update(changed)["StackStatus"] == "UPDATE_COMPLETE"
    names = [p["Name"] for p in developer.client("ssm").describe_parameters()["Parameters"]]
    assert sorted(names) == ["another", "parameter"]


# Without a role


def caller(developer: LocalAccount, *allowed: dict[str, Any]) -> LocalAccount:
    """The account as a role that may make stacks, and what else is given."""
    iam = developer.client("iam")
    principal = {"AWS": f"arn:aws:iam::{developer.account}:root"}
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="caller", PolicyName="rights", PolicyDocument=document(NESTED, *allowed))
    session = developer.aws.assume_role(developer.credentials, arn, "me")
    return LocalAccount(developer.aws, developer.account, session, developer.region)


def test_without_a_role_the_callers_rights_count(developer: LocalAccount) -> None:
    me = caller(developer, SSM)
    assert me.create(resources(P=parameter()), "may")["StackStatus"] == "CREATE_COMPLETE"
    assert me.create(resources(Q=QUEUE), "may-not")["StackStatus"] == "ROLLBACK_COMPLETE"
    user = f"arn:aws:sts::{developer.account}:assumed-role/caller/me"
    assert f"User: {user} is not authorized to perform: sqs:CreateQueue" in refusal(me, "Q", "may-not")


def test_the_caller_reads_the_template_of_the_root(developer: LocalAccount) -> None:
    url = developer.upload("root.json", resources(P=parameter()))
    role = execution_role(developer, SSM, READ)
    me = caller(developer, allow("iam:PassRole", role))
    with pytest.raises(ClientError, match=r"S3 error: User: .* not authorized to perform: s3:GetObject"):
        me.create(url, RoleARN=role)
    rights(developer, NESTED, READ, allow("iam:PassRole", role), role="caller")
    assert me.create(url, RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"


def test_in_a_nested_stack_too_and_nothing_is_passed(developer: LocalAccount) -> None:
    me = caller(developer, SSM, READ)
    assert me.create(child(developer, resources(P=parameter())), "may")["StackStatus"] == "CREATE_COMPLETE"
    assert me.create(child(developer, resources(Q=QUEUE)), "may-not")["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_role_with_more_rights_than_its_caller_makes_what_the_caller_could_not(developer: LocalAccount) -> None:
    role = execution_role(developer, SQS)
    me = caller(developer, allow("iam:PassRole", role))
    assert me.create(resources(Q=QUEUE), RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"
    assert me.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_cloud_control_acts_with_its_callers_rights(developer: LocalAccount) -> None:
    me = caller(developer, allow("cloudformation:*Resource"))
    me.create(resources(Resource=QUEUE), "aws-native-queue")
    assert "assumed-role/caller/me is not authorized to perform: sqs:CreateQueue" in refusal(
        me, "Resource", "aws-native-queue"
    )


@pytest.mark.parametrize(
    "missing",
    [
        "cloudformation:GetResource",
        "logs:DescribeIndexPolicies",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetDataProtectionPolicy",
        "logs:ListTagsForResource",
    ],
)
def test_cloud_control_reads_with_its_callers_rights(developer: LocalAccount, missing: str) -> None:
    """A refresh of a log group by a role that lacks one right of the type's read handler."""
    group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/build", "RetentionInDays": 7}}
    developer.create(resources(Resource=group), "aws-native-group")

    def look(me: LocalAccount) -> Any:
        drift = me.client("cloudformation").detect_stack_resource_drift
        return drift(StackName="aws-native-group", LogicalResourceId="Resource")["StackResourceDrift"]

    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": missing, "Resource": "*"}
    me = caller(developer, everything, denied)
    with pytest.raises(ClientError, match=f"not authorized to perform: {missing}"):
        look(me)
    assert look(developer)["StackResourceDriftStatus"] == "IN_SYNC"


# Roles that a call hands over, without any stack

CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "codebuild": (
        "codebuild",
        "create_project",
        {
            "name": "project",
            "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2"},
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"},
            "serviceRole": "ROLE",
        },
    ),
    "lambda": (
        "lambda",
        "create_function",
        {
            "FunctionName": "function",
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Code": {"ZipFile": b"PK\x05\x06" + bytes(18)},
            "Role": "ROLE",
        },
    ),
    "states": (
        "stepfunctions",
        "create_state_machine",
        {"name": "machine", "definition": '{"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}', "roleArn": "ROLE"},
    ),
    "events": ("events", "put_rule", {"Name": "rule", "ScheduleExpression": "rate(1 day)", "RoleArn": "ROLE"}),
}


@pytest.mark.parametrize("service", CALLS)
def test_who_hands_a_role_over_may_pass_it_to_that_service(developer: LocalAccount, service: str) -> None:
    role = execution_role(developer, name="handed", trusted=service)
    me = caller(developer, allow(f"{service}:*"))
    client, operation, given = CALLS[service]
    filled = {name: role if value == "ROLE" else value for name, value in given.items()}

    def call() -> Any:
        return getattr(me.client(client), operation)(**filled)

    for to in ("none", "ecs-tasks"):
        passed = {"StringEquals": {"iam:PassedToService": f"{to}.amazonaws.com"}}
        rights(developer, allow(f"{service}:*"), allow("iam:PassRole", role, **passed), role="caller")
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
    passed = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    rights(developer, allow(f"{service}:*"), allow("iam:PassRole", role, **passed), role="caller")
    assert call()


# Thirty rights of a real backend's role, taken away one by one

TAKEN_AWAY = [
    ("iam:CreateRole", "AuthRole"),
    ("iam:TagRole", "AuthRole"),
    ("iam:GetRole", "AuthRole"),
    ("iam:PutRolePolicy", "UpdateRolesWithIDPFunctionRole"),
    ("iam:CreatePolicy", "PolicyAPIGWAuth1"),
    ("iam:AttachRolePolicy", "PolicyAPIGWAuth1"),
    ("iam:PassRole", "authfullappauth"),
    ("s3:GetObject", "authfullappauth"),
    ("cloudformation:CreateStack", "authfullappauth"),
    ("cloudformation:DescribeStacks", "authfullappauth"),
    ("cloudformation:TagResource", "authfullappauth"),
    ("s3:CreateBucket", "DeploymentBucket"),
    ("s3:GetBucketCORS", "DeploymentBucket"),
    ("s3:PutBucketPolicy", "DeploymentBucketBlockHTTP"),
    ("s3:PutBucketCORS", "S3Bucket"),
    ("s3:PutBucketNotification", "S3Bucket"),
    ("lambda:CreateFunction", "UpdateRolesWithIDPFunction"),
    ("lambda:TagResource", "UpdateRolesWithIDPFunction"),
    ("lambda:InvokeFunction", "UpdateRolesWithIDPFunctionOutputs"),
    ("lambda:AddPermission", "functionhelloFnPermissionitemsapi"),
    ("cognito-idp:CreateUserPool", "UserPool"),
    ("cognito-idp:SetUserPoolMfaConfig", "UserPool"),
    ("cognito-idp:CreateUserPoolClient", "UserPoolClient"),
    ("cognito-idp:CreateGroup", "AdminsGroup"),
    ("cognito-identity:CreateIdentityPool", "IdentityPool"),
    ("cognito-identity:SetIdentityPoolRoles", "IdentityPoolRoleMap"),
    ("appsync:CreateGraphqlApi", "GraphQLAPI"),
    ("appsync:StartSchemaCreation", "GraphQLAPITransformerSchema3CB2AE18"),
    ("appsync:CreateDataSource", "GraphQLAPINONEDS95A13CF0"),
    ("appsync:CreateResolver", "QueryhelloResolver"),
    ("appsync:CreateApiKey", "GraphQLAPIDefaultApiKey215A6DD7"),
    ("dynamodb:CreateTable", "TodoTable"),
    ("dynamodb:DescribeTable", "TodoTable"),
    ("apigateway:POST", "itemsapi"),
    ("apigateway:PUT", "itemsapi"),
]
"""An action, and the first resource that needs it."""


@pytest.fixture(scope="module")
def full(local_aws: LocalAws) -> Iterator[tuple[Bootstrapped, RootStack]]:
    """An account for the export with most categories, everything published."""
    assembly = assemble(read_export(folder("fullapp")))
    bootstrapped = Bootstrapped.make(local_aws, [assembly])
    yield bootstrapped, bootstrapped.root(assembly)


def test_thirty_are_taken_away() -> None:
    assert len({action for action, _ in TAKEN_AWAY}) >= 30


@pytest.mark.parametrize(("action", "logical_id"), TAKEN_AWAY)
def test_a_right_that_is_taken_away_is_missed_where_it_is_needed(
    full: tuple[Bootstrapped, RootStack], action: str, logical_id: str
) -> None:
    bootstrapped, root = full
    bootstrapped.take_away({"Effect": "Deny", "Action": action, "Resource": "*"})
    stack = bootstrapped.create(root, OnFailure="DO_NOTHING")
    try:
        assert stack["StackStatus"] == "CREATE_FAILED"
        failures = bootstrapped.failures(root)
        account = bootstrapped.access.names.account
        user = f"arn:aws:sts::{account}:assumed-role/fullapp-prod-cloudformation/AWSCloudFormation"
        assert set(failures) == {logical_id}
        assert f"User: {user} is not authorized to perform: {action} on resource: " in failures[logical_id]
    finally:
        bootstrapped.take_away()
        assert bootstrapped.clear(root) == "DELETE_COMPLETE"


TRANSFORM = "arn:aws:cloudformation:eu-central-1:aws:transform/Serverless-2016-10-31"


def test_a_transform_is_asked_for(developer: LocalAccount) -> None:
    """Of a root by the call, of a nested stack by its resource; with the right it is expanded."""
    table = {"Type": "AWS::Serverless::SimpleTable", "Properties": {"TableName": "table"}}
    serverless = {"Transform": "AWS::Serverless-2016-10-31", **resources(Table=table)}
    others = (allow("dynamodb:*"), allow("s3:GetObject"), allow("iam:PassRole"), allow("cloudformation:*Stack*"))
    role = execution_role(developer, *others)
    with pytest.raises(ClientError, match=f"AccessDenied.*cloudformation:CreateChangeSet on resource: {TRANSFORM}"):
        developer.create(serverless, RoleARN=role)
    url = developer.upload("serverless", serverless)
    child = resources(Child={"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}})
    assert developer.create(child, RoleARN=role)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert f"cloudformation:CreateChangeSet on resource: {TRANSFORM}" in refusal(developer, "Child")

    rights(developer, *others, allow("cloudformation:CreateChangeSet", TRANSFORM))
    assert developer.create(serverless, "root", RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"
    developer.delete("root")
    assert developer.create(child, "parent", RoleARN=role)["StackStatus"] == "CREATE_COMPLETE"
