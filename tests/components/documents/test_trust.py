"""The trust design, row by row, decided over the declared documents."""

import pytest

from tests.components.documents import world as w
from tests.components.documents.trust_table import Row, rows

TABLE = rows()
WORLD = w.build_world(w.declared())


@pytest.mark.parametrize("row", TABLE, ids=[row.id for row in TABLE])
def test_a_row_of_the_trust_table(row: Row) -> None:
    assert w.is_allowed(WORLD, row.principal, row.action, row.resource, row.context) is row.allowed


NEVER = [row for row in TABLE if row.always and row.principal.startswith("arn:")]


@pytest.mark.parametrize("row", NEVER, ids=[row.id for row in NEVER])
def test_what_not_even_an_administrator_may(row: Row) -> None:
    world = w.build_world(w.declared(), frozenset({row.principal}))
    assert not w.is_allowed(world, row.principal, row.action, row.resource, row.context)
