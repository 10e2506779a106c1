"""`bootstrap` that was killed: the same command again takes in what is there, with the account's own program.

What a run of an environment leaves is in `test_killed`; what becomes of each type, in `unit/delivery/test_existing`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery_rehearsal.conformance.killing import KillingProxy, Point, kill_tree, killed
from amplify_delivery_rehearsal.workspace import Workspace
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.local_account import LocalAccount
from unit.places import REPOSITORY
from unit.stacks.projects import APP, make, write

pytestmark = pytest.mark.engine

POINTS = (
    Point("kms:CreateKey"),
    Point("codebuild:CreateProject"),
    Point("ssm:PutParameter", also="bootstrap-version"),
)
"""Answers that were lost. With the first one, of what has no name, several others are under way: buckets, the digest,
a log group."""


@pytest.fixture
def workspace(tmp_path: Path, developer: LocalAccount) -> Workspace:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_")) and k != "CI"}
    home = pulumi_homes.warm_home(tmp_path / "home")
    project = tmp_path / "project"
    project.mkdir()
    make(project, 1)
    shutil.copytree(REPOSITORY / "components", project / "components")
    shutil.copy(REPOSITORY / "__main__.py", project)
    settings = (REPOSITORY / "Pulumi.yaml").read_text().replace("name: seriesapp", f"name: {APP}")
    (project / "Pulumi.yaml").write_text(settings)
    (project / ".venv").symlink_to(REPOSITORY / ".venv")
    place = {"account": developer.account, "region": developer.region, "bootstrapped": "true", "suffix": "a8d04"}
    write(project, "preprod", place)
    return Workspace(project, {**clean, **home, **developer.environment})


def test_the_same_command_again_recovers(workspace: Workspace, developer: LocalAccount) -> None:
    command = pulumi_homes.delivery(workspace.environment, "bootstrap", "preprod")
    server = pulumi_homes.server().pid
    with KillingProxy(developer.aws.port or 0) as proxy:
        through = Workspace(workspace.project, {**workspace.environment, "AWS_ENDPOINT_URL": proxy.endpoint})
        for point in POINTS:
            proxy.arm(point)
            process = subprocess.Popen(
                command,
                cwd=through.project,
                env=dict(through.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,
            )
            try:
                killed(proxy, process, point, 90, server)
            finally:
                kill_tree(process.pid, server)
            proxy.arm(None)
        done = through.run(command)
    assert done.exit_code == 0, done.output
    names = EnvironmentNames(APP, developer.account, developer.region, "preprod")
    kms, ssm = developer.client("kms"), developer.client("ssm")
    keys = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]]
    assert [k["Description"] for k in keys].count(f"State of {names.prefix}") == 1
    begun, ended = (ssm.get_parameter(Name=n)["Parameter"] for n in (names.digest_parameter, names.done_parameter))
    assert ended["Value"] == f"{begun['Value']}:{begun['Version']}"
    again = workspace.run([*command, "--refresh", "--json"])
    assert again.exit_code == 0, again.output
    changes = json.loads(again.output[again.output.index("{\n") :])["stacks"]["preprod-account"]
    assert set(changes) == {"same"}, changes
