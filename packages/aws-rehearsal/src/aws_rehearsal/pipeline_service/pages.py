"""Lists in pages, as both APIs give them."""

from __future__ import annotations

from typing import Any

_SIZE = 100


def page(name: str, items: list[Any], params: dict[str, Any]) -> dict[str, Any]:
    """The page of `items` that `params` (nextToken, maxResults) asks for, with the token of the next."""
    token = str(params.get("nextToken", ""))
    start, size = int(token) if token.isdigit() else 0, params.get("maxResults", _SIZE)
    more = {"nextToken": str(start + size)} if start + size < len(items) else {}
    return {name: items[start : start + size], **more}
