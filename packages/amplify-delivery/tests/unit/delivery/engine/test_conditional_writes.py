"""Every conditional write: what S3 answers to it, and what that means.

"Conditional requests" in the S3 user guide: 412 where the condition does not hold; 409 where somebody deletes or writes
the object at the same moment, and the request may be retried.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.delivery.account.remote import builds
from amplify_delivery.delivery.engine.state_store import _Bucket
from amplify_delivery.errors import DeliveryError
from amplify_delivery.export import AssemblyObject
from amplify_delivery.publishing import PublishTarget, aws_errors
from amplify_delivery.publishing.aws_errors import told_as
from amplify_delivery.publishing.upload import _Connection
from aws_rehearsal_tests.clock import Clock

CONFLICT, THERE, GONE = "ConditionalRequestConflict", "PreconditionFailed", "NoSuchKey"


class S3:
    """Answers with the codes that it is given, then as if it had done it."""

    def __init__(self, *codes: str) -> None:
        self.codes, self.asked = list(codes), list[dict[str, Any]]()

    def put_object(self, **given: Any) -> dict[str, str]:
        self.asked.append(given)
        if self.codes:
            raise ClientError({"Error": {"Code": self.codes.pop(0), "Message": "no"}}, "PutObject")
        return {"ETag": '"new"'}

    delete_object = put_object


def _artifact(s3: S3) -> bool:
    account: Any = SimpleNamespace(
        client=lambda _: s3, asking=lambda what: told_as(DeliveryError, what, "account", {}), place="account"
    )
    names: Any = SimpleNamespace(staging_bucket="staging", account="111122223333")
    return builds.put(account, names, "ab" * 32, b"zip")


def _object(s3: S3) -> bool:
    connection = _Connection.__new__(_Connection)
    connection.s3, connection.target = s3, PublishTarget("staging", "111122223333", "eu-west-1")
    return connection.put(AssemblyObject("vtl/a.vtl", "vtl", 1, "ab" * 32, "text/plain"), b"a")


def _store(s3: S3) -> _Bucket:
    store = _Bucket("s3://state?region=eu-west-1", {})
    store._s3 = s3
    return store


WRITES: dict[str, Callable[[S3], Any]] = {
    "a CI's artifact": _artifact,
    "a published object": _object,
    "a new lease": lambda s3: _store(s3).create("leases/a.json", b"{}"),
    "a lease taken over": lambda s3: _store(s3).replace("leases/a.json", b"{}", '"old"'),
    "a lease given back": lambda s3: _store(s3).remove("leases/a.json", '"old"'),
}


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[S3], Any]:
    Clock(monkeypatch, aws_errors)
    return WRITES[request.param]


def test_a_conflict_says_nothing_of_what_is_there(write: Callable[[S3], Any]) -> None:
    s3 = S3(CONFLICT, CONFLICT)
    assert write(s3)
    assert len(s3.asked) == 3
    assert all(given.keys() & {"IfMatch", "IfNoneMatch"} for given in s3.asked)


@pytest.mark.parametrize("codes", [[THERE], [CONFLICT, THERE], [GONE]], ids=", ".join)
def test_what_is_there_is_not_written_over(write: Callable[[S3], Any], codes: list[str]) -> None:
    s3 = S3(*codes)
    assert not write(s3)
    assert len(s3.asked) == len(codes)


def test_a_conflict_without_end_is_told(write: Callable[[S3], Any]) -> None:
    with pytest.raises(DeliveryError, match=CONFLICT) as caught:
        write(S3(*[CONFLICT] * 9))
    assert "repeat the command" in caught.value.remedy
