"""What docs/benchmarks.md says can be measured again: a benchmark that nobody runs breaks unseen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import many, pipelines
from unit.places import REPOSITORY


def test_unchanged_accounts_of_a_throttled_aws_are_known_by_two_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark of five hundred, with few: its AWS answers as botocore and `bootstrap` expect it."""
    monkeypatch.setattr(many, "ENVIRONMENTS", 5)
    monkeypatch.setattr(many, "PARALLEL", 1)  # so that the same calls are throttled each time
    monkeypatch.setattr(many, "THROTTLED", 0.06)  # each costs a pause
    for variable in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(variable, "")  # the benchmark sets it for its own process
    ((_, _, seen),) = many.accounts(tmp_path)
    assert seen.startswith("0 failures, 5 unchanged, 2.0 calls each answered, 2 throttled and tried again, ")


def test_so_many_environments_fit_into_one_pipeline_as_the_pages_say() -> None:
    page = (REPOSITORY / "docs" / "benchmarks.md").read_text()
    most: dict[tuple[int, str], int] = {}
    for shape in pipelines.SHAPES:
        cells = re.findall(rf"(?m)^\| {re.escape(shape.what)} \| (\d+); .*? \| (\d+); ", page)
        for letters, number in zip(pipelines.LETTERS, map(int, cells[0]), strict=True):
            most[letters, shape.what] = number
            fits, too_many = (pipelines.model_of("a" * letters, n, shape) for n in (number, number + 1))
            assert pipelines.refusal(fits) == "", (letters, shape.what)
            assert pipelines.refusal(too_many) != "", (letters, shape.what)
    short, long = (most[letters, pipelines.SHAPES[0].what] for letters in pipelines.LETTERS)
    assert f"that is {short} environments" in (REPOSITORY / "docs" / "many-environments.md").read_text()
    compared = (REPOSITORY / "docs" / "compared.md").read_text()
    assert f"{short} fit, {long} if the app's name has 20 letters" in compared
