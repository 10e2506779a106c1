"""Reads stack files and turns what is wrong in them into one sentence.

`yaml.BaseLoader` leaves every value as it is written. Nobody decrypts a stack's values here: `secure:` stays as it is,
and is refused wherever a model does not say that it may be there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from amplify_delivery.components.documents.fields import BadValueError
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config.absent import unreadable

_DESCRIBED = "docs/configuration.md describes it"
"""What to do where the error's own words do not say what to write instead."""
_TELLING = frozenset({"account", "program"})
_PROVIDERS = frozenset({"aws", "aws-native", "pulumi"})
"""Namespaces of the engine and its providers: `aws:account` is none of ours."""


def project_name(directory: Path) -> str:
    """The app's name: that of the Pulumi project in `directory`. Raises `ConfigError`."""
    path = directory / "Pulumi.yaml"
    name = _document(path).get("name")
    if not isinstance(name, str) or not name:
        raise ConfigError("`name` is missing", where=str(path), remedy="it is the Amplify project's name")
    return name


def own_keys_in(path: Path, known: Collection[str] | None = None) -> dict[str, Any]:
    """A stack's own keys as its program gets them, without the project's name: those of its file, and for others the
    defaults that Pulumi.yaml gives to all stacks; of these the `known` ones only. `{"secure": ...}` stays as it is."""
    project = _document(path.parent / "Pulumi.yaml")
    given = {key: value for key, value in _defaults(project).items() if known is None or key in known}
    return deepcopy({**given, **_written(project, path)})


def project_defaults(directory: Path) -> dict[str, Any]:
    """What Pulumi.yaml sets for every stack that does not set it itself: the `default` of a key, in short form its very
    value ("Project file reference", config options). What only stands for "not set" is left out."""
    return deepcopy(_defaults(_document(directory / "Pulumi.yaml")))


def _defaults(project: Mapping[str, Any]) -> dict[str, Any]:
    config = project.get("config")
    found = {}
    for key, declared in config.items() if isinstance(config, dict) else ():
        namespace, _, name = str(key).rpartition(":")
        value = declared.get("default") if isinstance(declared, dict) else declared
        if namespace in ("", str(project.get("name"))) and not unset(value):
            found[name] = value
    return found


def written_keys_in(path: Path) -> dict[str, Any]:
    """A stack file's own keys, without the project's name; `{"secure": ...}` stays as it is."""
    return deepcopy(_written(_document(path.parent / "Pulumi.yaml"), path))


def _written(project: Mapping[str, Any], path: Path) -> dict[str, Any]:
    config = _document(path).get("config") or {}
    if not isinstance(config, dict):
        raise ConfigError("`config` is not a mapping", where=str(path), remedy="write it as in the README")
    _refuse_other_prefix(project, config, str(path))
    own: dict[str, Any] = {}
    for key, value in config.items():
        namespace, _, name = str(key).rpartition(":")
        if namespace in ("", str(project.get("name"))):
            if name in own:
                raise ConfigError(
                    f"{name!r} is set twice: as `{name}` and as `{project.get('name')}:{name}`, which mean the same",
                    where=str(path),
                    remedy="keep the one that is meant",
                )
            own[name] = value
    return own


def refuse_other_prefix(path: Path, where: str = "") -> None:
    """Refuse a stack file that was written for a project of another name: none of its keys would be read.

    Such a file has no key of ours, but some that are called as ours; or it misses `account` and `program`, of which
    each kind of stack file has one, and has them with another name in front. Raises `ConfigError`.
    """
    _refuse_other_prefix(
        _document(path.parent / "Pulumi.yaml"), _document(path).get("config") or {}, where or str(path)
    )


