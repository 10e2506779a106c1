"""`amplify_outputs.json`, which Gen 2's libraries read: version 1.4 of its schema.

After aws-amplify/amplify-backend, packages/client-config/src/client-config-schema/schema_v1.4.json, and
client_config_contributor_v1.ts: what each key means. 1.5 adds nothing that a Gen 1 backend has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amplify_delivery.client_config.backend import Backend, Notifications, Place
from amplify_delivery.client_config.javascript import predictions
from amplify_delivery.client_config.sign_in import Auth, Settings

VERSION = "1.4"

_PROVIDERS = {
    "GOOGLE": "GOOGLE",
    "FACEBOOK": "FACEBOOK",
    "AMAZON": "LOGIN_WITH_AMAZON",
    "APPLE": "SIGN_IN_WITH_APPLE",
}
_MFA = {"OFF": "NONE", "OPTIONAL": "OPTIONAL", "ON": "REQUIRED"}
_CHANNELS = {"InAppMessaging": "IN_APP_MESSAGING", "Email": "EMAIL"}
_STANDARD = (
    *("address", "birthdate", "email", "family_name", "gender", "given_name", "locale", "middle_name", "name"),
    *("nickname", "phone_number", "picture", "preferred_username", "profile", "sub", "updated_at", "website"),
    "zoneinfo",
)
"""Cognito's standard attributes, as the schema lists them."""
_AUTHORIZATIONS = ("AMAZON_COGNITO_USER_POOLS", "API_KEY", "AWS_IAM", "AWS_LAMBDA", "OPENID_CONNECT")
_LEAST, _MOST = 6, 99
"""Lengths of a password that Cognito, and the schema, allow."""


def configuration(backend: Backend) -> dict[str, Any]:
    """The whole. What the schema requires of a part and the backend does not have leaves the part out."""
    found: dict[str, Any] = {"version": VERSION}
    if backend.auth and backend.auth.user_pool_id and backend.auth.web_client_id:
        found["auth"] = _auth(backend.auth, backend.region)
    for api in backend.graphql[:1]:
        if api.endpoint and api.authorization in _AUTHORIZATIONS:
            found["data"] = {
                "aws_region": backend.region,
                "url": api.endpoint,
                "api_key": api.api_key,
                "default_authorization_type": api.authorization,
                "authorization_types": [kind for kind in api.additional if kind in _AUTHORIZATIONS],
            }
    for bucket in backend.buckets[:1]:
        if bucket.bucket:
            found["storage"] = {"aws_region": bucket.region or backend.region, "bucket_name": bucket.bucket}
    for app in backend.applications[:1]:
        if app.id:
            region = app.region or backend.region
            found["analytics"] = {"amazon_pinpoint": {"aws_region": region, "app_id": app.id}}
    if backend.notifications and backend.notifications.application.id:
        found["notifications"] = _notifications(backend.notifications, backend.region)
    if backend.places:
        found["geo"] = _geo(backend.places)
    return found | _custom(backend)


def _auth(auth: Auth, region: str) -> dict[str, Any]:
    settings = auth.settings
    attributes = [a.lower() for a in settings.signup_attributes]
    verified = [v.lower() for v in settings.verification if v in ("EMAIL", "PHONE_NUMBER")]
    named = [a.lower() for a in settings.username_attributes if a in ("EMAIL", "PHONE_NUMBER")]
    return {
        "aws_region": region,
        "user_pool_id": auth.user_pool_id,
        "user_pool_client_id": auth.web_client_id,
        "identity_pool_id": auth.identity_pool_id,
        "password_policy": _password(settings),
        "oauth": _oauth(auth),
        "standard_required_attributes": _once([a for a in attributes if a in _STANDARD]),
        # Gen 1 has users with names of their own, which the libraries take for none of these.
        "username_attributes": _once(named) or ["username"],
        "user_verification_types": _once(verified),
        "unauthenticated_identities_enabled": auth.guests if auth.identity_pool_id else None,
        "mfa_configuration": _MFA.get(str(settings.mfa)),
        "mfa_methods": list(settings.mfa_types),
        "groups": [{name: {"precedence": precedence}} for name, precedence in auth.groups] or None,
    }


def _password(settings: Settings) -> dict[str, Any] | None:
    said = str(settings.password_length)
    length = int(said) if said.isdecimal() else 0
    if not _LEAST <= length <= _MOST:
        return None
    kinds = ("numbers", "lowercase", "uppercase", "symbols")
    required = {f"require_{kind}": f"REQUIRES_{kind.upper()}" in settings.password_characters for kind in kinds}
    return {"min_length": length, **required}


def _oauth(auth: Auth) -> dict[str, Any] | None:
    if auth.oauth is None or auth.domain is None or not (auth.oauth.callbacks and auth.oauth.logouts):
        return None
    return {
        "identity_providers": _once([_PROVIDERS[p] for p in auth.settings.social_providers]),
        "domain": auth.domain,
        "scopes": _once(auth.oauth.scopes),
        "redirect_sign_in_uri": _once(auth.oauth.callbacks),
        "redirect_sign_out_uri": _once(auth.oauth.logouts),
        "response_type": "token" if auth.oauth.flow == "implicit" else "code",
    }


def _notifications(notifications: Notifications, region: str) -> dict[str, Any]:
    return {
        "aws_region": notifications.application.region or region,
        "amazon_pinpoint_app_id": notifications.application.id,
        "channels": _once([_CHANNELS.get(channel, channel) for channel in notifications.channels]),
    }


def _geo(places: Sequence[Place]) -> dict[str, Any]:
    found: dict[str, Any] = {"aws_region": places[0].region}
    for kind, key in (
        ("Map", "maps"),
        ("PlaceIndex", "search_indices"),
        ("GeofenceCollection", "geofence_collections"),
    ):
        of_kind = [place for place in places if place.kind == kind]
        if of_kind:
            names = [place.name for place in of_kind]
            items: Any = {p.name: {"style": p.style} for p in of_kind} if kind == "Map" else _once(names)
            default = next((p.name for p in reversed(of_kind) if p.is_default), names[0])
            found[key] = {"items": items, "default": default}
    return found


def _custom(backend: Backend) -> dict[str, Any]:
    """The schema has no place for REST APIs and predictions: Gen 2's documentation has them stand here ("REST API",
    `backend.addOutput({custom: {API: ...}})`, "Set up Predictions"), and tells how a client passes them on."""
    apis = {
        api.api_name: {"endpoint": api.url, "region": backend.region, "apiName": api.api_name}
        for api in backend.rest
        if api.api_name and api.url
    }
    found: dict[str, Any] = {"API": apis} if apis else {}
    if backend.predictions:
        found["Predictions"] = predictions(backend.predictions)
    return {"custom": found} if found else {}


def _once(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(values))
