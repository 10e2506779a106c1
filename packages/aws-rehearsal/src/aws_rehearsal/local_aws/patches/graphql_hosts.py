"""A GraphQL API answers at its endpoint whoever shows its key or its users' token: such a request has no account.

MiniStack looks for the API in the account of the caller, which for a request without a signature is its default one:
a client that is configured with another account's API gets 401.
AWS: "the API key ... in the x-api-key header" (AppSync Developer Guide, "API_KEY authorization"): the endpoint names
the API, and the API its account. Requests that are signed stay as they were.

The endpoint that MiniStack tells is AWS's own, where such an API is not. Here its host ends with `.localhost`, as those
of HTTP APIs do (`api_hosts`), so that a front end which is configured with it reaches the API.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import appsync
from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect, replace
from .api_hosts import HOST

_TYPE = "AWS::AppSync::GraphQLApi"
_HOST = re.compile(r"([a-z0-9]+)\.appsync-api\.")
_SIGNED = "AWS4-HMAC-SHA256"


def apply() -> None:
    """Answer such a request in the account and region of the API that its host names."""
    handle = expect(appsync, "handle_request", "method", "path", "headers", "body", "query_params")

    async def handle_request(method: str, path: str, headers: Any, *rest: Any, **more: Any) -> Any:
        owner = _owner(headers) if path == "/graphql" else None
        if owner is None or owner[0] == get_account_id():
            return await handle(method, path, headers, *rest, **more)
        with request_scope(*owner):
            return await handle(method, path, headers, *rest, **more)

    replace("handle_request", handle_request, appsync)
    _name_endpoints()


def _name_endpoints() -> None:
    """Have APIs tell where they answer, whichever way they are made."""
    api_created = expect(appsync, "_create_graphql_api", "body")
    handlers = provisioners._RESOURCE_HANDLERS.get(_TYPE)
    if not isinstance(handlers, dict) or "create" not in handlers:
        raise PatchError(f"{_TYPE} has no create handler any more")
    resource_created = handlers["create"]

    def create_graphql_api(body: dict[str, Any]) -> Any:
        status, headers, answer = api_created(body)
        made = json.loads(answer).get("graphqlApi")
        if made is None:
            return status, headers, answer
        _name_endpoint(made["apiId"])
        return appsync._get_graphql_api(made["apiId"])

    def create(*args: Any, **more: Any) -> Any:
        api_id, attributes = resource_created(*args, **more)
        return api_id, {**attributes, "GraphQLUrl": _name_endpoint(api_id)}

    replace("_create_graphql_api", create_graphql_api, appsync)
    handlers["create"] = create


def _name_endpoint(api_id: str) -> str:
    endpoint = f"http://{api_id}.appsync-api.{get_region()}.{HOST}:{os.environ['GATEWAY_PORT']}/graphql"
    appsync._apis[api_id]["uris"]["GRAPHQL"] = endpoint
    return endpoint


def _owner(headers: Any) -> tuple[str, str] | None:
    """Account and region of the API that the host of an unsigned request names."""
    host = _HOST.match(str(headers.get("host") or "").lower())
    if host is None or str(headers.get("authorization") or "").startswith(_SIGNED):
        return None
    for (account, region, found), _ in appsync._apis.all_items():
        if found == host[1]:
            return account, region
    return None


def probe(aws: Any) -> bool:
    """A request with an API's key, and without a signature, is answered by that API where its endpoint says."""
    made = _made(aws, "POST", "/v1/apis", {"name": aws.name("graphql"), "authenticationType": "API_KEY"})["graphqlApi"]
    key = _made(aws, "POST", f"/v1/apis/{made['apiId']}/apikeys", {})["apiKey"]["id"]
    host = made["uris"]["GRAPHQL"].split("/")[2]
    asked = {"Host": host, "x-api-key": key, "Content-Type": "application/json"}
    here = host.endswith(f".{HOST}:{aws.endpoint.rpartition(':')[2]}")
    return here and bool(aws.succeeds(lambda: aws.posted("/graphql", asked, b'{"query": "query { __typename }"}')))


def _made(aws: Any, method: str, path: str, body: dict[str, Any]) -> Any:
    return json.loads(aws.rest(aws.owner, "appsync", method, path, body))
