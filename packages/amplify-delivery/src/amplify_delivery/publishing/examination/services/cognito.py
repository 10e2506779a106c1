"""Check of user pools and their app clients: what Cognito refuses of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import is_open, statements_of, target
from amplify_delivery.publishing.examination.services.roles import trusts
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

SIGN_IN = Rule(
    "AD737",
    "refused",
    "A user pool with aliases beside user name attributes, with codes by SMS and no SMS settings, or a role for them "
    "that Cognito may not use, with a mail sender or codes by mail and no identity of SES, with a required attribute "
    "of one's own, a sender of messages without a key, two settings for one thing, or a feature that its plan does "
    "not have (a warning where the plan is not said); an app client with an attribute that its pool does not have, "
    "with a token that lives too long, with flows that do not go together or need a secret, or with an address to "
    "come back to by plain http, with a fragment, or none.",
    "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html",
    "`Only one of the aliasAttributes or usernameAttributes can be set in a user pool`, `Invalid read attributes "
    "specified while creating a client`, `http://... cannot use the HTTP protocol`, `SMS configuration and Auto "
    "verification for phone_number are required when MFA is required/optional`, `Role does not have a trust "
    "relationship allowing Cognito to assume the role`, `Required custom attributes are not supported currently`, "
    "`The following features need to be disabled for the ESSENTIALS pricing tier configured: Threat Protection`",
    remedy="correct it in the Amplify project (`amplify update auth`, or override) and export again; an attribute that "
    "was added to a deployed pool by hand: `lint.ignore` takes AD737",
)
_POOL, _CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
STANDARD = frozenset(
    {
        *("address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "identities"),
        *("locale", "middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture"),
        *("preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo"),
    }
)
"""Attributes of every pool (Cognito Developer Guide, "Working with user attributes")."""
_HERE = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", re.IGNORECASE)
"""Where plain http is allowed."""

_SMS = {"SmsConfiguration", "EumsSmsConfiguration"}
"""Who sends a pool's SMS: SNS, or End User Messaging."""
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400}
_TEN_YEARS = 3_650 * 86_400


def impossible_sign_in(tree: Tree) -> Iterator[Finding]:
    """AD737, of every pool and client."""
    resources = tree.resolved.resources
    for path, resource in resources.items():
        properties = as_mapping(resource.properties)
        problems: Iterator[str] = iter(())
        if resource.type == _POOL:
            problems = _of_pool(tree, properties)
        elif resource.type == _CLIENT:
            pool = resources.get(target(properties.get("UserPoolId")) or ())
            problems = _of_client(properties, as_mapping(pool.properties) if pool else None)
        for problem in problems:
            yield SIGN_IN.at(tree.file(path[:-1]), f"{path[-1]} {problem}", SIGN_IN.remedy)


def _of_pool(tree: Tree, properties: Mapping[str, Any]) -> Iterator[str]:
    if all(isinstance(properties.get(n), list) and properties[n] for n in ("AliasAttributes", "UsernameAttributes")):
        yield "has AliasAttributes and UsernameAttributes: Cognito takes one of them"
    if properties.get("MfaConfiguration") in ("ON", "OPTIONAL") and not properties.keys() & _SMS:
        kinds = properties.get("EnabledMfas") or ["SMS_MFA"]
        if isinstance(kinds, list) and "SMS_MFA" in kinds:
            yield "asks for a second factor by SMS, and has no SmsConfiguration"
    mail = as_mapping(properties.get("EmailConfiguration"))
    if mail.get("EmailSendingAccount") == "DEVELOPER" and "SourceArn" not in mail and not is_open(mail):
        yield "sends mail by an account of its own (DEVELOPER), and has no SourceArn of an identity of SES"
    yield from _of_sms(tree, as_mapping(properties.get("SmsConfiguration")))


