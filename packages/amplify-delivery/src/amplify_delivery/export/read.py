"""Read an export's folder as `amplify export` writes it.

Source of the form: amplify-cli, packages/amplify-provider-awscloudformation/src/export-resources.ts.
Everything that is wrong with the form is collected and refused at once; nothing is ever executed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from amplify_delivery.errors import ExportRefused
from amplify_delivery.export.documents import Malformed, parse_json, parse_yaml
from amplify_delivery.export.model import AmplifyResource, Export, ExportedStack
from amplify_delivery.export.template_form import KNOWN_TO_AWS, template_problem
from amplify_delivery.findings import Finding

MANIFEST = "amplify-export-manifest.json"
MAPPING = "category-stack-mapping.json"
TAGS = "export-tags.json"
ROOT_TEMPLATE = "root-stack-template.json"

TRIGGER_STACK = "AuthTriggerCustomLambdaStack"
TRIGGER_TEMPLATE = "auth/auth-trigger-cloudformation-template.json"
"""Where the exporter means to write the Cognito triggers' template, and never does (amplify-cli 13297)."""

MAX_FILES = 200_000
MAX_DOCUMENT = 16 * 1024 * 1024
"""Bytes of a JSON or YAML document as exported (pretty-printed; CloudFormation's 1,000,000 count after minifying)."""
MAX_FILE = 512 * 1024 * 1024
"""Bytes of any file: twice what Lambda takes unzipped, more than the exporter ever writes."""
MAX_DEPTH = 8
"""Nesting of stacks. Real exports have 3 levels."""

_LFS = b"version https://git-lfs.github.com/spec/"
_MAX_LFS = 1024
"""Bytes of a Git LFS pointer at most (its specification)."""

REEXPORT = "run `amplify export` again (and commit the whole folder)"
WRITE_OUT = "write out what it makes in the Amplify project, and export again"


