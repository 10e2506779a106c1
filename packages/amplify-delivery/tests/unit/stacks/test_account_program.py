"""The program of an account, as Pulumi runs it: `__main__.py` over a real export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest

from amplify_delivery.components.documents.environment import ACCOUNT_VERSION
from amplify_delivery.components.documents.rights.prepared import parse
from amplify_delivery.export import ExportRefused, assemble, read_export
from amplify_delivery.stacks.assemblies import Assemblies
from amplify_delivery.stacks.config import Project
from unit.components.recorder import Recording, Registered
from unit.export.mutations import MANIFEST, set_value
from unit.stacks.projects import APP, ASKED_FOR, HELLO_TYPES, HOME, SMOKE_TEST, TOOLING, account_of, make, run, write

ROLE, POLICY, BUILD = "aws-native:iam:Role", "aws:iam/policy:Policy", "aws:codebuild/project:Project"
BUCKET, KEY, PARAMETER = "aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:ssm/parameter:Parameter"
PATH = f"/amplify-delivery/{APP}/env/preprod/"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def recording(directory: Path) -> Recording:
    return run(directory, "preprod-account")


def roles(recording: Recording) -> dict[str, Any]:
    return {r.inputs["roleName"]: r for r in recording.all(ROLE)}


def test_one_action_role_one_execution_role_and_four_projects_with_a_role_each(recording: Recording) -> None:
    assert set(roles(recording)) == {
        f"{APP}-preprod-{what}" for what in ("action", "cloudformation", "publish", "plan", "deploy", "check")
    }
    assert {p.inputs["name"] for p in recording.all(BUILD)} == {
        f"{APP}-preprod-{what}" for what in ("publish", "plan", "deploy", "check")
    }
    for project in recording.all(BUILD):
        assert project.inputs["serviceRole"].endswith(f"{PATH}project/{project.inputs['name']}")
        assert project.inputs["source"]["type"] == "CODEPIPELINE"
        assert json.loads(project.inputs["source"]["buildspec"])["version"] == 0.2
        variables = {v["name"]: v["value"] for v in project.inputs["environment"]["environmentVariables"]}
        # Who uses the engine is told where the state lies; the other two have no right to look there.
        state = variables.pop("PULUMI_BACKEND_URL", None)
        uses_engine = project.inputs["name"].endswith(("-plan", "-deploy"))
        account = account_of(0)
        assert state == (f"s3://{APP}-preprod-state-{account}-{HOME}-an?region={HOME}" if uses_engine else None)
        assert variables == {"ENVIRONMENT": "preprod"}


def test_only_the_pipelines_role_may_assume_the_action_role(recording: Recording) -> None:
    [statement] = roles(recording)[f"{APP}-preprod-action"].inputs["assumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{TOOLING}:root"}
    pipeline = f"arn:aws:iam::{TOOLING}:role/amplify-delivery/{APP}/pipeline/pipeline/{APP}-pipeline"
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": pipeline}}


def test_a_role_waits_for_the_policies_it_needs(recording: Recording) -> None:
    policies = {p.inputs["path"] + p.inputs["name"]: p.urn for p in recording.all(POLICY)}
    for role in recording.all(ROLE):
        for arn in role.inputs.get("managedPolicyArns", ()):
            assert policies[arn.partition(":policy")[2]] in role.depends_on


def test_a_project_waits_for_its_role_and_its_log(recording: Recording) -> None:
    logs = {r.inputs["logGroupName"]: r.urn for r in recording.all("aws-native:logs:LogGroup")}
    for project in recording.all(BUILD):
        role = roles(recording)[project.inputs["name"]]
        group = project.inputs["logsConfig"]["cloudwatchLogs"]["groupName"]
        assert {role.urn, logs[group]} <= project.depends_on


def test_no_project_refuses_a_second_build(recording: Recording) -> None:
    """As a project's limit would; CodePipeline fails the action then. A build waits by itself for who is before it."""
    projects = recording.all(BUILD)
    assert projects
    assert [p.inputs["name"] for p in projects if "concurrentBuildLimit" in p.inputs] == []


