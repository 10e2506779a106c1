"""docs/linting.md names everything that can refuse a publication."""

from __future__ import annotations

import re
from pathlib import Path

from amplify_delivery.publishing.examination.linting import FOUND, page

PROJECT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    written = (PROJECT / "docs" / "linting.md").read_text()
    assert written == page(), "run `python -m amplify_delivery.publishing.examination.linting > docs/linting.md`"


def test_every_finding_of_the_examination_stands_there() -> None:
    sources = [*(PROJECT / "publishing").glob("*.py"), *(PROJECT / "changes").glob("*.py")]
    given = {id for file in sources for id in re.findall(r'"(AD7\d\d)"', file.read_text())}
    assert given == set(FOUND)
