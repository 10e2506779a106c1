"""`aws-exports.js` and `amplifyconfiguration.json` of a web app or React Native.

After amplify-cli 14.2.2, amplify-frontend-javascript 3.10.27, frontend-config-creator.js (`getAWSExportsObject`). Keys
without a value are None here, and are not written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amplify_delivery.client_config.backend import WEB_SERVICES, Backend, Place, Prediction
from amplify_delivery.client_config.sign_in import Auth

_PLUGINS = {
    "APNS": "Push",
    "FCM": "Push",
    "InAppMessaging": "InAppMessaging",
    "Email": "Email",
    "SMS": "SMS",
}
"""Which plugin of the library serves a channel."""


def configuration(backend: Backend) -> dict[str, Any]:
    """The whole."""
    found: dict[str, Any] = {"aws_project_region": backend.region}
    if backend.auth:
        found |= _auth(backend.auth, backend.region)
    for api in backend.graphql[:1]:
        found |= {
            "aws_appsync_graphqlEndpoint": api.endpoint,
            "aws_appsync_region": backend.region,
            "aws_appsync_authenticationType": api.authorization,
            "aws_appsync_apiKey": api.api_key,
        }
    found |= _rest(backend)
    for bucket in backend.buckets[:1]:
        found |= {"aws_user_files_s3_bucket": bucket.bucket, "aws_user_files_s3_bucket_region": bucket.region}
    found |= _tables(backend)
    found |= _pinpoint(backend)
    found |= _hosting(backend)
    found |= _bots(backend)
    if backend.predictions:
        found["predictions"] = predictions(backend.predictions)
    if backend.places:
        found["geo"] = {"amazon_location_service": _geo(backend.places)}
    return found


def _auth(auth: Auth, region: str) -> dict[str, Any]:
    settings = auth.settings
    return {
        "aws_cognito_identity_pool_id": auth.identity_pool_id,
        "aws_cognito_region": region,
        "aws_user_pools_id": auth.user_pool_id,
        "aws_user_pools_web_client_id": auth.web_client_id,
        "oauth": _oauth(auth),
        "federationTarget": _federation(auth),
        "aws_cognito_username_attributes": list(settings.first_username_attributes),
        "aws_cognito_social_providers": list(settings.social_providers),
        "aws_cognito_signup_attributes": list(settings.signup_attributes),
        "aws_cognito_mfa_configuration": settings.mfa,
        "aws_cognito_mfa_types": list(settings.mfa_types),
        "aws_cognito_password_protection_settings": {
            "passwordPolicyMinLength": settings.password_length,
            "passwordPolicyCharacters": list(settings.password_characters),
        },
        "aws_cognito_verification_mechanisms": list(settings.verification),
    }


def _oauth(auth: Auth) -> dict[str, Any]:
    found: dict[str, Any] = {"domain": auth.domain}
    if auth.oauth:
        found |= {
            "scope": list(auth.oauth.scopes),
            "redirectSignIn": ",".join(auth.oauth.callbacks),
            "redirectSignOut": ",".join(auth.oauth.logouts),
            "responseType": "token" if auth.oauth.flow == "implicit" else auth.oauth.flow,
        }
    return found


def _federation(auth: Auth) -> str | None:
    identity = bool(auth.federated.keys() - {"GoogleIOSClient"})
    if auth.oauth:
        return "COGNITO_USER_AND_IDENTITY_POOLS" if identity else "COGNITO_USER_POOLS"
    return "COGNITO_IDENTITY_POOLS" if identity else None


def _rest(backend: Backend) -> dict[str, Any]:
    # Service by service, in the order in which their first resources come.
    services = list(dict.fromkeys(r.service for r in backend.resources))
    if not set(WEB_SERVICES).intersection(services):
        return {}
    service = {r.name: r.service for r in backend.of("api")}
    apis = sorted(backend.rest, key=lambda api: services.index(service[api.name]))
    return {
        "aws_cloud_logic_custom": [
            {"name": api.api_name, "endpoint": api.url, "region": backend.region}
            for api in apis
            if api.api_name and api.url
        ]
    }


def _tables(backend: Backend) -> dict[str, Any]:
    tables = backend.of("storage", "DynamoDB")
    if not tables:
        return {}
    return {
        "aws_dynamodb_all_tables_region": backend.region,
        "aws_dynamodb_table_schemas": [
            {"tableName": t.outputs.get("Name"), "region": t.outputs.get("Region")} for t in tables
        ],
    }


def _pinpoint(backend: Backend) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for app in backend.applications[:1]:
        found = {
            "aws_mobile_analytics_app_id": app.id,
            "aws_mobile_analytics_app_region": app.region,
            "Analytics": {"AWSPinpoint": {"appId": app.id, "region": app.region}},
        }
    if backend.notifications:
        app = backend.notifications.application
        found["Notifications"] = {
            _PLUGINS[channel]: {"AWSPinpoint": {"appId": app.id, "region": app.region}}
            for channel in backend.notifications.channels
        }
    return found


def _hosting(backend: Backend) -> dict[str, Any]:
    for site in backend.of("hosting", "S3AndCloudFront")[:1]:
        return {
            "aws_content_delivery_bucket": site.outputs.get("HostingBucketName"),
            "aws_content_delivery_bucket_region": site.outputs.get("Region"),
            "aws_content_delivery_url": site.outputs.get("CloudFrontSecureURL") or site.outputs.get("WebsiteURL"),
        }
    return {}


def _bots(backend: Backend) -> dict[str, Any]:
    bots = backend.of("interactions", "Lex")
    if not bots:
        return {}
    return {
        "aws_bots": "enable",
        "aws_bots_config": [
            {"name": b.outputs.get("BotName"), "alias": "$LATEST", "region": b.outputs.get("Region")} for b in bots
        ],
    }


def _geo(places: tuple[Place, ...]) -> dict[str, Any]:
    """Each kind with its default; the region is that of the first of the kind that comes last."""
    kinds = list(dict.fromkeys(place.kind for place in places))
    found: dict[str, Any] = {"region": next(p.region for p in places if p.kind == kinds[-1])}
    for kind in kinds:
        of_kind = [place for place in places if place.kind == kind]
        default = next((p.name for p in reversed(of_kind) if p.is_default), "")
        key = {"Map": "maps", "PlaceIndex": "search_indices", "GeofenceCollection": "geofenceCollections"}[kind]
        items: Any = {p.name: {"style": p.style} for p in of_kind} if kind == "Map" else [p.name for p in of_kind]
        found[key] = {"items": items, "default": default}
    return found


def predictions(of: Sequence[Prediction]) -> dict[str, Any]:
    """What the library does by which service, by kind; Gen 2's documentation has it in the same form."""
    found: dict[str, dict[str, Any]] = {}
    for prediction in of:
        name, value = _prediction(prediction)
        of_kind = found.setdefault(prediction.kind, {})
        # The library knows one of each: of several the CLI takes the last that identifies, else the first.
        if prediction.kind == "identify" or name not in of_kind:
            of_kind[name] = value
    return found


