"""Who asks a GraphQL API, and by which of the API's ways to authorize: the identity that templates see.

AppSync Developer Guide, "Authorization", and "Identity" in "Resolver mapping template context reference"; of a Lambda
authorizer the event and the answer are those of "AWS_LAMBDA authorization".
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from appsync import access
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, new_uuid
from ministack.core.router import extract_access_key_id
from ministack.services import appsync, cognito, lambda_svc, sts

from . import _rights

_SERVICE = "appsync.amazonaws.com"
_SIGNED = "AWS4-HMAC-SHA256"
_HERE = "127.0.0.1"
_TOKENS_OF_USERS = ("id", "access")
"""`token_use`. MiniStack signs refresh tokens too; AWS's say nothing to anybody but the user pool."""


class UnauthorizedError(Exception):
    """The request as a whole is refused: AppSync answers 401 with this sentence."""


@dataclass(frozen=True)
class Caller:
    """The way to authorize, and `$ctx.identity`: none for an API key."""

    mode: str
    identity: dict[str, Any] | None
    groups: tuple[str, ...] = ()
    deny_unmarked: bool = False
    """`defaultAction` of the user pool is DENY."""
    denied: tuple[str, ...] = ()
    """The fields that a Lambda authorizer denies."""


def caller_of(api_id: str, api: dict[str, Any], headers: dict[str, str]) -> Caller:
    """Whoever a request's headers show; raises `UnauthorizedError`."""
    given = {str(name).lower(): str(value) for name, value in headers.items()}
    modes, token = appsync._auth_modes(api), given.get("authorization", "")
    if token.startswith(_SIGNED):
        if access.IAM not in modes:
            raise UnauthorizedError("You are not authorized to make this call.")
        return Caller(access.IAM, _signer(given))
    if token:
        return _bearer(api, modes, token)
    key = (appsync._api_keys.get(api_id) or {}).get(given.get("x-api-key", ""))
    if access.API_KEY in modes and key is not None:
        if float(key.get("expires") or 0) <= time.time():
            raise UnauthorizedError("You are not authorized to make this call.")
        return Caller(access.API_KEY, None)
    if "x-api-key" in given or access.API_KEY in modes:
        raise UnauthorizedError("You are not authorized to make this call.")
    raise UnauthorizedError("Valid authorization header not provided.")


def _bearer(api: dict[str, Any], modes: set[str], token: str) -> Caller:
    pools = _providers(api, access.USER_POOLS, "userPoolConfig")
    if access.USER_POOLS in modes:
        claims = _claims(token.removeprefix("Bearer ").removeprefix("bearer "))
        pool = next((p for p in pools if str(claims.get("iss", "")).endswith(f"/{p.get('userPoolId')}")), None)
        if pool is not None:
            return _pool_user(pool, claims)
    if access.LAMBDA in modes:
        # The API's own authorizer is asked next.
        return Caller(access.LAMBDA, None)
    if access.OIDC in modes:
        # Its issuer is somebody else's: nobody here could tell a token from one that was made up.
        raise UnauthorizedError("The local AWS does not play OpenID Connect.")
    raise UnauthorizedError("You are not authorized to make this call.")


def authorized(api: dict[str, Any], headers: dict[str, str], operation: dict[str, Any]) -> Caller:
    """The caller that the API's Lambda authorizer, the default one or an additional one, lets in; `operation` has the
    members of the event's `requestContext` that tell of it. Raises `UnauthorizedError`.

    AppSync asks the function as itself: its own policy has to let it in."""
    given = {str(name).lower(): str(value) for name, value in headers.items()}
    refused = UnauthorizedError("You are not authorized to make this call.")
    for settings in _providers(api, access.LAMBDA, "lambdaAuthorizerConfig"):
        function, token = settings.get("authorizerUri"), given.get("authorization", "")
        if not function or not access.is_of_form(token, settings.get("identityValidationExpression")):
            break
        if not _rights.lets_in(_SERVICE, "lambda:InvokeFunction", function, str(api.get("arn", ""))):
            break
        context = {"apiId": api["apiId"], "accountId": get_account_id(), "requestId": new_uuid(), **operation}
        said = _said(function, {"authorizationToken": token, "requestContext": context, "requestHeaders": given})
        if said.get("isAuthorized") is not True:
            break
        found = said.get("resolverContext")
        denied = said.get("deniedFields")
        return Caller(
            access.LAMBDA,
            {"resolverContext": found} if found else {},
            denied=tuple(str(one) for one in denied) if isinstance(denied, list) else (),
        )
    raise refused


def _said(arn: str, event: dict[str, Any]) -> dict[str, Any]:
    """What a function answers; nothing if it is not there, fails, or answers with anything but an object."""
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        return {}
    record = lambda_svc._execution_record_for_config(function, config)
    result = lambda_svc._execute_function_with_config_scope(record, event)
    body = result.get("body") if isinstance(result, dict) and not result.get("error") else None
    try:
        found = json.loads(body) if isinstance(body, str | bytes) else body
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _providers(api: dict[str, Any], mode: str, member: str) -> list[dict[str, Any]]:
    """The settings of each of the API's providers of one mode."""
    named = [{"authenticationType": api.get("authenticationType"), **api}]
    named += [one for one in api.get("additionalAuthenticationProviders") or [] if isinstance(one, dict)]
    return [one.get(member) or {} for one in named if one.get("authenticationType") == mode]


def _claims(token: str) -> dict[str, Any]:
    """The claims of an ID or access token, if it is signed by its issuer and has not ended; none else."""
    if token.count(".") != 2 or not cognito._signature_valid(token):
        return {}
    claims = dict(cognito._token_claims(token))
    if claims.get("token_use") not in _TOKENS_OF_USERS:
        return {}
    if float(claims.get("exp") or 0) <= time.time():
        raise UnauthorizedError("Token has expired.")
    return claims


def _pool_user(pool: dict[str, Any], claims: dict[str, Any]) -> Caller:
    client = str(claims.get("aud") or claims.get("client_id") or "")
    wanted = pool.get("appIdClientRegex")
    if wanted and not re.fullmatch(wanted, client):
        raise UnauthorizedError("You are not authorized to make this call.")
    groups = claims.get("cognito:groups")
    identity = {
        "sub": claims.get("sub"),
        "issuer": claims.get("iss"),
        "username": claims.get("cognito:username") or claims.get("username"),
        "claims": claims,
        "sourceIp": [_HERE],
        "defaultAuthStrategy": pool.get("defaultAction") or "ALLOW",
        "groups": groups,
    }
    return Caller(access.USER_POOLS, identity, tuple(groups or ()), pool.get("defaultAction") == "DENY")


def _signer(headers: dict[str, str]) -> dict[str, Any]:
    """The identity of a signed request, which MiniStack has verified."""
    key = extract_access_key_id(headers, {}) or ""
    principal = iam_evaluator.resolve_principal(key, get_account_id())
    if isinstance(principal, iam_evaluator.AuthError):
        raise UnauthorizedError(principal.message)
    session = sts._sessions.get(key) or {}
    user_id = str(session.get("UserId") or key)
    return {
        "accountId": principal.account,
        "cognitoIdentityPoolId": session.get("_identity_pool_id") or None,
        "cognitoIdentityId": session.get("_identity_id") or None,
        "cognitoIdentityAuthType": session.get("_cognito_auth_type") or None,
        "cognitoIdentityAuthProvider": session.get("_cognito_auth_provider") or None,
        "sourceIp": [_HERE],
        "username": user_id,
        "userArn": principal.arn,
    }
