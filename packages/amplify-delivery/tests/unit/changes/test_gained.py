"""Rights that a release gains, on real exports and on planted changes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplify_delivery.changes.gained import Gained, gained
from amplify_delivery.delivery.planning import Stacks
from amplify_delivery.export import assemble, read_export
from unit.command_line import export
from unit.delivery.planning.stacks_of import changed, stacks_of, with_resource, without

STORAGE = "storagefullappstorage"
ROLE = "functionhelloFn/LambdaExecutionRole"


def full() -> Stacks:
    """Made by whoever asks, not by every process that collects."""
    return stacks_of("full")


def contents_of(name: str) -> Callable[[Collection[str]], Mapping[str, bytes]]:
    assembly = assemble(read_export(export(name)))
    return lambda keys: {key: assembly.read(key) for key in keys}


def found(old: Stacks | None, new: Stacks) -> list[Gained]:
    return list(gained(old, new).rights)


def told(old: Stacks | None, new: Stacks) -> list[str]:
    return [right.what for right in found(old, new)]


def with_statement(policy: str, **statement: Any) -> Stacks:
    """`full`, with one more statement in an inline or attached policy."""

    def change(template: dict[str, Any]) -> None:
        properties = template["Resources"][policy.rpartition("/")[2]]["Properties"]
        properties["PolicyDocument"]["Statement"].append({"Effect": "Allow", **statement})

    return changed(full(), policy.rpartition("/")[0], change)


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same policies in another order: statements, actions, resources, conditions' values; one-element lists may
    become their element."""
    if isinstance(value, Mapping):
        items = [(key, shuffled(item, dice)) for key, item in value.items()]
        dice.shuffle(items)
        for index, (key, item) in enumerate(items):
            if key in ("Statement", "Action", "Resource", "ManagedPolicyArns", "Policies", "Roles", "Service"):
                many = list(item) if isinstance(item, list) else [item]
                dice.shuffle(many)
                single = len(many) == 1 and key in ("Statement", "Action", "Resource", "Service")
                items[index] = (key, many[0] if single and dice.random() < 0.5 else many)
        return dict(items)
    return [shuffled(item, dice) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["full", "iam", "todo-series/v4"])
def test_an_unchanged_or_reordered_policy_gains_nothing(name: str) -> None:
    stacks, contents = stacks_of(name), contents_of(name)
    assert gained(stacks, stacks, contents, contents).rights == ()
    for seed in range(5):
        dice = random.Random(seed)
        templates = {path: copy.deepcopy(dict(body)) for path, body in stacks.templates.items()}
        for body in templates.values():
            for item in body["Resources"].values():
                if item["Type"].startswith("AWS::IAM::"):
                    item["Properties"] = shuffled(item["Properties"], dice)
        other = Stacks(templates, stacks.parameters)
        assert other.resolved.resources != stacks.resolved.resources
        assert found(stacks, other) == []


def test_nothing_is_gained_by_taking_away_or_by_narrowing() -> None:
    assert found(full(), without(full(), f"{STORAGE}/S3AuthUploadPolicy")) == []
    assert gained(stacks_of("todo-series/v4"), stacks_of("todo-series/v3")).rights == ()
    wide = with_statement(f"{STORAGE}/S3AuthUploadPolicy", Action="s3:*", Resource="arn:aws:s3:::a/*")
    narrow = {"Action": ["S3:getObject", "s3:Put*"], "Resource": ["arn:aws:s3:::a/b", "arn:aws:s3:::a/c/*"]}
    assert found(wide, with_statement(f"{STORAGE}/S3AuthUploadPolicy", **narrow)) == []
    assert found(with_statement(f"{STORAGE}/S3AuthUploadPolicy", **narrow), wide) != []


def test_an_action_in_a_nested_stack_is_named_with_its_role_and_resource() -> None:
    new = with_statement(
        "apifullapp/Todo/TodoIAMRoleDefaultPolicy7BBBF45B", Action="dynamodb:DeleteTable", Resource="*"
    )
    (right,) = found(full(), new)
    assert (right.kind, right.place) == ("action", "apifullapp/Todo/TodoIAMRoleDefaultPolicy7BBBF45B")
    assert right.what == "apifullapp/Todo/TodoIAMRole2DA8E66E may dynamodb:DeleteTable on *"
    assert not right.open


