"""The sentences of docs/trust.md as real calls, with real credentials of the declared roles, against the local AWS.

Each case is refused as declared, and the same call gets through once the rule that keeps it out is loosened: so the
refusal comes from that rule, and from nothing that this machine lacks. Where two rules keep somebody out, each case
takes one of them away and shows that the other holds.
`packages/amplify-delivery/tests/unit/components/documents/trust_table.py` decides all of it, and much more, over the
documents alone.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import PROJECTS, EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import Document, allow, document, role_trust
from aws_rehearsal.local_aws import Credentials, random_account
from aws_rehearsal.pipeline_service import PipelineService
from aws_rehearsal_tests.pipeline_service.world import CONNECTION, OTHER_REGION, REGION
from functional.enforcement.declared_world import (
    APP,
    EVERYTHING,
    STATE_FILE,
    DeclaredWorld,
    bound,
    project_properties,
    stack_name,
)

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
TOOLS = ("build", "update", "trigger", "source", "build-action", "update-action")
"""The roles of the tooling account but the pipeline's own."""
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})

Changed = contextlib.AbstractContextManager[Any]


# One process runs them all: what they share is made once.
pytestmark = pytest.mark.xdist_group("enforced-trust")


@pytest.fixture(scope="module")
def declared(service: PipelineService) -> DeclaredWorld:
    return DeclaredWorld(service, "team/shop")


