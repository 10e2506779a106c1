from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import botocore
import pulumi
import pytest

from amplify_delivery.components import names
from amplify_delivery.components.documents import fields, regions
from amplify_delivery.components.documents.fields import BadValueError
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Configuration, EnvironmentConfig, Project, from_pulumi, keys
from unit.components.recorder import record
from unit.places import REPOSITORY

MINIMAL = {"account": "012345678901", "region": "eu-west-1"}
PROJECT = REPOSITORY
PARTITIONS = Path(botocore.__file__).parent / "data/partitions.json"


def write(folder: Path, config: str, stack: str = "dev") -> Path:
    """A project with one stack file; `config` is its indented body."""
    (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    path = folder / f"Pulumi.{stack}.yaml"
    path.write_text(f"config:\n{config}")
    return path


def in_file(folder: Path, config: str, stack: str = "dev") -> EnvironmentConfig:
    return EnvironmentConfig.from_file(write(folder, config, stack), stack)


def in_program(config: dict[str, Any], *, secret_keys: tuple[str, ...] = (), **options: Any) -> Configuration:
    """What a running program gets; raises what it raises."""
    result = record(from_pulumi, config=config, secret_keys=secret_keys, **options).result
    assert isinstance(result, Configuration)
    return result


# --- both readers ----------------------------------------------------------------------------------------------------


def test_both_readers_give_the_same_model(tmp_path: Path) -> None:
    yaml = (
        '  app:account: "012345678901"\n  app:region: eu-west-1\n  app:roleArn: arn:aws:iam::012345678901:role/deploy\n'
        '  app:apiKeyExpires: 2027-05-01\n  app:protect: false\n  app:suffix: "00123"\n'
        "  app:parameters:\n    functionhello:\n      memory: 0512\n      trace: true\n"
        "      list:\n      - a\n      - b\n"
        "  app:tags:\n    cost-center: 0042\n    audited: true\n    rate: 3.10\n"
    )
    from_text = in_file(tmp_path, yaml)
    # What the engine makes of the same file: strings, and JSON for objects.
    from_engine = in_program(
        {
            **MINIMAL,
            "roleArn": "arn:aws:iam::012345678901:role/deploy",
            "apiKeyExpires": "2027-05-01",
            "protect": "false",
            "suffix": "00123",
            "parameters": {"functionhello": {"memory": "0512", "trace": True, "list": ["a", "b"]}},
            "tags": {"cost-center": 42, "audited": True, "rate": 3.1},
        },
        directory=tmp_path,
    ).environment
    assert from_text == from_engine
    assert from_text.api_key_expires == date(2027, 5, 1)
    assert from_text.protect is False
    assert from_text.suffix == "00123"
    assert from_text.tags == {"cost-center": "0042", "audited": "true", "rate": "3.10"}
    assert from_text.parameters == {"functionhello": {"memory": "0512", "trace": "true", "list": "a,b"}}


def test_an_environment_is_called_as_its_stack_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert in_file(tmp_path, '  app:account: "012345678901"\n  app:region: eu-west-1\n', "prod").environment == "prod"
    assert in_program(MINIMAL, name="prod").environment.environment == "prod"
    assert in_program({**MINIMAL, "environment": "main"}).environment.environment == "main"


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ('"012345678901"', None),
        ("'123456789012'", None),
        ("123456789012", None),
        ("12345678901", "quote it"),
        ("012345678901.0", "quote it"),
        ("1.2345678901e+10", "quote it"),
        ("1.23456789012e11", "quote it"),
        ("012_345_678_901", "quote it"),
        ('"0123456789012"', "12 digits"),
        ('"1234-5678-9012"', "12 digits"),
        ('"my-account"', "12 digits"),
        ('"٠١٢٣٤٥٦٧٨٩٠١"', "12 digits"),
        ('"012345678901\\n"', "12 digits"),
    ],
)
def test_an_account_has_12_digits_or_is_refused(tmp_path: Path, account: str, says: str | None) -> None:
    yaml = f"  app:account: {account}\n  app:region: eu-west-1\n"
    if says is None:
        assert in_file(tmp_path, yaml).account == account.strip("\"'")
        return
    with pytest.raises(ConfigError, match=says) as caught:
        in_file(tmp_path, yaml)
    assert "account: " in str(caught.value)
    assert "Pulumi.dev.yaml" in str(caught.value)


