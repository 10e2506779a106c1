"""What AWS refuses first has changed nothing (3); the same after a change, or without an answer, may have (4).

One row for each place where a command's own calls change something in AWS. Where the engine changes it, or
CloudFormation, `test_exit_codes` and `test_states_of_commands` tell.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from amplify_delivery.changes.steps import RecoverStack
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.deployment.releases import collecting, image_garbage
from amplify_delivery.delivery.deployment.releases.collecting import Garbage
from amplify_delivery.delivery.deployment.releases.image_garbage import ImageGarbage, StoredImage
from amplify_delivery.delivery.environment import recovery
from amplify_delivery.delivery.pipeline import state_stack
from amplify_delivery.delivery.teardown import emptying
from amplify_delivery.errors import DeliveryError
from aws_rehearsal_tests.clock import Clock

ACCOUNT = "222222222222"
STACK = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/root/1"


def refusal(status: int = 403, code: str = "AccessDenied", message: str = "no") -> Exception:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error: Exception = ClientError(answer, "Asked")
    return error


DENIED, BROKEN, LOST = refusal(), refusal(500, "InternalFailure"), ReadTimeoutError(endpoint_url="https://aws")


_EMPTY: dict[str, Any] = {
    "describe_stacks": refusal(400, "ValidationError", "Stack with id root does not exist"),
    "list_stack_resources": {"StackResourceSummaries": []},
}


class Aws:
    """Every service: gives each operation its next answer, then an empty one."""

    def __init__(self, **answers: Any) -> None:
        who = {"Account": ACCOUNT, "Arn": "arn"}
        self.answers = {"get_caller_identity": [who], **{k: list(v) for k, v in answers.items()}}

    def client(self, *_: Any, **__: Any) -> Aws:
        return self

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [getattr(self, operation)()])

    def get_waiter(self, _: str) -> Any:
        return SimpleNamespace(wait=lambda **_: None)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            left = self.answers.get(operation)
            answer = left.pop(0) if left else _EMPTY.get(operation, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def account(aws: Aws) -> Account:
    session: Any = aws
    return Account(ACCOUNT, "eu-west-1", session=session)


def target(aws: Aws) -> Any:
    names = SimpleNamespace(repository="app-prod")
    config = SimpleNamespace(account=ACCOUNT, environment="prod", region="eu-west-1", profile=None, rollback_skips=())
    root = SimpleNamespace(stack_name="root")
    return SimpleNamespace(account=account(aws), bucket="staging", config=config, names=names, root=root)


def objects(aws: Aws) -> None:
    """`gc --delete`, published objects: a thousand at a time."""
    collecting.collect(target(aws), Garbage(tuple(f"k{n}" for n in range(1001)), 0, (), frozenset()))


def images(aws: Aws) -> None:
    """`gc --delete`, images: a hundred at a time."""
    stored = tuple(StoredImage(f"t{n}", f"sha256:{n}", 1, datetime.now(UTC)) for n in range(101))
    image_garbage.collect(target(aws), Garbage((), 0, (), frozenset()), ImageGarbage(stored))


def recover(aws: Aws) -> None:
    """`up`, `deploy` and `rollback`: the root stack is brought out of a state."""
    recovery.carry_out(target(aws), "prod", RecoverStack("root", "UPDATE_ROLLBACK_FAILED", "continue-update-rollback"))


def bucket(aws: Aws) -> None:
    """`destroy`, of an environment, an account, a pipeline; `preview down`."""
    emptying.bucket(account(aws), "files")


def repository(aws: Aws) -> None:
    """`destroy` of an account."""
    emptying.repository(account(aws), "app-prod")


def tooling(aws: Aws) -> None:
    """`setup --remove`."""
    state_stack.remove(account(aws), "app-tooling-state", PipelineNames("app", ACCOUNT, "eu-west-1"))


def tags(*numbers: int) -> dict[str, Any]:
    return {"images": [{"imageId": {"imageTag": f"t{n}"}, "imageManifest": "{}"} for n in numbers]}


def there(status: str) -> dict[str, Any]:
    return {"Stacks": [{"StackName": "root", "StackId": STACK, "StackStatus": status}]}


KEPT = {"Errors": [{"Key": "k0", "Code": "AccessDenied", "Message": "no"}]}
GONE = {"Deleted": [{"Key": "k0", "DeleteMarkerVersionId": "v"}]}
VERSIONS = {"Versions": [{"Key": "k0", "VersionId": "1"}, {"Key": "k1", "VersionId": "1"}]}
BOTH_KEPT = {"Errors": [{"Key": k, "Code": "AccessDenied"} for k in ("k0", "k1")]}
UPLOADS = {"Uploads": [{"Key": "k", "UploadId": "u"}]}
IMAGES = {"imageIds": [{"imageDigest": "sha256:0"}, {"imageDigest": "sha256:1"}]}
NOT_GONE = [{"imageId": {"imageDigest": f"sha256:{n}"}, "failureReason": "no"} for n in range(2)]
FAILED = there("UPDATE_ROLLBACK_FAILED")

ROWS: list[tuple[Callable[[Aws], None], dict[str, Any], int]] = [
    (objects, {"delete_objects": [DENIED]}, 3),
    (objects, {"delete_objects": [KEPT]}, 3),
    (objects, {"delete_objects": [LOST]}, 4),
    (objects, {"delete_objects": [BROKEN]}, 4),
    (objects, {"delete_objects": [GONE, DENIED]}, 4),
    (objects, {"delete_objects": [GONE, KEPT]}, 4),
    (images, {"batch_get_image": [DENIED]}, 3),
    (images, {"batch_get_image": [tags(0)], "batch_delete_image": [DENIED]}, 3),
    (images, {"batch_get_image": [tags(0)], "batch_delete_image": [LOST]}, 4),
    (images, {"batch_get_image": [tags(0), tags(100)], "batch_delete_image": [{}, DENIED]}, 4),
    (recover, {"describe_stacks": [DENIED]}, 3),
    (recover, {"describe_stacks": [there("UPDATE_COMPLETE")]}, 3),
    (recover, {"describe_stacks": [FAILED], "continue_update_rollback": [DENIED]}, 3),
    (recover, {"describe_stacks": [FAILED], "continue_update_rollback": [LOST]}, 4),
    (recover, {"describe_stacks": [FAILED, DENIED]}, 4),
    (recover, {"describe_stacks": [FAILED, FAILED]}, 4),
    (bucket, {"list_object_versions": [DENIED]}, 3),
    (bucket, {"list_object_versions": [VERSIONS], "delete_objects": [DENIED]}, 3),
    (bucket, {"list_object_versions": [VERSIONS], "delete_objects": [BOTH_KEPT]}, 3),
    (bucket, {"list_object_versions": [VERSIONS], "delete_objects": [KEPT]}, 4),
    (bucket, {"list_object_versions": [VERSIONS], "list_multipart_uploads": [DENIED]}, 4),
    (bucket, {"list_multipart_uploads": [UPLOADS], "abort_multipart_upload": [DENIED]}, 3),
    (repository, {"list_images": [DENIED]}, 3),
    (repository, {"list_images": [IMAGES], "batch_delete_image": [DENIED]}, 3),
    (repository, {"list_images": [IMAGES], "batch_delete_image": [{"failures": NOT_GONE}]}, 3),
    (repository, {"list_images": [IMAGES], "batch_delete_image": [{"failures": NOT_GONE[:1]}, DENIED]}, 4),
    (tooling, {"describe_stacks": [DENIED]}, 3),
    (tooling, {"list_object_versions": [DENIED]}, 3),
    (tooling, {"delete_bucket": [DENIED]}, 4),
]


@pytest.mark.parametrize(("ends", "answers", "code"), ROWS)
def test_the_code_tells_whether_anything_may_have_been_changed(
    ends: Callable[[Aws], None], answers: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch, recovery, state_stack)
    for module in (collecting, image_garbage):
        monkeypatch.setattr(module, "Staging", lambda _: None)
    monkeypatch.setattr(collecting, "named_meanwhile", lambda *_: set())
    monkeypatch.setattr(image_garbage, "_named_meanwhile", lambda *_: frozenset())
    with pytest.raises(DeliveryError) as caught:
        ends(Aws(**answers))
    assert caught.value.exit_code == code, caught.value
