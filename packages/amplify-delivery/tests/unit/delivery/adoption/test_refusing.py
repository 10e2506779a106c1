"""What must not be adopted, asked before anything is written."""

from __future__ import annotations

import pytest

from amplify_delivery.delivery.adoption import refusing
from amplify_delivery.errors import ConfigError
from amplify_delivery.export.names import StackName
from amplify_delivery.stacks.config import EnvironmentConfig

NAME = StackName("amplify", "app", "prod", "abcde")
CONFIG = EnvironmentConfig(account="012345678901", region="eu-west-1", environment="prod", suffix="eeeee")


def test_a_stack_file_that_names_another_environment_or_suffix_is_not_overruled() -> None:
    refusing.check_names(CONFIG, {"account": "012345678901"}, NAME, "Pulumi.prod.yaml")
    with pytest.raises(ConfigError, match="suffix is 'eeeee' there, but amplify-app-prod-abcde is to be adopted") as no:
        refusing.check_names(CONFIG, {"suffix": "eeeee"}, NAME, "Pulumi.prod.yaml")
    assert "`pulumi config set -s prod suffix abcde`" in no.value.remedy
    other = CONFIG.model_copy(update={"environment": "live"})
    with pytest.raises(ConfigError, match="environment is 'live' there"):
        refusing.check_names(other, {"environment": "live"}, NAME, "Pulumi.prod.yaml")
