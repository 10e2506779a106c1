"""Whoever signs in has no account: the client, token or identity pool that a request names says whose it is.

MiniStack looks for them in the account of the caller, which for a request without a signature is its default one: a
user of another account's pool is told that the client is not there.
AWS: Cognito user pools API Reference, InitiateAuth, SignUp and others: "Amazon Cognito doesn't evaluate AWS Identity
and Access Management (IAM) policies in requests for this API operation"; identity pools API Reference, GetId: "This is
a public API. You do not need any credentials to call this API". Ids of clients and pools are unique.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cognito

from ._expect import PatchError, expect, replace

_TOKENS = ("AccessToken", "Token")


def apply() -> None:
    """Answer such a request in the account and region of what it names."""
    for name in ("_UNSIGNED_IDP_ACTIONS", "_UNSIGNED_IDENTITY_ACTIONS", "_user_pools", "_identity_pools"):
        if not hasattr(cognito, name):
            raise PatchError(f"{cognito.__name__} has no {name} any more")
    expect(cognito, "_pool_id_from_token", "token")
    _answer_for_owner("_run_idp_handler", cognito._UNSIGNED_IDP_ACTIONS, _user_pool)
    _answer_for_owner("_run_identity_handler", cognito._UNSIGNED_IDENTITY_ACTIONS, _identity_pool)


def _answer_for_owner(name: str, actions: Iterable[str], owns: Callable[[str, Any, dict[str, Any]], bool]) -> None:
    original = expect(cognito, name, "handler", "action", "data")
    store = cognito._user_pools if owns is _user_pool else cognito._identity_pools

    def run(handler: Any, action: str, data: dict[str, Any]) -> Any:
        if action in actions:
            for (account, region, pool_id), pool in store.all_items():
                if owns(pool_id, pool, data):
                    set_request_account_id(account)
                    set_request_region(region)
                    break
        return original(handler, action, data)

    replace(name, run, cognito)


def _user_pool(pool_id: str, pool: Any, data: dict[str, Any]) -> bool:
    """Whether the request names a client of the pool, or shows a token of it."""
    if data.get("ClientId"):
        return data["ClientId"] in pool.get("_clients", {})
    return any(cognito._pool_id_from_token(data.get(name, "")) == pool_id for name in _TOKENS)


def _identity_pool(pool_id: str, pool: Any, data: dict[str, Any]) -> bool:
    """Whether the request names the pool, or an identity of it."""
    if data.get("IdentityPoolId"):
        return bool(data["IdentityPoolId"] == pool_id)
    return data.get("IdentityId") in pool.get("_identities", {})


def probe(aws: Any) -> bool:
    """Somebody without an account signs up and in."""
    service = "AWSCognitoIdentityProviderService"
    made = aws.json(aws.owner, "cognito-idp", f"{service}.CreateUserPool", PoolName=aws.name("users"))
    pool = made["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    client = aws.json(
        aws.owner,
        "cognito-idp",
        f"{service}.CreateUserPoolClient",
        UserPoolId=pool,
        ClientName="probe",
        ExplicitAuthFlows=flows,
    )["UserPoolClient"]["ClientId"]
    user = {"Username": "ann", "Password": "Passw0rd!x"}

    def unsigned(action: str, **body: Any) -> Any:
        headers = {"X-Amz-Target": f"{service}.{action}", "Content-Type": "application/x-amz-json-1.1"}
        return json.loads(aws.posted("/", headers, json.dumps({"ClientId": client, **body}).encode()))

    def signs_in() -> None:
        unsigned("SignUp", **user)
        confirmed = {"UserPoolId": pool, "Username": "ann"}
        aws.json(aws.owner, "cognito-idp", f"{service}.AdminConfirmSignUp", **confirmed)
        given = {"USERNAME": "ann", "PASSWORD": user["Password"]}
        unsigned("InitiateAuth", AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)

    return bool(aws.succeeds(signs_in))
