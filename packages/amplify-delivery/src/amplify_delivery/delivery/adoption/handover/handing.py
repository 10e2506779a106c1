"""Handing an environment over: what Amplify's own tools need, written to a folder, and uploaded if somebody says so."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.components.names import dns_suffix
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption.handover import amplify_files as files
from amplify_delivery.delivery.adoption.handover.amplify_files import Nested, Running
from amplify_delivery.delivery.adoption.handover.readiness import Readiness, readiness
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.delivery.scaffold import amplify_project
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import Export, read_export
from amplify_delivery.export.assembling.auth_roles import IDENTITY_POOL
from amplify_delivery.export.names import is_amplifys
from amplify_delivery.export.templates.expressions import spelt
from amplify_delivery.publishing import gen2_lock, termination
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.publishing.stack_state import described, outputs_of
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.inputs import export_folder, root_stack_name

KEPT = f"{files.ARCHIVE}.before-handover"
"""Key of the archive that was there before an upload."""
_SOURCES = Path("amplify", "backend")
_NO_OBJECT = ("NoSuchKey", "404")
_AT_REST = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
"""States in which Amplify's tools read a root stack (amplify-cli, export-update-amplify-meta.ts)."""


@dataclass(frozen=True)
class Handover:
    """What was written, and what Gen 2 takes over. `uploaded` are keys of the deployment bucket."""

    stack: str
    bucket: str
    folder: Path
    written: tuple[str, ...]
    uploaded: tuple[str, ...]
    readiness: tuple[Readiness, ...]
    notes: tuple[str, ...]


def hand_over(
    environment: str, context: Context, folder: Path, project: Path | None = None, *, upload: bool = False
) -> Handover:
    """Write the files of an environment into `folder`, which must hold nothing else, and upload them if asked.

    `project` is the Amplify project, whose `amplify/backend` is what was exported: without it the backend that the CLI
    has stored with the last push is taken. Raises `DeliveryError`s; nothing is written or uploaded then.
    """
    config = stack_files.load(context.folder, environment)
    if config.assembly:
        raise ConfigError(
            "it delivers an assembly, which does not say what Amplify calls its resources",
            where=environment,
            remedy="give it the export (`export` in the stack file) for this command; nothing was written",
        )
    if project is not None:
        check_project(project, context.project.app)
    export = read_export(export_folder(config, context.folder))
    account = Account.of(config)
    name = root_stack_name(config, context.folder, context.project.app)
    if upload:
        gen2_lock.check(account.client("cloudformation"), name)
    running = _running(account, name, config.environment)
    bucket = running.outputs.get("DeploymentBucketName", "")
    backend, notes = _backend(account, bucket, project)
    if upload and backend is None:
        raise RefusedError(
            "what the Amplify CLI should find in the deployment bucket is not known: no backend is given",
            where=f"s3://{bucket}/{files.ARCHIVE}",
            remedy="nothing was changed; name the Amplify project, which has `amplify/` in it, with --from FOLDER",
        )
    content = _content(running, export, backend, project)
    _write(folder, content)
    uploaded = _upload(account, bucket, content) if upload else ()
    notes = (
        *notes,
        *trusted(environment, running),
        *renamed(config),
        *strange(config.environment),
        *protected(running, account.options),
        *_locked(account, name),
    )
    return Handover(running.name, bucket, folder, tuple(sorted(content)), uploaded, readiness(export), notes)


def trusted(environment: str, running: Running) -> tuple[str, ...]:
    """That the CLI's template takes the trust of the auth roles, where it stands in the one that runs: the custom
    resource that sets it does not run again for a push."""
    if not running.parameters.get(IDENTITY_POOL):
        return ()
    return (
        "the auth roles' trust stands in the template that runs, and the Amplify CLI's template denies everybody: the "
        "next `amplify push` would take it, and no user of the app, and no guest, would get credentials of AWS any "
        f"more. Before anybody pushes: `pulumi config rm -s {environment} --path parameters.root.{IDENTITY_POOL}`, and "
        f"what `amplify-delivery plan {environment}` shows then, deployed: the template says what the CLI's says, and "
        "the trust that runs stays",
    )


