"""`bootstrap` and `update-pipeline` on the real engine, over the stack files of a pipeline and small programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal_tests import pulumi_homes
from aws_rehearsal_tests.initialised_stacks import Key
from aws_rehearsal_tests.local_account import LocalAccount
from functional import here
from unit.command_line import ROOT
from unit.stacks.projects import APP, TOOLING, make, write

pytestmark = pytest.mark.engine


@pytest.fixture
def workspace(tmp_path: Path, developer: LocalAccount) -> Workspace:
    """A project whose pipeline delivers the environment `preprod` to the developer's account."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    home = pulumi_homes.warm_home(tmp_path / "home")
    project = tmp_path / "project"
    project.mkdir()
    make(project, 1)
    with (project / "Pulumi.yaml").open("a") as file:
        file.write("options:\n  refresh: always\n")
    environment = {"account": developer.account, "region": developer.region, "bootstrapped": "true", "suffix": "a8d04"}
    write(project, "preprod", environment)
    return Workspace(project, {**clean, **home, **developer.environment})


def program(workspace: Workspace, digest: str, *, source: bool = False) -> None:
    """A program with one resource and an output; with `source` it says what it was made from, as the real one does."""
    lines = ["import pulumi", f"pulumi.Stash('x', input={digest!r})", f"pulumi.export('definitionDigest', {digest!r})"]
    if source:
        lines += [
            f"import pathlib, sys; sys.path.append({str(ROOT)!r})",
            "from amplify_delivery.stacks.sources import source_digest",
        ]
        lines.append("pulumi.export('sourceDigest', source_digest(pathlib.Path(pulumi.get_root_directory())))")
    (workspace.project / "__main__.py").write_text("\n".join(lines))
    # Python knows byte code by its source's second and size, and the next program may be as long and as old.
    shutil.rmtree(workspace.project / "__pycache__", ignore_errors=True)


def init(workspace: Workspace, developer: LocalAccount) -> None:
    """The pipeline's stack. Of a passphrase the engine would derive a key in each of its operations."""
    key = Key.make(developer.client("kms"))
    workspace.succeed("stack", "init", "pipeline", f"--secrets-provider={key.provider}")


def delivery(workspace: Workspace, *arguments: str) -> Finished:
    return here.delivery(workspace, *arguments)


def succeeds(finished: Finished) -> str:
    assert finished.exit_code == 0, finished.output
    return finished.output


def test_bootstrap_makes_the_stack_and_is_done_once(workspace: Workspace, developer: LocalAccount) -> None:
    names = EnvironmentNames(APP, developer.account, developer.region, "preprod")
    # What the account's own program makes too, and all that matters here: where the environment's state lies.
    lines = (
        "import pulumi_aws as aws",
        f"aws.s3.Bucket('state', bucket={names.state_bucket!r}, bucket_namespace='account-regional')",
        f"aws.kms.Alias('state', name={names.state_key_alias!r}, target_key_id=aws.kms.Key('state').key_id)",
    )
    (workspace.project / "__main__.py").write_text("\n".join(lines))
    said = succeeds(delivery(workspace, "bootstrap", "preprod"))
    assert "preprod-account: 4 created\n" in said
    assert said.endswith(f"preprod: its state lies in {names.state_bucket}; commit Pulumi.preprod.yaml\n")
    written = (workspace.project / "Pulumi.preprod.yaml").read_text()
    assert f"secretsprovider: {names.secrets_provider}\n" in written
    assert "\nencryptedkey: " in written
    assert succeeds(delivery(workspace, "bootstrap", "preprod")).endswith("preprod-account: nothing to change\n")
    assert (workspace.project / "Pulumi.preprod.yaml").read_text() == written

    # Every build begins with a fresh checkout: what is in git no more would be another key.
    (workspace.project / "Pulumi.preprod.yaml").write_text(written.partition("secretsprovider:")[0])
    lost = delivery(workspace, "bootstrap", "preprod")
    assert lost.exit_code == 3
    assert "restore `secretsprovider` and `encryptedkey` from git" in lost.output


def test_bootstrap_with_credentials_of_another_account_makes_nothing(workspace: Workspace) -> None:
    write(workspace.project, "preprod", {"account": TOOLING, "region": "us-east-1", "bootstrapped": "true"})
    done = delivery(workspace, "bootstrap", "preprod")
    assert done.exit_code == 3
    assert f"not to {TOOLING}" in done.output
    assert not list(workspace.project.parent.glob("**/preprod-account.json"))


