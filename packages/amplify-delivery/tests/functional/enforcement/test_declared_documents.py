"""The documents that this project declares for a pipeline, at work: roles, action roles, buckets, keys and definition.

Only what the builds run is replaced by the artifact's own seal and check.
"""

from __future__ import annotations

import json
from typing import Any

from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.naming import EnvironmentNames, PipelineNames
from amplify_delivery.components.documents.pipeline import artifact
from amplify_delivery.components.documents.pipeline.artifacts import bucket_policy, key_policy
from amplify_delivery.components.documents.pipeline.definition import pipeline_properties
from amplify_delivery.components.documents.pipeline.model import ArtifactStore, EnvironmentRef, PipelineModel
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from amplify_delivery.components.documents.pipeline.source_models import ConnectionSource
from amplify_delivery.components.documents.pipeline.stage_models import Approval, Stage, Step
from amplify_delivery.components.documents.statements import ProjectDocument, RoleDocument
from aws_rehearsal.local_aws import Credentials
from aws_rehearsal_tests.pipeline_service.world import CONNECTION, OTHER_REGION, REGION, World
from functional.enforcement.declared_world import for_the_api

APP = "shop"
SMOKE, FREEZE = (Step(name=name, commands=("make",)) for name in ("smoke", "freeze"))


def test_the_declared_pipeline_assumes_the_declared_action_roles_in_two_regions(world: World) -> None:
    names = PipelineNames(app=APP, account=world.tooling, region=REGION)
    preprod, prod = (
        EnvironmentRef("preprod", world.target, REGION),
        EnvironmentRef("prod", world.target, OTHER_REGION),
    )
    environments = [ref.names(APP) for ref in (preprod, prod)]
    model = PipelineModel(
        names=names,
        source=ConnectionSource(connection=CONNECTION, repository=world.full_id),
        stores=tuple(_store(world, names, region, environments) for region in (REGION, OTHER_REGION)),
        stages=(
            Stage(name="PreProd", environments=("preprod",), post=(SMOKE,)),
            Stage(name="Prod", environments=("prod",), approval=Approval(), on_failure="rollback"),
        ),
        places=(preprod, prod),
    )
    _declare(world, model, environments)
    world.commit("export", {"amplify/a.json": "{}", ".hidden/with space.txt": "1"})

    world.pipelines.create_pipeline(pipeline=for_the_api(pipeline_properties(model)))

    execution = world.executions(names.pipeline)[0].id
    token = world.service.wait_for_action(execution, "Approve").token
    world.pipelines.put_approval_result(
        pipelineName=names.pipeline,
        stageName="Prod-Approve",
        actionName="Approve",
        token=token,
        result={"status": "Approved", "summary": "seen"},
    )
    assert world.service.wait(execution).status == "Succeeded"
    asked = world.actions(names.pipeline, execution)["Approve"]["input"]["resolvedConfiguration"]["CustomData"]
    assert "prod: 1 (abc)" in asked


def test_before_a_gate_is_passed_nothing_of_the_stage_runs(world: World) -> None:
    """Plan runs the commit's code. Where somebody is asked before it, a rejection leaves it unrun."""
    names = PipelineNames(app=APP, account=world.tooling, region=REGION)
    prod = EnvironmentRef("prod", world.target, OTHER_REGION)
    gate = Approval(comment="Who merged this?")
    model = PipelineModel(
        names=names,
        source=ConnectionSource(connection=CONNECTION, repository=world.full_id),
        stores=tuple(_store(world, names, region, [prod.names(APP)]) for region in (REGION, OTHER_REGION)),
        stages=(
            Stage(name="Prod", environments=("prod",), pre=(FREEZE,), approval=Approval(), approval_before_plan=gate),
        ),
        places=(prod,),
    )
    _declare(world, model, [prod.names(APP)])
    commit = world.commit("export", {"amplify/a.json": "{}"})
    world.pipelines.create_pipeline(pipeline=for_the_api(pipeline_properties(model)))

    def answer(execution: str, status: str) -> None:
        token = world.service.wait_for_action(execution, "Approve-Plan").token
        asked = world.actions(names.pipeline, execution)["Approve-Plan"]["input"]["resolvedConfiguration"]
        assert asked["CustomData"] == f"Who merged this? Commit: {commit}"
        world.pipelines.put_approval_result(
            pipelineName=names.pipeline,
            stageName="Prod-Plan",
            actionName="Approve-Plan",
            token=token,
            result={"status": status, "summary": "looked at it"},
        )

    first = world.executions(names.pipeline)[0].id
    answer(first, "Rejected")
    assert world.service.wait(first).status == "Failed"
    ran = [build.name for build in world.service.builds() if build.account == world.target]
    assert ran == [prod.names(APP).project("publish")]

    second = world.pipelines.start_pipeline_execution(name=names.pipeline)["pipelineExecutionId"]
    answer(second, "Approved")
    world.service.wait_for_action(second, "Approve")
    ran = [build.name for build in world.service.builds() if build.account == world.target]
    assert ran == [prod.names(APP).project(what) for what in ("publish", "publish", "check", "plan")]


