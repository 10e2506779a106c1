"""The source of a build: its input artifacts as folders, a clone where an artifact says so, and the buildspec."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.builds.artifacts import Artifacts, unzip
from aws_rehearsal.pipeline_service.builds.builds import Build
from aws_rehearsal.pipeline_service.builds.buildspec import Buildspec, BuildspecError, read_buildspec
from aws_rehearsal.pipeline_service.clients import Access
from aws_rehearsal.pipeline_service.definitions import Store
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller
from aws_rehearsal.pipeline_service.sources.connections import CLONE, use_denied
from aws_rehearsal.pipeline_service.sources.sources import CLONE_REFERENCE

RunGit = Callable[..., int]
"""Runs git in a folder (the first argument) with arguments, as a process of the build; its exit code."""


def download(build: Build, access: Access, credentials: Credentials, parent: Path, run_git: RunGit) -> dict[str, Path]:
    """The source folders by artifact, the primary one first. Raises `ActionError`."""
    ticket = build.ticket
    if ticket is None:
        folder = parent / "src"
        source = build.project.get("source") or {}
        if source.get("type") == "S3":
            _object(str(source.get("location", "")), build, access, credentials, folder)
        folder.mkdir(parents=True, exist_ok=True)
        return {"src": folder}
    folders = {}
    for item in sorted(ticket.inputs, key=lambda item: item.name != ticket.primary):
        folder = parent / item.name
        artifacts = Artifacts(access)
        artifacts.look(credentials, item.region, item.store)
        unzip(artifacts.get(credentials, item.region, item.store, item.place), folder)
        reference = folder / CLONE_REFERENCE
        if reference.exists():
            found = json.loads(reference.read_text(encoding="utf-8"))
            _require_connection(access, credentials, build.region, found)
            _clone(found, folder, run_git)
        folders[item.name] = folder
    return folders


def _object(location: str, build: Build, access: Access, credentials: Credentials, folder: Path) -> None:
    """A source of the type S3: the zip at BUCKET/KEY, unpacked ("ProjectSource" in CodeBuild's API reference)."""
    bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
    if not bucket or not key.endswith(".zip"):
        raise ActionError("INVALID_INPUT", f"Invalid S3 source location: {location}")
    artifacts, store = Artifacts(access), Store(bucket, None)
    artifacts.look(credentials, build.region, store)
    unzip(artifacts.get(credentials, build.region, store, (bucket, key)), folder)


def buildspec_of(build: Build, folders: dict[str, Path]) -> Buildspec:
    """The buildspec: inline in the project, or a file of the primary source. Raises `ActionError`."""
    declared = (build.project.get("source") or {}).get("buildspec") or "buildspec.yml"
    if "\n" in declared or declared.lstrip().startswith(("version", "{")):
        text = declared
    else:
        path = next(iter(folders.values())) / declared
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ActionError("YAML_FILE_ERROR", f"YAML file does not exist: {declared}") from error
    try:
        return read_buildspec(text)
    except BuildspecError as error:
        raise ActionError("YAML_FILE_ERROR", str(error)) from error


def _require_connection(access: Access, credentials: Credentials, region: str, reference: dict[str, str]) -> None:
    """With a full clone the project's role needs the connection itself."""
    connection = reference.get("connection")
    if connection is None:
        return
    caller = Caller(credentials.access_key_id, "", credentials.account, region)
    denied = use_denied(access.gate, caller, connection, reference["repository"], CLONE)
    if denied is not None:
        raise ActionError("CLIENT_ERROR", f"authorization failed for primary source: {denied.message}")


def _clone(reference: dict[str, str], folder: Path, run_git: RunGit) -> None:
    shutil.rmtree(folder)
    if run_git(folder.parent, "clone", "-q", reference["path"], str(folder)):
        raise ActionError("CLIENT_ERROR", "git clone failed")
    if run_git(folder, "checkout", "-q", reference["commit"]):
        raise ActionError("CLIENT_ERROR", f"git checkout {reference['commit']} failed")
