"""Every check has cases that it must find and cases that it must not: `cases/ADnnn.json`, for anybody to add to.

A case is a real export with small changes (`packages/amplify-delivery/tests/unit/export/mutations.py`): `why` says what
is special, `secrets` what environments supply, `file` and `says` where the finding stands and a part of its message.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import ExportRefused, Finding, check, read_export
from amplify_delivery.export.checks import rules
from unit.export.mutations import apply, linked_export

CASES = {path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).with_name("cases").glob("*.json"))}
SEVERITIES = {rule.id: rule.severity for rule in rules()}


def _cases(kind: str) -> list[Any]:
    return [pytest.param(id, case, id=f"{id}: {case['why']}") for id in CASES for case in CASES[id][kind]]


def _findings(case: dict[str, Any], folder: Path) -> tuple[Finding, ...]:
    linked_export(case["export"], folder)
    apply(folder, case["do"])
    try:
        export = read_export(folder)
    except ExportRefused as error:
        return error.findings
    return check(export, {(stack, parameter) for stack, parameter in case.get("secrets", [])})


def test_every_check_has_good_and_bad_cases() -> None:
    assert set(CASES) == set(SEVERITIES)
    assert all(CASES[id]["good"] and CASES[id]["bad"] for id in CASES)


def test_ids_are_given_once() -> None:
    ids = [rule.id for rule in rules()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("id", "case"), _cases("bad"))
def test_is_found(id: str, case: dict[str, Any], tmp_path: Path) -> None:
    findings = _findings(case, tmp_path / "export")
    file = case["file"] or str(tmp_path / "export")
    found = [f for f in findings if f.id == id and f.file == file and case["says"] in f.message]
    assert found, "\n".join(map(str, findings))
    assert found[0].severity == SEVERITIES[id]
    assert found[0].remedy or found[0].severity == "repaired", "says what is wrong, but not what to do"
    assert len(found[0].message) < 250
    assert "HUSHHUSH" not in repr(findings), "a secret is told"


@pytest.mark.parametrize(("id", "case"), _cases("good"))
def test_is_not_found(id: str, case: dict[str, Any], tmp_path: Path) -> None:
    findings = _findings(case, tmp_path / "export")
    assert id not in {f.id for f in findings}, "\n".join(map(str, findings))
    assert not any(f.severity == "refused" for f in findings), "\n".join(map(str, findings))
