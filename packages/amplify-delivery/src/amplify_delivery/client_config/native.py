"""`amplifyconfiguration.json` and `awsconfiguration.json` of Android and iOS, `amplifyconfiguration.dart` of Flutter.

After amplify-cli 14.2.2, amplify-frontend-android 3.5.8, -ios 3.7.17 and -flutter 1.4.7: frontend-config-creator.js
(`getAWSConfigObject`) and amplify-config-helper.js (`generateConfig`). Keys without a value are None, and not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from amplify_delivery.client_config.backend import Backend
from amplify_delivery.client_config.sign_in import Auth

Native = Literal["android", "ios", "flutter"]

_CHANNELS: Mapping[Native, tuple[str, ...]] = {
    "android": ("SMS", "FCM", "InAppMessaging"),
    "ios": ("SMS", "APNS", "InAppMessaging"),
    "flutter": ("SMS", "APNS", "FCM", "InAppMessaging"),
}
"""The channels of notifications that a platform's library serves."""
_PLUGINS = {
    "SMS": "awsPinpointSmsNotificationsPlugin",
    "APNS": "awsPinpointPushNotificationsPlugin",
    "FCM": "awsPinpointPushNotificationsPlugin",
    "InAppMessaging": "awsPinpointInAppMessagingNotificationsPlugin",
}


def amplify_configuration(backend: Backend, platform: Native) -> dict[str, Any]:
    """What the libraries of today read; all of `aws_configuration` stands in it as the settings of auth."""
    found: dict[str, Any] = {"UserAgent": "aws-amplify-cli/2.0", "Version": "1.0"}
    parts: dict[str, dict[str, Any]] = {
        "analytics": _analytics(backend),
        "notifications": _notifications(backend, platform),
        "api": _apis(backend),
        "auth": {"awsCognitoAuthPlugin": aws_configuration(backend, platform)} if backend.of("auth") else {},
        "predictions": _predictions(backend) if platform != "flutter" else {},
        "storage": _storage(backend),
        "geo": _geo(backend) if platform != "flutter" else {},
    }
    return found | {category: {"plugins": plugins} for category, plugins in parts.items() if plugins}


def aws_configuration(backend: Backend, platform: Native) -> dict[str, Any]:
    """What the AWS Mobile SDKs read."""
    agent = "aws-amplify/cli" if platform == "ios" else "aws-amplify-cli/0.1.0"
    found: dict[str, Any] = {"UserAgent": agent, "Version": "0.1.0", "IdentityManager": {"Default": {}}}
    if backend.auth:
        found |= _auth(backend.auth, backend.region, platform)
    found |= _appsync(backend)
    for bucket in backend.buckets[:1]:
        found["S3TransferUtility"] = {"Default": {"Bucket": bucket.bucket, "Region": bucket.region}}
    for app in backend.applications[:1]:
        found["PinpointAnalytics"] = {"Default": {"AppId": app.id, "Region": app.region}}
        found["PinpointTargeting"] = {"Default": {"Region": app.region}}
    if backend.of("storage", "DynamoDB"):
        found["DynamoDBObjectMapper"] = {"Default": {"Region": backend.region}}
    bots = [bot.outputs for bot in backend.of("interactions", "Lex")]
    if bots:
        found["Lex"] = {
            bot["BotName"]: {"Name": bot["BotName"], "Alias": "$LATEST", "Region": bot.get("Region")}
            for bot in bots
            if "BotName" in bot
        }
    return found


def _auth(auth: Auth, region: str, platform: Native) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if auth.identity_pool_id:
        pool = {"PoolId": auth.identity_pool_id, "Region": region}
        found["CredentialsProvider"] = {"CognitoIdentity": {"Default": pool}}
    if auth.user_pool_id:
        found["CognitoUserPool"] = {
            "Default": {
                "PoolId": auth.user_pool_id,
                "AppClientId": auth.native_client_id,
                "AppClientSecret": auth.native_client_secret,
                "Region": region,
            }
        }
    found |= _federated(auth.federated, platform)
    found["Auth"] = {"Default": _sign_in(auth)}
    return found


def _federated(apps: Mapping[str, str], platform: Native) -> dict[str, Any]:
    found: dict[str, Any] = {}
    ios = apps.get("GoogleIOSClient") if platform == "ios" else None
    if apps.get("GoogleWebClient") or ios:
        found["GoogleSignIn"] = {
            "Permissions": "email,profile,openid",
            "ClientId-WebApp": apps.get("GoogleWebClient"),
            "ClientId-iOS": ios,
        }
    if "FacebookWebClient" in apps:
        found["FacebookSignIn"] = {"AppId": apps["FacebookWebClient"], "Permissions": "public_profile"}
    return found