def protected(running: Running, options: str) -> tuple[str, ...]:
    """That the CLI's commands which delete the root stack are refused. `options` are those of an `aws` command."""
    if not running.protected:
        return ()
    return (
        "CloudFormation protects the stack against termination, and refuses what `amplify delete`, `amplify env "
        "remove` and `amplify gen2-migration decommission` do at their end: delete it, with the data that is in it. "
        f"Before one of these, and once nothing is deployed from here any more: "
        f"{termination.by_hand(running.name, options, on=False)}",
    )


def _locked(account: Account, name: str) -> tuple[str, ...]:
    """That a migration goes on: it reads what lies in the deployment bucket, and nobody can push."""
    if not gen2_lock.locks(gen2_lock.policy_of(account.client("cloudformation"), name)):
        return ()
    return (
        "`amplify gen2-migration lock` has locked the stack: as long as it is, `amplify push` is denied, and --upload "
        "refused, since the migration reads what lies in the deployment bucket",
    )


def renamed(config: EnvironmentConfig) -> tuple[str, ...]:
    """What to know of tables with other names than Amplify gives them (`replacedTables`)."""
    if not config.replaced_tables:
        return ()
    tables = ", ".join(f"{table.path} ({table.prefix})" for table in config.replaced_tables)
    return (
        f"`amplify push` would put empty tables in the place of these, which have a prefix that Amplify does not know: "
        f"{tables}. Before anybody pushes, give each its name with `amplify override api` (`modelDDBTable.tableName`), "
        "or go on delivering from here",
    )


def strange(environment: str) -> tuple[str, ...]:
    """That the Amplify CLI takes no environment of this name, where it makes or sets up one."""
    if is_amplifys(environment):
        return ()
    return (
        f"the Amplify CLI's names of environments are 2 to 10 lower-case letters: `amplify init` and `amplify env add` "
        f"refuse {environment!r}. With `amplify/team-provider-info.json` in the "
        f"project, `amplify env checkout {environment}` finds it",
    )


def _running(account: Account, name: str, environment: str) -> Running:
    cloudformation = account.client("cloudformation")
    with account.asking(f"reading stack {name}"):
        root = described(cloudformation, name)
        if root is None or root["StackStatus"] not in _AT_REST:
            state = root["StackStatus"] if root else "no such stack"
            raise RefusedError(
                f"Amplify's tools read a root stack in state {' or '.join(_AT_REST)}, and this is: {state}",
                where=name,
                remedy=f"nothing was written; `amplify-delivery plan {environment}` says what is to be done",
            )
        template = deployed.template(cloudformation, name)
        nested = {
            logical_id: Nested(_url(template, logical_id, account), outputs_of(described(cloudformation, stack) or {}))
            for logical_id, stack in deployed.nested(cloudformation, root["StackId"]).items()
        }
    given = {p["ParameterKey"]: str(p.get("ParameterValue", "")) for p in root.get("Parameters") or ()}
    protected = bool(root.get("EnableTerminationProtection"))
    return Running(name, str(root["StackId"]), account.region, environment, outputs_of(root), nested, given, protected)


def _url(template: Mapping[str, Any], logical_id: str, account: Account) -> str:
    value = ((template.get("Resources") or {}).get(logical_id) or {}).get("Properties", {}).get("TemplateURL", "")
    known = {"AWS::Region": account.region, "AWS::URLSuffix": dns_suffix(account.region)}
    return spelt(value, known) or ""


def check_project(project: Path, app: str) -> None:
    """Raise `ConfigError` unless the folder `project` is that of the app's Amplify project: another one's sources, once
    uploaded, would be what everybody gets who pulls. One whose name nobody has written down passes."""
    if not (project / _SOURCES).is_dir():
        raise ConfigError(
            "holds no Amplify project", where=str(project), remedy="name the folder that has `amplify/backend` in it"
        )
    called = amplify_project.name_in(project)
    if called and called != app.lower():
        raise ConfigError(
            f"is the Amplify project {called!r}, and this is the environment of {app!r}",
            where=str(project),
            remedy="name that app's with --from; nothing was written",
        )


