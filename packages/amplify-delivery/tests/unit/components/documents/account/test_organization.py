"""The organization's guard over the names that action roles trust: decided, and loosened, like every other document."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from amplify_delivery.components.documents.account.organization import protect_pipeline_role
from amplify_delivery.components.documents.statements import Document
from aws_rehearsal.policy import Principal, Request
from aws_rehearsal.policy.evaluator import evaluate
from unit.components.documents import world as w
from unit.components.documents.mutations import Mutation, loosened

ADMINISTRATOR = f"arn:aws:iam::{w.TOOLING}:role/aws-reserved/sso.amazonaws.com/*"
SHE = ADMINISTRATOR.replace("*", "eu-west-1/AWSReservedSSO_Admin_0123")
OTHER = f"arn:aws:iam::{w.TOOLING}:role/developer"
POLICY = protect_pipeline_role(w.pipeline, [ADMINISTRATOR])

ROLE_CHANGES = [
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
]
POLICY_CHANGES = ("CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion")


def cases() -> Iterator[tuple[str, str, str, bool]]:
    """Who, what, on what, and whether the policy denies it."""
    targets = [(w.pipeline.role_arn(), verb) for verb in ROLE_CHANGES]
    targets += [(w.pipeline.boundary_arn(what), verb) for what in ("pipeline", "update") for verb in POLICY_CHANGES]
    for target, verb in targets:
        yield OTHER, verb, target, True
        yield w.pipeline.role_arn("update"), verb, target, True
        yield SHE, verb, target, False
        yield OTHER, verb, target.rpartition("/")[0] + "/another", False
    # UpdatePipeline writes the list of action roles, and the pipeline is read by whoever may.
    yield w.pipeline.role_arn("update"), "PutRolePolicy", w.pipeline.role_arn(), False
    yield OTHER, "GetRole", w.pipeline.role_arn(), False


def denies(policy: Document, who: str, verb: str, target: str) -> bool:
    request = Request(Principal(who), f"iam:{verb}", target)
    return evaluate([policy], request, {"aws:PrincipalArn": who}) == "deny"


@pytest.mark.parametrize(("who", "verb", "target", "denied"), list(cases()))
def test_only_named_administrators_change_what_action_roles_trust(
    who: str, verb: str, target: str, denied: bool
) -> None:
    assert denies(POLICY, who, verb, target) is denied


MUTATIONS = list(loosened("organization", POLICY))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[m.id for m in MUTATIONS])
def test_a_loosened_statement_breaks_a_case(mutation: Mutation) -> None:
    assert any(denies(mutation.loosened, *case[:3]) is not case[3] for case in cases())


def test_it_allows_nothing_and_fits() -> None:
    assert {statement["Effect"] for statement in POLICY["Statement"]} == {"Deny"}
    assert len(json.dumps(POLICY)) <= 5_120  # "Quotas for AWS Organizations"
