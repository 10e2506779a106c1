"""Amplify's own library for JavaScript reads both files, and they say the same to it.

`parseAmplifyConfig` of @aws-amplify/core 6.19.2, from npm by a lock: what `Amplify.configure(...)` calls.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.client_config import Backend
from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.node import ensure_locked, ensure_node
from aws_rehearsal.setup.progress import Progress
from unit.client_config.backends import REGION, everything, written
from unit.client_config.conftest import NAMES, App, app
from unit.client_config.test_categories import hosted
from unit.export.conftest import app_export

__all__ = ["app", "app_export"]

pytestmark = pytest.mark.processes

HERE = Path(__file__).parent
Parse = Callable[[Sequence[Backend]], list[tuple[dict[str, Any], dict[str, Any]]]]


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """What the library makes of each backend's aws-exports.js and amplify_outputs.json."""
    progress = Progress()
    try:
        node = ensure_node(progress)
        modules = ensure_locked(node, HERE, progress)
    except SetupError as error:
        pytest.skip(f"Amplify's library for JavaScript cannot be had: {error}")

    def parsed(backends: Sequence[Backend]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        file = tmp_path_factory.mktemp("configurations") / "both.json"
        file.write_text(json.dumps([[written(b, "javascript"), written(b, "outputs")] for b in backends]))
        ran = subprocess.run(
            [node.binary, HERE / "parse.cjs", file],
            env={**os.environ, "NODE_PATH": str(modules)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return [(web, gen2) for web, gen2 in json.loads(ran.stdout)]

    return parsed


def in_common(web: dict[str, Any], gen2: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without what only one of the two can say."""
    web, gen2 = json.loads(json.dumps(web)), json.loads(json.dumps(gen2))
    for only in ("Interactions", "Predictions"):
        web.pop(only, None)
    # A REST API has no place in Gen 2's file but `custom`, which a client passes on itself.
    web.get("API", {}).pop("REST", None)
    for found in (web, gen2):
        # Gen 1's file does not say it: its library takes every backend for one with guests.
        found.get("Auth", {}).get("Cognito", {}).pop("allowGuestAccess", None)
        if found.get("API") == {}:
            del found["API"]
    gen2.get("Auth", {}).get("Cognito", {}).pop("groups", None)
    return web, gen2


@pytest.mark.parametrize("name", NAMES)
def test_of_a_real_app_the_library_reads_the_same_of_both(name: str, app: Callable[[str], App], parse: Parse) -> None:
    [(web, gen2)] = parse([app(name).of_export()])
    assert {"Auth", "API"} <= gen2.keys()
    first, second = in_common(web, gen2)
    assert first == second


def test_of_every_category_as_well(parse: Parse) -> None:
    (web, gen2), (hosted_web, hosted_gen2) = parse([everything(), hosted()])
    assert {"Auth", "API", "Storage", "Analytics", "Geo", "Notifications"} <= gen2.keys()
    first, second = in_common(web, gen2)
    assert first == second
    first, second = in_common(hosted_web, hosted_gen2)
    assert first == second
    assert second["Auth"]["Cognito"]["loginWith"]["oauth"]["providers"] == ["Google", "Amazon", "Apple"]
    assert gen2["Auth"]["Cognito"]["groups"] == [{"Admins": {"precedence": 1}}]
    assert web["API"]["REST"] == {"orders": {"endpoint": "https://o.example/dev", "region": REGION}}
