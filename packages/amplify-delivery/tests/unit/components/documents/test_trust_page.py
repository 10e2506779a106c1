"""docs/trust.md names what is declared, and for each attacker what shows the claim."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from amplify_delivery.components.documents.statements import RoleDocument
from unit.components.documents import world as w
from unit.components.documents.trust_table import parts
from unit.places import REPOSITORY

TESTS = REPOSITORY / "packages" / "amplify-delivery" / "tests"
TEXT = (REPOSITORY / "docs" / "trust.md").read_text(encoding="utf-8")


def rows(first: str) -> list[list[str]]:
    """The cells of the table whose head begins with `first`."""
    [table] = re.findall(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.M)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


ATTACKERS = [re.findall(r"\*\*(.+?)\*\*", row[0])[0] for row in rows(r"attacker \| stopped")]
SHOWN = {row[0].strip("| "): row[1:] for row in rows(r"attacker \| parts of the trust table")}


def test_every_attacker_has_what_shows_it() -> None:
    assert len(ATTACKERS) > 10
    assert list(SHOWN) == ATTACKERS


def test_every_part_of_the_trust_table_stands_for_an_attacker() -> None:
    named = {part for cells in SHOWN.values() for part in re.findall(r"`(\w+)`", cells[0])}
    assert named == set(parts())


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_a_test_that_is_named_is_there(attacker: str) -> None:
    tests = re.findall(r"`([\w/]+\.py)::(\w+)`", SHOWN[attacker][1])
    assert tests
    for file, name in tests:
        defined = {n.name for n in ast.walk(ast.parse((TESTS / file).read_text())) if isinstance(n, ast.FunctionDef)}
        assert name in defined, f"{file}::{name}"


def declared_roles() -> Iterator[RoleDocument]:
    yield from w.tooling().roles
    for documents in w.accounts().values():
        yield from documents.roles


def test_every_role_that_is_declared_is_on_the_page() -> None:
    """By its name, with the app, the pipeline and the environment as the page calls them."""
    listed: set[str] = set()
    for row in rows("role"):
        names = re.findall(r"`([\w-]+)`", row[0])
        # `APP-PIPELINE-build-action`, `-update-action`: the second one begins as the first one does.
        listed.update(name if name.startswith("APP") else f"APP-PIPELINE{name}" for name in names)
    listed |= set(re.findall(r"`(APP-ENV-door)`", TEXT))
    general = {
        re.sub(r"^seriesapp-pipeline", "APP-PIPELINE", re.sub(r"^seriesapp-(preprod|prod|canary)-", "APP-ENV-", r.name))
        for r in declared_roles()
    }
    assert len(general) > 12
    assert general - listed == set()
    assert {name for name in listed - general if name != "APP-PIPELINE-next"} == set()  # where pipelines follow


def test_files_that_the_page_names_are_there() -> None:
    paths = re.findall(r"`((?:packages)/[\w/.-]+)`", TEXT)
    assert len(paths) > 5
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []
