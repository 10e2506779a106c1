"""Pinpoint keeps apps: `CreateApp`, `GetApp`, `GetApps`, `DeleteApp` and their tags, by account and region.

MiniStack has no Pinpoint. The function of Amplify's analytics template makes its app with the SDK, so an export with
analytics fails at its custom resource. Nothing takes events or sends messages; any other call is refused by name.
AWS: Pinpoint API Reference, "Apps", "App", "Tags": an app has an id of 32 hexadecimal digits, its name need not be
unique, `CreateApp` answers 201, and whatever names an app that is not there `NotFoundException`. "Actions, resources,
and condition keys for Amazon Pinpoint", service authorization reference: `arn:...:apps/*` for a new one and the list,
`arn:...:apps/ID` for one.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import get_account_id, get_region, new_uuid

from ._expect import PatchError, expect, json_body, replace
from ._played import Answer, PlayedError, answer, kept, refusal

SERVICE = "mobiletargeting"
"""Its endpoint, its signing name and its prefix in policies; botocore's model is called `pinpoint`."""
_APP = re.compile(r"/v1/apps/([^/]+)/?")
_TAGS = re.compile(r"/v1/tags/(.+)")


def apply() -> None:
    """Have the router know the service, and requests be authorised by the app that they name."""
    if SERVICE in app.SERVICE_HANDLERS or SERVICE in router.SERVICE_PATTERNS:
        raise PatchError(f"MiniStack has {SERVICE} now")
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )
    for name in ("SERVICE_TO_IAM_NAMESPACE", "_BOTOCORE_SERVICE_MAP"):
        if not isinstance(getattr(iam_actions, name, None), dict):
            raise PatchError(f"ministack.core.iam_actions has no {name} any more")
    router.SERVICE_PATTERNS[SERVICE] = {"host_patterns": [r"pinpoint\."], "credential_scope": SERVICE}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    iam_actions._BOTOCORE_SERVICE_MAP[SERVICE] = ["pinpoint"]
    app.SERVICE_HANDLERS[SERVICE] = _handler(kept())

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any, **more: Any) -> Any:
        if service != SERVICE:
            return extract(service, method, path, *rest, **more)
        tags, one = _TAGS.fullmatch(path), re.match(r"/v1/apps/([^/]+)", path)
        return unquote(tags[1]) if tags else _arn(one[1] if one else "*")

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def _handler(apps: Any) -> Any:
    async def handle(method: str, path: str, _headers: Any, body: bytes, _query_params: Any) -> Answer:
        try:
            return _answer(apps, method, path, json_body(body), _query_params)
        except PlayedError as error:
            return refusal(error, "Message")

    return handle


def _answer(apps: Any, method: str, path: str, body: dict[str, Any], query: dict[str, Any]) -> Answer:
    one, tags = _APP.fullmatch(path), _TAGS.fullmatch(path)
    if path.rstrip("/") == "/v1/apps" and method == "POST":
        return answer(_create(apps, body), 201)
    if path.rstrip("/") == "/v1/apps" and method == "GET":
        return answer({"Item": list(apps.values())})
    if one and method == "GET":
        return answer(_find(apps, one[1]))
    if one and method == "DELETE":
        found = _find(apps, one[1])
        del apps[one[1]]
        return answer(found)
    if tags and method in ("GET", "POST", "DELETE"):
        return _tag(_find(apps, unquote(tags[1]).rpartition("/")[2]), method, body, query)
    raise PlayedError("NotImplementedException", 501, f"the local AWS plays no {method} {path} of Pinpoint")


def _create(apps: Any, body: dict[str, Any]) -> dict[str, Any]:
    name = body.get("Name")
    if not isinstance(name, str) or not re.fullmatch(r".{1,64}", name):
        raise PlayedError("BadRequestException", 400, "Name: must be a string of 1 to 64 characters")
    made = {
        "Id": (app_id := new_uuid().replace("-", "")),
        "Arn": _arn(app_id),
        "Name": name,
        "CreationDate": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "tags": body.get("tags") or {},
    }
    apps[app_id] = made
    return made


def _find(apps: Any, app_id: str) -> dict[str, Any]:
    if app_id not in apps:
        raise PlayedError("NotFoundException", 404, "Resource not found")
    found: dict[str, Any] = apps[app_id]
    return found


def _tag(found: dict[str, Any], method: str, body: dict[str, Any], query: dict[str, Any]) -> Answer:
    if method == "GET":
        return answer({"tags": found["tags"]})
    if method == "POST":
        found["tags"] = {**found["tags"], **(body.get("tags") or {})}
    else:
        keys = query.get("tagKeys") or []
        found["tags"] = {k: v for k, v in found["tags"].items() if k not in ([keys] if isinstance(keys, str) else keys)}
    return 204, {}, b""


def _arn(app_id: str) -> str:
    return f"arn:aws:{SERVICE}:{get_region()}:{get_account_id()}:apps/{app_id}"


def probe(aws: Any) -> bool:
    """An app is there when it was made, and gone when it was deleted; rights on one are none on another."""

    def make(name: str) -> Any:
        return json.loads(aws.rest(aws.owner, SERVICE, "POST", "/v1/apps", {"Name": name}))

    mine, other = make("mine"), make("other")
    role = aws.role(aws.owner, "app-keeper")
    allowed = {"Effect": "Allow", "Action": [f"{SERVICE}:GetApp", f"{SERVICE}:DeleteApp"], "Resource": mine["Arn"]}
    aws.put_policy(aws.owner, "app-keeper", allowed)
    session = aws.assume(role, aws.owner)

    def call(method: str, app_id: str) -> bool:
        return bool(aws.succeeds(lambda: aws.rest(session, SERVICE, method, f"/v1/apps/{app_id}")))

    return (
        call("GET", mine["Id"])
        and not call("GET", other["Id"])
        and call("DELETE", mine["Id"])
        and not call("GET", mine["Id"])
    )
