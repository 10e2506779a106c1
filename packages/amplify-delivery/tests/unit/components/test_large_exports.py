"""Exports that are too large for the repository, from a folder of tar.gz archives: AMPLIFY_DELIVERY_EXPORTS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amplify_delivery.components.backend.contents import contents
from amplify_delivery.export import assemble, read_export
from unit.archives import unpacked
from unit.components.backends import deploy, rendered
from unit.components.recorder import STACK

pytestmark = pytest.mark.large
HOSTED_UI = ("authkitchenappauth", "hostedUIProviderCreds")


def large(name: str) -> Path:
    archives = os.environ.get("AMPLIFY_DELIVERY_EXPORTS")
    archive = Path(archives or ".") / f"{name}.tar.gz"
    if not archives or not archive.is_file():
        pytest.skip(f"needs {name}.tar.gz in the folder that AMPLIFY_DELIVERY_EXPORTS names")
    return next(unpacked(archive).glob("**/amplify-export-manifest.json")).parent


def test_a_large_backend_is_as_few_pulumi_resources_as_a_small_one() -> None:
    assembly = assemble(read_export(large("large")))
    assert len(list(assembly.root.walk())) > 90
    recording = deploy(assembly, rendered(assembly))
    assert recording.one(STACK)
    assert len(recording.resources) == 4  # provider, component, remembered name, root stack


def test_every_category_of_a_mixed_backend_is_delivered_with_its_secret() -> None:
    assembly = assemble(read_export(large("kitchen")), {HOSTED_UI})
    root = rendered(assembly, secrets=frozenset({HOSTED_UI}))
    recording = deploy(assembly, root, secrets={HOSTED_UI: "s3cret"})
    assert contents(assembly).stateful
    assert [r.type for r in recording.resources if "s3cret" in repr(r.inputs)] == [
        "aws:secretsmanager/secretVersion:SecretVersion"
    ]
