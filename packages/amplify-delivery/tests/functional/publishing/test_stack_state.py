"""A root stack that cannot take a change is told before anything is published."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from amplify_delivery.changes.deployed import template
from amplify_delivery.errors import DeployError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing import PublishTarget
from amplify_delivery.publishing.stack_state import Name, check_names, check_stack, stack_is_there
from aws_rehearsal.local_aws import random_account
from aws_rehearsal_tests.local_account import SOON, LocalAccount

REGION = "eu-central-1"
PUSHED = ("AuthRole", "UnauthRole", "DeploymentBucket")
TEMPLATE = json.dumps({"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
LOCKED = {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
OWN_RULE = {
    "Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/Table"},
    ]
}


@pytest.fixture
def target(developer: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> PublishTarget:
    for name, value in developer.aws.environment(developer.credentials, REGION).items():
        monkeypatch.setenv(name, value)
    return PublishTarget("no-bucket", developer.account, REGION)


@pytest.fixture
def cloudformation(developer: LocalAccount) -> Any:
    return developer.aws.client("cloudformation", developer.credentials, REGION)


def test_a_stack_that_is_not_there_may_be_created(target: PublishTarget) -> None:
    check_stack(target, "amplify-app-dev-12345", creating=True)


def test_a_healthy_stack_may_be_updated_but_not_created_again(target: PublishTarget, cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="mine", TemplateBody=TEMPLATE)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="mine", WaiterConfig=SOON)
    check_stack(target, "mine", creating=False)
    with pytest.raises(DeployError, match="is there already, in state CREATE_COMPLETE") as caught:
        check_stack(target, "mine", creating=True, environment="dev")
    # What an import brings lacks `onFailure`, and was replaced for it.
    assert "import" not in str(caught.value)
    assert "`amplify-delivery plan dev` says whose it is" in caught.value.remedy


def test_before_anything_is_made_beside_it_a_stack_of_somebody_elses_is_refused(
    target: PublishTarget, cloudformation: Any
) -> None:
    """The engine's state holds one of ours, perhaps; of what is not ours it holds none before the adoption."""
    pushed = {name: {"Type": "AWS::CloudFormation::WaitConditionHandle"} for name in PUSHED}
    theirs = {"Resources": pushed}
    ours = {**theirs, "Parameters": {TEMPLATE_KEY: {"Type": "String", "Default": "a-key"}}}
    for name, body in (("theirs", theirs), ("ours", ours)):
        cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body))
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=SOON)
    assert not stack_is_there(target, "nobodys", "dev", template)
    assert stack_is_there(target, "ours", "dev", template)
    with pytest.raises(DeployError, match="`amplify push` has made it") as caught:
        stack_is_there(target, "theirs", "dev", template)
    assert "`amplify-delivery adopt dev` takes it over" in caught.value.remedy


def test_an_unexecuted_change_set_is_in_the_way(target: PublishTarget, cloudformation: Any) -> None:
    cloudformation.create_change_set(
        StackName="left", ChangeSetName="never", ChangeSetType="CREATE", TemplateBody=TEMPLATE
    )
    with pytest.raises(DeployError, match="REVIEW_IN_PROGRESS") as caught:
        check_stack(target, "left", creating=True)
    assert "aws cloudformation delete-stack --stack-name left" in caught.value.remedy


APPENDED = {"Statement": [*OWN_RULE["Statement"], *LOCKED["Statement"]]}
"""What the migration makes of a policy that is there."""


@pytest.mark.parametrize(("policy", "refused"), [(LOCKED, True), (APPENDED, True), (OWN_RULE, False)])
def test_a_stack_locked_by_a_migration_is_left_alone(
    policy: dict[str, Any], refused: bool, target: PublishTarget, cloudformation: Any
) -> None:
    cloudformation.create_stack(StackName="locked", TemplateBody=TEMPLATE, StackPolicyBody=json.dumps(policy))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="locked", WaiterConfig=SOON)
    if refused:
        with pytest.raises(DeployError, match="denies every update"):
            check_stack(target, "locked", creating=False)
    else:
        check_stack(target, "locked", creating=False)


def bucket(name: str, place: str = "storagepictures/S3Bucket") -> Name:
    return Name("AWS::S3::Bucket", name, place)


def test_a_bucket_of_an_earlier_environment_is_in_the_way(target: PublishTarget, developer: LocalAccount) -> None:
    name = bucket(f"pictures-{developer.account}-dev")
    check_names(target, [name])
    configuration = {"LocationConstraint": REGION}
    developer.client("s3").create_bucket(Bucket=name.name, CreateBucketConfiguration=configuration)
    with pytest.raises(DeployError, match="in this account") as caught:
        check_names(target, [bucket(f"free-{developer.account}"), name])
    assert f"{name.name} (AWS::S3::Bucket, storagepictures/S3Bucket)" in caught.value.message
    assert "free-" not in caught.value.message
    # Whose bucket it is, and whether users' files are in it, nobody here knows: no command that would empty it.
    assert f"aws s3 ls --recursive s3://{name.name}" in caught.value.remedy
    assert "--force" not in caught.value.remedy
    assert "another environment name" in caught.value.remedy
    assert "suffix" not in caught.value.remedy


def test_a_deployment_bucket_of_another_account_is_in_the_way(target: PublishTarget, developer: LocalAccount) -> None:
    name = f"amplify-other-{developer.account}-deployment"
    other = developer.aws.make_admin(random_account())
    s3 = developer.aws.client("s3", other, REGION)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    with pytest.raises(DeployError, match="another account") as caught:
        check_names(target, [bucket(name, "DeploymentBucket")])
    assert "or for this bucket alone another `suffix`" in caught.value.remedy


def test_functions_roles_tables_and_domains_of_another_copy(target: PublishTarget, developer: LocalAccount) -> None:
    names = [
        Name("AWS::IAM::Role", "todoRole-dev", "functiontodo/LambdaExecutionRole"),
        Name("AWS::DynamoDB::Table", "todos-dev", "storagetodos/DynamoDBTable"),
        Name("AWS::Lambda::Function", "todo-dev", "functiontodo/LambdaFunction"),
        Name("Custom::LambdaCallout", f"signin{developer.account}-dev", "authtodo/HostedUICustomResourceInputs"),
    ]
    check_names(target, names)
    trust = {"Version": "2012-10-17", "Statement": []}
    developer.client("iam").create_role(RoleName="todoRole-dev", AssumeRolePolicyDocument=json.dumps(trust))
    key = {"AttributeName": "id", "KeyType": "HASH"}
    developer.client("dynamodb").create_table(
        TableName="todos-dev",
        KeySchema=[key],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    developer.client("lambda").create_function(
        FunctionName="todo-dev",
        Role=f"arn:aws:iam::{developer.account}:role/todoRole-dev",
        Runtime="python3.13",
        Handler="a.b",
        Code={"ZipFile": zipped()},
    )
    pools = developer.client("cognito-idp")
    pool = pools.create_user_pool(PoolName="pool")["UserPool"]["Id"]
    pools.create_user_pool_domain(Domain=names[3].name, UserPoolId=pool)
    with pytest.raises(DeployError) as caught:
        check_names(target, names)
    assert caught.value.message.count("\n") == 4
    assert "aws s3" not in caught.value.remedy
    # Another account's are in nobody's way, and wrong credentials are for the provider to refuse.
    check_names(PublishTarget("no-bucket", random_account(), REGION), names)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.py", "def b(event, context): pass")
    return stream.getvalue()
