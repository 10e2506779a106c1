"""The token that a CI signs for a job, and the session of the role that lets it in.

GitHub: "OpenID Connect reference", the job asks for a token at the address in its environment. GitLab: `id_tokens` of
the job give one in a variable. In no CI, or without a token, the credentials are those that the stack file names.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.errors import RefusedError

URL_VARIABLE, BEARER_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
"""GitHub's, of a job with `id-token: write`."""
TOKEN_VARIABLE = "AMPLIFY_DELIVERY_ID_TOKEN"  # noqa: S105 - the name of a variable
"""Ours, for `id_tokens` of GitLab."""
_SECONDS = 20


@dataclass(frozen=True)
class Source:
    """Where a job's tokens come from; each call of `fetch` gives one that is valid now."""

    ci: str
    fetch: Callable[[], str]


def source(variables: Mapping[str, str], audience: str) -> Source | None:
    """That of the CI that this runs in; None where there is none. GitHub's is asked for a token for `audience`. Raises
    `RefusedError` for a job without the right."""
    url, bearer = variables.get(URL_VARIABLE), variables.get(BEARER_VARIABLE)
    if url and bearer:
        return Source("GitHub", lambda: _github(url, bearer, audience))
    token = variables.get(TOKEN_VARIABLE)
    if token:
        return Source("GitLab", lambda: token)
    if variables.get("GITHUB_ACTIONS") == "true" and not variables.get("AWS_ACCESS_KEY_ID"):
        raise RefusedError(
            "GitHub gives this job no token",
            where="permissions of the job",
            remedy="give it `permissions: {id-token: write}`; nothing was changed",
        )
    return None


def told(token: str) -> str:
    """Whose token it is, for a message: nothing of it is secret but its signature."""
    try:
        part = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return f"sub {claims['sub']!r}, aud {claims['aud']!r}"
    except (IndexError, ValueError, KeyError, TypeError):
        return "something that is no token"


def _github(url: str, bearer: str, audience: str) -> str:
    asked = urllib.request.Request(  # noqa: S310 - the runner's own address
        f"{url}&audience={urllib.parse.quote(audience)}",
        headers={"Authorization": f"bearer {bearer}", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            return str(json.load(answer)["value"])
    except (OSError, urllib.error.URLError, ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            f"GitHub gave no token: {error}",
            where=os.path.dirname(url),  # noqa: PTH120 - an address
            remedy="run the job again; nothing was changed",
        ) from None
