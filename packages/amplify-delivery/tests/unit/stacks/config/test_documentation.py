"""docs/configuration.md and docs/schema are what the models say now."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from amplify_delivery.stacks.config.documentation import PAGE, SCHEMAS, page, schemas
from unit.places import REPOSITORY
from unit.stacks.config.test_files import ACCOUNT, PIPELINE, SMALLEST

DOCS = REPOSITORY / "docs"


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / PAGE).read_text() == page(), "run `python -m amplify_delivery.stacks.config`"


def test_the_schemas_are_up_to_date() -> None:
    others = {"pulumi-package.json"}  # of the Pulumi package: test_packaged.py
    found = {path.name: path.read_text() for path in (DOCS / SCHEMAS).iterdir() if path.name not in others}
    assert found == schemas(), "run `python -m amplify_delivery.stacks.config`"


def test_the_page_describes_every_key() -> None:
    rows = [row.split("|") for row in page().splitlines() if row.startswith("| `")]
    assert len(rows) > 80
    assert all(row[4].strip() for row in rows)


def errors(kind: str, document: Any) -> list[str]:
    from cfnlint.jsonschema import StandardValidator  # half a second, for whoever runs this

    validator = StandardValidator(json.loads(schemas()[f"{kind}.json"]))
    return [error.message for error in validator.iter_errors(document)]


def keyed(values: dict[str, Any]) -> dict[str, Any]:
    return {"config": {f"my-app:{key}": value for key, value in values.items()}}


@pytest.mark.parametrize(("kind", "values"), [("account", ACCOUNT), ("pipeline", PIPELINE)])
def test_an_editor_accepts_what_the_reader_accepts(kind: str, values: dict[str, Any]) -> None:
    flags = {"true": True, "false": False}

    def typed(value: Any) -> Any:
        """As an editor's YAML reads the file, where the texts `true` and `false` are flags."""
        if isinstance(value, dict):
            return {k: v if k == "env" else typed(v) for k, v in value.items()}
        return [typed(v) for v in value] if isinstance(value, list) else flags.get(value, value)

    assert errors(kind, keyed(typed(values))) == []


def test_an_editor_accepts_the_smallest_pipeline() -> None:
    assert errors("pipeline", yaml.safe_load(SMALLEST)) == []


def test_an_editor_marks_a_wrong_value() -> None:
    assert errors("pipeline", keyed({"stages": [{"nam": "PreProd"}]}))
    assert errors("environment", keyed({"account": 12345678901}))
