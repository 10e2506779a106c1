"""A stack's state read without the engine: what is as usual is read, for everything else the engine is asked.

That what is read is what the engine prints, functional/delivery/engine/test_engine_commands.py holds against the
engine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.delivery.engine import stored_state
from amplify_delivery.delivery.engine.state_store import Store, store_of

STATE: dict[str, Any] = {"manifest": {"version": "v3.1.0"}, "resources": [{"urn": "urn:a", "type": "t"}]}
OTHERS: dict[str, dict[str, str | None]] = {
    "no backend of ours": {".pulumi/meta.yaml": None},
    "a layout from before projects": {".pulumi/meta.yaml": "version: 0\n"},
    "a later layout": {".pulumi/meta.yaml": "version: 2\n"},
    "a layout that is cut off": {".pulumi/meta.yaml": ""},
}
UNUSUAL: dict[str, dict[str, str | None]] = {
    **OTHERS,
    "compressed": {".pulumi/stacks/app/dev.json": None, ".pulumi/stacks/app/dev.json.gz": "?"},
    "compressed since": {".pulumi/stacks/app/dev.json.gz": "?"},
    "the other compression": {".pulumi/stacks/app/dev.json.zst": "?"},
    "gone": {".pulumi/stacks/app/dev.json": None},
    "cut off": {".pulumi/stacks/app/dev.json": '{"version": 3, "check'},
    "empty": {".pulumi/stacks/app/dev.json": ""},
    "a list": {".pulumi/stacks/app/dev.json": "[]"},
    "an old version": {".pulumi/stacks/app/dev.json": json.dumps({"version": 2, "checkpoint": {"latest": STATE}})},
    "a later version": {".pulumi/stacks/app/dev.json": json.dumps({"version": 5, "checkpoint": {"latest": STATE}})},
    "from before versions": {".pulumi/stacks/app/dev.json": json.dumps({"stack": "dev", "latest": STATE})},
    "no checkpoint": {".pulumi/stacks/app/dev.json": json.dumps({"version": 3})},
    "another deployment": {".pulumi/stacks/app/dev.json": '{"version": 3, "checkpoint": {"latest": []}}'},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    put(tmp_path, ".pulumi/meta.yaml", "version: 1\n")
    put(tmp_path, ".pulumi/stacks/app/dev.json", checkpoint(STATE))
    put(tmp_path, ".pulumi/stacks/app/dev.json.bak", "{")
    found = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    assert found
    return found


def put(folder: Path, key: str, text: str | None) -> None:
    if text is None:
        (folder / key).unlink()
        return
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / key).write_text(text)


def checkpoint(latest: Any, **more: Any) -> str:
    return json.dumps({"version": 3, "checkpoint": {"stack": "organization/app/dev", "latest": latest}, **more})


def test_what_the_engine_has_written_is_read(store: Store, tmp_path: Path) -> None:
    assert stored_state.exported(store, "app", "dev") == {"version": 3, "deployment": STATE}
    put(tmp_path, ".pulumi/stacks/app/dev.json", checkpoint(STATE, version=4, features=["taint"]))
    told = {"version": 4, "features": ["taint"], "deployment": STATE}
    assert stored_state.exported(store, "app", "dev") == told
    put(tmp_path, ".pulumi/stacks/app/dev.json", '{"version": 3, "checkpoint": {"stack": "organization/app/dev"}}')
    assert stored_state.exported(store, "app", "dev") == {"version": 3, "deployment": None}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_for_what_is_not_as_usual_the_engine_is_asked(store: Store, tmp_path: Path, kind: str) -> None:
    for key, text in UNUSUAL[kind].items():
        put(tmp_path, key, text)
    assert stored_state.exported(store, "app", "dev") is None


def test_another_stack_is_not_this_one(store: Store, tmp_path: Path) -> None:
    put(tmp_path, ".pulumi/stacks/app/dev2.json", checkpoint(None))
    put(tmp_path, ".pulumi/stacks/other/prod.json", checkpoint(None))
    known = {stack: stored_state.exists(store, "app", stack) for stack in ("dev", "dev2", "de", "prod")}
    assert known == {"dev": True, "dev2": True, "de": False, "prod": False}
    put(tmp_path, ".pulumi/stacks/app/prod.json.gz", "?")
    assert stored_state.exists(store, "app", "prod") is True


def test_of_a_projects_hundred_stacks_only_the_one_is_listed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = store.keys

    def keys(prefix: str) -> list[str]:
        asked.append(prefix)
        return real(prefix)

    monkeypatch.setattr(store, "keys", keys)
    assert stored_state.exists(store, "app", "dev") is True
    assert stored_state.exported(store, "app", "dev") is not None
    assert set(asked) == {".pulumi/stacks/app/dev.json"}
    asked.clear()
    stored_state.last_result(store, "app", "dev")
    assert asked == [".pulumi/history/app/dev/"]


def test_a_folder_lists_by_any_beginning_of_a_key_as_a_bucket_does(store: Store, tmp_path: Path) -> None:
    put(tmp_path, ".pulumi/stacks/app/de/x.json", "{}")
    put(tmp_path, ".pulumi/stacks/app/d[e]v.json", "{}")
    stacks = ".pulumi/stacks/app/"
    listed = {
        ".pulumi/meta": [".pulumi/meta.yaml"],
        f"{stacks}dev.json": [f"{stacks}dev.json", f"{stacks}dev.json.bak"],
        f"{stacks}dev.json.": [f"{stacks}dev.json.bak"],
        f"{stacks}de": [f"{stacks}de/x.json", f"{stacks}dev.json", f"{stacks}dev.json.bak"],
        f"{stacks}d[e]v": [f"{stacks}d[e]v.json"],
        f"{stacks}de/": [f"{stacks}de/x.json"],
        f"{stacks}prod": [],
        ".pulumi/history/app/": [],
    }
    assert {prefix: store.keys(prefix) for prefix in listed} == listed


@pytest.mark.parametrize("kind", OTHERS)
def test_in_another_layout_the_engine_knows_what_there_is(store: Store, tmp_path: Path, kind: str) -> None:
    for key, text in OTHERS[kind].items():
        put(tmp_path, key, text)
    assert stored_state.exists(store, "app", "dev") is None
    assert stored_state.last_result(store, "app", "dev") is None


def test_the_last_update_is_the_one_with_the_latest_time(store: Store, tmp_path: Path) -> None:
    assert stored_state.last_result(store, "app", "dev") == ""
    history = ".pulumi/history/app/dev/dev-{}.{}.json"
    for time, result in (("1796017478281909407", "failed"), ("1796017475710100510", "succeeded")):
        put(tmp_path, history.format(time, "history"), json.dumps({"kind": "update", "result": result}))
    put(tmp_path, history.format("1796017479000000000", "checkpoint"), checkpoint(STATE))
    assert stored_state.last_result(store, "app", "dev") == "failed"
    newest = history.format("1796017480000000000", "history")
    put(tmp_path, newest, '{"kind": "update", "resu')
    assert stored_state.last_result(store, "app", "dev") is None
    put(tmp_path, newest, None)
    put(tmp_path, f"{newest}.gz", "?")
    assert stored_state.last_result(store, "app", "dev") is None


def test_a_place_that_may_not_be_read_is_the_engines_to_tell(store: Store, tmp_path: Path) -> None:
    (tmp_path / ".pulumi" / "stacks" / "app" / "dev.json").unlink()
    (tmp_path / ".pulumi" / "stacks" / "app" / "dev.json").mkdir()
    (tmp_path / ".pulumi" / "meta.yaml").unlink()
    (tmp_path / ".pulumi" / "meta.yaml").mkdir()
    assert stored_state.exported(store, "app", "dev") is None
    assert stored_state.exists(store, "app", "dev") is None
    assert stored_state.last_result(store, "app", "dev") is None
