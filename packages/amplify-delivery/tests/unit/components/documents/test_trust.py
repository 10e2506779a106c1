"""The trust design over the declared documents: a part is one test, which names every row that does not hold."""

import pytest

from unit.components.documents import world as w
from unit.components.documents.trust_table import Row, answered_otherwise, parts

PARTS = parts()
WORLD = w.build_world(w.declared())


@pytest.mark.parametrize("part", PARTS)
def test_a_row_of_the_trust_table(part: str) -> None:
    assert PARTS[part]
    assert answered_otherwise(WORLD, PARTS[part]) == []


def _never(part: str) -> list[Row]:
    return [row for row in PARTS[part] if row.always and row.principal.startswith("arn:")]


@pytest.mark.parametrize("part", [part for part in PARTS if _never(part)])
def test_what_not_even_an_administrator_may(part: str) -> None:
    for principal in {row.principal for row in _never(part)}:
        world = w.build_world(w.declared(), frozenset({principal}))
        assert answered_otherwise(world, [row for row in _never(part) if row.principal == principal]) == []
