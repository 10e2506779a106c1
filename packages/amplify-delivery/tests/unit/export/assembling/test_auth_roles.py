"""Where the identity pool is known, the auth roles' trust stands in the template; else it is the exporter's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.export import EnvironmentValues, ExportRefused, assemble, read_export, render_root
from amplify_delivery.export.assembling.auth_roles import IDENTITY_POOL, auth_roles, setters, trust
from unit.export.mutations import EXPORTS, set_value

Copy = Callable[[str], Path]
OUTPUTS = "UpdateRolesWithIDPFunctionOutputs"
ROOT = "root-stack-template.json"
POOL = "eu-west-1:11111111-2222-3333-4444-555555555555"
OWN = trust("us-east-1:own", "authenticated")


def stacks(folder: Path, pool: str = "", **values: Any) -> Stacks:
    assembly = assemble(read_export(folder))
    given = {"root": {IDENTITY_POOL: pool}} if pool else {}
    root = render_root(assembly, EnvironmentValues("dev", 1, parameters=given, **values), "bucket")
    return Stacks.of(assembly, root, root.parameters)


def trusted(found: Stacks, role: str) -> Any:
    return found.resolved.resources[role,].properties["AssumeRolePolicyDocument"]


def test_the_roles_and_what_sets_their_trust_are_known() -> None:
    resources = assemble(read_export(EXPORTS["full"])).root_template["Resources"]
    assert setters(resources) == [OUTPUTS]
    assert sorted(auth_roles(resources)) == ["AuthRole", "UnauthRole"]


def test_without_a_pool_the_template_is_the_exporters() -> None:
    exported = read_export(EXPORTS["full"]).root.resources
    found = stacks(EXPORTS["full"])
    for role in ("AuthRole", "UnauthRole"):
        assert trusted(found, role) == exported[role]["Properties"]["AssumeRolePolicyDocument"]
        assert trusted(found, role)["Statement"][0]["Effect"] == "Deny"


def test_with_the_pool_it_is_what_the_custom_resource_sets() -> None:
    found = stacks(EXPORTS["full"], POOL)
    assert trusted(found, "AuthRole") == trust(POOL, "authenticated")
    assert trusted(found, "UnauthRole") == trust(POOL, "unauthenticated")


def test_it_is_the_function_that_says_so() -> None:
    """Word by word what the function of the exported template writes, as its code has it."""
    code = str(read_export(EXPORTS["full"]).root.resources["UpdateRolesWithIDPFunction"]["Properties"]["Code"])
    for word in ("'Effect': 'Allow'", "sts:AssumeRoleWithWebIdentity", ":aud': idpId", ":amr': 'unauthenticated'"):
        assert word in code.replace("\\", "")


def test_the_custom_resource_does_not_run_again() -> None:
    """It would answer with another physical id, and be told to delete what was: then it denies everybody."""
    bounded = stacks(EXPORTS["full"], POOL, permissions_boundary="arn:aws:iam::123456789012:policy/boundary")
    for before in (stacks(EXPORTS["full"]), stacks(EXPORTS["full"], POOL)):
        assert OUTPUTS not in {step.place for step in plan_backend(before, bounded)}


def test_a_trust_of_ones_own_is_left_alone(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, ROOT, "/Resources/AuthRole/Properties/AssumeRolePolicyDocument", OWN)
    assert trusted(stacks(folder, POOL), "AuthRole") == OWN
    assert trusted(stacks(folder, POOL), "UnauthRole") == trust(POOL, "unauthenticated")


def test_a_name_that_is_taken_is_refused(export_copy: Copy) -> None:
    folder = export_copy("full")
    set_value(folder, ROOT, f"/Parameters/{IDENTITY_POOL}", {"Type": "String", "Default": ""})
    with pytest.raises(ExportRefused, match="AD408"):
        assemble(read_export(folder))


def test_a_root_without_an_identity_pool_has_nothing_to_trust() -> None:
    assembly = assemble(read_export(EXPORTS["todo"]))
    assert not setters(assembly.root_template["Resources"])
    assert IDENTITY_POOL not in str(assembly.root_template)
