"""Assemblies of the small real exports, and a way to spoil one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, AssemblyObject, EnvironmentValues, assemble, read_export, render_root
from amplify_delivery.publishing.examination.cache import RESULTS_VARIABLE
from amplify_delivery.publishing.examination.tree import Tree
from unit.places import EXPORTS

BUCKET = "app-dev-staging-444444444444-us-east-1-an"
SOUND = ("todo", "full", "iam", "todo-series/v1", "todo-series/v2", "todo-series/v3", "todo-series/v4")
"""The exports that can be delivered."""


def assembly_of(name: str) -> Assembly:
    folder = next((EXPORTS / name).glob("amplify-export-*"))
    return assemble(read_export(folder))


@pytest.fixture(scope="session")
def todo() -> Assembly:
    return assembly_of("todo")


@pytest.fixture(scope="session")
def full() -> Assembly:
    return assembly_of("full")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test meets the results of another, or of the user."""
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(RESULTS_VARIABLE, raising=False)
    return tmp_path / "cache"


def rendered(assembly: Assembly, bucket: str = BUCKET) -> tuple[AssemblyObject, bytes]:
    root = render_root(assembly, EnvironmentValues("dev", 1_900_000_000), bucket)
    return root.object, root.body


def tree_of(assembly: Assembly) -> Tree:
    item, body = rendered(assembly)
    return Tree(assembly, item.key, json.loads(body), BUCKET, "us-east-1")


def with_object(assembly: Assembly, key: str, body: bytes) -> Assembly:
    """`assembly` with other bytes behind one key."""
    changed = tuple(
        replace(o, size=len(body), sha256=hashlib.sha256(body).hexdigest()) if o.key == key else o
        for o in assembly.objects
    )
    return replace(assembly, objects=changed, reader=lambda k: body if k == key else assembly.read(k))


def spoiled(assembly: Assembly, path: tuple[str, ...], change: Callable[[dict[str, Any]], object]) -> Assembly:
    """`assembly` with the template of the nested stack at `path` changed, under its old key."""
    stack = assembly.root
    for name in path:
        stack = stack.nested[name]
    template = json.loads(assembly.read(stack.template))
    change(template)
    return with_object(assembly, stack.template, json.dumps(template).encode())
