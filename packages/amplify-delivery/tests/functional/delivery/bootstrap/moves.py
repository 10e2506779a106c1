"""What is done to an environment before it moves: into Pulumi Cloud, or with its files into its account."""

from __future__ import annotations

from amplify_delivery_rehearsal.workspace import Workspace
from aws_rehearsal_tests.pulumi_cloud import PulumiCloud
from functional.delivery.environments import Environment
from functional.pipeline_files import write_pipeline


def released(environment: Environment, account_key: str = "") -> None:
    """What docs/how-to.md has one write before its account takes it over. `account_key` are the lines of a key for the
    account's stack, which has a passphrase otherwise."""
    app, place = environment.app, environment.workspace.project
    file = place / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("config:\n", f'config:\n  {app}:bootstrapped: "true"  # kept\n', 1))
    (place / "Pulumi.dev-account.yaml").write_text(f"{account_key}config:\n  {app}:program: account\n")
    write_pipeline(place, app, "dev")


def move_in(environment: Environment, cloud: PulumiCloud) -> None:
    """Log in there, and make the stack: nothing of its file says how it is encrypted, and it has no secrets yet."""
    file = environment.workspace.project / "Pulumi.dev.yaml"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("encryptionsalt:") and "secure:" not in line))
    before = environment.workspace
    kept = {k: v for k, v in before.environment.items() if not k.startswith("PULUMI_CONFIG_PASSPHRASE")}
    environment.workspace = Workspace(before.project, {**kept, **cloud.variables})
    environment.workspace.succeed("stack", "init", "dev")
