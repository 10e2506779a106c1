"""A secret of the manifest is never written anywhere: not into the assembly, a root, a finding or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from amplify_delivery.export import (
    Assembly,
    ConfigError,
    EnvironmentValues,
    ExportRefused,
    assemble,
    compare,
    exported_values,
    read_export,
    render_root,
    write_assembly,
)
from unit.export.mutations import MANIFEST, set_value

AUTH = "authfullappauth"
TEMPLATE = "auth/fullappauth/fullappauth-cloudformation-template.json"
SECRET = (AUTH, "hostedUIProviderCreds")
TEXT = "s3cr3t-of-the-provider"


@pytest.fixture
def export(export_copy: Callable[[str], Path]) -> Path:
    folder = export_copy("full")
    set_value(folder, TEMPLATE, "/Parameters/hostedUIProviderCreds", {"Type": "String", "NoEcho": True})
    set_value(folder, MANIFEST, f"/props/loadNestedStacks/{AUTH}/parameters/hostedUIProviderCreds", TEXT)
    return folder


def _values(**more: object) -> EnvironmentValues:
    return EnvironmentValues("prod", 1, secrets=frozenset({SECRET}), **more)  # type: ignore[arg-type]


def test_is_refused_without_being_told(export: Path) -> None:
    with pytest.raises(ExportRefused) as error:
        assemble(read_export(export))
    assert [f.id for f in error.value.findings if f.severity == "refused"] == ["AD305"]
    assert TEXT not in str(error.value) + repr(error.value.findings)


def test_one_that_the_export_lacks_is_asked_of_each_environment(export_copy: Callable[[str], Path]) -> None:
    """Never as a text in the manifest, which is committed: `amplify export` leaves out what social sign-in needs."""
    folder = export_copy("full")
    set_value(folder, TEMPLATE, "/Parameters/hostedUIProviderSecret", {"Type": "String", "NoEcho": True})
    with pytest.raises(ExportRefused) as error:
        assemble(read_export(folder))
    (lacking,) = [f for f in error.value.findings if "hostedUIProviderSecret" in f.message]
    assert "nobody supplies the secret" in lacking.message
    assert "give each environment its own" in lacking.remedy
    assert "--secret" in lacking.remedy
    assert "manifest" not in lacking.remedy


def test_is_nowhere_in_the_assembly_or_the_root(export: Path, tmp_path: Path) -> None:
    assembly = assemble(read_export(export), {SECRET})
    write_assembly(assembly, tmp_path / "assembly")
    for file in (tmp_path / "assembly").rglob("*"):
        assert file.is_dir() or TEXT.encode() not in file.read_bytes()
    root = render_root(assembly, _values(), "bucket")
    assert TEXT not in repr(root) + repr(assembly) + repr(compare(assembly, assembly))


def test_reaches_cloudformation_as_a_dynamic_reference(export: Path) -> None:
    root = render_root(assemble(read_export(export), {SECRET}), _values(), "bucket")
    (secret,) = root.secrets
    assert (secret.nested_stack, secret.parameter) == SECRET
    assert secret.secret_name == "amplify-fullapp-prod-6c2af/authfullappauth/hostedUIProviderCreds"
    parameters = root.template["Resources"][AUTH]["Properties"]["Parameters"]
    reference = "{{resolve:secretsmanager:NAME:SecretString:::${VERSION}}}"
    reference = reference.replace("NAME", secret.secret_name).replace("VERSION", secret.version_parameter)
    assert parameters["hostedUIProviderCreds"] == {"Fn::Sub": reference}
    assert root.template["Parameters"][secret.version_parameter]["Type"] == "String"


def test_templates_keep_no_echo(export: Path) -> None:
    assembly = assemble(read_export(export), {SECRET})
    body = json.loads(assembly.read(assembly.root.nested[AUTH].template))
    assert body["Parameters"]["hostedUIProviderCreds"]["NoEcho"] is True


def test_every_environment_must_supply_it(export: Path) -> None:
    with pytest.raises(ConfigError, match=r"the secret authfullappauth\.hostedUIProviderCreds has no value") as error:
        render_root(assemble(read_export(export), {SECRET}), EnvironmentValues("prod", 1), "bucket")
    assert TEXT not in str(error.value)


def test_is_not_taken_in_plain_text_from_a_stack_file(export: Path) -> None:
    values = _values(parameters={AUTH: {"hostedUIProviderCreds": TEXT}})
    with pytest.raises(ConfigError, match="is a secret, but its value stands in plain text") as error:
        render_root(assemble(read_export(export), {SECRET}), values, "bucket")
    assert TEXT not in str(error.value)


def test_is_not_taken_from_a_second_export(export: Path) -> None:
    """The first export has no provider, the environment's own one has: its secret stays where it is."""
    other = read_export(export)
    set_value(export, MANIFEST, f"/props/loadNestedStacks/{AUTH}/parameters/hostedUIProviderCreds", "[]")
    first = assemble(read_export(export))
    root = render_root(first, EnvironmentValues("prod", 1, from_export=exported_values(other)), "bucket")
    assert TEXT not in repr(root) + repr(exported_values(other))


def test_sixty_secrets_are_the_most(export: Path) -> None:
    names = [f"secret{n}" for n in range(61)]
    for name in names:
        set_value(export, TEMPLATE, f"/Parameters/{name}", {"Type": "String", "NoEcho": True, "Default": ""})
    secrets = {(AUTH, name) for name in names} | {SECRET}
    assembly = assemble(read_export(export), secrets)
    with pytest.raises(ConfigError, match="62 secrets, CloudFormation takes 60"):
        render_root(assembly, EnvironmentValues("prod", 1, secrets=frozenset(secrets)), "bucket")
    few = frozenset(sorted(secrets - {SECRET})[:59]) | {SECRET}
    assert len(render_root(assembly, EnvironmentValues("prod", 1, secrets=few), "bucket").secrets) == 60


@pytest.mark.large
def test_kitchen_is_delivered_without_its_secret(large_export: Callable[[str], Path], tmp_path: Path) -> None:
    secret = ("authkitchenappauth", "hostedUIProviderCreds")
    export = read_export(large_export("kitchen"))
    with pytest.raises(ExportRefused) as error:
        assemble(export)
    assert "gsecret" not in str(error.value)
    assembly: Assembly = assemble(export, {secret})
    write_assembly(assembly, tmp_path / "assembly")
    files = [f for f in (tmp_path / "assembly").rglob("*") if f.is_file() and f.suffix == ".json"]
    assert files
    assert not [f for f in files if b"gsecret" in f.read_bytes()]
