"""Checks of user pools beside their sign-in: messages without their placeholders, features that a plan does not have,
and app clients that are made before what they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.cognito import SIGN_IN, STANDARD
from amplify_delivery.publishing.examination.services.resolved import Path, certain, follows, is_open, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

MESSAGES = Rule(
    "AD725",
    "refused",
    "An invitation of a user pool without what it is sent for: the user's name (`{username}`) and the first password "
    "(`{####}`), which only a pool that asks for no password goes without.",
    "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-user-invitation-message-"
    "customization.html",
    "`Value at 'adminCreateUserConfig.inviteMessageTemplate.emailMessage' failed to satisfy constraint`",
    remedy="write {username} and {####} into the message (`amplify override auth`), and export again",
)
ORDER = Rule(
    "AD726",
    "warning",
    "An app client that names an identity provider or a scope which CloudFormation may make after it, or which nothing "
    "in the backend makes: Cognito looks for them when the client is made. What is deployed already stays right.",
    "https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html",
    "`The provider X does not exist for User Pool Y`, `Invalid scope requested`",
    remedy="have the client depend on the provider or the resource server (`DependsOn`; `amplify override auth`), and "
    "export again",
)
_POOL, _CLIENT = "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"
_PROVIDER, _SERVER = "AWS::Cognito::UserPoolIdentityProvider", "AWS::Cognito::UserPoolResourceServer"
_SENDERS = ("CustomEmailSender", "CustomSMSSender")
_SOCIAL = frozenset({"COGNITO", "Facebook", "Google", "LoginWithAmazon", "SignInWithApple"})
"""Amplify has a custom resource of its own make these."""


def refused_pools(tree: Tree) -> Iterator[Finding]:
    """AD725, AD726, AD737."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        file = tree.file(path[:-1])
        if resource.type == _POOL:
            for problem in _of_invitations(properties):
                yield MESSAGES.at(file, f"{path[-1]} {problem}", MESSAGES.remedy)
            for problem in (*_of_attributes(properties), *_of_settings(properties), *_of_plan(properties)):
                yield SIGN_IN.at(file, f"{path[-1]} {problem}", SIGN_IN.remedy)
            if _protected(properties) and "UserPoolTier" not in properties:
                told = (
                    f"{path[-1]} has no UserPoolTier, and AdvancedSecurityMode: a new pool has the plan ESSENTIALS, "
                    "which does not have it"
                )
                yield replace(SIGN_IN.at(file, told, "set UserPoolTier to PLUS, and export again"), severity="warning")
        elif resource.type == _CLIENT:
            for problem in _of_order(tree, path, properties):
                yield ORDER.at(file, f"{path[-1]} {problem}", ORDER.remedy)


def _of_invitations(properties: Mapping[str, Any]) -> Iterator[str]:
    messages = as_mapping(as_mapping(properties.get("AdminCreateUserConfig")).get("InviteMessageTemplate"))
    policies = as_mapping(properties.get("Policies"))
    sign_in = as_mapping(policies.get("SignInPolicy"))
    # Which of them there are, only CloudFormation may know.
    factors = sign_in.get("AllowedFirstAuthFactors") or is_open(policies) or is_open(sign_in)
    needed = ("{username}",) if factors else ("{username}", "{####}")
    for name, kind in (("EmailMessage", "an EmailMessage"), ("SMSMessage", "an SMSMessage")):
        message = messages.get(name)
        missing = [word for word in needed if isinstance(message, str) and word not in message]
        if missing:
            yield f"invites users with {kind} without {' and '.join(missing)}"


def _of_attributes(properties: Mapping[str, Any]) -> Iterator[str]:
    schema = properties.get("Schema")
    for attribute in map(as_mapping, schema if isinstance(schema, list) else ()):
        name = attribute.get("Name")
        if isinstance(name, str) and name not in STANDARD and attribute.get("Required") in (True, "true"):
            yield f"requires the attribute {name}, which is none of Cognito's own: those alone can be required"


