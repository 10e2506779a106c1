"""Loosen any declared statement, and a row of the trust table fails: so the table says all that the documents say."""

from functools import cache

import pytest

from tests.components.documents import world as w
from tests.components.documents.mutations import Mutation, loosened
from tests.components.documents.trust_table import Row, rows


def _chosen(name: str) -> bool:
    """One environment of three: they are made by the same functions."""
    return "preprod" not in name and "canary" not in name


MUTATIONS = [m for name, doc in w.declared().items() if _chosen(name) for m in loosened(name, doc)]

HARMLESS: dict[str, str] = {}
"""Mutations that loosen nothing, with the reason."""


@cache
def _table() -> list[Row]:
    return rows()


def failing(mutation: Mutation) -> Row | None:
    """The first row that the loosened document breaks."""
    documents = {**w.declared(), mutation.document: mutation.loosened}
    plain = w.build_world(documents)
    concerned = [row for row in _table() if _concerns(mutation.document, row)]
    for row in concerned:
        if w.is_allowed(plain, row.principal, row.action, row.resource, row.context) is not row.allowed:
            return row
    for principal in sorted({row.principal for row in concerned if row.always and row.principal.startswith("arn:")}):
        world = w.build_world(documents, frozenset({principal}))
        for row in concerned:
            if row.always and row.principal == principal:
                if w.is_allowed(world, row.principal, row.action, row.resource, row.context):
                    return row
    return None


def _concerns(document: str, row: Row) -> bool:
    """Whether a row can depend on a document: by its role, its resource, or its boundary."""
    kind, name = document.split(" ")[0], document.split(" ")[1]
    if kind == "role":
        return f"/{name}" in row.principal or row.resource.endswith(f"/{name}")
    return True


def test_there_are_enough() -> None:
    assert len(MUTATIONS) >= 200


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[m.id for m in MUTATIONS])
def test_a_loosened_statement_breaks_a_row(mutation: Mutation) -> None:
    if mutation.id in HARMLESS:
        assert failing(mutation) is None, "this is not harmless any more: take it off the list"
    else:
        assert failing(mutation) is not None