def test_a_role_is_the_same_by_its_name_and_by_its_reference() -> None:
    """Amplify names the auth roles by parameters of their names; the same policy inline in the role says the same."""
    by_name = full().resolved.resources[STORAGE, "S3AuthUploadPolicy"].properties
    assert by_name["Roles"] == ["amplify-fullapp-dev-12345-authRole"]
    policy = {"PolicyName": "moved", "PolicyDocument": by_name["PolicyDocument"]}
    gone = without(full(), f"{STORAGE}/S3AuthUploadPolicy")
    moved = with_resource(gone, "AuthRole", Policies=[policy])
    assert "AuthRole may s3:PutObject on" in told(gone, full())[0]
    inline = with_resource(full(), "AuthRole", Policies=[policy])
    assert (found(full(), inline), found(moved, moved)) == ([], [])


def test_conditions_count() -> None:
    place, base = f"{STORAGE}/S3AuthUploadPolicy", {"Action": "s3:Get*", "Resource": "*"}
    bare = with_statement(place, **base)
    bound = with_statement(place, **base, Condition={"StringEquals": {"aws:SourceVpc": ["v1", "v2"]}})
    tighter = with_statement(place, **base, Condition={"StringEquals": {"AWS:SourceVPC": "v1"}, "Bool": {"a": "true"}})
    assert (found(bare, bound), found(bound, tighter)) == ([], [])
    assert "aws:sourcevpc StringEquals v1, v2" in told(full(), bound)[0]
    assert told(bound, bare) == ["AuthRole may s3:Get* on *"]
    assert len(told(tighter, bound)) == 1


def test_all_but_some_actions() -> None:
    place = f"{STORAGE}/S3AuthUploadPolicy"
    less = with_statement(place, NotAction=["iam:*", "s3:*"], Resource="*")
    more = with_statement(place, NotAction="iam:*", Resource="*")
    one = with_statement(place, Action="sqs:SendMessage", Resource="*")
    assert (found(more, less), found(more, one)) == ([], [])
    assert told(less, more) == ["AuthRole may everything but iam:* on *"]
    assert found(one, more) != []


def test_a_denial_that_falls_is_gained_unless_its_holder_goes() -> None:
    place = f"{STORAGE}/S3AuthUploadPolicy"
    denied = with_statement(place, Effect="Deny", Action="s3:DeleteObject", Resource="*")
    (right,) = found(denied, full())
    assert (right.kind, right.what) == ("denial", "AuthRole is no longer denied s3:DeleteObject on *")
    assert found(full(), denied) == []
    inline = [{"PolicyName": "p", "PolicyDocument": {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}}]
    with_denial = with_resource(full(), ROLE, Policies=inline)
    fallen = found(with_denial, without(with_denial, "functionhelloFn"))
    assert "denial" not in {right.kind for right in fallen}