@pytest.mark.parametrize("account", ["12345678901", "1.2345678901e+10", "5349847009"])
def test_what_the_engine_makes_of_an_unquoted_account_is_refused_in_a_program_too(account: str) -> None:
    with pytest.raises(ConfigError, match="quote it"):
        in_program({**MINIMAL, "account": account})


@pytest.mark.parametrize(
    ("key", "suggested"),
    [
        ("acount", "account"),
        ("Account", "account"),
        ("role_arn", "roleArn"),
        ("apiKeyExpiry", "apiKeyExpires"),
        ("secretNames", None),
        ("secret_names", None),
        ("execution_role_arn", "executionRoleArn"),
        ("valuesfrom", "valuesFrom"),
        ("zzz", None),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(tmp_path: Path, key: str, suggested: str | None) -> None:
    yaml = f'  app:account: "012345678901"\n  app:region: eu-west-1\n  app:{key}: x\n'
    with pytest.raises(ConfigError) as from_text:
        in_file(tmp_path, yaml)
    with pytest.raises(ConfigError) as from_engine:
        in_program({**MINIMAL, key: "x"})
    for caught in (from_text, from_engine):
        text = str(caught.value)
        assert f"unknown key {key!r}" in text
        assert "Pulumi.dev.yaml" in text
        assert (f"did you mean {suggested!r}?" in text) if suggested else ("did you mean" not in text)


def test_an_empty_text_is_not_set(tmp_path: Path) -> None:
    """What Pulumi.yaml gives as a default to keys that nobody must set."""
    yaml = '  app:account: "012345678901"\n  app:region: eu-west-1\n  app:suffix: ""\n  app:environment: ""\n'
    for config in (in_file(tmp_path, yaml), in_program({**MINIMAL, "suffix": "", "environment": ""}).environment):
        assert (config.suffix, config.environment) == (None, "dev")
    with pytest.raises(ConfigError, match="account is missing"):
        in_program({**MINIMAL, "account": ""}, directory=tmp_path)


def test_keys_of_other_namespaces_are_the_users_own(tmp_path: Path) -> None:
    yaml = '  app:account: "012345678901"\n  app:region: eu-west-1\n  dns:zone: example.com\n  aws:region: x\n'
    assert in_file(tmp_path, yaml).region == "eu-west-1"


def renamed(folder: Path) -> Path:
    """A project whose name was changed in Pulumi.yaml, and nowhere else."""
    path = write(folder, '  old-app:account: "012345678901"\n  old-app:region: eu-west-1\n  dns:zone: a.com\n')
    (folder / "Pulumi.pipeline.yaml").write_text("config:\n  old-app:program: pipeline\n")
    return path


def test_keys_of_the_projects_old_name_are_told_and_not_missed(tmp_path: Path) -> None:
    path = renamed(tmp_path)
    says = "its keys begin with `old-app:`, but the project is called 'app' (Pulumi.yaml)"
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        EnvironmentConfig.from_file(path, "dev")
    assert caught.value.where == str(path)
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        # What the engine hands over then: the default of Pulumi.yaml, and the keys as they are in the file.
        in_program({"account": "", "old-app:account": "012345678901", "old-app:region": "x"}, directory=tmp_path)
    assert caught.value.where == "Pulumi.dev.yaml"
    with pytest.raises(ConfigError, match=re.escape(f"Pulumi.pipeline.yaml: {says}")):
        Project(tmp_path).pipeline("pipeline")


@pytest.mark.processes
def test_the_command_for_them_gives_all_files_the_new_name(tmp_path: Path) -> None:
    path = renamed(tmp_path)
    with pytest.raises(ConfigError) as caught:
        EnvironmentConfig.from_file(path, "dev")
    command = re.search("`(sed .*?)`", caught.value.remedy)
    assert command
    subprocess.run(["sh", "-c", command[1]], cwd=tmp_path, check=True)
    assert EnvironmentConfig.from_file(path, "dev").account == "012345678901"
    assert Project(tmp_path).stacks("pipeline") == ("pipeline",)
    assert "dns:zone: a.com" in path.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["Pulumi.dev.yaml", "Pulumi.pipeline.yaml", "Pulumi.yaml"]


def test_old_keys_are_told_where_the_account_stands_in_pulumi_yaml(tmp_path: Path) -> None:
    """Of all stacks, in one account: then nothing is missing, but the suffix would be another."""
    path = write(tmp_path, "  old-app:suffix: abc\n")
    (tmp_path / "Pulumi.yaml").write_text(
        'name: app\nruntime: python\nconfig:\n  account: "012345678901"\n  region: eu-west-1\n'
        "  suffix: {type: string, default: ''}\n"
    )
    with pytest.raises(ConfigError, match="its keys begin with `old-app:`"):
        EnvironmentConfig.from_file(path, "dev")
    with pytest.raises(ConfigError, match="its keys begin with `old-app:`"):
        in_program({**MINIMAL, "old-app:suffix": "abc"}, directory=tmp_path)
    path.write_text("config:\n  app:suffix: abc\n  dns:account: x\n")
    assert EnvironmentConfig.from_file(path, "dev").suffix == "abc"
    assert in_program({**MINIMAL, "suffix": "abc", "dns:account": "x"}, directory=tmp_path)


@pytest.mark.parametrize("key", ["aws:account", "dns:account"])
def test_keys_that_are_called_as_ours_are_the_users_own_where_ours_are_there(tmp_path: Path, key: str) -> None:
    assert in_file(tmp_path, f'  app:account: "012345678901"\n  app:region: eu-west-1\n  {key}: x\n')


def test_a_providers_account_is_no_old_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="account is missing"):
        in_file(tmp_path, "  app:region: eu-west-1\n  aws:account: x\n")


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("eu-west-1", True),
        ("af-south-1", True),  # has to be opted in to
        ("us-gov-west-1", True),
        ("cn-northwest-1", True),
        ("eusc-de-east-1", True),
        ("us-isob-east-1", True),
        ("eu-west-4", False),  # likelier a slip than newer than the list
        ("us-east-3", False),
        ("us-esat-1", False),
        ("eu-wset-1", False),
        ("eu-west-11", False),
        ("eu-west-0", False),
        ("ue-west-1", False),
        ("aws-global", False),
        ("eu-west", False),
    ],
)
def test_a_region_is_one_that_aws_has(name: str, there: bool) -> None:
    assert regions.is_region(name) is there


