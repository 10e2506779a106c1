"""The program of a pipeline, made by the real engine in a local AWS that a pipeline service has joined."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.statements import role_trust
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.model import pipeline_model
from aws_rehearsal.local_aws import Credentials, random_account
from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from aws_rehearsal.pipeline_service.gate import Gate
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.conftest import pulumi_home  # noqa: F401 - a fixture
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_project import PulumiProject
from unit.places import REPOSITORY
from unit.stacks.projects import APP, AWAY, HOME, make, write

pytestmark = pytest.mark.engine


@pytest.fixture
def alias_delay() -> float:
    """Seconds until aliases and tags of keys count."""
    return 0.0


@pytest.fixture
def service(alias_delay: float) -> Iterator[PipelineService]:
    """CodeBuild and CodePipeline of a local AWS of the test's own."""
    aws, room = local_aws_with_room(alias_delay=alias_delay)
    try:
        with aws, PipelineService(aws, room) as running:
            yield running
    finally:
        room.close()


@pytest.fixture
def tooling(service: PipelineService) -> LocalAccount:
    """An account whose CodeBuild and CodePipeline are the pipeline service's."""
    account = random_account()
    return LocalAccount(service.aws, account, service.aws.make_admin(account), HOME)


@pytest.fixture
def project(pulumi_home: dict[str, str], tooling: LocalAccount, tmp_path: Path) -> PulumiProject:  # noqa: F811
    """The app's project, as it is checked out, with a pipeline over two environments."""
    project = PulumiProject.make(tmp_path, {**pulumi_home, **pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD}, tooling)
    shutil.copytree(REPOSITORY / "components", project.folder / "components")
    shutil.copy(REPOSITORY / "__main__.py", project.folder)
    describe(project)
    let_in(project)
    project.init_with_key("pipeline")
    return project


def describe(project: PulumiProject, **more: object) -> None:
    """Write the stack files; `more` are keys of the pipeline's."""
    account = project.developer.account
    connection = f"arn:aws:codeconnections:{HOME}:{account}:connection/5e6f7a8b"
    source = {"connection": connection, "repository": "example/app"}
    settings: dict[str, Any] = {"account": account, "source": source, "protect": "false", **more}
    make(project.folder, **settings)
    shutil.copy(REPOSITORY / "Pulumi.yaml", project.folder)
    settings_file = project.folder / "Pulumi.yaml"
    settings_file.write_text(settings_file.read_text().replace("name: seriesapp", f"name: {APP}"))


def let_in(project: PulumiProject) -> None:
    """What the owners of the environments' accounts have done before: CodePipeline tries every action's role."""
    described = Project(project.folder)
    model = pipeline_model(described, APP, "pipeline", described.pipeline("pipeline"))
    aws = project.developer.aws
    for names in model.environments:
        iam = aws.client("iam", aws.make_admin(names.account), HOME)
        trust = json.dumps(role_trust(model.names.role_arn()))
        iam.create_role(Path=names.path, RoleName=names.action_role, AssumeRolePolicyDocument=trust)


def up(project: PulumiProject, *arguments: str) -> str:
    return project.up("-s", "pipeline", *arguments)


def outputs(project: PulumiProject) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.succeed("stack", "output", "--json", "-s", "pipeline"))
    return found


def assert_settled(project: PulumiProject) -> None:
    """A refresh finds what was declared."""
    said = up(project, "--refresh")
    assert "updated" not in said, said
    assert "created" not in said, said


def assert_who_is_told(project: PulumiProject, *emails: str) -> None:
    client = project.developer.client
    (rule,) = client("codestar-notifications").list_notification_rules()["NotificationRules"]
    told = client("codestar-notifications").describe_notification_rule(Arn=rule["Arn"])
    topic = outputs(project)["topic"]
    assert [target["TargetAddress"] for target in told["Targets"]] == [topic]
    subscriptions = client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert sorted(subscription["Endpoint"] for subscription in subscriptions) == sorted(emails)


def as_pushed(project: PulumiProject, service: PipelineService) -> Credentials:
    """Those of UpdatePipeline's build: the role that a push runs with."""
    names = PipelineNames(APP, project.developer.account, HOME)
    gate = Gate(service.aws.port, service._room.token)  # type: ignore[arg-type]
    role = gate.assume(names.role_arn("update"), "codebuild.amazonaws.com", names.project_arn("update"), HOME, "test")
    assert role is not None
    return role


