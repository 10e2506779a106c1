"""Templates by their keys: what was published is what CloudFormation was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from amplify_delivery.changes.deployed import Published
from amplify_delivery.changes.gained import Contents
from amplify_delivery.export import Assembly, RootStack
from amplify_delivery.publishing.aws_errors import suppressing_answers
from amplify_delivery.publishing.target import PublishTarget

_KEY = re.compile(r"[a-z]+/[0-9a-f]{64}\.\w+")
_ELSEWHERE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/([^$]+)")
_AT_ONCE = 16
"""Objects that are read at the same time."""


def published(
    assembly: Assembly, root: RootStack, target: PublishTarget, s3: Any, progress: Callable[[str], None]
) -> Published:
    """A template's content by its key: this release's own, else what an earlier one has left in the staging bucket."""
    own = {o.key for o in assembly.objects}

    def content(key: str) -> bytes | None:
        if key == root.object.key:
            return root.body
        if key in own:
            return assembly.read(key)
        with suppressing_answers() as refusal:
            answer = s3.get_object(Bucket=target.bucket, Key=key, ExpectedBucketOwner=target.account)
            return bytes(answer["Body"].read())
        why = f"s3://{target.bucket}/{key} cannot be read ({refusal.code})"
        progress(f"{why}: CloudFormation does not return its characters beyond ASCII, so they count as changed")
        return None

    return content


def own(assembly: Assembly) -> Contents:
    """The objects of this release by their keys."""
    known = {o.key for o in assembly.objects}

    def contents(keys: Collection[str]) -> Mapping[str, bytes]:
        return {key: assembly.read(key) for key in keys if key in known}

    return contents


def earlier(assembly: Assembly, target: PublishTarget, s3: Any) -> Contents:
    """The objects of an earlier release by their keys, of those that it has left in the staging bucket, or where
    another tool has put them (`s3://BUCKET/KEY`): what is not there, or may not be read, is missing. Keys are made from
    contents, so what this release has too is taken from it.
    """
    own_keys = {o.key for o in assembly.objects}

    def content(key: str) -> bytes | None:
        if key in own_keys:
            return assembly.read(key)
        elsewhere = _ELSEWHERE.fullmatch(key)
        if elsewhere is None and not _KEY.fullmatch(key):
            return None  # an address that only the deployment knows
        bucket, name = elsewhere.groups() if elsewhere else (target.bucket, key)
        with suppressing_answers():
            answer = s3.get_object(Bucket=bucket, Key=name, ExpectedBucketOwner=target.account)
            return bytes(answer["Body"].read())
        return None

    def contents(keys: Collection[str]) -> Mapping[str, bytes]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(keys, pool.map(content, keys), strict=True))
        return {key: body for key, body in found.items() if body is not None}

    return contents