def test_who_is_early_in_a_new_region_is_told_how() -> None:
    with pytest.raises(BadValueError) as error:
        fields.region("eu-west-4")
    assert "did you mean 'eu-west-1'?" in str(error.value)
    assert "upgrade botocore" in error.value.remedy


def test_partitions_are_those_of_the_sdk() -> None:
    """With their regions and the ends of their endpoints."""
    for partition in json.loads(PARTITIONS.read_text())["partitions"]:
        for region in partition["regions"].keys() & regions.all_regions():
            assert (names.partition(region), names.dns_suffix(region)) == (
                partition["id"],
                partition["outputs"]["dnsSuffix"],
            )


def test_a_region_without_a_service() -> None:
    assert regions.offers("eu-west-1", "codepipeline")
    assert not regions.offers("us-isob-east-1", "codepipeline")
    assert not regions.offers("eu-west-1", "codepipelines")


def test_what_the_engine_writes_for_a_flag_is_a_flag(tmp_path: Path) -> None:
    """`pulumi config set bootstrapped true`, and any command that writes the file again, put it into quotes."""
    yaml = '  app:account: "012345678901"\n  app:region: eu-west-1\n  app:bootstrapped: {}\n'
    assert in_file(tmp_path, yaml.format("true")).bootstrapped is True
    assert in_file(tmp_path, yaml.format('"true"')).bootstrapped is True
    assert in_file(tmp_path, yaml.format('"false"')).bootstrapped is False
    assert in_program({**MINIMAL, "bootstrapped": "true"}).environment.bootstrapped is True
    schema = EnvironmentConfig.model_json_schema(by_alias=True)["properties"]["bootstrapped"]
    assert schema["anyOf"] == [{"type": "boolean"}, {"enum": ["true", "false"]}]  # what editors are told


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"region": "Frankfurt"}, "region: 'Frankfurt' is not an AWS region"),
        ({"region": None}, "region is missing"),
        ({"account": None}, "account is missing"),
        ({"protect": "yes"}, "protect: 'yes' is neither true nor false"),
        ({"apiKeyExpires": "1.5.2027"}, "apiKeyExpires: '1.5.2027' is not a date"),
        ({"apiKeyExpires": "20270501"}, "is not a date"),
        ({"roleArn": "deploy"}, "roleArn: 'deploy' is not the ARN of a role"),
        ({"roleArn": "arn:aws:iam::999999999999:role/deploy"}, "`roleArn` is a role of another account"),
        ({"executionRoleArn": "arn:aws:iam::999999999999:role/x"}, "`executionRoleArn` is a role of another account"),
        ({"export": "a", "assembly": "b"}, "exclude each other"),
        ({"program": "account"}, "program: 'account' is not 'backend'"),
        ({"parameters": "x"}, "nested stack -> parameter -> value"),
        ({"parameters": {"authx": "y"}}, "nested stack -> parameter -> value"),
        ({"parameters": {"authx": {"y": {"z": "1"}}}}, "parameters.authx.y is not text"),
    ],
)
def test_a_wrong_value_is_refused_by_key(tmp_path: Path, wrong: dict[str, Any], says: str) -> None:
    config = {k: v for k, v in {**MINIMAL, **wrong}.items() if v is not None}
    with pytest.raises(ConfigError) as caught:
        in_program(config, directory=tmp_path)
    assert says in str(caught.value)
    assert "Pulumi.dev.yaml" in str(caught.value)


