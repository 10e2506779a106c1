"""The local AWS executes the resolvers that Amplify generates: what is written is read again, by those who may."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from amplify_delivery.export import Assembly, EnvironmentValues, assemble, read_export
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.local_aws.graphql_client import Answered, GraphQLClient
from functional.enforcement.deployed_apps import deployable
from unit.export.conftest import app_export as app_export  # noqa: PLC0414 - the fixtures, for this folder too
from unit.export.conftest import assembly_of as assembly_of  # noqa: PLC0414

# Custom resources run in one process (packages/aws-rehearsal/tests/aws_rehearsal_tests/local_aws/test_functions.py).
pytestmark = pytest.mark.xdist_group("functions")

IN_A_MONTH = int(time.time()) + 30 * 24 * 60 * 60


def deployed(developer: LocalAccount, assembly: Assembly) -> GraphQLClient:
    # A name of its own: buckets are named after app and environment, and their names are everybody's.
    url, name = deployable(developer, assembly, EnvironmentValues("asked", IN_A_MONTH))
    assert developer.create(url, name)["StackStatus"] == "CREATE_COMPLETE", developer.reasons(name)
    return GraphQLClient(developer)


def test_owners_groups_keys_and_relations(developer: LocalAccount, assembly_of: Callable[[str], Assembly]) -> None:
    client = deployed(developer, assembly_of("full"))
    ann, bob, admin, key = client.user("ann"), client.user("bob"), client.user("root", "Admins"), client.key()

    home = client.ask('mutation { createTodoList(input: {title: "Home"}) { id owner } }', ann).data["createTodoList"]
    create = "mutation($i: CreateTodoInput!) { createTodo(input: $i) { id name owner createdAt } }"
    todo = client.ask(create, ann, i={"name": "Wash", "listID": home["id"]}).data["createTodo"]
    assert todo["owner"] == home["owner"]
    assert client.ask(create, key, i={"name": "No"}).error["errorType"] == "Unauthorized"
    again = client.ask(create, ann, i={"id": todo["id"], "name": "Twice"})
    assert again.error["errorType"] == "DynamoDB:ConditionalCheckFailedException"

    # A relation from both its sides, and an index.
    read = "query($id: ID!) { getTodo(id: $id) { name list { title todos { items { id } } } } }"
    found = client.ask(read, ann, id=todo["id"]).data["getTodo"]
    assert found == {"name": "Wash", "list": {"title": "Home", "todos": {"items": [{"id": todo["id"]}]}}}
    # Lists are their owner's only: whoever may read the item may not follow it there.
    assert client.ask(read, bob, id=todo["id"]).error["message"] == "Not Authorized to access list on type Todo"
    by_name = '{ todosByName(name: "Wash") { items { id } } }'
    assert client.ask(by_name, ann).data["todosByName"]["items"] == [{"id": todo["id"]}]

    # Owners and groups.
    update = "mutation($i: UpdateTodoInput!) { updateTodo(input: $i) { name description owner } }"
    refused = client.ask(update, bob, i={"id": todo["id"], "name": "Bob's"})
    assert refused.error["message"] == "Not Authorized to access updateTodo on type Mutation"
    assert client.ask(update, ann, i={"id": todo["id"], "description": "soon"}).data["updateTodo"] == {
        "name": "Wash",
        "description": "soon",
        "owner": todo["owner"],
    }
    emptied = client.ask(update, admin, i={"id": todo["id"], "name": "Admin's", "description": None})
    assert emptied.data["updateTodo"] == {"name": "Admin's", "description": None, "owner": todo["owner"]}
    delete = "mutation($id: ID!) { deleteTodo(input: {id: $id}) { name } }"
    assert client.ask(delete, bob, id=todo["id"]).error["errorType"] == "Unauthorized"
    assert client.ask(delete, ann, id=todo["id"]).data["deleteTodo"] == {"name": "Admin's"}
    assert client.ask(read, ann, id=todo["id"]).data["getTodo"] is None

    # What is not played, and a token that somebody has made up.
    said = client.ask("subscription { onCreateTodo { id } }", ann).error
    assert said == {"message": "The local AWS does not play subscriptions.", "errorType": "NotPlayedByTheLocalAWS"}
    forged = {"authorization": f"{ann['authorization'][:-8]}AAAAAAAA"}
    assert client.ask(by_name, forged).status == 401

    # The data source's role is asked: without its rights, AWS's sentence.
    iam = developer.client("iam")
    (role,) = (r["RoleName"] for r in iam.list_roles()["Roles"] if r["RoleName"].startswith("TodoIAMRole"))
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    denied = client.ask("{ listTodos { items { id } } }", ann).error
    assert denied["errorType"] == "DynamoDB:DynamoDbException"
    assert f"assumed-role/{role}/APPSYNC_ASSUME_ROLE is not authorized to perform: dynamodb:Scan" in denied["message"]


def test_a_real_apps_lists_filters_pages_and_conditions(
    developer: LocalAccount, app_export: Callable[[str, str], Path]
) -> None:
    client = deployed(developer, assemble(read_export(app_export("discussions", "recompiled"))))
    key = client.key()
    create = "mutation($i: CreateTopicInput!) { createTopic(input: $i) { id } }"
    topic = client.ask(create, key, i={"content": "Weather", "createdByUserId": "ann"}).data["createTopic"]["id"]
    post = "mutation($i: CreatePostInput!) { createPost(input: $i) { id topic { content } } }"
    for content in ("Rain", "Sun", "Snow"):
        made = {"content": content, "createdByUserId": "ann", "topicPostsId": topic}
        assert client.ask(post, key, i=made).data["createPost"]["topic"] == {"content": "Weather"}

    pages = (
        "query($id: ID!, $t: String) { getTopic(id: $id) { posts(limit: 2, nextToken: $t) "
        "{ items { content } nextToken } } }"
    )
    first = client.ask(pages, key, id=topic).data["getTopic"]["posts"]
    second = client.ask(pages, key, id=topic, t=first["nextToken"]).data["getTopic"]["posts"]
    contents = [post["content"] for post in first["items"] + second["items"]]
    assert (len(first["items"]), sorted(contents)) == (2, ["Rain", "Snow", "Sun"])
    assert client.ask(pages, key, id=topic, t="made up").error["message"] == "Invalid pagination token given."

    listed = "query($f: ModelPostFilterInput) { listPosts(filter: $f, limit: 100) { items { content } nextToken } }"
    some = {"or": [{"content": {"beginsWith": "Sn"}}, {"content": {"eq": "Rain"}}]}
    assert sorted(p["content"] for p in client.ask(listed, key, f=some).data["listPosts"]["items"]) == ["Rain", "Snow"]
    nothing = {"content": {"eq": "Rain"}, "createdByUserId": {"ne": "ann"}}
    assert client.ask(listed, key, f=nothing).data["listPosts"] == {"items": [], "nextToken": None}

    # Many at the same time, as visitors are: none is lost.
    comment = "mutation($i: CreateCommentInput!) { createComment(input: $i) { id } }"
    with ThreadPoolExecutor(8) as visitors:
        said = visitors.map(
            lambda n: client.ask(comment, key, i={"content": str(n), "createdByUserId": "x"}), range(24)
        )
        ids = {answer.data["createComment"]["id"] for answer in said}
    comments = client.ask("{ listComments(limit: 100) { items { id } } }", key).data["listComments"]["items"]
    assert {one["id"] for one in comments} == ids
    assert len(ids) == 24

    delete = (
        "mutation($i: DeleteTopicInput!, $c: ModelTopicConditionInput) { deleteTopic(input: $i, condition: $c) { id } }"
    )
    wrong = client.ask(delete, key, i={"id": topic}, c={"content": {"eq": "Tides"}})
    assert wrong.error["errorType"] == "DynamoDB:ConditionalCheckFailedException"
    assert client.ask(delete, key, i={"id": topic}, c={"content": {"eq": "Weather"}}).data["deleteTopic"] == {
        "id": topic
    }
    for headers in ({}, {"x-api-key": "da2-made-up"}):
        assert client.ask(listed, headers).status == 401
    # A key that has ended.
    ended = {"id": key["x-api-key"], "expires": int(time.time()) - 1}
    developer.client("appsync").update_api_key(apiId=client.api["apiId"], **ended)
    assert client.ask(listed, key).status == 401


def test_each_way_to_authorize_opens_its_own_fields(
    developer: LocalAccount, app_export: Callable[[str, str], Path]
) -> None:
    """product-catalog: IAM by default, with a list of roles; users and a key for some fields."""
    client = deployed(developer, assemble(read_export(app_export("product-catalog", "recompiled"))))
    products, comments = "{ listProducts { items { id } } }", "{ listComments { items { id } } }"
    user, key = client.user("ann"), client.key()
    assert client.ask(comments, user).data["listComments"] == {"items": []}
    # Of herself only.
    sub = json.loads(base64.urlsafe_b64decode(f"{user['authorization'].split('.')[1]}=="))["sub"]
    create = "mutation($i: CreateUserInput!) { createUser(input: $i) { id name } }"
    for name, refused in ((sub, False), ("another", True)):
        said = client.ask(create, user, i={"id": name, "email": "ann@example.com", "name": "Ann", "role": "VIEWER"})
        assert ("errors" in said.body) is refused, said.body
    read = "query($id: ID!) { getUser(id: $id) { name } }"
    assert client.ask(read, user, id=sub).data["getUser"] == {"name": "Ann"}
    for query, headers in ((comments, key), (products, key), (products, user)):
        assert client.ask(query, headers).error["errorType"] == "Unauthorized"
    # Not one of the app's roles: its rights let it in, the resolver does not.
    own = developer.credentials
    stranger = client.ask_signed(products, Credentials(own.access_key_id, own.secret_access_key)).error
    assert stranger["message"] == "Not Authorized to access listProducts on type Query"
    # A user with the role that the identity pool gives her.
    signer = client.identity("bob")
    assert client.ask_signed(products, signer).data["listProducts"] == {"items": []}
    made = 'mutation { createProduct(input: {serialno: 1, engword: "tea", price: 2.5}) { engword price stock } }'
    said = client.ask_signed(made, signer)
    assert said.data["createProduct"] == {"engword": "tea", "price": 2.5, "stock": None}


def test_what_is_not_played_is_refused_by_name(developer: LocalAccount) -> None:
    """An API of one's own: tokens of another issuer, and a data source that only AWS can ask."""
    appsync = developer.client("appsync")
    issuer = {"issuer": "https://issuer.example.com"}
    api = appsync.create_graphql_api(
        name="own",
        authenticationType="API_KEY",
        additionalAuthenticationProviders=[
            {"authenticationType": "OPENID_CONNECT", "openIDConnectConfig": issuer},
        ],
    )["graphqlApi"]["apiId"]
    appsync.create_api_key(apiId=api)
    schema = "type Query { weather: String @aws_api_key @aws_oidc, day: AWSDate }"
    appsync.start_schema_creation(apiId=api, definition=schema.encode())
    place = {"endpoint": "https://weather.example.com"}
    appsync.create_data_source(apiId=api, name="weather", type="HTTP", httpConfig=place)
    request = '{"version": "2018-05-29", "method": "GET", "resourcePath": "/"}'
    field = {"typeName": "Query", "fieldName": "weather", "dataSourceName": "weather"}
    appsync.create_resolver(apiId=api, **field, requestMappingTemplate=request, responseMappingTemplate="{}")
    client = GraphQLClient(developer)
    error = client.ask("{ weather }", client.key()).error
    assert error["errorType"] == "NotPlayedByTheLocalAWS"
    assert error["message"] == "Query.weather: The local AWS does not play data sources of type HTTP (weather)."
    refused = client.ask("{ weather }", {"authorization": "e30.e30.made-up"})
    assert (refused.status, refused.error["message"]) == (401, "The local AWS does not play OpenID Connect.")
    assert client.ask("{ nothing }", client.key()).body["data"] is None