def refused(call: Callable[[], Any]) -> bool:
    """Whether a call is refused for want of a right. Another complaint comes after that check."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False


@dataclass(frozen=True)
class Case:
    """A call that must be refused while `given` holds, and gets through under `loosened` as well."""

    name: str
    call: Callable[[DeclaredWorld], Any]
    loosened: Callable[[DeclaredWorld], list[Changed]]
    given: Callable[[DeclaredWorld], list[Changed]] = lambda _: []


@contextlib.contextmanager
def all_of(changes: list[Changed]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for change in changes:
            stack.enter_context(change)
        yield


def credentials(world: DeclaredWorld, what: str) -> Credentials:
    """A role of the tooling account."""
    return world.action(what) if what == "source" or what.endswith("-action") else world.tools(what)


def everybody_of(account: str) -> Document:
    """A trust that asks for no role: the declared one without its condition."""
    return document([allow("Anybody", "sts:AssumeRole", principal=f"arn:aws:iam::{account}:root")])


def where(world: DeclaredWorld, name: str) -> EnvironmentNames:
    found: EnvironmentNames = getattr(world, name)
    return found


# --- no role of the tooling account but the pipeline's assumes an action role -----------------------------------------


def _action_roles() -> Iterator[Case]:
    for environment in ("preprod", "prod", "canary"):
        for what in TOOLS:

            def assume(w: DeclaredWorld, environment: str = environment, what: str = what) -> Any:
                return w.aws.assume_role(credentials(w, what), where(w, environment).action_role_arn)

            def every_right(w: DeclaredWorld, what: str = what) -> list[Changed]:
                # UpdatePipeline's boundary would keep it as well: here it is the action role's trust that has to.
                arn = w.pipeline.role_arn(what)
                return [w.promoted(arn), *([w.unbounded(arn)] if what == "update" else [])]

            def trust(w: DeclaredWorld, environment: str = environment) -> list[Changed]:
                return [w.trust(where(w, environment).action_role_arn, everybody_of(w.tooling))]

            yield Case(f"{what} with every right with the action role of {environment}", assume, trust, every_right)
        yield Case(
            f"an administrator of the tooling account with the action role of {environment}",
            bound(
                lambda w, e: w.aws.assume_role(w.aws.make_admin(w.tooling), where(w, e).action_role_arn), e=environment
            ),
            bound(lambda w, e: [w.trust(where(w, e).action_role_arn, everybody_of(w.tooling))], e=environment),
        )
    for what in (*PROJECTS, "cloudformation"):

        def behind(w: DeclaredWorld, what: str = what) -> str:
            return w.prod.execution_role_arn if what == "cloudformation" else w.prod.project_role_arn(what)

        yield Case(
            f"the pipeline's role, with every right, past the action role to {what}",
            bound(lambda w, behind: w.aws.assume_role(w.pipelines(), behind(w)), behind=behind),
            bound(lambda w, behind: [w.trust(behind(w), role_trust(w.pipeline.role_arn()))], behind=behind),
            lambda w: [w.promoted(w.pipeline.role_arn()), w.unbounded(w.pipeline.role_arn())],
        )


# --- an action role starts, stops and reads builds, and nothing else --------------------------------------------------

OVERRIDES: dict[str, dict[str, Any]] = {
    "a buildspec": {"buildspecOverride": "version: 0.2"},
    "an image": {"imageOverride": "mine"},
    "a role": {"serviceRoleOverride": "arn:aws:iam::111111111111:role/mine"},
    "privileged mode": {"privilegedModeOverride": True},
    "another place of the source": {"sourceLocationOverride": "mine/x.zip"},
    "another key": {"encryptionKeyOverride": f"arn:aws:kms:{OTHER_REGION}:111111111111:key/mine"},
    "other artifacts": {"artifactsOverride": {"type": "S3", "location": "mine"}},
    "a further source": {"secondarySourcesOverride": [{"type": "S3", "location": "a/b.zip", "sourceIdentifier": "b"}]},
    "a log elsewhere": {"logsConfigOverride": {"s3Logs": {"status": "ENABLED", "location": "mine"}}},
    "a variable that a shell obeys": {"environmentVariablesOverride": [{"name": "BASH_ENV", "value": "x"}]},
    "a variable that Python obeys": {"environmentVariablesOverride": [{"name": "PYTHONPATH", "value": "x"}]},
}


def _through_the_action_role() -> Iterator[Case]:
    """Long: rows of a table."""

    def s3(w: DeclaredWorld) -> Any:
        return w.client("s3", w.action_role(w.prod), OTHER_REGION)

    def artifacts(w: DeclaredWorld) -> str:
        return w.pipeline.artifact_bucket(OTHER_REGION)

    def store(w: DeclaredWorld) -> PipelineNames:
        return PipelineNames(app=APP, account=w.tooling, region=OTHER_REGION)

    def every_right(w: DeclaredWorld) -> list[Changed]:
        return [w.promoted(w.prod.action_role_arn)]

    def bucket(w: DeclaredWorld) -> list[Changed]:
        return [w.bucket_opened(store(w), artifacts(w), w.prod.account)]

    yield Case(
        "an action role with every right writes artifacts",
        lambda w: s3(w).put_object(Bucket=artifacts(w), Key="x", Body=b""),
        bucket,
        every_right,
    )
    yield Case(
        "an action role with every right reads artifacts",
        lambda w: s3(w).get_object(Bucket=artifacts(w), Key="x"),
        bucket,
        every_right,
    )
    yield Case(
        "an action role writes artifacts where the bucket is open",
        lambda w: s3(w).put_object(Bucket=artifacts(w), Key="x", Body=b""),
        every_right,
        bucket,
    )
    yield Case(
        "an action role with every right decrypts artifacts",
        lambda w: _uses(w, w.action_role(w.prod), w.keys[OTHER_REGION]),
        lambda w: [w.key_opened(w.keys[OTHER_REGION], w.prod.account)],
        every_right,
    )
    yield Case(
        "an action role reads the state",
        lambda w: s3(w).get_object(Bucket=w.prod.state_bucket, Key=STATE_FILE),
        every_right,
    )
    yield Case(
        "an action role uses the state's key",
        lambda w: _uses(w, w.action_role(w.prod), w.state_keys["prod"]),
        every_right,
    )
    yield Case(
        "an action role writes to the staging area",
        lambda w: s3(w).put_object(Bucket=w.prod.staging_bucket, Key="x", Body=b""),
        every_right,
    )
    yield Case(
        "an action role updates the stack",
        lambda w: _stacks(w, w.action_role(w.prod)).update_stack(StackName=stack_name(w.prod), TemplateBody=TEMPLATE),
        every_right,
    )
    for what, override in OVERRIDES.items():

        def start(w: DeclaredWorld, override: dict[str, Any] = override) -> Any:
            return _codebuild(w, w.action_role(w.prod)).start_build(projectName=w.prod.project("deploy"), **override)

        yield Case(
            f"an action role with every right starts a build with {what}",
            start,
            lambda w: [w.policies(w.prod.action_role_arn, overrides=None)],
            every_right,  # to pass another role as well
        )
    for what in PROJECTS:
        yield Case(
            f"the action role of prod starts {what} of canary, beside it",
            bound(
                lambda w, p: _codebuild(w, w.action_role(w.prod)).start_build(projectName=w.canary.project(p)), p=what
            ),
            lambda w: [
                w.policies(w.prod.action_role_arn, builds=document([allow("Builds", "codebuild:StartBuild", "*")]))
            ],
        )
    yield Case(
        "an action role changes a project",
        lambda w: _codebuild(w, w.action_role(w.prod)).update_project(
            name=w.prod.project("deploy"), description="mine"
        ),
        every_right,
    )


# --- the update of the pipeline touches no target account, and makes no role that an action role trusts ---------------


def _update() -> Iterator[Case]:
    """Long: rows of a table."""

    def iam(w: DeclaredWorld) -> Any:
        return w.client("iam", w.tools("update"), "us-east-1")

    trust = json.dumps(EVERYTHING)
    calls: dict[str, Callable[[DeclaredWorld], Any]] = {
        "makes the role that action roles trust": lambda w: iam(w).create_role(
            RoleName=w.pipeline.role(), Path=w.pipeline.path, AssumeRolePolicyDocument=trust
        ),
        "makes any role": lambda w: iam(w).create_role(
            RoleName="mine", Path=w.pipeline.path, AssumeRolePolicyDocument=trust
        ),
        "deletes the role that action roles trust": lambda w: iam(w).delete_role(RoleName=w.pipeline.role()),
        "lets itself be that role": lambda w: iam(w).update_assume_role_policy(
            RoleName=w.pipeline.role(), PolicyDocument=json.dumps(w.role(w.pipeline.role_arn()).trust)
        ),
        "makes that role an administrator": lambda w: iam(w).attach_role_policy(
            RoleName=w.pipeline.role(), PolicyArn=ADMINISTRATOR
        ),
        "takes that role's boundary": lambda w: iam(w).put_role_permissions_boundary(
            RoleName=w.pipeline.role(), PermissionsBoundary=w.pipeline.boundary_arn("pipeline")
        ),
        "widens that boundary": lambda w: iam(w).create_policy_version(
            PolicyArn=w.pipeline.boundary_arn("pipeline"), PolicyDocument=json.dumps(EVERYTHING)
        ),
        "widens its own rights": lambda w: iam(w).put_role_policy(
            RoleName=w.pipeline.role("update"), PolicyName="mine", PolicyDocument=json.dumps(EVERYTHING)
        ),
        "widens Build's rights": lambda w: iam(w).put_role_policy(
            RoleName=w.pipeline.role("build"), PolicyName="mine", PolicyDocument=json.dumps(EVERYTHING)
        ),
        "starts Build by itself": lambda w: _codebuild(w, w.tools("update")).start_build(
            projectName=w.pipeline.project("build"), buildspecOverride="version: 0.2"
        ),
        "makes a stack, with which CloudFormation would make roles": lambda w: _stacks(
            w, w.tools("update")
        ).create_stack(StackName="mine", TemplateBody="{}"),
    }
    within = {"starts Build by itself"}
    """What its boundary leaves, since UpdatePipeline changes the projects anyway: its own policies keep it."""

    def promoted(w: DeclaredWorld) -> list[Changed]:
        return [w.promoted(w.pipeline.role_arn("update"))]

    def unbounded(w: DeclaredWorld) -> list[Changed]:
        return [w.unbounded(w.pipeline.role_arn("update"))]

    for what, call in calls.items():
        yield Case(f"the update, without its boundary, {what}", call, promoted, unbounded)
        if what not in within:
            yield Case(f"the update, with every right, {what}", call, unbounded, promoted)

    def s3(w: DeclaredWorld) -> Any:
        return w.client("s3", w.tools("update"), OTHER_REGION)

    def both(w: DeclaredWorld) -> list[Changed]:
        return [*promoted(w), *unbounded(w)]

    for name in ("state_bucket", "staging_bucket"):

        def opened(w: DeclaredWorld, name: str = name) -> list[Changed]:
            return [w.bucket_opened(w.prod, getattr(w.prod, name), w.tooling)]

        yield Case(
            f"the update, unbounded and with every right, writes to the {name.replace('_', ' ')} of prod",
            bound(lambda w, n: s3(w).put_object(Bucket=getattr(w.prod, n), Key="x", Body=b""), n=name),
            opened,
            both,
        )
        yield Case(
            f"the update, with every right, writes to an open {name.replace('_', ' ')} of prod",
            bound(lambda w, n: s3(w).put_object(Bucket=getattr(w.prod, n), Key="x", Body=b""), n=name),
            unbounded,
            bound(lambda w, opened: [*opened(w), *promoted(w)], opened=opened),
        )
    yield Case(
        "the update, unbounded and with every right, uses the key of prod's state",
        lambda w: _uses(w, w.tools("update"), w.state_keys["prod"]),
        lambda w: [w.key_opened(w.state_keys["prod"], w.tooling)],
        both,
    )


# --- plan executes nothing --------------------------------------------------------------------------------------------


def _plan() -> Iterator[Case]:
    def plan(w: DeclaredWorld) -> Credentials:
        return w.project(w.prod, "plan")

    def every_right(w: DeclaredWorld) -> list[Changed]:
        return [w.promoted(w.prod.project_role_arn("plan"))]

    name = {"StackName": "{stack}"}
    executions: dict[str, dict[str, Any]] = {
        "create_stack": {**name, "TemplateBody": TEMPLATE},
        "update_stack": {**name, "TemplateBody": TEMPLATE},
        "delete_stack": name,
        "execute_change_set": {**name, "ChangeSetName": "none"},
        "cancel_update_stack": name,
        "continue_update_rollback": name,
        "set_stack_policy": {**name, "StackPolicyBody": "{}"},
        "update_termination_protection": {**name, "EnableTerminationProtection": False},
    }
    for operation, arguments in executions.items():

        def execute(w: DeclaredWorld, operation: str = operation, given: dict[str, Any] = arguments) -> Any:
            filled = {**given, "StackName": stack_name(w.prod)}
            return getattr(_stacks(w, plan(w)), operation)(**filled)

        yield Case(
            f"plan with every right calls {operation}",
            execute,
            lambda w: [w.policies(w.prod.project_role_arn("plan"), plan=None)],
            every_right,
        )
        yield Case(
            f"plan without the denial calls {operation}",
            execute,
            every_right,
            lambda w: [w.policies(w.prod.project_role_arn("plan"), plan=_without(w, "plan", "ExecutesNothing"))],
        )
    writes: dict[str, Callable[[DeclaredWorld], Any]] = {
        "writes the state": lambda w: w.client("s3", plan(w), OTHER_REGION).put_object(
            Bucket=w.prod.state_bucket, Key=STATE_FILE, Body=b""
        ),
        "writes to the staging area": lambda w: w.client("s3", plan(w), OTHER_REGION).put_object(
            Bucket=w.prod.staging_bucket, Key="x", Body=b""
        ),
        "writes into a table": lambda w: w.client("dynamodb", plan(w), OTHER_REGION).put_item(
            TableName="Todo-abc-prod", Item={"id": {"S": "1"}}
        ),
        "reads a table": lambda w: w.client("dynamodb", plan(w), OTHER_REGION).scan(TableName="Todo-abc-prod"),
        "calls a function": lambda w: w.client("lambda", plan(w), OTHER_REGION).invoke(FunctionName="hello-prod"),
        "makes a role": lambda w: w.client("iam", plan(w), "us-east-1").create_role(
            RoleName="hello-prod", AssumeRolePolicyDocument=json.dumps(EVERYTHING)
        ),
    }
    for what, call in writes.items():
        yield Case(f"plan {what}", call, every_right)


def _without(w: DeclaredWorld, what: str, sid: str) -> Document:
    """A project role's own policy without one statement."""
    policy = copy.deepcopy(w.role(w.prod.project_role_arn(what)).policies[what])
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != sid]
    return policy


