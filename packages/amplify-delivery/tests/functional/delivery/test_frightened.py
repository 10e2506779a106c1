"""What somebody types after a failure who does not know what has happened: plain `pulumi`, in whatever order, and ours.

In each state nothing is lost that nobody has asked to lose, what protects the root stack stays, and what the messages
print leads out of it. Of an adoption that was killed, `adoption/test_adopt` tells; of a root stack that is stuck,
`test_stack_states`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery_rehearsal.conformance.killing import BEFORE, KillingProxy, Point
from amplify_delivery_rehearsal.workspace import Workspace
from aws_rehearsal.local_aws import Credentials, LocalAws, random_account
from aws_rehearsal.setup import tools
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.stuck_stacks import end_waiting
from functional.delivery.engine.test_killed import CHILD, CREATE, DELETE, NESTED, UPDATE, Killed, small
from functional.delivery.environments import Environment, allow_loss
from functional.delivery.outcomes import fails, succeeds, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("frightened")]

ROOT_STACK = "aws:cloudformation/stack:Stack"
PROTECTED = "because it is protected"


@dataclass
class Frightened:
    """An environment that was delivered, with an item in its table, behind a proxy at which runs are killed."""

    environment: Environment
    runs: Killed

    @property
    def resources(self) -> list[dict[str, Any]]:
        """What the engine's state holds."""
        file = self.environment.state / f".pulumi/stacks/{self.environment.app}/dev.json"
        state = json.loads(file.read_text())["checkpoint"]["latest"]
        return sorted(state["resources"], key=lambda r: str(r["urn"]))

    @property
    def held(self) -> dict[str, tuple[Any, ...]]:
        """Id and protection of each, and its inputs where nothing of it is a secret, which is encrypted anew."""
        secret = "aws:secretsmanager"
        return {
            r["urn"]: (r.get("id"), r.get("protect"), None if secret in r["type"] else r.get("inputs"))
            for r in self.resources
        }

    @property
    def standing(self) -> dict[str, str]:
        """Ids of what a provider has made."""
        return {r["urn"]: r["id"] for r in self.resources if r["custom"] and not r["type"].startswith("pulumi:")}

    @property
    def root(self) -> Any:
        """The root stack, as CloudFormation describes it."""
        return self.environment.client("cloudformation").describe_stacks(StackName=self.environment.root)["Stacks"][0]

    def whole(self) -> None:
        """The data is there, and the state holds the root stack once, protected; nobody holds the environment."""
        client = self.environment.client("dynamodb")
        (table,) = client.list_tables()["TableNames"]
        assert client.scan(TableName=table)["Items"] == [{"id": {"S": "kept"}}]
        (root,) = [r for r in self.resources if r["type"] == ROOT_STACK]
        assert root["protect"]
        assert len({r["urn"] for r in self.resources}) == len(self.resources)
        assert self.environment.buckets() == {
            self.environment.staging_bucket,
            f"{self.environment.root}-deployment",
        }
        assert len(self.environment.client("secretsmanager").list_secrets()["SecretList"]) == 1

    def nothing_to_do(self) -> None:
        assert "nothing to change" in succeeds(self.environment.delivery("plan")).output
        assert (self.environment.locks(), self.environment.leases()) == ([], [])
        self.whole()

    def with_variables(self, **variables: str | None) -> None:
        """Other variables from now on, and without those that are None."""
        before = self.environment.workspace
        kept = {k: v for k, v in before.environment.items() if k not in variables}
        given = {k: v for k, v in variables.items() if v is not None}
        self.environment.workspace = Workspace(before.project, {**kept, **given})

    def profiles(self, folder: Path, **profiles: Credentials) -> None:
        """The configuration of AWS with these profiles, and no other credentials."""
        file = folder / "config"
        lines = [
            f"[profile {name}]\naws_access_key_id={c.access_key_id}\naws_secret_access_key={c.secret_access_key}\n"
            for name, c in profiles.items()
        ]
        file.write_text("".join(lines))
        self.with_variables(AWS_CONFIG_FILE=str(file), AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)


@contextmanager
def begun(local_aws: LocalAws, cache: Path, folder: Path, *, passphrase: bool = True) -> Iterator[Frightened]:
    """With nothing delivered yet."""
    environment = Environment(folder, local_aws, tools(), cache, "todo-series/v1", passphrase=passphrase, killed=True)
    with KillingProxy(local_aws.port or 0) as proxy:
        runs = Killed(environment, proxy, folder / "export", None)
        made = Frightened(environment, runs)
        made.with_variables(AWS_ENDPOINT_URL=proxy.endpoint)
        runs.give("someone")
        runs.take("first")
        yield made


def put_item(environment: Environment) -> None:
    """What `whole` looks for."""
    client = environment.client("dynamodb")
    client.put_item(TableName=client.list_tables()["TableNames"][0], Item={"id": {"S": "kept"}})