_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_AUTHORIZER = """exports.handler = async (event) => ({
  isAuthorized: event.authorizationToken.startsWith("let me in"),
  deniedFields: event.authorizationToken.endsWith("partly") ? ["Query.name"] : [],
});"""


def test_tokens_of_other_uses_and_an_additional_authorizer(developer: LocalAccount) -> None:
    """Users by default; whoever brings another token is the authorizer's to judge, and nobody's without one.

    Long: one API with each way to sign in, asked in turn.
    """
    cognito, appsync = developer.client("cognito-idp"), developer.client("appsync")
    pool = cognito.create_user_pool(PoolName="users")["UserPool"]["Id"]
    cognito.create_user_pool_client(UserPoolId=pool, ClientName="Web")
    users = {"userPoolId": pool, "awsRegion": developer.region, "defaultAction": "ALLOW"}
    named = {"name": "both", "authenticationType": "AMAZON_COGNITO_USER_POOLS", "userPoolConfig": users}
    api = appsync.create_graphql_api(**named)["graphqlApi"]["apiId"]
    schema = "type Query { name: String @aws_cognito_user_pools @aws_lambda }"
    appsync.start_schema_creation(apiId=api, definition=schema.encode())
    appsync.create_data_source(apiId=api, name="none", type="NONE")
    field = {"typeName": "Query", "fieldName": "name", "dataSourceName": "none"}
    request, response = '{"version": "2018-05-29", "payload": "said"}', "$util.toJson($ctx.result)"
    appsync.create_resolver(apiId=api, **field, requestMappingTemplate=request, responseMappingTemplate=response)
    client = GraphQLClient(developer)

    tokens = client.signed_in("ann")
    answers = {
        use: client.ask("{ name }", {"authorization": tokens[use]}).status
        for use in ("IdToken", "AccessToken", "RefreshToken")
    }
    assert answers == {"IdToken": 200, "AccessToken": 200, "RefreshToken": 401}

    def answered(provider: Mapping[str, object], token: str) -> Answered:
        lambdas = {"authenticationType": "AWS_LAMBDA", **provider}
        appsync.update_graphql_api(apiId=api, **named, additionalAuthenticationProviders=[lambdas])
        return client.ask("{ name }", {"authorization": token})

    def asked(provider: Mapping[str, object], token: str) -> int:
        return answered(provider, token).status

    assert asked({}, "let me in") == 401
    function = {
        "Code": {"ZipFile": _AUTHORIZER},
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Runtime": "nodejs20.x",
    }
    stack = developer.create(
        {
            "Resources": {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _TRUST}},
                "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            },
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}}},
        }
    )
    function_arn = stack["Outputs"][0]["OutputValue"]
    authorizer = {"lambdaAuthorizerConfig": {"authorizerUri": function_arn}}
    # AppSync asks the function as itself: the function's own policy has to let it in.
    assert asked(authorizer, "let me in") == 401
    permission = {"StatementId": "appsync", "Action": "lambda:InvokeFunction", "Principal": "appsync.amazonaws.com"}
    developer.client("lambda").add_permission(FunctionName=function_arn, **permission)
    assert (asked(authorizer, "let me in"), asked(authorizer, "me too")) == (200, 401)
    denied = answered(authorizer, "let me in partly")
    assert denied.error["message"] == "Not Authorized to access name on type Query"
    assert denied.body["data"] == {"name": None}
    short = {"lambdaAuthorizerConfig": {"authorizerUri": function_arn, "identityValidationExpression": "^.{9}$"}}
    assert (asked(short, "let me in"), asked(short, "let me in, too")) == (200, 401)

    # Users that may read only what is marked for them.
    strict = {**named, "userPoolConfig": {**users, "defaultAction": "DENY"}}
    appsync.update_graphql_api(apiId=api, **strict)
    assert client.ask("{ name }", {"authorization": tokens["IdToken"]}).data == {"name": "said"}
    appsync.start_schema_creation(apiId=api, definition=b"type Query { name: String }")
    refused = client.ask("{ name }", {"authorization": tokens["IdToken"]})
    assert refused.error["errorType"] == "Unauthorized"
    appsync.update_graphql_api(apiId=api, **named)
    assert client.ask("{ name }", {"authorization": tokens["IdToken"]}).data == {"name": "said"}


