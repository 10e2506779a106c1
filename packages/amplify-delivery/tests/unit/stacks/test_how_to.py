"""docs/how-to.md: each section's stack files fit together, and are the example's own."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amplify_delivery.export import render_root
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.inputs import environment_values, read_assembly, root_stack_name
from unit.places import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```yaml\n# (Pulumi\.([\w-]+)\.yaml)\n(.*?)^```", re.M | re.S)


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


WITH_FILES = sorted(title for title, text in sections().items() if BLOCK.search(text))


def project(folder: Path, title: str) -> Project:
    """The example with a section's files in the place of its own."""
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copyfile(file, folder / file.name)
    shutil.copytree(REPOSITORY / "amplify-export-seriesapp", folder / "amplify-export-seriesapp")
    for name, _, text in BLOCK.findall(sections()[title]):
        (folder / name).write_text(text, encoding="utf-8")
    return Project(folder)


@pytest.mark.parametrize("title", WITH_FILES)
def test_its_stack_files_are_read(title: str, tmp_path: Path) -> None:
    found = project(tmp_path, title)
    pipeline = found.pipeline("pipeline")
    assert [found.environment(name).environment for name in pipeline.environments] == list(pipeline.environments)
    accounts = [file.stem.removeprefix("Pulumi.") for file in tmp_path.glob("Pulumi.*-account.yaml")]
    let_in = {name for account in accounts for name in found.account(account).environments}
    assert let_in == set(pipeline.environments)


def test_every_other_kind_of_block_is_a_command() -> None:
    assert len(WITH_FILES) == 6
    assert set(re.findall(r"^```(\w*)\n(?=[^\n])", PAGE, re.M)) == {"yaml", ""}


def test_another_value_is_a_parameter_of_the_export(tmp_path: Path) -> None:
    found = project(tmp_path, "Give one environment another value")
    config = found.environment("prod")
    values = environment_values(config, tmp_path, datetime(2026, 11, 29, tzinfo=UTC), "seriesapp")
    root = render_root(read_assembly(config, tmp_path, "seriesapp"), values, "staging")
    assert (
        root.template["Resources"]["apiseriesapp"]["Properties"]["Parameters"]["DynamoDBBillingMode"] == "PROVISIONED"
    )


def test_a_monorepos_export_lies_where_its_file_says(tmp_path: Path) -> None:
    found = project(tmp_path, "Live in a monorepo")
    (tmp_path / "backend").mkdir()
    shutil.move(tmp_path / "amplify-export-seriesapp", tmp_path / "backend")
    assert root_stack_name(found.environment("prod"), tmp_path, "seriesapp") == "amplify-seriesapp-prod-a8d05"