@pytest.fixture(scope="module")
def there(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frightened]:
    with begun(local_aws, examined, tmp_path_factory.mktemp("environment"), passphrase=False) as made:
        yield made


@pytest.fixture(scope="module")
def passed(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frightened]:
    """With a passphrase: with a key of the account, that is what others are refused first."""
    with begun(local_aws, examined, tmp_path_factory.mktemp("environment")) as made:
        yield made


@contextmanager
def delivered(made: Frightened) -> Iterator[Frightened]:
    """The first release delivered, if no test before has; and credentials of its account, whatever a test has done."""
    environment = made.environment
    if environment.status() is None:
        made.runs.nothing()
        succeeds(environment.plain("up", "--skip-preview"))
        put_item(environment)
    before = environment.workspace
    made.whole()
    yield made
    environment.workspace = before


@pytest.fixture
def calm(there: Frightened) -> Iterator[Frightened]:
    with delivered(there) as made:
        yield made


@pytest.fixture
def calm_passed(passed: Frightened) -> Iterator[Frightened]:
    with delivered(passed) as made:
        yield made


def test_credentials_of_another_account(calm_passed: Frightened, local_aws: LocalAws) -> None:
    """There a refresh would find nothing, and drop from the state what lives on in the right account."""
    environment, before = calm_passed.environment, calm_passed.held
    stranger = local_aws.make_admin(random_account())
    calm_passed.with_variables(
        AWS_ACCESS_KEY_ID=stranger.access_key_id, AWS_SECRET_ACCESS_KEY=stranger.secret_access_key
    )
    for command in (["refresh"], ["up", "--skip-preview"], ["destroy"]):
        fails(environment.plain(*command), f"AWS account ID not allowed: {stranger.account}")
    for command in (["up"], ["destroy", "--delete-data"]):
        said = fails(environment.delivery(*command), f"belong to account {stranger.account}")
        assert said.exit_code == 3
    assert calm_passed.held == before


def test_a_profile_that_has_another_name_by_now(calm_passed: Frightened, tmp_path: Path) -> None:
    """The engine refreshes with what its state remembers of the last deployment, whatever the stack file says."""
    environment = calm_passed.environment
    calm_passed.profiles(tmp_path, first=environment.admin)
    environment.configure(profile="first")
    succeeds(environment.plain("refresh", "--run-program"))
    calm_passed.profiles(tmp_path, second=environment.admin)
    environment.configure(profile="second")
    fails(environment.plain("up", "--skip-preview"), "failed to get shared config profile, first")
    for command in (["plan"], ["up"], ["destroy", "--delete-data"]):
        said = fails(environment.delivery(*command), "failed to get shared config profile, first")
        assert said.exit_code == 3
        calm_passed.whole()
    printed = re.search(r"`((?:PULUMI_BACKEND_URL=\S+ )?pulumi (refresh [^`]+))`", said.output)
    assert printed
    succeeds(environment.workspace.pulumi(*shlex.split(printed[2])))
    calm_passed.nothing_to_do()
    environment.workspace.succeed("config", "rm", "profile", "-s", "dev")
    calm_passed.with_variables(**local_credentials(environment))
    succeeds(environment.plain("refresh", "--run-program"))


def local_credentials(environment: Environment) -> dict[str, str]:
    admin = environment.admin
    return {"AWS_ACCESS_KEY_ID": admin.access_key_id, "AWS_SECRET_ACCESS_KEY": admin.secret_access_key}


def test_no_protection_by_choice(calm_passed: Frightened) -> None:
    """`protect: false` and `pulumi up` change nothing of the root stack, and let a plain `pulumi destroy` delete it."""
    environment = calm_passed.environment
    environment.configure(protect="false")
    assert "termination protection off" in succeeds(environment.delivery("plan")).output
    succeeds(environment.plain("up", "--skip-preview"))
    assert "nothing to change" in succeeds(environment.delivery("plan")).output
    succeeds(environment.plain("destroy"))
    assert environment.status() is None


