"""docs/linting.md names everything that can refuse a publication."""

from __future__ import annotations

from amplify_delivery.publishing.examination.linting import page
from unit.places import REPOSITORY

PROJECT = REPOSITORY


def test_the_page_is_up_to_date() -> None:
    written = (PROJECT / "docs" / "linting.md").read_text()
    assert written == page(), "run `python -m amplify_delivery.publishing.examination.linting > docs/linting.md`"
