"""Where the engine keeps its state, as far as files of ours lie beside it: an S3 bucket, or a folder.

The engine's URLs of both are read as the engine reads them ("Using a DIY backend" in Pulumi's documentation), and S3 is
asked with what the engine asks it with: the credentials of this shell, or those that the engine is given. Every write
and every deletion is conditional ("Conditional requests" in the S3 user guide): of two who want the same one gets it.

In Pulumi Cloud, and in buckets of other clouds, nothing of ours can lie: there is no store then.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import json
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from amplify_delivery.delivery import ci_runs
from amplify_delivery.delivery.engine.pulumi_command import inherited
from amplify_delivery.errors import StateError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, conditionally, suppressing, told_as
from amplify_delivery.publishing.credentials import client_config, session_of
from amplify_delivery.stacks.config.reader import read_yaml

BACKEND_VARIABLE = "PULUMI_BACKEND_URL"
_TOKEN, _API = "PULUMI_ACCESS_TOKEN", "PULUMI_API"
_CLOUD = "https://api.pulumi.com"
"""Where Pulumi Cloud is asked, unless the variable `PULUMI_API` says otherwise."""
_NOT_THERE = frozenset({"NoSuchKey", "404"})
_OWNER = re.compile(r"-([0-9]{12})-[a-z0-9-]+-an$")
"""The account in the name of a bucket of S3's account-regional namespace."""

KEY_BACK = (
    "asks for the key's id (`aws kms describe-key --key-id ALIAS --query KeyMetadata.KeyId --output text`), runs "
    "`aws kms cancel-key-deletion --key-id ID` if it waits for its deletion, then `aws kms enable-key --key-id ID`: "
    "these two take no alias"
)
"""What brings a key back that is disabled or waits for its deletion (KMS API reference, EnableKey, CancelKeyDeletion:
"Specify the key ID or key ARN")."""

BUCKET_BACK = (
    "One that was deleted is made again with its account's stack (`amplify-delivery bootstrap ENV --refresh`; in the "
    "tooling account `amplify-delivery setup --account ACCOUNT --region REGION`), and what runs is taken in again "
    "(`amplify-delivery adopt ENV --state-lost`): "
    'docs/operations.md, "The state is gone"'
)
"""How a state bucket that was deleted is had back."""

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "NoSuchBucket": "the bucket was deleted, or its name is wrong: without it nobody knows what is deployed. "
        f"{BUCKET_BACK}; nothing was changed",
        **dict.fromkeys(
            ("KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"),
            f"the state's key is disabled or waits for its deletion: an administrator of the account {KEY_BACK}; "
            "nothing was changed",
        ),
    }
)
"""What to do about what S3 says of a state bucket."""


@dataclass(frozen=True)
class Stored:
    """What lies there, and the tag by which it is known that it has not changed."""

    body: bytes
    tag: str


class Store(ABC):
    """Keys have `/` in them, and begin with the engine's own `.pulumi/`, or with a prefix of ours.

    Every method raises `StateError` when the place cannot be reached.
    """

    place: str
    """For messages."""
    ours: str
    """What keys of ours begin with."""
    local: bool
    """Whether it lies on this machine, as far as its URL tells."""

    @abstractmethod
    def read(self, key: str) -> Stored | None:
        """What lies there."""

    @abstractmethod
    def create(self, key: str, body: bytes) -> str | None:
        """Write what is not there yet; its tag, or None if it is there."""

    @abstractmethod
    def replace(self, key: str, body: bytes, tag: str) -> str | None:
        """Write over what has this tag; the new tag, or None if it is another one by now."""

    @abstractmethod
    def remove(self, key: str, tag: str) -> bool:
        """Delete what has this tag; False if it is another one by now, or gone."""

    @abstractmethod
    def keys(self, prefix: str) -> list[str]:
        """All keys that begin so."""

    def builds(self, region: str) -> Any:
        """A client of CodeBuild there, with the credentials that the state is read with. Raises botocore's errors."""
        return session_of({}, region).client("codebuild", config=client_config())

    def runs(self, run: str) -> tuple[bool, str] | None:
        """Whether a run of the CI that this is a job of has ended, and in what words; None if it cannot be asked."""
        return ci_runs.ended(run, inherited({}))


def store_of(folder: Path, variables: Mapping[str, str]) -> Store | None:
    """Where the engine keeps the state of the project in `folder`, with `variables` added to this process's."""
    url = backend_url(folder, variables)
    if url.startswith("s3://"):
        return _Bucket(url, variables)
    if url.startswith("file://"):
        return _Folder(url.removeprefix("file://"), folder)
    return None


