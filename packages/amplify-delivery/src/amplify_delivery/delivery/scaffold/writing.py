"""Brings the files of a new project into its folder: linted before, nothing overwritten, nothing written if refused."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.errors import ConfigError, DeliveryError, SetupError
from amplify_delivery.stacks.config import Project


@dataclass(frozen=True)
class Written:
    """What has become of each file, by its path in the project."""

    new: tuple[str, ...]
    same: tuple[str, ...]
    """Were there, as they would have been written."""
    left: tuple[str, ...]
    """Were there with other contents: somebody has edited them, or an older engine has written them."""


def lint(folder: Path, files: Mapping[str, bytes]) -> None:
    """Read the stack files as the commands will, those that are there and those that are to come. Raises `ConfigError`
    for what is wrong, said of the file in `folder`."""
    with tempfile.TemporaryDirectory() as name:
        trial = Path(name)
        for there in folder.glob("Pulumi*.yaml"):
            shutil.copyfile(there, trial / there.name)
        for path, content in files.items():
            if path.startswith("Pulumi") and not (trial / path).exists():
                (trial / path).write_bytes(content)
        try:
            _read_all(Project(trial))
        except DeliveryError as error:
            where = error.where.replace(f"{trial}/", "").replace(str(trial), str(folder))
            raise ConfigError(error.message, where=where, remedy=error.remedy) from None


def _read_all(project: Project) -> None:
    environments = project.stacks("backend")
    for name in environments:
        project.environment(name)
    for stack in project.stacks("account"):
        for name in project.account(stack).environments:
            project.environment(name)
    for stack in project.stacks("pipeline"):
        for name in project.pipeline(stack).environments:
            project.environment(name)


def write(folder: Path, files: Mapping[str, bytes], export: Path | None, export_folder: str) -> Written:
    """Write what is not there yet; copy the export into the folder, as `export_folder`, if it is not there.

    Raises `ConfigError` before the first file when one cannot be put where it belongs, `SetupError` when the disk
    refuses: what was written stays, and calling it again goes on.
    """
    for path in ("", *files):
        _refuse_file_for_folder(_place(folder, path), folder)
    new: list[str] = []
    same: list[str] = []
    left: list[str] = []
    try:
        for path, content in files.items():
            target = _place(folder, path)
            if target.is_symlink() or target.exists():
                (same if _holds(target, content) else left).append(path)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            _make(target, content)
            new.append(path)
        if export is not None and _copied(export, folder / export_folder):
            new.append(f"{export_folder}/")
    except OSError as error:
        raise _failed(error, folder, changed=bool(new)) from None
    return Written(tuple(new), tuple(same), tuple(left))


def _place(folder: Path, path: str) -> Path:
    """Of a file, which may lie above the folder: through one that is not there yet, no way leads up."""
    return Path(os.path.normpath(folder.resolve() / path)) if path.startswith("../") else folder / path


def _make(target: Path, content: bytes) -> None:
    """Write a file that is not there, as a whole or not at all: half a file would be left alone the next time."""
    with target.open("xb") as file:
        try:
            file.write(content)
            file.flush()
        except BaseException:
            target.unlink()
            raise


def _failed(error: OSError, folder: Path, *, changed: bool) -> SetupError:
    """The disk's refusal; `changed`: some files were written before."""
    failed = SetupError(
        f"cannot be written: {error.strerror}",
        where=str(error.filename or folder),
        remedy="fix the cause and run the command again: it goes on where it stopped",
    )
    failed.changed = changed
    return failed


def _refuse_file_for_folder(target: Path, folder: Path) -> None:
    for parent in (target, *target.parents) if target == folder else target.parents:
        if parent.exists() and not parent.is_dir():
            raise ConfigError(
                "is a file where a folder has to be",
                where=str(parent),
                remedy="name another folder; nothing was written",
            )


def _holds(target: Path, content: bytes) -> bool:
    return target.is_file() and target.read_bytes() == content


def _copied(export: Path, target: Path) -> bool:
    """Copy the export, as a whole or not at all; whether there was anything to do."""
    if target.exists():
        return False
    partial = Path(tempfile.mkdtemp(prefix=".amplify-export-", dir=target.parent))
    try:
        shutil.copytree(export, partial / target.name, symlinks=True)
        (partial / target.name).rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def replace(folder: Path, files: Mapping[str, bytes]) -> Collection[str]:
    """Write files again, each as a whole or not at all, in this order; those that have changed. Raises `SetupError`."""
    changed = []
    try:
        for path, content in files.items():
            target = folder / path
            if target.is_file() and target.read_bytes() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.new")
            try:
                partial.write_bytes(content)
                partial.replace(target)
            finally:
                partial.unlink(missing_ok=True)
            changed.append(path)
    except OSError as error:
        raise _failed(error, folder, changed=bool(changed)) from None
    return changed
