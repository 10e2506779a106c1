"""What is right in the exported environment only: taken there, refused elsewhere unless the environment sets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import (
    Assembly,
    EnvironmentValues,
    Export,
    ExportRefused,
    assemble,
    compare,
    load_assembly,
    read_export,
    render_root,
    write_assembly,
)
from unit.export.mutations import MANIFEST, apply, set_value

Copy = Callable[[str], Path]
FUNCTION = "function/helloFn/helloFn-cloudformation-template.json"
VALUE = "/props/loadNestedStacks/functionhelloFn/parameters/table"
VARIABLE = "/Resources/LambdaFunction/Properties/Environment/Variables/PLACE"
POOL = "eu-west-1_AbCdEfGh1"


def render(assembly: Assembly, environment: str, **values: object) -> tuple[str, ...]:
    """The refusals of a new stack."""
    root = render_root(assembly, EnvironmentValues(environment, 1, **values), "bucket")  # type: ignore[arg-type]
    return tuple(f.message for f in root.against_creating)


@pytest.fixture
def with_value(export_copy: Copy) -> Assembly:
    """A function's parameter holds a name of the exported environment."""
    folder = export_copy("full")
    apply(folder, [["set", FUNCTION, "/Parameters/table", {"Type": "String"}], ["set", MANIFEST, VALUE, "orders-dev"]])
    return assemble(read_export(folder))


@pytest.fixture
def with_literal(export_copy: Copy) -> Assembly:
    """A function's template holds a user pool's id."""
    folder = export_copy("full")
    set_value(folder, FUNCTION, VARIABLE, POOL)
    return assemble(read_export(folder))


def test_nothing_is_refused_where_it_was_exported(with_value: Assembly) -> None:
    assert render(with_value, "dev") == ()


def test_another_environment_is_refused_with_the_place(with_value: Assembly) -> None:
    with pytest.raises(ExportRefused, match=r"AD212 .*functionhelloFn\.table holds 'orders-dev'") as error:
        render(with_value, "prod")
    (finding,) = error.value.findings
    assert finding.severity == "refused"
    assert "`pulumi config set --path 'parameters.functionhelloFn.table' VALUE`" in finding.remedy
    assert "`pulumi config set --path 'keptLiterals[0]' orders-dev`" in finding.remedy


def test_a_value_of_its_own_is_enough(with_value: Assembly) -> None:
    assert render(with_value, "prod", parameters={"functionhelloFn": {"table": "orders-prod"}}) == ()
    assert render(with_value, "prod", from_export={"functionhelloFn": {"table": "orders-prod"}}) == ()


def test_the_same_value_again_is_not(with_value: Assembly) -> None:
    with pytest.raises(ExportRefused):
        render(with_value, "prod", parameters={"functionhelloFn": {"table": "orders-dev"}})


def test_an_environment_may_take_a_value_as_it_is(with_value: Assembly) -> None:
    assert render(with_value, "prod", kept_literals=frozenset({"orders-dev"})) == ()


def test_an_environment_may_take_a_literal_as_it_is(with_literal: Assembly) -> None:
    assert render(with_literal, "prod", kept_literals=frozenset({POOL})) == ()


def test_the_next_index_is_free(with_literal: Assembly) -> None:
    with pytest.raises(ExportRefused, match=r"keptLiterals\[1\]' eu-west-1_AbCdEfGh1"):
        render(with_literal, "prod", kept_literals=frozenset({"another"}))


def test_an_ending_alone_is_no_option_of_the_command(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, FUNCTION, VARIABLE, {"Fn::Sub": "${AWS::Region}-dev"})
    with pytest.raises(ExportRefused, match=r"keptLiterals\[0\]' -- -dev`"):
        render(assemble(read_export(folder)), "prod")


