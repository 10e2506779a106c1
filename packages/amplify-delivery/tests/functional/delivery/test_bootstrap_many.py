"""`bootstrap --all` with the account's own program on the real engine: beside each other, once, and no engine for what
is unchanged."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery_rehearsal.conformance.failing import FailingProxy
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.local_account import LocalAccount
from unit.places import REPOSITORY
from unit.stacks.projects import APP, TOOLING, make, write

pytestmark = pytest.mark.engine
_CALL = re.compile(r"\b(\w+) (\w+) [\w-]+: \d{3}")


@pytest.fixture
def workspace(tmp_path: Path, developer: LocalAccount) -> Workspace:
    """Two environments of the developer's account, with a stack each, and one of an account that is not hers."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_")) and k != "CI"}
    home = pulumi_homes.warm_home(tmp_path / "home")
    project = tmp_path / "project"
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
    return Workspace(project, {**clean, **home, **developer.environment})


def bootstrap(workspace: Workspace, *arguments: str) -> Finished:
    return workspace.run(pulumi_homes.delivery(workspace.environment, "bootstrap", *arguments))


def test_all_accounts_at_once_and_each_only_once(workspace: Workspace, developer: LocalAccount) -> None:
    # AWS on a bad day: of ten calls of the engines, their providers and ours one is throttled, or its connection reset.
    with FailingProxy(developer.aws.port or 0, every=10) as proxy:
        endpoint = {"AWS_ENDPOINT_URL": proxy.endpoint}
        throttled = Workspace(workspace.project, {**workspace.environment, **endpoint})
        first = bootstrap(throttled, "--all", "--parallel", "2")
        assert len(proxy.failed) > 20
        assert {"iam", "s3", "ssm"} <= {called.partition(":")[0] for called in proxy.failed}
    assert first.exit_code == 4, first.output  # something was changed, and one has failed
    assert f"the credentials belong to account {developer.account}" in first.output
    assert "3 accounts: 0 unchanged, 2 brought up to date, 1 failed, in " in first.output
    assert "`amplify-delivery bootstrap prod2` is the rest" in first.output
    for name in ("preprod", "prod1"):
        assert f"{name}: its state lies in " in first.output
        assert "secretsprovider: awskms://" in (workspace.project / f"Pulumi.{name}.yaml").read_text()

    # Once more, without anything that an engine could be started with: those two are not asked again.
    without_engine = {**workspace.environment, "PULUMI_HOME": str(workspace.project.parent / "no-plugins-here")}
    elsewhere = Workspace(workspace.project, without_engine)
    again = bootstrap(elsewhere, "preprod", "prod1", "--debug")
    assert again.exit_code == 0, again.output
    assert "preprod-account: unchanged" in again.output
    assert "2 accounts: 2 unchanged, 0 brought up to date, 0 failed" in again.output
    assert sorted(_CALL.findall(again.output)) == [("ssm", "GetParameters")] * 2 + [("sts", "GetCallerIdentity")] * 2

    # Broken off after it had begun: whatever was meant then, the engine is asked; also when it was taken back, in
    # another update that broke off.
    names = EnvironmentNames(APP, developer.account, developer.region, "prod1")
    ssm = developer.client("ssm")
    whole = ssm.get_parameter(Name=names.digest_parameter)["Parameter"]["Value"]
    for value in ("another", whole):
        ssm.put_parameter(Name=names.digest_parameter, Value=value, Type="String", Overwrite=True)
        refused = bootstrap(elsewhere, "prod1")
        assert refused.exit_code != 0
    # Another right for one of them: the other one stays unchanged. What was changed by hand is found as well.
    write_more(workspace, "prod1-account", "timeouts", {"deploy": "6h"})
    changed = bootstrap(workspace, "preprod", "prod1", "--json")
    assert changed.exit_code == 0, changed.output
    document = json.loads(changed.output[changed.output.index("{\n") :])
    assert document["unchanged"] == ["preprod-account"]
    assert document["stacks"]["prod1-account"]["update"] >= 2
    begun, done = (ssm.get_parameter(Name=n)["Parameter"] for n in (names.digest_parameter, names.done_parameter))
    assert done["Value"] == f"{begun['Value']}:{begun['Version']}"
    assert begun["Value"] != whole

    # Nobody sees drift without asking for it: with `--refresh` the engine looks, and puts it back.
    preprod = EnvironmentNames(APP, developer.account, developer.region, "preprod")
    ssm.put_parameter(Name=preprod.types_parameter, Value="{}", Type="String", Overwrite=True)
    assert "preprod-account: unchanged" in bootstrap(workspace, "preprod").output
    assert "preprod-account: 1 updated" in bootstrap(workspace, "preprod", "--refresh").output
    assert "preprod-account: unchanged" in bootstrap(elsewhere, "preprod").output


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
