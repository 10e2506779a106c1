"""What a folder tells of an app: an export's, an Amplify project's, or one that has either in it.

Source of the files: Amplify CLI, "Project files" (`amplify/.config`, `amplify/team-provider-info.json`). Only names and
places are read; nothing here is secret, and nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amplify_delivery.errors import ConfigError
from amplify_delivery.export import read_export
from amplify_delivery.export.documents import Malformed, parse_json
from amplify_delivery.export.names import StackName
from amplify_delivery.export.read import MANIFEST

_EXPORTER = "amplify-export-"
"""What the folder is called that `amplify export` writes, before the project's name."""
_GEN_2 = ("amplify/backend.ts", "amplify/backend.js")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/")


@dataclass(frozen=True)
class PushedEnvironment:
    """An environment that the Amplify CLI knows: where it is, and its root stack."""

    account: str = ""
    region: str = ""
    stack: str = ""

    @property
    def suffix(self) -> str:
        parsed = StackName.parse(self.stack)
        return parsed.suffix if parsed else ""


@dataclass(frozen=True)
class Found:
    """What is known of an app before anybody is asked; empty where nothing is."""

    name: str = ""
    export: Path | None = None
    amplify: Path | None = None
    """The folder of the Amplify project, which has `amplify/` in it."""
    environments: Mapping[str, PushedEnvironment] = field(default_factory=dict)
    typed: str = ""
    """The Amplify project's name as it was typed, `MyApp` of myapp: `amplify export` calls its folder by it."""

    @property
    def export_folder(self) -> str:
        """What the export is called in a project: as commands look for it, and as the exporter names the next one."""
        own = self.export.resolve().name if self.export else ""
        return own if own.startswith(_EXPORTER) else f"{_EXPORTER}{self.typed or self.name}"


def look(folder: Path) -> Found:
    """What there is in `folder`. Raises `ExportRefused` for an export that is none, `ConfigError` for files that cannot
    be read or that contradict each other, and for a project of Gen 2 without an export."""
    if folder.name == "amplify" and (folder / ".config").is_dir():
        folder = folder.resolve().parent
    export = _export(folder)
    name = _exported_name(export) if export else ""
    if not (folder / "amplify" / ".config").is_dir():
        _refuse_gen_2(folder, export)
        return Found(name, export)
    amplify = folder / "amplify"
    project = name_in(folder)
    if name and project and name.lower() != project:
        raise ConfigError(
            f"the export is that of {name!r}, the Amplify project is {project!r}",
            where=str(export),
            remedy="run `amplify export` again, or name the export's folder with --from",
        )
    return Found(name or project, export, folder, _environments(amplify), _typed_in(folder))


def name_in(folder: Path) -> str:
    """What stacks call the Amplify project in `folder`: `myapp` of MyApp (amplify-cli, `normalizeStackName` in
    initializer.ts). Empty if no file says it. Raises `ConfigError`."""
    return _typed_in(folder).lower()


def _typed_in(folder: Path) -> str:
    return _named(folder / "amplify" / ".config" / "project-config.json", "projectName")


def required(folder: Path) -> Found:
    """As `look`, of a folder that somebody has named. Raises `ConfigError` when there is nothing in it."""
    if not folder.is_dir():
        raise ConfigError(
            "is a file" if folder.exists() else "there is no such folder", where=str(folder), remedy=_NAME_ONE
        )
    found = look(folder)
    if not found.name:
        raise ConfigError("holds neither an export nor an Amplify project", where=str(folder), remedy=_NAME_ONE)
    return found


_NAME_ONE = (
    "name the folder that `amplify export --out .` wrote (amplify-export-APP), or that of the Amplify project, which "
    "has `amplify/` in it"
)


def _refuse_gen_2(folder: Path, export: Path | None) -> None:
    """There `amplify export` exports nothing: its backend is a CDK app ("How Amplify works", docs.amplify.aws)."""
    code = next((file for file in _GEN_2 if (folder / file).is_file()), None)
    if code and export is None:
        raise ConfigError(
            f"is an Amplify project of Gen 2 ({code}), and what is delivered here are exports of Gen 1",
            where=str(folder),
            remedy="deliver it with Gen 2's own tools (`npx ampx pipeline-deploy`), or name an export of Gen 1 with "
            "--from; nothing was written",
        )


def _export(folder: Path) -> Path | None:
    if (folder / MANIFEST).is_file() or folder.name.startswith(_EXPORTER):
        return folder
    inside = sorted(path for path in folder.glob(f"{_EXPORTER}*") if path.is_dir())
    if len(inside) > 1:
        raise ConfigError(
            f"there are several exports here: {', '.join(path.name for path in inside)}",
            where=str(folder),
            remedy="a project delivers one app: name its export with --from",
        )
    return inside[0] if inside else None


def _exported_name(export: Path) -> str:
    stack = read_export(export).stack_name
    parsed = StackName.parse(stack)
    if parsed is None:
        raise ConfigError(
            f"the root stack is called {stack!r}, not amplify-PROJECT-ENV-SUFFIX",
            where=str(export / MANIFEST),
            remedy="run `amplify export` again; the name is that of `amplify push`'s stack",
        )
    return parsed.project


def _environments(amplify: Path) -> dict[str, PushedEnvironment]:
    """Those of team-provider-info.json, and the one that is checked out here."""
    found: dict[str, PushedEnvironment] = {}
    for name, about in _document(amplify / "team-provider-info.json").items():
        provider = about.get("awscloudformation") if isinstance(about, dict) else None
        values = {k: str(v) for k, v in provider.items()} if isinstance(provider, dict) else {}
        role = _ROLE.match(values.get("AuthRoleArn", ""))
        found[name] = PushedEnvironment(role[1] if role else "", values.get("Region", ""), values.get("StackName", ""))
    here = _named(amplify / ".config" / "local-env-info.json", "envName")
    if here:
        found.setdefault(here, PushedEnvironment())
    return found


def _named(file: Path, key: str) -> str:
    value = _document(file).get(key)
    return value if isinstance(value, str) else ""


def _document(file: Path) -> Mapping[str, Any]:
    """A JSON file's object; empty where there is no such file (`.gitignore` of Amplify leaves some out)."""
    if not file.is_file():
        return {}
    try:
        value = parse_json(file.read_bytes())
    except (OSError, Malformed) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(file), remedy="fix it, or give its values") from None
    return value if isinstance(value, dict) else {}
