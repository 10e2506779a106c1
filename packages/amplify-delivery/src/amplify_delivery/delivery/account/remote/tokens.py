"""The token that a CI signs for a job, and the session of the role that lets it in.

GitHub: "OpenID Connect reference", the job asks for a token at the address in its environment. GitLab: `id_tokens` of
the job give one in a variable. In no CI, or without a token, the credentials are those that the stack file names.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from amplify_delivery.delivery import ci_api
from amplify_delivery.errors import RefusedError

URL_VARIABLE, BEARER_VARIABLE = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
"""GitHub's, of a job with `id-token: write`."""
TOKEN_VARIABLE = "AMPLIFY_DELIVERY_ID_TOKEN"  # noqa: S105 - the name of a variable
"""Ours, for `id_tokens` of GitLab."""


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
        return "something that is not a token"


def _github(url: str, bearer: str, audience: str) -> str:
    asked = f"{url}&audience={quote(audience)}"
    try:
        answer = ci_api.get(asked, {"Authorization": f"bearer {bearer}"})
        said = answer.said
        if answer.status == ci_api.OK and isinstance(token := answer.document.get("value"), str):
            return token
    except ci_api.NoAnswerError as error:
        said = error.message
    raise RefusedError(
        f"GitHub gave no token: {said}",
        where=os.path.dirname(url),  # noqa: PTH120 - an address
        remedy="run the job again; nothing was changed",
    )