def test_an_id_is_not_that_of_a_new_stack_of_the_same_name(with_literal: Assembly) -> None:
    (message,) = render(with_literal, "dev")
    assert message.startswith(f"Resources.LambdaFunction.Environment holds {POOL!r}")
    assert render(with_literal, "dev", kept_literals=frozenset({POOL})) == ()


def test_a_default_is_set_like_any_value(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, FUNCTION, "/Parameters/table", {"Type": "String", "Default": "orders-dev"})
    assembly = assemble(read_export(folder))
    with pytest.raises(ExportRefused, match=r"Parameters\.table\.Default holds 'orders-dev'"):
        render(assembly, "prod")
    assert render(assembly, "prod", parameters={"functionhelloFn": {"table": "orders-prod"}}) == ()


def test_the_root_itself_is_looked_at(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, "root-stack-template.json", "/Outputs/Pool", {"Value": POOL})
    with pytest.raises(ExportRefused, match=rf"root-stack-template\.json: Outputs\.Pool\.Value holds '{POOL}'"):
        render(assemble(read_export(folder)), "prod")


def test_a_default_that_nothing_uses_is_not_looked_at(export_copy: Copy) -> None:
    folder = export_copy("full")
    default = {"Type": "String", "Default": "orders-dev"}
    apply(folder, [["set", FUNCTION, "/Parameters/table", default], ["set", MANIFEST, VALUE, "orders"]])
    assert assemble(read_export(folder)).bound == ()


def test_it_is_written_with_the_assembly(with_literal: Assembly, tmp_path: Path) -> None:
    write_assembly(with_literal, tmp_path / "assembly")
    assert load_assembly(tmp_path / "assembly").bound == with_literal.bound
    with pytest.raises(ExportRefused):
        render(load_assembly(tmp_path / "assembly"), "prod")


def test_two_exports_are_compared_whatever_they_hold(with_literal: Assembly) -> None:
    assert compare(with_literal, with_literal).resources == ()


class TestSocialSignIn:
    """An export without the client secrets of the providers."""

    AUTH = "authfullappauth"
    SECRET = (AUTH, "hostedUIProviderCreds")

    @pytest.fixture
    def export(self, export_copy: Copy) -> Export:
        folder = export_copy("full")
        template = "auth/fullappauth/fullappauth-cloudformation-template.json"
        given = f"/props/loadNestedStacks/{self.AUTH}/parameters"
        providers = '[{"ProviderName":"Google"},{"ProviderName":"SignInWithApple"}]'
        apply(
            folder,
            [
                ["set", template, "/Parameters/hostedUIProviderCreds", {"Type": "String", "NoEcho": True}],
                ["set", template, "/Parameters/hostedUIProviderMeta", {"Type": "String"}],
                ["set", MANIFEST, f"{given}/hostedUIProviderCreds", "[]"],
                ["set", MANIFEST, f"{given}/hostedUIProviderMeta", providers],
            ],
        )
        return read_export(folder)

    @pytest.fixture
    def assembly(self, export: Export) -> Assembly:
        return assemble(export)

    @pytest.mark.parametrize("environment", ["dev", "prod"])
    def test_a_new_stack_is_refused_one_that_is_there_is_not(self, assembly: Assembly, environment: str) -> None:
        (message,) = render(assembly, environment)
        assert message.startswith("the client secrets of Google, SignInWithApple are not in the export")

    def test_it_asks_for_a_secret_and_for_no_plain_text(self, assembly: Assembly) -> None:
        (bound,) = assembly.bound
        command = f"`pulumi config set --secret --path 'parameters.{self.AUTH}.hostedUIProviderCreds' -s ENV`"
        assert command in bound.finding.remedy
        assert '{"ProviderName":"Google","client_id":"...","client_secret":"..."}' in bound.finding.remedy
        assert '"team_id":"...","key_id":"...","private_key":"..."' in bound.finding.remedy

    def test_one_environments_secret_is_not_anothers(self, export: Export) -> None:
        """An assembly that was made knowing of some environment's secret."""
        assembly = assemble(export, {self.SECRET})
        assert "AD311" not in {f.id for f in assembly.findings}
        assert len(render(assembly, "prod")) == 1

    def test_the_secret_is_enough(self, assembly: Assembly) -> None:
        assert render(assembly, "prod", secrets=frozenset({self.SECRET})) == ()


