"""What people read of a plan."""

from __future__ import annotations

import pytest

from amplify_delivery.changes.gained import gained
from amplify_delivery.delivery.planning import unread
from amplify_delivery.delivery.printing import plans
from unit.delivery.planning.stacks_of import stacks_of


def test_rights_of_a_first_plan_are_told_shortly(capsys: pytest.CaptureFixture[str]) -> None:
    rights = gained(None, stacks_of("full")).rights
    plans.rights(rights, first=True)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "Rights that are new:"
    assert "* authfullappauth/UserPool: anyone: sign up" in lines
    counts = "22 of what roles and users may do, 3 of who may use a resource, 15 of who may become a role"
    assert lines[-1] == f"* and, since all of it is new: {counts} (`--json` lists them: gainedRights)"
    assert len(lines) < 10 < len(rights)
    plans.rights(rights, first=False)
    assert len(capsys.readouterr().out.strip().splitlines()) == len(rights) + 1
    plans.rights((), first=False)
    assert capsys.readouterr().out == ""


def test_what_could_not_be_read_is_named() -> None:
    assert unread(()) == ()
    (note,) = unread(["a", "b", "c", "d"])
    assert note.startswith("4 may give more rights than before")
    assert "(a, b, c, ...)" in note
