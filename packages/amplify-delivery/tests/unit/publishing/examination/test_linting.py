"""docs/linting.md names everything that can refuse a publication."""

from __future__ import annotations

from unit.places import REPOSITORY

PROJECT = REPOSITORY


def test_the_page_is_up_to_date() -> None:
    from amplify_delivery.publishing.examination.linting import page  # cfn-lint: half a second

    written = (PROJECT / "docs" / "linting.md").read_text()
    assert written == page(), "run `python -m amplify_delivery.publishing.examination.linting > docs/linting.md`"
