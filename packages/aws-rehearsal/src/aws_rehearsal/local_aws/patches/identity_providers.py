"""An app client lists identity providers that its user pool has; a stack can make one of them.

MiniStack takes any name, and lacks AWS::Cognito::UserPoolIdentityProvider. So an app with social sign-in whose client
secrets nobody has supplied is made without a word, where AWS refuses it.
AWS: CreateUserPoolClient and UpdateUserPoolClient answer with an InvalidParameterException, "The provider Facebook does
not exist for User Pool eu-west-1_...". No reference tells that sentence, users report it; it is why the CDK's page on
Cognito wants a client to depend on its providers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cognito
from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect, replace

_TYPE = "AWS::Cognito::UserPoolIdentityProvider"
_OWN = "COGNITO"
_FIELDS = ("UserPoolId", "ProviderName", "ProviderType", "ProviderDetails", "AttributeMapping", "IdpIdentifiers")


def apply() -> None:
    """Look for the providers first, and let stacks make them."""
    for name in ("_create_user_pool_client", "_update_user_pool_client"):
        replace(name, _looking(expect(cognito, name, "data")), cognito)
    for name in ("_create_identity_provider", "_update_identity_provider", "_delete_identity_provider"):
        expect(cognito, name, "data")
    if _TYPE in provisioners._RESOURCE_HANDLERS:
        raise PatchError(f"MiniStack has {_TYPE} now")
    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _looking(call: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def look(data: dict[str, Any]) -> Any:
        pool = cognito._user_pools.get(data.get("UserPoolId", ""))
        if pool is not None:
            known = {_OWN, *pool.get("_identity_providers", {})}
            for name in data.get("SupportedIdentityProviders") or []:
                if name not in known:
                    message = f"The provider {name} does not exist for User Pool {data['UserPoolId']}."
                    return error_response_json("InvalidParameterException", message, 400)
        return call(data)

    return look


def _create(_logical_id: str, props: dict[str, Any], _stack_name: str) -> tuple[str, dict[str, str]]:
    _asked(cognito._create_identity_provider, props)
    return props["ProviderName"], {}


def _update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> tuple[str, dict[str, str]]:
    if any(old.get(name) != new.get(name) for name in _FIELDS[:3]):  # AWS replaces it
        created = _create(physical_id, new, stack_name)
        _delete(physical_id, old)
        return created
    _asked(cognito._update_identity_provider, new)
    return physical_id, {}


def _delete(_physical_id: str, props: dict[str, Any]) -> None:
    cognito._delete_identity_provider({name: props[name] for name in _FIELDS[:2]})


def _asked(call: Callable[[dict[str, Any]], Any], props: dict[str, Any]) -> None:
    status, _, body = call({name: props[name] for name in _FIELDS if name in props})
    if status >= 400:
        raise ValueError(json.loads(body).get("message", str(body)))


def probe(aws: Any) -> bool:
    """A client of a provider that is not there fails its stack; of one that the stack makes it does not."""
    pool = {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": aws.name("providers")}}
    props = {"UserPoolId": {"Ref": "Pool"}, "SupportedIdentityProviders": ["Google", _OWN]}
    client = {"Type": "AWS::Cognito::UserPoolClient", "Properties": props}
    if aws.stack({"Pool": pool, "Client": client}, aws.name("no-provider")) != "ROLLBACK_COMPLETE":
        return False
    details = {"client_id": "id", "client_secret": "made-up", "authorize_scopes": "openid"}
    made = {
        "UserPoolId": {"Ref": "Pool"},
        "ProviderName": "Google",
        "ProviderType": "Google",
        "ProviderDetails": details,
    }
    resources = {
        "Pool": pool,
        "Client": {**client, "DependsOn": "Google"},
        "Google": {"Type": _TYPE, "Properties": made},
    }
    return bool(aws.stack(resources, aws.name("a-provider")) == "CREATE_COMPLETE")
