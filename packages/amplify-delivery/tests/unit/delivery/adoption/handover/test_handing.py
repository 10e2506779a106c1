"""Whose Amplify project may be handed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amplify_delivery.delivery.adoption.handover.handing import check_project
from amplify_delivery.errors import ConfigError


def test_another_apps_sources_are_not_handed_over(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no Amplify project"):
        check_project(tmp_path, "shop")
    (tmp_path / "amplify" / "backend").mkdir(parents=True)
    check_project(tmp_path, "shop")  # no file says what it is called
    config = tmp_path / "amplify" / ".config"
    config.mkdir()
    (config / "project-config.json").write_text(json.dumps({"projectName": "todo"}))
    check_project(tmp_path, "todo")
    with pytest.raises(ConfigError, match="is the Amplify project 'todo', and this is the environment of 'shop'"):
        check_project(tmp_path, "shop")


def test_a_projects_name_may_have_capitals_which_its_stacks_have_not(tmp_path: Path) -> None:
    (tmp_path / "amplify" / "backend").mkdir(parents=True)
    config = tmp_path / "amplify" / ".config" / "project-config.json"
    config.parent.mkdir()
    config.write_text('{"projectName": "MyShop"}')
    check_project(tmp_path, "myshop")
