"""A malicious export: what its custom resource tries with the delivery's own things, as real calls, and is refused.

The export is a real one whose function was changed: it hands its credentials out. CloudFormation makes it with the
execution role, and its role has every right, within the environment's boundary. Each call gets through once the
boundary lets everything pass: so the refusal comes from the boundary, and from nothing that this machine lacks.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.account.storage import state_key_policy
from amplify_delivery.components.documents.naming import APP_TAG, PROJECTS, EnvironmentNames
from amplify_delivery.components.documents.statements import allow, document, role_trust
from amplify_delivery.export import EnvironmentValues, assemble, read_export, render_root
from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal_tests.local_account import SOON
from aws_rehearsal_tests.pipeline_service.world import OTHER_REGION
from functional.enforcement.declared_world import APP, EVERYTHING, STATE_FILE, DeclaredWorld, bound, stack_name
from unit.places import EXPORTS

EXPORT = EXPORTS / "iam" / "amplify-export-iamapp"
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
FUNCTION = "UpdateRolesWithIDPFunction"
CODE = """
const response = require('cfn-response');
const {AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token} = process.env;
exports.handler = (event, context) =>
  response.send(event, context, 'SUCCESS', {Loot: JSON.stringify([id, secret, token])});
"""

# One process runs them all: what they share is made once.
pytestmark = pytest.mark.xdist_group("enforced-trust")


@dataclass(frozen=True)
class Intruder:
    """The credentials of the custom resource's function, and the world that it was deployed to."""

    world: DeclaredWorld
    credentials: Credentials
    own_key: str
    """A key of the account, for the aliases that it wants to turn."""
    tagged_key: str
    """One that the account's stack of another app has made, which has another name."""

    def client(self, service: str) -> Any:
        return self.world.client(service, self.credentials, OTHER_REGION)


def malicious(folder: Path) -> Path:
    """The export, with nothing in it but its two roles and that function; and the app's name changed."""
    shutil.copytree(EXPORT, folder)
    (folder / "category-stack-mapping.json").write_text("[]")
    manifest = folder / "amplify-export-manifest.json"
    content = json.loads(manifest.read_text().replace("iamapp-dev-72f10", f"{APP}-prod-a8d05").replace("iamapp", APP))
    content["props"]["loadNestedStacks"] = {}
    manifest.write_text(json.dumps(content))
    template = folder / "root-stack-template.json"
    root = json.loads(template.read_text().replace("iamapp", APP))
    resources = {n: r for n, r in root["Resources"].items() if r["Type"] != "AWS::CloudFormation::Stack"}
    for resource in resources.values():
        resource.pop("DependsOn", None)
    resources[FUNCTION]["Properties"]["Code"] = {"ZipFile": CODE}
    resources[f"{FUNCTION}Outputs"]["Properties"] = {"ServiceToken": {"Fn::GetAtt": [FUNCTION, "Arn"]}}
    everything = {"PolicyName": "everything", "PolicyDocument": EVERYTHING}
    resources[f"{FUNCTION}Role"]["Properties"]["Policies"] = [everything]
    loot = {"Value": {"Fn::GetAtt": [f"{FUNCTION}Outputs", "Loot"]}}
    template.write_text(json.dumps({**root, "Resources": resources, "Outputs": {"Loot": loot}}))
    return folder