def _prediction(prediction: Prediction) -> tuple[str, dict[str, Any]]:
    outputs = prediction.outputs
    base: dict[str, Any] = {"region": outputs.get("region"), "proxy": False}
    names: Mapping[str, Mapping[str, str]] = {
        "speechGenerator": {"VoiceId": "voice", "LanguageCode": "language"},
        "transcription": {"language": "language"},
        "translateText": {"sourceLanguage": "sourceLang", "targetLanguage": "targetLang"},
        "identifyText": {"format": "format"},
        "identifyLabels": {"type": "type"},
        "interpretText": {"type": "type"},
    }
    if prediction.type == "identifyEntities":
        # Any text is true to the CLI's `Boolean(...)`, "false" as well.
        base["celebrityDetectionEnabled"] = bool(outputs.get("celebrityDetectionEnabled"))
        if outputs.get("collectionId"):
            most = outputs.get("maxEntities", "")
            base["defaults"] = {
                "collectionId": outputs["collectionId"],
                "maxEntities": int(most) if most.isdecimal() else None,
            }
    elif prediction.kind == "infer":
        base["endpoint"] = outputs.get("endpointName")
    else:
        defaults = names.get(prediction.type, {})
        base["defaults"] = {key: outputs.get(output) for key, output in defaults.items()}
    return prediction.type, base