def _store(world: World, names: PipelineNames, region: str, environments: list[EnvironmentNames]) -> ArtifactStore:
    kms, s3 = world.client("kms", region=region), world.client("s3", region=region)
    key = kms.create_key(Policy=json.dumps(key_policy(names, region, environments)))["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=names.artifact_key_alias, TargetKeyId=key)
    bucket = names.artifact_bucket(region)
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, BucketNamespace="account-regional", **where)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(bucket_policy(names, region, environments)))
    return ArtifactStore(region, bucket, key)


def _declare(world: World, model: PipelineModel, environments: list[EnvironmentNames]) -> None:
    names = model.names
    tooling = pipeline_documents(model)
    for role in tooling.roles:
        _role(world, world.tooling, role)
    iam = world.client("iam", world.aws.make_admin(world.tooling), "us-east-1")
    for policy in tooling.policies:
        iam.create_policy(PolicyName=policy.name, Path=policy.path, PolicyDocument=json.dumps(policy.document))
    for role in tooling.roles:
        for arn in role.managed_policies:
            iam.attach_role_policy(RoleName=role.name, PolicyArn=arn)
    for project in tooling.projects:
        if project.name == names.project("build"):
            everything = {"files": ["**/*"], "base-directory": "$CODEBUILD_SRC_DIR"}
            _project(world, world.admin, REGION, project, artifact.seal(), [artifact.VARIABLE], everything)
        else:
            _project(world, world.admin, REGION, project, artifact.verify())
    for environment in environments:
        access = EnvironmentAccess(
            names=environment, pipeline=names, stack_name=f"amplify-{APP}-x-1", resource_types=frozenset()
        )
        account = account_documents(access)
        for role in account.roles:
            _role(world, world.target, role)
        for project in account.projects:
            commands = f"{artifact.verify()}\nexport CHANGES=1 PLAN_DIGEST=abc"
            _project(world, world.target_admin, environment.region, project, commands, ["CHANGES", "PLAN_DIGEST"])


def _role(world: World, account: str, role: RoleDocument) -> None:
    iam = world.client("iam", world.aws.make_admin(account), "us-east-1")
    iam.create_role(RoleName=role.name, Path=role.path, AssumeRolePolicyDocument=json.dumps(role.trust))
    for name, document in role.policies.items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=json.dumps(document))


def _project(  # noqa: PLR0917 - in the order of a buildspec
    world: World,
    admin: Credentials,
    region: str,
    project: ProjectDocument,
    command: str,
    exports: list[str] | None = None,
    artifacts: dict[str, Any] | None = None,
) -> None:
    spec = {
        "version": 0.2,
        "env": {"shell": "bash", "exported-variables": exports or []},
        "phases": {"build": {"commands": [command]}},
        **({"artifacts": artifacts} if artifacts else {}),
    }
    world.client("codebuild", admin, region).create_project(
        name=project.name,
        source={"type": "CODEPIPELINE", "buildspec": json.dumps(spec, indent=1)},
        artifacts={"type": "CODEPIPELINE"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": project.image,
            "computeType": project.compute_type,
            "environmentVariables": [{"name": key, "value": value} for key, value in project.variables.items()],
        },
        serviceRole=project.role_arn,
    )
