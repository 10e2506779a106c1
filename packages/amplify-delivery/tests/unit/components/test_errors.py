"""What a program's user reads: a sentence for a mistake of hers, a traceback for a defect of ours."""

from __future__ import annotations

import importlib

import pulumi
import pytest

from amplify_delivery.components.errors import as_run_error
from amplify_delivery.errors import ConfigError


def test_a_package_that_is_not_installed_is_no_traceback() -> None:
    said = "this Python has no package 'no_such_package'\n  -> `pulumi install`"
    with pytest.raises(pulumi.RunError, match=said), as_run_error():
        importlib.import_module("no_such_package.inside")


def test_a_module_of_ours_that_is_missing_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError), as_run_error():
        importlib.import_module("amplify_delivery.no_such_module")


def test_a_command_that_sets_a_value_names_the_programs_stack() -> None:
    told = f"`pulumi config set -s {pulumi.get_stack()} export FOLDER`"
    with pytest.raises(pulumi.RunError, match=told), as_run_error():
        raise ConfigError("no", remedy="`pulumi config set export FOLDER`")
