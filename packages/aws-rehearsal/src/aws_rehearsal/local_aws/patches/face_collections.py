"""Rekognition keeps collections: `CreateCollection`, `ListCollections`, `DescribeCollection`, `DeleteCollection`.

MiniStack has no Rekognition. The function of Amplify's predictions template (Identify entities, with faces that admins
upload) makes its collection with the SDK, so an export with one fails at its custom resource. No image is looked at:
any other call is refused by name.
AWS: Amazon Rekognition API Reference: an id is 1 to 255 of `[a-zA-Z0-9_.-]`, one that is taken a
`ResourceAlreadyExistsException`, one that is not there a `ResourceNotFoundException`; a collection's ARN in an answer
begins with `aws:`, in a policy with `arn:aws:`. Rights: "Amazon Rekognition API permissions" of the developer guide
names the collection for all but `ListCollections`, so does the policy that Amplify writes; the service authorization
reference names no resource for `CreateCollection`. The collection is asked for, which a right on `*` covers.
"""

from __future__ import annotations

import re
import time
from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

from ._expect import PatchError, expect, json_body, replace
from ._played import PlayedError, kept

SERVICE = "rekognition"
_TARGET = "RekognitionService"
_ID = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
_MODEL = "7.0"


def apply() -> None:
    """Have the router know the service, and requests be authorised by the collection that they name."""
    if SERVICE in app.SERVICE_HANDLERS or SERVICE in router.SERVICE_PATTERNS:
        raise PatchError(f"MiniStack has {SERVICE} now")
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )
    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": [_TARGET],
        "host_patterns": [rf"{SERVICE}\."],
        "credential_scope": SERVICE,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_HANDLERS[SERVICE] = _handler(kept())

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        if service != SERVICE:
            return extract(service, *rest, **more)
        named = json_body(more["body"] if "body" in more else rest[3]).get("CollectionId")
        return f"arn:{_arn(named)}" if isinstance(named, str) else "*"

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def _handler(collections: Any) -> Any:
    async def handle(_method: str, _path: str, headers: Any, body: bytes, _query_params: Any) -> Any:
        operation = str(headers.get("x-amz-target", "")).rpartition(".")[2]
        try:
            return json_response(_answer(collections, operation, json_body(body)))
        except PlayedError as error:
            return error_response_json(error.code, str(error), error.status)

    return handle


def _answer(collections: Any, operation: str, given: dict[str, Any]) -> dict[str, Any]:
    if operation == "ListCollections":
        return {"CollectionIds": sorted(collections), "FaceModelVersions": [_MODEL for _ in collections]}
    if operation not in ("CreateCollection", "DescribeCollection", "DeleteCollection"):
        raise PlayedError("NotImplementedException", 501, f"the local AWS plays no {operation} of Rekognition")
    name = given.get("CollectionId")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise PlayedError("InvalidParameterException", 400, "Request has invalid parameters")
    if operation == "CreateCollection":
        if name in collections:
            raise PlayedError("ResourceAlreadyExistsException", 400, f"The collection id: {name} already exists")
        collections[name] = time.time()
        return {"StatusCode": 200, "CollectionArn": _arn(name), "FaceModelVersion": _MODEL}
    if name not in collections:
        raise PlayedError("ResourceNotFoundException", 400, f"The collection id: {name} does not exist")
    if operation == "DeleteCollection":
        del collections[name]
        return {"StatusCode": 200}
    told = {"CollectionARN": f"arn:{_arn(name)}", "CreationTimestamp": collections[name]}
    return {**told, "FaceCount": 0, "FaceModelVersion": _MODEL, "UserCount": 0}


def _arn(name: str) -> str:
    return f"aws:{SERVICE}:{get_region()}:{get_account_id()}:collection/{name}"


def probe(aws: Any) -> bool:
    """A collection is made once, told, and gone after it was deleted; rights on one are none on another."""

    def call(who: Any, operation: str, **given: str) -> Any:
        return aws.json(who, SERVICE, f"{_TARGET}.{operation}", **given)

    arn = call(aws.owner, "CreateCollection", CollectionId="mine")["CollectionArn"]
    call(aws.owner, "CreateCollection", CollectionId="other")
    role = aws.role(aws.owner, "face-keeper")
    aws.put_policy(aws.owner, "face-keeper", {"Effect": "Allow", "Action": f"{SERVICE}:*", "Resource": f"arn:{arn}"})
    session = aws.assume(role, aws.owner)

    def succeeds(operation: str, name: str) -> bool:
        return bool(aws.succeeds(lambda: call(session, operation, CollectionId=name)))

    return (
        not succeeds("CreateCollection", "mine")
        and succeeds("DescribeCollection", "mine")
        and not succeeds("DeleteCollection", "other")
        and succeeds("DeleteCollection", "mine")
        and not succeeds("DescribeCollection", "mine")
    )
