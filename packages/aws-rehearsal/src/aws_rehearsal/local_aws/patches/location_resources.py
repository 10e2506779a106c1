"""Amazon Location keeps maps, place indexes, geofence collections and route calculators.

MiniStack has its trackers only. The functions of Amplify's geo templates make the others with the SDK, so an export
with geo fails at its custom resources. No map is drawn, nothing is searched and no fence is watched: such calls stay
refused.
AWS: Amazon Location Service API Reference, "CreateMap", "CreatePlaceIndex", "CreateGeofenceCollection",
"CreateRouteCalculator" and their Describe, Update, List and Delete: a name that is taken is a `ConflictException`, one
that is not there a `ResourceNotFoundException`. "Actions, resources, and condition keys for Amazon Location",
service authorization reference: each is authorised by its ARN, which its name makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import location

from ._expect import PatchError, expect, json_body, replace
from ._played import Answer, PlayedError, answer, kept, refusal


@dataclass(frozen=True)
class _Kind:
    """One kind of resource: what its fields are called, and what must be given."""

    word: str
    resource: str
    required: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.word}Name"

    @property
    def arn(self) -> str:
        return f"{self.word}Arn"


_KINDS: Mapping[str, _Kind] = {
    "/maps/v0/maps": _Kind("Map", "map", ("Configuration",)),
    "/places/v0/indexes": _Kind("Index", "place-index", ("DataSource",)),
    "/geofencing/v0/collections": _Kind("Collection", "geofence-collection"),
    "/routes/v0/calculators": _Kind("Calculator", "route-calculator", ("DataSource",)),
}
_LISTS: Mapping[str, str] = {
    "/maps/v0/list-maps": "/maps/v0/maps",
    "/places/v0/list-indexes": "/places/v0/indexes",
    "/geofencing/v0/list-collections": "/geofencing/v0/collections",
    "/routes/v0/list-calculators": "/routes/v0/calculators",
}
_NAMED = re.compile(rf"({'|'.join(_KINDS)})/([^/]+)")
_PROVIDERS = ("Esri", "Grab", "Here")
_CHANGEABLE = ("ConfigurationUpdate", "DataSourceConfiguration", "Description", "PricingPlan")


def apply() -> None:
    """Answer for these paths; trackers stay MiniStack's."""
    original = expect(location, "handle_request", "method", "path", "headers", "body_bytes", "query_params")
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )
    if "location" not in app.SERVICE_HANDLERS:
        raise PatchError("MiniStack has no location any more")
    made = kept()

    async def handle_request(method: str, path: str, headers: Any, body_bytes: bytes, query_params: Any) -> Any:
        try:
            found = _answer(made, method, path, json_body(body_bytes))
        except PlayedError as error:
            return refusal(error)
        return found or await original(method, path, headers, body_bytes, query_params)

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any, **more: Any) -> Any:
        found = extract(service, method, path, *rest, **more)
        if service != "location" or found != "*":
            return found
        named = re.match(_NAMED, path)
        if named:
            return _arn(_KINDS[named[1]], unquote(named[2]))
        kind = _KINDS.get(path)
        given = json_body(more["body"] if "body" in more else rest[1])
        return _arn(kind, str(given.get(kind.name))) if kind else found

    replace("handle_request", handle_request, location)
    replace("extract_resource_arn", extract_resource_arn, iam_actions)
    # MiniStack imports a service's module when it is first asked for, and takes its function then.
    app.SERVICE_HANDLERS["location"] = handle_request


def _answer(made: Any, method: str, path: str, body: dict[str, Any]) -> Answer | None:
    """The answer, or None if the request is about something else."""
    if path in _KINDS and method == "POST":
        return answer(_create(made, path, _KINDS[path], body))
    if path in _LISTS and method == "POST":
        entries = [found for (kind, _), found in made.items() if kind == _LISTS[path]]
        return answer({"Entries": entries})
    named = _NAMED.fullmatch(path)
    if named is None or method not in ("GET", "PATCH", "DELETE"):
        return None
    kind, key = _KINDS[named[1]], (named[1], unquote(named[2]))
    if key not in made:
        raise PlayedError("ResourceNotFoundException", 404, f"{kind.word} not found: {key[1]}.")
    if method == "GET":
        return answer(made[key])
    if method == "DELETE":
        del made[key]
        return answer({})
    changed = {name: body[name] for name in _CHANGEABLE if name in body}
    configuration = {**made[key].get("Configuration", {}), **changed.pop("ConfigurationUpdate", {})}
    if configuration:
        changed["Configuration"] = configuration
    made[key] = {**made[key], **changed, "UpdateTime": _now()}
    return answer({field: made[key][field] for field in (kind.arn, kind.name, "UpdateTime")})


def _create(made: Any, path: str, kind: _Kind, body: dict[str, Any]) -> dict[str, Any]:
    name = body.get(kind.name)
    if not isinstance(name, str) or not re.fullmatch(r"[-.\w]{1,100}", name):
        raise PlayedError("ValidationException", 400, f"{kind.name} must be 1 to 100 of letters, digits, '-', '.', '_'")
    for field in kind.required:
        if not body.get(field):
            raise PlayedError("ValidationException", 400, f"{field} is required")
    if "DataSource" in kind.required and body["DataSource"] not in _PROVIDERS:
        raise PlayedError("ValidationException", 400, f"DataSource must be one of {', '.join(_PROVIDERS)}")
    if (path, name) in made:
        raise PlayedError("ConflictException", 409, f"{kind.word} already exists: {name}.")
    now = _now()
    told = {kind.arn: _arn(kind, name), kind.name: name, "CreateTime": now}
    made[path, name] = {"Description": "", "Tags": {}, **body, **told, "UpdateTime": now}
    return told


def _arn(kind: _Kind, name: str) -> str:
    return f"arn:aws:geo:{get_region()}:{get_account_id()}:{kind.resource}/{name}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def probe(aws: Any) -> bool:
    """A map is made once, told, and gone after it was deleted; a role with rights on one has none on another."""

    def make(name: str) -> str:
        body = {"MapName": name, "Configuration": {"Style": "VectorEsriStreets"}}
        return str(json.loads(aws.rest(aws.owner, "geo", "POST", "/maps/v0/maps", body))["MapArn"])

    arn = make("mine")
    make("other")
    role = aws.role(aws.owner, "map-keeper")
    allowed = {"Effect": "Allow", "Action": ["geo:DescribeMap", "geo:DeleteMap"], "Resource": arn}
    aws.put_policy(aws.owner, "map-keeper", allowed)
    session = aws.assume(role, aws.owner)

    def call(method: str, name: str) -> bool:
        return bool(aws.succeeds(lambda: aws.rest(session, "geo", method, f"/maps/v0/maps/{name}")))

    return (
        not aws.succeeds(lambda: make("mine"))
        and call("GET", "mine")
        and not call("DELETE", "other")
        and call("DELETE", "mine")
        and not call("GET", "mine")
    )
