"""Rights that a release gains in ways that are less usual: each is found, and it is nothing new where it was before."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from amplify_delivery.changes.gained import gained
from amplify_delivery.delivery.planning import Stacks
from unit.changes.test_gained import ROLE, STORAGE, contents_of, edited, found, full, told
from unit.delivery.planning.stacks_of import changed, with_resource
from unit.rows import hold

NEW = f"{STORAGE}/New"
FUNCTION = "functionhelloFn/LambdaFunction"
API, POOL, IDENTITIES = "apifullapp/GraphQLAPI", "authfullappauth/UserPool", "authfullappauth/IdentityPool"
CLIENT = "authfullappauth/UserPoolClient"


def policy(action: str, **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*", **more}]}


def added(kind: str, **properties: Any) -> Stacks:
    """`full` with one more resource."""
    return changed(full(), STORAGE, lambda t: t["Resources"].update(New={"Type": kind, "Properties": properties}))


ANYBODY = policy("x:Use", Principal={"AWS": "*"})
WRITTEN: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("AWS::EC2::VPCEndpoint", {"PolicyDocument": ANYBODY}, f"anyone may x:Use on {NEW}: *"),
    ("AWS::Events::EventBus", {"Policy": ANYBODY}, f"anyone may x:Use on {NEW}: *"),
    ("AWS::KMS::ReplicaKey", {"KeyPolicy": ANYBODY}, f"anyone may x:Use on {NEW}: *"),
    ("AWS::Of::TheFuture", {"Deep": [{"Inside": {"It": ANYBODY}}]}, f"anyone may x:Use on {NEW}: *"),
    (
        "AWS::Kinesis::ResourcePolicy",
        {"ResourcePolicy": '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "x:Use"}}'},
        "anyone may x:Use",
    ),
    (
        "AWS::DynamoDB::Table",
        {"StreamSpecification": {"ResourcePolicy": {"PolicyDocument": ANYBODY}}},
        f"anyone may x:Use on {NEW}: *",
    ),
    ("AWS::IoT::Policy", {"PolicyDocument": policy("iot:*")}, f"{NEW} may iot:* on *"),
    ("AWS::Events::EventBusPolicy", {"Principal": "*", "Action": "events:Put"}, "anyone may events:Put"),
    ("AWS::IAM::ManagedPolicy", {"PolicyDocument": policy("ses:*")}, f"whoever has {NEW} may ses:* on *"),
    (
        "AWS::Serverless::Function",
        {"FunctionUrlConfig": {"AuthType": "NONE"}},
        "anyone: call the function at its URL (AuthType NONE)",
    ),
    (
        "AWS::ApiGateway::Method",
        {"HttpMethod": "GET", "AuthorizationType": "NONE", "ApiKeyRequired": True},
        "anyone with a key of the API: call GET (AuthorizationType NONE)",
    ),
    (
        "AWS::Lambda::Function",
        {"Role": "arn:aws:iam::1:role/Admin"},
        f"{NEW} may become arn:aws:iam::1:role/Admin (acts as it)",
    ),
)


def test_a_resource_that_brings_rights() -> None:
    def check(kind: str, properties: dict[str, Any], said: str) -> None:
        new = added(kind, **properties)
        assert told(full(), new) == [said]
        assert found(new, new) == found(new, full()) == []

    hold(check, WRITTEN)


QUEUE, STREAM = "arn:aws:sqs:eu-west-1:1:theirs", "arn:aws:kinesis:eu-west-1:1:stream/theirs"
ISSUER = "https://id.example.com"
HANDED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("AWS::IAM::AccessKey", {"UserName": "ci"}, f"whoever has the access key {NEW} may become ci (acts with it)"),
    (
        "AWS::IAM::User",
        {"LoginProfile": {"Password": "x"}},
        f"whoever has its password may become {NEW} (signs in to the console)",
    ),
    (
        "AWS::IAM::OIDCProvider",
        {"Url": ISSUER, "ClientIdList": ["ci"]},
        f"holders of tokens of {ISSUER} for ci may sign in to roles that trust it",
    ),
    (
        "AWS::IAM::SAMLProvider",
        {"SamlMetadataDocument": "<x/>"},
        f"users of its metadata {hashlib.sha256(b'<x/>').hexdigest()[:12]} may sign in to roles that trust it",
    ),
    (
        "AWS::Cognito::UserPoolIdentityProvider",
        {"ProviderName": "Corp", "UserPoolId": "p", "ProviderDetails": {"MetadataFile": "<x/>"}},
        f"users of Corp (MetadataFile {hashlib.sha256(b'<x/>').hexdigest()[:12]}) may sign in on p",
    ),
    (
        "AWS::Cognito::UserPoolIdentityProvider",
        {"ProviderName": "Corp", "UserPoolId": "p", "ProviderDetails": {"oidc_issuer": ISSUER}},
        f"users of Corp (oidc_issuer {ISSUER}) may sign in on p",
    ),
    (
        "AWS::Cognito::UserPoolUserToGroupAttachment",
        {"Username": "ann", "GroupName": "admins"},
        "user ann may do what the group admins may",
    ),
    (
        "AWS::IoT::PolicyPrincipalAttachment",
        {"Principal": "cert", "PolicyName": "p"},
        "cert may do what the policy p allows",
    ),
    ("AWS::AppSync::ApiKey", {"ApiId": "a"}, f"whoever has the key {NEW} may call it with that key on a"),
    (
        "AWS::AppSync::Api",
        {"EventConfig": {"AuthProviders": [{"AuthType": "API_KEY"}]}},
        "whom API_KEY lets in may use its channels",
    ),
    (
        "AWS::ApiGateway::UsagePlanKey",
        {"KeyId": "k", "UsagePlanId": "p"},
        "whoever has the key k may call the APIs of the plan on p",
    ),
    ("AWS::ApiGateway::Authorizer", {"RestApiId": "a", "ProviderARNs": ["pool"]}, "users of pool may be let in on a"),
    (
        "AWS::ApiGateway::Authorizer",
        {"RestApiId": "a", "AuthorizerUri": "function"},
        "function may decide who is let in on a",
    ),
    (
        "AWS::ApiGatewayV2::Authorizer",
        {"ApiId": "a", "JwtConfiguration": {"Issuer": ISSUER, "Audience": ["web"]}},
        f"users of {ISSUER} for web may be let in on a",
    ),
    (
        "AWS::SNS::Subscription",
        {"TopicArn": "t", "Protocol": "email", "Endpoint": "a@b.c"},
        "a@b.c may receive its messages (email) on t",
    ),
    (
        "AWS::SNS::Topic",
        {"Subscription": [{"Protocol": "sqs", "Endpoint": QUEUE}]},
        f"{QUEUE} may receive its messages (sqs)",
    ),
    ("AWS::Events::Rule", {"Targets": [{"Id": "a", "Arn": QUEUE}]}, f"{QUEUE} may receive its events"),
    (
        "AWS::Logs::SubscriptionFilter",
        {"LogGroupName": "g", "DestinationArn": STREAM},
        f"{STREAM} may receive its log events on g",
    ),
    (
        "AWS::DynamoDB::Table",
        {"KinesisStreamSpecification": {"StreamArn": STREAM}},
        f"{STREAM} may receive its changes",
    ),
    (
        "AWS::S3::Bucket",
        {"ReplicationConfiguration": {"Rules": [{"Destination": {"Bucket": "arn:b", "Account": "222222222222"}}]}},
        "arn:b of account 222222222222 may receive copies of its objects",
    ),
    (
        "AWS::Lambda::EventInvokeConfig",
        {"FunctionName": "f", "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}},
        f"{QUEUE} may receive what it was called with (OnFailure) on f",
    ),
    (
        "AWS::EC2::VPCEndpointServicePermissions",
        {"ServiceId": "s", "AllowedPrincipals": ["*"]},
        "* may connect to it on s",
    ),
    ("AWS::CloudFront::KeyGroup", {"KeyGroupConfig": {"Items": ["k"]}}, "k may sign its addresses"),
    (
        "AWS::RAM::ResourceShare",
        {"Principals": ["222222222222"], "ResourceArns": ["arn:x"]},
        "222222222222 may use it (shared) on arn:x",
    ),
    (
        "AWS::Scheduler::Schedule",
        {"Target": {"RoleArn": "arn:aws:iam::1:role/Admin"}},
        f"{NEW} may become arn:aws:iam::1:role/Admin (acts as it)",
    ),
    (
        "AWS::Lambda::LayerVersionPermission",
        {"Principal": "*", "LayerVersionArn": "l", "Action": "x:Get"},
        "anyone may x:Get on l",
    ),
)
"""What is handed out beside policies, or by a role that a part of a resource acts as."""


def test_a_resource_that_hands_something_out() -> None:
    def check(kind: str, properties: dict[str, Any], said: str) -> None:
        new = added(kind, **properties)
        assert said in told(full(), new)
        assert found(new, new) == found(new, full()) == []

    hold(check, HANDED)


def test_somebody_else_gets_it() -> None:
    """The resource was there: what it hands out goes to another one now."""

    def check(kind: str, properties: dict[str, Any], said: str) -> None:
        before = added(kind, **{**properties, **_OTHERS.get(kind, {})})
        assert said in told(before, added(kind, **properties))

    hold(check, [row for row in HANDED if row[0] in _OTHERS])


_OTHERS: dict[str, dict[str, Any]] = {
    "AWS::IAM::OIDCProvider": {"ClientIdList": []},
    "AWS::IAM::SAMLProvider": {"SamlMetadataDocument": "<y/>"},
    "AWS::Cognito::UserPoolIdentityProvider": {"ProviderDetails": {"oidc_issuer": "https://other.example.com"}},
    "AWS::SNS::Subscription": {"Endpoint": "x@y.z"},
    "AWS::Events::Rule": {"Targets": []},
    "AWS::Logs::SubscriptionFilter": {"DestinationArn": QUEUE},
    "AWS::RAM::ResourceShare": {"Principals": []},
    "AWS::Scheduler::Schedule": {"Target": {"RoleArn": "arn:aws:iam::1:role/Other"}},
}


def test_a_managed_policy_that_is_attached_by_its_name_is_looked_into() -> None:
    def named(action: str) -> Stacks:
        def change(template: dict[str, Any]) -> None:
            properties = {"ManagedPolicyName": "Mail", "PolicyDocument": policy(action)}
            template["Resources"]["Mail"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
            arn = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:policy/Mail"}
            template["Resources"]["LambdaExecutionRole"]["Properties"]["ManagedPolicyArns"] = [arn]

        return changed(full(), "functionhelloFn", change)

    assert told(named("ses:Send"), named("ses:*")) == [f"{ROLE} may ses:* on *"]
    assert found(named("ses:*"), named("ses:Send")) == []


def test_a_function_that_acts_as_another_role() -> None:
    other = {"Fn::ImportValue": "admin"}
    assert told(full(), with_resource(full(), FUNCTION, Role=other)) == [
        f'{FUNCTION} may become {{"Fn::ImportValue":"admin"}} (acts as it)'
    ]
    # A function that is new with a role of the same release gains what the role's policies say.
    copied = copy.deepcopy(full().templates["functionhelloFn",]["Resources"]["LambdaFunction"])
    new = changed(full(), "functionhelloFn", lambda t: t["Resources"].update(Second=copied))
    assert found(full(), new) == []


OIDC = {"AuthenticationType": "OPENID_CONNECT", "OpenIDConnectConfig": {"Issuer": "https://issuer"}}
SIGN_IN: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    (IDENTITIES, {"CognitoIdentityProviders": [{"ClientId": "c", "ProviderName": "p"}]}, "users of p: get"),
    (IDENTITIES, {"SupportedLoginProviders": {"graph.facebook.com": "1"}}, "users of graph.facebook.com: get"),
    (IDENTITIES, {"DeveloperProviderName": "ours"}, "users of ours: get credentials of the account"),
    (CLIENT, {"SupportedIdentityProviders": ["COGNITO", "Google"]}, "users of Google: sign in"),
    (CLIENT, {"AllowedOAuthFlows": ["code", "implicit"]}, "whoever has the client's id: gets tokens by the OAuth flow"),
    (CLIENT, {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]}, "by the flow ALLOW_USER_PASS"),
    (CLIENT, {"WriteAttributes": ["email", "custom:role"]}, "users of the user pool: write their attribute custom"),
    (API, {"UserPoolConfig": {"UserPoolId": "other", "DefaultAction": "ALLOW"}}, "AMAZON_COGNITO_USER_POOLS of other"),
    (API, {"AdditionalAuthenticationProviders": [OIDC]}, "lets in OPENID_CONNECT of https://issuer"),
)  # fmt: skip


def test_another_way_to_sign_in() -> None:
    there = full().resolved.resources["authfullappauth", "IdentityPool"].properties["CognitoIdentityProviders"]

    def check(place: str, properties: Mapping[str, Any], said: str) -> None:
        if "CognitoIdentityProviders" in properties:
            properties = {"CognitoIdentityProviders": [*there, *properties["CognitoIdentityProviders"]]}
        (right,) = found(full(), with_resource(full(), place, **properties))
        assert said in right.what
        assert (right.kind, right.open, right.place) == ("open", True, place)

    hold(check, SIGN_IN)


def test_what_asks_no_more() -> None:
    asked = with_resource(full(), POOL, LambdaConfig={"PreSignUp": "arn:f", "PostConfirmation": "arn:g"})
    assert told(asked, full()) == ["anyone: no function is asked any more at PreSignUp"]
    strict = with_resource(full(), POOL, MfaConfiguration="ON")
    assert told(strict, full()) == ["anyone: users may sign in without a second factor"]
    assert found(full(), asked) == found(full(), strict) == []


def test_triggers_that_amplify_sets_with_a_custom_resource_count() -> None:
    """Of an export with triggers, as `AuthTriggerCustomLambdaStack` has them."""

    def with_triggers(*names: str) -> Stacks:
        triggers = [{"triggerType": name, "lambdaFunctionName": name} for name in names]
        return added("Custom::CustomAuthTriggerResourceOutputs", lambdaConfig=triggers, userpoolId={"Ref": "x"})

    (right,) = found(with_triggers("PreSignUp", "PostAuthentication"), with_triggers("PostAuthentication"))
    assert (right.what, right.place) == ("anyone: no function is asked any more at PreSignUp", POOL)
    assert found(with_triggers("PreSignUp"), with_triggers("PreSignUp")) == []


QUERY = "QuerygetTodoListauth0"
CREATE = "MutationcreateTodoListauth0"
USERS = '#if( $util.authType() == "User Pool Authorization" )\n'
ADMINS = '[{"claim":"cognito:groups","entity":"Admins"'
EDITORS = '{"claim":"cognito:groups","entity":"Editors"'
WITHIN_FIELDS = f'{EDITORS},"allowedFields":["title"],"isAuthorizedOnAllFields":false}}'
RULES = (
    (QUERY, ADMINS, f"[{EDITORS}}},{ADMINS[1:]}", "principal", "members of Editors may use all that it guards"),
    (CREATE, ADMINS, f"[{WITHIN_FIELDS},{ADMINS[1:]}", "principal", "members of Editors may use field title"),
    (QUERY, '{"owner":', '{"editor":', "principal", "whoever is named in `editor` may use what is theirs"),
    (QUERY, USERS, f"{USERS}#set( $isAuthorized = true )\n", "open", "every user of the user pool: all that it guards"),
    (CREATE, USERS, f'{USERS}$util.qr($allowedFields.addAll(["id"]))\n', "open", "every user of the user pool: field"),
)  # fmt: skip


@pytest.mark.parametrize(("resolver", "before", "after", "kind", "said"), RULES)
def test_a_rule_of_the_graphql_schema_that_lets_more_people_through(
    resolver: str, before: str, after: str, kind: str, said: str
) -> None:
    contents = contents_of("full")
    new, its = edited(full(), contents, resolver, lambda text: text.replace(before, after))
    (right,) = gained(full(), new, contents, its).rights
    assert (right.kind, right.path[-1].startswith(resolver)) == (kind, True)
    assert right.what.startswith(said)


def test_whoever_was_let_through_with_all_others_gains_nothing_by_a_rule() -> None:
    contents = contents_of("full")
    private, its = edited(full(), contents, QUERY, lambda t: t.replace(USERS, f"{USERS}#set( $isAuthorized = true )\n"))
    assert gained(private, full(), its, contents).rights == ()


IAM = '#if( $util.authType() == "IAM Authorization" )\n'
ADMIN = """#foreach( $adminRole in $ctx.stash.adminRoles )
  #if( $ctx.identity.userArn.contains($adminRole) && $ctx.identity.userArn != $ctx.stash.unauthRole )
    #return($util.toJson({}))
  #end
#end
"""


def test_roles_that_are_let_through_by_their_names_are_no_guests() -> None:
    """`custom-roles.json`: the resolvers ask for the names that stand in the resolver before them."""
    contents = contents_of("full")
    asking, its = edited(full(), contents, QUERY, lambda text: text.replace(IAM, IAM + ADMIN))
    assert gained(full(), asking, contents, its).rights == ()
    stashing = '$util.qr($ctx.stash.put("adminRoles", %s))\n$util.toJson({})'

    def stashed(names: str) -> Stacks:
        api = {"Fn::GetAtt": ["GraphQLAPI", "ApiId"]}
        properties = {"ApiId": api, "RequestMappingTemplate": stashing % names}
        resource = {"Type": "AWS::AppSync::Resolver", "Properties": properties}
        return changed(full(), "apifullapp", lambda t: t["Resources"].update(One=resource, Two=copy.deepcopy(resource)))

    (right,) = found(stashed('["first"]'), stashed('["first", "second"]'))
    assert right.what == "roles named second... may use all that authorisation rules guard"
    assert found(stashed('["first", "second"]'), stashed('["first"]')) == []
