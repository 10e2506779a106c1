"""The CloudFormation template of an account: equal, resource by resource, to what the Pulumi program declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from amplify_delivery.delivery.deployment.bootstrapping import account_stacks, template
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.account_template import AccountTemplate, resolved
from amplify_delivery.stacks.config import Project
from unit.components.recorder import Recording
from unit.stacks.projects import APP, AWAY, HOME, account_of, make, region_of, run, write

ALL = {"program": "account", "images": "true", "stagingKey": "true", "programTypes": ["AWS::SQS::Queue"]}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three environments in an account each, in two regions; everything that can be asked for."""
    directory = make(tmp_path_factory.mktemp("project"), 3)
    for name in ("preprod", "prod1", "prod2"):
        write(directory, f"{name}-account", ALL)
    return directory


def made(directory: Path, *names: str) -> AccountTemplate:
    project = Project(directory)
    return template(project, account_stacks(project, names))


@pytest.fixture(scope="module")
def both(directory: Path) -> AccountTemplate:
    return made(directory, "prod1", "prod2")


def filled(found: AccountTemplate, number: int) -> list[dict[str, Any]]:
    """The resources as CloudFormation makes them for an environment, with keys as the recorder names them."""
    name = f"prod{number}"
    values = {
        **found.parameters[name],
        "AWS::AccountId": account_of(number),
        "AWS::Region": region_of(number),
        "StateKey.Arn": f"arn:aws:::{name}-state",
        "StagingKey.Arn": f"arn:aws:::{name}-staging",
    }
    return list(resolved(found.template["Resources"], values).values())


def of(resources: list[dict[str, Any]], kind: str, key: str) -> dict[str, dict[str, Any]]:
    return {r["Properties"][key]: r["Properties"] for r in resources if r["Type"] == kind}


def declared(recording: Recording, kind: str, key: str) -> dict[str, dict[str, Any]]:
    return {r.inputs[key]: dict(r.inputs) for r in recording.all(kind)}


def plain(document: Any) -> Any:
    """A document with its lists in one order: the order of actions and resources says nothing."""
    if isinstance(document, dict):
        return {key: plain(value) for key, value in document.items()}
    if isinstance(document, list) and all(isinstance(item, str) for item in document):
        return sorted(document)
    return [plain(item) for item in document] if isinstance(document, list) else document


Pair = tuple[Recording, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=[1, 2])
def pair(request: pytest.FixtureRequest, directory: Path, both: AccountTemplate) -> Pair:
    """What the program registers for an environment, and the template's resources with its parameters."""
    return run(directory, f"prod{request.param}-account"), filled(both, request.param)


def test_it_makes_the_roles_that_the_program_declares(pair: Pair) -> None:
    recording, resources = pair
    roles = of(resources, "AWS::IAM::Role", "RoleName")
    for name, role in declared(recording, "aws-native:iam:Role", "roleName").items():
        own = roles.pop(name)
        assert plain(own["AssumeRolePolicyDocument"]) == plain(role["assumeRolePolicyDocument"])
        assert (own["Path"], own["Description"]) == (role["path"], role["description"])
        assert own.get("ManagedPolicyArns", []) == role.get("managedPolicyArns", [])
        inline = {p["policyName"]: plain(p["policyDocument"]) for p in role.get("policies", ())}
        assert {p["PolicyName"]: plain(p["PolicyDocument"]) for p in own.get("Policies", ())} == inline
    assert roles == {}
    policies = of(resources, "AWS::IAM::ManagedPolicy", "ManagedPolicyName")
    for name, policy in declared(recording, "aws:iam/policy:Policy", "name").items():
        own = policies.pop(name)
        assert plain(own["PolicyDocument"]) == plain(json.loads(policy["policy"]))
        assert (own["Path"], own["Description"]) == (policy["path"], policy["description"])
    assert policies == {}


_ENVIRONMENT = {
    "Type": "type",
    "Image": "image",
    "ComputeType": "computeType",
    "PrivilegedMode": "privilegedMode",
    "ImagePullCredentialsType": "imagePullCredentialsType",
}


def test_it_makes_the_projects_that_the_program_declares(pair: Pair) -> None:
    recording, resources = pair
    projects = of(resources, "AWS::CodeBuild::Project", "Name")
    for name, project in declared(recording, "aws:codebuild/project:Project", "name").items():
        own = projects.pop(name)
        environment = project["environment"]
        assert own["Source"]["BuildSpec"] == project["source"]["buildspec"]
        assert own["ServiceRole"] == project["serviceRole"]
        assert own["TimeoutInMinutes"] == project["buildTimeout"]
        assert own["QueuedTimeoutInMinutes"] == project["queuedTimeout"]
        variables = {v["name"]: v["value"] for v in environment["environmentVariables"]}
        assert {v["Name"]: v["Value"] for v in own["Environment"]["EnvironmentVariables"]} == variables
        assert {k: own["Environment"][k] for k in _ENVIRONMENT} == {k: environment[v] for k, v in _ENVIRONMENT.items()}
    assert projects == {}
    logs = {n: p["RetentionInDays"] for n, p in of(resources, "AWS::Logs::LogGroup", "LogGroupName").items()}
    groups = declared(recording, "aws-native:logs:LogGroup", "logGroupName")
    assert logs == {name: group["retentionInDays"] for name, group in groups.items()}


_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


