"""What is said when an account lacks rights: every type, what needs it, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amplify_export.errors import DeployError
from components.documents.naming import EnvironmentNames
from delivery.account import Account
from delivery.planning import Lacking, Needs
from delivery.prepared import check, recorded, unclear
from stacks.config import Project
from tests.local_account import LocalAccount
from tests.stacks.projects import APP, make, write


def lacks(
    *,
    backend: Needs | None = None,
    removed: Needs | None = None,
    program: Needs | None = None,
    open_: Needs | None = None,
) -> Lacking:
    return Lacking(backend or {}, removed or {}, program or {}, open_ or {})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    make(tmp_path, 1)
    return Project(tmp_path)


def refusal(lacking: Lacking, project: Project) -> DeployError:
    with pytest.raises(DeployError) as caught:
        check(lacking, project.environment("preprod"), project)
    return caught.value


def test_nothing_lacks(project: Project) -> None:
    check(lacks(open_={"aws:route53/zone:Zone": ["zone"]}), project.environment("preprod"), project)


def test_types_of_the_export(project: Project) -> None:
    pools = [f"auth/Pool{n}" for n in range(5)]
    error = refusal(lacks(backend={"AWS::Cognito::UserPool": pools, "AWS::SNS::Topic": ["Topic"]}), project)
    assert error.message == (
        "the account has not given the rights for:\n"
        "  AWS::Cognito::UserPool (auth/Pool0, auth/Pool1, auth/Pool2 and 2 more), of the export\n"
        "  AWS::SNS::Topic (Topic), of the export"
    )
    assert error.where == "preprod (account 222222222222, us-east-1)"
    assert error.remedy == (
        "an administrator of account 222222222222 runs `pulumi up -s preprod-account` (or `python -m delivery enrol "
        "preprod`); nothing was changed (`python -m delivery rights preprod` lists the rights)"
    )


def test_what_goes_is_named_until_it_is_gone(project: Project) -> None:
    removed = {"AWS::SNS::Topic": ["Topic"], "AWS::SQS::Queue": ["Queue"]}
    error = refusal(lacks(removed=removed), project)
    assert "  AWS::SNS::Topic (Topic), of what the deployment removes" in error.message
    assert "Pulumi.preprod-account.yaml names in `backendTypes`: AWS::SNS::Topic, AWS::SQS::Queue; an" in error.remedy
    write(project.directory, "preprod-account", {"program": "account", "backendTypes": ["AWS::SNS::Topic"]})
    error = refusal(lacks(removed=removed), Project(project.directory))
    assert "names in `backendTypes`: AWS::SQS::Queue; an" in error.remedy
    # Nothing to write for what the export still has: the account's stack computes it.
    error = refusal(lacks(removed=removed, backend=removed), Project(project.directory))
    assert "backendTypes" not in error.remedy


def test_what_the_program_adds_is_named_in_the_accounts_file(project: Project) -> None:
    program = {"aws-native:lambda:Function": ["hello"], "aws:sqs/queue:Queue": ["jobs"], "aws:route53/zone:Zone": ["z"]}
    error = refusal(lacks(program=program), project)
    assert "  aws:sqs/queue:Queue (jobs), of what the program adds" in error.message
    assert "account.yaml names in `programTypes`: AWS::Lambda::Function, AWS::SQS::Queue;" in error.remedy
    assert "gives in `deployRights` what is needed for aws:route53/zone:Zone;" in error.remedy
    write(project.directory, "preprod-account", {"program": "account", "programTypes": ["AWS::SQS::Queue"]})
    place = {"account": "222222222222", "region": "us-east-1", "enrolled": "true", "helloService": "true"}
    write(project.directory, "preprod", place)
    del program["aws:route53/zone:Zone"]
    error = refusal(lacks(program=program), Project(project.directory))
    assert error.remedy.startswith("an administrator of account 222222222222 runs"), "the files say it all already"


def test_a_mistake_in_the_accounts_file_is_not_what_is_told(project: Project) -> None:
    write(project.directory, "preprod-account", {"program": "account", "nonsense": "true"})
    assert "AWS::SNS::Topic" in refusal(lacks(backend={"AWS::SNS::Topic": ["Topic"]}), project).message


def test_what_only_aws_can_say_is_a_note() -> None:
    [note] = unclear(lacks(open_={"aws:route53/zone:Zone": ["zone"]}))
    assert "whether `deploy` has the rights for aws:route53/zone:Zone (zone), is not known" in note


# --- the record in the account ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "there is no parameter /amplify-delivery/"), ("none", "/types is "), ("{}", "/types is not a record")],
)
def test_an_account_without_a_record(
    tmp_path: Path, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch, value: str | None, said: str
) -> None:
    found, config = there(tmp_path, developer, monkeypatch, value)
    with pytest.raises(DeployError, match="does not say what its roles were made for") as caught:
        recorded(config, found, Account(developer.account, developer.region))
    assert said in caught.value.message
    assert "runs `pulumi up -s preprod-account`" in caught.value.remedy


def test_the_record_is_read(tmp_path: Path, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"backend":{"SQS":["Queue"]},"further":[],"program":{}}'
    found, config = there(tmp_path, developer, monkeypatch, text)
    assert recorded(config, found, Account(developer.account, developer.region)).backend == {"AWS::SQS::Queue"}


def there(
    folder: Path, developer: LocalAccount, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> tuple[Project, Any]:
    """A project whose `preprod` is the developer's account, with that record in it."""
    make(folder, 1)
    write(folder, "preprod", {"account": developer.account, "region": developer.region, "enrolled": "true"})
    for name, variable in developer.environment.items():
        monkeypatch.setenv(name, variable)
    if value is not None:
        name = EnvironmentNames(APP, developer.account, developer.region, "preprod").types_parameter
        developer.client("ssm").put_parameter(Name=name, Value=value, Type="String")
    return Project(folder), Project(folder).environment("preprod")