def test_a_root_stack_that_the_state_does_not_hold(there: Frightened) -> None:
    """It runs, and needs what stands beside it in the state: templates, code and secrets. A first create was killed,
    and `refresh --clear-pending-creates` has forgotten it; then `pulumi state delete` takes it out."""
    environment = there.environment
    there.runs.nothing()
    there.runs.kill(Point(CREATE), "up")
    wait_until(lambda: environment.status() == "CREATE_COMPLETE")
    put_item(environment)
    succeeds(environment.plain("cancel"))
    succeeds(environment.plain("refresh", "--clear-pending-creates"))
    beside = there.standing
    fails(environment.plain("up", "--skip-preview"), "is there already", "`amplify-delivery plan dev`")
    fails(environment.delivery("plan"), "is there already", "`amplify-delivery adopt dev --state-lost`")
    fails(environment.plain("destroy"), PROTECTED)
    assert there.standing == beside
    program = environment.workspace.project / "__main__.py"
    text = program.read_text()
    program.write_text("import pulumi\n")
    written = fails(environment.delivery("adopt", "--state-lost"), "backend-identity")
    assert written.exit_code == 4  # the stack file, and nothing else
    assert fails(environment.delivery("adopt", "--state-lost"), "backend-identity").exit_code == 3
    program.write_text(text)
    succeeds(environment.delivery("adopt", "--state-lost"))
    (urn,) = there.standing.keys() - beside.keys()
    environment.workspace.succeed("state", "delete", urn, "--force", "-s", "dev", "--yes")
    fails(environment.plain("destroy", "--skip-preview", "--continue-on-error"), PROTECTED)
    succeeds(environment.plain("destroy", "--exclude-protected"))
    assert there.standing == beside
    refused = fails(environment.delivery("destroy", "--delete-data"), "`amplify-delivery adopt dev --state-lost`")
    assert refused.exit_code == 3
    succeeds(environment.delivery("adopt", "--state-lost"))
    succeeds(environment.delivery("up"))
    there.nothing_to_do()


def test_a_pipelines_staging_area_in_place_of_its_own(calm: Frightened) -> None:
    """The program declares none of its own then, and the engine would delete it. A state that an adoption has left, or
    an earlier version, does not remember whose it is; but it holds the area."""
    environment, file = calm.environment, calm.environment.workspace.project / "Pulumi.dev.yaml"
    text, before = file.read_text(), calm.standing
    file.write_text(text.replace("config:\n", f'config:\n  {environment.app}:bootstrapped: "true"\n', 1))
    fails(environment.plain("up", "--skip-preview"), 'staging area (`bootstrapped`) is "its account\'s" now')
    assert calm.standing == before

    forget(environment, "staging-owner")
    fails(environment.plain("up", "--skip-preview"), "this stack holds a staging area of its own")
    calm.whole()
    assert calm.standing == before
    file.write_text(text)
    succeeds(environment.plain("up", "--skip-preview"))
    assert calm.standing == before
    assert [r for r in calm.resources if r["urn"].endswith("::staging-owner")]
    calm.whole()


def forget(environment: Environment, name: str) -> None:
    """Make of the engine's state one that has never held this, nor has anything that depends on it."""
    exported = json.loads(environment.workspace.succeed("stack", "export", "-s", "dev").output)
    resources = exported["deployment"]["resources"]
    (urn,) = [r["urn"] for r in resources if r["urn"].endswith(f"::{name}")]
    exported["deployment"]["resources"] = [
        {**r, "dependencies": [d for d in r.get("dependencies") or () if d != urn]}
        for r in resources
        if r["urn"] != urn
    ]
    file = environment.workspace.project / "earlier.json"
    file.write_text(json.dumps(exported))
    environment.workspace.succeed("stack", "import", "-s", "dev", "--file", str(file))
    file.unlink()


def test_an_update_that_was_killed(calm: Frightened) -> None:
    environment = calm.environment
    calm.runs.take("second")
    calm.runs.kill(Point(UPDATE), "up")
    fails(environment.plain("refresh"), "`pulumi cancel`")
    succeeds(environment.plain("cancel"))
    succeeds(environment.plain("refresh"))
    succeeds(environment.plain("up", "--skip-preview"))
    fails(environment.plain("destroy"), PROTECTED)
    assert "is free" in succeeds(environment.delivery("unlock")).output
    calm.nothing_to_do()


def test_a_destroy_that_was_killed(calm: Frightened) -> None:
    """What it has not come to yet is protected as before, although it was to ignore that."""
    environment = calm.environment
    calm.runs.kill(Point(DELETE, BEFORE), "destroy", "--delete-data")
    cloudformation = environment.client("cloudformation")

    def protected() -> bool:
        return bool(
            cloudformation.describe_stacks(StackName=environment.root)["Stacks"][0]["EnableTerminationProtection"]
        )

    assert not protected()
    assert "its termination protection is on again" in succeeds(environment.delivery("unlock")).output
    assert protected()
    # Who types something else:
    cloudformation.update_termination_protection(StackName=environment.root, EnableTerminationProtection=False)
    fails(environment.plain("destroy"), PROTECTED)
    refused = fails(environment.delivery("destroy"), "this would delete data", "--delete-data")
    assert refused.exit_code == 3
    succeeds(environment.plain("up", "--skip-preview"))
    # Turned off for what was to be deleted: nothing changes of the stack, so a plain `up` does not ask for it.
    assert "termination protection on" in succeeds(environment.delivery("plan")).output
    succeeds(environment.delivery("up"))
    assert calm.root["EnableTerminationProtection"]
    calm.whole()


