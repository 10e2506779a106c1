from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from amplify_delivery.errors import AssemblyError, ConfigError, ExportRefused
from amplify_delivery.export import write_assembly
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.inputs import (
    ASSEMBLY_VARIABLE,
    api_key_expires,
    environment_values,
    export_folder,
    keeps_api_key_expiry,
    read_assembly,
)
from unit.components.backends import assembly_of, folder
from unit.places import EXPORTS

NOON = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def configured(**values: Any) -> EnvironmentConfig:
    return EnvironmentConfig(account="012345678901", region="eu-west-1", **{"environment": "prod", **values})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(folder("mytodoapp"), tmp_path / "amplify-export-mytodoapp")
    return tmp_path


def test_the_only_export_needs_no_name(project: Path) -> None:
    (project / "amplify-export-notes.txt").write_text("no folder")
    assert read_assembly(configured(), project, "mytodoapp").project == "mytodoapp"


def test_an_export_can_be_named(project: Path) -> None:
    shutil.move(project / "amplify-export-mytodoapp", project / "exports")
    assert read_assembly(configured(export="exports"), project, "mytodoapp").project == "mytodoapp"


def test_an_assembled_folder_gives_the_same_assembly(project: Path) -> None:
    expected = assembly_of(folder("mytodoapp"))
    write_assembly(expected, project / "assembled")
    found = read_assembly(configured(assembly="assembled"), project, "mytodoapp")
    assert found.digest() == expected.digest()
    with pytest.raises(AssemblyError):
        read_assembly(configured(assembly="amplify-export-mytodoapp"), project, "mytodoapp")


