"""Images of build environments: whose rights they are pulled with, and which roles get these."""

from __future__ import annotations

import json

import pytest

from amplify_delivery.components.documents.account.account_documents import account_documents
from amplify_delivery.components.documents.environment import IMAGES, PULL, BuildEnvironment
from amplify_delivery.components.documents.fields import Compute
from amplify_delivery.components.documents.naming import PROJECTS
from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents
from unit.components.documents import world as w

REPOSITORY = "arn:aws:ecr:eu-central-1:999999999999:repository/team/builds"
PRIVATE = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/team/builds"


@pytest.mark.parametrize("image", [f"{PRIVATE}:1", f"{PRIVATE}@sha256:{'0' * 64}", PRIVATE])
def test_an_image_of_a_private_registry_is_pulled_with_the_projects_role(image: str) -> None:
    build = BuildEnvironment(image=image)
    account, pipeline = (
        account_documents(w.access(w.ENVIRONMENTS[0], build=build)),
        pipeline_documents(w.pipeline_model(), build=build),
    )
    for project in (*account.projects, *pipeline.projects):
        assert project.pull_credentials == "SERVICE_ROLE"
        role = next(r for r in (*account.roles, *pipeline.roles) if r.arn == project.role_arn)
        statements = [s for policy in role.policies.values() for s in policy["Statement"]]
        assert {"Action": list(PULL), "Effect": "Allow", "Resource": REPOSITORY, "Sid": "Image"} in statements
        token = next(s for s in statements if s["Sid"] == "ImageRegistry")
        assert token["Condition"] == {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    assert len(account.projects) == len(PROJECTS)
    # A boundary is the most that a role can do: UpdatePipeline's has to let it pull as well.
    boundary = next(b for b in pipeline.boundaries if b.name == w.pipeline.boundary("update"))
    assert REPOSITORY in json.dumps(boundary.document)


@pytest.mark.parametrize("image", [IMAGES["x86_64"], "public.ecr.aws/team/builds:1", "docker.io/library/python:3.13"])
def test_a_public_image_needs_nothing(image: str) -> None:
    build = BuildEnvironment(image=image)
    account = account_documents(w.access(w.ENVIRONMENTS[0], build=build))
    assert {project.pull_credentials for project in account.projects} == {"CODEBUILD"}
    assert "ecr:" not in json.dumps([role.policies for role in account.project_roles])


@pytest.mark.parametrize(("architecture", "image"), IMAGES.items())
def test_awss_own_image_is_one_for_the_architecture(architecture: str, image: str) -> None:
    Compute.model_validate({"architecture": architecture, "image": image})


def test_the_type_follows_the_architecture() -> None:
    build = BuildEnvironment(image=IMAGES["arm64"], architecture="arm64")
    documents = pipeline_documents(w.pipeline_model(), build=build)
    assert {project.environment_type for project in documents.projects} == {"ARM_CONTAINER"}
    assert {project.environment_type for project in w.tooling().projects} == {"LINUX_CONTAINER"}
