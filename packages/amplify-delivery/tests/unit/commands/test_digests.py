"""What a person approved is named by the whole digest of its plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery import cli


@pytest.mark.parametrize("command", ["deploy", "rollback"])
@pytest.mark.parametrize("given", ["nonsense", "a" * 12, "A" * 64, "a" * 65])
def test_what_is_no_whole_digest_is_refused_though_nothing_were_to_change(
    command: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    lines = 'config:\n  account: "222222222222"\n  region: eu-west-1\n'
    (tmp_path / "Pulumi.prod.yaml").write_text(lines)
    assert cli.main([command, "prod", "--plan", given]) == 3
    said = capsys.readouterr().err
    assert f"{given!r} is not a digest" in said
    assert "nothing was changed" in said
