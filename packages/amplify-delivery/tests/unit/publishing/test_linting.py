"""docs/linting.md names everything that can refuse a publication."""

from __future__ import annotations

import re
from pathlib import Path

import amplify_delivery
from amplify_delivery.publishing.examination.linting import FOUND, page
from unit.places import REPOSITORY

PROJECT = REPOSITORY
PACKAGE = Path(amplify_delivery.__file__).parent


def test_the_page_is_up_to_date() -> None:
    written = (PROJECT / "docs" / "linting.md").read_text()
    assert written == page(), "run `python -m amplify_delivery.publishing.examination.linting > docs/linting.md`"


def test_every_finding_of_the_examination_stands_there() -> None:
    sources = [file for name in ("publishing", "changes") for file in (PACKAGE / name).rglob("*.py")]
    given = {id for file in sources for id in re.findall(r'"(AD7\d\d)"', file.read_text())}
    assert given == set(FOUND)
