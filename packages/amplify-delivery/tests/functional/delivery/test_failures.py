"""What goes wrong in a deployment, with the plain command as well as with `delivery`, on the real engine."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery_rehearsal.workspace import Finished
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from functional.delivery.environments import Environment, allow_loss, kill
from functional.delivery.outcomes import fails, succeeds, wait_until
from unit.delivery.planning.stacks_of import stacks_of

pytestmark = pytest.mark.engine

on_deployed = pytest.mark.xdist_group("deployed")
"""On the tests that share one delivered environment: one process runs them all."""

Run = Callable[..., Finished]
Make = Callable[..., Environment]


@pytest.fixture(scope="module")
def make(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes an environment for an export."""
    return lambda name, **how: Environment(
        tmp_path_factory.mktemp("environment"), local_aws, tools(), examined, name, killed=True, **how
    )


@pytest.fixture(params=["pulumi", "delivery"])
def run(request: pytest.FixtureRequest) -> Callable[[Environment], Run]:
    """The plain command, without its preview, or ours."""
    return lambda environment: environment.delivery if request.param == "delivery" else plain(environment)


def plain(environment: Environment) -> Run:
    return lambda *arguments: environment.plain(*arguments, "--skip-preview")


# --- a first create -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def begun(make: Make) -> Environment:
    """The example app with sign-in; every test leaves it delivered, in whatever version."""
    environment = make("todo-series/v4")
    # The tests go from one version to any other.
    versions = [stacks_of(f"todo-series/v{number}") for number in (1, 4)]
    steps = plan_backend(versions[1], versions[0])
    file = environment.workspace.project / "Pulumi.dev.yaml"
    allow_loss(file, environment.app, [step.place for step in steps if step.loss])
    return environment


@on_deployed
def test_a_failed_first_create_leaves_nothing_and_the_next_up_works(begun: Environment) -> None:
    """By the plain command; by ours after an interrupted publish."""
    a_failed_first_create(begun, plain(begun), take_a_name(begun))


def take_a_name(environment: Environment) -> Callable[[], None]:
    """One that nobody knows beforehand: the template makes it from the nested stack's. Returns what frees it."""
    return environment.take_name_of_role(f"upClientLambdaRole36f465ca{environment.suffix}-dev")


def a_failed_first_create(environment: Environment, run: Run, free: Callable[[], None]) -> Finished:
    """It leaves nothing, and the next one works; what the failed one has said."""
    failed = fails(run("up"), "authseriesappauth/UserPoolClientRole (AWS::IAM::Role)", "already exists")
    assert environment.status() is None
    assert environment.buckets() == {environment.staging_bucket}

    free()
    succeeds(run("up"))
    assert environment.status() == "CREATE_COMPLETE"
    return failed


def test_credentials_of_another_account_are_refused_before_anything_is_made(
    make: Make, run: Callable[[Environment], Run], local_aws: LocalAws
) -> None:
    # With a passphrase: a key of the account would be what the stranger is refused first.
    environment = make("todo-series/v1", passphrase=True)
    other = random_account()
    own, stranger = environment.admin, local_aws.make_admin(other)
    environment.log_in(stranger)
    fails(run(environment)("up"), other)
    for credentials in (own, stranger):
        environment.admin = credentials
        assert environment.status() is None
        assert environment.buckets() == set()


def test_an_interrupted_publish_is_simply_done_again_and_so_is_a_failed_first_create(make: Make) -> None:
    environment = make("todo-series/v4")
    s3, free = environment.client("s3"), take_a_name(environment)

    def published() -> int:
        try:
            return int(s3.list_objects_v2(Bucket=environment.staging_bucket)["KeyCount"])
        except s3.exceptions.NoSuchBucket:
            return 0

    process = environment.start(*pulumi_homes.delivery(environment.workspace.environment, "up", "dev"))
    try:
        wait_until(published)
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):  # as a CI does that does not wait
            process.send_signal(number)
            time.sleep(0.1)
        said, _ = process.communicate()
    finally:
        kill(process)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert environment.locks() == []
    assert environment.leases() == []
    assert "rolled back" in a_failed_first_create(environment, environment.delivery, free).output


# --- an environment that is there ---------------------------------------------------------------------------------


@pytest.fixture
def deployed(begun: Environment) -> Environment:
    if begun.status() is None:
        succeeds(begun.plain("up", "--skip-preview"))
    return begun


