"""What the execution role may make for Amplify's container API, whose names know no environment, and nothing else."""

from __future__ import annotations

import pytest

from amplify_delivery.components.documents.rights.types import execution_statements
from amplify_delivery.components.documents.statements import document
from aws_rehearsal.policy import Principal, Request
from aws_rehearsal.policy.evaluator import evaluate
from unit.components.documents import world as w

TYPES = frozenset(
    f"AWS::{name}"
    for name in (
        "CodeBuild::Project",
        "CodePipeline::Pipeline",
        "ECS::Service",
        "Logs::LogGroup",
        "StepFunctions::StateMachine",
    )
)
OWN = w.stack_name(w.prod)
MACHINE, PROJECT = "AwaiterMyProviderwaiterstat-1AB2CD", "ApiPipelineCodeBuildProject-1AB2CD"
ROWS = [
    ("codebuild:CreateProject", f"codebuild:project/{PROJECT}", True),
    ("codebuild:UpdateProject", "codebuild:project/reports", False),
    ("states:CreateStateMachine", f"states:stateMachine:{MACHINE}", True),
    ("states:UpdateStateMachine", "states:stateMachine:Machine-1AB2CD", False),
    ("logs:CreateLogGroup", f"logs:log-group:/ecs/{OWN}-api:*", True),
    ("logs:CreateLogGroup", "logs:log-group:/ecs/another:*", False),
    ("logs:CreateLogGroup", f"logs:log-group:/aws/vendedlogs/states/waiter-state-machine-{OWN}-x:*", True),
    ("logs:DeleteLogGroup", "logs:log-group:/aws/vendedlogs/states/another:*", False),
]


def decision(action: str, resource: str, types: frozenset[str]) -> str:
    service, _, rest = resource.partition(":")
    policy = document(execution_statements(w.access(w.prod, resource_types=types)))
    principal = Principal(w.prod.execution_role_arn)
    return str(evaluate([policy], Request(principal, action, w.prod.arn(service, rest)), {}))


@pytest.mark.parametrize(("action", "resource", "allowed"), ROWS)
def test_what_a_container_api_is_made_of(action: str, resource: str, *, allowed: bool) -> None:
    assert (decision(action, resource, TYPES) == "allow") is allowed


@pytest.mark.parametrize(("action", "resource"), [row[:2] for row in ROWS if row[2]])
def test_a_backend_without_one_has_none_of_it(action: str, resource: str) -> None:
    without = frozenset({"AWS::CodeBuild::Project", "AWS::Logs::LogGroup"})
    assert decision(action, resource, without) != "allow"
