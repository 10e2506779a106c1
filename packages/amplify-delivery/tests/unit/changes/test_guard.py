"""The guard over data: what is refused, and what a written exception allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.guard import AllowedLoss, Guard
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Step
from amplify_delivery.errors import DeployError
from amplify_delivery.publishing.examination import schemas
from amplify_delivery.stacks.config import EnvironmentConfig
from unit.delivery.planning.stacks_of import stacks_of
from unit.rows import hold

TODAY = date(2027, 5, 1)
DIGEST, OTHER = "a" * 64, "b" * 64


def guard(*allowed: AllowedLoss, plan: str | None = None) -> Guard:
    return Guard("dev", allowed, TODAY, plan)


@pytest.fixture(scope="module")
def steps() -> tuple[Step, ...]:
    """Users and a model are dropped."""
    return tuple(plan_backend(stacks_of("todo-series/v4"), stacks_of("todo-series/v2")))


def lost(steps: Sequence[Step]) -> list[str]:
    return sorted(step.place for step in steps if step.loss)


def test_every_resource_with_data_that_would_go_is_named(steps: tuple[Step, ...]) -> None:
    assert {place.rpartition("/")[2] for place in lost(steps)} >= {"UserPool", "IdentityPool", "TodoListTable"}
    with pytest.raises(DeployError) as refused:
        guard().check(steps)
    for place in lost(steps):
        assert place in refused.value.message
    assert f"--path 'dataLoss[0].path' '{lost(steps)[0]}'" in refused.value.remedy
    assert "nothing was changed" in refused.value.remedy


def test_all_of_them_have_to_be_allowed_by_their_very_path(steps: tuple[Step, ...]) -> None:
    until = [AllowedLoss(place, "never used", until=TODAY) for place in lost(steps)]
    guard(*until).check(steps)
    for one in until:
        with pytest.raises(DeployError) as refused:
            guard(*(a for a in until if a is not one)).check(steps)
        assert refused.value.message.count("\n") == 1
        assert one.path in refused.value.message
        # The command that is printed writes no earlier exception over.
        assert f"dataLoss[{len(until) - 1}].path" in refused.value.remedy


@pytest.mark.parametrize(
    ("allowed", "plan", "holds"),
    [
        (AllowedLoss("a/b", "x", until=TODAY), None, True),
        (AllowedLoss("a/b", "x", until=TODAY - timedelta(days=1)), None, False),
        (AllowedLoss("a/b", "x", plan=DIGEST), DIGEST, True),
        (AllowedLoss("a/b", "x", plan=DIGEST), OTHER, False),
        (AllowedLoss("a/b", "x", plan=DIGEST), None, False),
        (AllowedLoss("a/b", "x"), None, False),
        (AllowedLoss("a", "x", until=TODAY), None, False),
        (AllowedLoss("a/b/c", "x", until=TODAY), None, False),
        (AllowedLoss("*", "x", until=TODAY), None, False),
    ],
)
def test_what_an_exception_holds_for(allowed: AllowedLoss, plan: str | None, holds: bool) -> None:
    assert allowed.holds("a/b", plan, TODAY) is holds


MIGRATION = (
    "Backup::BackupVault Cognito::UserPool DocDB::DBCluster DocDB::DBInstance DynamoDB::GlobalTable DynamoDB::Table "
    "EC2::Volume EFS::FileSystem EMR::Cluster ElastiCache::CacheCluster ElastiCache::ReplicationGroup "
    "Elasticsearch::Domain FSx::FileSystem KMS::Key Kinesis::Stream Logs::LogGroup Neptune::DBCluster "
    "Neptune::DBInstance OpenSearchService::Domain Organizations::Account QLDB::Ledger RDS::DBCluster RDS::DBInstance "
    "Redshift::Cluster S3::Bucket SDB::Domain SQS::Queue SecretsManager::Secret"
)
"""What Amplify's migration tool calls stateful (amplify-cli, gen2-migration); of nested stacks, what is in them."""
OURS = (
    "Cognito::IdentityPool Cognito::UserPoolGroup Cognito::UserPoolUser CodeCommit::Repository Location::Tracker "
    "Pinpoint::App Location::GeofenceCollection MemoryDB::Cluster RDS::GlobalCluster Rekognition::Collection "
    "Serverless::SimpleTable"
)
SAYS_SO = re.compile(
    "AWS::[^:]+::(?:Table|(?:[A-Z][a-z]+)?(?:Bucket|Vault)|(?:[A-Z]+|Influx)?(?:Database|DBCluster|DBInstance)|Volume|"
    r"(?:[A-Z][a-z]+)?FileSystem|(?:\w*[A-Z])?(?:Datastore|DataStore)|\w*Repository|Ledger|Queue|Stream|LogGroup|"
    "Secret|Graph|Archive|Collection|Disk|Keyspace|Serverless(?:Cache|Cluster)|ReplicaKey)"
)
"""Types whose name says that they hold something."""
HOLDS_NOTHING = {
    "AWS::Batch::JobQueue": "jobs, which are submitted again",
    "AWS::CodeStar::GitHubRepository": "GitHub holds it",
    "AWS::Connect::Queue": "of a contact centre: it has no contacts of its own",
    "AWS::Deadline::Queue": "jobs, which are submitted again",
    "AWS::Detective::Graph": "what other services tell again",
    "AWS::Glue::Database": "a catalogue of what lies elsewhere",
    "AWS::Glue::Table": "a catalogue of what lies elsewhere",
    "AWS::IoT::Stream": "files that lie in S3",
    "AWS::MediaConvert::Queue": "jobs, which are submitted again",
    "AWS::PCS::Queue": "jobs, which are submitted again",
    "AWS::QLDB::Stream": "on its way from a ledger to a stream",
    "AWS::S3Files::FileSystem": "a way to a bucket",
    "AWS::SageMaker::CodeRepository": "a link to one",
}