def test_the_bootstrap_version_is_written_last(recording: Recording) -> None:
    version = parameter(recording, "bootstrap-version")
    assert version.inputs["insecureValue"] == recording.exports["preprod"]["version"] == str(ACCOUNT_VERSION)
    everything = {r.urn for r in recording.resources if r.type in (ROLE, POLICY, BUILD) or r.type.startswith("aws:s3/")}
    assert everything | {parameter(recording, "types").urn} <= version.depends_on


def parameter(recording: Recording, name: str) -> Registered:
    (found,) = [p for p in recording.all(PARAMETER) if p.inputs["name"] == f"/amplify-delivery/{APP}/preprod/{name}"]
    return found


def test_what_the_roles_were_made_for_is_written_down_after_them(recording: Recording) -> None:
    record = parameter(recording, "types")
    made_for = parse(record.inputs["insecureValue"])
    assert {"AWS::AppSync::GraphQLApi", "AWS::DynamoDB::Table", "AWS::Cognito::UserPool"} <= made_for.backend
    assert (made_for.program, made_for.further) == (frozenset(), frozenset())
    assert {r.urn for r in recording.resources if r.type in (ROLE, POLICY)} <= record.depends_on


def test_state_and_staging_lie_in_the_account_and_are_protected(recording: Recording) -> None:
    buckets = {b.inputs["bucket"]: b for b in recording.all(BUCKET)}
    tail = f"-{account_of(0)}-{HOME}-an"
    assert set(buckets) == {f"{APP}-preprod-staging{tail}", f"{APP}-preprod-state{tail}"}
    for resource in (*buckets.values(), recording.one(KEY)):
        assert resource.request.protect
        assert not resource.inputs.get("forceDestroy")
    assert recording.one("aws:kms/alias:Alias").inputs["name"] == f"alias/{APP}-preprod-state"
    export = recording.exports["preprod"]
    assert export["secretsProvider"] == f"awskms://alias/{APP}-preprod-state?region={HOME}"


def test_only_what_holds_data_is_protected(recording: Recording) -> None:
    assert not any(r.request.protect for r in recording.resources if r.type in (ROLE, POLICY, BUILD))


def test_what_keeps_a_bucket_safe_is_protected_with_it(recording: Recording) -> None:
    around = [r for r in recording.resources if r.type.startswith("aws:s3/bucket")]
    assert len(around) == 14  # staging area and state: the bucket and six settings each
    assert all(r.request.protect for r in around)


def test_all_is_made_by_guarded_providers_of_the_account(recording: Recording) -> None:
    providers = {r.urn for r in recording.resources if r.type.startswith("pulumi:providers")}
    assert len(providers) == 2
    for resource in recording.resources:
        if resource.type.startswith("aws"):
            assert resource.provider.rpartition("::")[0] in providers, resource.type
    for provider in recording.all("pulumi:providers:aws"):
        assert json.loads(provider.inputs["allowedAccountIds"]) == [account_of(0)]
        assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"amplify-delivery:app": APP}}


