"""What is said when an account lacks rights: every type, what needs it, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.changes.steps import AddResource
from amplify_delivery.components.documents.account.record import rights_of
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.rights.prepared import Prepared
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.account.rights_check import (
    check,
    check_names,
    check_policies,
    check_roles,
    declared_boundary,
    denied_at_run_time,
    not_compared,
    outdated,
    recorded,
    unclear,
)
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.environment import planned
from amplify_delivery.delivery.planning import Lacking, Needs
from amplify_delivery.errors import DeployError, RefusedError
from amplify_delivery.stacks.access import environment_names
from amplify_delivery.stacks.config import Project
from aws_rehearsal_tests.local_account import LocalAccount
from unit.delivery.planning.stacks_of import stacks_of, with_resource
from unit.stacks.projects import APP, make, write


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
        "an administrator of account 222222222222 runs `pulumi up -s preprod-account` (or `amplify-delivery bootstrap "
        "preprod`); nothing was changed (`amplify-delivery rights preprod` lists the rights)"
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
    types = ["AWS::SQS::Queue", "AWS::Lambda::Function"]
    write(project.directory, "preprod-account", {"program": "account", "programTypes": types})
    del program["aws:route53/zone:Zone"]
    error = refusal(lacks(program=program), Project(project.directory))
    assert error.remedy.startswith("an administrator of account 222222222222 runs"), "the files say it all already"


def test_a_role_without_the_boundary_is_refused_before_anything_runs(project: Project) -> None:
    config = project.environment("preprod")
    with pytest.raises(RefusedError, match="without the account's permissions boundary") as caught:
        check_roles({"aws-native:iam:Role": ["worker"]}, config, project)
    assert "aws-native:iam:Role (worker)" in caught.value.message
    assert "`environment.permissions_boundary`" in caught.value.remedy
    check_roles({}, config, project)


def test_a_mistake_in_the_accounts_file_is_not_what_is_told(project: Project) -> None:
    write(project.directory, "preprod-account", {"program": "account", "nonsense": "true"})
    assert "AWS::SNS::Topic" in refusal(lacks(backend={"AWS::SNS::Topic": ["Topic"]}), project).message


def test_what_only_aws_can_say_is_a_note() -> None:
    [note] = unclear(lacks(open_={"aws:route53/zone:Zone": ["zone"]}))
    assert "whether `deploy` has the rights for aws:route53/zone:Zone (zone), is not known" in note


# --- what the boundary denies at run time -----------------------------------------------------------------------------

IOT: Needs = {"iot:Connect": ["auth/AuthRole"], "bedrock:InvokeModel": ["hello/Role"]}


def test_what_the_boundary_denies_is_a_line_with_the_way_out(project: Project) -> None:
    [line] = denied_at_run_time(IOT, project.environment("preprod"), project)
    assert "iot:Connect (auth/AuthRole); bedrock:InvokeModel (hello/Role)" in line
    assert "Pulumi.preprod-account.yaml names in `boundaryServices`: bedrock, iot; an administrator of account" in line
    assert "runs `pulumi up -s preprod-account`" in line
    assert denied_at_run_time({}, project.environment("preprod"), project) == ()


def test_what_no_backend_gets_is_said_so(project: Project) -> None:
    [line] = denied_at_run_time({"iam:CreateUser": ["Role"]}, project.environment("preprod"), project)
    assert "boundaryServices" not in line
    assert "no role of a backend gets iam: take it out of the export" in line


def test_what_was_not_looked_into_is_named() -> None:
    [line] = not_compared({"AWSNewServiceFullAccess": ["hello/Role"]})
    assert "AWSNewServiceFullAccess (hello/Role)" in line
    assert not_compared({}) == ()


def test_the_accounts_file_says_what_its_boundary_lets_pass(project: Project) -> None:
    config = project.environment("preprod")
    assert not declared_boundary(config, project, ()).lets_pass("iot:Connect")
    write(project.directory, "preprod-account", {"program": "account", "boundaryServices": ["iot"]})
    assert declared_boundary(config, Project(project.directory), ()).lets_pass("iot:Connect")


def test_a_record_in_a_later_versions_form_asks_for_that_version(project: Project) -> None:
    """A bootstrap with this one, which is the way out of every other record, would take rights away."""
    config = project.environment("preprod")
    account = SimpleNamespace(parameter=lambda _: '{"form": "later", "content": ""}')
    with pytest.raises(RefusedError, match="a later version of this program has written it") as caught:
        recorded(config, project, account)  # type: ignore[arg-type]
    assert "bootstrap" not in caught.value.remedy
    assert "install the version" in caught.value.remedy


def test_roles_of_another_version_are_named(project: Project) -> None:
    config = project.environment("preprod")
    prepared = Prepared(frozenset({"AWS::SQS::Queue"}), frozenset(), frozenset())
    current = replace(prepared, rights=rights_of(prepared))
    assert outdated(current, config, project) == ()
    # Another digest for the boundary, which stands first, and for the project that stands last.
    [line] = outdated(replace(current, rights=f"????{current.rights[4:-4]}????"), config, project)
    assert f"of the boundary, {environment_names(APP, config).project_role('check')}. What" in line
    assert "`amplify-delivery bootstrap preprod`" in line
    [line] = outdated(prepared, config, project)
    assert "which did not write down their rights" in line
    foreign = config.model_copy(update={"execution_role_arn": "arn:aws:iam::222222222222:role/x"})
    only_execution = replace(current, rights=f"{current.rights[:4]}????{current.rights[8:]}")
    assert outdated(only_execution, foreign, project) == ()
    assert len(outdated(only_execution, config, project)) == 1


def test_a_plan_says_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an environment that is deployed with another execution role as well: the boundary is the account's."""
    stacks = stacks_of("iam")
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}
    document = {"PolicyName": "iot", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    wanted = with_resource(stacks, "UpdateRolesWithIDPFunctionRole", Policies=[document])
    types = frozenset(r["Type"] for t in wanted.templates.values() for r in t["Resources"].values())
    record = Prepared(types | {"AWS::CloudFormation::CustomResource"}, frozenset(), frozenset())
    monkeypatch.setattr("amplify_delivery.delivery.account.rights_check.recorded", lambda *_: record)
    here = SimpleNamespace(wanted=wanted, found=SimpleNamespace(stacks=None), steps=())
    # A name that no right of the account's execution role covers.
    path = ("UpdateRolesWithIDPFunctionRole",)
    named = with_resource(wanted, path[0], RoleName="worker")
    foreign = SimpleNamespace(wanted=named, found=here.found, steps=[AddResource(path, "AWS::IAM::Role", "")])
    ours = project.environment("preprod")
    for config in (
        ours,
        ours.model_copy(update={"execution_role_arn": "arn:aws:iam::222222222222:role/x"}),
    ):
        target = SimpleNamespace(
            config=config,
            account=None,
            names=environment_names(APP, config),
            context=Context(project.directory, {}),
            root=SimpleNamespace(stack_name="amplify-app-preprod-1"),
        )
        [earlier, note] = planned._rights(target, here, ())  # type: ignore[arg-type]
        assert "made by an earlier version" in earlier
        assert "iot:Connect (UpdateRolesWithIDPFunctionRole)" in note
        if config is ours:
            with pytest.raises(RefusedError, match=r"AWS::IAM::Role /worker \(UpdateRoles\w+\)") as caught:
                planned._rights(target, foreign, ())  # type: ignore[arg-type]
            assert "-preprod.fifo" in str(caught.value)
            assert "executionRoleArn" in caught.value.remedy
        else:
            assert planned._rights(target, foreign, ())  # type: ignore[arg-type]


def test_a_plan_refuses_managed_policies_with_names_of_their_own(project: Project) -> None:
    with pytest.raises(DeployError, match=r"AWS::IAM::ManagedPolicy reports-prod \(api/Policy\)") as caught:
        check_policies({"AWS::IAM::ManagedPolicy reports-prod": ["api/Policy"]}, project.environment("preprod"))
    assert "take `ManagedPolicyName` out of them" in caught.value.remedy
    check_policies({}, project.environment("preprod"))


def test_a_plan_refuses_what_would_be_called_after_its_logical_id_alone(project: Project) -> None:
    with pytest.raises(DeployError, match=r"AWS::StepFunctions::StateMachine \(custom/Machine\)") as caught:
        check_names({"AWS::StepFunctions::StateMachine": ["custom/Machine"]}, project.environment("preprod"))
    assert "a name that ends in the environment's" in caught.value.remedy
    check_names({}, project.environment("preprod"))


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
    write(folder, "preprod", {"account": developer.account, "region": developer.region, "bootstrapped": "true"})
    for name, variable in developer.environment.items():
        monkeypatch.setenv(name, variable)
    if value is not None:
        name = EnvironmentNames(APP, developer.account, developer.region, "preprod").types_parameter
        developer.client("ssm").put_parameter(Name=name, Value=value, Type="String")
    return Project(folder), Project(folder).environment("preprod")
