"""Earlier releases: assemblies whose objects lie in the staging bucket, which can be deployed again.

A manifest is published before its objects, so one that is there may be of a release that was never published whole, or
never approved: what is to be deployed again has to be whole, and of a bootstrapped environment its audit log tells what
was deployed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.components.documents.naming import DEPLOY
from amplify_delivery.delivery import output
from amplify_delivery.delivery.deployment.audit import log_of
from amplify_delivery.delivery.environment import present_images
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import AssemblyError, RefusedError
from amplify_delivery.export import Assembly, write_assembly
from amplify_delivery.export.manifests import ANNOUNCED, CONTENT_FOLDERS, FOLDER, key_of, read_manifest, runs
from amplify_delivery.publishing.aws_errors import suppressing
from amplify_delivery.publishing.stack_state import described
from amplify_delivery.publishing.stack_states import begins_anew
from amplify_delivery.stacks.inputs import as_configured

_SHOWN = 12
"""Releases that a refusal lists."""
_GONE = ("NoSuchKey", "404")


@dataclass(frozen=True)
class Release:
    """An assembly in the staging bucket. `times` are when it was deployed, the first time first, as far as the audit
    log tells (`recorded`), else when it was published."""

    digest: str
    times: tuple[datetime, ...]
    recorded: bool = False

    @property
    def when(self) -> datetime:
        """The last time."""
        return self.times[-1]

    def before(self, other: Release) -> datetime | None:
        """The last time before `other` came; None if it is newer."""
        return max((time for time in self.times if time < other.times[0]), default=None)

    def to_json(self) -> dict[str, Any]:
        return {"assembly": self.digest, "time": self.when.isoformat(timespec="seconds"), "deployed": self.recorded}

    def __str__(self) -> str:
        return f"{self.digest[:12]}  {'deployed' if self.recorded else 'published'} {self.when:%Y-%m-%d %H:%M} UTC"


class Staging:
    """The staging bucket of an environment, as its releases see it. Every method raises `RefusedError`."""

    def __init__(self, target: Wanted) -> None:
        self._target, self._s3 = target, target.account.client("s3")
        self._read: dict[str, bytes] = {}

    def objects(self) -> dict[str, datetime]:
        """The keys of all that publishing has put there, and since when; none where there is no bucket yet."""
        found: dict[str, datetime] = {}
        with self._target.account.asking(f"listing {self._target.bucket}"):
            for folder in CONTENT_FOLDERS:
                found |= self._listed(folder)
        return found

    def naming(self) -> dict[str, datetime]:
        """The keys of what tells which objects are counted on, and since when: manifests, and announcements of what was
        there already."""
        with self._target.account.asking(f"listing {self._target.bucket}"):
            return self._listed(FOLDER) | self._listed(ANNOUNCED)

    def _listed(self, folder: str) -> dict[str, datetime]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._target.bucket, Prefix=f"{folder}/", ExpectedBucketOwner=self._target.config.account
        )
        with suppressing("NoSuchBucket"):
            return {o["Key"]: o["LastModified"] for page in pages for o in page.get("Contents", ())}
        return {}  # nothing was published yet: a personal stack makes its own bucket

    def get(self, key: str) -> bytes | None:
        """An object; None if there is none."""
        if key not in self._read:
            with self._target.account.asking(f"reading {key} in {self._target.bucket}"), suppressing(*_GONE) as gone:
                answer = self._s3.get_object(
                    Bucket=self._target.bucket, Key=key, ExpectedBucketOwner=self._target.config.account
                )
                self._read[key] = answer["Body"].read()
            if gone:
                return None
        return self._read[key]

    def assembly(self, digest: str) -> Assembly:
        """The assembly with that digest. Raises `AssemblyError`."""
        return read_manifest(self.get(key_of(digest)) or b"", digest, self._object)

    def _object(self, key: str) -> bytes:
        body = self.get(key)
        if body is None:
            raise AssemblyError(
                f"{key} is not in {self._target.bucket} any more",
                where=self._target.root.stack_name,
                remedy="check out that release's commit and deploy it",
            )
        return body


def releases_of(target: Wanted, there: Mapping[str, datetime]) -> list[Release]:
    """The releases in the bucket, the newest first."""
    recorded: dict[str, tuple[datetime, ...]] = {}
    for digest, time in _deployments(target):
        recorded[digest] = tuple(sorted((*recorded.get(digest, ()), time)))
    found = [
        Release(digest, recorded.get(digest, (when,)), digest in recorded)
        for key, when in there.items()
        if key.startswith(f"{FOLDER}/") and (digest := key.removeprefix(f"{FOLDER}/").removesuffix(".json"))
    ]
    return sorted(found, key=lambda r: (r.when, r.digest), reverse=True)


def running(target: Wanted, staging: Staging, releases: list[Release]) -> Release | None:
    """The release that runs; None if none of them does, or nothing runs."""
    root = root_template(target)
    for release in releases:
        try:
            assembly = staging.assembly(release.digest)
            # The form that the stack file asks for now may not be the one that runs.
            if runs(assembly, root) or runs(as_configured(assembly, target.config), root):
                return release
        except AssemblyError:
            continue  # of another format, or altered: not one that can be deployed again
    return None


def root_template(target: Wanted) -> str:
    """The running root template; empty if there is none."""
    name = target.root.stack_name
    with target.account.asking(f"reading stack {name}"):
        cloudformation = target.account.client("cloudformation")
        found = described(cloudformation, name)
        if found is None or begins_anew(str(found["StackStatus"])):
            return ""
        return json.dumps(deployed.template(cloudformation, found["StackId"]))


def chosen(target: Wanted, staging: Staging, asked: str | None) -> Release:
    """The release to go back to: the one whose digest begins with `asked`, else the last one before what runs. Raises
    `RefusedError`."""
    there = staging.objects()
    releases = releases_of(target, there)
    if asked:
        found = [r for r in releases if r.digest.startswith(asked)]
    else:
        now = running(target, staging, releases)
        # A release that was published and never approved is none to go back to, where that is known.
        found = last_before(now, [r for r in releases if r.recorded] or releases)
    if len(found) != 1:
        raise _none(target, asked, found or releases, several=len(found) > 1)
    _check_whole(target, staging.assembly(found[0].digest), there)
    return found[0]


def _check_whole(target: Wanted, assembly: Assembly, there: Collection[str]) -> None:
    """Raise `RefusedError` for a release of which something is gone: what a collection has taken that was ended."""
    remedy = "nothing was changed; another one: `--to DIGEST`, or check out that release's commit and deploy it"
    which, where = assembly.digest()[:12], target.config.environment
    missing = sorted(o.key for o in assembly.objects if o.key not in there)
    if missing:
        raise RefusedError(
            f"{output.counted(len(missing), 'object')} of {which} are not in {target.bucket}: {missing[0]} ...",
            where=where,
            remedy=remedy,
        )
    lost = present_images.lost(target, assembly) if assembly.images else []
    if lost:
        raise RefusedError(
            f"{output.counted(len(lost), 'image')} of {which} are not in {target.names.repository}: {', '.join(lost)}",
            where=where,
            remedy=remedy,
        )


def last_before(now: Release | None, releases: Sequence[Release]) -> list[Release]:
    """The release that ran last before the running one came; none if there is none. Not what came after it: a second
    rollback would else go back to the very release that the first one left."""
    if now is None:
        return list(releases[:1])
    times = {release: time for release in releases if release != now and (time := release.before(now))}
    return [max(times, key=lambda release: times[release])] if times else []


def fetch(staging: Staging, release: Release, folder: Path) -> None:
    """Write the release as an assembly's folder. Raises `AssemblyError`."""
    write_assembly(staging.assembly(release.digest), folder)