def _refuse_other_prefix(data: Mapping[str, Any], config: Iterable[Any], where: str) -> None:
    """`data` is what stands in Pulumi.yaml, `config` has the keys of the stack file."""
    project, declared = str(data.get("name")), data.get("config")
    prefixes: dict[str, set[str]] = {}
    for key in config:
        prefix, _, name = str(key).rpartition(":")
        prefixes.setdefault(prefix or project, set()).add(name)
    own = prefixes.pop(project, set())
    if prefixes.keys() <= _PROVIDERS:
        return
    known = {*_TELLING, *(str(key).rpartition(":")[2] for key in (declared if isinstance(declared, dict) else ()))}
    told = own | _defaults(data).keys()
    for other in sorted(prefixes.keys() - _PROVIDERS):
        names = prefixes[other]
        if (not own and names <= known) or ("account" not in told and not own & _TELLING and names & _TELLING):
            break
    else:
        return
    raise ConfigError(
        f"its keys begin with `{other}:`, but the project is called {project!r} (Pulumi.yaml): none of them is read",
        where=where,
        remedy=f"before the first deployment: `sed -i.old 's/^\\( *\\){other}:/\\1{project}:/' Pulumi.*.yaml && "
        f"rm Pulumi.*.yaml.old` gives all stack files the new name; later: put `name: {other}` back into Pulumi.yaml",
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file with nothing but texts, lists and mappings. Raises `ConfigError`."""
    return deepcopy(_document(path))


def _document(path: Path) -> dict[str, Any]:
    """What `read_yaml` reads, as it is kept: to look into, not to change or to hand out."""
    import yaml  # noqa: PLC0415 - a running program mostly gets its values from Pulumi

    try:
        data = _loaded(path.read_text(encoding="utf-8"))
    except _KeyTwiceError as error:
        raise ConfigError(
            f"{error.key!r} is set twice (lines {error.first} and {error.again})",
            where=str(path),
            remedy="keep the one that is meant; which of them counts, nobody could tell",
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise unreadable(path, error) from None
    if data in (None, ""):
        return {}
    if not isinstance(data, dict):
        raise ConfigError(
            "is not a mapping", where=str(path), remedy="write keys and values, as `amplify-delivery init` does"
        )
    return data


class _KeyTwiceError(Exception):
    """A mapping has a key twice: YAML forbids it, PyYAML takes the last one."""

    def __init__(self, key: str, first: int, again: int) -> None:
        super().__init__(key)
        self.key, self.first, self.again = key, first, again


@cache
def _loaded(text: str) -> Any:
    """A text's data. Kept, because a command looks into each stack file several times (10 ms each; a tenth of that
    where PyYAML was built with its parser in C)."""
    import yaml  # noqa: PLC0415

    base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    class Loader(base):  # type: ignore[misc]
        """BaseLoader, which makes nothing but strings, with unique keys."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            lines: dict[str, int] = {}
            for key, _ in node.value:
                line = key.start_mark.line + 1
                if key.value in lines:
                    raise _KeyTwiceError(key.value, lines[key.value], line)
                lines[key.value] = line
            made: dict[Any, Any] = super().construct_mapping(node, deep)
            return made

    return yaml.load(text, Loader=Loader)  # noqa: S506 - strings only


def parsed(value: str) -> Any:
    """A value as Pulumi hands it over: text, or a list or mapping as JSON."""
    if value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def is_secure(value: Any) -> bool:
    """Whether it is a secret as the engine writes it: `{"secure": CIPHERTEXT}`."""
    return isinstance(value, Mapping) and set(value) == {"secure"}


def secure_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where secrets stand in a value, as in `stages.0.name`."""
    if is_secure(value):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secure_paths(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secure_paths(item, f"{path}.{index}")


def unset(value: Any) -> bool:
    """Whether a value only stands for "not set": Pulumi.yaml has to give a default to a key that nobody must set."""
    return value is None or value in ("", "{}", "[]", {}, [])


def secret_refused(key: str, where: str) -> ConfigError:
    """What is said of a secret at `key` where other stacks have to read the value."""
    if key == "parameters":
        return ConfigError("parameters is one secret", where=where, remedy="make single values secrets, with --path")
    return ConfigError(
        f"{key} cannot be a secret: tools that only read this file have to know it",
        where=where,
        remedy=f"`pulumi config set {key} VALUE`, without --secret",
    )


def as_config_error(error: ValidationError, where: str, alternatives: str = "") -> ConfigError:
    """The first complaint of pydantic in the words of a stack file. `alternatives` is a key with several models:
    pydantic puts the chosen one's name into the path, although it does not stand in the file."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    if path[:1] == [alternatives]:
        del path[1:2]
    key = ".".join(path)
    if first["type"] == "missing":
        remedy = f"`pulumi config set {key} VALUE`, or a line below `config:`" if "." not in key else _DESCRIBED
        return ConfigError(f"{key} is missing", where=where, remedy=remedy)
    if first["type"] == "literal_error":
        return ConfigError(
            f"{key}: {first['input']!r} is not {first['ctx']['expected']}", where=where, remedy=_DESCRIBED
        )
    if first["type"] == "too_short":
        return ConfigError(f"{key} is empty", where=where, remedy=_DESCRIBED)
    if first["type"] == "too_long":
        context = first["ctx"]
        return ConfigError(
            f"{key} has {context['actual_length']} elements, but may have {context['max_length']}",
            where=where,
            remedy=_DESCRIBED,
        )
    cause = first.get("ctx", {}).get("error")
    text = str(cause) if cause else first["msg"]
    remedy = cause.remedy if isinstance(cause, BadValueError) else ""
    return ConfigError(f"{key}: {text}" if key else text, where=where, remedy=remedy or _DESCRIBED)


def as_written(value: Any, written: Any) -> Any:
    """`value`, as the engine parsed it, with the numbers and flags as they stand in the file: 3.10 is no 3.1."""
    if isinstance(value, Mapping):
        other = written if isinstance(written, Mapping) else {}
        return {key: as_written(item, other.get(key)) for key, item in value.items()}
    if isinstance(value, list):
        others: Iterator[Any] = iter(written if isinstance(written, list) and len(written) == len(value) else ())
        return [as_written(item, next(others, None)) for item in value]
    if isinstance(value, str):
        return value
    if isinstance(written, str):
        return written
    return "" if value is None else json.dumps(value)
