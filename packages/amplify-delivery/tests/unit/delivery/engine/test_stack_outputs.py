"""Outputs of an environment by name, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.delivery.engine.stack_outputs import (
    Output,
    find,
    from_json,
    from_stack,
    read_file,
    text,
    to_json,
)
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import EnvironmentValues, assemble, read_export, render_root
from amplify_delivery.stacks.config import EnvironmentConfig
from unit.command_line import export

OUTPUTS = {
    "helloUrl": Output("https://example.com/", secret=False),
    "outputs": Output({"apitodo": {"ApiId": "a1", "Empty": None}}, secret=False),
    "rootOutputs": Output({"UserPoolId": "pool"}, secret=False),
    "keys": Output({"first": "k1"}, secret=True),
    "ports": Output([80, 443], secret=False),
}


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("helloUrl", "https://example.com/", False),
        ("outputs.apitodo.ApiId", "a1", False),
        ("rootOutputs.UserPoolId", "pool", False),
        ("UserPoolId", "pool", False),
        ("keys.first", "k1", True),
        ("keys", {"first": "k1"}, True),
    ],
)
def test_an_output_by_its_name(name: str, value: Any, secret: bool) -> None:
    assert find(OUTPUTS, name, "here") == Output(value, secret)


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("helloURL", "did you mean 'helloUrl'"),
        ("outputs.apitodo.APIID", "did you mean 'outputs.apitodo.ApiId'"),
        ("outputs.apitodo.Empty", "there is no output 'outputs.apitodo.Empty'"),
        ("helloUrl.host", "did you mean 'helloUrl'"),
        ("", "there is no output ''"),
    ],
)
def test_an_unknown_output_is_refused_with_the_nearest(name: str, guess: str) -> None:
    with pytest.raises(ConfigError, match=guess) as caught:
        find(OUTPUTS, name, "step test of dev")
    assert caught.value.where == "step test of dev"
    assert "keys.first" in caught.value.remedy
    assert "k1" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "shown"), [("a b", "a b"), (3, "3"), (True, "true"), ([80, 443], "[80, 443]"), ({"a": 1}, '{"a": 1}')]
)
def test_values_as_environment_variables(value: Any, shown: str) -> None:
    assert text(value) == shown


def test_the_document_keeps_values_and_secrets(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(to_json(OUTPUTS))
    assert read_file(file) == OUTPUTS


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"a": {"value": 1}}', "no json"])
def test_another_document_is_refused(content: str) -> None:
    with pytest.raises(ConfigError, match="not a document of outputs"):
        from_json(content, "file")


def test_a_root_stack_gives_the_outputs_of_its_nested_stacks() -> None:
    """Only those that exist: CloudFormation leaves out outputs whose condition does not hold."""
    assembly = assemble(read_export(export("todo")))
    root = render_root(assembly, EnvironmentValues("dev", 1_900_000_000), "staging")
    (nested, name), repeated = next((path, own) for path, own in root.outputs.items() if path[1].endswith("IdOutput"))
    stack = {
        "StackName": root.stack_name,
        "StackId": "arn:of:it",
        "Outputs": [{"OutputKey": repeated, "OutputValue": "x1"}, {"OutputKey": "AuthRoleName", "OutputValue": "r"}],
    }
    config = EnvironmentConfig(account="444444444444", region="eu-central-1", environment="dev")
    outputs = from_stack(stack, root, config)
    assert outputs["outputs"].value == {nested: {name: "x1"}}
    assert find(outputs, f"outputs.{nested}.{name}", "").value == "x1"
    assert find(outputs, repeated, "").value == "x1"
    assert find(outputs, "AuthRoleName", "").value == "r"
    assert find(outputs, "stackName", "").value == root.stack_name
    assert find(outputs, "account", "").value == "444444444444"
