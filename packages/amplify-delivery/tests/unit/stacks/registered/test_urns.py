"""What stands in the states of accounts and pipelines: a resource whose URN changes would be deleted and made again, a
state bucket, its key and the role that a pipeline comes in with among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.stacks.projects import make, run, write

RECORDED: dict[str, list[str]] = json.loads(Path(__file__).with_name("urns.json").read_text())
"""Types of parents, type and name of everything, by stack, as the programs of commit f4c9acf9 have registered it."""
ALL_KINDS = {
    "images": "true",
    "stagingKey": "true",
    "programTypes": ["AWS::SQS::Queue"],
    "github": {"repository": "octo/shop", "ownerId": "11", "repositoryId": "22"},
}


@pytest.mark.parametrize("stack", RECORDED)
def test_none_changes_unless_an_alias_says_what_it_was(tmp_path: Path, stack: str) -> None:
    make(tmp_path)
    write(tmp_path, "preprod-account", {"program": "account", **ALL_KINDS})
    found = {str(resource.urn).split("::", 2)[2] for resource in run(tmp_path, stack).resources}
    assert len(RECORDED[stack]) > 40
    assert set(RECORDED[stack]) - found == set()
