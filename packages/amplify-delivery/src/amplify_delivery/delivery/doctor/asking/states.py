"""What is in a state bucket, and whether its key works: S3, KMS, SSM; and where a personal stack's state lies."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from amplify_delivery.components.documents.naming import STATE_PREFIX, EnvironmentNames
from amplify_delivery.delivery.doctor.asking.clients import Clients, asking
from amplify_delivery.delivery.doctor.judging.state_place import Key, StateBucket
from amplify_delivery.delivery.engine import state_store
from amplify_delivery.errors import StateError
from amplify_delivery.publishing.aws_errors import suppressing

_WHOAMI = 20
"""Seconds that Pulumi Cloud may take to say who is logged in."""


def bucket(clients: Clients, name: str, account: str, project: str, stack: str) -> StateBucket:
    """What is in the state bucket `name` of a stack of `project`: only names of objects are read."""
    s3 = clients.client("s3")
    whose = {"Bucket": name, "ExpectedBucketOwner": account}
    with asking("s3:ListBucket"), suppressing("404", "NoSuchBucket") as gone:
        s3.head_bucket(**whose)
    if gone:
        return StateBucket(name, there=False)

    def keys(prefix: str) -> set[str]:
        with asking("s3:ListBucket"):
            found = s3.list_objects_v2(Prefix=prefix, MaxKeys=10, **whose)
        return {str(item["Key"]).removesuffix(".gz") for item in found.get("Contents", ())}

    file = f"{STATE_PREFIX}stacks/{project}/{stack}.json"
    return StateBucket(
        name,
        there=True,
        # Beside it lies the previous copy, which is none.
        stack=file in keys(file),
        history=bool(keys(f"{STATE_PREFIX}history/{project}/{stack}/")),
        locks=len(keys(f"{STATE_PREFIX}locks/organization/{project}/{stack}/")),
    )


def key(clients: Clients, alias: str) -> Key:
    """A key by its alias."""
    with asking("kms:DescribeKey"), suppressing("NotFoundException"):
        found = clients.client("kms").describe_key(KeyId=alias)["KeyMetadata"]
        return Key(alias, str(found["KeyState"]), str(found["KeyId"]))
    return Key(alias, "")


def version(clients: Clients, names: EnvironmentNames) -> str | None:
    """The bootstrap version that the account's stack has written; None if there is none."""
    with asking("ssm:GetParameter"), suppressing("ParameterNotFound"):
        return str(clients.client("ssm").get_parameter(Name=names.version_parameter)["Parameter"]["Value"])
    return None


def own(folder: Path, variables: Mapping[str, str]) -> tuple[str, bool, str, str]:
    """The backend that Pulumi is logged in to: its URL, whether it was reached, and else what was said, and what to do.
    Empty if it is logged in nowhere."""
    url = state_store.backend_url(folder, variables)
    if not url:
        return "", False, "", ""
    if url.startswith("file://"):
        path = Path(unquote(url.removeprefix("file://").partition("?")[0])).expanduser()
        there = (path if path.is_absolute() else folder / path).is_dir()
        said = "" if there else f"{url}: there is no such folder"
        return (
            url,
            there,
            said,
            "" if there else f"`mkdir -p {shlex.quote(str(path))}`, or log in elsewhere: `pulumi login --local`",
        )
    try:
        store = state_store.store_of(folder, variables)
        if store is not None:
            store.keys(".pulumi/meta")
            return url, True, "", ""
    except StateError as error:
        return url, False, f"{error.where}: {error.message}", error.remedy
    return _whoami(url, folder, variables)


def _whoami(url: str, folder: Path, variables: Mapping[str, str]) -> tuple[str, bool, str, str]:
    command = shutil.which("pulumi", path=variables.get("PATH"))
    if command is None:
        return (
            url,
            False,
            f"{url} cannot be asked without `pulumi`",
            "install Pulumi: https://www.pulumi.com/docs/install/",
        )
    try:
        subprocess.run(
            [command, "--non-interactive", "whoami"],
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WHOAMI,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or "").strip().splitlines()
        return (
            url,
            False,
            f"{url}: {said[-1] if said else 'no answer'}",
            f"log in again: `pulumi login {shlex.quote(url)}`",
        )
    return url, True, "", ""
