"""What `amplify push` has at hand of a project that was exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amplify_delivery.export import read_export
from amplify_delivery.export.model import STACK_TYPE
from amplify_delivery_rehearsal.example import SERIES
from amplify_delivery_rehearsal.pushed_export import backend_of, renamed

NAME = "amplify-seriesapp-live-5af8b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    exported = next((SERIES / "v4").glob("amplify-export-*"))
    return renamed(exported, tmp_path / exported.name, NAME)


def test_the_export_is_that_of_another_environment(folder: Path) -> None:
    export = read_export(folder)
    assert export.stack_name == NAME
    assert {s.parameters["env"] for s in export.root.nested.values()} == {"live"}
    assert export.root.parameters["DeploymentBucketName"] == f"{NAME}-deployment"
    assert "a8d03" not in (folder / "amplify-export-manifest.json").read_text()


def test_every_template_lies_where_its_parent_says(folder: Path) -> None:
    backend = backend_of(folder)
    assert backend.stack_name == NAME
    assert backend.tags["user:Stack"] == "live"
    for name, item in backend.root["Resources"].items():
        if item["Type"] == STACK_TYPE:
            key = item["Properties"]["TemplateURL"].removeprefix(f"https://s3.amazonaws.com/{backend.bucket}/")
            template = json.loads(backend.objects[key])
            assert set(item["Properties"]["Parameters"]) <= set(template["Parameters"]), name
            assert all(isinstance(v, str | dict) for v in item["Properties"]["Parameters"].values())
    prefix = backend.root["Resources"]["apiseriesapp"]["Properties"]["Parameters"]["S3DeploymentRootKey"]
    assert f"{prefix}/stacks/Todo.json" in backend.objects
    assert f"{prefix}/schema.graphql" in backend.objects


def test_init_makes_the_bucket_and_the_roles_only(folder: Path) -> None:
    initial = backend_of(folder).initial()
    assert sorted(initial["Resources"]) == ["AuthRole", "DeploymentBucket", "DeploymentBucketBlockHTTP", "UnauthRole"]