@pytest.fixture(scope="module")
def intruder(service: PipelineService, tmp_path_factory: pytest.TempPathFactory) -> Intruder:
    """The export deployed to prod, by CloudFormation with the execution role."""
    world = DeclaredWorld(service, "team/shop")
    names = world.prod
    _furnish(world)
    assembly = assemble(read_export(malicious(tmp_path_factory.mktemp("export") / f"amplify-export-{APP}")))
    values = EnvironmentValues("prod", 1_900_000_000, "a8d05", permissions_boundary=names.boundary_arn)
    root = render_root(assembly, values, names.staging_bucket)
    stacks = world.admin("cloudformation", names.account, names.region)
    stacks.create_stack(
        StackName=root.stack_name,
        TemplateBody=json.dumps(root.template),
        Parameters=[{"ParameterKey": name, "ParameterValue": str(value)} for name, value in root.parameters.items()],
        RoleARN=names.execution_role_arn,
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stacks.get_waiter("stack_create_complete").wait(StackName=root.stack_name, WaiterConfig=SOON)
    [stack] = stacks.describe_stacks(StackName=root.stack_name)["Stacks"]
    [loot] = [o["OutputValue"] for o in stack["Outputs"] if o["OutputKey"] == "Loot"]
    key, secret, token = json.loads(loot)
    kms = world.admin("kms", names.account, names.region)
    tag = {"TagKey": APP_TAG, "TagValue": "another"}
    keys = [kms.create_key(Tags=tags)["KeyMetadata"]["Arn"] for tags in ([], [tag])]
    return Intruder(world, Credentials(names.account, key, secret, token), *keys)


def _bucket(world: DeclaredWorld, name: str) -> None:
    world.admin("s3", world.prod.account, world.prod.region).create_bucket(Bucket=name)


def _furnish(world: DeclaredWorld) -> None:
    """What an account's stack makes beside roles, projects and buckets, and what another environment has."""
    account, region = world.prod.account, world.prod.region
    logs, ssm, secrets, kms = (world.admin(s, account, region) for s in ("logs", "ssm", "secretsmanager", "kms"))
    for names in (world.prod, world.canary):
        logs.create_log_group(logGroupName=names.audit_log_group)
        logs.create_log_stream(logGroupName=names.audit_log_group, logStreamName="deploy/1")
        for parameter in (names.types_parameter, names.version_parameter):
            ssm.put_parameter(Name=parameter, Value="3", Type="String")
        secrets.create_secret(Name=f"{stack_name(names)}/auth/secret", SecretString="x")
        tag = {"TagKey": APP_TAG, "TagValue": APP}
        kms.tag_resource(KeyId=world.state_keys[names.environment], Tags=[tag])
    ssm.put_parameter(Name="/amplify/d1abc/canary/AMPLIFY_hello_token", Value="x", Type="SecureString")
    _bucket(world, f"uploads-{account}-canary")
    world.admin("dynamodb", account, region).create_table(
        TableName="Todo-abc-canary",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    trust = document([allow("Lambda", "sts:AssumeRole", principal={"Service": "lambda.amazonaws.com"})])
    role = world.iam(world.prod.action_role_arn).create_role(
        RoleName="payments", AssumeRolePolicyDocument=json.dumps(trust)
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.js", "exports.handler = async () => {};")
    for name, tags in (("payments", {}), ("hello-of-canary", {"user:Application": APP, "user:Stack": "canary"})):
        world.admin("lambda", account, region).create_function(
            FunctionName=name,
            Role=role["Role"]["Arn"],
            Runtime="nodejs20.x",
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
            Tags=tags,
        )


@contextlib.contextmanager
def opened(world: DeclaredWorld) -> Iterator[None]:
    """The boundary lets everything pass."""
    arn, iam = world.prod.boundary_arn, world.iam(world.prod.boundary_arn)
    before = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(EVERYTHING), SetAsDefault=True)
    try:
        yield
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=before)
        iam.delete_policy_version(PolicyArn=arn, VersionId=version["PolicyVersion"]["VersionId"])


def refused(call: Callable[[], Any]) -> bool:
    """Whether a call is refused for want of a right. Another complaint comes after that check."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False


Call = Callable[[Intruder], Any]


def _state_and_staging() -> Iterator[tuple[str, Call]]:
    """Long: rows of a table."""
    for environment in ("prod", "canary"):

        def names(i: Intruder, environment: str = environment) -> EnvironmentNames:
            return getattr(i.world, environment)  # type: ignore[no-any-return]

        def key(i: Intruder, environment: str = environment) -> str:
            return i.world.state_keys[environment]

        where = f"of {environment}"
        yield (
            f"reads the state {where}",
            bound(lambda i, n: i.client("s3").get_object(Bucket=n(i).state_bucket, Key=STATE_FILE), n=names),
        )
        for what, file in (("state", STATE_FILE), ("plans", "plans/p.json"), ("outputs", "outputs/app.json")):
            yield (
                f"rewrites the {what} {where}",
                bound(
                    lambda i, n, f: i.client("s3").put_object(Bucket=n(i).state_bucket, Key=f, Body=b"mine"),
                    n=names,
                    f=file,
                ),
            )
        yield (
            f"rewrites what is staged {where}",
            bound(
                lambda i, n: i.client("s3").put_object(
                    Bucket=n(i).staging_bucket, Key="templates/x.json", Body=b"mine"
                ),
                n=names,
            ),
        )
        yield (
            f"opens the staging bucket {where}",
            bound(
                lambda i, n: i.client("s3").put_bucket_policy(
                    Bucket=n(i).staging_bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": []})
                ),
                n=names,
            ),
        )
        yield (
            f"uses the state's key {where}",
            bound(lambda i, k: i.client("kms").decrypt(KeyId=k(i), CiphertextBlob=b"x" * 100), k=key),
        )
        yield (
            f"rewrites the policy of the state's key {where}",
            bound(
                lambda i, k: i.client("kms").put_key_policy(
                    KeyId=k(i), PolicyName="default", Policy=json.dumps(state_key_policy(i.world.prod))
                ),
                k=key,
            ),
        )
        yield (
            f"takes the tag off the state's key {where}",
            bound(lambda i, k: i.client("kms").untag_resource(KeyId=k(i), TagKeys=[APP_TAG]), k=key),
        )
        yield (
            f"turns the alias of the state's key {where}",
            bound(
                lambda i, n: i.client("kms").update_alias(AliasName=n(i).state_key_alias, TargetKeyId=i.own_key),
                n=names,
            ),
        )


def _records() -> Iterator[tuple[str, Call]]:
    """Long: rows of a table."""
    for environment in ("prod", "canary"):

        def names(i: Intruder, environment: str = environment) -> EnvironmentNames:
            return getattr(i.world, environment)  # type: ignore[no-any-return]

        where = f"of {environment}"
        yield (
            f"writes into the audit log {where}",
            bound(
                lambda i, n: i.client("logs").put_log_events(
                    logGroupName=n(i).audit_log_group,
                    logStreamName="deploy/1",
                    logEvents=[{"timestamp": 1_700_000_000_000, "message": "deployed"}],
                ),
                n=names,
            ),
        )
        yield (
            f"lets the audit log {where} expire",
            bound(
                lambda i, n: i.client("logs").put_retention_policy(
                    logGroupName=n(i).audit_log_group, retentionInDays=1
                ),
                n=names,
            ),
        )
        yield (
            f"rewrites the record of types {where}",
            bound(
                lambda i, n: i.client("ssm").put_parameter(
                    Name=n(i).types_parameter, Value="{}", Type="String", Overwrite=True
                ),
                n=names,
            ),
        )
        yield (
            f"rewrites the version {where}",
            bound(
                lambda i, n: i.client("ssm").put_parameter(
                    Name=n(i).version_parameter, Value="99", Type="String", Overwrite=True
                ),
                n=names,
            ),
        )
        yield (
            f"reads a secret {where}",
            bound(
                lambda i, n: i.client("secretsmanager").get_secret_value(SecretId=f"{stack_name(n(i))}/auth/secret"),
                n=names,
            ),
        )
        for what in PROJECTS:
            yield (
                f"changes the project {what} {where}",
                bound(
                    lambda i, n, w: i.client("codebuild").update_project(name=n(i).project(w), description="mine"),
                    n=names,
                    w=what,
                ),
            )
        yield (
            f"changes a right of deploy {where}",
            bound(
                lambda i, n: i.client("iam").put_role_policy(
                    RoleName=n(i).project_role("deploy"), PolicyName="mine", PolicyDocument=json.dumps(EVERYTHING)
                ),
                n=names,
            ),
        )


def _neighbours() -> Iterator[tuple[str, Call]]:
    yield (
        "uses the key of another app's state, by its tag",
        lambda i: i.client("kms").encrypt(KeyId=i.tagged_key, Plaintext=b"x"),
    )
    yield (
        "calls a function of another environment, by its tags",
        lambda i: i.client("lambda").invoke(FunctionName="hello-of-canary"),
    )
    yield (
        "writes to another environment's bucket",
        lambda i: i.client("s3").put_object(Bucket=f"uploads-{i.world.prod.account}-canary", Key="x", Body=b"mine"),
    )
    yield "reads another environment's table", lambda i: i.client("dynamodb").scan(TableName="Todo-abc-canary")
    yield (
        "reads another environment's secret parameter",
        lambda i: i.client("ssm").get_parameter(Name="/amplify/d1abc/canary/AMPLIFY_hello_token"),
    )
    yield (
        "changes another function of the account",
        lambda i: i.client("lambda").update_function_configuration(FunctionName="payments", Description="mine"),
    )
    yield (
        "opens all log groups",
        lambda i: i.client("logs").put_resource_policy(
            policyName="mine", policyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
        ),
    )


CASES = [*_state_and_staging(), *_records(), *_neighbours()]


@pytest.mark.parametrize("call", [call for _, call in CASES], ids=[name for name, _ in CASES])
def test_the_boundary_refuses_it_to_a_backend_that_may_do_everything(intruder: Intruder, call: Call) -> None:
    assert refused(lambda: call(intruder))
    with opened(intruder.world):
        assert not refused(lambda: call(intruder)), "something else keeps it out"


def test_what_a_backend_works_with_stays_open_to_it(intruder: Intruder) -> None:
    s3, ssm, iam = (intruder.client(service) for service in ("s3", "ssm", "iam"))
    bucket = f"company-{intruder.world.prod.account}"
    _bucket(intruder.world, bucket)
    s3.put_object(Bucket=bucket, Key="x", Body=b"")
    ssm.put_parameter(Name="/amplify/d1abc/prod/AMPLIFY_hello_token", Value="x", Type="SecureString")
    intruder.client("logs").create_log_group(logGroupName="/aws/lambda/hello-prod")
    key = intruder.world.admin("kms", intruder.world.prod.account, OTHER_REGION).create_key()["KeyMetadata"]["Arn"]
    intruder.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    root = f"{stack_name(intruder.world.prod)}-authRole"
    iam.update_assume_role_policy(
        RoleName=root, PolicyDocument=json.dumps(role_trust(intruder.world.prod.action_role_arn))
    )