def test_a_lock_that_is_taken_from_a_run_that_works(calm: Frightened) -> None:
    """`pulumi cancel` asks nobody: what works goes on, and nobody else begins."""
    environment = calm.environment
    export = small(calm.runs.folder, "slow")
    file = export / CHILD
    template = json.loads(file.read_text())
    template["Resources"]["Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    waiting = {"Handle": {"Ref": "Handle"}, "Timeout": "300"}
    template["Resources"]["Wait"] = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": waiting}
    file.write_text(json.dumps(template))
    environment.workspace.put_export(export)
    working = environment.start(*pulumi_homes.delivery(environment.workspace.environment, "up", "dev"))
    wait_until(lambda: environment.status() == "UPDATE_IN_PROGRESS")
    succeeds(environment.plain("cancel"))
    assert environment.locks() == []
    for command in (["up"], ["unlock", "--yes"], ["destroy", "--delete-data"]):
        assert fails(environment.delivery(*command), "another run changes this stack").exit_code == 3
    fails(environment.plain("up", "--skip-preview"), "its state is UPDATE_IN_PROGRESS", "wait until that has ended")
    fails(environment.plain("destroy"), PROTECTED)
    cloudformation = environment.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="UPDATE_IN_PROGRESS"):  # a colleague's push
        cloudformation.update_stack(StackName=environment.root, UsePreviousTemplate=True)
    found = cloudformation.describe_stack_resource(StackName=environment.root, LogicalResourceId=NESTED)
    end_waiting(cloudformation, found["StackResourceDetail"]["PhysicalResourceId"])
    said, _ = working.communicate()
    assert working.returncode == 0, said
    calm.nothing_to_do()


def test_protection_that_was_taken_away(calm: Frightened) -> None:
    """By the command that the engine's refusal prints. CloudFormation keeps the root stack with its data then: the
    provider takes that refusal for success, and the engine forgets what goes on running."""
    environment, before = calm.environment, calm.environment.status()
    fails(environment.plain("destroy"), PROTECTED, "pulumi state unprotect")
    environment.workspace.succeed("state", "unprotect", "--all", "-s", "dev", "--yes")
    succeeds(environment.plain("destroy"))
    assert environment.status() == before
    fails(environment.plain("up", "--skip-preview"), "is there already")
    refused = fails(environment.delivery("destroy", "--delete-data"), "`amplify-delivery adopt dev --state-lost`")
    assert refused.exit_code == 3
    assert environment.status() == before
    succeeds(environment.delivery("adopt", "--state-lost"))
    succeeds(environment.delivery("up"))
    calm.nothing_to_do()


def test_no_protection_where_the_last_data_has_gone(calm: Frightened) -> None:
    """The engine protects nothing then. What CloudFormation went on keeping, a plain `pulumi destroy` would forget."""
    environment = calm.environment
    export = small(calm.runs.folder, "last")
    template = json.loads((export / CHILD).read_text())
    del template["Resources"]["Table"]
    (export / CHILD).write_text(json.dumps(template))
    environment.workspace.put_export(export)
    allow_loss(environment.workspace.project / "Pulumi.dev.yaml", environment.app, [f"{NESTED}/Table"])
    assert "termination protection off" in succeeds(environment.delivery("plan")).output
    succeeds(environment.plain("up", "--skip-preview"))
    assert "nothing to change" in succeeds(environment.delivery("plan")).output
    succeeds(environment.plain("destroy"))
    assert environment.status() is None


def test_a_stack_that_was_removed_by_force_is_made_again_with_its_key(
    local_aws: LocalAws, examined: Path, tmp_path: Path
) -> None:
    """`pulumi stack rm` takes the stack file, too, which git brings back: its secrets can be read afterwards."""
    environment = Environment(tmp_path, local_aws, tools(), examined, "todo-series/v1", killed=True)
    file = environment.workspace.project / "Pulumi.dev.yaml"
    path = ("--path", f"parameters.{NESTED}.Name", "-s", "dev")
    environment.workspace.put_export(small(tmp_path / "export", "first"))
    environment.workspace.succeed("config", "set", "--secret", *path, "someone")
    written = file.read_text()
    assert "encryptedkey: " in written
    environment.workspace.succeed("stack", "rm", "dev", "--yes", "--force")
    assert not file.exists()
    fails(environment.delivery("up"), "`git checkout HEAD -- Pulumi.dev.yaml`")
    file.write_text(written)
    refused = fails(environment.delivery("up"), "`amplify-delivery up dev --create`")
    assert "`pulumi stack init dev`" not in refused.output  # which takes another key
    succeeds(environment.delivery("up", "--create"))
    assert file.read_text() == written
    assert "someone" in environment.workspace.succeed("config", "get", *path).output
