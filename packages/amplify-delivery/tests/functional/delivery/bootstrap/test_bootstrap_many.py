"""`bootstrap --all` with the account's own program on the real engine: beside each other, once, and no engine for what
is unchanged."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery_rehearsal.conformance.failing import FailingProxy
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.local_account import LocalAccount
from functional import here
from unit.places import REPOSITORY
from unit.stacks.projects import APP, TOOLING, make, write

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("bootstrap-many")]
_CALL = re.compile(r"\b(\w+) (\w+) [\w-]+: \d{3}")


@dataclass(frozen=True)
class Life:
    """What was told and written, one after the other, in accounts that were bootstrapped once by the real engine."""

    account: str
    failed: Sequence[str]
    """Calls that were throttled or cut while they were bootstrapped, as `SERVICE:CALL`."""
    first: Finished
    files: Mapping[str, str]
    """The environments' stack files after that, by environment."""
    again: Finished
    """Without anything that an engine could be started with."""
    broken_off: Sequence[Finished]
    """Likewise, where an update had begun to make another thing, and the same one, and had broken off."""
    changed: Finished
    """Another right for one of them."""
    whole: str
    """The digest that was written down before that."""
    begun: Mapping[str, Any]
    done: Mapping[str, Any]
    """The parameters that say what was begun and what was done, after it."""
    drifted: Finished
    """After a change by hand; and with `--refresh`; and without an engine again."""
    refreshed: Finished
    after: Finished


@pytest.fixture(scope="module")
def developer(local_aws: LocalAws) -> LocalAccount:
    account = random_account()
    return LocalAccount(local_aws, account, local_aws.make_admin(account))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, developer: LocalAccount) -> Workspace:
    """Two environments of the developer's account, with a stack each, and one of an account that is not hers."""
    folder = tmp_path_factory.mktemp("bootstrap-many")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_")) and k != "CI"}
    home = pulumi_homes.warm_home(folder / "home")
    project = folder / "project"
    project.mkdir()
    make(project, 3)
    shutil.copytree(REPOSITORY / "components", project / "components")
    shutil.copy(REPOSITORY / "__main__.py", project)
    settings = (REPOSITORY / "Pulumi.yaml").read_text().replace("name: seriesapp", f"name: {APP}")
    (project / "Pulumi.yaml").write_text(settings)
    (project / ".venv").symlink_to(REPOSITORY / ".venv")
    for name, account in (("preprod", developer.account), ("prod1", developer.account), ("prod2", TOOLING)):
        place = {"account": account, "region": developer.region, "bootstrapped": "true", "suffix": "a8d04"}
        write(project, name, place)
    home |= {**pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD}
    return Workspace(project, {**clean, **home, **developer.environment})


def bootstrap(workspace: Workspace, *arguments: str) -> Finished:
    return here.delivery(workspace, "bootstrap", *arguments)


@pytest.fixture(scope="module")
def life(workspace: Workspace, developer: LocalAccount) -> Life:
    """All of it is lived once: bootstrapping takes longest."""
    # AWS on a bad day: of ten calls of the engines, their providers and ours one is throttled, or its connection reset.
    with FailingProxy(developer.aws.port or 0, every=10) as proxy:
        endpoint = {"AWS_ENDPOINT_URL": proxy.endpoint}
        throttled = Workspace(workspace.project, {**workspace.environment, **endpoint})
        first = bootstrap(throttled, "--all", "--parallel", "2")
    files = {name: (workspace.project / f"Pulumi.{name}.yaml").read_text() for name in ("preprod", "prod1")}

    empty = workspace.project.parent / "no-plugins-here"
    empty.mkdir()
    elsewhere = Workspace(workspace.project, {**workspace.environment, "PULUMI_HOME": str(empty)})
    again = bootstrap(elsewhere, "preprod", "prod1", "--debug")

    names = EnvironmentNames(APP, developer.account, developer.region, "prod1")
    ssm, broken_off = developer.client("ssm"), []
    whole = ssm.get_parameter(Name=names.digest_parameter)["Parameter"]["Value"]
    for value in ("another", whole):
        ssm.put_parameter(Name=names.digest_parameter, Value=value, Type="String", Overwrite=True)
        broken_off.append(bootstrap(elsewhere, "prod1"))

    write_more(workspace, "prod1-account", "timeouts", {"deploy": "6h"})
    changed = bootstrap(workspace, "preprod", "prod1", "--json")
    begun, done = (ssm.get_parameter(Name=n)["Parameter"] for n in (names.digest_parameter, names.done_parameter))

    preprod = EnvironmentNames(APP, developer.account, developer.region, "preprod")
    ssm.put_parameter(Name=preprod.types_parameter, Value="{}", Type="String", Overwrite=True)
    drifted, refreshed = bootstrap(workspace, "preprod"), bootstrap(workspace, "preprod", "--refresh")
    after = bootstrap(elsewhere, "preprod")
    return Life(
        developer.account, tuple(proxy.failed), first, files, again, broken_off, changed, whole, begun, done,
        drifted, refreshed, after,
    )  # fmt: skip


