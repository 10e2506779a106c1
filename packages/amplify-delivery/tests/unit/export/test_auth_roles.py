"""The custom resource that sets the auth roles' trust runs again whenever one of them is updated, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import Assembly, EnvironmentValues, assemble, read_export, render_root
from amplify_delivery.export.assembling.auth_roles import AUTH_ROLES_STATE, auth_roles, setters
from unit.export.mutations import set_value

Copy = Callable[[str], Path]
OUTPUTS = "UpdateRolesWithIDPFunctionOutputs"
ROOT = "root-stack-template.json"


def state(assembly: Assembly, environment: str = "dev", **values: Any) -> str:
    root = render_root(assembly, EnvironmentValues(environment, 1, **values), "bucket")
    assert root.template["Resources"][OUTPUTS]["Properties"][AUTH_ROLES_STATE] == {"Ref": AUTH_ROLES_STATE}
    return root.parameters[AUTH_ROLES_STATE]


def changed(folder: Path, file: str, pointer: str, value: Any) -> Assembly:
    set_value(folder, file, pointer, value)
    return assemble(read_export(folder))


@pytest.fixture
def folder(export_copy: Copy) -> Path:
    return export_copy("full")


def test_the_roles_and_what_sets_their_trust_are_known(folder: Path) -> None:
    resources = assemble(read_export(folder)).root_template["Resources"]
    assert setters(resources) == [OUTPUTS]
    assert sorted(auth_roles(resources)) == ["AuthRole", "UnauthRole"]


def test_an_unchanged_backend_is_left_alone(folder: Path) -> None:
    assembly = assemble(read_export(folder))
    assert state(assembly) == state(assemble(read_export(folder)))
    # What else changes in the root is no reason: here its description.
    assert state(changed(folder, ROOT, "/Description", "another")) == state(assembly)


def test_a_boundary_sets_the_trust_again(folder: Path) -> None:
    assembly = assemble(read_export(folder))
    bounded = [state(assembly, permissions_boundary=f"arn:aws:iam::123456789012:policy/{name}") for name in "ab"]
    assert len({state(assembly), *bounded}) == 3


@pytest.mark.parametrize(
    ("file", "pointer", "value"),
    [
        (ROOT, "/Resources/AuthRole/Properties/ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        (ROOT, "/Resources/UnauthRole/Properties/MaxSessionDuration", 7200),
        ("export-tags.json", "/0/value", "another"),
    ],
)
def test_an_update_of_a_role_sets_the_trust_again(folder: Path, file: str, pointer: str, value: Any) -> None:
    before = state(assemble(read_export(folder)))
    assert state(changed(folder, file, pointer, value)) != before


def test_a_root_without_an_identity_pool_has_nothing_to_set(export_copy: Copy) -> None:
    assembly = assemble(read_export(export_copy("todo")))
    root = render_root(assembly, EnvironmentValues("dev", 1), "bucket")
    assert not setters(root.template["Resources"])
    assert AUTH_ROLES_STATE not in str(root.template)