def _sign_in(auth: Auth) -> dict[str, Any]:
    settings = auth.settings
    found: dict[str, Any] = {}
    if auth.oauth:
        found["OAuth"] = {
            "WebDomain": auth.domain,
            "AppClientId": auth.native_client_id,
            "AppClientSecret": auth.native_client_secret,
            "SignInRedirectURI": ",".join(auth.oauth.callbacks),
            "SignOutRedirectURI": ",".join(auth.oauth.logouts),
            "Scopes": list(auth.oauth.scopes),
        }
    return found | {
        "authenticationFlowType": "CUSTOM_AUTH" if auth.custom else "USER_SRP_AUTH",
        "socialProviders": list(settings.social_providers),
        "usernameAttributes": list(settings.first_username_attributes),
        "signupAttributes": list(settings.signup_attributes),
        "passwordProtectionSettings": {
            "passwordPolicyMinLength": settings.password_length,
            "passwordPolicyCharacters": list(settings.password_characters),
        },
        "mfaConfiguration": settings.mfa,
        "mfaTypes": list(settings.mfa_types),
        "verificationMechanisms": list(settings.verification),
    }


def _appsync(backend: Backend) -> dict[str, Any]:
    """One entry for each way to authorize; the default one is called so."""
    for api in backend.graphql[:1]:
        ways = {"Default": api.authorization, **{f"{api.name}_{kind}": kind for kind in api.additional}}
        return {
            "AppSync": {
                entry: {
                    "ApiUrl": api.endpoint,
                    "Region": backend.region,
                    "AuthMode": kind,
                    "ApiKey": api.api_key if kind == "API_KEY" else None,
                    "ClientDatabasePrefix": f"{api.name}_{kind}",
                }
                for entry, kind in ways.items()
            }
        }
    return {}


def _analytics(backend: Backend) -> dict[str, Any]:
    """Of the first resource of the category, whatever its service is: so does the CLI, also where it is a stream."""
    for first in backend.of("analytics")[:1]:
        region = first.outputs.get("Region")
        return {
            "awsPinpointAnalyticsPlugin": {
                "pinpointAnalytics": {"appId": first.outputs.get("Id"), "region": region},
                "pinpointTargeting": {"region": region},
            }
        }
    return {}


def _notifications(backend: Backend, platform: Native) -> dict[str, Any]:
    if backend.notifications is None:
        return {}
    app = backend.notifications.application
    return {
        _PLUGINS[channel]: {"appId": app.id, "region": app.region}
        for channel in _CHANNELS[platform]
        if channel in backend.notifications.channels
    }


def _apis(backend: Backend) -> dict[str, Any]:
    found: dict[str, Any] = {
        api.name: {
            "endpointType": "GraphQL",
            "endpoint": api.endpoint,
            "region": backend.region,
            "authorizationType": api.authorization or None,
            "apiKey": api.api_key,
        }
        for api in backend.graphql
    }
    found |= {
        api.name: {
            "endpointType": "REST",
            "endpoint": api.url,
            "region": backend.region,
            "authorizationType": api.authorization,
        }
        for api in backend.rest
    }
    return {"awsAPIPlugin": found} if backend.of("api") else {}


def _predictions(backend: Backend) -> dict[str, Any]:
    if not backend.of("predictions"):
        return {}
    found: dict[str, Any] = {"defaultRegion": backend.region}
    for prediction in backend.predictions:
        values = {**prediction.outputs, "defaultNetworkPolicy": "auto"}
        found.setdefault(prediction.kind, {})[prediction.type] = values
    return {"awsPredictionsPlugin": found}


def _storage(backend: Backend) -> dict[str, Any]:
    """A plugin knows one of each: of several the last."""
    found: dict[str, Any] = {}
    for bucket in backend.buckets[-1:]:
        found["awsS3StoragePlugin"] = {
            "bucket": bucket.bucket,
            "region": bucket.region,
            "defaultAccessLevel": "guest",
        }
    for table in backend.of("storage", "DynamoDB")[-1:]:
        found["awsDynamoDbStoragePlugin"] = {f"{k[:1].lower()}{k[1:]}": v for k, v in table.outputs.items()}
    return found


def _geo(backend: Backend) -> dict[str, Any]:
    if not backend.of("geo"):
        return {}
    served = ("Map", "PlaceIndex")
    maps = [place for place in backend.places if place.kind == "Map"]
    indices = [place for place in backend.places if place.kind == "PlaceIndex"]
    # The last one that a stack tells, whichever of them has none.
    known = [r.outputs["Region"] for r in backend.of("geo") if r.service in served and r.outputs.get("Region")]
    found: dict[str, Any] = {"region": known[-1] if known else backend.region}

    def default(places: list[Any]) -> str:
        return next((place.name for place in reversed(places) if place.is_default), "")

    if maps:
        found["maps"] = {"items": {m.name: {"style": m.style} for m in maps}, "default": default(maps)}
    if indices:
        found["searchIndices"] = {"items": [i.name for i in indices], "default": default(indices)}
    return {"awsLocationGeoPlugin": found}
