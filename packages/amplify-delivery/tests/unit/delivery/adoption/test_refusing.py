"""What must not be adopted, asked before anything is written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.adoption import refusing
from amplify_delivery.errors import ConfigError, RefusedError
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


ARN = "arn:aws:cloudformation:eu-west-1:012345678901:stack/amplify-app-prod-abcde/1"
URN = "urn:pulumi:prod::app::aws:cloudformation/stack:Stack::by-hand"
RUNNING: Any = SimpleNamespace(arn=ARN, name=NAME, stacks=SimpleNamespace(parameters={}))


def test_a_root_that_was_imported_by_hand_is_told() -> None:
    """As another resource: the next update would delete it. By its name, as the engine imports it too."""
    for id in (ARN, str(NAME)):
        resource = {"urn": URN, "type": ROOT_STACK, "id": id}
        with pytest.raises(RefusedError, match="as by-hand, which is none of the program's own") as caught:
            refusing.check_imported("prod", RUNNING, [resource], "PULUMI_BACKEND_URL=b ")
        assert f"`PULUMI_BACKEND_URL=b pulumi state delete --force -s prod '{URN}'`" in caught.value.remedy
    refusing.check_imported("prod", RUNNING, [{"urn": URN, "type": ROOT_STACK, "id": "another"}], "")
    refusing.check_state("prod", RUNNING, {"id": str(NAME)})
    with pytest.raises(RefusedError, match="delivers another already"):
        refusing.check_state("prod", RUNNING, {"id": "another"})


def test_a_copied_stack_file_takes_over_nobodys_root() -> None:
    """`--state-lost` is what messages print for a state that does not know the root; of two files one is wrong."""
    refusing.check_others("qa", RUNNING, {"qa": str(NAME), "prod": "amplify-app-prod-2"}, "account 1")
    with pytest.raises(RefusedError, match=r"Pulumi\.dev\.yaml names the same root stack in account 1") as caught:
        refusing.check_others("qa", RUNNING, {"dev": str(NAME), "qa": str(NAME)}, "account 1")
    assert "`pulumi config set -s qa environment NAME`" in caught.value.remedy
    assert "`amplify-delivery adopt dev --state-lost`" in caught.value.remedy