def _of_sms(tree: Tree, sms: Mapping[str, Any]) -> Iterator[str]:
    """Cognito tries the role when the pool is made, with the pool's external id."""
    role = tree.resolved.resources.get(target(sms.get("SnsCallerArn")) or ())
    if role is None or role.type != "AWS::IAM::Role":
        return
    statements = statements_of(as_mapping(role.properties).get("AssumeRolePolicyDocument"))
    if None in statements:
        return
    trusting = [s for s in statements if s is not None and trusts(s, "cognito-idp")]
    if not trusting:
        yield "sends SMS with a role that does not trust cognito-idp.amazonaws.com"
    wanted = [as_mapping(as_mapping(s.get("Condition")).get("StringEquals")).get("sts:ExternalId") for s in trusting]
    given = sms.get("ExternalId")
    if wanted and None not in wanted and all(_differ(one, given) for one in wanted):
        yield f"sends SMS with a role that wants another ExternalId than {given!r}"


def _differ(wanted: Any, given: Any) -> bool:
    known = isinstance(wanted, str) and (given is None or isinstance(given, str))
    return known and wanted != given


def _of_client(properties: Mapping[str, Any], pool: Mapping[str, Any] | None) -> Iterator[str]:
    for name in ("CallbackURLs", "LogoutURLs"):
        urls = properties.get(name)
        for url in urls if isinstance(urls, list) else ():
            if isinstance(url, str) and url.lower().startswith("http://") and not _HERE.match(url):
                yield f"has {url} among its {name}: Cognito takes http for this machine only (http://localhost)"
            if name == "CallbackURLs" and isinstance(url, str) and "#" in url:
                yield f"has {url} among its {name}: Cognito takes no fragment (#)"
    yield from _of_flows(properties)
    validity = text(properties.get("RefreshTokenValidity", ""))
    units = as_mapping(properties.get("TokenValidityUnits"))
    unit = units.get("RefreshToken", None if is_open(units) else "days")
    if validity.isdecimal() and isinstance(unit, str) and int(validity) * _SECONDS.get(unit, 0) > _TEN_YEARS:
        yield f"has refresh tokens of {validity} {unit}: ten years are the most"
    have = _attributes(pool) if pool is not None else None
    for name in ("ReadAttributes", "WriteAttributes") if have is not None else ():
        wanted = properties.get(name)
        for attribute in wanted if isinstance(wanted, list) else ():
            if isinstance(attribute, str) and attribute not in (have or ()):
                yield f"has {attribute} among its {name}, which its user pool does not have"


def _of_flows(properties: Mapping[str, Any]) -> Iterator[str]:
    """Ways to sign in: OAuth's come back somewhere, and those of old are not mixed with those of today."""
    oauth = properties.get("AllowedOAuthFlows")
    comes_back = isinstance(oauth, list) and bool({"code", "implicit"} & {f for f in oauth if isinstance(f, str)})
    on = text(properties.get("AllowedOAuthFlowsUserPoolClient", "")).lower() == "true"
    if comes_back and on and not properties.get("CallbackURLs"):
        yield "has the OAuth flow code or implicit, and no CallbackURLs"
    without = text(properties.get("GenerateSecret", "")).lower() in ("", "false")
    if on and without and isinstance(oauth, list) and "client_credentials" in oauth:
        yield "has the OAuth flow client_credentials, and no secret (GenerateSecret)"
    explicit = properties.get("ExplicitAuthFlows")
    flows = [f for f in (explicit if isinstance(explicit, list) else ()) if isinstance(f, str)]
    if len({f.startswith("ALLOW_") for f in flows}) > 1:
        yield f"mixes {', '.join(flows)} among its ExplicitAuthFlows: those with ALLOW_ stand for themselves"


def _attributes(pool: Mapping[str, Any]) -> frozenset[str] | None:
    """All attributes of a pool; None when they are not known."""
    schema = pool.get("Schema") or []
    names = [as_mapping(attribute).get("Name") for attribute in schema] if isinstance(schema, list) else [None]
    if not all(isinstance(name, str) for name in names):
        return None
    own = {f"{prefix}{name}" for name in names for prefix in ("custom:", "dev:custom:", "dev:", "")}
    return STANDARD | own