# --- secrets ---------------------------------------------------------------------------------------------------------

SECURE = "        secure: v1:abc:def\n"


def test_a_file_tells_the_names_of_its_secrets_and_nobody_decrypts_them(tmp_path: Path) -> None:
    config = in_file(
        tmp_path,
        '  app:account: "012345678901"\n  app:region: eu-west-1\n  app:parameters:\n    authx:\n'
        f"      plain: a\n      creds:\n{SECURE}    authy:\n      creds:\n{SECURE}",
    )
    assert config.secret_names == {("authx", "creds"), ("authy", "creds")}
    assert config.parameters == {"authx": {"plain": "a"}}


@pytest.mark.parametrize("key", ["account", "region", "profile", "suffix"])
def test_only_parameters_can_be_secret(tmp_path: Path, key: str) -> None:
    values = {"account": '"012345678901"', "region": "eu-west-1", "profile": "work", "suffix": "abc"}
    values[key] = "\n    secure: v1:abc:def"
    with pytest.raises(ConfigError, match=f"{key} cannot be a secret"):
        in_file(tmp_path, "".join(f"  app:{k}: {v}\n" for k, v in values.items()))
    with pytest.raises(ConfigError, match=f"{key} cannot be a secret"):
        in_program({**MINIMAL, "profile": "work", "suffix": "abc"}, secret_keys=(key,))


def secret_program(directory: Path | None) -> tuple[Configuration, dict[str, Any], set[str]]:
    """What Pulumi gives for `parameters` with a secret in it: all in plain, and the key marked as secret."""
    found: list[Configuration] = []

    def program() -> None:
        found.append(from_pulumi())
        for (nested, parameter), value in found[0].secrets.items():
            pulumi.export(f"{nested}.{parameter}", value)

    config = {**MINIMAL, "parameters": {"authx": {"plain": "a", "creds": "s3cret"}}}
    recording = record(program, config=config, secret_keys=("parameters",), directory=directory)
    return found[0], recording.exports, recording.secret_exports


