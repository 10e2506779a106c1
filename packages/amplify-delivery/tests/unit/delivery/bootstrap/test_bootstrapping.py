"""`amplify-delivery bootstrap`: which stacks it updates, and what it refuses before it touches anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amplify_delivery import cli
from amplify_delivery.commands import bootstrap
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.account.former_names import check_order, next_step
from amplify_delivery.delivery.bootstrap import bootstrapping
from amplify_delivery.delivery.bootstrap.account_stacks import account_stacks
from amplify_delivery.delivery.bootstrap.bootstrapping import Done
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.watch import Watch
from amplify_delivery.delivery.printing.changes import told
from amplify_delivery.errors import ConfigError, DeliveryError, PluginLostError, RefusedError
from amplify_delivery.stacks.config import Project
from unit.stacks.projects import account_of, make, name_of, write

FAR = "arn:aws:iam::999999999999"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """preprod, prod1 and prod2, in an account each."""
    return make(tmp_path_factory.mktemp("project"), 3)


def account_file(directory: Path, **values: Any) -> None:
    write(directory, "preprod-account", {"program": "account", **values})


def bootstrapped(directory: Path, *environments: str) -> list[tuple[str, list[str]]]:
    found = account_stacks(Project(directory), list(environments))
    return [(e.name, [environment.environment for environment in e.environments]) for e in found]


def test_a_stack_for_each_environment_in_the_order_given(directory: Path) -> None:
    assert bootstrapped(directory, "prod1", "preprod", "prod1") == [
        ("prod1-account", ["prod1"]),
        ("preprod-account", ["preprod"]),
    ]


def test_environments_of_one_account_share_a_stack(tmp_path: Path) -> None:
    make(tmp_path, 2)
    for number in range(2):
        same = {"account": account_of(0), "region": "us-east-1", "bootstrapped": "true"}
        write(tmp_path, name_of(number), same)
    account_file(tmp_path, environments=["preprod", "prod1"])
    (tmp_path / "Pulumi.prod1-account.yaml").unlink()
    assert bootstrapped(tmp_path, "prod1", "preprod") == [("preprod-account", ["preprod", "prod1"])]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"roleArn": f"{FAR}:role/admin"}, f"roleArn is of account 999999999999, but preprod lies in {account_of(0)}"),
        ({"rolesBoundary": f"{FAR}:policy/b"}, "rolesBoundary is of account 999999999999"),
        ({"deployPolicies": [f"{FAR}:policy/p"]}, "deployPolicies.0 is of account 999999999999"),
        ({"environments": ["preprod", "prod2"]}, "environments of several accounts"),
        ({"environments": ["prod2"]}, "no account's stack names preprod"),
        ({"pipeline": "other"}, "there is no pipeline 'other'"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    make(tmp_path, 3)
    account_file(tmp_path, **values)
    with pytest.raises(ConfigError) as caught:
        bootstrapped(tmp_path, "preprod")
    assert message in caught.value.message
    assert caught.value.where
    assert caught.value.remedy


def test_policies_of_aws_itself_belong_to_every_account(tmp_path: Path) -> None:
    make(tmp_path, 2)
    account_file(tmp_path, deployPolicies=["arn:aws:iam::aws:policy/AmazonRoute53FullAccess"])
    assert bootstrapped(tmp_path, "preprod") == [("preprod-account", ["preprod"])]


def test_two_stacks_for_one_environment(tmp_path: Path) -> None:
    make(tmp_path, 2)
    write(tmp_path, "second-account", {"program": "account", "environments": ["preprod"]})
    with pytest.raises(ConfigError, match="several accounts' stacks name preprod: preprod-account, second-account"):
        bootstrapped(tmp_path, "preprod")


def test_an_environment_that_makes_its_own_staging_area(tmp_path: Path) -> None:
    make(tmp_path, 2)
    write(tmp_path, "preprod", {"account": account_of(0), "region": "us-east-1"})
    with pytest.raises(ConfigError, match="is not bootstrapped"):
        bootstrapped(tmp_path, "preprod")


def test_an_environment_that_is_not_there(directory: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'preprod'"):
        bootstrapped(directory, "preprd")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"create": 3, "same": 1}, "3 created"), ({"same": 4}, "nothing to change"), ({}, "nothing to change")],
)
def test_changes_are_told_in_words(changes: dict[str, int], words: str) -> None:
    assert told(changes) == words


NAMES = EnvironmentNames("app", "222222222222", "eu-west-1", "prod")
FORMER = EnvironmentNames("app", "222222222222", "eu-west-1", "prod", former=True)


def roles(*names: str) -> list[dict[str, str]]:
    return [{"urn": f"urn:pulumi:prod-account::app::aws-native:iam:Role::{name}"} for name in names]


def test_the_role_by_which_the_pipeline_comes_in_is_not_deleted_before_it_can_have_moved() -> None:
    with pytest.raises(ConfigError, match="comes in through the role app-prod-door") as caught:
        check_order(roles("app-prod-door", "app-prod-deploy"), [NAMES])
    assert "write `enrolled` for `bootstrapped`" in caught.value.remedy


@pytest.mark.parametrize(
    ("made", "names"),
    [
        ((), NAMES),  # the account's first time
        (("app-prod-door",), FORMER),  # gets the new role beside it
        (("app-prod-door", "app-prod-action"), NAMES),  # the last step
        (("app-prod-action",), NAMES),
        (("app-qa-door",), NAMES),
    ],
)
def test_in_the_order_that_is_told_nothing_is_in_the_way(made: tuple[str, ...], names: EnvironmentNames) -> None:
    check_order(roles(*made), [names])


def test_the_next_step_is_told_with_what_is_deleted_last() -> None:
    told = next_step(FORMER, "pipeline")
    assert "Write `bootstrapped` for `enrolled` in Pulumi.prod.yaml" in told
    assert "`pulumi up -s pipeline`" in told
    assert "`amplify-delivery bootstrap prod` deletes the role app-prod-door" in told


class Breaking:
    """An engine whose first updates fail; the last one does the rest."""

    def __init__(self, *failures: DeliveryError) -> None:
        self.failures = list(failures)

    def up(self) -> Watch:
        if self.failures:
            raise self.failures.pop(0)
        return Watch(changes={"create": 3, "same": 40})


def test_what_several_tries_have_done_is_told_together() -> None:
    tried, engine = bootstrapping._Tried(), Breaking()
    tried.update(engine)  # type: ignore[arg-type]
    tried.made.append("prod")
    # After that AWS has throttled the stamp, and all came again.
    tried.update(engine)  # type: ignore[arg-type]
    done = tried.done("prod-account", ["a note"])
    assert done == Done({"create": 6, "same": 40}, ("prod",), ("a note",))


def test_what_a_try_that_broke_off_has_changed_is_not_passed_over() -> None:
    refused, lost = RefusedError("Rate exceeded"), PluginLostError("the provider has ended")
    tried, engine = bootstrapping._Tried(), Breaking(refused, lost)
    lost.changed = True
    for _ in range(2):
        with pytest.raises(DeliveryError):
            tried.update(engine)  # type: ignore[arg-type]
    assert tried.changed
    tried.update(engine)  # type: ignore[arg-type]
    done = tried.done("prod-account", [])
    assert done.changes == {"create": 3, "same": 40}
    assert done.notes == ("prod-account: a try that failed on the way has changed something too, which is not counted",)


def test_what_fails_after_the_update_is_no_refusal_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stamp:
        def __init__(self, *_: object) -> None: ...

        def says(self, _: str) -> bool:
            return False

        def end(self, _: str) -> None:
            raise RefusedError("not allowed: ssm:PutParameter; nothing was changed")

    def update(_: object, *arguments: Any) -> None:
        arguments[-1].update(Breaking())

    monkeypatch.setattr(bootstrapping, "Account", lambda *_: object())
    monkeypatch.setattr(bootstrapping, "Stamp", Stamp)
    monkeypatch.setattr(bootstrapping.StackUpdater, "_update", update)
    monkeypatch.setattr(bootstrapping.StackUpdater, "_digest", lambda *_: "digest")
    context = Context(make(tmp_path, 2), {})
    done = bootstrapping.bootstrap(account_stacks(context.project, ["prod1"]), context, print, parallel=1)
    assert done.failed["prod1-account"].changed


def test_an_account_that_nothing_was_done_to_is_unchanged() -> None:
    assert bootstrapping._Tried().done("prod-account", []) == Done()


@pytest.mark.parametrize(
    ("number", "arguments", "rest"),
    [(3, "--all", "prod1 prod2"), (3, "prod1 prod2", "prod1 prod2"), (30, "--all --refresh", "--all --refresh")],
)
def test_what_failed_is_told_by_its_stack_and_how_the_rest_is_done(
    number: int, arguments: str, rest: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue("tmp_path")
    capsys: pytest.CaptureFixture[str] = request.getfixturevalue("capsys")

    def bring(_: object, name: str, __: object) -> Done:
        if name == "preprod-account":
            return Done({"create": 46})
        raise RefusedError("Unable to locate credentials\nreally", where="account 111122223333")

    monkeypatch.setattr(bootstrapping.StackUpdater, "bring", bring)
    context = Context(make(folder, number), {})
    assert bootstrap.run(cli.parser("bootstrap").parse_args(["bootstrap", *arguments.split()]), context) in (3, 4)
    said = capsys.readouterr()
    assert "prod2-account: failed: Unable to locate credentials\n" in said.out
    assert f"`amplify-delivery bootstrap {rest}` is the rest" in said.err