def test_life_of_a_pipeline_with_a_schedule_and_notifications(project: PulumiProject, service: PipelineService) -> None:
    """Made by a person; then what docs/pipeline.md promises by a push, done by the role that a push runs with."""
    client = project.developer.client
    names = PipelineNames(APP, project.developer.account, HOME)
    iam, sns, projects = client("iam"), client("sns"), client("codebuild")

    def teams() -> set[str | None]:
        named = [iam.list_role_tags(RoleName=names.role(what))["Tags"] for what in ("", "build", "trigger")]
        named.append(iam.list_policy_tags(PolicyArn=names.boundary_arn("update"))["Tags"])
        return {next((tag["Value"] for tag in tags if tag["Key"] == "team"), None) for tags in named}

    describe(project, tags={"team": "a"}, schedule="cron(0 6 * * ? *)")
    assert "warning" not in up(project)
    assert teams() == {"a"}
    pipeline = outputs(project)["pipeline"]
    assert client("codepipeline").get_pipeline(name=pipeline)["pipeline"]["executionMode"] == "QUEUED"
    (rule,) = client("events").list_rules()["Rules"]
    (target,) = client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(f":{pipeline}")

    pushed = service.aws.environment(as_pushed(project, service), HOME)
    both = ["one@example.com", "two@example.com"]
    describe(project, tags={"team": "b", "costs": "7"}, schedule="rate(1 day)", **told(*both))
    # The account's first rule: AWS refuses it until its service has the role that it makes there.
    assert "this is the account's first notification rule" in project.up("-s", "pipeline", **pushed)
    assert_who_is_told(project, *both)
    assert teams() == {"b"}
    for endpoint in both:  # one that nobody has confirmed cannot be taken back
        (found,) = [s for s in sns.list_subscriptions()["Subscriptions"] if s["Endpoint"] == endpoint]
        assert found["SubscriptionArn"].startswith("arn:")

    larger = {"build": {"computeType": "BUILD_GENERAL1_LARGE"}, "schedule": "cron(0 7 * * ? *)"}
    describe(project, tags={"costs": "8"}, **larger, **told(*both[1:]))
    project.up("-s", "pipeline", **pushed)
    assert teams() == {None}
    build = next(name for name in projects.list_projects()["projects"] if name.endswith("-build"))
    (changed,) = projects.batch_get_projects(names=[build])["projects"]
    assert changed["environment"]["computeType"] == "BUILD_GENERAL1_LARGE"
    assert [found["ScheduleExpression"] for found in client("events").list_rules()["Rules"]] == ["cron(0 7 * * ? *)"]
    assert_settled(project)

    describe(project)
    project.up("-s", "pipeline", **pushed)
    assert sns.list_topics()["Topics"] == []
    assert client("codestar-notifications").list_notification_rules()["NotificationRules"] == []
    assert client("events").list_rules()["Rules"] == []

    project.succeed("destroy", "--yes", "--skip-preview", "-s", "pipeline")
    assert projects.list_projects()["projects"] == []


def told(*emails: str) -> dict[str, Any]:
    """The key of the pipeline's file that has these people told."""
    return {"notifications": {"emails": list(emails)}}


