"""Whatever is typed while a table gets a successor: nothing is lost unasked, and the app uses the successor when it has
the items. A table of states and commands."""

from __future__ import annotations

from datetime import date

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.guard import AllowedLoss, Guard
from amplify_delivery.changes.impossible import check, impossible
from amplify_delivery.changes.ordered.updates import ordered
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import CopyTable
from amplify_delivery.delivery.planning import closed_tables, in_order
from amplify_delivery.errors import RefusedError
from unit.changes.test_successors import OLD, PLACE, TODO, published, renamed_only, wanted, way

TODAY = date(2026, 6, 1)
AS_IT_WAS, CLOSED, MADE, SWITCHED = "as it was", "closed", "made", "switched over"
STATES = {
    AS_IT_WAS: OLD,
    CLOSED: way(OLD, wanted()).updates[0].stacks,
    MADE: way(OLD, wanted()).updates[1].stacks,
    SWITCHED: published(wanted()),
}
"""What is deployed. While the items are copied, when they are, and when the release was rolled back, it is as it was
when the successor was made."""
RELEASE, KEY_REMOVED, LEFT = "the release", "the old export, no `replacedTables`", "`data: leave`"
OLD_EXPORT, OTHER_PREFIX, KEPT = "the old export, `replacedTables`", "another prefix", "`data: keep`"
FILES = {
    RELEASE: published(wanted()),
    KEY_REMOVED: OLD,
    LEFT: published(wanted("v2-", "leave")),
    OLD_EXPORT: renamed_only(),
    OTHER_PREFIX: published(wanted("v3-")),
    KEPT: published(wanted("v2-", "keep")),
}
"""What is to be deployed: by `rollback` one of the two with the old export."""
IGNORED = [f"AD74{n}" for n in range(10)]
EVERYTHING = Guard("dev", (AllowedLoss(PLACE, "all may go", until=TODAY),), TODAY, ignored=IGNORED, disposable=True)


def plain(old: Stacks, new: Stacks, guard: Guard) -> str:
    """What the program says before CloudFormation is called, by whomever it is run."""
    steps = plan_backend(old, new)
    never = impossible(steps, old, new, TODAY, guard.ignored)
    if never:
        return " ".join(dict.fromkeys(i.id for i in never))
    try:
        guard.check(steps)
    except RefusedError:
        return "loss"
    return "done" if steps else "nothing to do"


PLAIN = {
    (AS_IT_WAS, RELEASE): ("AD743", "loss"),
    (AS_IT_WAS, KEY_REMOVED): ("nothing to do", "nothing to do"),
    (AS_IT_WAS, LEFT): ("loss", "loss"),
    (AS_IT_WAS, OLD_EXPORT): ("AD743", "loss"),
    (AS_IT_WAS, OTHER_PREFIX): ("AD743", "loss"),
    (AS_IT_WAS, KEPT): ("AD743", "loss"),
    (CLOSED, RELEASE): ("AD743", "loss"),
    (CLOSED, KEY_REMOVED): ("done", "done"),
    (CLOSED, LEFT): ("loss", "loss"),
    (CLOSED, OLD_EXPORT): ("AD743", "loss"),
    (CLOSED, OTHER_PREFIX): ("AD743", "loss"),
    (CLOSED, KEPT): ("AD743", "loss"),
    (MADE, RELEASE): ("AD749", "AD749"),
    (MADE, KEY_REMOVED): ("AD749", "AD749"),
    (MADE, LEFT): ("AD749", "AD749"),
    (MADE, OLD_EXPORT): ("AD743 AD749", "AD749"),
    (MADE, OTHER_PREFIX): ("AD743 AD749", "AD749"),
    (MADE, KEPT): ("AD749", "AD749"),
    (SWITCHED, RELEASE): ("nothing to do", "nothing to do"),
    (SWITCHED, KEY_REMOVED): ("loss", "loss"),
    (SWITCHED, LEFT): ("done", "done"),
    (SWITCHED, OLD_EXPORT): ("AD743", "loss"),
    (SWITCHED, OTHER_PREFIX): ("AD743", "loss"),
    (SWITCHED, KEPT): ("done", "done"),
}
"""What becomes of plain `pulumi up`; and where everything is ignored that can be."""


@pytest.mark.parametrize(("state", "file"), PLAIN)
def test_plain_pulumi_up_in_each_state_with_each_file(state: str, file: str) -> None:
    old, new = STATES[state], FILES[file]
    ignoring = Guard("dev", (), TODAY, ignored=IGNORED)
    assert (plain(old, new, Guard("dev", (), TODAY)), plain(old, new, ignoring)) == PLAIN[state, file]


