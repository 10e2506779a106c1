"""What is found in an assembly for several environments: what ends a build, and what is only told."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery.delivery.project import examination
from amplify_delivery.export import Assembly, ExportRefused, assemble, read_export
from amplify_delivery.findings import Finding
from unit.stacks.projects import APP, make

WARNING = Finding("AD711", "warning", "function", "nobody passes it", "pass it")
REFUSED = Finding("AD733", "refused", "storage", "is too long", "shorten it")


def test_a_warning_is_told_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path, 2)
    assembly: Assembly = assemble(read_export(folder / f"amplify-export-{APP}"))
    found, lines = [WARNING], list[str]()
    monkeypatch.setattr(examination, "examine", lambda _, deployments, __: dict.fromkeys(deployments, found))
    examination.for_environments(assembly, ["preprod", "prod1"], folder, lines.append)
    assert lines == ["warning: AD711 preprod, prod1: function: nobody passes it\n  -> pass it"]
    found.append(REFUSED)
    with pytest.raises(ExportRefused) as refused:
        examination.for_environments(assembly, ["preprod", "prod1"], folder, lines.append)
    assert [f.id for f in refused.value.findings] == ["AD733", "AD711"]
    assert len(lines) == 1, "the error tells both"
