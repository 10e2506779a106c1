"""Artifacts: folders as zips, and their way into and out of artifact stores with a role's credentials.

The calls are those that the user guides name as the least a role must be allowed: "Manage the CodePipeline service
role", and "Allow AWS CodeBuild to interact with other AWS services". Which of them AWS makes at which moment is not
documented; here each is made where it can be, so that each is needed.
"""

from __future__ import annotations

import fnmatch
import io
import os
import secrets
import stat
import string
import zipfile
from pathlib import Path, PurePosixPath

from botocore.exceptions import ClientError

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.builds.buildspec import Files
from aws_rehearsal.pipeline_service.clients import Access, failure_of
from aws_rehearsal.pipeline_service.definitions import Store
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller
from aws_rehearsal.pipeline_service.keys import require_key

_EPOCH = (1980, 1, 1, 0, 0, 0)


class Artifacts:
    """Reads and writes artifact stores with given credentials, the store's key included."""

    def __init__(self, access: Access) -> None:
        self._clients = access.clients
        self._gate = access.gate

    def look(self, credentials: Credentials, region: str, store: Store, *, versioning: bool = False) -> None:
        """What CodeBuild asks of a bucket first, and with `versioning` CodePipeline. Raises `ActionError`."""
        client = self._clients.get("s3", credentials, region)
        try:
            client.get_bucket_location(Bucket=store.bucket)
            client.get_bucket_acl(Bucket=store.bucket)
            if versioning:
                client.get_bucket_versioning(Bucket=store.bucket)
        except ClientError as error:
            raise failure_of(
                error,
                "The service role or action role doesn't have the permissions required to access the Amazon S3 bucket "
                f"named {store.bucket}. Update the IAM role permissions, and then try again. Error: Amazon S3:"
                f"AccessDenied: {error.operation_name}",
            ) from error

    def put(
        self, credentials: Credentials, region: str, store: Store, key: str, content: bytes, *, acl: bool = False
    ) -> tuple[str, str]:
        """Store an artifact, return bucket and key. Raises `ActionError`.

        With `acl` it is given to the bucket's owner by name, as CodeConnections does.
        """
        require_key(self._gate, credentials, "kms:GenerateDataKey", store.key, (region, store.bucket, key))
        more = {"ACL": "bucket-owner-full-control"} if acl else {}
        if acl:
            # A request with an ACL needs the right to set one; the local S3 does not ask for it.
            caller = Caller(credentials.access_key_id, "", credentials.account, region)
            denied = self._gate.denied(caller, "s3:PutObjectAcl", f"arn:aws:s3:::{store.bucket}/{key}")
            if denied is not None:
                raise ActionError(
                    "PermissionError", f"Upload to S3 failed with the following error: Access Denied. {denied.message}"
                )
        # Without a key of its own a store has "the default key for Amazon S3" (`encryptionKey`, API reference), which
        # the local S3 does not know.
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": store.key} if store.key else {}
        try:
            self._clients.get("s3", credentials, region).put_object(
                Bucket=store.bucket, Key=key, Body=content, ContentType="application/zip", **encryption, **more
            )
        except ClientError as error:
            raise failure_of(error, f"Uploading the artifact s3://{store.bucket}/{key}") from error
        return store.bucket, key

    def get(self, credentials: Credentials, region: str, store: Store, place: tuple[str, str]) -> bytes:
        """An artifact's content: of the version that lies there now. Raises `ActionError`."""
        bucket, key = place
        client = self._clients.get("s3", credentials, region)
        try:
            answer = client.get_object(Bucket=bucket, Key=key)
            if "VersionId" in answer:
                answer["Body"].close()
                answer = client.get_object(Bucket=bucket, Key=key, VersionId=answer["VersionId"])
            content: bytes = answer["Body"].read()
        except ClientError as error:
            raise failure_of(error, f"Reading the artifact s3://{bucket}/{key}") from error
        require_key(self._gate, credentials, "kms:Decrypt", store.key, (region, bucket, key))
        return content


def object_key(pipeline: str, artifact: str) -> str:
    """A new artifact's key: 20 characters of the pipeline's name, 10 of the artifact's, 7 random ones, as on AWS."""
    alphabet = string.ascii_letters + string.digits
    return f"{pipeline[:20]}/{artifact[:10]}/{''.join(secrets.choice(alphabet) for _ in range(7))}"


def zip_files(root: Path, files: Files) -> bytes:
    """The files of a build's artifact. Raises `ActionError` if a pattern matches nothing, as CodeBuild does.

    Patterns are CodeBuild's: `*` within a folder, `**/*` everything below; a symbolic link is followed.
    """
    base = (root / files.base).resolve()
    if not base.is_dir():
        raise ActionError("CLIENT_ERROR", f"no matching base directory path found for {files.base}")
    everything = sorted(path for path in base.rglob("*") if path.is_file())
    names = {path.relative_to(base).as_posix(): path for path in everything}
    chosen: dict[str, Path] = {}
    for pattern in files.patterns:
        found = {name: path for name, path in names.items() if _matches(name, pattern)}
        if not found:
            raise ActionError("CLIENT_ERROR", f"no matching artifact paths found for {pattern}")
        chosen |= found
    kept = {n: p for n, p in chosen.items() if not any(_matches(n, pattern) for pattern in files.excludes)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in sorted(kept.items()):
            entry = zipfile.ZipInfo(PurePosixPath(name).name if files.discards_paths else name, _EPOCH)
            entry.external_attr = (stat.S_IFREG | stat.S_IMODE(path.stat().st_mode)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return out.getvalue()


def unzip(content: bytes, folder: Path) -> None:
    """Extract an artifact with modes and symbolic links. Raises `ActionError` for an entry that leaves the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise ActionError("CLIENT_ERROR", f"the artifact is not a zip: {error}") from error
    with archive:
        for entry in archive.infolist():
            target = root / entry.filename
            if not Path(os.path.normpath(target)).is_relative_to(root):
                raise ActionError("CLIENT_ERROR", f"the artifact's entry {entry.filename} leaves its folder")
            mode = entry.external_attr >> 16
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(mode):
                target.symlink_to(archive.read(entry).decode())
                continue
            target.write_bytes(archive.read(entry))
            if stat.S_IMODE(mode):
                target.chmod(stat.S_IMODE(mode) | stat.S_IRUSR | stat.S_IWUSR)


def _matches(name: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    if pattern in ("**/*", "**"):
        return True
    if "**" in pattern:
        return fnmatch.fnmatchcase(name, pattern.replace("**/", "*")) or fnmatch.fnmatchcase(name, pattern)
    depth = pattern.count("/")
    return name.count("/") == depth and fnmatch.fnmatchcase(name, pattern)