def test_a_secret_that_nobody_supplies_is_asked_for_as_one(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, FUNCTION, "/Parameters/password", {"Type": "String", "NoEcho": True})
    with pytest.raises(ExportRefused) as error:
        assemble(read_export(folder))
    (refused,) = [f for f in error.value.findings if f.severity == "refused"]
    assert "`pulumi config set --secret --path 'parameters.functionhelloFn.password' -s ENV`" in refused.remedy
    assert MANIFEST not in refused.remedy


@pytest.mark.parametrize("condition", [{"a": 1}, ["a"], 5, None, {}])
def test_a_malformed_condition_is_looked_over(condition: object, export_copy: Copy) -> None:
    folder = export_copy("full")
    apply(
        folder,
        [
            ["set", FUNCTION, VARIABLE, {"Fn::If": [condition, POOL, POOL]}],
            ["set", FUNCTION, "/Resources/lambdaexecutionpolicy/Condition", condition],
        ],
    )
    assert {b.literal for b in assemble(read_export(folder)).bound} == {POOL}


@pytest.mark.parametrize("compared", ["NONE", ""])
def test_amplifys_own_condition_chooses_no_environment(compared: str, export_copy: Copy) -> None:
    folder = export_copy("full")
    condition = {"Fn::Equals": [{"Ref": "env"}, compared]}
    changes = [
        ["set", FUNCTION, "/Conditions/Mine", condition],
        ["set", FUNCTION, VARIABLE, {"Fn::If": ["Mine", "a", POOL]}],
    ]
    apply(folder, changes)
    assert {b.literal for b in assemble(read_export(folder)).bound} == {POOL}


def test_conditions_in_a_circle_choose_nothing(export_copy: Copy) -> None:
    folder = export_copy("full")
    for one, other in (("A", "B"), ("B", "A")):
        set_value(folder, FUNCTION, f"/Conditions/{one}", {"Fn::Not": [{"Condition": other}]})
    set_value(folder, FUNCTION, VARIABLE, {"Fn::If": ["A", "a", POOL]})
    assert {b.literal for b in assemble(read_export(folder)).bound} == {POOL}


def test_an_entry_for_another_environment_or_an_account_has_ids_of_its_own(export_copy: Copy) -> None:
    key = "da2-abcdefghijklmnopqrstuvwxyz"
    prod, account = {"prod": {"key": key}}, {"123456789012": {"key": key}}
    folder = export_copy("full")

    def named(mapping: dict[str, Any]) -> list[str]:
        set_value(folder, FUNCTION, "/Mappings", {"M": mapping})
        return [f.message for f in assemble(read_export(folder)).findings if "Mappings.M" in f.message]

    assert named({"dev": {"key": key}, **prod}) == named(account) == []
    assert len(named(prod)) == 1, "of what the entries are chosen by, nobody here knows"
    for of_dev in (
        "orders-dev",
        "/amplify/d1abcdefghij/dev/AMPLIFY_fn_KEY",
        "arn:aws:sqs:us-east-1:123456789012:q-dev",
    ):
        assert len(named({"dev": {"key": key}, "prod": {"other": of_dev}})) == 1


def test_a_mapping_by_regions_is_no_environments(export_copy: Copy) -> None:
    folder = export_copy("full")
    regions = {"us-east-1": {"a": "us-east-1", "b": "arn:aws:lambda:us-east-1:123456789012:function:f", "pool": POOL}}
    set_value(folder, FUNCTION, "/Mappings", {"Regions": regions})
    told = {f.message.split("'")[1] for f in assemble(read_export(folder)).findings if f.id in ("AD212", "AD213")}
    assert told == {POOL}