_JAVASCRIPT = """import { util } from "@aws-appsync/utils";
export function request(ctx) { return %s; }
export function response(ctx) {
  if (ctx.error) util.error(ctx.error.message, ctx.error.type);
  return ctx.result;
}"""
_PUT = """{
  operation: "PutItem",
  key: util.dynamodb.toMapValues({ id: ctx.args.id }),
  attributeValues: util.dynamodb.toMapValues({ n: ctx.args.n }),
  condition: { expression: "attribute_not_exists(id)" },
}"""
_GET = '{ operation: "GetItem", key: util.dynamodb.toMapValues({ id: ctx.args.id }) }'


def test_javascript_asks_with_the_data_sources_role_and_its_conditions(developer: LocalAccount) -> None:
    """MiniStack runs the code; what it asks is asked here."""
    attribute = {"AttributeName": "id", "AttributeType": "S"}
    developer.client("dynamodb").create_table(
        TableName="Items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[attribute],
        BillingMode="PAY_PER_REQUEST",
    )
    iam, appsync = developer.client("iam"), developer.client("appsync")
    service = {"Effect": "Allow", "Principal": {"Service": "appsync.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="items", AssumeRolePolicyDocument=json.dumps({"Statement": [service]}))["Role"]
    allowed = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="items", PolicyName="put", PolicyDocument=policy)
    api = appsync.create_graphql_api(name="javascript", authenticationType="API_KEY")["graphqlApi"]["apiId"]
    appsync.create_api_key(apiId=api)
    schema = (
        "type Item { id: ID! n: Int } type Query { item(id: ID!): Item } type Mutation { put(id: ID!, n: Int): Item }"
    )
    appsync.start_schema_creation(apiId=api, definition=schema.encode())
    table = {"tableName": "Items", "awsRegion": developer.region}
    given = {"serviceRoleArn": role["Arn"], "dynamodbConfig": table}
    appsync.create_data_source(apiId=api, name="items", type="AMAZON_DYNAMODB", **given)
    runtime = {"name": "APPSYNC_JS", "runtimeVersion": "1.0.0"}
    for kind, field, document in (("Mutation", "put", _PUT), ("Query", "item", _GET)):
        named = {"typeName": kind, "fieldName": field, "dataSourceName": "items"}
        appsync.create_resolver(apiId=api, **named, runtime=runtime, code=_JAVASCRIPT % document)
    client = GraphQLClient(developer)
    put = 'mutation { put(id: "1", n: %d) { id n } }'
    assert client.ask(put % 3, client.key()).data["put"] == {"id": "1", "n": 3}
    # The same once more: the role may not read what is there, so nothing tells that it is as wanted.
    assert client.ask(put % 3, client.key()).error["errorType"] == "DynamoDB:ConditionalCheckFailedException"
    denied = client.ask('{ item(id: "1") { n } }', client.key()).error
    assert denied["errorType"] == "DynamoDB:DynamoDbException"
    assert (
        "because no identity-based policy allows the dynamodb:GetItem action (Service: DynamoDb, " in denied["message"]
    )
    reading = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Action": "dynamodb:GetItem"}]})
    iam.put_role_policy(RoleName="items", PolicyName="get", PolicyDocument=reading)
    assert client.ask(put % 3, client.key()).data["put"] == {"id": "1", "n": 3}
    assert client.ask(put % 4, client.key()).error["errorType"] == "DynamoDB:ConditionalCheckFailedException"


def test_what_an_api_limits_and_what_an_error_tells(developer: LocalAccount) -> None:
    appsync = developer.client("appsync")
    settings = {"name": "limits", "authenticationType": "API_KEY"}
    api = appsync.create_graphql_api(**settings)["graphqlApi"]["apiId"]
    appsync.create_api_key(apiId=api)
    schema = "type Thing { id: ID, secret: String, next: Thing } type Query { thing: Thing, broken: Thing }"
    appsync.start_schema_creation(apiId=api, definition=schema.encode())
    appsync.create_data_source(apiId=api, name="none", type="NONE")
    item = '{"id": "1", "secret": "s", "next": {"id": "2", "secret": "t", "next": {"id": "3"}}}'
    error = f'$util.error("no", "Broken", $util.parseJson(\'{item}\'), {{"all": "told"}})'
    for field, response in (("thing", "$util.toJson($ctx.result)"), ("broken", error)):
        named = {"typeName": "Query", "fieldName": field, "dataSourceName": "none"}
        request = f'{{"version": "2018-05-29", "payload": {item}}}'
        appsync.create_resolver(apiId=api, **named, requestMappingTemplate=request, responseMappingTemplate=response)
    client = GraphQLClient(developer)

    # An error's data is what was asked for, its info is all.
    told = client.ask("{ broken { id next { ...Of } } } fragment Of on Thing { id }", client.key()).error
    assert (told["errorType"], told["data"]) == ("Broken", {"id": "1", "next": {"id": "2"}})
    assert told["errorInfo"] == {"all": "told"}

    deep, types = "{ thing { id next { id next { id } } } }", "{ __schema { types { name } } }"
    assert client.ask(deep, client.key()).data["thing"]["next"]["next"] == {"id": "3"}
    assert client.ask(types, client.key()).data["__schema"]["types"]
    limited = {"introspectionConfig": "DISABLED", "queryDepthLimit": 3, "resolverCountLimit": 1}
    appsync.update_graphql_api(apiId=api, **settings, **limited)
    answer = client.ask(deep, client.key())
    assert answer.error["errorType"] == "QueryDepthLimitReached"
    assert answer.body["data"] == {"thing": {"id": "1", "next": {"id": "2", "next": {"id": None}}}}
    hidden = client.ask(types, client.key())
    assert (hidden.body["data"], hidden.error["message"].partition(":")[0]) == (
        None,
        "Validation error of type FieldUndefined",
    )
    assert client.ask("{ __typename }", client.key()).data == {"__typename": "Query"}
    twice = client.ask("{ one: thing { id } two: thing { id } }", client.key())
    assert twice.error["errorType"] == "ResolverExecutionLimitReached"
    assert twice.body["data"] == {"one": {"id": "1"}, "two": None}
