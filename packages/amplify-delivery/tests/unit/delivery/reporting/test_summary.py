"""The first lines of a report, and the commands that come next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from amplify_delivery.cli import parser
from amplify_delivery.delivery.reporting.page.report_model import Drifted, Fact, Found, Line, Need, Plan, Role, Trouble
from amplify_delivery.delivery.reporting.summary import Seen, commands, facts

DIGEST = "a" * 64
WELL = Seen(
    environment="prod",
    status="UPDATE_COMPLETE",
    protected=True,
    changed=datetime(2026, 11, 28, 9, 12, tzinfo=UTC),
    bootstrapped=True,
    prepared=True,
    plan=Plan(whole=True, changes=0, digest=DIGEST, drift=()),
    lines=(),
    findings=(),
    roles=(Role("r", "", (Need("s3:GetObject", ("AWS::S3::Bucket",), False),)),),
)


def told(seen: Seen) -> dict[str, tuple[str, str]]:
    return {fact.label: (fact.value, fact.tone) for fact in facts(seen)}


def typed(seen: Seen) -> list[str]:
    return [command.text for command in commands(seen)]


def test_an_environment_that_is_well() -> None:
    assert facts(WELL) == (
        Fact("Root stack", "UPDATE_COMPLETE", "good", "stacks"),
        Fact("Plan", "nothing would change", "good", "plan"),
        Fact("Changed last", "2026-11-28 09:12 UTC", section="timings"),
        Fact("Drift", "none found", "good"),
        Fact("Findings", "none", "good"),
        Fact("Rights", "none missing", "good", "rights"),
        Fact("Bootstrap", "as this version needs it", "good"),
        Fact("Termination protection", "on"),
    )
    assert typed(WELL) == ["amplify-delivery rollback prod --list"]


def test_one_of_which_nothing_could_be_read() -> None:
    blind = replace(WELL, status=None, plan=None, prepared=None, roles=(Role("r", "", (Need("a:B", ()),)),))
    found = told(blind)
    assert [found[name] for name in ("Root stack", "Plan", "Rights", "Bootstrap")] == [
        ("not read", "warn"), ("not made", "warn"), ("not read", ""), ("not read", "warn"),
    ]  # fmt: skip
    assert typed(blind) == ["amplify-delivery plan prod"]


def test_one_that_is_not_there_yet() -> None:
    new = replace(WELL, status="", changed=None, plan=replace(WELL.plan or Plan(True, 0), changes=12, drift=None))
    assert (told(new)["Root stack"], told(new)["Plan"]) == (("not there yet", ""), ("12 changes", ""))
    assert typed(new) == [f"amplify-delivery deploy prod --plan {DIGEST}"]


def test_data_that_would_be_lost_comes_first() -> None:
    plan = Plan(True, 2, DIGEST)
    lines = (Line((), "T", "AWS::DynamoDB::Table", "-", loss="items"), Line((), "F", "AWS::Lambda::Function", "~"))
    assert told(replace(WELL, plan=plan, lines=lines))["Plan"] == ("2 changes, 1 of them loses data", "bad")


def test_what_aws_cannot_do_is_not_offered() -> None:
    plan = Plan(True, 2, DIGEST, impossible=(Trouble("no"),))
    assert told(replace(WELL, plan=plan))["Plan"] == ("2 changes, AWS cannot do it", "bad")
    assert not [text for text in typed(replace(WELL, plan=plan)) if " deploy " in text]


def test_what_deploy_refuses_is_not_offered() -> None:
    refused = Plan(True, 2, DIGEST, refused=(Trouble("what runs is not what was delivered"),), drift=())
    ready = Plan(True, 2, DIGEST, drift=())
    assert told(replace(WELL, plan=refused))["Plan"] == ("2 changes, `deploy` refuses it", "bad")
    missing = (Role("r", "", (Need("s3:GetObject", (), True),)),)
    for seen in (
        replace(WELL, plan=refused),
        replace(WELL, plan=ready, prepared=False),
        replace(WELL, plan=ready, roles=missing),
    ):
        assert not [text for text in typed(seen) if " deploy " in text]
    assert [text for text in typed(replace(WELL, plan=ready)) if " deploy " in text]


def test_every_command_is_one_that_can_be_typed() -> None:
    """By the command line's own parser."""
    plan = Plan(True, 2, DIGEST)
    printed = set[str]()
    for seen in (
        replace(WELL, plan=plan, drift=True),
        replace(WELL, plan=plan),
        replace(WELL, plan=None, prepared=False),
    ):
        printed |= set(typed(seen))
    assert {text.split()[1] for text in printed} == {"bootstrap", "deploy", "plan", "report", "rollback"}
    for text in printed:
        program, *arguments = text.split()
        assert program == "amplify-delivery"
        parser(arguments[0]).parse_args(arguments)


def test_drift_is_part_of_what_is_deployed() -> None:
    plan = Plan(True, 1, DIGEST, drift=(Drifted("api/Fn", "AWS::Lambda::Function", "Timeout"),))
    assert told(replace(WELL, plan=plan))["Drift"] == ("1 resource", "warn")
    assert f"amplify-delivery deploy prod --plan {DIGEST} --drift" in typed(replace(WELL, plan=plan, drift=True))
    usual = replace(WELL, plan=plan, drift=True, detected=True)
    assert f"amplify-delivery deploy prod --plan {DIGEST}" in typed(usual)
    assert "amplify-delivery report prod --drift" in typed(replace(WELL, plan=replace(plan, drift=None)))


def test_missing_rights_lead_to_the_administrator() -> None:
    lacking = replace(WELL, roles=(Role("r", "", (Need("s3:GetObject", (), True), Need("s3:PutObject", (), False))),))
    assert told(lacking)["Rights"] == ("1 missing", "bad")
    assert typed(lacking)[0] == "amplify-delivery bootstrap prod"
    assert typed(replace(WELL, prepared=False))[0] == "amplify-delivery bootstrap prod"


def test_a_personal_copy_has_no_roles_to_compare_with() -> None:
    own = replace(WELL, bootstrapped=False, prepared=None, roles=(Role("r", "", (Need("a:B", ()),)),))
    assert told(own)["Rights"] == ("not compared", "")
    assert "Bootstrap" not in told(own)


def test_findings_are_counted_by_how_grave_they_are() -> None:
    found = tuple(Found("AD1", kind, "f", "m") for kind in ("repaired", "warning", "repaired"))
    assert told(replace(WELL, findings=found))["Findings"] == ("1 warning, 2 repaired", "warn")