# --- preprod's roles do not reach prod; prod's not canary, in the same account ----------------------------------------


def _elsewhere() -> Iterator[Case]:
    """Long: rows of a table."""
    roles = ("action", *PROJECTS, "cloudformation")

    def arn(names: EnvironmentNames, what: str) -> str:
        if what == "action":
            return names.action_role_arn
        return names.execution_role_arn if what == "cloudformation" else names.project_role_arn(what)

    def who(w: DeclaredWorld, names: EnvironmentNames, what: str) -> Credentials:
        return w.action_role(names) if what == "action" else w.project(names, what)

    for what in roles:

        def every_right(w: DeclaredWorld, what: str = what) -> list[Changed]:
            return [w.promoted(arn(w.preprod, what))]

        def s3(w: DeclaredWorld, what: str = what) -> Any:
            return w.client("s3", who(w, w.preprod, what), OTHER_REGION)

        yield Case(
            f"{what} of preprod, with every right, reads prod's state",
            bound(lambda w, s3: s3(w).get_object(Bucket=w.prod.state_bucket, Key=STATE_FILE), s3=s3),
            lambda w: [w.bucket_opened(w.prod, w.prod.state_bucket, w.preprod.account)],
            every_right,
        )
        yield Case(
            f"{what} of preprod, with every right, writes to prod's staging area",
            bound(lambda w, s3: s3(w).put_object(Bucket=w.prod.staging_bucket, Key="x", Body=b""), s3=s3),
            lambda w: [w.bucket_opened(w.prod, w.prod.staging_bucket, w.preprod.account)],
            every_right,
        )
        yield Case(
            f"{what} of preprod, with every right, uses the key of prod's state",
            bound(lambda w, what: _uses(w, who(w, w.preprod, what), w.state_keys["prod"]), what=what),
            lambda w: [w.key_opened(w.state_keys["prod"], w.preprod.account)],
            every_right,
        )
        for target in ("action", "deploy", "cloudformation"):
            yield Case(
                f"{what} of preprod, with every right, becomes {target} of prod",
                bound(
                    lambda w, what, t: w.aws.assume_role(who(w, w.preprod, what), arn(w.prod, t)), what=what, t=target
                ),
                bound(lambda w, t: [w.trust(arn(w.prod, t), everybody_of(w.preprod.account))], t=target),
                every_right,
            )

        def beside(w: DeclaredWorld, what: str = what) -> list[Changed]:
            return [w.promoted(arn(w.prod, what))]

        yield Case(
            f"{what} of prod reads the state of canary, beside it",
            bound(
                lambda w, what: w.client("s3", who(w, w.prod, what), OTHER_REGION).get_object(
                    Bucket=w.canary.state_bucket, Key=STATE_FILE
                ),
                what=what,
            ),
            beside,
        )
        yield Case(
            f"{what} of prod writes to the staging area of canary, beside it",
            bound(
                lambda w, what: w.client("s3", who(w, w.prod, what), OTHER_REGION).put_object(
                    Bucket=w.canary.staging_bucket, Key="x", Body=b""
                ),
                what=what,
            ),
            beside,
        )
        yield Case(
            f"{what} of prod uses the key of canary's state, beside it",
            bound(lambda w, what: _uses(w, who(w, w.prod, what), w.state_keys["canary"]), what=what),
            beside,
        )
    yield Case(
        "deploy of prod updates the stack of canary, beside it",
        lambda w: _stacks(w, w.project(w.prod, "deploy")).update_stack(
            StackName=stack_name(w.canary), TemplateBody=TEMPLATE
        ),
        lambda w: [w.promoted(w.prod.project_role_arn("deploy"))],
    )