def test_a_program_gets_secrets_as_secret_outputs_only(tmp_path: Path) -> None:
    write(tmp_path, f"  app:parameters:\n    authx:\n      plain: a\n      creds:\n{SECURE}")
    configuration, exports, secret = secret_program(tmp_path)
    assert configuration.environment.secret_names == {("authx", "creds")}
    assert configuration.environment.parameters == {"authx": {"plain": "a"}}
    assert exports == {"authx.creds": "s3cret"}
    assert secret == {"authx.creds"}
    assert "s3cret" not in repr(configuration.environment)


def test_without_its_stack_file_everything_counts_as_secret(tmp_path: Path) -> None:
    configuration, exports, _ = secret_program(tmp_path)
    assert configuration.environment.secret_names == {("authx", "plain"), ("authx", "creds")}
    assert configuration.environment.parameters == {}
    assert exports == {"authx.creds": "s3cret", "authx.plain": "a"}


def test_a_value_that_differs_from_the_stack_files_counts_as_secret(tmp_path: Path) -> None:
    """The configuration may come from elsewhere (`--config-file`)."""
    write(tmp_path, "  app:parameters:\n    authx:\n      plain: b\n      creds: t\n")
    configuration, *_ = secret_program(tmp_path)
    assert configuration.environment.secret_names == {("authx", "plain"), ("authx", "creds")}


# --- the file itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"config: [", "cannot be read"),
        (b"- a\n", "is not a mapping"),
        (b"config: x\n", "`config` is not a mapping"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_broken_stack_file_is_one_error(tmp_path: Path, content: bytes, says: str) -> None:
    path = write(tmp_path, "")
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says) as caught:
        EnvironmentConfig.from_file(path, "dev")
    assert str(path) in str(caught.value)


def test_a_stack_file_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    write(tmp_path, "")
    with pytest.raises(ConfigError, match="No such file"):
        EnvironmentConfig.from_file(tmp_path / "Pulumi.prod.yaml", "prod")


@pytest.mark.processes
def test_reading_a_stack_file_does_not_start_pulumi() -> None:
    code = (
        "import sys, pathlib; from amplify_delivery.stacks.config import EnvironmentConfig;"
        "import amplify_delivery.stacks.inputs;"
        "print(EnvironmentConfig.from_file(pathlib.Path('Pulumi.dev.yaml'), 'dev').region, 'pulumi' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["us-east-1", "False"]


def test_keys_are_camel_case_as_pulumis_own() -> None:
    assert {"roleArn", "valuesFrom", "apiKeyExpires", "executionRoleArn", "program"} <= set(keys())


def test_the_former_name_of_bootstrapped_is_understood(tmp_path: Path) -> None:
    place = '  app:account: "012345678901"\n  app:region: eu-west-1\n'
    former = in_file(tmp_path, f"{place}  app:enrolled: true\n")
    assert (former.bootstrapped, former.enrolled) == (True, True)
    in_engine = in_program({**MINIMAL, "enrolled": "true"}).environment
    assert (in_engine.bootstrapped, in_engine.enrolled) == (True, True)
    off = in_file(tmp_path, f"{place}  app:enrolled: false\n")
    assert (off.bootstrapped, off.enrolled) == (False, False)


@pytest.mark.parametrize(("new", "former"), [("true", "true"), ("false", "true"), ("true", "false")])
def test_a_file_with_both_names_is_refused(tmp_path: Path, new: str, former: str) -> None:
    place = '  app:account: "012345678901"\n  app:region: eu-west-1\n'
    with pytest.raises(ConfigError, match="`enrolled` and `bootstrapped` exclude each other") as caught:
        in_file(tmp_path, f"{place}  app:bootstrapped: {new}\n  app:enrolled: {former}\n")
    assert "docs/upgrading.md" in caught.value.remedy


@pytest.mark.parametrize(("declared", "written"), [("enrolled", "bootstrapped"), ("bootstrapped", "enrolled")])
def test_what_pulumi_yaml_gives_to_every_stack_is_not_the_other_name(
    tmp_path: Path, declared: str, written: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: app\nconfig:\n  {declared}: {{type: boolean, default: false}}\n")
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(f'config:\n  app:account: "012345678901"\n  app:region: eu-west-1\n  app:{written}: true\n')
    assert EnvironmentConfig.from_file(file, "dev").bootstrapped is True
