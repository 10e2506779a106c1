"""Which version the engine has is asked once of each binary."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from semver import VersionInfo

from amplify_delivery.delivery.engine import pulumi_command
from amplify_delivery.delivery.engine.pulumi_command import Command

BINARY = b"\x7fELF"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], int]:
    """How often the SDK has asked; the engine of this version is whatever lies on PATH."""
    times: list[str] = []

    class Sdk:
        version = VersionInfo(3, 259, 0)

        def __init__(self) -> None:
            times.append("asked")

    monkeypatch.setattr(pulumi_command, "PulumiCommand", Sdk)
    monkeypatch.setenv("AMPLIFY_DELIVERY_CACHE", str(tmp_path / "cache"))
    return lambda: len(times)


def on_path(monkeypatch: pytest.MonkeyPatch, file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(file.parent))


def test_the_same_binary_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    on_path(monkeypatch, tmp_path / "bin" / "pulumi", BINARY)
    assert [str(Command().version) for _ in range(3)] == ["3.259.0"] * 3
    assert asked() == 1


def test_another_binary_in_its_place_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    file = tmp_path / "bin" / "pulumi"
    on_path(monkeypatch, file, BINARY)
    assert Command().version
    os.utime(file, (1, 1))
    assert Command().version
    on_path(monkeypatch, file, BINARY + b"longer")
    assert Command().version
    assert asked() == 3


def test_what_stands_for_others_is_asked_each_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    """The shims of version managers: a script, or one program with many names."""
    on_path(monkeypatch, tmp_path / "asdf" / "pulumi", b"#!/bin/sh\n")
    assert Command().version
    assert Command().version
    assert asked() == 2
    (tmp_path / "mise").write_bytes(BINARY)
    (tmp_path / "mise").chmod(0o755)
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "pulumi").symlink_to(tmp_path / "mise")
    monkeypatch.setenv("PATH", str(shims))
    assert Command().version
    assert Command().version
    assert asked() == 4


def test_half_a_file_in_the_cache_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: Callable[[], int]
) -> None:
    on_path(monkeypatch, tmp_path / "bin" / "pulumi", BINARY)
    assert Command().version
    (kept,) = (tmp_path / "cache" / "engine").rglob("*.json")
    kept.write_text('"3."')
    assert Command().version
    assert asked() == 2
