"""Garbage in the staging bucket: published objects that nothing needs any more. Listed, and deleted only if asked.

Needed is what the running stack names, through all nested stacks; what the releases name that are kept to go back to;
what is young. Whoever publishes meanwhile has put a manifest first, or an announcement of what is there already: what
these name that came meanwhile is brought back. Nothing else of the bucket is looked at: other keys are not ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.deployment.releases.staged import Release, Staging, releases_of, running
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning.program import BACKEND
from amplify_delivery.errors import AssemblyError, ConfigError, FailedError, RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembling.store import FOLDERS
from amplify_delivery.export.images.model import digests_in
from amplify_delivery.export.manifests import ANNOUNCED, FOLDER, is_content_key, key_of, named_in
from amplify_delivery.publishing import gen2_lock
from amplify_delivery.publishing.stack_state import described
from amplify_delivery.publishing.stack_states import Place, Way
from amplify_delivery.publishing.stack_states import check_root as check_state
from amplify_delivery.stacks.inputs import as_configured

GRACE = timedelta(days=1)
"""What is younger is never collected: a pipeline publishes hours before it deploys."""
_BATCH = 1000
"""Keys of one DeleteObjects (Amazon S3 API reference)."""


@dataclass(frozen=True)
class Kept:
    """Which releases are kept to go back to: so many of the last, and all that are not older."""

    last: int
    days: int

    def of(self, releases: Sequence[Release], now: datetime) -> list[Release]:
        """Those of `releases`, the newest first."""
        return [r for i, r in enumerate(releases) if i < self.last or r.when > now - timedelta(days=self.days)]

    @property
    def longest(self) -> timedelta:
        """How long what somebody has published again is kept, whatever its number."""
        return max(GRACE, timedelta(days=self.days))


@dataclass(frozen=True)
class Garbage:
    """What is in the bucket: `keys` that nothing needs, how many objects are needed, and the releases that are kept."""

    keys: tuple[str, ...]
    needed: int
    kept: tuple[Release, ...]
    naming: frozenset[str]
    """All manifests and announcements that were there."""
    digests: frozenset[str] = frozenset()
    """Of the container images that are named: by what runs, by releases that are kept, and by those that are not."""
    needed_digests: frozenset[str] = frozenset()
    """Those of what runs, and of releases that are kept."""


def reachable(names: Iterable[str], read: Callable[[str], bytes | None]) -> set[str]:
    """The keys `names`, and all that is named in them: templates, manifests and announcements are read, nothing else
    names a key."""
    found: set[str] = set()
    pending = set(names)
    reading = (f"{FOLDERS['template']}/", f"{FOLDER}/", f"{ANNOUNCED}/")
    while pending:
        key = pending.pop()
        found.add(key)
        if key.startswith(reading):
            text = (read(key) or b"").decode(errors="replace")
            pending |= set(named_in(text)) - found
    return found


def garbage(there: Mapping[str, datetime], needed: Collection[str], now: datetime) -> tuple[str, ...]:
    """The keys of publishing's own objects that are not needed, and not young."""
    return tuple(
        sorted(key for key, since in there.items() if is_content_key(key) and key not in needed and since < now - GRACE)
    )


def roots(keys: Iterable[str], needed: Collection[str], read: Callable[[str], bytes | None]) -> set[str]:
    """Those of `keys` that are roots of what is `needed`. No manifest names one, since it holds an environment's
    values; a pipeline goes back to an earlier release with a role that may not publish it again."""
    found = set()
    for key in keys:
        if not key.startswith(f"{FOLDERS['template']}/"):
            continue
        text = (read(key) or b"").decode(errors="replace")
        names = set(named_in(text))
        if TEMPLATE_KEY in text and names and names <= set(needed):
            found.add(key)
    return found


def _form(target: Wanted, staging: Staging, release: Release) -> list[str]:
    """The keys of a release in the form that the stack file asks for, which its manifest does not name. Raises
    `RefusedError` where AWS does not tell: what is not known to be needed would be deleted."""
    try:
        return [o.key for o in as_configured(staging.assembly(release.digest), target.config).objects]
    except (AssemblyError, ConfigError):
        return []  # of another format, altered, or without what the stack file names: not to be deployed again so


def look(target: Wanted, kept: Kept, now: datetime) -> Garbage:
    """What is garbage. Raises `RefusedError`, also while the root stack is in a state in which CloudFormation may go
    back to what it ran before, and while Amplify's migration to Gen 2 has it locked."""
    staging = Staging(target)
    # First of all: what comes from now on counts as come meanwhile.
    naming = staging.naming()
    there = staging.objects()
    releases = releases_of(target, there)
    runs = _running(target)
    keep = kept.of(releases, now)
    # Whoever has published one will deploy it, though nobody may have done so yet.
    keep += [r for r in releases if r not in keep and there[key_of(r.digest)] > now - GRACE]
    current = running(target, staging, releases)
    if current is not None and current not in keep:
        keep.append(current)
    announced = {key for key in naming if key.startswith(f"{ANNOUNCED}/")}
    over = {key for key in announced if naming[key] < now - kept.longest}
    forms = [key for release in keep for key in _form(target, staging, release)]
    needed = reachable([*named_in(runs), *(key_of(r.digest) for r in keep), *forms, *(announced - over)], staging.get)
    needed |= roots(garbage(there, needed, now), needed, staging.get)
    keys = garbage(there, needed, now)
    digests = digests_in(runs) | image_digests(staging, needed)
    named = digests | image_digests(staging, keys)
    whole = (*keys, *sorted(over))
    return Garbage(whole, len(there) - len(keys), tuple(keep), frozenset(naming), named, digests)