def test_the_execution_role_is_made_for_the_exports_types(recording: Recording) -> None:
    documents = [json.loads(p.inputs["policy"]) for p in recording.all(POLICY) if "cloudformation" in p.inputs["name"]]
    actions = {a for d in documents for s in d["Statement"] if s["Effect"] == "Allow" for a in _list(s["Action"])}
    assert {"appsync:CreateGraphqlApi", "dynamodb:CreateTable"} <= actions
    assert not {a for a in actions if a.startswith("ecs:")}


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("given", [True, False], ids=["in plain text", "by nobody"])
def test_an_account_comes_before_the_secrets_of_its_environment(
    directory: Path, tmp_path: Path, recording: Recording, *, given: bool
) -> None:
    """The key that encrypts them in the stack file is made by this very stack."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    export = next(tmp_path.glob("amplify-export-*"))
    nested = "/props/loadNestedStacks/authfullappauth"
    template = "auth/fullappauth/fullappauth-cloudformation-template.json"
    set_value(export, template, "/Parameters/hostedUIProviderCreds", {"Type": "String", "NoEcho": True})
    if given:
        creds = json.dumps([{"ProviderName": "Google", "client_id": "id", "client_secret": "secret"}])
        set_value(export, MANIFEST, f"{nested}/parameters/hostedUIProviderCreds", creds)
    with pytest.raises(ExportRefused, match="AD305" if given else "AD304"):
        assemble(read_export(export))
    found = run(tmp_path, "preprod-account")
    assert {r.urn: r.inputs for r in found.all(POLICY)} == {r.urn: r.inputs for r in recording.all(POLICY)}
    assembled = Assemblies(Project(tmp_path)).of(Project(tmp_path).environment("preprod"))
    assert {"AWS::Cognito::UserPool"} <= assembled[1]


def test_the_organizations_boundary_stands_on_every_role(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    boundary = f"arn:aws:iam::{account_of(0)}:policy/organization"
    write(tmp_path, "preprod-account", {"program": "account", "rolesBoundary": boundary})
    found = roles(run(tmp_path, "preprod-account"))
    assert {r.inputs["permissionsBoundary"] for r in found.values()} == {boundary}


@pytest.fixture(scope="module")
def with_all(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Everything is asked for that an account's file can ask for."""
    project = tmp_path_factory.mktemp("with-all")
    shutil.copytree(directory, project, dirs_exist_ok=True)
    make(project, stages=[{"name": "PreProd", "post": [SMOKE_TEST]}, {"name": "Prod1"}])
    write(project, "preprod-account", {"program": "account", **ASKED_FOR})
    return run(project, "preprod-account")


def test_images_and_a_key_of_the_staging_area(with_all: Recording) -> None:
    assert with_all.one("aws:ecr/repository:Repository").inputs["name"] == f"{APP}/preprod"
    policy = json.loads(with_all.one("aws:ecr/repositoryPolicy:RepositoryPolicy").inputs["policy"])
    arn = f"arn:aws:lambda:{HOME}:{account_of(0)}:function:*"
    assert policy["Statement"][0]["Condition"] == {"StringLike": {"aws:SourceArn": arn}}
    aliases = {a.inputs["name"] for a in with_all.all("aws:kms/alias:Alias")}
    assert aliases == {f"alias/{APP}-preprod-state", f"alias/{APP}-preprod-staging"}


def test_keys_that_the_stack_has_made_are_named_by_their_arns(with_all: Recording) -> None:
    """Their aliases and tags count some minutes later."""
    for key in ("preprod-state", "preprod-staging"):
        assert f'"arn:aws:::{key}"' in boundary_of(with_all)
        inline = roles(with_all)[f"{APP}-preprod-deploy"].inputs["policies"]
        assert any(f"arn:aws:::{key}" in json.dumps(policy) for policy in inline)


def boundary_of(recording: Recording) -> str:
    text: str = next(p for p in recording.all(POLICY) if p.inputs["name"].endswith("-boundary")).inputs["policy"]
    return text


def test_what_the_file_opens_is_open_and_nothing_else(with_all: Recording) -> None:
    overrides = json.dumps(roles(with_all)[f"{APP}-preprod-action"].inputs["policies"])
    assert "codebuild:environment.image" not in overrides.replace("codebuild:environment.imageP", "")
    assert "codebuild:source.buildspec" in overrides
    assert "bedrock:*" in boundary_of(with_all)
    assert not any(r.request.protect for r in with_all.resources)
    deploy = roles(with_all)[f"{APP}-preprod-deploy"]
    assert "aws:SourceArn" not in json.dumps(deploy.inputs["assumeRolePolicyDocument"])


