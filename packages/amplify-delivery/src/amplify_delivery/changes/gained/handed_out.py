"""What resources hand out beside policies: keys and tokens that are taken, memberships, and data that is sent on.

Nothing is told of what a policy has to allow as well, and is told there: a queue or a stream that a function reads
needs the function's role to allow it (`AWS::Lambda::EventSourceMapping`), a rule or a bucket that calls a function its
permission, a rotation the role of its function.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amplify_delivery.changes.gained.grants import Grant, Kind, Term
from amplify_delivery.changes.gained.policies import Holders
from amplify_delivery.changes.gained.texts import ALWAYS, When, at, branches, each, path_of, shown
from amplify_delivery.changes.steps import Path
from amplify_delivery.export.templates.resolve import ResolvedResource

Properties = Mapping[str, Any]
Handed = Iterator[tuple[Kind, str, str, Any, When]]
"""Kind, who, what, what of (None: the resource itself), and under which conditions of templates."""


def handed_out(resources: Mapping[Path, ResolvedResource]) -> Iterator[Grant]:
    """Everything that a resolved tree hands out."""
    holders = Holders(resources)
    for path, item in resources.items():
        look = _LOOKS.get(item.type)
        if look is None or not isinstance(item.properties, Mapping):
            continue
        place = "/".join(path)
        for kind, who, what, of, when in look(item.properties, place, holders):
            on = place if of is None else holders.called(of)
            yield Grant(kind, who, Term(what), Term(on), when=when, path=path, type=item.type)


def _access_key(properties: Properties, place: str, _: Holders) -> Handed:
    yield "trust", f"whoever has the access key {place}", "acts with it", properties.get("UserName"), ALWAYS


def _login(properties: Properties, _: str, __: Holders) -> Handed:
    if at(properties, "LoginProfile") is not None:
        yield "trust", "whoever has its password", "signs in to the console", None, ALWAYS


def _oidc(properties: Properties, _: str, __: Holders) -> Handed:
    for client, when in each(properties.get("ClientIdList")):
        who = f"holders of tokens of {shown(properties.get('Url'))} for {shown(client)}"
        yield "principal", who, "sign in to roles that trust it", None, when


def _digest(document: Any) -> str:
    """Of what is too long to be shown: metadata of SAML are pages, with certificates."""
    return hashlib.sha256(shown(document).encode()).hexdigest()[:12]


def _saml(properties: Properties, _: str, __: Holders) -> Handed:
    metadata = _digest(properties.get("SamlMetadataDocument"))
    yield "principal", f"users of its metadata {metadata}", "sign in to roles that trust it", None, ALWAYS


def _sign_in(properties: Properties, _: str, __: Holders) -> Handed:
    """Of a user pool's provider: who it is stands in one of its details."""
    details = properties.get("ProviderDetails")
    found = {name: at(details, name) for name in ("oidc_issuer", "MetadataURL", "MetadataFile", "client_id")}
    if found["MetadataFile"] is not None:
        found["MetadataFile"] = _digest(found["MetadataFile"])
    whose = ", ".join(f"{name} {shown(value)}" for name, value in found.items() if value is not None)
    who = f"users of {shown(properties.get('ProviderName'))} ({whose or 'as it is configured'})"
    yield "principal", who, "sign in", properties.get("UserPoolId"), ALWAYS


def _member(properties: Properties, _: str, __: Holders) -> Handed:
    group = f"the group {shown(properties.get('GroupName'))}"
    yield "principal", f"user {shown(properties.get('Username'))}", f"do what {group} may", None, ALWAYS


def _attached(properties: Properties, _: str, holders: Holders) -> Handed:
    policy = holders.called(properties.get("PolicyName"))
    yield "principal", shown(properties.get("Principal")), f"do what the policy {policy} allows", None, ALWAYS


def _key_of_api(properties: Properties, place: str, _: Holders) -> Handed:
    yield "principal", f"whoever has the key {place}", "call it with that key", properties.get("ApiId"), ALWAYS


def _key_of_plan(properties: Properties, _: str, holders: Holders) -> Handed:
    who = f"whoever has the key {holders.called(properties.get('KeyId'))}"
    yield "principal", who, "call the APIs of the plan", properties.get("UsagePlanId"), ALWAYS


def _authorizer(properties: Properties, _: str, holders: Holders) -> Handed:
    """Of API Gateway, both versions: whose tokens are taken, or which function is asked."""
    api = properties.get("RestApiId", properties.get("ApiId"))
    for pool, when in each(properties.get("ProviderARNs")):
        yield "principal", f"users of {holders.called(pool)}", "be let in", api, when
    for uri, when in branches(properties.get("AuthorizerUri")):
        if uri is not None:
            yield "principal", shown(uri), "decide who is let in", api, when
    issuer = at(properties, "JwtConfiguration", "Issuer")
    for audience, when in each(at(properties, "JwtConfiguration", "Audience")):
        yield "principal", f"users of {shown(issuer)} for {shown(audience)}", "be let in", api, when