def signs_in(environment: Environment) -> bool:
    """Whether there is a user pool: that of the fourth version."""
    return bool(environment.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"])


@pytest.fixture
def version(deployed: Environment) -> Iterator[Callable[[str], None]]:
    """Takes another version of the export; the first one is back in the folder afterwards."""
    yield deployed.take
    deployed.take("todo-series/v1")


@on_deployed
def test_of_two_ups_at_once_the_second_is_told(deployed: Environment, run: Callable[[Environment], Run]) -> None:
    first = deployed.start("pulumi", "up", "-s", "dev", "--yes", "--skip-preview", "--non-interactive")
    try:
        wait_until(deployed.locks)
        os.killpg(first.pid, signal.SIGSTOP)
        fails(
            run(deployed)("up"),
            "another update of this stack is running" if run(deployed) == deployed.delivery else "locked by",
        )
        os.killpg(first.pid, signal.SIGCONT)
        said, _ = first.communicate()
        assert first.returncode == 0, said
    finally:
        kill(first)


@on_deployed
def test_what_a_killed_up_holds_is_taken_over_by_the_next_one(
    deployed: Environment, version: Callable[[str], None]
) -> None:
    version("todo-series/v2")
    process = deployed.start(str(deployed.tools.python), "-m", "amplify_delivery", "up", "dev")
    wait_until(deployed.locks)
    engine = int(json.loads(deployed.locks()[0].read_text())["pid"])
    kill(process)
    os.kill(engine, signal.SIGKILL)
    assert (len(deployed.locks()), len(deployed.leases())) == (1, 1)
    again = succeeds(deployed.delivery("up"))
    assert f"taken over from `up` of process {process.pid} of " in again.output
    assert f"the engine's lock of process {engine} of " in again.output
    assert (deployed.locks(), deployed.leases()) == ([], [])
    assert deployed.status() == "UPDATE_COMPLETE"


@on_deployed
def test_whoever_reads_only_the_beginning_stops_nothing(deployed: Environment, version: Callable[[str], None]) -> None:
    version("todo-series/v2")
    command = shlex.join(pulumi_homes.delivery(deployed.workspace.environment, "up", "dev"))
    script = f"{command} | head -1; echo ${{PIPESTATUS[0]}}"
    said = succeeds(deployed.workspace.run(["bash", "-c", script])).output
    assert said.splitlines()[-1] == "141", said
    assert "Traceback" not in said
    assert (deployed.locks(), deployed.leases()) == ([], [])
    assert "nothing to change" in succeeds(deployed.delivery("plan")).output


@on_deployed
def test_a_staging_bucket_deleted_behind_our_back_is_made_again(
    deployed: Environment, version: Callable[[str], None]
) -> None:
    """By what `up` has the engine do: the plain command."""
    bucket = deployed.staging_bucket
    s3 = deployed.client("s3")
    for item in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])
    s3.delete_bucket(Bucket=bucket)

    # A version that no test before has left: what is published is what an update needs.
    version("todo-series/v3")
    succeeds(plain(deployed)("up"))
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] > 20


@on_deployed
def test_another_apps_export_is_not_deployed_over_it(
    deployed: Environment, version: Callable[[str], None], run: Callable[[Environment], Run]
) -> None:
    version("todo")
    fails(run(deployed)("up"), "mytodoapp", "seriesapp")


@on_deployed
def test_a_refused_export_is_not_deployed_and_says_why(
    deployed: Environment, run: Callable[[Environment], Run]
) -> None:
    file = next(deployed.workspace.project.glob("amplify-export-*/root-stack-template.json"))
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    fails(run(deployed)("up"), "root-stack-template.json: not JSON")
    file.write_text(whole)


@on_deployed
def test_what_cloudformation_would_refuse_is_not_published(
    deployed: Environment, run: Callable[[Environment], Run]
) -> None:
    file = next(deployed.workspace.project.glob("amplify-export-*/api/*/amplify-appsync-files/schema.graphql"))
    whole = file.read_text()
    file.write_text(whole + "\ntype Broken { x: Nowhere }\n")
    before = deployed.client("s3").list_objects_v2(Bucket=deployed.staging_bucket)["KeyCount"]
    fails(run(deployed)("up"), "AD705", "Nowhere", "apiseriesapp")
    assert deployed.client("s3").list_objects_v2(Bucket=deployed.staging_bucket)["KeyCount"] == before
    file.write_text(whole)


