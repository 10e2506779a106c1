"""The trust design over the declared documents: a part is one test, which names every row that does not hold."""

import re

import pytest

from unit.components.documents import world as w
from unit.components.documents.mutations import listed
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


BEGINNINGS = (
    r"amplify-seriesapp-(canary|prepro|prod)(\*-)?",  # CloudFormation cuts what it makes names of
    r"seriesapp-(canary|preprod|prod)-(app-|\*-)?",  # what the program makes beside the backend
    r"\*-(canary|preprod|prod)-",  # secrets, which have six random characters behind their names
)
"""All that a right reaches by how its name begins, behind the last `/` or `:` of an ARN."""


def test_a_right_reaches_nothing_whose_name_only_begins_alike() -> None:
    """`main-build*` is also the log of a pipeline `main` and a project `builder`, and the rule of `main-build-two`."""
    alike = {
        (name, statement["Sid"], resource)
        for name, document in w.declared().items()
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for resource in listed(statement.get("Resource", ()))
        if (begins := re.search(r"([^/:]+)\*$", resource)) and not re.fullmatch("|".join(BEGINNINGS), begins[1])
    }
    assert sorted(alike) == []