def test_rights_and_types_that_the_file_adds(with_all: Recording) -> None:
    deploy = roles(with_all)[f"{APP}-preprod-deploy"]
    assert "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess" in deploy.inputs["managedPolicyArns"]
    text = " ".join(p.inputs["policy"] for p in with_all.all(POLICY))
    assert "sqs:CreateQueue" in text
    assert "sqs:SendMessage" in text
    assert "kinesis:DeleteStream" in text
    made_for = parse(parameter(with_all, "types").inputs["insecureValue"])
    assert "AWS::Kinesis::Stream" in made_for.backend
    assert (made_for.program, made_for.further) == (frozenset({"AWS::SQS::Queue"}), frozenset({"sqs", "*"}))
    # What a step of the pipeline asks for.
    assert "arn:aws:s3:::fixtures/*" in text


def test_how_long_builds_may_take_and_on_what_they_run(with_all: Recording) -> None:
    minutes = {p.inputs["name"].rpartition("-")[2]: p.inputs["buildTimeout"] for p in with_all.all(BUILD)}
    assert (minutes["check"], minutes["deploy"]) == (3 * 60 + 15, 360)
    environments = [project.inputs["environment"] for project in with_all.all(BUILD)]
    assert {(e["image"], e["computeType"]) for e in environments} == {
        ("aws/codebuild/standard:8.0", "BUILD_GENERAL1_LARGE")
    }


def test_tags_are_on_everything(with_all: Recording) -> None:
    provider = with_all.one("pulumi:providers:aws")
    assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"amplify-delivery:app": APP, "team": "app"}}


