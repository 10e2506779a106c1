"""`bootstrap` that was killed: the same command again takes in what is there, with the account's own program.

What a run of an environment leaves is in `test_killed`; what becomes of each type, in
`unit/delivery/engine/killed/test_existing`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
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

POINTS = (Point("kms:CreateKey"), Point("codebuild:CreateProject"))
"""Answers that were lost. With the first one, of what has no name, several others are under way: buckets, the digest,
a log group."""
PROVIDERS = Point("ssm:PutParameter", also="bootstrap-version")
"""There the engine lives on, and loses its providers."""


@pytest.fixture
def workspace(tmp_path: Path, developer: LocalAccount) -> Workspace:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_")) and k != "CI"}
    home = {**pulumi_homes.warm_home(tmp_path / "home"), **pulumi_homes.UNHEARD}
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
            process = begin(command, through)
            try:
                killed(proxy, process, point, 90, server)
            finally:
                kill_tree(process.pid, server)
            proxy.arm(None)
        said, code = without_providers(proxy, command, through)
    # The account is begun once more by itself, and what the lost plugin was making is in the state by then.
    assert code == 0, said
    assert "preprod-bootstrap-version (aws:ssm/parameter:Parameter): it was made before its plugin ended" in said
    assert "[0/1] preprod-account: a plugin of the engine has ended: try 2 in " in said
    names = EnvironmentNames(APP, developer.account, developer.region, "preprod")
    kms, ssm = developer.client("kms"), developer.client("ssm")
    keys = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]]
    assert [k["Description"] for k in keys].count(f"State of {names.prefix}") == 1
    begun, ended = (ssm.get_parameter(Name=n)["Parameter"] for n in (names.digest_parameter, names.done_parameter))
    assert ended["Value"] == f"{begun['Value']}:{begun['Version']}"
    calm = Workspace(workspace.project, {**workspace.environment, **pulumi_homes.SAVED_ONCE})
    again = calm.run([*command, "--refresh", "--json"])
    assert again.exit_code == 0, again.output
    changes = json.loads(again.output[again.output.index("{\n") :])["stacks"]["preprod-account"]
    assert set(changes) == {"same"}, changes


def begin(command: Sequence[str], workspace: Workspace) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=workspace.project,
        env=dict(workspace.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def without_providers(proxy: KillingProxy, command: Sequence[str], workspace: Workspace) -> tuple[str, int]:
    """Run it, and kill the engine's providers at `PROVIDERS`, as a machine does that is short of memory; what it said,
    and its exit code."""
    proxy.arm(PROVIDERS)
    nobody = subprocess.Popen(["sleep", "300"])
    process = begin(command, workspace)
    try:
        proxy.kills(nobody.pid)
        assert proxy.reached.wait(300)
        for pid in providers(workspace.environment["PULUMI_HOME"]):
            with contextlib.suppress(ProcessLookupError):  # the engine may end the others once one has gone
                os.kill(pid, signal.SIGKILL)
        proxy.arm(None)
        said, _ = process.communicate()
    finally:
        kill_tree(process.pid)
        nobody.kill()
        nobody.wait()
    return said, process.returncode


def providers(home: str) -> list[int]:
    """What the engine has started as such: the launchers, with which the providers end."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes()
        except OSError:
            continue
        if home.encode() in words and b"from aws_rehearsal.providers." in words:
            found.append(int(file.parent.name))
    return found