def test_it_makes_the_storage_that_the_program_declares(pair: Pair) -> None:
    recording, resources = pair
    buckets = of(resources, "AWS::S3::Bucket", "BucketName")
    assert set(buckets) == set(declared(recording, "aws:s3/bucket:Bucket", "bucket"))
    closed = {n: plain(p["PolicyDocument"]) for n, p in of(resources, "AWS::S3::BucketPolicy", "Bucket").items()}
    policies = declared(recording, "aws:s3/bucketPolicy:BucketPolicy", "bucket")
    assert closed == {bucket: plain(json.loads(policy["policy"])) for bucket, policy in policies.items()}
    for bucket, setting in declared(recording, _ENCRYPTION, "bucket").items():
        (rule,) = buckets[bucket]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        default = setting["rules"][0]["applyServerSideEncryptionByDefault"]
        expected = {"SSEAlgorithm": default["sseAlgorithm"], "KMSMasterKeyID": default["kmsMasterKeyId"]}
        assert rule["ServerSideEncryptionByDefault"] == expected
    for bucket, rules in declared(recording, _LIFECYCLE, "bucket").items():
        (own_rule,) = buckets[bucket]["LifecycleConfiguration"]["Rules"]
        days = rules["rules"][0]["noncurrentVersionExpiration"]["noncurrentDays"]
        assert own_rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == days
    keys = {d: plain(key["KeyPolicy"]) for d, key in of(resources, "AWS::KMS::Key", "Description").items()}
    known = declared(recording, "aws:kms/key:Key", "description")
    assert keys == {description: plain(json.loads(key["policy"])) for description, key in known.items()}
    aliases = {r["Properties"]["AliasName"] for r in resources if r["Type"] == "AWS::KMS::Alias"}
    assert aliases == set(declared(recording, "aws:kms/alias:Alias", "name"))
    (repository,) = [r["Properties"] for r in resources if r["Type"] == "AWS::ECR::Repository"]
    text = recording.one("aws:ecr/repositoryPolicy:RepositoryPolicy").inputs["policy"]
    assert repository["RepositoryPolicyText"] == json.loads(text)
    assert repository["RepositoryName"] == recording.one("aws:ecr/repository:Repository").inputs["name"]


def test_it_writes_down_what_the_program_does(pair: Pair) -> None:
    recording, resources = pair
    parameters = {n: p["Value"] for n, p in of(resources, "AWS::SSM::Parameter", "Name").items()}
    # The two digests are about the Pulumi stack, of which there is none here.
    assert parameters == {
        name: parameter["insecureValue"]
        for name, parameter in declared(recording, "aws:ssm/parameter:Parameter", "name").items()
        if not name.endswith(("/bootstrap-digest", "/bootstrap-done"))
    }


def test_a_ci_comes_in_as_the_program_lets_it(tmp_path: Path) -> None:
    make(tmp_path, 3)
    for name in ("prod1", "prod2"):
        trusted = {"repository": "octo/app", "ownerId": "1", "repositoryId": "2"}
        write(tmp_path, f"{name}-account", {"program": "account", "github": trusted})
    found = made(tmp_path, "prod1", "prod2")
    recording, resources = run(tmp_path, "prod2-account"), filled(found, 2)
    own = of(resources, "AWS::IAM::Role", "RoleName")
    roles = declared(recording, "aws-native:iam:Role", "roleName")
    assert f"{APP}-prod2-ci-deploy" in roles
    assert {name: plain(role["AssumeRolePolicyDocument"]) for name, role in own.items()} == {
        name: plain(role["assumeRolePolicyDocument"]) for name, role in roles.items()
    }
    buckets = of(resources, "AWS::S3::Bucket", "BucketName")
    for bucket, rules in declared(recording, _LIFECYCLE, "bucket").items():
        own_rules = buckets[bucket]["LifecycleConfiguration"]["Rules"]
        assert [rule["Id"] for rule in own_rules] == [rule["id"] for rule in rules["rules"]]
        expiring = {r["filter"]["prefix"]: r["expiration"]["days"] for r in rules["rules"] if r.get("expiration")}
        assert {r["Prefix"]: r["ExpirationInDays"] for r in own_rules if "Prefix" in r} == expiring


def test_nothing_of_one_account_stands_in_it(both: AccountTemplate) -> None:
    text = json.dumps(both.template)
    for number in (1, 2):
        assert account_of(number) not in text
        assert f"{APP}-prod{number}" not in text
    assert set(both.template["Parameters"]) == {"Environment", "StackName", "StackRolePrefix"}
    assert both.parameters["prod1"] == {
        "Environment": "prod1",
        "StackName": f"amplify-{APP}-prod1-a8d04",
        "StackRolePrefix": f"amplify-{APP}-prod1"[:24],
    }


def test_cfn_lint_finds_nothing(both: AccountTemplate) -> None:
    found = lint(json.dumps(both.template), config=ManualArgs(regions=[HOME, AWAY]))
    # Its informational rules (I...) are about comments that a person would write.
    assert [str(match) for match in found if match.rule.id[0] in "EW"] == []


def test_what_is_not_the_same_gets_no_common_template(directory: Path, tmp_path: Path) -> None:
    make(tmp_path, 3)
    write(tmp_path, "prod1-account", {"program": "account", "programTypes": ["AWS::SQS::Queue"]})
    with pytest.raises(ConfigError, match="prod2 needs a template of its own") as caught:
        made(tmp_path, "prod1", "prod2")
    assert "`amplify-delivery bootstrap prod2 --template`" in caught.value.remedy
    assert made(tmp_path, "prod2").parameters.keys() == {"prod2"}
    # Names of other lengths fill policies otherwise; what they come to is the same.
    assert made(directory, "prod1", "preprod").parameters.keys() == {"prod1", "preprod"}
