"""What docs/rights.md says that a person needs is what commands, engine and providers call with her credentials.

Roles of ours are held against the same code in `unit.components.documents.account.test_own_calls`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.commands import (
    adopt,
    bootstrap,
    client_config,
    destroy,
    handover,
    outputs,
    plan,
    setup,
    unlock,
    up,
)
from amplify_delivery.components.documents.account.deploy_rights import deploy
from amplify_delivery.components.documents.rights import provider_calls
from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type
from amplify_delivery.components.documents.rights.types import actions_for
from amplify_delivery.delivery.account.role_rights import _CLOUD_CONTROL
from amplify_delivery.delivery.pipeline import state_stack
from amplify_delivery.export.documents import parse_yaml
from amplify_delivery.stacks import account, backend
from amplify_delivery.stacks import pipeline as pipeline_stack
from aws_rehearsal.local_aws.handlers.calls import calls
from aws_rehearsal.local_aws.handlers.subject import Subject
from unit.components.documents import world
from unit.components.documents.account.test_own_calls import found
from unit.places import REPOSITORY
from unit.stacks.projects import HOME
from unit.stacks.registered.test_every_declared_document import recordings

# With the test that reads the product's code too.
pytestmark = pytest.mark.xdist_group("own-calls")

PAGE = REPOSITORY / "docs" / "rights.md"
STATE = ("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject")
SECRETS = ("kms:Decrypt", "kms:Encrypt")
PASSED = frozenset({"iam:PassRole"})
STATE_TEMPLATE = Path(state_stack.__file__).with_name("templates") / "state.yaml"
NO_RIGHT = frozenset({"sts:GetCallerIdentity"})
"""Of what is called nobody needs a right for this."""


def _reason(reason: str, actions: str) -> dict[str, str]:
    return dict.fromkeys(actions.split(), reason)


_OF_A_PIPELINE = _reason(
    "of accounts' and pipelines' own resources, which her program has none of",
    "codebuild:BatchGetBuilds codebuild:BatchGetProjects codepipeline:GetPipeline codepipeline:ListPipelineExecutions "
    "codestar-notifications:DescribeNotificationRule codestar-notifications:ListNotificationRules "
    "ecr:DescribeRepositories kms:DescribeKey kms:GetKeyPolicy kms:ListAliases kms:ListKeys kms:ListResourceTags "
    "ssm:DescribeParameters ssm:ListTagsForResource",
)
_BOOTSTRAPPED = _reason(
    "of a bootstrapped environment's version and audit log",
    "logs:CreateLogStream logs:FilterLogEvents logs:PutLogEvents ssm:GetParameter ssm:GetParameters",
)
_IMAGES = _reason(
    "of container images, where there are some",
    "ecr:BatchDeleteImage ecr:BatchGetImage ecr:DescribeImageScanFindings ecr:GetAuthorizationToken ecr:ListImages",
)
_COPIES = _reason(
    "where `replacedTables` has a table's items copied, by whom `up` names them to",
    "dynamodb:BatchWriteItem dynamodb:DescribeTimeToLive dynamodb:GetResourcePolicy dynamodb:Scan",
)
_SECRETS_MADE = {
    "secretsmanager:DeleteSecret": "of secret parameters, where there are some, and AWS keeps one of that name"
}
_ROLE_OF_HERS = {"sts:AssumeRole": "where the stack file names a role (`roleArn`)"}


@dataclass(frozen=True)
class Person:
    """`begins` is what of our code runs with her credentials, `programs` what it declares (`recordings`)."""

    begins: tuple[Callable[..., Any], ...]
    programs: tuple[str, ...]
    left: Mapping[str, str]
    """By action that can be reached: why she needs no right for it."""
    engine: tuple[str, ...] = ()
    """What Pulumi's engine itself calls: the state in a bucket, and the key of its secrets."""
    further: frozenset[str] = frozenset()
    """What else AWS asks for: roles and connections that are passed on, what CloudFormation calls with her rights."""

    def needs(self) -> frozenset[str]:
        own = found(self.begins, but=()) - self.left.keys()
        types = {r.type for program in self.programs for r in recordings()[program][0].resources}
        made = {action for kind in types for action in _made(kind)}
        return frozenset(own | made | {*self.engine} | self.further) - NO_RIGHT


def _made(kind: str) -> Iterator[str]:
    """To make, read, change and delete a resource of a program."""
    name = cloudformation_type(kind)
    if kind.startswith("aws-native:") and name:
        yield from (*actions_for([name]), *_CLOUD_CONTROL)
    elif kind.startswith("aws:"):
        for operation in (*provider_calls.OPERATIONS, "deleteForced"):
            yield from provider_calls.actions(provider_calls.calls(kind, operation))