def test_update_pipeline_updates_what_differs_and_only_that(workspace: Workspace, developer: LocalAccount) -> None:
    program(workspace, "a")
    init(workspace, developer)
    workspace.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    assert succeeds(delivery(workspace, "update-pipeline")) == "pipeline: nothing to change\n"
    program(workspace, "b")
    assert succeeds(delivery(workspace, "update-pipeline")).endswith("pipeline: 1 updated\n")


def test_update_pipeline_asks_no_engine_while_the_program_is_the_one_applied(
    workspace: Workspace, developer: LocalAccount
) -> None:
    program(workspace, "a", source=True)
    init(workspace, developer)
    workspace.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    (workspace.project / "notes.txt").write_text("nobody reads this")
    # An engine would run the program, and the program could not be run.
    without_program = {**workspace.environment, "PULUMI_HOME": str(workspace.project.parent / "no-plugins-here")}
    elsewhere = Workspace(workspace.project, without_program)
    assert succeeds(delivery(elsewhere, "update-pipeline")) == "pipeline: nothing to change\n"
    # Whatever the program reads counts, also what changes no resource: it is applied, so that the next time is short.
    (workspace.project / "Pulumi.preprod.yaml").open("a").write("# a word\n")
    assert delivery(elsewhere, "update-pipeline").exit_code == 3
    assert succeeds(delivery(workspace, "update-pipeline")).endswith("pipeline: outputs updated\n")
    assert succeeds(delivery(elsewhere, "update-pipeline")) == "pipeline: nothing to change\n"


def test_update_pipeline_does_not_take_a_failed_update_for_one_that_was_applied(
    workspace: Workspace, developer: LocalAccount
) -> None:
    """Its outputs are kept: the program has told them before it failed."""
    program(workspace, "a", source=True)
    with (workspace.project / "__main__.py").open("a") as file:
        file.write("\nif not pulumi.runtime.is_dry_run():\n    raise pulumi.RunError('not so')\n")
    init(workspace, developer)
    for _ in range(2):
        done = delivery(workspace, "update-pipeline")
        assert done.exit_code == 3  # the stack alone is the engine's own
        assert "not so" in done.output


def test_update_pipeline_waits_for_the_lock_of_one_that_was_abandoned(
    workspace: Workspace, developer: LocalAccount
) -> None:
    program(workspace, "a")
    init(workspace, developer)
    workspace.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    program(workspace, "b")
    state = Path(workspace.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
    lock = state / ".pulumi" / "locks" / "organization" / APP / "pipeline" / "0123.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 7, "username": "root", "hostname": "build", "timestamp": "2026-11-29T09:00:00Z"}')
    refused = delivery(workspace, "update-pipeline")
    assert refused.exit_code == 3
    assert "another update of this stack is running" in refused.output

    waits = pulumi_homes.delivery(workspace.environment, "update-pipeline", "--wait", "5")
    told: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    said = ""
    with subprocess.Popen(waits, cwd=workspace.project, env=dict(workspace.environment), **told) as running:
        assert running.stdout
        for line in running.stdout:
            said += line
            if "waiting until that has ended" in line:
                lock.unlink()
    assert running.returncode == 0, said
    assert re.search(r"process 7 of root on build[^\n]*: waiting until that has ended, 5 minutes at most", said)
    assert said.endswith("pipeline: 1 updated\n")


FAILING = """
import pulumi, pulumi_aws as aws
where = aws.Provider("where", region={region!r})
pipeline = aws.s3.Bucket("pipeline", bucket={bucket!r}, opts=pulumi.ResourceOptions(provider=where))
pulumi.export("pipeline", pipeline.bucket)
pulumi.export("definitionDigest", {digest!r})
"""


def test_an_update_that_was_refused_has_not_told_that_its_definition_is_applied(
    workspace: Workspace, developer: LocalAccount
) -> None:
    """Else the retry, once the account lets the pipeline in, would be taken for a loop."""
    name = f"pipeline-{developer.account}"
    file = workspace.project / "__main__.py"
    file.write_text(FAILING.format(region=developer.region, bucket=name, digest="a"))
    init(workspace, developer)
    workspace.succeed("up", "-s", "pipeline", "--yes", "--skip-preview")
    file.write_text(FAILING.format(region=developer.region, bucket="No Such Name", digest="b"))
    assert delivery(workspace, "update-pipeline").exit_code == 4
    assert workspace.succeed("stack", "output", "definitionDigest", "-s", "pipeline").output.strip() == "a"