def test_all_accounts_are_bootstrapped_at_once_on_a_bad_day(life: Life) -> None:
    assert len(life.failed) > 20
    assert {"iam", "s3", "ssm"} <= {called.partition(":")[0] for called in life.failed}
    assert "3 accounts: 0 unchanged, 2 brought up to date, 1 failed, in " in life.first.output
    for name in ("preprod", "prod1"):
        assert f"{name}: its state lies in " in life.first.output
        assert "secretsprovider: awskms://" in life.files[name]


def test_one_that_fails_is_told_with_the_rest(life: Life) -> None:
    assert life.first.exit_code == 4, life.first.output  # something was changed, and one has failed
    assert f"the credentials belong to account {life.account}" in life.first.output
    assert "`amplify-delivery bootstrap prod2` is the rest" in life.first.output


def test_what_is_unchanged_is_known_without_an_engine(life: Life) -> None:
    assert life.again.exit_code == 0, life.again.output
    assert "preprod-account: unchanged" in life.again.output
    assert "2 accounts: 2 unchanged, 0 brought up to date, 0 failed" in life.again.output
    called = sorted(_CALL.findall(life.again.output))
    assert called == [("ssm", "GetParameters")] * 2 + [("sts", "GetCallerIdentity")] * 2


def test_after_an_update_that_broke_off_the_engine_is_asked(life: Life) -> None:
    """Whatever was meant then; also when it was taken back, in another update that broke off."""
    assert [finished.exit_code == 0 for finished in life.broken_off] == [False, False]


def test_another_right_for_one_leaves_the_other_unchanged(life: Life) -> None:
    assert life.changed.exit_code == 0, life.changed.output
    document = json.loads(life.changed.output[life.changed.output.index("{\n") :])
    assert document["unchanged"] == ["preprod-account"]
    assert document["stacks"]["prod1-account"]["update"] >= 2


def test_what_was_done_names_the_version_of_what_was_begun(life: Life) -> None:
    assert life.done["Value"] == f"{life.begun['Value']}:{life.begun['Version']}"
    assert life.begun["Value"] != life.whole


def test_drift_is_seen_by_whoever_asks_for_it(life: Life) -> None:
    assert "preprod-account: unchanged" in life.drifted.output
    assert "preprod-account: 1 updated" in life.refreshed.output
    assert "preprod-account: unchanged" in life.after.output


def write_more(workspace: Workspace, stack: str, key: str, value: object) -> None:
    """The engine has written into the file: the rest of it stays."""
    file = workspace.project / f"Pulumi.{stack}.yaml"
    lines = file.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("config:"))
    lines.insert(at + 1, f"  {APP}:{key}: {json.dumps(value)}")
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "which environments?"),
        (("--all", "preprod"), "`--all` and names of environments exclude each other"),
        (("--all", "--parallel", "0"), "a number from 1 to 64"),
    ],
)
def test_what_cannot_be_meant(workspace: Workspace, arguments: tuple[str, ...], says: str) -> None:
    done = bootstrap(workspace, *arguments)
    assert done.exit_code in (2, 3)
    assert says in done.output
