"""What stands open in templates beside policies: ways to sign in, methods without authorisation, guests, networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.changes.gained.grants import ANYONE, Grant, Kind, Term
from amplify_delivery.changes.gained.policies import Holders
from amplify_delivery.changes.gained.sign_in import GUESTS, Found, Properties, client, identity_pool, user_pool
from amplify_delivery.changes.gained.texts import ALWAYS, When, at, branches, each, is_true, shown
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.templates.resolve import ResolvedResource

API = "AWS::AppSync::GraphQLApi"
BUCKET = "AWS::S3::Bucket"
_BLOCK = "PublicAccessBlockConfiguration"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_PUBLIC_ACLS = ("PublicRead", "PublicReadWrite", "AuthenticatedRead")
_SIGNED_IN = {
    "AMAZON_COGNITO_USER_POOLS": "users of the user pool",
    "AWS_IAM": "whom IAM lets in",
    "AWS_LAMBDA": "whom a Lambda function lets in",
    "OPENID_CONNECT": "users of an OpenID Connect provider",
    "API_KEY": "anyone with the API key",
}


def openings(resources: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """Everything that a resolved tree leaves open by itself."""
    holders = Holders(resources)
    for path, item in resources.items():
        properties = item.properties if isinstance(item.properties, Mapping) else {}
        place = "/".join(path)
        look = _LOOKS.get(item.type)
        for who, what, when in look(properties) if look else ():
            yield Grant("open", who, Term(what), Term(place), when=when, path=path, type=item.type)
        for grant in _ways(item.type, properties, holders, place):
            yield replace(grant, path=path, type=item.type)


def unblocked(old: Mapping[Path, ResolvedResource], new: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """Buckets that block public access no more. S3 blocks it where nothing is said, in a bucket that is made; taken out
    of a template, what was blocked there is open."""
    for path, item in new.items():
        if item.type != BUCKET:
            continue
        before = at(old[path].properties, _BLOCK) if path in old and old[path].type == BUCKET else None
        after = at(item.properties, _BLOCK)
        for name in _BLOCKS:
            was, will = is_true(at(before, name)), is_true(at(after, name))
            if not will and (was or (after is not None and before is None)):
                yield Grant("open", ANYONE, Term(f"{name} is off"), Term("/".join(path)), path=path, type=item.type)


def unbounded(old: Mapping[Path, ResolvedResource], new: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """Roles and users that lose their permissions boundary, or get another one."""
    for path, item in new.items():
        before = at(old[path].properties, "PermissionsBoundary") if path in old else None
        after = at(item.properties, "PermissionsBoundary")
        if before is not None and before != after and item.type.startswith("AWS::"):
            to = "none" if after is None else shown(after)
            what = f"the permissions boundary was {shown(before)}, and is {to}"
            yield Grant("boundary", "/".join(path), Term(what), path=path, type=item.type)


def modes(properties: Properties) -> list[str]:
    """The authorisation modes of an AppSync API, the default one first."""
    found = [shown(properties.get("AuthenticationType"))]
    for provider, _ in each(properties.get("AdditionalAuthenticationProviders")):
        found.append(shown(at(provider, "AuthenticationType")))
    return found


def _api(properties: Properties) -> Found:
    for provider, outer in [(properties, ALWAYS), *each(properties.get("AdditionalAuthenticationProviders"))]:
        for mode, when in each(at(provider, "AuthenticationType")):
            lets_in = f"calls the API, which lets in {shown(mode)}{_which(mode, provider)}"
            yield _SIGNED_IN.get(shown(mode), shown(mode)), lets_in, outer | when
    for value, when in branches(at(properties, "UserPoolConfig", "DefaultAction")):
        if value == "ALLOW":
            yield _SIGNED_IN["AMAZON_COGNITO_USER_POOLS"], "read and write what no group is named for", when


def _which(mode: Any, provider: Any) -> str:
    """Whose users: another pool, issuer or function lets others in."""
    found = at(provider, *_WHOSE.get(shown(mode), ("",)))
    return "" if found is None else f" of {shown(found)}"


_WHOSE: Mapping[str, tuple[str, ...]] = {
    "AMAZON_COGNITO_USER_POOLS": ("UserPoolConfig", "UserPoolId"),
    "OPENID_CONNECT": ("OpenIDConnectConfig", "Issuer"),
    "AWS_LAMBDA": ("LambdaAuthorizerConfig", "AuthorizerUri"),
}


def _url(properties: Properties) -> Found:
    for value, when in branches(properties.get("AuthType")):
        if value == "NONE":
            yield ANYONE, "call the function at its URL (AuthType NONE)", when


def _serverless(properties: Properties) -> Found:
    configured = properties.get("FunctionUrlConfig")
    yield from _url(configured) if isinstance(configured, Mapping) else ()


def _method(properties: Properties) -> Found:
    if shown(properties.get("HttpMethod")) == "OPTIONS":
        return
    who = "anyone with a key of the API" if is_true(properties.get("ApiKeyRequired")) else ANYONE
    for value, when in branches(properties.get("AuthorizationType")):
        if value in (None, "NONE"):
            yield who, f"call {shown(properties.get('HttpMethod'))} (AuthorizationType NONE)", when


def _route(properties: Properties) -> Found:
    key = shown(properties.get("RouteKey"))
    for value, when in branches(properties.get("AuthorizationType")):
        if value in (None, "NONE") and not key.startswith("OPTIONS "):
            yield ANYONE, f"call {key} (AuthorizationType NONE)", when


def _rest_api(properties: Properties) -> Found:
    """Methods of an API that is described by its OpenAPI document: those that name no security."""
    body = properties.get("Body")
    for path, methods in (at(body, "paths") or {}).items() if isinstance(at(body, "paths"), Mapping) else ():
        for method, described in methods.items() if isinstance(methods, Mapping) else ():
            if not isinstance(described, Mapping) or method not in _METHODS:
                continue
            security = described.get("security", at(body, "security"))
            if security in (None, [], [{}]) and "x-amazon-apigateway-auth" not in described:
                called = "any method" if method.startswith("x-") else method.upper()
                yield ANYONE, f"call {called} of {path} (no security)", ALWAYS


_METHODS = ("get", "put", "post", "delete", "head", "patch", "x-amazon-apigateway-any-method")


def _bucket(properties: Properties) -> Found:
    for value, when in branches(properties.get("AccessControl")):
        if value in _PUBLIC_ACLS:
            yield ANYONE, f"read objects (AccessControl {value})", when


def _database(properties: Properties) -> Found:
    for value, when in branches(properties.get("PubliclyAccessible")):
        if is_true(value):
            yield ANYONE, "reach it from the internet (PubliclyAccessible)", when


_LOOKS: Mapping[str, Callable[[Properties], Found]] = {
    API: _api,
    "AWS::ApiGateway::Method": _method,
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::Cognito::IdentityPool": identity_pool,
    "AWS::Cognito::UserPool": user_pool,
    "AWS::Cognito::UserPoolClient": client,
    "AWS::Lambda::Url": _url,
    "AWS::RDS::DBInstance": _database,
    "AWS::Serverless::Function": _serverless,
    BUCKET: _bucket,
}


def _ways(kind: str, properties: Properties, holders: Holders, place: str) -> Iterator[Grant]:
    """Who becomes a role through Cognito, and ways through a network."""
    if kind == "AWS::Cognito::IdentityPoolRoleAttachment":
        yield from _attached(properties, holders)
    if kind == "AWS::Cognito::UserPoolGroup" and "RoleArn" in properties:
        for role, when in branches(properties["RoleArn"]):
            who = f"members of the group {shown(properties.get('GroupName'))}"
            yield Grant("trust", who, Term("get its credentials"), Term(holders.called(role)), when=when)
    for name in ("SecurityGroupIngress", "SecurityGroupEgress"):
        if kind == "AWS::EC2::SecurityGroup":
            for rule, when in each(properties.get(name)):
                yield _rule(name, rule, place, when)
        elif kind == f"AWS::EC2::{name}":
            group = shown(properties.get("GroupId"))
            yield _rule(name, {k: v for k, v in properties.items() if k != "GroupId"}, group, ALWAYS)


def _attached(properties: Properties, holders: Holders) -> Iterator[Grant]:
    pool = shown(properties.get("IdentityPoolId"))
    for state, role in (at(properties, "Roles") or {}).items() if isinstance(at(properties, "Roles"), Mapping) else ():
        for one, when in branches(role):
            who = GUESTS if state == "unauthenticated" else f"{state} identities of {pool}"
            yield Grant("trust", who, Term("get its credentials"), Term(holders.called(one)), when=when)
    mappings = at(properties, "RoleMappings")
    for name, mapping in mappings.items() if isinstance(mappings, Mapping) else ():
        if at(mapping, "AmbiguousRoleResolution") == "AuthenticatedRole":
            what = "get the role of authenticated identities where no rule names one"
            yield Grant("trust", f"users of {name}", Term(what), Term(pool))
        for rule, when in each(at(mapping, "RulesConfiguration", "Rules")):
            claim = " ".join(shown(at(rule, k)) for k in ("Claim", "MatchType", "Value"))
            role = holders.called(at(rule, "RoleARN"))
            yield Grant("trust", f"users of {name} with {claim}", Term("get its credentials"), Term(role), when=when)


def _rule(name: str, rule: Any, group: str, when: When) -> Grant:
    kind: Kind = "network"
    written = {k: v for k, v in rule.items() if k != "Description"} if isinstance(rule, Mapping) else rule
    source = next((shown(written[k]) for k in ("CidrIp", "CidrIpv6") if at(written, k) is not None), "a group")
    return Grant(kind, source, Term(f"{name} {canonical(written).decode()}"), Term(group), when=when)
