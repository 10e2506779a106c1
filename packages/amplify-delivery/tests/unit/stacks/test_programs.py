"""What a program does before it is the one that its stack names."""

from __future__ import annotations

import pulumi
import pytest

from amplify_delivery.stacks import programs


@pytest.mark.parametrize(("variable", "heard"), [("true", []), ("", ["from the program"])])
def test_debug_messages_that_nobody_hears_are_not_sent(
    variable: str, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(pulumi.log, "debug", sent.append)
    monkeypatch.setattr(programs, "find", lambda _: lambda *_: pulumi.log.debug("from the program"))
    monkeypatch.setenv(programs.UNHEARD_VARIABLE, variable)
    programs.run(lambda _: pytest.fail("this program has no stage"))
    assert sent == heard