def _backend(account: Account, bucket: str, project: Path | None) -> tuple[dict[str, bytes] | None, tuple[str, ...]]:
    """The backend's files by their paths below `amplify/backend`, and what to know of them; None if nobody has them."""
    if project is not None:
        return _files(project / _SOURCES), ()
    reading = account.asking(f"reading {files.ARCHIVE} in {bucket}")
    with reading, suppressing(*_NO_OBJECT, "AccessDenied", "NoSuchBucket") as unread:
        answer = account.client("s3").get_object(Bucket=bucket, Key=files.ARCHIVE, ExpectedBucketOwner=account.account)
        archive: bytes = answer["Body"].read()
    if unread:
        note = f"the deployment bucket {bucket} has no {files.ARCHIVE} that could be read"
        return None, (f"{note}: only what runs is shown; --from FOLDER, the Amplify project, shows all",)
    try:
        found = files.in_archive(archive)
    except zipfile.BadZipFile:
        return None, (f"s3://{bucket}/{files.ARCHIVE} is not an archive: name the Amplify project with --from FOLDER",)
    return found, (
        f"the backend's files are those of the last `amplify push` (s3://{bucket}/{files.ARCHIVE}). If it was exported "
        "again since, name the Amplify project with --from FOLDER",
    )


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a backend as the CLI stores them: not what a build has left, nor dependencies."""
    skipped = {"node_modules", ".temp", ".git"}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not skipped & {*path.relative_to(folder).parts}
    }


def _content(
    running: Running, export: Export, backend: Mapping[str, bytes] | None, project: Path | None
) -> dict[str, bytes]:
    """All files by their paths below the folder."""
    known = backend or {}
    meta = files.document(files.meta(running, export.resources, _json(known.get(files.META))))
    team = project / "amplify" / files.TEAM if project else None
    before = _json(team.read_bytes() if team is not None and team.is_file() else None)
    content = {
        f"amplify/{files.TEAM}": files.document(files.team_provider_info(running, before)),
        f"amplify/backend/{files.META}": meta,
        f"amplify/#current-cloud-backend/{files.META}": meta,
    }
    if backend is not None:
        stored = {**backend, files.META: meta}
        content |= {f"amplify/#current-cloud-backend/{name}": body for name, body in stored.items()}
        content[f"bucket/{files.ARCHIVE}"] = files.archive(stored)
        content |= {
            f"bucket/{files.STUDIO}/{name}": body
            for name, body in stored.items()
            if name.rpartition("/")[2] in files.STUDIO_FILES
        }
    return content


def _json(data: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(folder: Path, content: Mapping[str, bytes]) -> None:
    """Write the files. What is there has to be of these: the same command once more, now with `--upload`, finds what it
    has written, and one that was ended goes on. Raises `ConfigError` for anything else, which is left alone."""
    other = _other_than(folder, content)
    if other:
        raise ConfigError(
            f"is there already, and {other} is not what would be written",
            where=str(folder),
            remedy="name another folder with --out, or remove it: nothing was written",
        )
    try:
        for name, body in content.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}", where=str(folder), remedy="name another folder with --out"
        ) from None


def _other_than(folder: Path, content: Mapping[str, bytes]) -> str:
    """What is there of another name, or with other bytes: its path below the folder; empty if nothing is. The beginning
    of a file is what a run has left that was killed while it wrote."""
    if not folder.is_dir():
        return "it" if folder.exists() else ""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and (name not in content or not content[name].startswith(path.read_bytes())):
            return name
    return ""


def _upload(account: Account, bucket: str, content: Mapping[str, bytes]) -> tuple[str, ...]:
    """Upload what belongs in the deployment bucket; the archive that was there first is kept beside: a second upload
    finds our own."""
    s3 = account.client("s3")
    keys = []
    with account.changing(f"writing to s3://{bucket}"):
        if not _is_there(s3, bucket, KEPT, account):
            with suppressing(*_NO_OBJECT):
                source = {"Bucket": bucket, "Key": files.ARCHIVE}
                s3.copy_object(Bucket=bucket, Key=KEPT, CopySource=source, ExpectedBucketOwner=account.account)
        for name, body in content.items():
            if name.startswith("bucket/"):
                key = name.removeprefix("bucket/")
                s3.put_object(Bucket=bucket, Key=key, Body=body, ExpectedBucketOwner=account.account)
                keys.append(key)
    return tuple(sorted(keys))


def _is_there(s3: Any, bucket: str, key: str, account: Account) -> bool:
    with suppressing(*_NO_OBJECT) as gone:
        s3.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account.account)
    return not gone
