"""The configuration of an environment's stack: one validated model, and its two readers.

`from_pulumi` reads it inside a running program; `EnvironmentConfig.from_file` reads `Pulumi.STACK.yaml` without Pulumi,
for tools and for other stacks. Secrets are only known by name here: nobody but the program of that very stack decrypts
them. Pulumi is not imported until `from_pulumi` is called.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from amplify_export.errors import ConfigError

if TYPE_CHECKING:
    import pulumi

SecretKey = tuple[str, str]
"""A secret parameter: (logical id of the nested stack, parameter)."""

_ACCOUNT = re.compile(r"[0-9]{12}")
_NUMBER = re.compile(r"[0-9][0-9_]*(\.[0-9]+)?(e\+?[0-9]+)?", re.IGNORECASE)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+")


class EnvironmentConfig(BaseModel):
    """What the stack file of an environment says. The fields' descriptions are the documentation.

    In the file the keys are written in camelCase: `roleArn`, `apiKeyExpires`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    program: Literal["backend"] = "backend"
    account: str = Field(description="the AWS account, 12 digits, quoted")
    region: str = Field(description="the AWS region, as in eu-west-1")
    environment: str = Field(description="the Amplify environment; the Pulumi stack's name unless set")
    profile: str | None = Field(default=None, min_length=1, description="profile of the AWS configuration")
    role_arn: str | None = Field(default=None, description="role to assume in the account")
    export: str | None = Field(default=None, min_length=1, description="folder that `amplify export` wrote")
    assembly: str | None = Field(default=None, min_length=1, description="assembled folder, instead of an export")
    values_from: str | None = Field(default=None, min_length=1, description="a second export, of this environment")
    suffix: str | None = Field(default=None, min_length=1, description="last part of the root stack's name")
    parameters: Mapping[str, Mapping[str, str]] = Field(
        default_factory=dict, description="nested stack -> parameter -> value; `root` is the root stack"
    )
    secret_names: frozenset[SecretKey] = Field(default=frozenset(), exclude=True)
    api_key_expires: date | None = Field(default=None, description="when AppSync API keys expire, UTC")
    protect: bool = Field(default=True, description="refuse to destroy a backend that holds data")
    execution_role_arn: str | None = Field(default=None, description="role that CloudFormation uses")

    @classmethod
    def from_file(cls, path: Path, stack: str) -> EnvironmentConfig:
        """The configuration in the stack file `path` (`Pulumi.STACK.yaml`, beside `Pulumi.yaml`) of the stack `stack`.

        Values are read as they are written: no YAML type turns an account into a number. Raises `ConfigError`.
        """
        return _validated(_in_file(path), frozenset(), stack, str(path))

    @field_validator("account")
    @classmethod
    def _twelve_digits(cls, value: str) -> str:
        if _ACCOUNT.fullmatch(value):
            return value
        # 012345678901 without quotes is an octal, an integer or a float by the time it gets here.
        hint = ": quote it, YAML turns an unquoted number into another one" if _NUMBER.fullmatch(value) else ""
        raise ValueError(f"{value!r} is not an AWS account, which has 12 digits{hint}")

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if not _REGION.fullmatch(value):
            raise ValueError(f"{value!r} is not an AWS region, such as eu-west-1")
        return value

    @field_validator("role_arn", "execution_role_arn")
    @classmethod
    def _role(cls, value: str | None) -> str | None:
        if value is not None and not _ROLE.fullmatch(value):
            raise ValueError(f"{value!r} is not the ARN of a role, such as arn:aws:iam::123456789012:role/deploy")
        return value

    @field_validator("api_key_expires", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        if value is None or isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError:
            raise ValueError(f"{value!r} is not a date such as 2027-05-01") from None

    @field_validator("protect", mode="before")
    @classmethod
    def _boolean(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        raise ValueError(f"{value!r} is neither true nor false")

    @model_validator(mode="after")
    def _together(self) -> EnvironmentConfig:
        if self.export and self.assembly:
            raise ValueError("`export` and `assembly` exclude each other: name one of them")
        for key, arn in (("roleArn", self.role_arn), ("executionRoleArn", self.execution_role_arn)):
            if arn and f"::{self.account}:" not in arn:
                raise ValueError(f"`{key}` is a role of another account than {self.account}: {arn}")
        return self


def keys() -> tuple[str, ...]:
    """The names a stack file may use, as they are written there."""
    return tuple(f.alias or n for n, f in EnvironmentConfig.model_fields.items() if n != "secret_names")


@dataclass(frozen=True)
class Configuration:
    """A program's configuration, and the values of its secrets, which Pulumi keeps secret."""

    environment: EnvironmentConfig
    secrets: Mapping[SecretKey, pulumi.Output[str]]
    directory: Path
    """The project's folder: paths of the configuration are relative to it."""
    where: str
    """The stack file, for messages."""


def from_pulumi() -> Configuration:
    """The configuration of the running program. Raises `ConfigError`."""
    import pulumi  # noqa: PLC0415 - tools read stack files without Pulumi
    from pulumi.runtime.config import get_config, is_config_secret  # noqa: PLC0415 - Config.get warns of secrets

    project, stack = pulumi.get_project(), pulumi.get_stack()
    directory = Path(pulumi.get_root_directory() or ".").resolve()  # inline programs have none
    file = directory / f"Pulumi.{stack}.yaml"
    given: dict[str, Any] = {}
    secret_keys: set[str] = set()
    for key in _own_keys(project):
        given[key] = get_config(f"{project}:{key}")
        if is_config_secret(f"{project}:{key}"):
            secret_keys.add(key)
    for key in sorted(secret_keys - {"parameters"}):
        raise _secret_refused(key, file.name)
    values: dict[SecretKey, pulumi.Output[str]] = {}
    if "parameters" in given:
        parameters = _parse_object(given["parameters"], file.name)
        if "parameters" in secret_keys:
            # Pulumi says that something in there is secret, but not what. Only what stands in plain in the stack file,
            # with the same value, is taken as plain.
            written = _written(_in_file(file).get("parameters")) if file.is_file() else {}
            for nested, leaves in parameters.items():
                for parameter, leaf in list(leaves.items()):
                    value = _text(leaf, f"parameters.{nested}.{parameter}", file.name)
                    if written.get((nested, parameter)) != value:
                        del leaves[parameter]
                        values[nested, parameter] = pulumi.Output.secret(value)
        given["parameters"] = parameters
    model = _validated(given, frozenset(values), stack, file.name)
    return Configuration(model, values, directory, file.name)


def _own_keys(project: str) -> list[str]:
    """All keys of the project that are set, known or not."""
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415

    prefix = f"{project}:"
    return sorted({k.removeprefix(prefix) for k in (*CONFIG.get(), *get_config_env()) if k.startswith(prefix)})


def _in_file(path: Path) -> dict[str, Any]:
    """A stack file's own keys; `{"secure": ...}` stays as it is."""
    project = _yaml(path.parent / "Pulumi.yaml").get("name")
    config = _yaml(path).get("config") or {}
    if not isinstance(config, dict):
        raise ConfigError("`config` is no mapping", where=str(path), remedy="write it as in the README")
    own: dict[str, Any] = {}
    for key, value in config.items():
        namespace, _, name = str(key).rpartition(":")
        if namespace in ("", str(project)):
            own[name] = value
    return own


def _yaml(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - a running program mostly gets its values from Pulumi

    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - strings only
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot be read: {reason}", where=str(path)) from None
    if data in (None, ""):
        return {}
    if not isinstance(data, dict):
        raise ConfigError("is no mapping", where=str(path))
    return data


def _validated(given: Mapping[str, Any], secrets: frozenset[SecretKey], stack: str, where: str) -> EnvironmentConfig:
    """The model of what was given; `secrets` are those that are known already."""
    known = keys()
    # An empty text is the default that Pulumi.yaml has to give to a key which nobody must set.
    data = {key: value for key, value in given.items() if value not in ("", None)}
    for key, value in data.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            raise ConfigError(
                f"unknown key {key!r}" + (f", do you mean {close[0]!r}?" if close else ""),
                where=where,
                remedy=f"valid keys are {', '.join(known)}; give your own keys a namespace, as in `dns:zone`",
            )
        if _is_secure(value):
            raise _secret_refused(key, where)
    if "parameters" in data:
        data["parameters"], named = _split(data["parameters"], secrets, where)
        secrets |= named
    data["secret_names"] = secrets
    data.setdefault("environment", stack)
    try:
        return EnvironmentConfig.model_validate(data)
    except ValidationError as error:
        raise _as_config_error(error, where) from None


def _as_config_error(error: ValidationError, where: str) -> ConfigError:
    """The first complaint of pydantic in the words of a stack file."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return ConfigError(f"{key} is missing", where=where, remedy=f"`pulumi config set {key} VALUE`")
    if first["type"] == "literal_error":
        return ConfigError(f"program: {first['input']!r} is not {first['ctx']['expected']}", where=where)
    text = str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else first["msg"]
    return ConfigError(f"{key}: {text}" if key else text, where=where)


def _secret_refused(key: str, where: str) -> ConfigError:
    if key == "parameters":
        return ConfigError("parameters is one secret", where=where, remedy="make single values secrets, with --path")
    return ConfigError(
        f"{key} cannot be a secret: tools that only read this file have to know it",
        where=where,
        remedy=f"`pulumi config set {key} VALUE`, without --secret",
    )


def _is_secure(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"secure"}


def _parse_object(text: str, where: str) -> dict[str, dict[str, Any]]:
    """Pulumi hands an object over as JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    _check_parameters(value, where)
    return {nested: dict(parameters) for nested, parameters in value.items()}


def _check_parameters(value: Any, where: str) -> None:
    shape = "nested stack -> parameter -> value"
    if not isinstance(value, Mapping) or not all(isinstance(v, Mapping) for v in value.values()):
        raise ConfigError(
            f"parameters is not of the form {shape}",
            where=where,
            remedy="`pulumi config set --path 'parameters.NESTED_STACK.PARAMETER' VALUE`",
        )


def _split(
    value: Any, known: frozenset[SecretKey], where: str
) -> tuple[dict[str, dict[str, str]], frozenset[SecretKey]]:
    """The plain values as strings, and the names of the secret ones. A stack that is left without plain values goes, if
    it has secrets; else it stays, so that its name is checked."""
    _check_parameters(value, where)
    plain: dict[str, dict[str, str]] = {}
    secrets: set[SecretKey] = set()
    for nested, parameters in value.items():
        if _is_secure(parameters):
            raise ConfigError(f"parameters.{nested} is one secret", where=where, remedy="make each value a secret")
        leaves = {}
        for parameter, leaf in parameters.items():
            if _is_secure(leaf):
                secrets.add((nested, parameter))
            else:
                leaves[parameter] = _text(leaf, f"parameters.{nested}.{parameter}", where)
        if leaves or not any(stack == nested for stack, _ in (*secrets, *known)):
            plain[nested] = leaves
    return plain, frozenset(secrets)


def _text(leaf: Any, key: str, where: str) -> str:
    """A value as CloudFormation takes it: booleans in lower case, lists joined with commas."""
    if isinstance(leaf, bool):
        return "true" if leaf else "false"
    if isinstance(leaf, list):
        return ",".join(_text(item, key, where) for item in leaf)
    if isinstance(leaf, (str, int, float)):
        return str(leaf)
    raise ConfigError(f"{key} is no text", where=where, remedy="CloudFormation parameters are strings")


def _written(parameters: Any) -> dict[SecretKey, str]:
    """The values that stand in plain in a stack file."""
    if not isinstance(parameters, Mapping):
        return {}
    return {
        (nested, parameter): _text(leaf, parameter, "")
        for nested, leaves in parameters.items()
        if isinstance(leaves, Mapping)
        for parameter, leaf in leaves.items()
        if isinstance(leaf, str) or (isinstance(leaf, list) and all(isinstance(item, str) for item in leaf))
    }