def _uses(w: DeclaredWorld, who: Credentials, key: str) -> Any:
    """A call that needs a key."""
    kms = w.client("kms", who, key.split(":")[3])
    return kms.decrypt(KeyId=key, CiphertextBlob=b"x" * 100)


def _codebuild(w: DeclaredWorld, who: Credentials) -> Any:
    return w.client("codebuild", who, OTHER_REGION if who.account == w.prod.account else REGION)


def _stacks(w: DeclaredWorld, who: Credentials) -> Any:
    return w.client("cloudformation", who, OTHER_REGION if who.account == w.prod.account else REGION)


CASES = [*_action_roles(), *_through_the_action_role(), *_update(), *_plan(), *_elsewhere()]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_refused_and_let_through_once_the_rule_is_loosened(declared: DeclaredWorld, case: Case) -> None:
    try:
        with all_of(case.given(declared)):
            assert refused(lambda: case.call(declared)), f"{case.name}: got through"
            with all_of(case.loosened(declared)):
                assert not refused(lambda: case.call(declared)), f"{case.name}: something else keeps it out"
    finally:
        declared.tidy()


# --- what must work ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ["preprod", "prod", "canary"])
def test_the_pipelines_role_assumes_the_action_role_and_starts_every_project(
    declared: DeclaredWorld, environment: str
) -> None:
    names = where(declared, environment)
    codebuild = declared.client("codebuild", declared.action_role(names), names.region)
    for what in PROJECTS:
        # Only CodePipeline starts a project of a pipeline: CodeBuild says so after it has looked at the rights.
        with pytest.raises(ClientError, match="can only be started by CodePipeline"):
            codebuild.start_build(projectName=names.project(what))


