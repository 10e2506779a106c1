"""A token is taken only if the role's account has its issuer's OIDC provider, and GitHub's tokens carry more claims.

MiniStack compares `aud` and `sub` of a token with the role's trust, whether the account knows the issuer or not, and
knows no other claim; a token that has ended is as good as another one. AWS: "Token expired: current date/time N must be
before the expiration date/time N" (ExpiredTokenException), "No OpenIDConnect provider found in your account for ISSUER"
(InvalidIdentityToken), "Incorrect token audience" for one that the provider does not list; and for GitHub's issuer it
compares the claims of "Available keys for AWS OIDC federation" (IAM user guide). Signatures are not looked at here: no
issuer can be asked for its keys.

And IAM takes no trust in an issuer that many organizations share without a condition on the token's subject that is
more than `*` ("Identity-provider controls for shared OIDC providers" in the IAM user guide).
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import iam, sts

from ._documents import several, statements_of
from ._expect import expect, replace

GITHUB = "token.actions.githubusercontent.com"
_SHARED = (GITHUB, "gitlab.com")
"""Of the issuers that IAM knows to be shared, those that are rehearsed."""
_CLAIMS = (
    "actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository", "repository_id",
    "workflow",
)  # fmt: skip


def apply() -> None:
    """Compare the issuer and its claims as well."""
    principal = expect(sts, "_web_identity_principal", "token", "provider_id", "role_arn")
    denied = expect(sts, "_web_identity_trust_denied", "role_arn", "params", "use_json")

    def web_identity_principal(token: str, provider_id: str, role_arn: str) -> tuple[str, dict[str, Any]]:
        found, keys = principal(token, provider_id, role_arn)
        if found.endswith(f":oidc-provider/{GITHUB}"):
            claims = _claims(token)
            keys |= {f"{GITHUB}:{name}": str(claims[name]) for name in _CLAIMS if name in claims}
        return found, keys

    def web_identity_trust_denied(role_arn: str, params: dict[str, Any], use_json: bool) -> Any:
        token = (params.get("WebIdentityToken") or [""])[0]
        ends, now = _claims(token).get("exp"), int(time.time())
        if isinstance(ends, int | float) and ends <= now:
            message = f"Token expired: current date/time {now} must be before the expiration date/time {int(ends)}"
            return sts._error(400, "ExpiredTokenException", message, ns="sts")
        found, _ = sts._web_identity_principal(token, "", role_arn)
        if ":oidc-provider/" in found:
            issuer, audience = found.partition(":oidc-provider/")[2], _claims(token).get("aud")
            provider = iam._oidc_providers.get_scoped(role_arn.split(":")[4], None, found)
            if provider is None:
                return _invalid(f"No OpenIDConnect provider found in your account for https://{issuer}")
            if audience not in provider["ClientIDList"]:
                return _invalid("Incorrect token audience")
        return denied(role_arn, params, use_json)

    trust_error = expect(iam, "_trust_policy_not_principal_error", "doc")

    def checked(doc: Any) -> Any:
        return trust_error(doc) or next((_missing(issuer) for issuer in _open_issuers(doc)), None)

    replace("_trust_policy_not_principal_error", checked, iam)
    replace("_web_identity_principal", web_identity_principal, sts)
    replace("_web_identity_trust_denied", web_identity_trust_denied, sts)


def _open_issuers(doc: Any) -> Iterator[str]:
    """The shared issuers that a trust policy lets in without asking for a subject."""
    try:
        statements = statements_of(doc)
    except (ValueError, AttributeError):
        return
    for statement in statements:
        principal = statement.get("Principal")
        federated = principal.get("Federated") if isinstance(principal, dict) else None
        for arn in several(federated):
            issuer = str(arn).partition(":oidc-provider/")[2]
            if issuer in _SHARED and statement.get("Effect") == "Allow" and not _asks(statement, f"{issuer}:sub"):
                yield issuer


def _asks(statement: dict[str, Any], key: str) -> bool:
    """Whether one of its conditions compares `key` with something."""
    for operator, keys in (statement.get("Condition") or {}).items():
        compares = operator.rpartition(":")[2] in ("StringEquals", "StringLike", "StringEqualsIgnoreCase")
        for name, given in keys.items():
            values = several(given)
            if compares and name.lower() == key.lower() and values and not any(set(v) <= {"*"} for v in values):
                return True
    return False


def _missing(issuer: str) -> str:
    return f"The trust policy of a role for the shared identity provider {issuer} has to evaluate {issuer}:sub"


def _invalid(message: str) -> Any:
    return sts._error(400, "InvalidIdentityToken", escape(message), ns="sts")


def _claims(token: str) -> dict[str, Any]:
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def probe(aws: Any) -> bool:
    """Of two tokens that differ in a claim only the one is taken, none before the account knows the issuer, and none
    that has ended; a role that asks for no subject is not made."""
    provider = f"arn:aws:iam::{aws.owner.account}:oidc-provider/{GITHUB}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {"Federated": provider},
                "Condition": {"StringEquals": {f"{GITHUB}:sub": "repo:a/b", f"{GITHUB}:repository_id": "22"}},
            }
        ],
    }
    aws.query("iam", Action="CreateRole", RoleName="jobs", AssumeRolePolicyDocument=json.dumps(trust), Version=_VERSION)

    def taken(repository: str, **more: int) -> bool:
        claims = {
            "iss": f"https://{GITHUB}",
            "aud": "sts.amazonaws.com",
            "sub": "repo:a/b",
            "repository_id": repository,
            **more,
        }
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
        arn = f"arn:aws:iam::{aws.owner.account}:role/jobs"
        parameters = {"RoleArn": arn, "RoleSessionName": "job", "WebIdentityToken": ".".join([*parts, "x"])}
        call = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", **parameters}
        return bool(aws.succeeds(lambda: aws.query("sts", **call)))

    before = taken("22")
    client = {"ClientIDList.member.1": "sts.amazonaws.com"}
    aws.query("iam", Action="CreateOpenIDConnectProvider", Url=f"https://{GITHUB}", Version=_VERSION, **client)

    def made(**condition: dict[str, str]) -> bool:
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider},
            "Condition": condition,
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        call = {"Action": "CreateRole", "RoleName": "open", "AssumeRolePolicyDocument": text, "Version": _VERSION}
        return bool(aws.succeeds(lambda: aws.query("iam", **call)))

    if made(StringEquals={f"{GITHUB}:aud": "sts.amazonaws.com"}) or made(StringLike={f"{GITHUB}:sub": "*"}):
        return False
    return not before and taken("22") and taken("22", exp=_FAR) and not taken("23") and not taken("22", exp=1)


_VERSION = "2010-05-08"
_FAR = 4_102_444_800