@pytest.mark.parametrize("alias_delay", [6.0])
def test_a_push_adds_an_environment_in_a_new_region_and_touches_no_other_key(
    project: PulumiProject, service: PipelineService
) -> None:
    """The list of action roles grows, a store is made, a refresh finds both; an environment's key is out of reach.

    Tags of a key count late, on AWS up to five minutes: `update-pipeline` says what it waits for, and brings the
    pipeline in the end. Here it is seconds, but longer than the new key takes to be asked for after it was made.
    """
    names = PipelineNames(APP, project.developer.account, HOME)
    iam, kms = project.developer.client("iam"), project.developer.client("kms")
    # As an environment in the tooling account has one: of the same app, with an alias. What it has counts by the time
    # that what was made later does.
    state = kms.create_key(Tags=[{"TagKey": "amplify-delivery:app", "TagValue": APP}])["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{APP}-prod-state", TargetKeyId=state)

    def roles() -> int:
        found = iam.get_role_policy(RoleName=names.role(), PolicyName="pipeline")["PolicyDocument"]
        (listed,) = [s["Resource"] for s in found["Statement"] if s["Sid"] == "ActionRoles"]
        return 1 if isinstance(listed, str) else len(listed)

    describe(project, stages=[{"name": "PreProd"}])
    up(project)  # what is made so is settled: in the test above
    assert roles() == 1
    role = as_pushed(project, service)
    describe(project)
    pushed = {**project.environment, **service.aws.environment(role, HOME)}
    command = pulumi_homes.delivery(pushed, "update-pipeline")
    done = subprocess.run(
        command, cwd=project.folder, env={**pushed, "EXECUTION_ID": "0a1b"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "counts up to five minutes after these were set" in done.stderr
    assert roles() == 2
    assert set(outputs(project)["artifactBuckets"]) == {HOME, AWAY}
    assert_settled(project)
    assert iam.list_role_policies(RoleName=names.role())["PolicyNames"] == ["pipeline"]
    away = service.aws.client("kms", project.developer.credentials, AWAY)
    assert away.get_key_rotation_status(KeyId=names.artifact_key_alias)["KeyRotationEnabled"]
    assert_only_its_own_keys(project, service.aws.client("kms", role, HOME), state)


def assert_only_its_own_keys(project: PulumiProject, pushed: Any, state: str) -> None:
    """Who calls as `pushed` may rewrite the pipeline's own key, and not `state`, an environment's."""
    names = PipelineNames(APP, project.developer.account, HOME)
    kms = project.developer.client("kms")
    policy = kms.get_key_policy(KeyId=state, PolicyName="default")["Policy"]
    tags = [{"TagKey": key, "TagValue": value} for key, value in names.tags.items()]
    for call in (
        lambda: pushed.put_key_policy(KeyId=state, PolicyName="default", Policy=policy),
        lambda: pushed.tag_resource(KeyId=state, Tags=tags),
        pushed.create_key,
    ):
        with pytest.raises(ClientError, match="not authorized to perform: kms:"):
            call()
    own = f"alias/{APP}-pipeline-artifacts"
    key = kms.describe_key(KeyId=own)["KeyMetadata"]["KeyId"]
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    pushed.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def of_before(project: PulumiProject) -> None:
    """Take from `preprod`'s account, and from its state, what versions before 3 had under other names only."""
    aws, present = project.developer.client, EnvironmentNames(APP, project.developer.account, HOME, "preprod")
    for policy in aws("iam").list_role_policies(RoleName=present.action_role)["PolicyNames"]:
        aws("iam").delete_role_policy(RoleName=present.action_role, PolicyName=policy)
    aws("iam").delete_role(RoleName=present.action_role)
    aws("ssm").delete_parameter(Name=present.version_parameter)
    state = json.loads(project.succeed("stack", "export", "-s", "preprod-account"))
    gone = (f"::{present.action_role}", "::preprod-bootstrap-version")
    kept = [r for r in state["deployment"]["resources"] if not r["urn"].endswith(gone)]
    assert len(kept) == len(state["deployment"]["resources"]) - 2
    for resource in kept:
        resource["dependencies"] = [urn for urn in resource.get("dependencies") or () if not urn.endswith(gone)]
    state["deployment"]["resources"] = kept
    (project.folder / "before.json").write_text(json.dumps(state))
    project.succeed("stack", "import", "-s", "preprod-account", "--file", "before.json")


def test_a_pipeline_and_an_account_of_before_move_to_the_new_names(
    project: PulumiProject, service: PipelineService
) -> None:
    """In the order of docs/upgrading.md; before and after each step the pipeline may come in.

    Long: each step begins where the one before has ended.
    """
    account, client = project.developer.account, project.developer.client
    names = PipelineNames(APP, account, HOME)
    present = EnvironmentNames(APP, account, HOME, "preprod")
    former = replace(present, former=True)
    gate = Gate(service.aws.port, service._room.token)  # type: ignore[arg-type]

    def file(key: str) -> None:
        write(project.folder, "preprod", {"account": account, "region": HOME, key: "true", "suffix": "a8d04"})

    def comes_in_through() -> list[str]:
        """The definition's roles in the account: each of them assumed with the rights of the pipeline's role."""
        stages = client("codepipeline").get_pipeline(name=names.pipeline)["pipeline"]["stages"]
        arns = {action.get("roleArn", "") for stage in stages for action in stage["actions"]}
        role = gate.assume(names.role_arn(), "codepipeline.amazonaws.com", names.pipeline_arn, HOME, "test")
        assert role is not None
        found = sorted(arn for arn in arns if arn.startswith(f"arn:aws:iam::{account}:role{present.path}"))
        for arn in found:
            service.aws.client("sts", role, HOME).assume_role(RoleArn=arn, RoleSessionName="test")
        return [arn.rpartition("/")[2] for arn in found]

    def made() -> set[str]:
        """What of both names the account has."""
        roles = {role["RoleName"] for role in client("iam").list_roles(PathPrefix=present.path)["Roles"]}
        parameters = {parameter["Name"] for parameter in client("ssm").describe_parameters()["Parameters"]}
        both = {names.action_role for names in (former, present)}
        return (roles & both) | (parameters & {present.version_parameter, present.former_version_parameter})

    describe(project, stages=[{"name": "PreProd"}])
    file("enrolled")
    project.init_with_key("preprod-account")
    project.up("-s", "preprod-account")
    of_before(project)
    up(project)
    assert made() == {former.action_role, former.former_version_parameter}
    assert comes_in_through() == [former.action_role]

    # The stack file first: refused, and the way back is open.
    file("bootstrapped")
    assert f"AssumeRole on role {present.action_role_arn}" in project.fail("-s", "pipeline")
    file("enrolled")
    up(project)
    assert comes_in_through() == [former.action_role]

    project.up("-s", "preprod-account")
    everything = {n.action_role for n in (former, present)} | {
        present.version_parameter,
        former.former_version_parameter,
    }
    assert made() == everything
    assert comes_in_through() == [former.action_role]
    up(project)
    assert comes_in_through() == [former.action_role]

    file("bootstrapped")  # a push
    role = gate.assume(names.role_arn("update"), "codebuild.amazonaws.com", names.project_arn("update"), HOME, "test")
    assert role is not None
    project.up("-s", "pipeline", **service.aws.environment(role, HOME))
    assert comes_in_through() == [present.action_role]
    assert made() == everything

    project.up("-s", "preprod-account")
    assert made() == {present.action_role, present.version_parameter}
    assert comes_in_through() == [present.action_role]