def test_managed_policies_count() -> None:
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    (right,) = found(full(), with_resource(full(), ROLE, ManagedPolicyArns=[admin]))
    assert right.what == f"{ROLE} may policy {admin}"
    document = {"Statement": [{"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}]}

    def add(attached: bool) -> Callable[[dict[str, Any]], None]:
        def change(template: dict[str, Any]) -> None:
            roles = {"Roles": [{"Ref": "LambdaExecutionRole"}]} if attached else {}
            properties = {"PolicyDocument": document, **roles}
            template["Resources"]["Mail"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
            if not attached:
                template["Resources"]["LambdaExecutionRole"]["Properties"]["ManagedPolicyArns"] = [{"Ref": "Mail"}]

        return change

    attached, named = (changed(full(), "functionhelloFn", add(way)) for way in (True, False))
    assert told(full(), attached) == told(full(), named) == [f"{ROLE} may ses:SendEmail on *"]
    assert found(attached, named) == []


def test_trust_in_a_role() -> None:
    other = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}]}
    new = with_resource(full(), ROLE, AssumeRolePolicyDocument=other)
    assert told(full(), new) == [f"222222222222 may become {ROLE} (sts:AssumeRole)"]
    anyone = copy.deepcopy(other)
    anyone["Statement"][0]["Principal"] = {"AWS": "*"}
    (right,) = found(new, with_resource(full(), ROLE, AssumeRolePolicyDocument=anyone))
    assert (right.kind, right.who, right.open) == ("trust", "anyone", True)
    assert found(with_resource(full(), ROLE, AssumeRolePolicyDocument=anyone), new) == []


def test_a_permission_that_loses_its_source_is_wider() -> None:
    (right,) = found(full(), with_resource(full(), f"{STORAGE}/TriggerPermissions", SourceAccount=None))
    assert right.kind == "principal"
    assert right.what.startswith("s3.amazonaws.com may lambda:InvokeFunction on functionS3Trigger7c1dfull/Lambda")


@pytest.mark.parametrize(
    ("type", "properties", "said"),
    [
        (
            "AWS::S3::BucketPolicy",
            {
                "Bucket": {"Ref": "S3Bucket"},
                "PolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]
                },
            },
            f"anyone may s3:GetObject on {STORAGE}/S3Bucket: *",
        ),
        (
            "AWS::SQS::QueuePolicy",
            {
                "Queues": ["https://q"],
                "PolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": "sqs:*", "Resource": "q"}]
                },
            },
            "anyone may sqs:* on https://q: q",
        ),
        ("AWS::Lambda::Url", {"AuthType": "NONE"}, "anyone: call the function at its URL (AuthType NONE)"),
        (
            "AWS::Lambda::Permission",
            {"Principal": "*", "Action": "lambda:InvokeFunctionUrl", "FunctionName": "f"},
            "anyone may lambda:InvokeFunctionUrl on f",
        ),
        (
            "AWS::ApiGateway::Method",
            {"HttpMethod": "ANY", "AuthorizationType": "NONE"},
            "anyone: call ANY (AuthorizationType NONE)",
        ),
        ("AWS::ApiGatewayV2::Route", {"RouteKey": "GET /x"}, "anyone: call GET /x (AuthorizationType NONE)"),
        (
            "AWS::ApiGateway::RestApi",
            {"Body": {"paths": {"/x": {"post": {}, "options": {}, "get": {"security": [{"sigv4": []}]}}}}},
            "anyone: call POST of /x (no security)",
        ),
        ("AWS::S3::Bucket", {"AccessControl": "PublicRead"}, "anyone: read objects (AccessControl PublicRead)"),
        (
            "AWS::EC2::SecurityGroup",
            {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1", "Description": "all"}]},
            '0.0.0.0/0 may SecurityGroupIngress {"CidrIp":"0.0.0.0/0","IpProtocol":"-1"} on ' + f"{STORAGE}/New",
        ),
    ],
)
def test_what_opens_a_resource(type: str, properties: dict[str, Any], said: str) -> None:
    def add(template: dict[str, Any]) -> None:
        template["Resources"]["New"] = {"Type": type, "Properties": properties}

    new = changed(full(), STORAGE, add)
    assert told(full(), new) == [said]
    assert found(new, new) == []
    assert found(None, new)[0].path