def _of_settings(properties: Mapping[str, Any]) -> Iterator[str]:
    triggers = as_mapping(properties.get("LambdaConfig"))
    if any(certain(triggers, name) for name in _SENDERS) and "KMSKeyID" not in triggers and not is_open(triggers):
        yield "sends messages by a function of its own, and has no KMSKeyID, by which Cognito encrypts their codes"
    mail = as_mapping(properties.get("EmailConfiguration"))
    kinds = properties.get("EnabledMfas")
    by_mail = (
        isinstance(kinds, list) and "EMAIL_OTP" in kinds and properties.get("MfaConfiguration") in ("ON", "OPTIONAL")
    )
    if by_mail and mail.get("EmailSendingAccount", "") in ("", "COGNITO_DEFAULT") and not is_open(mail):
        yield "asks for a second factor by mail, which needs SES (`EmailSendingAccount` DEVELOPER)"
    created = as_mapping(properties.get("AdminCreateUserConfig"))
    passwords = as_mapping(as_mapping(properties.get("Policies")).get("PasswordPolicy"))
    if certain(created, "UnusedAccountValidityDays") and certain(passwords, "TemporaryPasswordValidityDays"):
        yield "has UnusedAccountValidityDays beside TemporaryPasswordValidityDays, which takes its place"


def _protected(properties: Mapping[str, Any]) -> bool:
    return as_mapping(properties.get("UserPoolAddOns")).get("AdvancedSecurityMode") in ("AUDIT", "ENFORCED")


def _of_plan(properties: Mapping[str, Any]) -> Iterator[str]:
    """Cognito Developer Guide, "User pool feature plans"."""
    plan = properties.get("UserPoolTier")
    tokens = as_mapping(as_mapping(properties.get("LambdaConfig")).get("PreTokenGenerationConfig"))
    if plan == "ESSENTIALS" and _protected(properties):
        yield "has the plan ESSENTIALS, which does not have AdvancedSecurityMode: PLUS does"
    if plan == "LITE" and tokens.get("LambdaVersion") in ("V2_0", "V3_0"):
        yield "has the plan LITE, which customizes no access tokens: ESSENTIALS and PLUS do"


def _of_order(tree: Tree, path: Path, properties: Mapping[str, Any]) -> Iterator[str]:
    pool = properties.get("UserPoolId")
    made = {
        (resource.type, as_mapping(resource.properties).get(name)): other
        for other, resource in tree.resolved.resources.items()
        for name in ("ProviderName" if resource.type == _PROVIDER else "Identifier",)
        if resource.type in (_PROVIDER, _SERVER)
        and as_mapping(resource.properties).get("UserPoolId") == pool
        and isinstance(as_mapping(resource.properties).get(name), str)
    }
    for kind, name in dict.fromkeys(_wanted(properties)):
        other = made.get((kind, name))
        if other is None and kind == _PROVIDER and target(pool) is not None and not _perhaps_made(tree, pool, name):
            yield f"signs in by {name}, and nothing in the backend makes that provider"
        elif other is not None and other[:-1] == path[:-1] and not follows(tree, path, other[-1]):
            yield f"may be made before {other[-1]}, which makes {name}"


def _perhaps_made(tree: Tree, pool: Any, name: str) -> bool:
    """Whether there is a provider that may have the name and the pool: either is known to CloudFormation alone."""
    providers = (as_mapping(r.properties) for r in tree.resolved.resources.values() if r.type == _PROVIDER)
    return any(
        target(of.get("UserPoolId")) in (None, target(pool))
        and (of.get("ProviderName") == name or not isinstance(of.get("ProviderName"), str))
        for of in providers
    )


def _wanted(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Types and names of what a client needs to be there."""
    providers, scopes = properties.get("SupportedIdentityProviders"), properties.get("AllowedOAuthScopes")
    for name in providers if isinstance(providers, list) else ():
        if isinstance(name, str) and name not in _SOCIAL:
            yield _PROVIDER, name
    for scope in scopes if isinstance(scopes, list) else ():
        if isinstance(scope, str) and "/" in scope:
            yield _SERVER, scope.rpartition("/")[0]
