"""docs/checks.md is made from the checks and up to date."""

from __future__ import annotations

from amplify_delivery.export.checks.__main__ import document
from unit.places import REPOSITORY


def test_checks_page_is_up_to_date() -> None:
    page = REPOSITORY / "docs" / "checks.md"
    assert page.read_text() == document(), "run `python -m amplify_delivery.export.checks > docs/checks.md`"
