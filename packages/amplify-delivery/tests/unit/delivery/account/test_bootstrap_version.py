"""What an account has been prepared for is asked before anything is changed, by every command that reaches it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.account.bootstrap_version import check, judged
from amplify_delivery.errors import RefusedError
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from aws_rehearsal_tests.local_account import LocalAccount
from unit.command_line import ROOT, Ran, delivery
from unit.stacks.projects import APP, HOME, make, write

CONFIG = EnvironmentConfig(account="222222222222", region=HOME, environment="prod", bootstrapped=True)
STEP = ("step", "prod", "smoke")
COMMANDS = (("publish", "prod"), ("plan", "prod"), ("deploy", "prod", "--plan", "0" * 64), ("up", "prod"), STEP)


@pytest.fixture
def folder(tmp_path: Path, developer: LocalAccount) -> Path:
    """A project whose pipeline delivers `prod` to the developer's account."""
    steps = [{"name": "smoke", "commands": ["touch ran"]}]
    make(tmp_path, 0, stages=[{"name": "Prod", "post": steps}])
    place = {"account": developer.account, "region": developer.region, "suffix": "a8d04"}
    write(tmp_path, "prod", {**place, "bootstrapped": "true"})
    write(tmp_path, "prod-accounts", {"program": "account", "environments": ["prod"]})
    return tmp_path


def run(folder: Path, account: LocalAccount, *command: str) -> Ran:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    # Without the engine: nothing of it is needed to refuse.
    path = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    return delivery(*command, cwd=folder, env={**clean, **account.environment, **path})


def write_version(account: LocalAccount, version: int) -> None:
    names = EnvironmentNames(APP, account.account, account.region, "prod")
    account.client("ssm").put_parameter(Name=names.version_parameter, Value=str(version), Type="String", Overwrite=True)


def nothing_changed(folder: Path, account: LocalAccount) -> bool:
    there = account.client("cloudformation").list_stacks()["StackSummaries"]
    return not there and not (folder / "ran").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_account_that_is_not_bootstrapped(folder: Path, developer: LocalAccount, command: tuple[str, ...]) -> None:
    ran = run(folder, developer, *command)
    assert ran.code == 3
    assert f"prod (account {developer.account}, {developer.region}): the environment is not bootstrapped" in ran.err
    assert f"an administrator of account {developer.account} runs `pulumi up -s prod-accounts`" in ran.err
    assert "amplify-delivery bootstrap prod" in ran.err
    assert nothing_changed(folder, developer)


def test_a_step_runs_in_an_account_of_this_version_and_of_no_other(folder: Path, developer: LocalAccount) -> None:
    write_version(developer, ACCOUNT_VERSION + 1)
    ran = run(folder, developer, *STEP)
    assert ran.code == 3
    assert (
        f"bootstrapped with version {ACCOUNT_VERSION + 1}, and this program knows none after {ACCOUNT_VERSION}"
        in ran.err
    )
    assert nothing_changed(folder, developer)
    write_version(developer, ACCOUNT_VERSION)
    assert run(folder, developer, *STEP).code == 0
    assert (folder / "ran").is_file()


def test_an_environment_that_is_not_bootstrapped_has_no_bootstrap_version(
    folder: Path, developer: LocalAccount
) -> None:
    file = folder / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace("bootstrapped: 'true'", "bootstrapped: 'false'"))
    assert run(folder, developer, *STEP).code == 0


@pytest.mark.parametrize(
    ("value", "message", "remedy"),
    [
        (None, "is not bootstrapped", "`pulumi up -s prod-account`"),
        ("one", "is 'one', which is not a version", "`pulumi up -s prod-account`"),
        (
            str(ACCOUNT_VERSION - 1),
            f"{ACCOUNT_VERSION - 1}, and this program needs {ACCOUNT_VERSION}",
            "bootstrap prod",
        ),
        (
            str(ACCOUNT_VERSION + 1),
            f"{ACCOUNT_VERSION + 1}, and this program knows none after {ACCOUNT_VERSION}",
            "update the program",
        ),
    ],
)
def test_what_is_said_of_a_bootstrap_version(value: str | None, message: str, remedy: str) -> None:
    refusal = judged(value, CONFIG, "prod-account")
    assert refusal is not None
    assert message in refusal.message
    assert remedy in refusal.remedy
    assert "nothing was changed" in refusal.remedy


def test_the_version_of_this_program_is_accepted() -> None:
    assert judged(str(ACCOUNT_VERSION), CONFIG, "prod-account") is None


class Parameters:
    """An account whose roles may read these parameters; every other one is denied, as AWS does it."""

    def __init__(self, **values: str) -> None:
        self.values = {
            f"/amplify-delivery/{APP}/prod/{name.replace('_', '-')}": value for name, value in values.items()
        }

    def parameter(self, name: str) -> str | None:
        if name not in self.values:
            raise RefusedError("AccessDeniedException", where="account", remedy="check the rights")
        return self.values[name]


def checked(folder: Path, config: EnvironmentConfig = CONFIG, **values: str) -> None:
    check(config, Project(folder), cast(Account, Parameters(**values)))


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_an_account_of_before_has_the_former_parameter_and_no_right_to_read_the_new_one(
    tmp_path: Path, version: str
) -> None:
    make(tmp_path, 0)
    with pytest.raises(RefusedError, match=f"with version {version}, under the names used before version 3") as caught:
        checked(tmp_path, version=version)
    assert "amplify-delivery bootstrap prod" in caught.value.remedy


def test_an_account_with_both_names_is_accepted_and_the_former_key_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, 0)
    checked(tmp_path, version="3", bootstrap_version="3")
    assert capsys.readouterr().err == ""
    checked(tmp_path, CONFIG.model_copy(update={"enrolled": True}), version="3", bootstrap_version="3")
    assert "`enrolled` is the former name of `bootstrapped`" in capsys.readouterr().err


def test_a_right_that_is_missing_is_told_as_it_is(tmp_path: Path) -> None:
    make(tmp_path, 0)
    with pytest.raises(RefusedError, match="AccessDenied"):
        checked(tmp_path)
