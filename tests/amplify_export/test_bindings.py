"""What is right in the exported environment only: taken there, refused elsewhere unless the environment sets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_export import (
    Assembly,
    EnvironmentValues,
    ExportRefused,
    assemble,
    compare,
    load_assembly,
    read_export,
    render_root,
    write_assembly,
)
from tests.amplify_export.mutations import MANIFEST, apply, set_value

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


def test_an_id_is_not_that_of_a_new_stack_of_the_same_name(with_literal: Assembly) -> None:
    (message,) = render(with_literal, "dev")
    assert message.startswith(f"Resources.LambdaFunction.Environment holds {POOL!r}")
    assert render(with_literal, "dev", kept_literals=frozenset({POOL})) == ()


def test_it_is_written_with_the_assembly(with_literal: Assembly, tmp_path: Path) -> None:
    write_assembly(with_literal, tmp_path / "assembly")
    assert load_assembly(tmp_path / "assembly").bound == with_literal.bound
    with pytest.raises(ExportRefused):
        render(load_assembly(tmp_path / "assembly"), "prod")


def test_two_exports_are_compared_whatever_they_hold(with_literal: Assembly) -> None:
    assert compare(with_literal, with_literal).resources == ()
