"""cfn-lint over templates: what is refused, what is left out, and what is kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination import lint
from amplify_delivery.publishing.examination.cache import RESULTS_VARIABLE
from amplify_delivery.publishing.examination.lint import Template, lint_templates

if TYPE_CHECKING:  # cfn-lint takes half a second to import: for the process that runs these tests, not for each
    from amplify_delivery.publishing.examination.linter import Linter

REGION = "us-east-1"
FUNCTION: dict[str, Any] = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Role": "arn:aws:iam::123456789012:role/r",
        "Runtime": "nodejs22.x",
        "Handler": "index.handler",
        "Code": {"ZipFile": "x"},
    },
}


@pytest.fixture(scope="module")
def linter() -> Linter:
    return new_linter()


def new_linter() -> Linter:
    from amplify_delivery.publishing.examination.linter import Linter

    return Linter()


def problems_of(linter: Linter, text: str, region: str = REGION) -> list[str]:
    return linter.lint(text, [region])[region]


def template(**sections: Any) -> str:
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", **sections})


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        ({**FUNCTION, "Properties": {**FUNCTION["Properties"], "Runtime": "nodejs4.x"}}, "E3030"),
        ({**FUNCTION, "Properties": {**FUNCTION["Properties"], "Role": {"Ref": "Nobody"}}}, "E1020"),
        ({**FUNCTION, "Properties": {**FUNCTION["Properties"], "Runtim": "nodejs22.x"}}, "E3002"),
        ({"Type": "AWS::Lambda::Funktion"}, "E3006"),
        ({**FUNCTION, "Properties": {**FUNCTION["Properties"], "Runtime": "nodejs12.x"}}, ""),
        (FUNCTION, ""),
    ],
)
def test_planted_faults(linter: Linter, resource: dict[str, Any], problem: str) -> None:
    problems = problems_of(linter, template(Resources={"F": resource}))
    assert len(problems) == bool(problem)
    assert all(problem in p and p.startswith("Resources/F") for p in problems)


def test_what_is_no_template(linter: Linter) -> None:
    assert problems_of(linter, "{") != []


def test_a_resource_that_is_never_created_is_left_out(linter: Linter) -> None:
    empty = {"Type": "Custom::EmptyResource", "Condition": "AlwaysFalse"}
    never = {"AlwaysFalse": {"Fn::Equals": ["true", "false"]}}
    sometimes = {"AlwaysFalse": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
    assert problems_of(linter, template(Conditions=never, Resources={"E": empty})) == []
    assert "ServiceToken" in problems_of(linter, template(Conditions=sometimes, Resources={"E": empty}))[0]


@pytest.mark.parametrize(
    ("condition", "problems"),
    [
        ({"Fn::Equals": ["", ""]}, 0),
        ({"Fn::And": [{"Fn::Equals": ["", ""]}, {"Fn::Equals": ["a", "a"]}]}, 0),
        ({"Fn::Not": [{"Fn::Equals": ["", "x"]}]}, 0),
        ({"Fn::Or": [{"Fn::Equals": ["", ""]}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}]}, 0),
        ({"Condition": "Other"}, 0),
        ({"Fn::Equals": ["", {"Fn::Join": ["", []]}]}, 0),
        ({"Fn::Equals": ["true", True]}, 0),
        ({"Fn::Equals": ["", "x"]}, 1),
        ({"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}, 1),
    ],
)
def test_a_branch_that_is_never_taken_is_left_out(linter: Linter, condition: dict[str, Any], problems: int) -> None:
    vpc = {"Fn::If": ["New", "vpc-0123456789abcdef0", ""]}
    text = template(
        Conditions={"New": condition, "Other": {"Fn::Equals": ["1", "1"]}},
        Resources={"Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": vpc}}},
    )
    assert len(problems_of(linter, text)) == problems


@pytest.mark.parametrize(
    ("parameter", "good"),
    [
        ({"Type": "String", "Default": 5, "AllowedValues": ["1", "5"]}, True),
        ({"Type": "Number", "Default": 5, "AllowedValues": ["1", "5"]}, True),
        ({"Type": "Number", "Default": "5", "AllowedValues": [1, 5]}, True),
        ({"Type": "String", "Default": 6, "AllowedValues": ["1", "5"]}, False),
        ({"Type": "Number", "Default": 5, "AllowedValues": ["1", "5"], "MaxValue": 3}, False),
    ],
)
def test_a_number_as_default_beside_texts(linter: Linter, parameter: dict[str, Any], good: bool) -> None:
    function = {**FUNCTION, "Properties": {**FUNCTION["Properties"], "Description": {"Ref": "P"}}}
    problems = problems_of(linter, template(Parameters={"P": parameter}, Resources={"F": function}))
    assert [p for p in problems if "E2015" in p] == problems
    assert bool(problems) != good


def test_a_users_own_cfnlintrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E3006]\n")
    monkeypatch.chdir(tmp_path)
    assert problems_of(new_linter(), template(Resources={"F": {"Type": "AWS::Lambda::Funktion"}}))


def test_a_region_that_cfn_lint_does_not_know_yet(linter: Linter) -> None:
    text = template(Resources={"F": FUNCTION})
    assert linter.lint(text, ["zz-north-9", "eu-west-1"]) == {"zz-north-9": [], "eu-west-1": []}


@pytest.mark.parametrize(
    ("resource", "good"),
    [
        (FUNCTION, ["us-east-1", "eu-west-1", "il-central-1"]),
        ({"Type": "AWS::KinesisAnalytics::Application"}, []),
        ({"Type": "AWS::Cognito::UserPoolReplica"}, []),
        ({**FUNCTION, "Properties": {**FUNCTION["Properties"], "Runtime": "nodejs4.x"}}, []),
        ({"Type": "AWS::DAX::ParameterGroup", "Properties": {}}, ["us-east-1", "eu-west-1"]),
    ],
)
def test_several_regions_at_once_find_what_each_finds(
    linter: Linter, resource: dict[str, Any], good: list[str]
) -> None:
    regions = ["us-east-1", "eu-west-1", "il-central-1"]
    text = template(Resources={"R": resource})
    together = linter.lint(text, regions)
    assert together == {region: problems_of(linter, text, region) for region in regions}
    assert [region for region in regions if not together[region]] == good


def test_what_is_good_everywhere_is_gone_through_once(
    linter: Linter, todo: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[tuple[str, ...]] = []
    plain = linter._problems

    def counted(text: str, regions: tuple[str, ...]) -> list[str]:
        times.append(regions)
        return plain(text, regions)

    monkeypatch.setattr(linter, "_problems", counted)
    regions = ["us-east-1", "eu-west-1", "ap-southeast-2"]
    for body in templates_of(todo).values():
        assert linter.lint(body.decode(), regions) == {region: [] for region in regions}
    assert set(times) == {tuple(regions)}
    assert len(times) == len(templates_of(todo))


def linted(templates: Mapping[str, bytes], region: str = REGION) -> tuple[dict[str, list[str]], list[str]]:
    said: list[str] = []
    wanted = {key: Template(lambda body=body: body, [region]) for key, body in templates.items()}  # type: ignore[misc]
    return {key: found[region] for key, found in lint_templates(wanted, said.append).items()}, said


def templates_of(assembly: Assembly) -> dict[str, bytes]:
    return {o.key: assembly.read(o.key) for o in assembly.objects if o.kind == "template"}


FEW = {
    "good": template(Resources={"F": FUNCTION}).encode(),
    "bad": template(Resources={"F": {"Type": "AWS::Lambda::Funktion"}}).encode(),
    "other": template(Resources={"Topic": {"Type": "AWS::SNS::Topic"}}).encode(),
}
"""What is kept of a template does not hang on how much stands in it."""


def test_only_what_changed_is_linted_again() -> None:
    templates = dict(FEW)
    first, said = linted(templates)
    assert said == ["linting 3 of 3 templates"]
    assert [key for key, problems in first.items() if problems] == ["bad"]
    assert linted(templates) == (first, [])
    assert linted(templates, "eu-west-1")[1] != []

    templates["good"] += b" "
    assert linted(templates)[1] == ["linting 1 of 3 templates"]


def test_what_cfn_lint_failed_at_is_told_and_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a rule that raises, cfn-lint says E0002 and nothing of what it would have found."""

    def fails(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute '__dict__'")

    with monkeypatch.context() as patched:
        patched.setattr(type(lint.linter()._runner.rules.data["E3004"]), "match", fails)
        found, said = linted(FEW, "eu-north-1")
    assert {key for key, problems in found.items() if problems} == {"bad"}
    assert [line.partition(": ")[0] for line in said[1:]] == [f"cfn-lint has not looked at all of {key}" for key in FEW]
    assert "rule E3004: " in said[1]
    assert linted(FEW, "eu-north-1") == (found, ["linting 3 of 3 templates"])
    assert linted(FEW, "eu-north-1") == (found, [])


def test_the_linters_own_failure_is_known_by_its_end() -> None:
    from amplify_delivery.publishing.examination.linter import FAILED

    assert f"(cfn-lint {FAILED})" == lint._FAILED


def test_another_digest_in_a_key_is_nothing_new_to_cfn_lint() -> None:
    """Else one changed file has every template linted again that leads to it, the API's large one among them."""

    def naming(*keys: str) -> dict[str, bytes]:
        nested = {f"N{n}": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"https://b/{key}"}}
                  for n, key in enumerate(keys)}  # fmt: skip
        return {"key": template(Resources=nested).encode()}

    one, two, three = (hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two", "three"))
    linted(naming(one, two))
    assert linted(naming(three, one))[1] == []
    assert linted(naming(one, one))[1] != []


def test_what_is_found_names_the_keys_that_stand_in_the_template() -> None:
    one, two = (hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two"))
    for digests in ((one, two), (two, one)):
        body = template(Resources={"F": {"Type": "AWS::Lambda::Function", "Properties": {**FUNCTION["Properties"],
                        "Handler": digests[0], "Runtime": digests[1]}}}).encode()  # fmt: skip
        problems = linted({"key": body})[0]["key"]
        assert any(digests[1] in problem for problem in problems)
        assert not any(digests[0] in problem for problem in problems)


def root_of(account: str, suffix: str, runtime: str = "nodejs22.x", beside: str = "") -> Template:
    """A root as the environment with that account and suffix renders it: its names stand in it."""
    bucket, stack = f"app-dev-staging-{account}-{REGION}-an", f"amplify-app-dev-{suffix}"
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": f"https://{bucket}/key"}}
    function = {**FUNCTION, "Properties": {**FUNCTION["Properties"], "Runtime": runtime}}
    body = template(Description=f"{stack}-auth {beside}", Resources={"F": function, "N": nested}).encode()
    return Template(lambda: body, [REGION], bucket, stack)


def test_another_environment_is_nothing_new_to_cfn_lint() -> None:
    said: list[str] = []
    for root in (root_of("123456789012", "1a2b3"), root_of("210987654321", "c4d5e"), root_of("0" * 12, "00000")):
        assert lint_templates({"root": root}, said.append) == {"root": {REGION: []}}
    assert said == ["linting 1 of 1 templates"]
    # By itself a number may be any: nobody knows that it is an account.
    lint_templates({"root": root_of("123456789012", "1a2b3", beside="123456789012")}, said.append)
    lint_templates({"root": root_of("210987654321", "c4d5e", beside="210987654321")}, said.append)
    assert len(said) == 3


def test_what_is_found_names_the_environment_that_it_is_of() -> None:
    for account, suffix in (("123456789012", "1a2b3"), ("210987654321", "c4d5e"), ("0" * 12, "00000")):
        for name in (f"amplify-app-dev-{suffix}", f"app-dev-staging-{account}-{REGION}-an"):
            found = lint_templates({"root": root_of(account, suffix, name)}, lambda _: None)
            assert any(f"'{name}'" in problem for problem in found["root"][REGION]), found


def test_no_error_hangs_on_a_rule_that_is_switched_off(linter: Linter) -> None:
    from cfnlint.config import ConfigMixIn
    from cfnlint.runner import Runner

    from amplify_delivery.publishing.examination.linter import IGNORED

    kept = linter._runner.rules.data
    every = Runner(ConfigMixIn(regions=[REGION])).rules.data
    assert {rule for rule in every if rule.startswith("E")} - set(IGNORED) <= kept.keys()
    assert len(kept) < len(every)
    for name in every.keys() - kept.keys():
        assert not [rule.id for rule in kept.values() if name in (*rule.child_rules, *rule.parent_rules)]


@pytest.fixture(scope="module")
def whole() -> Linter:
    """A linter with all of cfn-lint's rules."""
    from cfnlint.runner import Runner

    from amplify_delivery.publishing.examination import linter

    made = linter.Linter.__new__(linter.Linter)
    made._runner = Runner(linter._config((REGION,)))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_out_changes_no_answer(linter: Linter, whole: Linter, full: Assembly, seed: int) -> None:
    """Beside a linter with all rules, on templates that were damaged at random."""
    random = Random(seed)
    bodies = sorted((body for body in templates_of(full).values() if len(body) < 15_000), key=len)
    text = damaged(json.loads(random.choice(bodies)), random)
    regions = [REGION, "eu-west-1"]
    assert linter.lint(text, regions) == {
        # A warning that raises is none of ours.
        region: [
            problem for problem in problems if not problem.startswith(": Unknown exception while processing rule W")
        ]
        for region, problems in whole.lint(text, regions).items()
    }


def damaged(document: Any, random: Random) -> str:
    for _ in range(6):
        node, holder, key = document, document, None
        for _ in range(random.randint(2, 8)):
            if not isinstance(node, dict | list) or not node:
                break
            holder, key = node, random.choice(sorted(node)) if isinstance(node, dict) else random.randrange(len(node))
            node = node[key]
        if key is not None:
            holder[key] = random.choice(["No Such", -7, [1], {}, None])
    return json.dumps(document)


def test_what_a_default_would_lead_to_stays_a_warning(linter: Linter) -> None:
    """The environment gives another value: cfn-lint counts it to the function's warnings."""
    named = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}}
    bad = template(Parameters={"Name": {"Type": "String", "Default": "No_Bucket"}}, Resources={"B": named})
    assert problems_of(linter, bad) == []
    named = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "No_Bucket"}}
    assert problems_of(linter, template(Resources={"B": named})) != []