def _events_api(properties: Properties, _: str, __: Holders) -> Handed:
    for provider, when in each(at(properties, "EventConfig", "AuthProviders")):
        yield "principal", f"whom {shown(at(provider, 'AuthType'))} lets in", "use its channels", None, when


def _subscription(properties: Properties, _: str, holders: Holders) -> Handed:
    yield from _subscribed(properties, properties.get("TopicArn"), holders, ALWAYS)


def _topic(properties: Properties, _: str, holders: Holders) -> Handed:
    for subscription, when in each(properties.get("Subscription")):
        yield from _subscribed(subscription, None, holders, when)


def _subscribed(subscription: Any, topic: Any, holders: Holders, when: When) -> Handed:
    who, how = holders.called(at(subscription, "Endpoint")), shown(at(subscription, "Protocol"))
    yield "principal", who, f"receive its messages ({how})", topic, when


def _rule(properties: Properties, _: str, __: Holders) -> Handed:
    """Targets elsewhere. Those of the backend's own have a policy that lets the rule in."""
    for target, when in each(properties.get("Targets")):
        if path_of(at(target, "Arn")) is None:
            yield "principal", shown(at(target, "Arn")), "receive its events", None, when


def _sent_on(what: str, *names: str, of: str = "") -> Callable[[Properties, str, Holders], Handed]:
    """For a type that sends something on to what stands at `names`; `of` is the property that says what it is of."""

    def look(properties: Properties, _: str, holders: Holders) -> Handed:
        for receiver, when in each(at(properties, *names)):
            yield "principal", holders.called(receiver), what, properties.get(of) if of else None, when

    return look


def _table(properties: Properties, _: str, holders: Holders) -> Handed:
    for stream, when in each(at(properties, "KinesisStreamSpecification", "StreamArn")):
        yield "principal", holders.called(stream), "receive its changes", None, when


def _bucket(properties: Properties, _: str, holders: Holders) -> Handed:
    for rule, when in each(at(properties, "ReplicationConfiguration", "Rules")):
        account = at(rule, "Destination", "Account")
        whose = "" if account is None else f" of account {shown(account)}"
        who = f"{holders.called(at(rule, 'Destination', 'Bucket'))}{whose}"
        yield "principal", who, "receive copies of its objects", None, when


def _invoked(properties: Properties, _: str, holders: Holders) -> Handed:
    for name in ("OnSuccess", "OnFailure"):
        for receiver, when in each(at(properties, "DestinationConfig", name, "Destination")):
            what = f"receive what it was called with ({name})"
            yield "principal", holders.called(receiver), what, properties.get("FunctionName"), when


def _share(properties: Properties, _: str, holders: Holders) -> Handed:
    for who, when in each(properties.get("Principals")):
        for shared, under in each(properties.get("ResourceArns")):
            yield "principal", holders.called(who), "use it (shared)", shared, when | under


_LOOKS: Mapping[str, Callable[[Properties, str, Holders], Handed]] = {
    "AWS::ApiGateway::Authorizer": _authorizer,
    "AWS::ApiGateway::UsagePlanKey": _key_of_plan,
    "AWS::ApiGatewayV2::Authorizer": _authorizer,
    "AWS::AppSync::Api": _events_api,
    "AWS::AppSync::ApiKey": _key_of_api,
    "AWS::CloudFront::KeyGroup": _sent_on("sign its addresses", "KeyGroupConfig", "Items"),
    "AWS::Cognito::UserPoolIdentityProvider": _sign_in,
    "AWS::Cognito::UserPoolUserToGroupAttachment": _member,
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::VPCEndpointServicePermissions": _sent_on("connect to it", "AllowedPrincipals", of="ServiceId"),
    "AWS::Events::Rule": _rule,
    "AWS::IAM::AccessKey": _access_key,
    "AWS::IAM::OIDCProvider": _oidc,
    "AWS::IAM::SAMLProvider": _saml,
    "AWS::IAM::User": _login,
    "AWS::IoT::PolicyPrincipalAttachment": _attached,
    "AWS::Lambda::EventInvokeConfig": _invoked,
    "AWS::Logs::SubscriptionFilter": _sent_on("receive its log events", "DestinationArn", of="LogGroupName"),
    "AWS::RAM::ResourceShare": _share,
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
}
