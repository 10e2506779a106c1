"""What AWS answers becomes facts; what it refuses becomes the right that is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.pipeline.source_models import (
    CodeCommitSource,
    ConnectionSource,
    GitHubTokenSource,
    S3Source,
)
from amplify_delivery.delivery.account.build_quota import BuildQuota
from amplify_delivery.delivery.doctor.asking import (
    backend_facts,
    identity,
    quotas,
    repositories,
    roles,
    stack_policy,
    states,
    this_machine,
)
from amplify_delivery.delivery.doctor.asking.clients import Clients, NotKnownError
from amplify_delivery.delivery.doctor.judging.caller import Caller, NoCaller
from amplify_delivery.delivery.doctor.judging.connection import Connection, Source
from amplify_delivery.delivery.doctor.judging.room_left import Functions, Used
from amplify_delivery.delivery.doctor.judging.state_place import Key, StateBucket
from amplify_delivery.delivery.doctor.judging.tools import pinned
from amplify_delivery.delivery.doctor.judging.trust import Decision, Trust
from amplify_delivery.delivery.doctor.place import Place
from amplify_delivery.export import assemble, read_export
from unit.components.backends import folder
from unit.delivery.doctor.commands import check, printed
from unit.delivery.doctor.stubbed import Stubbed
from unit.places import REPOSITORY

ACCOUNT, HOME = "222222222222", "us-east-1"
PLACE = Place("prod", ACCOUNT, "eu-west-1")
NAMES = EnvironmentNames("app", ACCOUNT, "eu-west-1", "prod")
ROLE = NAMES.project_role_arn("deploy")
CONNECTION = ConnectionSource(
    connection=f"arn:aws:codeconnections:eu-west-1:{ACCOUNT}:connection/1", repository="example/app"
)
WHO = {"UserId": "A", "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/ada"}


def given(clients: Stubbed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "Clients", lambda _: clients.asking)


def test_the_callers_account_and_role_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given(Stubbed().answer("sts", "get_caller_identity", WHO), monkeypatch)
    assert identity.caller(PLACE)[1] == Caller(ACCOUNT, WHO["Arn"])


def test_credentials_are_good_though_their_region_is_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    stubbed = Stubbed().refuse("sts", "get_caller_identity", "InvalidClientTokenId")
    given(stubbed.answer("sts", "get_caller_identity", WHO, HOME), monkeypatch)
    assert identity.caller(PLACE)[1] == Caller(ACCOUNT, WHO["Arn"])


@pytest.mark.parametrize(
    ("code", "remedy"), [("ExpiredToken", "aws sso login"), ("SignatureDoesNotMatch", "check the stack's profile")]
)
def test_credentials_that_aws_refuses(code: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given(Stubbed().refuse("sts", "get_caller_identity", code), monkeypatch)
    clients, found = identity.caller(PLACE)
    assert clients is None
    assert isinstance(found, NoCaller)
    assert code in found.said
    assert remedy in found.remedy


def test_no_credentials_and_no_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for place, remedy in ((PLACE, "log in"), (Place("prod", ACCOUNT, "eu-west-1", profile="gone"), "add the profile")):
        clients, found = identity.caller(place)
        assert clients is None
        assert isinstance(found, NoCaller)
        assert remedy in found.remedy


def test_awss_time_is_told_without_credentials_and_in_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    date = "Sun, 29 Nov 2026 12:00:00 GMT"
    given(Stubbed().refuse("sts", "get_caller_identity", "MissingAuthenticationToken", date=date), monkeypatch)
    assert identity.times(PLACE).theirs == datetime(2026, 11, 29, 12, tzinfo=UTC)
    given(Stubbed().refuse("sts", "get_caller_identity", "MissingAuthenticationToken"), monkeypatch)
    with pytest.raises(NotKnownError):
        identity.times(PLACE)


def test_a_profile_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(NotKnownError, match="gone"):
        identity.times(PLACE)
    assert isinstance(identity.caller(PLACE)[1], NoCaller)


def test_the_region_is_asked_of_whoever_may_tell() -> None:
    told = Stubbed().answer("account", "get_region_opt_status", {"RegionOptStatus": "DISABLED"}, HOME)
    assert identity.region_status(told.asking, PLACE) == "DISABLED"
    denied = Stubbed().refuse("account", "get_region_opt_status", "AccessDeniedException", HOME)
    answer = {"Regions": [{"RegionName": "eu-west-1", "OptInStatus": "not-opted-in"}]}
    denied.answer("ec2", "describe_regions", answer, HOME, RegionNames=["eu-west-1"], AllRegions=True)
    assert identity.region_status(denied.asking, PLACE) == "not-opted-in"


def asked(stubbed: Stubbed, ask: Callable[[Clients], Any]) -> Any:
    found = ask(stubbed.asking)
    stubbed.done()
    return found


def test_what_is_used_of_quotas() -> None:
    limits = [{"Name": "StackLimit", "Value": 2000}, {"Name": "ConcurrentResourcesLimit", "Value": 2500}]
    stubbed = Stubbed().answer("cloudformation", "describe_account_limits", {"AccountLimits": limits})
    assert asked(stubbed, quotas.limits) == quotas.Limits(2000, 2500)
    summaries = [
        {"StackName": name, "StackStatus": status, "CreationTime": datetime.now(UTC)}
        for name, status in (("a", "CREATE_COMPLETE"), ("b", "DELETE_COMPLETE"), ("c", "ROLLBACK_COMPLETE"))
    ]
    stubbed = Stubbed().answer("cloudformation", "list_stacks", {"StackSummaries": summaries})
    assert asked(stubbed, quotas.stacks) == ("a", "c")
    summary = {"Roles": 5, "RolesQuota": 1000, "Policies": 2, "PoliciesQuota": 1500}
    stubbed = Stubbed().answer("iam", "get_account_summary", {"SummaryMap": summary})
    assert asked(stubbed, quotas.identities) == (Used(5, 1000), Used(2, 1500))
    stubbed = Stubbed().answer("s3", "list_buckets", {"Buckets": [{"Name": "a"}, {"Name": "b"}]})
    stubbed.answer("service-quotas", "get_service_quota", {"Quota": {"Value": 10000.0}}, HOME)
    assert asked(stubbed, lambda clients: quotas.buckets(clients, PLACE)) == Used(2, 10000)
    stubbed = Stubbed().answer("s3", "list_buckets", {"Buckets": []})
    stubbed.refuse("service-quotas", "get_service_quota", "NoSuchResourceException", HOME)
    stubbed.answer("service-quotas", "get_aws_default_service_quota", {"Quota": {"Value": 100.0}}, HOME)
    assert asked(stubbed, lambda clients: quotas.buckets(clients, PLACE)) == Used(0, 100)
    settings = {
        "AccountLimit": {"TotalCodeSize": 75, "ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 9},
        "AccountUsage": {"TotalCodeSize": 7},
    }
    stubbed = Stubbed().answer("lambda", "get_account_settings", settings)
    assert asked(stubbed, quotas.functions) == Functions(10, 9, Used(7, 75))
    name = "Concurrently running builds for Linux/Small environment"
    answer = {"Quotas": [{"QuotaName": name, "QuotaCode": "L-3", "Value": 1.0}]}
    stubbed = Stubbed().answer("service-quotas", "list_service_quotas", answer)
    assert asked(stubbed, lambda clients: quotas.builds(clients, "BUILD_GENERAL1_SMALL")) == BuildQuota("L-3", 1)


def test_what_is_not_told_is_not_known() -> None:
    with pytest.raises(NotKnownError):
        quotas.limits(Stubbed().answer("cloudformation", "describe_account_limits", {"AccountLimits": []}).asking)
    with pytest.raises(NotKnownError):
        quotas.identities(Stubbed().answer("iam", "get_account_summary", {"SummaryMap": {}}).asking)


def test_the_state_bucket() -> None:
    file = ".pulumi/stacks/app/prod.json"

    def bucket(stubbed: Stubbed) -> StateBucket:
        found = states.bucket(stubbed.asking, "b", ACCOUNT, "app", "prod")
        stubbed.done()
        return found

    def listing(*keys: str) -> dict[str, Any]:
        return {"KeyCount": len(keys), "Contents": [{"Key": key} for key in keys]}

    def holding(stack: list[str], history: list[str], locks: list[str]) -> Stubbed:
        stubbed = Stubbed().answer("s3", "head_bucket", {}, Bucket="b", ExpectedBucketOwner=ACCOUNT)
        for keys in (stack, history, locks):
            stubbed.answer("s3", "list_objects_v2", listing(*keys))
        return stubbed

    assert bucket(Stubbed().refuse("s3", "head_bucket", "404")) == StateBucket("b", there=False)
    assert bucket(holding([f"{file}.gz"], ["h"], [])) == StateBucket("b", there=True, stack=True, history=True)
    # What lies beside it is a copy of before.
    assert bucket(holding([f"{file}.bak"], ["h"], ["1"])) == StateBucket("b", there=True, history=True, locks=1)


def test_the_key_and_the_version() -> None:
    metadata = {"KeyId": "1234", "KeyState": "Disabled"}
    stubbed = Stubbed().answer("kms", "describe_key", {"KeyMetadata": metadata}, KeyId="alias/a")
    assert states.key(stubbed.asking, "alias/a") == Key("alias/a", "Disabled", "1234")
    gone = Stubbed().refuse("kms", "describe_key", "NotFoundException")
    assert states.key(gone.asking, "alias/a") == Key("alias/a", "")
    told = Stubbed().answer("ssm", "get_parameter", {"Parameter": {"Value": "3"}}, Name=NAMES.version_parameter)
    assert states.version(told.asking, NAMES) == "3"
    assert states.version(Stubbed().refuse("ssm", "get_parameter", "ParameterNotFound").asking, NAMES) is None


def test_where_a_personal_stacks_state_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    nowhere = {"PULUMI_HOME": str(tmp_path)}
    assert states.own(tmp_path, nowhere) == ("", False, "", "")
    here = f"file://{tmp_path}"
    assert states.own(tmp_path, {"PULUMI_BACKEND_URL": here}) == (here, True, "", "")
    gone = f"file://{tmp_path}/gone"
    url, reached, said, remedy = states.own(tmp_path, {"PULUMI_BACKEND_URL": gone})
    assert (url, reached, said, remedy[-1]) == (gone, False, f"{gone}: there is no such folder", "`")
    for odd in ("my state", "state?a=1&b=2"):
        remedy = states.own(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}/gone/{odd}"})[3]
        for command in printed(remedy):
            check(command)
    cloud = states.own(tmp_path, {"PULUMI_BACKEND_URL": "https://api.pulumi.com", "PATH": str(tmp_path)})
    assert cloud[:2] == ("https://api.pulumi.com", False)


def test_a_role_and_its_trust() -> None:
    role = {"Path": "/", "RoleName": "a", "RoleId": "A" * 16, "CreateDate": datetime.now(UTC)}
    trust = '{"Statement": []}'
    stubbed = Stubbed().answer("iam", "get_role", {"Role": {**role, "Arn": ROLE, "AssumeRolePolicyDocument": trust}})
    assert roles.trust(stubbed.asking, ROLE).found == {"Statement": []}
    other = {**role, "Arn": f"arn:aws:iam::{ACCOUNT}:role/elsewhere/a", "AssumeRolePolicyDocument": trust}
    assert roles.trust(Stubbed().answer("iam", "get_role", {"Role": other}).asking, ROLE) == Trust(ROLE, None)
    assert roles.trust(Stubbed().refuse("iam", "get_role", "NoSuchEntity").asking, ROLE) == Trust(ROLE, None)


def test_whose_policies_are_simulated() -> None:
    assert roles.simulated_as(Stubbed().asking, WHO["Arn"]) == WHO["Arn"]
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1"
    role = {"Path": "/", "RoleName": "a", "RoleId": "A" * 16, "CreateDate": datetime.now(UTC), "Arn": arn}
    stubbed = Stubbed().answer("iam", "get_role", {"Role": role}, RoleName="AWSReservedSSO_Admin_1")
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_1/ada@example.org"
    assert roles.simulated_as(stubbed.asking, caller) == arn
    for other in (f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:sts::{ACCOUNT}:federated-user/ada"):
        with pytest.raises(NotKnownError):
            roles.simulated_as(Stubbed().asking, other)


def test_the_simulator_is_asked_for_each_resource_with_the_keys_that_are_known() -> None:
    result = {
        "EvalActionName": "iam:PassRole",
        "EvalResourceName": "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",
        "EvalDecision": "explicitDeny",
        "OrganizationsDecisionDetail": {"AllowedByOrganizations": False},
        "ResourceSpecificResults": [
            {
                "EvalResourceName": ROLE,
                "EvalResourceDecision": "explicitDeny",
                "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": True},
                "MissingContextValues": ["aws:SourceIp"],
            }
        ],
    }
    entry = {
        "ContextKeyName": "iam:PassedToService",
        "ContextKeyType": "string",
        "ContextKeyValues": ["cloudformation.amazonaws.com"],
    }
    stubbed = Stubbed().answer(
        "iam",
        "simulate_principal_policy",
        {"EvaluationResults": [result]},
        PolicySourceArn=ROLE,
        ActionNames=["iam:PassRole"],
        ContextEntries=[entry],
        ResourceArns=[ROLE],
    )
    found = roles.simulate(
        stubbed.asking, ROLE, ["iam:PassRole"], ROLE, iam__PassedToService="cloudformation.amazonaws.com"
    )
    expected = Decision("iam:PassRole", ROLE, False, organization=False, boundary=True, missing=("aws:SourceIp",))
    assert found == [expected]


def test_many_actions_are_simulated_in_several_calls() -> None:
    stubbed = Stubbed()
    for _ in range(2):
        result = {"EvalActionName": "s3:GetObject", "EvalResourceName": "*", "EvalDecision": "allowed"}
        stubbed.answer("iam", "simulate_principal_policy", {"EvaluationResults": [result]})
    found = roles.simulate(stubbed.asking, ROLE, [f"s3:Get{number}" for number in range(101)])
    stubbed.done()
    assert found == [Decision("s3:GetObject", "*", allowed=True)] * 2


def test_a_role_that_is_not_there_is_not_simulated() -> None:
    with pytest.raises(NotKnownError, match="there is no"):
        roles.simulate(Stubbed().refuse("iam", "simulate_principal_policy", "NoSuchEntity").asking, ROLE, ["s3:x"])


def test_a_sources_state_is_asked_of_its_own_service() -> None:
    answer = {"Connection": {"ConnectionStatus": "PENDING", "ProviderType": "GitHub"}}
    told = Stubbed().answer("codeconnections", "get_connection", answer, ConnectionArn=CONNECTION.connection)
    assert repositories.connection(told.asking, CONNECTION) == Connection(CONNECTION.connection, "PENDING", "GitHub")
    gone = Stubbed().refuse("codeconnections", "get_connection", "ResourceNotFoundException")
    assert repositories.connection(gone.asking, CONNECTION) == Connection(CONNECTION.connection, "")
    older = CONNECTION.model_copy(update={"connection": CONNECTION.connection.replace("codec", "codestar-c")})
    told = Stubbed().answer("codestar-connections", "get_connection", answer)
    assert repositories.connection(told.asking, older).status == "PENDING"


def source(told: Stubbed, of: Any, place: Place = PLACE) -> tuple[Source, list[str]]:
    """What is said of a source, and the commands of its remedy, each of which could be typed."""
    found, remedy = repositories.other(told.asking, of, place)
    commands = printed(remedy)
    for command in commands:
        check(command, place.region, place.profile)
    return found, commands


def test_other_sources() -> None:
    token = GitHubTokenSource(type="github-token", repository="a/b", token_secret="t")
    there = Stubbed().answer("secretsmanager", "describe_secret", {"Name": "t"}, SecretId="t")
    found, _ = source(there, token)
    assert (found.there, found.wrong) == (True, "")
    going = Stubbed().answer("secretsmanager", "describe_secret", {"DeletedDate": datetime.now(UTC)})
    found, commands = source(going, token)
    assert (bool(found.wrong), len(commands)) == (True, 1)
    found, commands = source(Stubbed().refuse("secretsmanager", "describe_secret", "ResourceNotFoundException"), token)
    assert (found.there, len(commands)) == (False, 1)

    commits = CodeCommitSource(type="codecommit", repository="app")
    for code, number in (("BranchDoesNotExistException", 0), ("RepositoryDoesNotExistException", 1)):
        found, commands = source(Stubbed().refuse("codecommit", "get_branch", code), commits)
        assert (found.there, len(commands)) == (False, number)
    assert source(Stubbed().answer("codecommit", "get_branch", {}), commits)[0].there

    zips = S3Source(type="s3", bucket="zips", key="a.zip")
    versioned = {"Status": "Enabled"}
    tells: dict[str, Any]
    for tells, wrong in (({}, True), ({"EventBridgeConfiguration": {}}, False)):
        there = Stubbed().answer("s3", "get_bucket_versioning", versioned, Bucket="zips")
        there.answer("s3", "get_bucket_notification_configuration", tells, Bucket="zips")
        found, commands = source(there, zips)
        assert (found.there, bool(found.wrong), commands) == (True, wrong, [])
    polled, status = zips.model_copy(update={"poll": True}), {"Status": "Suspended"}
    assert not source(Stubbed().answer("s3", "get_bucket_versioning", versioned, Bucket="zips"), polled)[0].wrong
    found, commands = source(Stubbed().answer("s3", "get_bucket_versioning", status, Bucket="zips"), zips)
    assert (bool(found.wrong), len(commands)) == (True, 1)
    for place in (PLACE, replace(PLACE, region="us-east-1"), replace(PLACE, profile="my tooling")):
        found, commands = source(Stubbed().refuse("s3", "get_bucket_versioning", "NoSuchBucket"), zips, place)
        assert (found.there, len(commands)) == (False, 2)


def test_a_command_tells_whose_rights_it_needs_where_the_file_names_a_role() -> None:
    role = replace(PLACE, role_arn="arn:aws:iam::222222222222:role/ops")
    assert role.aws("s3api list-buckets").endswith("` (with the rights of arn:aws:iam::222222222222:role/ops)")


DENIED: list[tuple[str, str, str, str, Callable[[Clients], Any]]] = [
    ("cloudformation:DescribeAccountLimits", "cloudformation", "describe_account_limits", "", quotas.limits),
    ("cloudformation:ListStacks", "cloudformation", "list_stacks", "", quotas.stacks),
    ("cloudformation:GetStackPolicy", "cloudformation", "get_stack_policy", "", lambda c: stack_policy.of(c, "a")),
    ("iam:GetAccountSummary", "iam", "get_account_summary", "", quotas.identities),
    ("servicequotas:GetServiceQuota", "service-quotas", "get_service_quota", HOME, lambda c: quotas.buckets(c, PLACE)),
    ("lambda:GetAccountSettings", "lambda", "get_account_settings", "", quotas.functions),
    ("servicequotas:ListServiceQuotas", "service-quotas", "list_service_quotas", "", lambda c: quotas.builds(c, "A_B")),
    ("s3:ListBucket", "s3", "head_bucket", "", lambda c: states.bucket(c, "b", ACCOUNT, "app", "prod")),
    ("kms:DescribeKey", "kms", "describe_key", "", lambda c: states.key(c, "alias/a")),
    ("ssm:GetParameter", "ssm", "get_parameter", "", lambda c: states.version(c, NAMES)),
    ("iam:GetRole", "iam", "get_role", "", lambda c: roles.trust(c, ROLE)),
    ("iam:GetRole", "iam", "get_role", "", lambda c: roles.simulated_as(c, f"arn:aws:sts::{ACCOUNT}:assumed-role/a/b")),
    (
        "iam:SimulatePrincipalPolicy",
        "iam",
        "simulate_principal_policy",
        "",
        lambda c: roles.simulate(c, ROLE, ["s3:x"]),
    ),
    (
        "codeconnections:GetConnection",
        "codeconnections",
        "get_connection",
        "",
        lambda c: repositories.connection(c, CONNECTION),
    ),
]


@pytest.mark.parametrize(("right", "service", "operation", "region", "ask"), DENIED, ids=[d[0] for d in DENIED])
def test_what_may_not_be_asked_names_the_right(
    right: str, service: str, operation: str, region: str, ask: Callable[[Clients], Any]
) -> None:
    code = "403" if operation == "head_bucket" else "AccessDeniedException"
    where = {"region": region} if region else {}
    with pytest.raises(NotKnownError) as error:
        ask(Stubbed().refuse(service, operation, code, **where).asking)
    assert error.value.right == right
    assert right in error.value.remedy
    other = Stubbed().refuse(service, operation, "InternalFailure", **where)
    with pytest.raises(NotKnownError) as error:
        ask(other.asking)
    assert error.value.right == ""


def test_what_the_backend_consists_of() -> None:
    assembly = assemble(read_export(folder("fullapp")))
    found = backend_facts.of(assembly, "amplify-fullapp-dev-1")
    assert found.stacks == len(list(assembly.root.walk())) > 5
    assert found.resources > found.stacks + found.roles > found.roles > 2
    assert found.buckets >= 1
    assert found.code > 1000
    assert sum(map(len, found.runtimes.values())) >= 3
    assert "AWS::AppSync::GraphQLApi" in found.types


@pytest.mark.processes
def test_what_this_machine_has_is_found_in_the_project() -> None:
    found = this_machine.machine(REPOSITORY, {"PULUMI_HOME": str(REPOSITORY / "nowhere")})
    assert found.required == ">=3.220.0"
    assert found.installed["pulumi-aws"].startswith("7.")
    assert (found.environment, found.plugins) == (".venv", {})
    assert found.lock


def test_a_folder_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "_engine", lambda: "3.250.0")
    found = this_machine.machine(tmp_path, {"PULUMI_HOME": str(tmp_path)})
    assert (found.required, found.environment, found.lock) == ("", None, None)


def test_plugins_are_found_in_pulumis_home(tmp_path: Path) -> None:
    for name in ("resource-aws-v7.1.0", "resource-aws-v7.2.0", "resource-aws-native-v1.0.0", "language-go-v1.0.0"):
        (tmp_path / "plugins" / name).mkdir(parents=True)
    (tmp_path / "plugins" / "resource-aws-v7.1.0.lock").touch()
    found = this_machine._plugins({"PULUMI_HOME": str(tmp_path)})
    assert found == {"aws": {"7.1.0", "7.2.0"}, "aws-native": {"1.0.0"}}


def test_a_lock_pins_some_packages_on_some_machines_only() -> None:
    lock = "a==1 \\\nb_c==2 ; python_full_version < '3.12' \\\nb_c==3 ; python_full_version >= '3.12' \\\n"
    lock += "win==1 ; sys_platform == 'win32' \\\n./wheels/x.whl \\\n    --hash=sha256:1\n"
    assert pinned(lock) == {"a": {"1"}, "b-c": {"2", "3"}}
    assert len(pinned((REPOSITORY / "requirements.lock").read_text(encoding="utf-8"))) > 20


def test_it_only_reads() -> None:
    """Whatever AWS's clients are asked, its name says that it changes nothing."""
    folder = Path(identity.__file__).parent
    called = {
        name
        for file in folder.glob("*.py")
        for name in re.findall(r"\.([a-z]+_[a-z_]+)\(", file.read_text(encoding="utf-8"))
        if name.partition("_")[0] in WRITING | READING
    }
    assert len(called) > 10
    assert {name for name in called if name.partition("_")[0] in WRITING} == set()


READING = {"describe", "get", "head", "list", "simulate"}
WRITING = {
    *(
        "assume",
        "attach",
        "create",
        "delete",
        "disable",
        "enable",
        "execute",
        "modify",
        "put",
        "request",
        "send",
        "set",
    ),
    *("start", "stop", "tag", "untag", "update"),
}