def _is_lfs_pointer(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of files
            return file.read(len(_LFS)) == _LFS
    except OSError:
        return False  # whoever reads it says so


class _Reader:
    """Collects findings while it walks; a refused part is left out so that more can be found."""

    def __init__(self, path: Path, reader: Callable[[str], bytes] | None = None) -> None:
        self.path, self.reader = path, reader
        self.files: dict[str, int] = {}
        self.findings: list[Finding] = []

    def refuse(self, id: str, file: str, message: str, remedy: str = REEXPORT) -> None:
        self.findings.append(Finding(id, "refused", file, message, remedy))

    def scan(self) -> None:
        """List every file; links must stay inside, special files are refused."""
        root = self.path.resolve()
        pending = [("", str(self.path))]
        while pending:
            prefix, folder = pending.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    relative = prefix + entry.name
                    if not relative.isascii() and not _is_utf8(relative):
                        self.refuse("AD104", ascii(relative), "has a name that is not UTF-8")
                        continue
                    try:
                        if entry.is_symlink() and not Path(entry.path).resolve(strict=True).is_relative_to(root):
                            self.refuse("AD104", relative, "is a link that leaves the export's folder")
                            continue
                        info = entry.stat()
                    except (OSError, RuntimeError) as error:
                        self.refuse("AD104", relative, f"is a link that leads nowhere ({error})")
                        continue
                    if stat.S_ISDIR(info.st_mode):
                        if entry.is_symlink():
                            self.refuse("AD104", relative, "is a link to a folder")
                        else:
                            pending.append((f"{relative}/", entry.path))
                    elif not stat.S_ISREG(info.st_mode):
                        self.refuse("AD104", relative, "is neither a file nor a folder")
                    elif info.st_size > MAX_FILE:
                        self.refuse(
                            "AD106",
                            relative,
                            f"has {info.st_size:,} bytes, the limit is {MAX_FILE:,}",
                            "take it out of the backend, or publish it by other means",
                        )
                    elif info.st_size < _MAX_LFS and _is_lfs_pointer(entry.path):
                        self.refuse(
                            "AD104", relative, "is a Git LFS pointer, not the file itself", "run `git lfs pull`"
                        )
                    else:
                        self.files[relative] = info.st_size
                    if len(self.files) > MAX_FILES:
                        self.refuse("AD106", ".", f"more than {MAX_FILES:,} files", "is this an export's folder?")
                        return

    def document(self, file: str) -> Any:
        """The parsed document, or None (JSON `null` is refused too) after a finding."""
        if self.files[file] > MAX_DOCUMENT:
            self.refuse("AD106", file, f"has {self.files[file]:,} bytes, the limit is {MAX_DOCUMENT:,}")
            return None
        try:
            data = self.reader(file) if self.reader is not None else (self.path / file).read_bytes()
        except OSError as error:
            self.refuse("AD103", file, f"cannot be read: {error.strerror}", "check the file's permissions")
            return None
        try:
            value = parse_yaml(data) if file.endswith((".yml", ".yaml")) else parse_json(data)
        except Malformed as error:
            self.refuse("AD103", file, str(error))
            return None
        if value is None:
            self.refuse("AD103", file, "is empty")
        return value

    def manifest(self) -> tuple[str, ExportedStack] | None:
        data = self.document(MANIFEST)
        if data is None:
            return None
        if not isinstance(data, dict) or not isinstance(data.get("stackName"), str):
            self.refuse("AD105", MANIFEST, 'must be {"stackName": ..., "props": ...}')
            return None
        root = self.stack("", data.get("props"), "props")
        return (data["stackName"], self.with_triggers(root)) if root else None

    def with_triggers(self, root: ExportedStack) -> ExportedStack:
        """The root with the Cognito trigger stack taken up, if its template was put back (AD206 tells how)."""
        lost = TRIGGER_STACK in root.resources and TRIGGER_STACK not in root.nested
        if not lost or TRIGGER_TEMPLATE not in self.files:
            return root
        template = self.template(TRIGGER_TEMPLATE)
        if template is None:
            return root
        stack = ExportedStack(TRIGGER_STACK, TRIGGER_TEMPLATE, template, {}, {})
        return replace(root, nested={**root.nested, TRIGGER_STACK: stack})

    def stack(self, logical_id: str, data: Any, where: str, depth: int = 0) -> ExportedStack | None:
        if not isinstance(data, dict) or not isinstance(data.get("templateFile"), str):
            self.refuse("AD105", MANIFEST, f"{where}: a stack must be an object with a templateFile")
            return None
        parameters, nested = data.get("parameters") or {}, data.get("loadNestedStacks") or {}
        if not isinstance(parameters, dict) or not isinstance(nested, dict):
            self.refuse("AD105", MANIFEST, f"{where}: parameters and loadNestedStacks must be objects")
            return None
        if depth > MAX_DEPTH:
            self.refuse("AD105", MANIFEST, f"{where}: stacks nested deeper than {MAX_DEPTH} levels")
            return None
        file = self.inside(data["templateFile"], where)
        template = self.template(file) if file else None
        children = {
            name: child
            for name, node in nested.items()
            if (child := self.stack(name, node, f"{where}.loadNestedStacks.{name}", depth + 1))
        }
        if file is None or template is None:
            return None
        return ExportedStack(logical_id, file, template, parameters, children)

    def inside(self, file: str, where: str) -> str | None:
        """The file's path in our form, if it lies in the folder."""
        path = PurePosixPath(file.replace("\\", "/"))  # an export made on Windows writes backslashes
        if path.is_absolute() or ".." in path.parts or ":" in file or "\0" in file:
            self.refuse("AD104", MANIFEST, f"{where}: templateFile {file!r} leaves the export's folder")
            return None
        name = str(path)
        if name not in self.files:
            self.refuse("AD107", name, f"{where} names this template, but there is no such file")
            return None
        return name

    def template(self, file: str) -> dict[str, Any] | None:
        data = self.document(file)
        if data is None:
            return None
        problem = template_problem(data)
        if problem:
            again = KNOWN_TO_AWS not in problem
            self.refuse("AD105", file, problem, REEXPORT if again else WRITE_OUT)
            return None
        return dict(data)

    def mapping(self) -> tuple[AmplifyResource, ...]:
        data = self.document(MAPPING)
        keys = ("category", "resourceName", "service")
        if data is None:
            return ()
        if not isinstance(data, list) or not all(
            isinstance(e, dict) and all(isinstance(e.get(k), str) for k in keys) for e in data
        ):
            self.refuse("AD105", MAPPING, "must be a list of {category, resourceName, service}")
            return ()
        return tuple(AmplifyResource(*(e[k] for k in keys)) for e in data)

    def tags(self) -> tuple[tuple[str, str], ...]:
        data = self.document(TAGS)
        if data is None:
            return ()
        if not isinstance(data, list) or not all(
            isinstance(e, dict) and isinstance(e.get("key"), str) and isinstance(e.get("value"), str) for e in data
        ):
            self.refuse("AD105", TAGS, "must be a list of {key, value}")
            return ()
        return tuple((e["key"], e["value"]) for e in data)


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_export(path: Path | str) -> Export:
    """Read the export in the folder `path`. Raises `ExportRefused` with everything wrong in its form."""
    path = Path(path)
    reader = _Reader(path)
    if not path.is_dir():
        what = "is a file" if path.exists() else "there is no such folder"
        reader.refuse("AD101", str(path), what, "name the folder that `amplify export` wrote (amplify-export-PROJECT)")
        raise ExportRefused(reader.findings)
    try:
        reader.scan()
    except OSError as error:
        reader.refuse("AD101", str(path), f"cannot be read: {error.strerror}", "check the folder's permissions")
    return _read(reader)


def read_files(path: Path, files: Mapping[str, int], read: Callable[[str], bytes]) -> Export:
    """An export of which only the files' sizes (by their paths, relative, `/`) and their bytes are known, as git has
    them: `read` raises `OSError` for what cannot be had. `path` is where it lay. Raises `ExportRefused`."""
    reader = _Reader(path, read)
    for file, size in files.items():
        if size > MAX_FILE:
            reader.refuse("AD106", file, f"has {size:,} bytes, the limit is {MAX_FILE:,}")
        else:
            reader.files[file] = size
    return _read(reader)


def _read(reader: _Reader) -> Export:
    path = reader.path
    missing = [f for f in (MANIFEST, MAPPING, TAGS, ROOT_TEMPLATE) if f not in reader.files]
    blocked = {f.file for f in reader.findings}
    for file in missing:
        if file not in blocked:
            hint = REEXPORT if len(missing) < 4 else "name the folder that `amplify export` wrote"
            reader.refuse("AD102", file, f"is missing in {path}", hint)
    manifest = None if missing else reader.manifest()
    resources = () if missing else reader.mapping()
    tags = () if missing else reader.tags()
    if reader.findings or manifest is None:
        raise ExportRefused(reader.findings)
    name, root = manifest
    return Export(path, name, root, resources, tags, reader.files, reader.reader)