def backend_url(folder: Path, variables: Mapping[str, str]) -> str:
    """The engine's backend: the variable's, else the project's, else the one that Pulumi is logged in to, else Pulumi
    Cloud where a token for it is set; empty for none."""
    around = inherited(variables)
    if around.get(BACKEND_VARIABLE):
        return around[BACKEND_VARIABLE]
    project = folder / "Pulumi.yaml"
    settings = read_yaml(project) if project.is_file() else {}
    named = settings.get("backend")
    if isinstance(named, Mapping) and named.get("url"):
        return str(named["url"])
    home = Path(around.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = str(json.loads((home / "credentials.json").read_text(encoding="utf-8")).get("current") or "")
    except (OSError, ValueError, AttributeError):
        current = ""
    # The engine logs in with the token then, and only then (`Current` in pkg/backend/httpstate/backend.go).
    return current or (around.get(_API) or _CLOUD if around.get(_TOKEN) else "")


def is_pulumi_cloud(url: str) -> bool:
    """Whether the engine's backend is Pulumi Cloud, or a server of one's own that speaks like it: its URLs are HTTP's,
    those of buckets and folders are not."""
    return url.startswith(("https://", "http://"))


class _Bucket(Store):
    ours, local = "", False

    def __init__(self, url: str, variables: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._bucket = parts.netloc
        path = unquote(parts.path).strip("/")
        self._prefix = f"{path}/" if path else ""
        self.place = f"s3://{self._bucket}/{self._prefix}".rstrip("/")
        owner = _OWNER.search(self._bucket)
        self._where = {"Bucket": self._bucket} | ({"ExpectedBucketOwner": owner[1]} if owner else {})
        self._session = session_of(variables, asked.get("region"), asked.get("profile"))
        endpoint = asked.get("endpoint")
        if endpoint and "://" not in endpoint:
            endpoint = f"{'http' if asked.get('disableSSL') == 'true' else 'https'}://{endpoint}"
        with self._asking("finding the state bucket"):
            self._s3: Any = self._session.client("s3", config=client_config(), endpoint_url=endpoint)

    def read(self, key: str) -> Stored | None:
        with self._asking(f"reading {key}"), suppressing(*_NOT_THERE):
            answer = self._s3.get_object(Key=self._prefix + key, **self._where)
            return Stored(answer["Body"].read(), str(answer["ETag"]))
        return None

    def create(self, key: str, body: bytes) -> str | None:
        return self._put(key, body, IfNoneMatch="*")

    def replace(self, key: str, body: bytes, tag: str) -> str | None:
        return self._put(key, body, IfMatch=tag)

    def remove(self, key: str, tag: str) -> bool:
        whole = self._prefix + key
        with self._asking(f"deleting {key}"):
            return conditionally(lambda: self._s3.delete_object(Key=whole, IfMatch=tag, **self._where)) is not None

    def keys(self, prefix: str) -> list[str]:
        with self._asking(f"listing {prefix}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Prefix=self._prefix + prefix, **self._where)
            return [str(o["Key"]).removeprefix(self._prefix) for page in pages for o in page.get("Contents", ())]

    def builds(self, region: str) -> Any:
        return self._session.client("codebuild", region_name=region, config=client_config())

    def _put(self, key: str, body: bytes, **condition: str) -> str | None:
        with self._asking(f"writing {key}"):
            answer = conditionally(
                lambda: self._s3.put_object(
                    Key=self._prefix + key, Body=body, ContentType="application/json", **condition, **self._where
                )
            )
        return str(answer["ETag"]) if answer is not None else None

    def _asking(self, what: str) -> AbstractContextManager[None]:
        denied = (
            f"these credentials may not do that in {self._bucket}: use a profile or role of the account that the state "
            "is in, then repeat the command; nothing was changed"
        )
        return told_as(StateError, what, self.place, {**REMEDIES, **dict.fromkeys(ACCESS_DENIED, denied)})


class _Folder(Store):
    ours, local = ".pulumi/", True

    def __init__(self, path: str, project: Path) -> None:
        root = Path(unquote(path.partition("?")[0])).expanduser()
        self._root = root if root.is_absolute() else project / root
        self.place = str(self._root)

    def read(self, key: str) -> Stored | None:
        with self._asking(key):
            try:
                body = (self._root / key).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Stored(body, hashlib.sha256(body).hexdigest())

    @contextmanager
    def _alone(self, key: str) -> Iterator[Path]:
        """One writer at a time: while somebody looks at what she has moved away, its name would be free for others."""
        file = self._root / key
        with self._asking(key):
            file.parent.mkdir(parents=True, exist_ok=True)
            # Not beside the file: whatever lies among the engine's locks is a lock to it.
            writing = self._root / self.ours / "leases" / ".writing"
            writing.parent.mkdir(parents=True, exist_ok=True)
            with writing.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield file

    def create(self, key: str, body: bytes) -> str | None:
        with self._alone(key) as file:
            return self._create(file, body)

    @staticmethod
    def _create(file: Path, body: bytes) -> str | None:
        # Whole, and only if there is none: a link fails on a name that is taken, also over a network.
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".new-") as new:
            new.write(body)
            new.flush()
            try:
                os.link(new.name, file)
            except FileExistsError:
                return None
        return hashlib.sha256(body).hexdigest()

    def replace(self, key: str, body: bytes, tag: str) -> str | None:
        with self._alone(key) as file:
            return self._create(file, body) if self._remove(file, tag) else None

    def remove(self, key: str, tag: str) -> bool:
        with self._alone(key) as file:
            return self._remove(file, tag)

    @staticmethod
    def _remove(file: Path, tag: str) -> bool:
        try:
            if hashlib.sha256(file.read_bytes()).hexdigest() != tag:
                return False
            file.unlink()
        except FileNotFoundError:
            return False
        file.with_name(f"{file.name}.attrs").unlink(missing_ok=True)  # the engine's library's own
        return True

    def keys(self, prefix: str) -> list[str]:
        with self._asking(prefix):
            folder, _, begin = prefix.rpartition("/")
            found = (self._root / folder).glob(f"{glob.escape(begin)}*")
            files = (file for at in found for file in (at.rglob("*") if at.is_dir() else (at,)))
            return sorted(
                file.relative_to(self._root).as_posix()
                for file in files
                if file.is_file() and not file.name.startswith(".")
            )

    def _asking(self, what: str) -> AbstractContextManager[None]:
        return _Files(self.place, what)


class _Files(AbstractContextManager[None]):
    def __init__(self, place: str, what: str) -> None:
        self._place, self._what = place, what

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, OSError):
            raise StateError(
                f"{self._what} in the engine's state: {error.strerror or error}",
                where=self._place,
                remedy="fix that (a full disk, missing rights), then repeat the command; nothing was changed",
            ) from None