def held(kind: str, **more: object) -> Stacks:
    return Stacks({(): {"Resources": {"Held": {"Type": kind, **more}, "Other": {"Type": "AWS::SNS::Topic"}}}}, {})


def is_guarded(kind: str) -> None:
    """Removed, and replaced by another type under the same id."""
    rest = {"Other": {"Type": "AWS::SNS::Topic"}}
    for after in (rest, {"Held": {"Type": "AWS::SNS::Topic"}, **rest}):
        with pytest.raises(DeployError, match="Held"):
            guard().check(plan_backend(held(kind), Stacks({(): {"Resources": after}}, {})))


def test_whatever_holds_data_is_guarded() -> None:
    hold(is_guarded, [(f"AWS::{name}",) for name in f"{MIGRATION} {OURS}".split()])


def test_whatever_says_by_its_name_that_it_holds_data_is_guarded() -> None:
    """Of all types that CloudFormation has, as far as cfn-lint knows them: new ones come with it."""
    folder = schemas._bundled()
    assert folder
    found = {kind for kind in schemas._index(folder) if SAYS_SO.fullmatch(kind)}
    assert len(found) > 50
    hold(is_guarded, [(kind,) for kind in sorted(found - HOLDS_NOTHING.keys())])


@pytest.mark.parametrize("after", [None, "AWS::SNS::Topic"])
def test_data_goes_with_the_nested_stack_that_holds_it(after: str | None) -> None:
    """Also where something else stands under its logical id."""
    nested, other = {"Type": "AWS::CloudFormation::Stack"}, {"Other": {"Type": "AWS::SNS::Topic"}}
    table = {"Resources": {"Held": {"Type": "AWS::DynamoDB::Table"}}}
    old = Stacks({(): {"Resources": {"Nested": nested, **other}}, ("Nested",): table}, {})
    new = Stacks({(): {"Resources": {**({"Nested": {"Type": after}} if after else {}), **other}}}, {})
    with pytest.raises(DeployError, match="Nested/Held"):
        guard().check(plan_backend(old, new))


def test_what_nobody_knows_of_a_policy_keeps_nothing() -> None:
    """An expression, as AWS::LanguageExtensions takes it."""
    gone = Stacks({(): {"Resources": {"Other": {"Type": "AWS::SNS::Topic"}}}}, {})
    guard().check(plan_backend(held("AWS::DynamoDB::Table", DeletionPolicy="Retain"), gone))
    with pytest.raises(DeployError, match="Held"):
        guard().check(plan_backend(held("AWS::DynamoDB::Table", DeletionPolicy={"Ref": "Policy"}), gone))


@pytest.mark.parametrize("name", ["TableName", "PrimaryKey"])
def test_a_transforms_table_is_replaced_as_the_table_that_comes_of_it(name: str) -> None:
    old, new = (held("AWS::Serverless::SimpleTable", Properties={name: value}) for value in ("a", "b"))
    with pytest.raises(DeployError, match="Held"):
        guard().check(plan_backend(old, new))


def test_to_carry_out_a_plan_allows_nothing_by_itself(steps: tuple[Step, ...]) -> None:
    with pytest.raises(DeployError, match="this would delete data"):
        guard(plan=DIGEST).check(steps)


def test_what_loses_nothing_is_not_asked_about() -> None:
    guard().check(plan_backend(stacks_of("todo-series/v1"), stacks_of("todo-series/v4")))
    guard().check(plan_backend(None, stacks_of("todo-series/v4")))


def test_what_is_disposable_says_so_itself(steps: tuple[Step, ...]) -> None:
    replace(guard(), disposable=True).check(steps)


def test_what_is_advised_in_production_is_what_production_takes(steps: tuple[Step, ...]) -> None:
    """A day is refused there: an exception names the one plan that it is for."""
    place = {"account": "111122223333", "region": "eu-west-1", "environment": "prod"}
    for production, advised in ((True, "`.plan` (this plan's digest)"), (False, "`.until` (a day) or `.plan`")):
        config = EnvironmentConfig.model_validate({**place, "production": production})
        with pytest.raises(DeployError) as refused:
            config.guard("prod", TODAY).check(steps)
        assert advised in refused.value.remedy
        assert ("`.until`" in refused.value.remedy) == (not production)