def test_the_assembly_of_the_environment_variable_goes_before_the_files(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(ASSEMBLY_VARIABLE, "built")
    with pytest.raises(ConfigError, match=f"no such folder, but {ASSEMBLY_VARIABLE}") as caught:
        read_assembly(configured(), project, "mytodoapp")
    assert caught.value.where == str(project / "built")
    (project / "built").mkdir()
    with pytest.raises(AssemblyError):
        read_assembly(configured(), project, "mytodoapp")
    write_assembly(assembly_of(folder("fullapp")), project / "built")
    for config in (configured(), configured(export="elsewhere"), configured(assembly="elsewhere")):
        assert read_assembly(config, project, "fullapp").project == "fullapp"
    with pytest.raises(ConfigError, match="export of 'fullapp', but the Pulumi project is 'mytodoapp'"):
        read_assembly(configured(), project, "mytodoapp")


def test_no_export_and_several_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no amplify-export") as caught:
        export_folder(configured(), tmp_path)
    assert "amplify export" in caught.value.remedy
    for name in ("amplify-export-a", "amplify-export-b"):
        (tmp_path / name).mkdir()
    with pytest.raises(ConfigError, match="amplify-export-a, amplify-export-b") as caught:
        export_folder(configured(), tmp_path)
    assert "pulumi config set export" in caught.value.remedy


def test_another_projects_export_is_refused(project: Path) -> None:
    with pytest.raises(ConfigError, match="export of 'mytodoapp', but the Pulumi project is 'seriesapp'"):
        read_assembly(configured(), project, "seriesapp")


def test_an_export_that_lost_its_triggers_is_refused() -> None:
    with pytest.raises(ExportRefused, match="AD206"):
        read_assembly(configured(export="amplify-export-trigapp"), EXPORTS / "triggers", "trigapp")


def test_values_come_from_a_second_export_and_the_stack_file() -> None:
    config = configured(
        values_from=str(folder("fullapp")),
        environment="dev",
        suffix="abc",
        parameters={"authfullappauth": {"mfaConfiguration": "OPTIONAL"}},
        secret_names=frozenset({("authfullappauth", "smsVerificationMessage")}),
    )
    values = environment_values(config, Path(), NOON, "fullapp")
    assert (values.name, values.suffix) == ("dev", "abc")
    assert values.parameters == {"authfullappauth": {"mfaConfiguration": "OPTIONAL"}}
    assert values.from_export["authfullappauth"]["mfaConfiguration"] == "OFF"
    assert values.secrets == {("authfullappauth", "smsVerificationMessage")}
    assert environment_values(configured(), Path(), NOON, "fullapp").from_export == {}


def test_a_second_export_of_another_environment_or_app_is_refused() -> None:
    config = configured(values_from=str(folder("fullapp")))
    with pytest.raises(ConfigError, match="export of the environment 'dev', but `valuesFrom` of 'prod' names it"):
        environment_values(config, Path(), NOON, "fullapp")
    with pytest.raises(ConfigError, match="export of 'fullapp', but the Pulumi project is 'mytodoapp'"):
        environment_values(config, Path(), NOON, "mytodoapp")


def test_only_a_bootstrapped_environments_roles_carry_its_accounts_boundary() -> None:
    bootstrapped = environment_values(configured(bootstrapped=True), Path(), NOON, "fullapp")
    name = "amplify-delivery/fullapp/env/prod/fullapp-prod-boundary"
    assert bootstrapped.permissions_boundary == f"arn:aws:iam::012345678901:policy/{name}"
    assert environment_values(configured(), Path(), NOON, "fullapp").permissions_boundary is None
    organization = "arn:aws:iam::012345678901:policy/organization"
    own = environment_values(configured(permissions_boundary=organization), Path(), NOON, "fullapp")
    assert own.permissions_boundary == organization
    with pytest.raises(ValidationError, match="the account has made that of the backend's roles"):
        configured(permissions_boundary=organization, bootstrapped=True)
    with pytest.raises(ValueError, match="`boundary: false` would leave the `permissionsBoundary` out"):
        configured(permissions_boundary=organization, boundary=False)
    # Between an adoption and the step that brings it they have none.
    adopted = environment_values(configured(bootstrapped=True, boundary=False), Path(), NOON, "fullapp")
    assert adopted.permissions_boundary is None


def test_an_expiry_that_the_stack_file_gives_is_not_left_as_it_was() -> None:
    assert keeps_api_key_expiry(configured())
    assert keeps_api_key_expiry(configured(parameters={"root": {"AuthRoleName": "a"}}))
    assert not keeps_api_key_expiry(configured(api_key_expires=date(2027, 5, 1)))
    assert not keeps_api_key_expiry(configured(parameters={"root": {"ApiKeyExpires": "1800003600"}}))


def test_an_expiry_that_is_given_twice_is_refused() -> None:
    """Of an adopted environment: the parameter would hold, and whoever renews the key by a day would see it expire."""
    with pytest.raises(ValidationError, match="the day would do nothing"):
        configured(api_key_expires=date(2027, 5, 1), parameters={"root": {"ApiKeyExpires": "1800003600"}})


@pytest.mark.parametrize(
    "now", [NOON, NOON.replace(hour=0, minute=0), datetime(2026, 11, 22, 1, 0, tzinfo=timezone(timedelta(hours=9)))]
)
def test_api_keys_expire_364_days_after_today_utc(now: datetime) -> None:
    expires = datetime.fromtimestamp(api_key_expires(configured(), now), UTC)
    assert expires == datetime(2027, 11, 20, tzinfo=UTC)


def test_a_configured_day_is_midnight_utc_and_may_lie_in_the_past() -> None:
    for day in (date(2027, 5, 1), date(2020, 1, 1)):
        expires = datetime.fromtimestamp(api_key_expires(configured(api_key_expires=day), NOON), UTC)
        assert expires == datetime(day.year, day.month, day.day, tzinfo=UTC)


def test_a_day_that_appsync_would_refuse_is_refused() -> None:
    assert api_key_expires(configured(api_key_expires=date(2027, 11, 21)), NOON)
    with pytest.raises(ConfigError, match="at most 365 days") as caught:
        api_key_expires(configured(api_key_expires=date(2027, 11, 22)), NOON)
    assert "2027-11-20" in caught.value.remedy
