"""When a publication announces what is there already."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.errors import PublishError
from amplify_delivery.publishing import PublishTarget
from amplify_delivery.publishing.announcing import There, announce

TARGET = PublishTarget("staging", "111122223333", "eu-west-1")
NAMES = ["templates/root.json", "assemblies/release.json"]


class S3:
    """A bucket with an announcement of each of these ages, in hours; refuses to be written with `code`."""

    def __init__(self, *hours: float, code: str = "") -> None:
        self.hours, self.code = hours, code
        self.written: dict[str, Any] = {}
        self.asked = list[str]()

    def list_objects_v2(self, Prefix: str, **_: str) -> Any:  # noqa: N803 - as boto3 calls it
        self.asked.append(Prefix)
        return {"Contents": [{"Key": f"{Prefix}{h}.json", "LastModified": ago(h)} for h in self.hours]}

    def put_object(self, Key: str, Body: bytes, **_: str) -> None:  # noqa: N803
        if self.code:
            raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "PutObject")
        self.written[Key] = json.loads(Body)


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def there(*hours: float) -> dict[str, There]:
    return {f"vtl/{h}": There(1, ago(h)) for h in hours}


@pytest.mark.parametrize("found", [(), (1, 11.9)], ids=["nothing there", "all young"])
def test_what_is_young_needs_none(found: tuple[float, ...]) -> None:
    s3 = S3()
    assert not announce(s3, TARGET, NAMES, there(*found))
    assert not s3.asked


@pytest.mark.parametrize(("earlier", "again"), [((), True), ((12.1, 50), True), ((50, 11.9), False)])
def test_what_is_old_is_announced_unless_it_was_lately(earlier: tuple[float, ...], again: bool) -> None:
    s3 = S3(*earlier)
    assert announce(s3, TARGET, NAMES, there(1, 12.1)) is again
    assert list(s3.written.values()) == [sorted(NAMES)] * again
    (place,) = s3.asked
    assert all(key.startswith(place) for key in s3.written)


def test_each_is_an_object_of_its_own() -> None:
    """One that is written over could be collected as the old one."""
    s3 = S3()
    assert announce(s3, TARGET, NAMES, there(20))
    assert announce(s3, TARGET, reversed(NAMES), there(20))
    assert len(s3.written) == 2
    assert len(set(s3.asked)) == 1
    announce(s3, TARGET, NAMES[:1], there(20))
    assert len(set(s3.asked)) == 2


def test_who_may_not_write_announces_nothing_and_goes_on() -> None:
    assert not announce(S3(code="AccessDenied"), TARGET, NAMES, there(20))
    with pytest.raises(PublishError, match="SlowDown"):
        announce(S3(code="SlowDown"), TARGET, NAMES, there(20))