def test_plan_reads_the_state_and_describes_the_stack(declared: DeclaredWorld) -> None:
    plan = declared.project(declared.prod, "plan")
    declared.client("s3", plan, OTHER_REGION).get_object(Bucket=declared.prod.state_bucket, Key=STATE_FILE)
    assert not refused(lambda: _stacks(declared, plan).describe_stacks(StackName=stack_name(declared.prod)))


# --- whatever the update writes, the pipeline's role stays what it is -------------------------------------------------


def test_the_list_of_action_roles_is_all_that_the_update_gives_to_the_pipelines_role(declared: DeclaredWorld) -> None:
    """It may write that role's policy, and writes every right into it: the role's boundary leaves action roles,
    artifacts."""
    pipeline = declared.pipeline
    welcome = declared.admin("iam", declared.prod.account, "us-east-1").create_role(
        RoleName="welcome", AssumeRolePolicyDocument=json.dumps(role_trust(pipeline.role_arn()))
    )["Role"]["Arn"]
    update = declared.client("iam", declared.tools("update"), "us-east-1")
    name = pipeline.role()
    update.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
    try:
        declared.action_role(declared.prod)
        role = declared.pipelines()
        calls = {
            "makes a user": lambda: declared.client("iam", role, "us-east-1").create_user(UserName="mine"),
            "reads the state": lambda: declared.client("s3", role).get_object(
                Bucket=pipeline.state_bucket, Key=STATE_FILE
            ),
            "uses the state's key": lambda: declared.client("kms", role).schedule_key_deletion(
                KeyId=declared.state_keys["tooling"]
            ),
            "changes Build": lambda: declared.client("codebuild", role).update_project(
                name=pipeline.project("build"), description="mine"
            ),
            "makes a topic": lambda: declared.client("sns", role).create_topic(Name="mine"),
            "becomes a role that is no action role": lambda: declared.aws.assume_role(role, welcome),
        }
        for what, call in calls.items():
            assert refused(call), what
        with declared.unbounded(pipeline.role_arn()):
            assert not refused(lambda: declared.aws.assume_role(role, welcome))
        # What it has put it cannot take away, nor the list itself.
        for policy in ("everything", "pipeline"):
            assert refused(
                bound(lambda policy: update.delete_role_policy(RoleName=name, PolicyName=policy), policy=policy)
            )
    finally:
        declared.iam(pipeline.role_arn()).delete_role_policy(RoleName=name, PolicyName="everything")


