"""What a front end does with the API of an environment: writes an item and lists items, through the resolvers."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from amplify_delivery_rehearsal.pipeline_story.play import Play

_WRITE = "mutation($name: String!) { createTodo(input: {name: $name}) { id } }"
_LIST = "query { listTodos(limit: 1000) { items { name } } }"
_PATIENCE = 20
"""Seconds."""


def writes(play: Play, environment: str, endpoint: str, name: str) -> None:
    """Tell that an item which a front end writes is in its list."""
    ask(play, environment, endpoint, _WRITE, name=name)
    _listed(play, environment, endpoint, name, f"{environment}: a front end writes {name!r}, and lists it")


def finds(play: Play, environment: str, endpoint: str, name: str) -> None:
    """Tell that an item is still in the list after a release."""
    _listed(play, environment, endpoint, name, f"{environment}: {name!r}, written before this release, is still listed")


def _listed(play: Play, environment: str, endpoint: str, name: str, sentence: str) -> None:
    said = ask(play, environment, endpoint, _LIST)
    items = ((said.get("data") or {}).get("listTodos") or {}).get("items") or []
    play.true([name] == [item["name"] for item in items if item["name"] == name], sentence, json.dumps(said))


def ask(play: Play, environment: str, endpoint: str, query: str, **variables: str) -> dict[str, Any]:
    """What the API answers to whoever shows its key. The name in the endpoint is this machine's, for browsers and curl
    at least; here the address is asked."""
    place = urlsplit(endpoint)
    names = play.names(environment)
    appsync = play.setting.owners[environment].client("appsync", names.region)
    (key,) = appsync.list_api_keys(apiId=place.netloc.partition(".")[0])["apiKeys"]
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Host": place.netloc, "x-api-key": key["id"], "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{place.port}{place.path}", body, headers)
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    return found
