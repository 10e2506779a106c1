"""Over a limit of AWS's: refused before anything is declared, with a way out. At 90 environments still within."""

from dataclasses import replace

import pytest

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.account.account_documents import SOME_KEY, account_documents, with_keys
from amplify_delivery.components.documents.account.projects import project_policies
from amplify_delivery.components.documents.naming import PROJECTS
from amplify_delivery.components.documents.packing import INLINE_ROOM
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.definition import pipeline_properties
from amplify_delivery.components.documents.pipeline.model import EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Bake, Stage
from amplify_delivery.components.documents.statements import RoleDocument, allow, document, size
from amplify_delivery.errors import ConfigError
from unit.components.documents import world as w


def many(number: int, per_wave: int) -> PipelineModel:
    places = tuple(EnvironmentRef(f"env{n:03d}", f"{300000000000 + n}", w.HOME) for n in range(number))
    names = [place.name for place in places]
    waves = [tuple(names[at : at + per_wave]) for at in range(0, number, per_wave)]
    smoke, approval, bake = w.step("smoke"), Approval(comment="Go?"), Bake(time=30)
    stages = tuple(
        Stage(name=f"Wave{n:02d}", environments=wave, post=(smoke,), approval=approval, bake=bake)
        for n, wave in enumerate(waves)
    )
    return w.pipeline_model(stages=stages, places=places, stores=w.pipeline_model().stores[:1])


@pytest.mark.parametrize(("number", "per_wave"), [(1, 1), (10, 5), (50, 5), (90, 9)])
def test_every_size_is_within_the_limits(number: int, per_wave: int) -> None:
    model = many(number, per_wave)
    limits.check_model(model)
    limits.check_definition(pipeline_properties(model))
    documents = pipeline_documents(model)
    limits.check_roles(documents.roles, (*documents.boundaries, *documents.policies))
    bucket = bucket_policy(w.pipeline, w.HOME, model.environments)
    key = key_policy(w.pipeline, w.HOME, model.environments)
    limits.check_resource_policies(bucket, key, w.HOME)


def test_one_stage_per_environment_is_too_many_stages() -> None:
    with pytest.raises(ConfigError, match=r"94 stages, but CodePipeline takes 50: put environments into waves"):
        limits.check_definition(pipeline_properties(many(30, 1)))


def test_a_wave_too_wide_is_told_to_be_split() -> None:
    with pytest.raises(ConfigError, match=r"Wave00 has 90 actions, but CodePipeline takes 50: split its wave"):
        limits.check_definition(pipeline_properties(many(30, 30)))


def test_a_wave_too_wide_for_one_approval_is_told_to_be_split() -> None:
    places = tuple(EnvironmentRef(f"env{n:03d}", f"{300000000000 + n}", w.HOME) for n in range(20))
    stages = (Stage(name="Wave", environments=tuple(place.name for place in places), approval=Approval()),)
    with pytest.raises(ConfigError, match=r"Wave-Approve, Approve, CustomData: .* takes 1000: split its wave"):
        limits.check_definition(pipeline_properties(w.pipeline_model(stages=stages, places=places)))


def test_too_many_actions_need_another_pipeline() -> None:
    with pytest.raises(ConfigError, match=r"actions, but CodePipeline takes 500: move the last waves"):
        limits.check_definition(pipeline_properties(many(130, 13)))


def test_too_many_action_roles_need_another_pipeline() -> None:
    with pytest.raises(ConfigError, match=r"role seriesapp-pipeline have .* but IAM takes 10240: move the last waves"):
        limits.check_roles(pipeline_documents(many(120, 12)).roles)


def test_artifact_policies_have_a_limit() -> None:
    environments = many(400, 10).environments
    key = key_policy(w.pipeline, w.HOME, environments)
    with pytest.raises(
        ConfigError, match=r"bucket's policy is .* over 20480.*; the artifact key's policy is .* over 32768"
    ):
        limits.check_resource_policies(bucket_policy(w.pipeline, w.HOME, environments), key, w.HOME)


def test_artifact_stores_are_those_of_the_actions() -> None:
    with pytest.raises(ConfigError, match=r"there are artifact stores for eu-west-1, but actions in eu-west-1"):
        limits.check_model(w.pipeline_model(stores=w.pipeline_model().stores[1:]))


def test_a_role_of_too_many_policies() -> None:
    role: RoleDocument = w.accounts()["prod"].execution
    with pytest.raises(ConfigError, match="needs 11 managed policies, but IAM takes 10"):
        limits.check_roles([replace(role, managed_policies=tuple("abcdefghijk"))])


def test_a_buildspec_that_is_too_long() -> None:
    project = w.accounts()["prod"].projects[0]
    with pytest.raises(ConfigError, match="put the commands into a script"):
        limits.check_projects([replace(project, buildspec='"' + "x" * 25_600 + '"')])


def test_a_policy_that_is_too_long() -> None:
    policy = w.accounts()["prod"].boundary
    large = document([allow("A", [f"s3:Get{n:0100d}" for n in range(100)], "*")])
    with pytest.raises(ConfigError, match="but IAM takes 6144"):
        limits.check_roles([], [replace(policy, document=large)])


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1"])
def test_the_longest_name_of_an_app_is_within_the_limits(region: str) -> None:
    """Amplify takes 3 to 20 letters and digits. They stand in nearly every line of UpdatePipeline's rights."""
    names = replace(w.pipeline, app="a" * 20, region=region, name="p" * 30)
    documents = pipeline_documents(w.pipeline_model(names=names))
    limits.check_roles(documents.roles, (*documents.boundaries, *documents.policies))


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1"])
@pytest.mark.parametrize("app", ["abc", "a" * 20])
def test_every_account_has_room_for_its_roles(app: str, region: str) -> None:
    """Whatever the app is called, with images, a key of its own for the staging area, and a CI beside the pipeline."""
    names = replace(w.prod, app=app, environment="production", region=region)
    more = {"images": True, "staging_key": True, "ci": w.CI["prod"], "pipeline": replace(w.pipeline, app=app)}
    access = w.access(names, **more)
    documents = account_documents(with_keys(access, [SOME_KEY] * 2))
    limits.check_roles(documents.roles, (*documents.policies, documents.boundary))


def test_what_has_no_room_in_a_role_stands_in_its_managed_policies() -> None:
    """All of it, and what has room stays."""
    names = replace(w.prod, app="a" * 20, environment="production", region="us-gov-west-1")
    access = with_keys(w.access(names, images=True, staging_key=True), [SOME_KEY] * 2)
    documents = account_documents(access)
    for what, role in zip(PROJECTS, documents.project_roles, strict=True):
        policies = [*role.policies.values(), *map(documents.managed_policy, role.managed_policies)]
        given = [statement for policy in policies for statement in policy["Statement"]]
        whole = [statement for policy in project_policies(access, what).values() for statement in policy["Statement"]]
        assert all(given.count(statement) == 1 for statement in whole), what
    deploy = documents.project_roles[PROJECTS.index("deploy")]
    assert 9_000 < sum(map(size, deploy.policies.values())) <= INLINE_ROOM
    small = account_documents(w.access(w.prod)).project_roles[PROJECTS.index("deploy")]
    assert small.policies == project_policies(w.access(w.prod), "deploy")