# --- deleting and making again ----------------------------------------------------------------------------------------


def test_the_pipelines_role_deleted_and_made_again_is_the_one_that_action_roles_trust(declared: DeclaredWorld) -> None:
    role = declared.role(declared.pipeline.role_arn())
    before = declared.iam(role.arn).get_role(RoleName=role.name)["Role"]["RoleId"]
    declared.delete_role(role.arn)
    try:
        with pytest.raises(AssertionError):
            declared.pipelines()
    finally:
        assert declared.make_role(role, declared.tooling) == role.arn
    assert declared.iam(role.arn).get_role(RoleName=role.name)["Role"]["RoleId"] != before
    for names in declared.environments:
        assert declared.action_role(names)


@pytest.mark.parametrize("what", ["action", "publish", "deploy", "cloudformation"])
def test_a_role_of_a_target_account_deleted_and_made_again_works(declared: DeclaredWorld, what: str) -> None:
    found = declared.accounts["prod"]
    role = next(role for role in found.roles if role.name == f"{APP}-prod-{what}")
    declared.delete_role(role.arn)
    assert declared.make_role(role, declared.prod.account) == role.arn
    assert declared.action_role(declared.prod)
    if what != "action":
        assert declared.project(declared.prod, what)


def test_the_name_with_another_path_is_another_role(declared: DeclaredWorld) -> None:
    """Whoever may make roles outside of our path makes none that an action role trusts."""
    role = declared.role(declared.pipeline.role_arn())
    iam = declared.iam(role.arn)
    declared.delete_role(role.arn)
    try:
        other = iam.create_role(RoleName=role.name, Path="/mine/", AssumeRolePolicyDocument=json.dumps(role.trust))[
            "Role"
        ]["Arn"]
        iam.put_role_policy(RoleName=role.name, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
        namesake = declared.assumed(other, "codepipeline", declared.pipeline.pipeline_arn)
        assert refused(lambda: declared.aws.assume_role(namesake, declared.prod.action_role_arn))
    finally:
        with contextlib.suppress(ClientError):
            declared.delete_role(role.arn)
        declared.make_role(role, declared.tooling)
    assert declared.action_role(declared.prod)


# --- another account's pipeline of the same name: the confused deputy -------------------------------------------------


@pytest.fixture(scope="module")
def stranger(declared: DeclaredWorld) -> PipelineNames:
    """Another account with the same app, pipeline and role names, and every right of its own."""
    names = PipelineNames(app=APP, account=random_account(), region=REGION)
    role = declared.role(declared.pipeline.role_arn())
    iam = declared.admin("iam", names.account, "us-east-1")
    trust = json.dumps(role.trust).replace(declared.tooling, names.account)
    iam.create_role(RoleName=role.name, Path=role.path, AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName=role.name, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
    return names


@pytest.mark.parametrize("environment", ["preprod", "prod", "canary"])
def test_the_role_of_the_strangers_pipeline_assumes_no_action_role(
    declared: DeclaredWorld, stranger: PipelineNames, environment: str
) -> None:
    names = where(declared, environment)
    theirs = declared.assumed(stranger.role_arn(), "codepipeline", stranger.pipeline_arn)
    assert refused(lambda: declared.aws.assume_role(theirs, names.action_role_arn))
    with declared.trust(names.action_role_arn, role_trust(stranger.role_arn())):
        assert not refused(lambda: declared.aws.assume_role(theirs, names.action_role_arn))


def _deputies(w: DeclaredWorld, stranger: PipelineNames) -> dict[str, tuple[str, str, str, str]]:
    """Role, service, what the service may act for, and what a stranger has it act for."""
    found = {
        "the pipeline's role": (w.pipeline.role_arn(), "codepipeline", w.pipeline.pipeline_arn, stranger.pipeline_arn),
        "the trigger's role": (
            w.pipeline.role_arn("trigger"),
            "events",
            w.pipeline.arn("events", "rule/x"),
            stranger.arn("events", "rule/x"),
        ),
        "the stack's role": (
            w.prod.execution_role_arn,
            "cloudformation",
            w.prod.arn("cloudformation", f"stack/{stack_name(w.prod)}/1"),
            w.prod.arn("cloudformation", f"stack/{stack_name(w.prod)}/1").replace(w.prod.account, stranger.account),
        ),
    }
    for what in ("build", "update"):
        role, project = w.pipeline.role_arn(what), w.pipeline.project_arn(what)
        found[f"the {what} role"] = (role, "codebuild", project, stranger.project_arn(what))
    for what in PROJECTS:
        role, project = w.prod.project_role_arn(what), w.prod.project_arn(what)
        theirs = project.replace(w.prod.account, stranger.account)
        found[f"{what} of prod"] = (role, "codebuild", project, theirs)
        other = w.prod.arn("codebuild", "project/mine")
        found[f"{what} of prod for another project of its account"] = (role, "codebuild", project, other)
    return found


def test_a_service_gets_our_roles_for_our_own_resources_only(declared: DeclaredWorld, stranger: PipelineNames) -> None:
    for what, (role, service, ours, theirs) in _deputies(declared, stranger).items():
        assert declared.service_session(role, service, ours) is not None, what
        assert declared.service_session(role, service, theirs) is None, what
        anybody = document([allow("Anybody", "sts:AssumeRole", principal={"Service": f"{service}.amazonaws.com"})])
        with declared.trust(role, anybody):
            assert declared.service_session(role, service, theirs) is not None, what


def test_a_strangers_pipeline_and_project_cannot_be_made_with_our_roles(
    declared: DeclaredWorld, stranger: PipelineNames
) -> None:
    """The whole way: the stranger's administrator names our role in a pipeline and a project of her own."""
    project = next(p for p in declared.documents.projects if p.name == declared.pipeline.project("build"))
    codebuild = declared.admin("codebuild", stranger.account)
    with pytest.raises(ClientError, match=r"not authorized to perform: (sts:AssumeRole|iam:PassRole)|cross-account"):
        codebuild.create_project(**project_properties(project))
    store = {"type": "S3", "location": "mine"}
    source = {
        "name": "App",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1"},
        "configuration": {"ConnectionArn": CONNECTION, "FullRepositoryId": "team/shop", "BranchName": "main"},
        "outputArtifacts": [{"name": "Source"}],
    }
    approval = {
        "name": "Approve",
        "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"},
    }
    stages = [{"name": "Source", "actions": [source]}, {"name": "Approve", "actions": [approval]}]
    with pytest.raises(ClientError, match=r"not authorized to perform:? (AssumeRole|iam:PassRole)|cross-account"):
        declared.admin("codepipeline", stranger.account).create_pipeline(
            pipeline={
                "name": declared.pipeline.pipeline,
                "roleArn": declared.pipeline.role_arn(),
                "artifactStore": store,
                "stages": stages,
            }
        )


def test_update_pipeline_makes_and_changes_a_schedule_and_no_other_rule(declared: DeclaredWorld) -> None:
    """A rule's ARN on the default bus is `rule/NAME`: with another one no schedule came through UpdatePipeline."""
    pipeline = declared.pipeline
    events = declared.client("events", declared.tools("update"))
    name = pipeline.event_rule("schedule")
    tags = [{"Key": "amplify-delivery:app", "Value": pipeline.app}]
    arn = events.put_rule(Name=name, EventBusName="default", ScheduleExpression="rate(1 day)", Tags=tags)["RuleArn"]
    assert arn == pipeline.arn("events", f"rule/{name}")
    target = {"Id": "pipeline", "Arn": pipeline.pipeline_arn, "RoleArn": pipeline.role_arn("trigger")}
    events.put_targets(Rule=name, EventBusName="default", Targets=[target])
    assert events.describe_rule(Name=name)["ScheduleExpression"] == "rate(1 day)"
    assert [found["Id"] for found in events.list_targets_by_rule(Rule=name)["Targets"]] == ["pipeline"]
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    events.put_rule(Name=name, ScheduleExpression="rate(2 days)")
    events.remove_targets(Rule=name, Ids=["pipeline"])
    events.delete_rule(Name=name)

    assert refused(lambda: events.put_rule(Name="another", ScheduleExpression="rate(1 day)"))
    assert refused(lambda: events.put_targets(Rule="another", Targets=[target]))
    bus = declared.admin("events", declared.tooling).create_event_bus(Name=pipeline.app)["EventBusArn"]
    for named in (pipeline.app, bus):
        elsewhere = {"Name": name, "EventBusName": named, "EventPattern": '{"source": ["me"]}'}
        assert refused(bound(lambda given: events.put_rule(**given), given=elsewhere))
