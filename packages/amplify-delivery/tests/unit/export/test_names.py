"""Stack names, and what environments may be called."""

from __future__ import annotations

import pytest

from amplify_delivery.export import ConfigError, EnvironmentValues, StackName, assemble, read_export, render_root
from unit.export.mutations import EXPORTS

NAME = StackName("amplify", "app", "dev", "5af8b")


@pytest.mark.parametrize("text", ["amplify-app-dev-5af8b", "amplify-My1App-Dev-123456"])
def test_a_stacks_name_is_what_its_parts_make(text: str) -> None:
    assert str(StackName.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "amplify", "app-dev-5af8b", "amplify-a-b-c-d", "amplify-app-dev-", "amplify-ap_p-dev-1"]
)
def test_other_shapes_are_none(text: str) -> None:
    assert StackName.parse(text) is None


@pytest.mark.parametrize("environment", ["prod", "dev2", "ab", "production"])
def test_an_environment_takes_its_place(environment: str) -> None:
    assert str(NAME.for_environment(environment, "abcde")) == f"amplify-app-{environment}-abcde"


@pytest.mark.parametrize(
    "environment", ["", "eu-prod", "my env", "my_env", "Prod", "a", "x" * 11, "x" * 60, "1a", "prod\n", "ümlaut"]
)
def test_what_cannot_be_an_environment(environment: str) -> None:
    with pytest.raises(ConfigError, match="2 to 10 lower-case letters and digits") as error:
        NAME.for_environment(environment)
    assert repr(environment) in str(error.value)


def test_the_exported_environment_keeps_its_name_whatever_it_is() -> None:
    old = StackName("amplify", "app", "Development", "12345")
    assert old.for_environment("Development") == old


def test_a_suffix_must_be_letters_and_digits() -> None:
    with pytest.raises(ConfigError, match="'a-b' cannot be a stack name's suffix"):
        NAME.for_environment("prod", "a-b")


def test_the_deployment_bucket_must_fit() -> None:
    with pytest.raises(ConfigError, match="has 67 characters, S3 allows 63"):
        StackName("amplify", "x" * 31, "dev", "12345").for_environment("production")


def test_a_wrong_environment_renders_no_root() -> None:
    assembly = assemble(read_export(EXPORTS["todo"]))
    with pytest.raises(ConfigError, match="'eu-prod' cannot be an Amplify environment"):
        render_root(assembly, EnvironmentValues("eu-prod", 1), "bucket")
