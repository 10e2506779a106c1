"""The CloudFormation template of an account: equal, resource by resource, to what the Pulumi program declares."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.components.documents.account import cloudformation
from amplify_delivery.components.documents.account.account_documents import AccountDocuments, account_documents
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.statements import size
from amplify_delivery.delivery.bootstrap.account_stacks import account_stacks, template
from amplify_delivery.errors import ConfigError
from amplify_delivery.publishing.examination.cache import ResultCache
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


_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


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


_NAMES = {
    "buildTimeout": "TimeoutInMinutes",
    "buildspec": "BuildSpec",
    "cloudwatchLogs": "CloudWatchLogs",
    "deletionWindowInDays": "PendingWindowInDays",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "queuedTimeout": "QueuedTimeoutInMinutes",
    "sseAlgorithm": "SSEAlgorithm",
}
"""CloudFormation's names where they are others than the provider's."""


def as_cloudformation(value: Any) -> Any:
    """What the program gives to a provider, with CloudFormation's names."""
    if isinstance(value, dict):
        return {_NAMES.get(k, k[0].upper() + k[1:]): as_cloudformation(v) for k, v in value.items()}
    return [as_cloudformation(item) for item in value] if isinstance(value, list) else value


def test_it_makes_the_projects_that_the_program_declares(pair: Pair) -> None:
    recording, resources = pair
    projects = declared(recording, "aws:codebuild/project:Project", "name")
    expected = {name: as_cloudformation(project) for name, project in projects.items()}
    found = of(resources, "AWS::CodeBuild::Project", "Name")
    for project in (*expected.values(), *found.values()):
        project["Environment"]["EnvironmentVariables"].sort(key=lambda v: str(v["Name"]))
    assert found == expected
    assert len(found) == 4
    groups = declared(recording, "aws-native:logs:LogGroup", "logGroupName")
    assert of(resources, "AWS::Logs::LogGroup", "LogGroupName") == {
        name: as_cloudformation(group) for name, group in groups.items()
    }


def _declared_buckets(recording: Recording) -> dict[str, dict[str, Any]]:
    """Each bucket with all that the provider sets by resources of their own."""

    def part(of_type: str) -> dict[str, dict[str, Any]]:
        kind = f"aws:s3/bucket{of_type}:Bucket{of_type}"
        found = declared(recording, kind, "bucket")
        return {name: as_cloudformation({k: v for k, v in f.items() if k != "bucket"}) for name, f in found.items()}

    owners, closed, versions = part("OwnershipControls"), part("PublicAccessBlock"), part("Versioning")
    encryption, lifecycle = part("ServerSideEncryptionConfiguration"), part("LifecycleConfiguration")
    made: dict[str, dict[str, Any]] = {}
    for name, bucket in declared(recording, "aws:s3/bucket:Bucket", "bucket").items():
        (default,) = encryption[name]["Rules"]
        default["ServerSideEncryptionByDefault"] = default.pop("ApplyServerSideEncryptionByDefault")
        for rule in lifecycle[name]["Rules"]:
            assert rule.pop("Filter") == {"Prefix": ""}  # without a prefix, as CloudFormation has it
        made[name] = {
            "BucketName": name,
            "BucketNamespace": bucket["bucketNamespace"],
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [default]},
            "LifecycleConfiguration": lifecycle[name],
            "OwnershipControls": {"Rules": [owners[name]["Rule"]]},
            "PublicAccessBlockConfiguration": closed[name],
            **versions[name],
        }
    return made


_KEYS_DEFAULT = {"PendingWindowInDays": 30}
"""KMS's own, where nothing is said (ScheduleKeyDeletion, API reference)."""


def test_it_makes_the_buckets_and_keys_that_the_program_declares(pair: Pair) -> None:
    recording, resources = pair
    assert of(resources, "AWS::S3::Bucket", "BucketName") == _declared_buckets(recording)
    closed = {n: plain(p["PolicyDocument"]) for n, p in of(resources, "AWS::S3::BucketPolicy", "Bucket").items()}
    policies = declared(recording, "aws:s3/bucketPolicy:BucketPolicy", "bucket")
    assert closed == {bucket: plain(json.loads(policy["policy"])) for bucket, policy in policies.items()}
    expected: dict[str, Any] = {}
    for description, key in declared(recording, "aws:kms/key:Key", "description").items():
        made = as_cloudformation({k: v for k, v in key.items() if k != "policy"})
        expected[description] = {**_KEYS_DEFAULT, **made, "KeyPolicy": plain(json.loads(key["policy"]))}
    keys = of(resources, "AWS::KMS::Key", "Description")
    assert {d: {**key, "KeyPolicy": plain(key["KeyPolicy"])} for d, key in keys.items()} == expected
    named = {n: a["TargetKeyId"]["Ref"] for n, a in of(resources, "AWS::KMS::Alias", "AliasName").items()}
    aliases = declared(recording, "aws:kms/alias:Alias", "name")
    assert named == {n: f"{a['targetKeyId'].split('-')[1].capitalize()}Key" for n, a in aliases.items()}