ORDERED = {
    (AS_IT_WAS, RELEASE): "copy",
    (AS_IT_WAS, KEY_REMOVED): "",
    (AS_IT_WAS, LEFT): "loss",
    (AS_IT_WAS, OLD_EXPORT): "copy",
    (AS_IT_WAS, OTHER_PREFIX): "copy",
    (AS_IT_WAS, KEPT): "AD743",
    (CLOSED, RELEASE): "copy",
    (CLOSED, KEY_REMOVED): "reopened",
    (CLOSED, LEFT): "loss",
    (CLOSED, OLD_EXPORT): "copy",
    (CLOSED, OTHER_PREFIX): "copy",
    (CLOSED, KEPT): "AD743",
    (MADE, RELEASE): "copy",
    (MADE, KEY_REMOVED): "AD749",
    (MADE, LEFT): "AD749",
    (MADE, OLD_EXPORT): "AD743 AD749",
    (MADE, OTHER_PREFIX): "copy",
    (MADE, KEPT): "keep",
    (SWITCHED, RELEASE): "",
    (SWITCHED, KEY_REMOVED): "loss",
    (SWITCHED, LEFT): "",
    (SWITCHED, OLD_EXPORT): "AD743",
    (SWITCHED, OTHER_PREFIX): "copy",
    (SWITCHED, KEPT): "",
}
"""What becomes of `up`, `plan` and `deploy`, and `rollback`."""


@pytest.mark.parametrize(("state", "file"), ORDERED)
@pytest.mark.parametrize("ignored", [(), ("AD741",), ("AD748",)])
def test_up_deploy_and_rollback(state: str, file: str, ignored: tuple[str, ...]) -> None:
    """Whoever ignores that AWS takes one change at a time gets the items copied all the same."""
    old, new = STATES[state], FILES[file]
    found = in_order(old, new, plan_backend(old, new), TODAY, ignored)
    if found.impossible:
        said = " ".join(dict.fromkeys(i.id for i in found.impossible))
    elif any(step.loss for step in found.first):
        said = "loss"
    elif found.copies:
        said = "keep" if found.copies[0].keep else "copy"
        assert [step for step in found.first if isinstance(step, CopyTable)] == list(found.copies)
    else:
        reopens = any("ResourcePolicy" in getattr(step, "properties", ()) for step in found.first)
        said = "reopened" if reopens else ""
    assert said == ORDERED[state, file]


def test_nothing_that_may_be_ignored_or_allowed_has_the_app_use_a_successor_without_its_items() -> None:
    for file, new in FILES.items():
        assert "AD749" in plain(STATES[MADE], new, EVERYTHING), file


@pytest.mark.parametrize(
    ("file", "command"),
    [
        (RELEASE, "`amplify-delivery up prod` copies them first"),
        (
            KEY_REMOVED,
            f"`pulumi config set-all -s prod --path --plaintext 'replacedTables[0].path={PLACE}' --plaintext "
            "'replacedTables[0].prefix=v3-' --plaintext 'replacedTables[0].data=copy'`",
        ),
        (OLD_EXPORT, "'replacedTables[0].prefix=v3-'"),
        (OTHER_PREFIX, "`amplify-delivery up prod` copies them first"),
        (LEFT, "'replacedTables[0].prefix=v2-' --plaintext 'replacedTables[0].data=copy'`"),
    ],
)
def test_it_is_said_what_leads_on(file: str, command: str) -> None:
    """Old keys are another successor's: whoever goes back to the old export gets there in one step."""
    old, new = STATES[MADE], FILES[file]
    found = impossible(plan_backend(old, new), old, new, TODAY, ["AD743"])
    with pytest.raises(RefusedError, match="an empty table in the place of a full one") as caught:
        check(found, "prod")
    assert command in caught.value.remedy
    assert ("config set-all" in caught.value.remedy) is (file not in {RELEASE, OTHER_PREFIX})
    assert "lint.ignore" not in caught.value.remedy


@pytest.mark.parametrize("state", [CLOSED, MADE, SWITCHED])
def test_no_destroy_takes_a_table(state: str) -> None:
    """Whichever way it is called: CloudFormation keeps the one that stands in the stack, and knows nothing of the
    other."""
    table = STATES[state].resource(TODO)
    assert table["DeletionPolicy"] == "RetainExceptOnCreate"
    assert table["UpdateReplacePolicy"] == "Retain"


def test_a_plan_says_that_writes_are_denied_meanwhile() -> None:
    """Whoever plans after a run that was ended learns why the app fails, whatever she wants to deliver."""
    told = {state: closed_tables(stacks) for state, stacks in STATES.items()}
    assert {state for state, notes in told.items() if notes} == {CLOSED, MADE}
    assert all(PLACE in note and "go on at once" in note for notes in told.values() for note in notes)
    assert closed_tables(None) == ()


def test_the_model_taken_out_waits_too() -> None:
    gone = {path: t for path, t in OLD.templates.items() if path[:2] != TODO[:2]}
    api = {**OLD.templates["apiseriesapp",]}
    api["Resources"] = {name: r for name, r in api["Resources"].items() if name != "Todo"}
    new = Stacks({**gone, ("apiseriesapp",): api}, OLD.parameters)
    assert "AD749" in plain(STATES[MADE], new, EVERYTHING)
    assert not ordered(STATES[MADE], new, plan_backend(STATES[MADE], new)).copies