def _none(target: Wanted, asked: str | None, releases: list[Release], *, several: bool) -> RefusedError:
    if several:
        what = f"several assemblies begin with {asked}"
    elif asked:
        what = f"no assembly {asked} is staged in {target.bucket}"
    else:
        what = f"no earlier assembly is staged in {target.bucket}"
    more = f"\n  and {len(releases) - _SHOWN} more" if releases[_SHOWN:] else ""
    listed = "".join(f"\n  {release}" for release in releases[:_SHOWN]) + more
    return RefusedError(
        what + (f". These are:{listed}" if releases else ""),
        where=target.config.environment,
        remedy="nothing was changed; name one with `--to`, or check out an earlier commit and deploy that",
    )


def _deployments(target: Wanted) -> Iterator[tuple[str, datetime]]:
    """What the audit log tells of deployments: assembly and time, the oldest first; nothing if it may not be read."""
    if not target.config.bootstrapped:
        return
    try:
        events = list(log_of(target, DEPLOY).deployments())
    except RefusedError as error:
        output.progress(f"what was deployed is not known, what was published is: {error.message}")
        return
    for event in events:
        try:
            yield str(event["assembly"]), datetime.fromisoformat(str(event["time"])).astimezone(UTC)
        except (KeyError, ValueError):
            continue