def test_it_makes_the_image_repository_that_the_program_declares(pair: Pair) -> None:
    recording, resources = pair
    repository = dict(recording.one("aws:ecr/repository:Repository").inputs)
    name = repository.pop("name")
    (made,) = of(resources, "AWS::ECR::Repository", "RepositoryName").values()
    assert made == {
        "RepositoryName": name,
        **as_cloudformation(repository),
        "RepositoryPolicyText": json.loads(recording.one("aws:ecr/repositoryPolicy:RepositoryPolicy").inputs["policy"]),
        "LifecyclePolicy": {
            "LifecyclePolicyText": recording.one("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"]
        },
    }
    # A tag means one image for ever, and whatever is pushed is scanned.
    assert (made["ImageTagMutability"], made["ImageScanningConfiguration"]) == ("IMMUTABLE", {"ScanOnPush": True})


def test_what_the_program_protects_outlives_the_template(pair: Pair) -> None:
    recording, resources = pair
    kept = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    for kind, declares in (
        ("AWS::S3::Bucket", "aws:s3/bucket:Bucket"),
        ("AWS::KMS::Key", "aws:kms/key:Key"),
        ("AWS::ECR::Repository", "aws:ecr/repository:Repository"),
    ):
        assert all(r.request.protect for r in recording.all(declares))
        found = [{k: r.get(k) for k in kept} for r in resources if r["Type"] == kind]
        assert found == [kept] * len(recording.all(declares)), kind


def test_it_makes_nothing_that_is_not_compared(pair: Pair) -> None:
    """What other tests of this file compare, type by type; of roles and policies, property by property."""
    of_roles = {"RoleName", "Path", "Description", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns"}
    of_policies = {"ManagedPolicyName", "Path", "Description", "PolicyDocument"}
    recording, resources = pair
    for kind, known in (("AWS::IAM::Role", of_roles), ("AWS::IAM::ManagedPolicy", of_policies)):
        assert {k for r in resources if r["Type"] == kind for k in r["Properties"]} == known
    assert {k for r in recording.all("aws-native:iam:Role") for k in r.inputs} == {
        "roleName", "path", "description", "assumeRolePolicyDocument", "policies", "managedPolicyArns",
    }  # fmt: skip
    assert {r["Type"] for r in resources} == {
        "AWS::CodeBuild::Project",
        "AWS::ECR::Repository",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SSM::Parameter",
    }


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


def test_cfn_lint_finds_nothing(both: AccountTemplate, examined: Path) -> None:
    text = json.dumps(both.template)
    kept, key = ResultCache("lint", examined), ResultCache.key("errors and warnings", HOME, AWAY, text)
    found = kept.get(key)
    if found is None:
        from cfnlint.api import lint  # half a second, for whoever runs this
        from cfnlint.config import ManualArgs

        # Its informational rules (I...) are about comments that a person would write.
        matches = lint(text, config=ManualArgs(regions=[HOME, AWAY]))
        kept.put(key, found := [str(match) for match in matches if match.rule.id[0] in "EW"])
    assert found == []


def test_what_is_not_the_same_gets_no_common_template(directory: Path, tmp_path: Path) -> None:
    make(tmp_path, 3)
    write(tmp_path, "prod1-account", {"program": "account", "programTypes": ["AWS::SQS::Queue"]})
    with pytest.raises(ConfigError, match="prod2 needs a template of its own") as caught:
        made(tmp_path, "prod1", "prod2")
    assert "`amplify-delivery bootstrap prod2 --template`" in caught.value.remedy
    assert made(tmp_path, "prod2").parameters.keys() == {"prod2"}
    # Names of other lengths fill policies otherwise; what they come to is the same.
    assert made(directory, "prod1", "preprod").parameters.keys() == {"prod1", "preprod"}


def test_what_has_room_inline_for_the_shorter_name_alone_is_the_same_right(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a role's inline policies are nearly full, an environment with a longer name has some of them managed."""
    full = []

    def measured(access: EnvironmentAccess, engine: Any) -> AccountDocuments:
        found = account_documents(access, engine, room=sys.maxsize)
        full.append(max(sum(map(size, role.policies.values())) for role in found.project_roles))
        return found

    monkeypatch.setattr(cloudformation, "account_documents", measured)
    made(directory, "prod1")
    assert full
    monkeypatch.setattr(cloudformation, "account_documents", partial(account_documents, room=max(full)))
    assert made(directory, "prod1", "preprod").parameters.keys() == {"prod1", "preprod"}


def test_what_aws_would_refuse_is_refused_as_by_the_program(tmp_path: Path) -> None:
    """StackSets would meet it in the middle, in every account of an organization."""
    directory = make(tmp_path, 2)
    attached = [f"arn:aws:iam::aws:policy/Policy{n}" for n in range(11)]
    write(directory, "prod1-account", {**ALL, "deployPolicies": attached})
    with pytest.raises(ConfigError, match=r"managed policies, but IAM takes 10"):
        made(directory, "prod1")
