"""Every line of the doctor can be made to fail, and says what to do with commands that there are."""

from __future__ import annotations

import re

import pytest

from amplify_delivery.delivery.doctor.lines import Line, Section, State, counted, is_well
from unit.delivery.doctor.cases import PLACE, right, wrong
from unit.delivery.doctor.commands import check, printed
from unit.places import REPOSITORY

WRONG = list(wrong())
DOCS = REPOSITORY / "docs" / "doctor.md"


@pytest.mark.parametrize(("state", "line"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_told_with_a_remedy(state: State, line: Line) -> None:
    assert line.state == state
    assert line.said or line.state == "error"
    assert bool(line.remedy) or state == "not known"
    for command in printed(line.remedy):
        check(command, PLACE.region, PLACE.profile)


def test_the_check_of_commands_refuses_what_there_is_not() -> None:
    for command in (
        "aws kms enable-key --alias x",
        "aws kms enable-key",
        "aws kms enable --key-id 1",
        "amplify-delivery bless prod",
        "pulumi bless",
        "pulumi up prod",
        "pulumi login s3://b?region=r&awssdk=v2",
        "aws secretsmanager create-secret --name n --secret-string TOKEN --region eu-west-1",
        "aws s3api create-bucket --bucket b --region eu-west-1",
        "rm -rf x",
    ):
        with pytest.raises((AssertionError, SystemExit)):
            check(command)
    for command in ("aws kms enable-key --key-id 1", "aws kms enable-key --key-id 1 --region eu-west-1 --profile a"):
        with pytest.raises(AssertionError):
            check(command, "eu-west-1", "b")


def test_what_is_right_is_ok() -> None:
    lines = list(right())
    assert {line.state for line in lines} == {"ok"}, [line for line in lines if line.state != "ok"]
    assert not any(line.remedy for line in lines)


def test_every_subject_fails_somewhere_is_well_somewhere_and_is_documented() -> None:
    failing = {line.subject for _, state, line in WRONG if state in ("warning", "error")}
    assert failing == {line.subject for line in right()}
    assert set(re.findall(r"(?m)^\| `([^`]+)` \|", DOCS.read_text(encoding="utf-8"))) == failing


def test_a_profile_of_the_stack_file_stands_in_the_commands() -> None:
    (line,) = [line for name, _, line in WRONG if name == "a region that is disabled"]
    assert "`aws account enable-region --region-name ap-east-1 --region us-east-1 --profile 'my prod'`" in line.remedy


def test_a_key_that_waits_for_its_deletion_is_brought_back_by_its_id() -> None:
    (line,) = [line for name, _, line in WRONG if name == "a key that is PendingDeletion"]
    assert "cancel-key-deletion --key-id 1234" in line.remedy
    assert line.remedy.index("cancel-key-deletion") < line.remedy.index("enable-key")


@pytest.mark.parametrize(
    ("states", "well", "strict"),
    [
        (["ok"], True, True),
        (["ok", "warning"], True, False),
        (["ok", "not known"], True, False),
        (["warning", "error"], False, False),
    ],
)
def test_when_all_is_well(states: list[State], well: bool, strict: bool) -> None:
    sections = [Section("here", tuple(Line("x", state, "") for state in states))]
    assert (is_well(sections, strict=False), is_well(sections, strict=True)) == (well, strict)
    assert sum(counted(sections).values()) == len(states)