def test_cognito_opens() -> None:
    pool, identities = "authfullappauth/UserPool", "authfullappauth/IdentityPool"
    closed = with_resource(full(), identities, AllowUnauthenticatedIdentities=False)
    assert told(closed, full()) == ["guests: get credentials of the account (unauthenticated identities)"]
    closed = with_resource(full(), pool, AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
    (right,) = found(closed, full())
    assert (right.what, right.open) == ("anyone: sign up", True)


def test_an_api_key_opens_an_api() -> None:
    users = with_resource(full(), "apifullapp/GraphQLAPI", AdditionalAuthenticationProviders=None)
    (key, iam) = found(users, full())
    assert key.what == "anyone with the API key: calls the API, which lets in API_KEY"
    assert iam.who == "whom IAM lets in"


def test_a_bucket_that_blocks_public_access_no_more() -> None:
    blocks = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": "true",
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    place = f"{STORAGE}/S3Bucket"
    blocked = with_resource(full(), place, PublicAccessBlockConfiguration=blocks)
    assert found(full(), blocked) == []
    half = with_resource(full(), place, PublicAccessBlockConfiguration={**blocks, "BlockPublicPolicy": False})
    assert told(blocked, half) == ["anyone: BlockPublicPolicy is off"]
    (right,) = found(blocked, full())
    assert len(right.rights) == 4


def test_a_boundary_that_goes_is_gained() -> None:
    bound = stacks_of("full", "arn:aws:iam::111111111111:policy/limits")
    rights = found(bound, full())
    assert {right.kind for right in rights} == {"boundary"}
    assert "arn:aws:iam::111111111111:policy/limits, and is none" in rights[0].what
    assert found(full(), bound) == []


def test_what_a_new_model_opens_to_the_api_key() -> None:
    old, new = "todo-series/v2", "todo-series/v3"
    rights = gained(stacks_of(old), stacks_of(new), contents_of(old), contents_of(new)).rights
    opened = {right.path[-1]: right for right in rights if right.open}
    schema = opened["GraphQLAPITransformerSchema3CB2AE18"]
    assert schema.who == "anyone with the API key"
    assert {"Mutation.createTodoList", "Query.todosByListID"} <= set(schema.rights)
    assert "Query.getTodo" not in schema.rights
    assert any("TodoListtodosauth0" in name for name in opened)


def edited(stacks: Stacks, contents: Any, name: str, edit: Callable[[str], str]) -> tuple[Stacks, Any]:
    """An export in which the text of a resolver or schema is another one; and its contents."""
    path = next(p for p in stacks.resolved.resources if p[-1].startswith(name))
    properties = stacks.resolved.resources[path].properties
    where = "DefinitionS3Location" if "Schema" in name else "RequestMappingTemplateS3Location"
    key = properties[where].split("/", 3)[3]
    other = f"{key.split('/')[0]}/{'0' * 64}.{key.rpartition('.')[2]}"
    body = edit(contents([key])[key].decode()).encode()
    location = properties[where].replace(key, other)
    return with_resource(stacks, "/".join(path), **{where: location}), lambda keys: {
        k: body if k == other else contents([k])[k] for k in keys
    }


def test_a_public_rule_shows_in_the_resolver_and_in_the_schema() -> None:
    contents = contents_of("full")
    asked = '#if( $util.authType() == "API Key Authorization" )\n'
    opened = f"{asked}  #set( $isAuthorized = true )"
    new, its = edited(full(), contents, "QuerygetTodoauth0", lambda text: text.replace(asked, opened))
    (right,) = gained(full(), new, contents, its).rights
    assert (right.who, right.rights, right.open) == ("anyone with the API key", ("all that it guards",), True)
    back = gained(new, full(), its, contents)
    assert (back.rights, back.unread) == ((), ())

    new, its = edited(
        full(), contents, "GraphQLAPITransformerSchema", lambda t: t.replace("type Todo {", "type Todo @aws_api_key {")
    )
    (right,) = gained(full(), new, contents, its).rights
    assert right.what == (
        "anyone with the API key: Todo.createdAt, Todo.description, Todo.id, Todo.list, Todo.listID, Todo.name, "
        "Todo.owner, Todo.updatedAt"
    )

    unknown = gained(full(), new, lambda _: {}, its)
    assert (unknown.rights, unknown.unread) == ((), ("apifullapp/GraphQLAPITransformerSchema3CB2AE18",))


def test_the_same_bytes_in_another_bucket_gain_nothing() -> None:
    moved = copy.deepcopy({p: dict(t) for p, t in full().templates.items()})
    path = ("apifullapp",)
    name = next(n for n in moved[path]["Resources"] if n.startswith("GraphQLAPITransformerSchema"))
    key = full().resolved.resources[*path, name].properties["DefinitionS3Location"].split("/", 3)[3]
    moved[path]["Resources"][name]["Properties"]["DefinitionS3Location"] = f"s3://elsewhere/{key}"
    comparison = gained(full(), Stacks(moved, full().parameters))
    assert (comparison.rights, comparison.unread) == ((), ())


def test_what_another_tool_has_put_elsewhere_is_compared_by_its_text() -> None:
    contents = contents_of("full")
    path = next(p for p in full().resolved.resources if p[-1].startswith("QuerygetTodoauth0"))
    key = full().resolved.resources[path].properties["RequestMappingTemplateS3Location"].split("/", 3)[3]
    there = "s3://deployment/resolvers/Query.getTodo.auth.1.req.vtl"
    pushed = with_resource(full(), "/".join(path), RequestMappingTemplateS3Location=there)
    body = contents([key])[key]

    def found(text: bytes) -> Callable[[Collection[str]], Mapping[str, bytes]]:
        return lambda keys: {k: text if k == there else contents([k])[k] for k in keys}

    same = gained(pushed, full(), found(body), contents)
    assert (same.rights, same.unread) == ((), ())
    closed = gained(pushed, full(), found(b"$util.unauthorized()"), contents)
    assert ([right.who for right in closed.rights], closed.unread) == (["every user of the user pool"], ())
    opened = body.replace(b'"API Key Authorization" )', b'"API Key Authorization" )\n#set( $isAuthorized = true )')
    assert len(gained(full(), pushed, contents, found(opened)).rights) == 1
    assert len(gained(pushed, full(), lambda keys: {}, contents).unread) == 1


def test_conditions_of_templates_that_are_not_known_count() -> None:
    """A statement under a condition that is not known covers no statement that is there always."""
    place = f"{STORAGE}/S3AuthUploadPolicy"
    statement = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}

    def perhaps(template: dict[str, Any]) -> None:
        template.setdefault("Conditions", {})["Here"] = {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}
        document = template["Resources"]["S3AuthUploadPolicy"]["Properties"]["PolicyDocument"]
        document["Statement"].append({"Fn::If": ["Here", statement, {"Ref": "AWS::NoValue"}]})

    sometimes, always = changed(full(), STORAGE, perhaps), with_statement(place, **statement)
    assert found(always, sometimes) == []
    assert told(sometimes, always) == ["AuthRole may sns:Publish on *"]
    assert "if " in told(full(), sometimes)[0]