def image_digests(staging: Staging, keys: Iterable[str]) -> frozenset[str]:
    """Of the container images that the manifests among these keys name."""
    texts = ((staging.get(k) or b"").decode(errors="replace") for k in keys if k.startswith(f"{FOLDER}/"))
    return frozenset(digest for text in texts for digest in digests_in(text))


def check_root(target: Wanted, environment: str, resources: Iterable[Mapping[str, Any]]) -> None:
    """Raise `RefusedError` if the engine's state (`resources`) holds another root stack than the one that the files
    name: what that one needs would be garbage."""
    ids = [
        str(r["id"]) for r in resources if r.get("type") == ROOT_STACK and BACKEND in str(r.get("urn")) and r.get("id")
    ]
    name, place = (
        target.root.stack_name,
        f":{target.account.region}:{target.account.account}:stack/{target.root.stack_name}/",
    )
    others = [found for found in ids if found != name and place not in found]
    if others:
        raise RefusedError(
            f"{others[0]} is deployed, and the files name {name} in {target.account.place}: what the one needs would "
            "be taken for garbage",
            where=environment,
            remedy="nothing was deleted. Put back what was changed: `account`, `region`, `environment` or `suffix` of "
            "the stack file, or the export",
        )


def _running(target: Wanted) -> str:
    """The text of the running stack: its templates, those of nested stacks included, and its parameters; empty if there
    is none."""
    name = target.root.stack_name
    with target.account.asking(f"reading stack {name}"):
        cloudformation = target.account.client("cloudformation")
        found = described(cloudformation, name)
        way = check_state(Place(name, target.account.options), str(found["StackStatus"]) if found else None)
        if way not in (Way.GO, Way.MAKE, Way.CLEAR):
            raise RefusedError(
                f"its state is {found['StackStatus'] if found else ''}: CloudFormation may need what it ran before",
                where=name,
                remedy="nothing was deleted; the command `plan` says how to get it out of that",
            )
        gen2_lock.check(cloudformation, name)
        stacks = deployed.read(cloudformation, name, lambda _: None).stacks
    return json.dumps([list(stacks.templates.values()), dict(stacks.parameters)]) if stacks else ""


def collect(target: Wanted, found: Garbage) -> int:
    """Delete what is garbage, as older versions that S3 keeps for a while; how many objects. What somebody has named
    meanwhile is brought back. Raises `FailedError`, `RefusedError` where not one was."""
    account, bucket, staging = target.account, target.bucket, Staging(target)
    s3 = account.client("s3")
    owner = {"Bucket": bucket, "ExpectedBucketOwner": target.config.account}
    markers: dict[str, str] = {}
    refused: list[Mapping[str, str]] = []
    with account.changing(f"deleting in {bucket}", begun=lambda: bool(markers)):
        try:
            for first in range(0, len(found.keys), _BATCH):
                named = named_meanwhile(staging, found)
                keys = [{"Key": key} for key in found.keys[first : first + _BATCH] if key not in named]
                answer = s3.delete_objects(Delete={"Objects": keys}, **owner) if keys else {}
                markers |= {d["Key"]: d.get("DeleteMarkerVersionId", "") for d in answer.get("Deleted", ())}
                refused += answer.get("Errors", ())
                if refused:
                    break
        finally:
            # Whatever has ended it: somebody counts on that. What names others comes first, to be read.
            back: set[str] = set()
            while more := (named_meanwhile(staging, found) & markers.keys()) - back if markers else set():
                for key in more:
                    s3.delete_object(Key=key, VersionId=markers[key], **owner)
                back |= more
    gone = len(markers) - len(back)
    for error in refused[:1]:
        nothing = not markers and error.get("Code") != "InternalError"
        raise (RefusedError if nothing else FailedError)(
            f"{error['Key']} could not be deleted: {error.get('Message', error.get('Code'))}",
            where=bucket,
            remedy=f"{output.counted(gone, 'object')} went before, and stay as older versions; fix that, and repeat "
            "the command",
        )
    return gone


def named_meanwhile(staging: Staging, found: Garbage) -> set[str]:
    """What manifests and announcements name that were not there when it was looked at."""
    come = staging.naming().keys() - found.naming
    return reachable(come, staging.get) if come else set()