def test_deploy_may_make_what_the_accounts_file_names(directory: Path, tmp_path: Path) -> None:
    """Whatever the stage declares: who may make what is the account's owner's to read, and to write."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    place = {"account": account_of(0), "region": HOME, "bootstrapped": "true", "helloService": "true"}
    write(tmp_path, "preprod", place)

    def deploys(**more: list[str]) -> str:
        write(tmp_path, "preprod-account", {"program": "account", **more})
        policies = run(tmp_path, "preprod-account").all(POLICY)
        return " ".join(p.inputs["policy"] for p in policies if "-deploy-" in p.inputs["name"])

    assert "lambda:CreateFunction" not in deploys()
    assert "lambda:CreateFunction" in deploys(programTypes=HELLO_TYPES)


def test_a_ci_comes_in_with_two_roles_in_the_place_of_a_pipeline(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    (tmp_path / "Pulumi.pipeline.yaml").unlink()
    engine = {"url": "https://example.com/pulumi.tar.gz", "sha256": "0" * 64}
    trusted = {"repository": "octo/shop", "ownerId": "11", "repositoryId": "22"}
    write(tmp_path, "preprod-account", {"program": "account", "github": trusted, "engine": engine})
    recording = run(tmp_path, "preprod-account")
    found = roles(recording)
    assert {name.removeprefix(f"{APP}-preprod-") for name in found} == {
        "ci-plan", "ci-deploy", "cloudformation", "publish", "plan", "deploy", "check",
    }  # fmt: skip
    assert recording.exports["preprod"]["actionRole"] is None
    assert set(recording.exports["preprod"]["ciRoles"]) == {"plan", "deploy"}
    provider = f"arn:aws:iam::{account_of(0)}:oidc-provider/token.actions.githubusercontent.com"
    for what, place in (("plan", "ref:refs/heads/main"), ("deploy", "environment:preprod")):
        [statement] = found[f"{APP}-preprod-ci-{what}"].inputs["assumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Federated": provider}
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        host = "token.actions.githubusercontent.com"
        assert statement["Condition"] == {
            "StringEquals": {
                f"{host}:aud": "sts.amazonaws.com",
                f"{host}:repository_id": "22",
                f"{host}:ref": "refs/heads/main",
                f"{host}:job_workflow_ref": "octo/shop/.github/workflows/backend-deploy.yml@refs/heads/main",
                f"{host}:sub": [f"repo:octo/shop:{place}", f"repo:octo@11/shop@22:{place}"],
            }
        }
    assert TOOLING not in json.dumps([r.inputs for r in found.values()])
    rules = {
        rule["id"]: rule
        for lifecycle in recording.all("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
        for rule in lifecycle.inputs["rules"]
    }
    assert rules["expires-ci"]["filter"] == {"prefix": "ci/"}
    assert "https://example.com/pulumi.tar.gz" in recording.all(BUILD)[0].inputs["source"]["buildspec"]


def test_beside_a_pipeline_a_ci_comes_in_as_well(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "preprod-account", {"program": "account", "gitlab": {"project": "octo/shop", "projectId": "7"}})
    assert {f"{APP}-preprod-action", f"{APP}-preprod-ci-plan"} <= set(roles(run(tmp_path, "preprod-account")))


def test_environments_of_one_account_share_its_stack(directory: Path, tmp_path: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "prod1", {"account": account_of(0), "region": "eu-west-1", "bootstrapped": "true"})
    write(tmp_path, "both-account", {"program": "account", "environments": ["preprod", "prod1"]})
    recording = run(tmp_path, "both-account")
    assert len(recording.all(BUILD)) == 8
    assert len(recording.all("pulumi:providers:aws")) == 2  # one for each region
    assert {"preprod", "prod1", "account"} == set(recording.exports)


@pytest.mark.parametrize(
    ("file", "values", "says"),
    [
        ("preprod-account", {"program": "account", "environments": ["preprod", "prod1"]}, "several accounts"),
        ("preprod-account", {"program": "account", "environments": ["prepro"]}, "did you mean 'preprod'?"),
        ("preprod-account", {"program": "account", "pipeline": "other"}, "there is no pipeline 'other'"),
        ("preprod-account", {"program": "account", "account": "1"}, "unknown key 'account'"),
        ("preprod", {"account": account_of(0), "region": HOME}, "set `bootstrapped: true`"),
        ("pipeline", None, "there is no pipeline 'pipeline'"),
        (
            "preprod-account",
            {"program": "account", "deployPolicies": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
            "would let `deploy` do anything",
        ),
        ("preprod-account", {"program": "account", "programTypes": ["AWS::Foo::Bar"]}, "AWS::Foo::Bar"),
    ],
)
def test_a_users_mistake_is_one_sentence_before_anything_is_registered(
    directory: Path, tmp_path: Path, file: str, values: dict[str, Any] | None, says: str
) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    if values is None:
        (tmp_path / f"Pulumi.{file}.yaml").unlink()
    else:
        write(tmp_path, file, values)
    with pytest.raises(pulumi.RunError) as caught:
        run(tmp_path, "preprod-account")
    assert says in str(caught.value)


def test_as_long_as_the_file_has_the_former_key_the_account_has_both_names(tmp_path: Path) -> None:
    """The pipeline still names the former role, and an earlier program reads the former parameter."""
    make(tmp_path)
    place = {"account": account_of(0), "region": HOME, "suffix": "a8d04"}
    write(tmp_path, "preprod", {**place, "enrolled": "true"})
    recording = run(tmp_path, "preprod-account")
    made = roles(recording)
    former, present = (made[f"{APP}-preprod-{what}"] for what in ("door", "action"))
    for key in ("path", "assumeRolePolicyDocument", "policies"):
        assert former.inputs[key] == present.inputs[key]
    assert recording.exports["preprod"]["actionRole"].endswith("-action")
    versions = [parameter(recording, name) for name in ("version", "bootstrap-version")]
    assert [v.inputs["insecureValue"] for v in versions] == [str(ACCOUNT_VERSION)] * 2
    assert {present.urn, former.urn} <= versions[0].depends_on & versions[1].depends_on
    for what in ("publish", "plan", "deploy", "check"):
        builds = json.dumps(made[f"{APP}-preprod-{what}"].inputs["policies"])
        assert "preprod/version" in builds
        assert "preprod/bootstrap-version" in builds

    write(tmp_path, "preprod", {**place, "bootstrapped": "true"})
    moved = run(tmp_path, "preprod-account")
    assert f"{APP}-preprod-door" not in roles(moved)
    assert "preprod/version" not in json.dumps([role.inputs for role in moved.all(ROLE)])
    assert {p.inputs["name"].rpartition("/")[2] for p in moved.all(PARAMETER)} == {
        *("types", "bootstrap-version", "bootstrap-digest", "bootstrap-done")
    }