NAMES = (
    "Statement", "Effect", "Action", "NotAction", "Resource", "Principal", "NotPrincipal", "Condition", "AWS", "Fn::If",
    "Ref", "Fn::GetAtt", "Fn::Join", "PolicyDocument", "Policies", "Roles", "ManagedPolicyArns", "Body", "paths",
    "AssumeRolePolicyDocument", "RoleMappings", "Rules", "RulesConfiguration", "AuthenticationType", "Policy", "get",
    "AdditionalAuthenticationProviders", "UserPoolConfig", "SecurityGroupIngress", "PublicAccessBlockConfiguration",
    "AccessControl", "PermissionsBoundary", "FunctionName", "Bucket", "HttpMethod", "AuthorizationType", "Users",
    "CallbackURLs", "DefinitionS3Location", "Definition", "RequestMappingTemplate", "ApiId", "RoleName", "Topics",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["*", "Deny", "NONE", "s3://b/k", "true", "a:b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
KINDS = (
    *("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::User"),
    *("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::Lambda::Permission", "AWS::KMS::Key"),
    *("AWS::AppSync::GraphQLApi", "AWS::AppSync::GraphQLSchema", "AWS::AppSync::Resolver", "AWS::Lambda::Url"),
    *("AWS::ApiGateway::RestApi", "AWS::ApiGateway::Method", "AWS::Cognito::IdentityPoolRoleAttachment"),
    *(
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::EC2::SecurityGroup",
        "AWS::Events::EventBusPolicy",
    ),
    *("AWS::Cognito::UserPoolGroup", "AWS::Serverless::Function", "AWS::IAM::UserToGroupAddition"),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)), max_size=4)
)
def test_whatever_stands_in_a_template_a_plan_is_made(found: list[tuple[str, dict[str, Any]]]) -> None:
    """And what is there already is never gained."""
    resources = {f"auth{n}": {"Type": kind, "Properties": properties} for n, (kind, properties) in enumerate(found)}
    stacks = Stacks({(): {"Resources": resources}}, {})
    for right in gained(None, stacks).rights:
        assert right.what
        assert right.to_json()["rights"]
    assert gained(stacks, stacks).rights == ()


def test_a_template_that_nobody_knows_gains_nothing() -> None:
    """A nested stack whose template one side does not know is compared by what its parent says."""
    known = {path: body for path, body in full().templates.items() if path != ("apifullapp", "Todo")}
    less = Stacks(known, full().parameters)
    assert (found(less, full()), found(full(), less)) == ([], [])