def test_another_rule_set_lints_again(monkeypatch: pytest.MonkeyPatch) -> None:
    linted(FEW)
    monkeypatch.setattr(lint, "RULES", "another")
    assert linted(FEW)[1] != []


def test_another_cfn_lint_lints_again(monkeypatch: pytest.MonkeyPatch) -> None:
    linted(FEW)
    monkeypatch.setattr(lint, "version", lambda name: {"cfn-lint": "99.0.0"}[name])
    assert linted(FEW)[1] != []


def test_our_own_rules_are_another_set_whenever_their_source_is() -> None:
    from amplify_delivery.export.templates import composing, conditions, expressions, literals, resolve
    from amplify_delivery.publishing.examination import linter

    sources = [
        Path(str(module.__file__)).read_bytes()
        for module in (linter, resolve, conditions, composing, expressions, literals)
    ]
    assert hashlib.sha256(b"\0".join(sources)).hexdigest() == lint.RULES


def test_results_lie_where_the_variable_says(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RESULTS_VARIABLE, "examined")
    monkeypatch.chdir(tmp_path)
    linted(FEW)
    assert len(list((tmp_path / "examined" / "lint").rglob("*.json"))) == len(FEW)
    assert not own_cache.exists()
    assert linted(FEW)[1] == []


def test_a_cache_that_cannot_be_written_only_costs_time(own_cache: Path) -> None:
    own_cache.write_text("a file, where the folder should be")
    assert linted(FEW)[0] == linted(FEW)[0]


def test_half_a_cache_file_is_no_result(own_cache: Path) -> None:
    first, _ = linted(FEW)
    for file in own_cache.rglob("*.json"):
        file.write_text('["')
    assert linted(FEW)[0] == first


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the number of processors cannot be told here")
def test_several_processes_find_the_same(full: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = template(Resources={"F": {"Type": "AWS::Lambda::Funktion"}}).encode()
    templates = {**templates_of(full), "bad": bad}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(lint, "MANY", 0)
    found, _ = linted(templates)
    assert found.keys() == templates.keys()
    assert [key for key, problems in found.items() if problems] == ["bad"]
