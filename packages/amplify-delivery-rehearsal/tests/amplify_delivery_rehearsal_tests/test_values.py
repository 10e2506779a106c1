"""What a stack file gives an export that is rehearsed: its plain parameters, and a made-up value for each secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from amplify_delivery import cli
from amplify_delivery.delivery.project import stack_files
from amplify_delivery_rehearsal.command import of_environment
from amplify_delivery_rehearsal.workspace import Workspace

FILE = """config:
  app:account: "012345678901"
  app:region: eu-west-1
  app:parameters:
    apiapp:
      DynamoDBBillingMode: PROVISIONED
      Old: "012"
    authapp:
      creds:
        secure: v1:AAAA:BBBB
"""


def test_the_parameters_of_an_environment_reach_the_rehearsals_own(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    (tmp_path / "Pulumi.prod.yaml").write_text(FILE)
    values = of_environment(tmp_path, "prod")
    assert set(values.secrets) == {("authapp", "creds")}
    assert values.secrets["authapp", "creds"].startswith("rehearsed-")
    Workspace(tmp_path, {}).rename("app", "444444444444", "us-east-1", values.parameters)
    rehearsed = stack_files.load(tmp_path, "dev")
    assert rehearsed.parameters == {"apiapp": {"DynamoDBBillingMode": "PROVISIONED", "Old": "012"}}
    assert (rehearsed.account, rehearsed.region) == ("444444444444", "us-east-1")


def test_the_story_of_the_pipeline_has_all_environments(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rehearse", "--environment", "prod"]) == 3
    assert "--environment belongs to exports" in capsys.readouterr().err
