"""Every limit of AWS's: at it nothing is said, one over it is refused, with the way out. The numbers are AWS's own.

"Quotas in AWS CodePipeline" and its API reference, "IAM and AWS STS quotas", "Quotas for AWS CodeBuild" and "Buildspec
syntax", "Bucket policies" (20 KB), "Key policies" (32 KB), "Managing parameter tiers" in the Systems
Manager user guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from amplify_delivery.components.documents import limits
from amplify_delivery.components.documents.statements import Document, size
from amplify_delivery.errors import ConfigError
from unit.components.documents import world as w

SPLIT = (
    "move the last waves into a pipeline that follows this one: a second pipeline file with these `stages` and "
    "`source: {type: pipeline, pipeline: NAME}` (docs/many-environments.md)"
)


def stages(number: int, actions: int = 1) -> list[dict[str, Any]]:
    return [{"Name": f"S{n}", "Actions": [{"Name": f"A{m}"} for m in range(actions)]} for n in range(number)]


def definition(found: list[dict[str, Any]]) -> None:
    limits.check_definition({"Name": "app", "Stages": found})


def with_action(**action: Any) -> list[dict[str, Any]]:
    return [{"Name": "S", "Actions": [{"Name": "A", **action}]}]


def with_rule(value: str) -> list[dict[str, Any]]:
    rule = {"Name": "R", "Configuration": {"Variable": value}}
    return [{"Name": "S", "Actions": [{"Name": "A"}], "BeforeEntry": {"Conditions": [{"Rules": [rule]}]}}]


def document_of(length: int) -> Document:
    """A document of exactly that many characters, as AWS counts them."""
    found: Document = {"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": "s3:GetObject"}]}
    found["Statement"][0]["Sid"] = "x" * (length - size(found))
    assert size(found) == length
    return found


def inline(length: int) -> None:
    """Two policies of a role, which count together."""
    role = w.accounts()["prod"].execution
    limits.check_roles([replace(role, policies={"a": document_of(length - 500), "b": document_of(500)})])


def trust(length: int) -> None:
    limits.check_roles([replace(w.accounts()["prod"].execution, trust=document_of(length))])


def attached(number: int) -> None:
    limits.check_roles([replace(w.accounts()["prod"].execution, managed_policies=("x",) * number)])


def managed(length: int) -> None:
    limits.check_roles([], [replace(w.accounts()["prod"].boundary, document=document_of(length))])


def project(**changes: Any) -> None:
    limits.check_projects([replace(w.accounts()["prod"].projects[0], **changes)])


@dataclass(frozen=True)
class Limit:
    """What is checked with a number, the last number that AWS takes, and what is said of the next."""

    name: str
    check: Callable[[int], None]
    most: int
    says: tuple[str, ...]


def total(number: int) -> None:
    """So many actions, in stages of at most 50."""
    full, rest = divmod(number, 50)
    definition(stages(full, 50) + ([{**stages(1, rest)[0], "Name": "Rest"}] if rest else []))


LIMITS = [
    Limit("stages", lambda n: definition(stages(n)), 50, ("51 stages", "put environments into waves", SPLIT)),
    Limit("actions of a stage", lambda n: definition(stages(1, n)), 50, ("S0 has 51 actions", "split its wave")),
    Limit("actions of a pipeline", total, 500, ("501 actions", SPLIT)),
    Limit("a stage's name", lambda n: definition([{"Name": "x" * n, "Actions": []}]), 100, ("not a valid name",)),
    Limit("an action's name", lambda n: definition(with_action(Name="x" * n)), 100, ("not a valid name", "up to 100")),
    Limit(
        "a value of an action's configuration",
        lambda n: definition(with_action(Configuration={"EnvironmentVariables": "x" * n})),
        1_000,
        ("S, A, EnvironmentVariables: 1001 characters, but CodePipeline takes 1000",),
    ),
    Limit("a value of a rule", lambda n: definition(with_rule("x" * n)), 10_000, ("S, R, Variable", "split its wave")),
    Limit(
        "the bucket's policy",
        lambda n: limits.check_resource_policies(document_of(n), document_of(500), w.HOME),
        20 * 1024,
        ("artifact bucket's policy is 20481 bytes", "`organization: o-...`", SPLIT),
    ),
    Limit(
        "the key's policy",
        lambda n: limits.check_resource_policies(document_of(500), document_of(n), w.HOME),
        32 * 1024,
        ("artifact key's policy is 32769 bytes", "`organization: o-...`", SPLIT),
    ),
    Limit("a role's inline policies", inline, 10_240, ("have 10241 characters", SPLIT)),
    Limit("a role's trust policy", trust, 2_048, ("trust policy", "2049 characters")),
    Limit("a role's managed policies", attached, 10, ("needs 11 managed policies", "quota raised to 20")),
    Limit("a managed policy", managed, 6_144, ("has 6145 characters",)),
    Limit(
        "a buildspec",
        lambda n: project(buildspec=f'"{"x" * (n - 2)}"'),
        25_600,
        ("25601 characters", "put the commands into a script"),
    ),
    Limit(
        "the record of types",
        lambda n: limits.check_parameter("types", "x" * n),
        4_096,
        ("4097 characters, but SSM takes 4096", "deploy fewer kinds of resources"),
    ),
    Limit("a build's minutes", lambda n: project(timeout_minutes=n), 2_160, ("5 minutes to 36 hours, not 2161",)),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_at_the_limit_nothing_is_said_and_one_over_it_is_refused(limit: Limit) -> None:
    limit.check(limit.most)
    with pytest.raises(ConfigError) as caught:
        limit.check(limit.most + 1)
    for part in limit.says:
        assert part in caught.value.message
    assert caught.value.remedy == "nothing was changed"


def test_the_least_time_of_a_build_is_five_minutes() -> None:
    project(timeout_minutes=5)
    with pytest.raises(ConfigError, match="5 minutes to"):
        project(timeout_minutes=4)


def test_every_limit_of_the_module_is_tried() -> None:
    """By its number: a new constant without a case above fails here."""
    constants: Mapping[str, Any] = vars(limits)
    numbers = {value for name, value in constants.items() if name.startswith(("MAX_", "INLINE_", "MANAGED_"))}
    assert numbers - {limit.most for limit in LIMITS} == set()


@pytest.mark.parametrize("name", ["Prod Stage", "Prod/Stage", "Größe", ""])
def test_a_name_has_codepipelines_characters(name: str) -> None:
    for found in ([{"Name": name, "Actions": []}], with_action(Name=name)):
        with pytest.raises(ConfigError, match="is not a valid name for CodePipeline"):
            definition(found)


def test_two_stages_or_two_actions_of_one_name() -> None:
    with pytest.raises(ConfigError, match="2 stages are named S0"):
        definition([*stages(1), *stages(1)])
    with pytest.raises(ConfigError, match="stage S has 2 actions named A"):
        definition([{"Name": "S", "Actions": [{"Name": "A"}, {"Name": "A"}]}])
