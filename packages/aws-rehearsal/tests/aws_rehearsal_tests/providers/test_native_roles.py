"""Roles in Pulumi programs: what of them arrives, what is enforced, and what was changed by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal_tests.pulumi_project import PulumiProject

pytestmark = pytest.mark.engine

PROGRAM = """
    more = json.loads(os.environ.get("MORE", "{}"))
    document = lambda *actions: {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]}
    inline = os.environ.get("INLINE", "queues=sqs:ListQueues topics=sns:ListTopics").split()
    native.iam.Role(
        "role",
        role_name="worker",
        path="/app/env/",
        assume_role_policy_document=trust,
        policies=[
            {"policy_name": name, "policy_document": document(action)}
            for name, action in (text.split("=") for text in inline)
        ],
        **{
            "description": "Works",
            "max_session_duration": 7200,
            "managed_policy_arns": [f"arn:aws:iam::{ACCOUNT}:policy/app/parameters"],
            "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/app/limit",
            **more,
        },
    )
"""


@pytest.fixture
def worker(project: PulumiProject) -> PulumiProject:
    """A project with the role in its program, and the policies it refers to in the account."""
    iam = project.developer.client("iam")
    for name, actions in {
        "limit": ["sqs:*", "ssm:*"],
        "wider": ["sqs:*", "sns:*", "ssm:*"],
        "parameters": ["ssm:DescribeParameters"],
        "everything": ["*"],
    }.items():
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_policy(PolicyName=name, Path="/app/", PolicyDocument=document)
    project.init().program(PROGRAM)
    return project


def policy(project: PulumiProject, name: str) -> str:
    return f"arn:aws:iam::{project.developer.account}:policy/app/{name}"


def role(project: PulumiProject) -> dict[str, Any]:
    found: dict[str, Any] = project.developer.client("iam").get_role(RoleName="worker")["Role"]
    return found


def names(project: PulumiProject) -> tuple[list[str], list[str]]:
    """The inline policies and the managed ones."""
    iam = project.developer.client("iam")
    attached = iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
    return (
        sorted(iam.list_role_policies(RoleName="worker")["PolicyNames"]),
        sorted(found["PolicyName"] for found in attached),
    )


def allowed(project: PulumiProject) -> set[str]:
    """What a session of the role may do."""
    developer = project.developer
    arn = f"arn:aws:iam::{developer.account}:role/app/env/worker"
    session = developer.aws.assume_role(developer.credentials, arn)
    found = set()
    for service, call in (("sqs", "list_queues"), ("sns", "list_topics"), ("ssm", "describe_parameters")):
        try:
            getattr(developer.aws.client(service, session, developer.region), call)()
            found.add(service)
        except ClientError as error:
            assert "AccessDenied" in error.response["Error"]["Code"] or "Authorization" in str(error)
    return found


def test_everything_of_a_role_arrives_and_its_boundary_holds(worker: PulumiProject) -> None:
    worker.up()
    found = role(worker)
    assert found["Path"] == "/app/env/"
    assert found["Description"] == "Works"
    assert found["MaxSessionDuration"] == 7200
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy(worker, "limit")
    assert names(worker) == (["queues", "topics"], ["parameters"])
    assert allowed(worker) == {"sqs", "ssm"}  # the topics are allowed inline, and outside of the boundary
    assert "2 unchanged" in worker.up("--refresh")


def test_an_update_is_in_place_and_takes_away_what_is_declared_no_more(worker: PulumiProject) -> None:
    worker.up()
    before = role(worker)["RoleId"]
    more = {"permissions_boundary": policy(worker, "wider"), "managed_policy_arns": None, "description": "Rests"}
    assert "~ 1 updated" in worker.up(MORE=json.dumps(more), INLINE="topics=sns:ListTopics")
    assert role(worker)["RoleId"] == before
    assert role(worker)["Description"] == "Rests"
    assert names(worker) == (["topics"], [])
    assert allowed(worker) == {"sns"}

    more["permissions_boundary"] = None
    worker.up(MORE=json.dumps(more), INLINE="topics=sns:ListTopics")
    assert "PermissionsBoundary" not in role(worker)


def test_what_was_changed_by_hand_is_seen_and_undone(worker: PulumiProject) -> None:
    worker.up(INLINE="")
    iam = worker.developer.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    iam.put_role_policy(RoleName="worker", PolicyName="theirs", PolicyDocument=document)
    iam.attach_role_policy(RoleName="worker", PolicyArn=policy(worker, "everything"))
    iam.delete_role_permissions_boundary(RoleName="worker")
    iam.update_role(RoleName="worker", Description="Theirs", MaxSessionDuration=3600)

    shown = worker.succeed("preview", "--refresh", "--diff", INLINE="")
    for what in ("theirs", "everything", "permissionsBoundary", "Theirs", "maxSessionDuration"):
        assert what in shown
    assert "~ 1 updated" in worker.up("--refresh", INLINE="")
    assert names(worker) == ([], ["parameters"])
    assert role(worker)["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy(worker, "limit")
    assert role(worker)["Description"] == "Works"
    assert role(worker)["MaxSessionDuration"] == 7200
    assert "2 unchanged" in worker.up("--refresh", INLINE="")


def test_a_boundary_that_is_not_there_is_refused(worker: PulumiProject) -> None:
    said = worker.fail(MORE=json.dumps({"permissions_boundary": policy(worker, "none")}))
    assert "does not exist or is not attachable" in said
    assert "role" not in worker.resources()