def test_a_wrong_passphrase_is_said(make: Make) -> None:
    environment = make("todo-series/v1", passphrase=True)
    right = environment.workspace
    environment.workspace = type(right)(right.project, {**right.environment, "PULUMI_CONFIG_PASSPHRASE": "wrong"})
    fails(environment.delivery("up"), "the passphrase is not the one that the stack was made with")
    assert environment.status() is None
    assert environment.buckets() == set()


@on_deployed
def test_the_commands_for_machines(deployed: Environment) -> None:
    command = shlex.join(pulumi_homes.delivery(deployed.workspace.environment, "up", "dev", "--json"))
    up = deployed.workspace.run(["sh", "-c", f"{command} 2>/dev/null"])
    document = json.loads(succeeds(up).output)
    assert document["changes"].keys() <= {"same", "update"}
    outputs = json.loads(succeeds(deployed.delivery("outputs", "--json")).output)
    assert outputs == document["outputs"]
    assert outputs["stackName"] == deployed.root


@on_deployed
@pytest.mark.parametrize(
    ("run", "then"),
    [("pulumi", "todo-series/v2"), ("delivery", "todo-series/v4")],
    indirect=["run"],
    ids=["another version after it", "the same after it"],
)
def test_a_failing_update_rolls_back_says_where_and_why_and_the_next_up_works(
    deployed: Environment, version: Callable[[str], None], run: Callable[[Environment], Run], then: str
) -> None:
    if signs_in(deployed):
        version("todo-series/v1")
        succeeds(plain(deployed)("up"))
    free = take_a_name(deployed)
    version("todo-series/v4")
    failed = run(deployed)("up")
    free()
    fails(failed, "authseriesappauth/UserPoolClientRole (AWS::IAM::Role)", "already exists")
    if run(deployed) == deployed.delivery:
        # While it happens, not only at the end.
        assert "  authseriesappauth/UserPoolClientRole (AWS::IAM::Role) failed after " in failed.output
        assert "  authseriesappauth: updating\n" in failed.output
    assert deployed.status() == "UPDATE_ROLLBACK_COMPLETE"

    version(then)
    succeeds(run(deployed)("up"))
    assert deployed.status() == "UPDATE_COMPLETE"


# --- destroy ------------------------------------------------------------------------------------------------------


@on_deployed
def test_destroy_refuses_while_data_would_be_lost_and_then_leaves_nothing_behind(
    deployed: Environment, version: Callable[[str], None]
) -> None:
    environment, cloudformation, name = deployed, deployed.client("cloudformation"), deployed.root
    if not signs_in(environment):
        version("todo-series/v4")
        succeeds(plain(environment)("up"))
    before = environment.status()

    refused = fails(environment.delivery("destroy"), "apiseriesapp/Todo/TodoTable (AWS::DynamoDB::Table")
    assert "authseriesappauth/UserPool (AWS::Cognito::UserPool" in refused.output
    fails(environment.plain("destroy"), "protect")
    # Whoever agrees to the loss of the data agrees to the end of that protection.
    assert cloudformation.describe_stacks(StackName=name)["Stacks"][0]["EnableTerminationProtection"]
    assert environment.status() == before

    one_that_fails_at_the_staging_bucket(environment)
    succeeds(environment.delivery("destroy"))
    assert environment.buckets() == {f"{name}-deployment"}
    assert environment.client("dynamodb").list_tables()["TableNames"] == []
    assert not signs_in(environment)
    assert "0 resources deleted" in succeeds(environment.delivery("destroy")).output


def one_that_fails_at_the_staging_bucket(environment: Environment) -> None:
    """After it the backend is gone; the next one is let through."""
    s3 = environment.client("s3")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:DeleteBucket", "s3:DeleteBucketPolicy"],
        "Resource": f"arn:aws:s3:::{environment.staging_bucket}",
    }
    s3.put_bucket_policy(
        Bucket=environment.staging_bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    fails(environment.delivery("destroy", "--delete-data"), "AccessDenied")
    assert environment.status() is None

    root = environment.aws.client("s3", environment.aws.root_credentials(environment.account), "eu-central-1")
    root.delete_bucket_policy(Bucket=environment.staging_bucket)