def _by_cloudformation() -> Iterator[str]:
    """For the bucket and the key of `setup`'s template, from their first day to their last."""
    template = parse_yaml(STATE_TEMPLATE.read_bytes())
    for name, resource in template["Resources"].items():
        about = Subject(resource["Type"], name, "state", "1" * 12, HOME, resource["Properties"])
        for operation in ("create", "update", "delete"):
            yield from (call.action for call in calls(operation, about, {}))


PEOPLE = {
    "A copy of one's own": Person(
        (up.run, plan.run, destroy.run, outputs.run, client_config.run, unlock.run, backend.program),
        ("personal",),
        {**_OF_A_PIPELINE, **_BOOTSTRAPPED, **_IMAGES, **_COPIES, **_SECRETS_MADE, **_ROLE_OF_HERS},
        further=PASSED,
    ),
    "Adopting an environment": Person(
        (adopt.run, backend.program),
        (),
        {
            **{
                action: why for action, why in _OF_A_PIPELINE.items() if action != "codepipeline:ListPipelineExecutions"
            },
            **{a: w for a, w in _IMAGES.items() if a not in ("ecr:BatchDeleteImage", "ecr:ListImages")},
            **_SECRETS_MADE,
            **_ROLE_OF_HERS,
        },
        (*STATE, *SECRETS),
        # The engine reads the stack that it takes in, with all its drift.
        provider_calls.actions(provider_calls.calls("aws:cloudformation/stack:Stack", "read")),
    ),
    "Handing an environment over": Person((handover.run,), (), _ROLE_OF_HERS, STATE),
    "Bootstrapping an account": Person(
        (bootstrap.run, account.program),
        ("account", "another account"),
        _ROLE_OF_HERS,
        (*STATE, *SECRETS),
        PASSED,
    ),
    "The tooling account": Person(
        (setup.run, unlock.run, pipeline_stack.program),
        ("pipeline from connection", "pipeline from codecommit", "pipeline from s3"),
        {
            **_reason(
                "`unlock` of an environment, whose root stack it protects again",
                "cloudformation:GetStackPolicy cloudformation:GetTemplate cloudformation:ListStackResources "
                "cloudformation:ListStacks dynamodb:DescribeTable dynamodb:GetResourcePolicy dynamodb:ListTables",
            ),
            **_ROLE_OF_HERS,
        },
        (*STATE, *SECRETS),
        PASSED | {"codeconnections:PassConnection"} | {*_by_cloudformation()},
    ),
}


def policies() -> Mapping[str, Mapping[str, Any]]:
    """The page's, by heading."""
    blocks = re.findall(r"^## (.+?)\n(?:(?!^## ).)*?^```json\n(.+?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return {heading: json.loads(text) for heading, text in blocks}


def policy(actions: frozenset[str]) -> dict[str, Any]:
    """As the page has it: a statement for each service."""
    services: dict[str, list[str]] = {}
    for action in sorted(actions):
        services.setdefault(action.partition(":")[0], []).append(action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": re.sub("[^a-z0-9]", "", service), "Effect": "Allow", "Action": named, "Resource": "*"}
            for service, named in services.items()
        ],
    }


def test_the_page_has_a_policy_for_each_person() -> None:
    assert policies().keys() == PEOPLE.keys()


@pytest.mark.parametrize("who", PEOPLE)
def test_a_policy_holds_what_is_called_and_nothing_else(who: str) -> None:
    wanted = PEOPLE[who].needs()
    assert policies()[who] == policy(wanted), json.dumps(policy(wanted), indent=1)


def test_the_page_says_what_a_copy_with_secret_parameters_needs_besides() -> None:
    """The example's backend has none. The component makes them, and CloudFormation reads them with her rights: what the
    `deploy` of a bootstrapped environment may."""
    copy = "A copy of one's own"
    [given] = [s for s in deploy(world.access(world.prod)) if s["Sid"] == "Secrets"]
    held = {action for statement in policies()[copy]["Statement"] for action in statement["Action"]}
    text = PAGE.read_text().partition(f"## {copy}\n")[2].partition("```json")[0]
    assert set(re.findall(r"secretsmanager:\w+", text)) == {*given["Action"]} - held


@pytest.mark.parametrize("who", PEOPLE)
def test_what_is_left_out_could_be_reached(who: str) -> None:
    assert PEOPLE[who].left.keys() - found(PEOPLE[who].begins, but=()) == set()


@pytest.mark.parametrize("who", PEOPLE)
def test_iam_takes_a_policy_of_that_size(who: str) -> None:
    """6,144 characters of a managed policy, without white space."""
    assert len(json.dumps(policies()[who], separators=(",", ":"))) < 6_144
