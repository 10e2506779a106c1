"""What an account says of itself: when it counts as made, and when it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from amplify_delivery.components.documents.naming import NOT_YET, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account, Parameter
from amplify_delivery.delivery.bootstrap.stamp import Place, Stamp

PROD = EnvironmentNames("app", "222222222222", "eu-west-1", "prod")
QA = EnvironmentNames("app", "222222222222", "eu-west-1", "qa")


@dataclass
class Parameters:
    """Parameters of an account, and the calls for them."""

    values: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    def parameters(self, names: Sequence[str]) -> dict[str, Parameter]:
        self.calls.append("GetParameters")
        return {n: Parameter(self.values[n], self.versions.get(n, 1)) for n in names if n in self.values}

    def write(self, name: str, value: str) -> None:
        """As the engine does, when the value changes."""
        if self.values.get(name) != value:
            self.values[name], self.versions[name] = value, self.versions.get(name, 0) + 1

    @contextmanager
    def changing(self, _: str) -> Iterator[None]:
        yield

    def client(self, _: str) -> Parameters:
        return self

    def put_parameter(self, Name: str, Value: str, **_: Any) -> None:  # noqa: N803 - boto3's
        self.calls.append("PutParameter")
        self.values[Name] = Value


def stamp(account: Parameters, *names: EnvironmentNames) -> Stamp:
    return Stamp([Place(n, cast("Account", account)) for n in names or (PROD,)])


def made(digest: str, done: str | None = None, *names: EnvironmentNames) -> dict[str, str]:
    return {
        key: value
        for n in names or (PROD,)
        for key, value in ((n.digest_parameter, digest), (n.done_parameter, done or f"{digest}:1"))
    }


def test_what_was_made_to_the_end_is_told_by_one_call() -> None:
    account = Parameters(made("new", None, PROD, QA))
    assert stamp(account, PROD, QA).says("new")
    assert account.calls == ["GetParameters"]


@pytest.mark.parametrize(
    "values",
    [
        {},  # never bootstrapped, or by an earlier version
        made("old"),
        made("new", "new"),  # by an earlier version, which named no version
        made("new", "new:2"),  # of another life of the stack
        made("new", "old:1"),  # a plain `pulumi up`, which may have ended well or not
        made("old", "new:1"),  # the same with what was taken back in git
        made("new", NOT_YET),  # broken off
        {PROD.done_parameter: "new:1"},  # taken down
    ],
)
def test_what_is_not_made_to_the_end_is_not_unchanged(values: dict[str, str]) -> None:
    assert not stamp(Parameters(values)).says("new")


def test_two_plain_updates_that_broke_off_leave_nothing_that_counts_as_made() -> None:
    """Files were changed, and taken back in git: the digest is the old one again, what is there is half of each."""
    account = Parameters()
    account.write(PROD.digest_parameter, "old")
    account.write(PROD.done_parameter, NOT_YET)
    assert stamp(account).end("old")
    assert stamp(account).says("old")
    account.write(PROD.digest_parameter, "new")  # `pulumi up`, which breaks off
    assert not stamp(account).says("new")
    account.write(PROD.digest_parameter, "old")  # and again
    assert not stamp(account).says("old")
    assert stamp(account).end("old")
    assert stamp(account).says("old")


def test_one_place_that_is_not_made_is_enough() -> None:
    assert not stamp(Parameters({**made("new"), **made("new", NOT_YET, QA)}), PROD, QA).says("new")


def test_from_its_begin_to_its_end_nothing_counts_as_made() -> None:
    account = Parameters(made("old"))
    found = stamp(account)
    found.begin()
    assert not stamp(account).says("old")  # killed here, and taken back in git
    account.write(PROD.digest_parameter, "new")  # the engine
    assert not stamp(account).says("new")
    assert found.end("new")
    assert stamp(account).says("new")


def test_a_first_time_writes_nothing_beforehand() -> None:
    """The parameter is the stack's: it would fail to make one that is there."""
    account = Parameters()
    stamp(account).begin()
    assert account.values == {}
    assert account.calls == ["GetParameters"]


def test_what_the_engine_made_of_other_files_is_not_what_was_meant() -> None:
    account = Parameters(made("old", NOT_YET))
    assert not stamp(account).end("new")
    assert account.values == made("old", NOT_YET)
