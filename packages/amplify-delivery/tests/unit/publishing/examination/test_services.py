"""What services refuse and no schema says: each form of it found, and what is like it and right left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination.computed import impossible_names
from amplify_delivery.publishing.examination.graphql_schema import examine_schema
from amplify_delivery.publishing.examination.services import SERVICE_CHECKS
from amplify_delivery.publishing.examination.services.iam import attached_policies
from amplify_delivery.publishing.examination.tree import Tree
from unit.publishing.conftest import spoiled, tree_of

Template = dict[str, Any]
Change = Callable[[Template], object]
STORAGE, HELLO, AUTH = ("storagefullappstorage",), ("functionhelloFn",), ("authfullappauth",)


def told(assembly: Assembly, path: tuple[str, ...], *changes: Change) -> list[str]:
    """Id and message of what is found when the template of one stack is changed."""

    def change(template: Template) -> None:
        for one in changes:
            one(template)

    tree = tree_of(spoiled(assembly, path, change))
    return [f"{f.id} {f.message}" for check in SERVICE_CHECKS for f in check(tree)]


def put(name: str, kind: str, **properties: Any) -> Change:
    return lambda t: t["Resources"].update({name: {"Type": kind, "Properties": properties}})


def of(name: str, **properties: Any) -> Change:
    return lambda t: t["Resources"][name]["Properties"].update(properties)


def gone(name: str) -> Change:
    return lambda t: t["Resources"].pop(name)


def statement(size: int) -> Template:
    return {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{'x' * size}"}]}


def reading(resource: Any, action: str = "dynamodb:*") -> Template:
    return {"Statement": [{"Effect": "Allow", "Action": [action], "Resource": resource}]}


def test_nothing_is_found_as_exported(full: Assembly, todo: Assembly) -> None:
    for tree in map(tree_of, (full, todo)):
        assert [f for check in SERVICE_CHECKS for f in check(tree)] == []


def test_a_roles_inline_policies_count_together(full: Assembly) -> None:
    role = [{"Ref": "LambdaExecutionRole"}]
    two = [put(n, "AWS::IAM::Policy", Roles=role, PolicyDocument=statement(5_000)) for n in ("One", "Two")]
    (found,) = told(full, HELLO, *two)
    assert found.startswith("AD735 One and what else it has inline with 2 more of the same role has 10,")
    other = put("Two", "AWS::IAM::Policy", Roles=["another"], PolicyDocument=statement(5_000))
    assert told(full, HELLO, two[0], other) == []
    of_role = of("LambdaExecutionRole", Policies=[{"PolicyName": "p", "PolicyDocument": statement(5_000)}])
    assert len(told(full, HELLO, two[0], of_role)) == 1


def test_white_space_of_a_policy_does_not_count(full: Assembly) -> None:
    assert told(full, HELLO, put("P", "AWS::IAM::ManagedPolicy", PolicyDocument=statement(6_200)))
    spaced = {"Statement": [{"Resource": "arn:aws:s3:::" + "x " * 3_000}]}
    assert told(full, HELLO, put("P", "AWS::IAM::ManagedPolicy", PolicyDocument=spaced)) == []


@pytest.mark.parametrize(("kind", "found"), [("ALL", True), ("KEYS_ONLY", True), ("INCLUDE", False)])
def test_an_index_that_projects_all_names_no_attributes(full: Assembly, kind: str, found: bool) -> None:
    projection = {"ProjectionType": kind, "NonKeyAttributes": ["a"]}
    table = put("T", "AWS::DynamoDB::Table", LocalSecondaryIndexes=[{"IndexName": "i", "Projection": projection}])
    assert bool(told(full, HELLO, table)) is found


def test_a_table_without_a_stream_has_no_stream_arn(full: Assembly) -> None:
    def output(condition: Template) -> Change:
        return lambda t: t["Outputs"].update(Extra={"Value": {"Fn::GetAtt": ["T", "StreamArn"]}, **condition})

    table, with_stream = put("T", "AWS::DynamoDB::Table"), put("T", "AWS::DynamoDB::Table", StreamSpecification={})
    (found,) = told(full, HELLO, table, output({}))
    assert "output Extra reads its StreamArn" in found
    assert told(full, HELLO, with_stream, output({})) == []
    assert told(full, HELLO, table, output({"Condition": "ShouldNotCreateEnvResources"})) == []


def test_a_user_pool_has_aliases_or_user_name_attributes(full: Assembly) -> None:
    both = of("UserPool", AliasAttributes=["email"], UsernameAttributes=["email"])
    assert told(full, AUTH, both) == [
        "AD737 UserPool has AliasAttributes and UsernameAttributes: Cognito takes one of them"
    ]
    assert told(full, AUTH, of("UserPool", AliasAttributes=["email"], UsernameAttributes=[])) == []


def test_a_client_has_attributes_of_its_pool(full: Assembly) -> None:
    reads = of("UserPoolClient", ReadAttributes=["email", "custom:company"])
    assert "custom:company" in told(full, AUTH, reads)[0]
    company = of("UserPool", Schema=[{"Name": "company", "AttributeDataType": "String"}])
    assert told(full, AUTH, reads, company) == []


CALLS = {"Fn::GetAtt": ["Fn", "Arn"]}
MAY = put("May", "AWS::Lambda::Permission", FunctionName={"Ref": "Fn"}, Principal="s3.amazonaws.com")


def calling(*after: str) -> Change:
    def change(template: Template) -> None:
        put("Fn", "AWS::Lambda::Function")(template)
        configuration = {"LambdaConfigurations": [{"Function": CALLS}]}
        put("B", "AWS::S3::Bucket", NotificationConfiguration=configuration)(template)
        template["Resources"]["B"]["DependsOn"] = list(after)

    return change


def test_a_bucket_is_made_after_the_permission_of_what_it_calls(full: Assembly) -> None:
    assert "which S3 may not call" in told(full, HELLO, calling())[0]
    assert "may be made before May" in told(full, HELLO, calling(), MAY)[0]
    assert told(full, HELLO, calling("May"), MAY) == []
    between = put("Between", "AWS::SNS::Topic", TopicName={"Ref": "May"})
    assert told(full, HELLO, calling("Between"), MAY, between) == []
    in_text = put("Between", "AWS::SNS::Topic", DisplayName={"Fn::Sub": "after ${May}"})
    assert told(full, HELLO, calling("Between"), MAY, in_text) == []
    sns = put("May", "AWS::Lambda::Permission", FunctionName={"Ref": "Fn"}, Principal="sns.amazonaws.com")
    assert "which S3 may not call" in told(full, HELLO, calling("May"), sns)[0]


def test_what_order_alone_decides_is_a_warning(full: Assembly) -> None:
    """Where the permission is deployed, a bucket that gets its notification later is made after it."""

    def severities(*changes: Change) -> list[str]:
        tree = tree_of(spoiled(full, HELLO, lambda t: [change(t) for change in changes]))
        return [f.severity for check in SERVICE_CHECKS for f in check(tree)]

    assert severities(calling(), MAY) == ["warning"]
    assert severities(calling()) == ["refused"]
    anybody = put("May", "AWS::Lambda::Permission", FunctionName={"Ref": "Fn"}, Principal="*")
    assert severities(calling("May"), anybody) == []


def test_who_may_call_an_alias_is_not_judged(full: Assembly) -> None:
    alias = put(
        "Fn", "AWS::Lambda::Alias", FunctionName={"Ref": "LambdaFunction"}, FunctionVersion="$LATEST", Name="live"
    )
    assert told(full, HELLO, calling(), alias) == []


TABLE = put("T", "AWS::DynamoDB::Table", StreamSpecification={"StreamViewType": "KEYS_ONLY"})
STREAM = {"Fn::GetAtt": ["T", "StreamArn"]}


def reading_from(source: Any, *after: str) -> Change:
    """A function that a stream calls, made after others."""
    given = {"EventSourceArn": source, "FunctionName": {"Ref": "LambdaFunction"}, "StartingPosition": "LATEST"}
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": given, "DependsOn": list(after)}
    return lambda t: t["Resources"].update(M=mapping)


def follows(name: str, *others: str) -> Change:
    return lambda t: t["Resources"][name].update(DependsOn=list(others))


MAPPING = reading_from(STREAM)


@pytest.mark.parametrize(
    ("resource", "action", "right"),
    [
        (STREAM, "dynamodb:GetRecords", True),
        ("*", "dynamodb:Get*", True),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["T", "Arn"]}, "/stream/*"]]}, "dynamodb:*", True),
        (STREAM, "dynamodb:PutItem", False),
        ({"Fn::GetAtt": ["T", "Arn"]}, "dynamodb:*", False),
        ({"Fn::Join": ["/", [{"Fn::GetAtt": ["T", "Arn"]}, "index/*"]]}, "dynamodb:*", False),
    ],
)
def test_a_function_may_read_the_stream_that_calls_it(full: Assembly, resource: Any, action: str, right: bool) -> None:
    policy = put(
        "P", "AWS::IAM::Policy", Roles=[{"Ref": "LambdaExecutionRole"}], PolicyDocument=reading(resource, action)
    )
    found = told(full, HELLO, TABLE, reading_from(STREAM, "P"), policy)
    assert found == ([] if right else [found[0]])
    assert right or "which has no dynamodb:GetRecords on it" in found[0]


IN_A_VPC = {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
QUEUE_ARN = {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:letters-${env}"}
TOPIC_ARN = {"Fn::Sub": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:letters-${env}"}


@pytest.mark.parametrize(
    ("properties", "needed", "enough"),
    [
        (IN_A_VPC, "ec2:CreateNetworkInterface", "ec2:Create*"),
        ({"DeadLetterConfig": {"TargetArn": QUEUE_ARN}}, "sqs:SendMessage", "sqs:*"),
        ({"DeadLetterConfig": {"TargetArn": TOPIC_ARN}}, "sns:Publish", "sns:Publish"),
        ({"DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Q", "Arn"]}}}, "sqs:SendMessage", "sqs:SendMessage"),
        ({"TracingConfig": {"Mode": "Active"}}, "xray:PutTraceSegments", "xray:Put*"),
        ({"VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}}, "", "logs:*"),
        ({"VpcConfig": {"SubnetIds": {"Ref": "env"}, "SecurityGroupIds": ["sg-1"]}}, "", "logs:*"),
        ({"TracingConfig": {"Mode": "PassThrough"}}, "", "logs:*"),
    ],
)
def test_what_lambda_tries_when_a_function_is_made(full: Assembly, properties: Any, needed: str, enough: str) -> None:
    changes = [put("Q", "AWS::SQS::Queue"), of("LambdaFunction", **properties)]
    found = told(full, HELLO, *changes)
    assert [f.partition(" ")[0] for f in found] == (["AD738"] if needed else [])
    assert not needed or f"LambdaExecutionRole, which has no {needed}" in found[0]
    role = [{"Ref": "LambdaExecutionRole"}]
    policy = put("P", "AWS::IAM::Policy", Roles=role, PolicyDocument=reading("*", enough))
    assert told(full, HELLO, *changes, policy, follows("LambdaFunction", "P")) == []
    managed = of("LambdaExecutionRole", ManagedPolicyArns=["arn:aws:iam::aws:policy/x"])
    assert [f for f in told(full, HELLO, *changes, managed) if f.startswith("AD738")] == []


OPEN_NAME = {"Fn::Sub": "role-${AWS::StackName}"}


def policy_of(roles: list[Any], action: str) -> Change:
    return put("P", "AWS::IAM::Policy", Roles=roles, PolicyDocument=reading("*", action))


def managed(*arns: Any) -> Change:
    return of("LambdaExecutionRole", ManagedPolicyArns=list(arns))


def of_aws(name: str) -> Template:
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{name}"}


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ((), True),
        # Whose a policy is, only CloudFormation knows; what it gives, everybody.
        ((policy_of([OPEN_NAME], "dynamodb:*"),), False),
        ((policy_of([OPEN_NAME], "s3:*"),), True),
        ((managed("arn:aws:iam::aws:p"),), False),
        ((managed({"Ref": "env"}),), False),
        ((managed({"Fn::ImportValue": "policy"}),), False),
        ((managed(of_aws("service-role/AWSLambdaBasicExecutionRole")),), True),
        ((managed(of_aws("service-role/AWSLambdaDynamoDBExecutionRole")),), False),
        ((managed(of_aws("AdministratorAccess")),), False),
        ((managed({"Ref": "Own"}), put("Own", "AWS::IAM::ManagedPolicy", PolicyDocument=reading("*", "s3:*"))), True),
        ((managed({"Ref": "Own"}), put("Own", "AWS::IAM::ManagedPolicy", PolicyDocument=reading("*"))), False),
        ((of("LambdaExecutionRole", Policies=[OPEN_NAME]),), False),
        ((of("LambdaExecutionRole", Policies={"Fn::ImportValue": "p"}),), False),
    ],
)
def test_what_a_role_may_be_given_elsewhere(full: Assembly, changes: tuple[Change, ...], denied: bool) -> None:
    found = [f for f in told(full, HELLO, TABLE, MAPPING, *changes) if f.startswith("AD738")]
    assert [("which has no dynamodb:GetRecords on it" in f) for f in found] == ([True] if denied else [])


def test_an_import_of_another_stream_gives_no_right(full: Assembly) -> None:
    def imported(table: str) -> Template:
        return {"Fn::ImportValue": {"Fn::Sub": f"${{AWS::StackId}}:GetAtt:{table}:StreamArn"}}

    mapping = reading_from(imported("A"), "P")

    def policy(table: str) -> Change:
        document = reading(imported(table))
        return put("P", "AWS::IAM::Policy", Roles=[{"Ref": "LambdaExecutionRole"}], PolicyDocument=document)

    assert told(full, HELLO, mapping, policy("A")) == []
    assert "of a table" in told(full, HELLO, mapping, policy("B"))[0]


def test_an_export_name_is_given_once(full: Assembly) -> None:
    def exports(*names: Any) -> Change:
        several = {f"E{n}": {"Value": "v", "Export": {"Name": name}} for n, name in enumerate(names)}
        return lambda t: t["Outputs"].update(several)

    named = {"Fn::Sub": "${AWS::Region}-table"}
    (found,) = told(full, HELLO, exports(named, named))
    assert found == "AD739 output E1 has the export name of output E0 of functionhelloFn"
    assert told(full, HELLO, exports(named, {"Fn::Sub": "${AWS::StackName}-table"})) == []


def test_of_two_under_a_condition_one_may_be_made(full: Assembly) -> None:
    def conditional(template: Template) -> None:
        template["Resources"]["Two"]["Condition"] = "ShouldNotCreateEnvResources"

    two = [put(n, "AWS::SNS::Topic", TopicName="same") for n in ("One", "Two")]
    assert len(told(full, HELLO, *two)) == 1
    assert told(full, HELLO, *two, conditional) == []


@pytest.mark.parametrize(
    ("domain", "problem"),
    [
        ("mycognito", "reserved"),
        ("aws-app", "reserved"),
        ("-app", "hyphen"),
        ("app-", "hyphen"),
        ("my-app", ""),
        ({"Fn::Join": ["-", ["app", {"Ref": "UserPool"}]]}, ""),
    ],
)
def test_a_domain_has_no_reserved_word_and_no_hyphen_at_an_end(full: Assembly, domain: Any, problem: str) -> None:
    made = spoiled(full, AUTH, put("D", "AWS::Cognito::UserPoolDomain", Domain=domain))
    found = [f.message for f in impossible_names(tree_of(made))]
    assert len(found) == bool(problem)
    assert all({"reserved": "aws, amazon or cognito", "hyphen": "hyphen"}[problem] in message for message in found)


def test_a_name_counts_what_it_takes_of_the_stacks_name(full: Assembly) -> None:
    part = {"Fn::Select": [3, {"Fn::Split": ["-", {"Ref": "AWS::StackName"}]}]}
    name = {"Fn::Join": ["", ["a" * 58, part, "-", {"Ref": "env"}]]}
    tree = tree_of(spoiled(full, STORAGE, of("S3Bucket", BucketName=name)))
    known = Tree(tree.assembly, tree.root_key, tree.root, tree.staging_bucket, tree.region, stack="amplify-a-dev-12345")
    assert list(impossible_names(tree)) == []
    (found,) = impossible_names(known)
    assert "has 67 characters" in found.message


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        (
            "type Query { a(b: B): Int } type B { c: Int }",
            "Query.a(b:) takes the type B: an input belongs there (line 1)",
        ),
        ("type Query { a: B } input B { c: Int }", "Query.a is of B: a type belongs there (line 1)"),
        ("type Query { a(b: B): Int } input B { c: [C!] } type C { d: Int }", "B.c is of C: an input belongs there"),
        ("type Query { a(b: B!): [C] } input B { c: E } enum E { X } type C { e: E }", ""),
    ],
)
def test_types_and_inputs_stand_where_they_belong(schema: str, says: str) -> None:
    problems, _ = examine_schema(schema)
    assert len(problems) == bool(says)
    assert all(says in problem for problem in problems)


@pytest.mark.parametrize(
    ("subscription", "says"),
    [
        ('a: Int @aws_subscribe(mutations: ["make"])', ""),
        ('a: Int! @aws_subscribe(mutations: "make")', ""),
        ("a: Int", ""),
        ('a: String @aws_subscribe(mutations: ["make"])', "Subscription.a gives String, and hears make, which gives"),
    ],
)
def test_a_subscription_hears_a_mutation_of_its_type(subscription: str, says: str) -> None:
    problems, _ = examine_schema(
        f"type Query {{ a: Int }} type Mutation {{ make: Int! }} type Subscription {{ {subscription} }}"
    )
    assert len(problems) == bool(says)
    assert all(says in problem for problem in problems)


@pytest.mark.parametrize(
    ("kind", "property", "name", "right"),
    [
        ("Stage", "StageName", "v1-live_2", True),
        ("Stage", "StageName", "v1.0", False),
        ("Model", "Name", "Order2", True),
        ("Model", "Name", "my-order", False),
    ],
)
def test_names_within_an_api(full: Assembly, kind: str, property: str, name: str, right: bool) -> None:
    made = spoiled(full, HELLO, put("It", f"AWS::ApiGateway::{kind}", **{property: name}))
    assert [f.id for f in impossible_names(tree_of(made))] == ([] if right else ["AD733"])


def test_names_of_stored_parameters(full: Assembly) -> None:
    """The prefixes that are AWS's own stand at a name's beginning, alone or as the first part of a path."""
    own = {"Ref": "AWS::StackName"}
    right = ["/amplify/d1abc/dev/AMPLIFY_aws", "awards", "/awsome/x", {"Fn::Join": ["", [own, "ssm"]]}]
    wrong = ["aws-thing", "AWS.thing", "SSM-TESTPARAM", "/aws/x", "/ssm", {"Fn::Join": ["", ["/aws/", own]]}, "a b"]

    def store(template: Template) -> None:
        for index, name in enumerate([*right, *wrong]):
            put(f"P{index:02}", "AWS::SSM::Parameter", Name=name)(template)

    found = [f.message.split(".")[0] for f in impossible_names(tree_of(spoiled(full, HELLO, store)))]
    assert found == [f"P{index:02}" for index in range(len(right), len(right) + len(wrong))]


OF_AWS = "arn:aws:iam::aws:policy/"
LAMBDA_BASIC = "service-role/AWSLambdaBasicExecutionRole"


@pytest.mark.parametrize(
    ("policy", "id_"),
    [
        ("AWSLambdaBasicExecutionRole", "AD718"),
        ("service-role/AmazonDynamoDBFullAccess", "AD718"),
        ("amazondynamodbfullaccess", "AD718"),
        ("AmazonDynamoDBFulAccess", "AD719"),
        ("AmazonDynamoDBFullAcess", "AD719"),
        ("AmazonDyanmoDBFullAccess", "AD719"),
        ("service-role/AWSLambdaBasicExecutionRoles", "AD719"),
        # AWS has retired it, and nobody can attach it any more (pulumi 7419).
        ("AWSLambdaFullAccess", "AD719"),
        ("MyOwnPolicy", "AD719"),
        # Only OpenSearch's own role may have it (aws-cdk 6131).
        ("aws-service-role/AmazonElasticsearchServiceRolePolicy", "AD718"),
        ("AmazonDynamoDBFullAccess", None),
        (LAMBDA_BASIC, None),
        # Others that AWS has, however near.
        ("AmazonMQFullAccess", None),
        ("AmazonDynamoDBFullAccess_v2", None),
        ("AmazonElasticFileSystemFullAccess", None),
        ("job-function/ViewOnlyAccess", None),
    ],
)
def test_a_managed_policy_of_aws_stands_where_aws_has_it(full: Assembly, policy: str, id_: str | None) -> None:
    given = of("LambdaExecutionRole", ManagedPolicyArns=[OF_AWS + policy])
    assert [found.partition(" ")[0] for found in told(full, HELLO, given)] == ([id_] if id_ else [])
    in_parts = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::aws:policy/{policy}"]]}
    given = of("LambdaExecutionRole", ManagedPolicyArns=[in_parts])
    assert [found.partition(" ")[0] for found in told(full, HELLO, given)] == ([id_] if id_ else [])


@pytest.mark.parametrize(
    ("code", "runtime", "more", "found"),
    [
        ("const aws = require('aws-sdk');", "nodejs18.x", {}, True),
        ('import AWS from "aws-sdk";', "nodejs22.x", {}, True),
        ("const S3 = require( 'aws-sdk/clients/s3' );", "nodejs20.x", {}, True),
        ("const aws = require('aws-sdk');", "nodejs16.x", {}, False),
        (
            "const aws = require('aws-sdk');",
            "nodejs18.x",
            {"Layers": ["arn:aws:lambda:us-east-1:1:layer:sdk:1"]},
            False,
        ),
        ("const { S3Client } = require('@aws-sdk/client-s3');", "nodejs22.x", {}, False),
        ("const aws = require('aws-sdk-mock');", "nodejs22.x", {}, False),
        ("  // const aws = require('aws-sdk');", "nodejs22.x", {}, False),
        ("/* const aws =\n require('aws-sdk'); */", "nodejs22.x", {}, False),
        ("// the SDK\nconst aws = require('aws-sdk');", "nodejs22.x", {}, True),
    ],
)
def test_inline_code_finds_what_its_runtime_brings(
    full: Assembly, code: str, runtime: str, more: Template, *, found: bool
) -> None:
    inline = {"ZipFile": {"Fn::Join": ["\n", ["const response = require('cfn-response');", code]]}}
    function = put("F", "AWS::Lambda::Function", Code=inline, Runtime=runtime, **more)
    asked = put("C", "Custom::LambdaCallout", ServiceToken={"Fn::GetAtt": ["F", "Arn"]})
    assert [f.partition(" ")[0] for f in told(full, HELLO, function, asked)] == (["AD722"] if found else [])
    assert told(full, HELLO, function) == [], "what no custom resource waits for fails nothing"


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", {"Ref": "AWS::Partition"}), ("us-east-1", "aws-us-gov")]
)
def test_the_list_is_not_that_of_other_partitions(full: Assembly, region: str, partition: Any) -> None:
    elsewhere = {"Fn::Join": ["", ["arn:", partition, ":iam::aws:policy/AWSLambdaRole"]]}

    def change(template: Template) -> None:
        of("LambdaExecutionRole", ManagedPolicyArns=[elsewhere])(template)

    tree = replace(tree_of(spoiled(full, HELLO, change)), region=region)
    assert list(attached_policies(tree)) == []


def either(one: Any, other: Any) -> Template:
    """A choice that only CloudFormation can make: by a parameter that it looks up."""
    return {"Fn::If": ["OnlyAwsKnows", one, other]}


RIGHT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
WITHOUT = {**RIGHT, "Resource": []}
NAMELESS = {**RIGHT, "Action": "GetObject"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ([either(WITHOUT, NAMELESS)], "has a statement with an empty Resource"),
        ([either(WITHOUT, RIGHT)], None),
        ([either(WITHOUT, {"Ref": "AWS::NoValue"})], None),
        ([RIGHT, {**RIGHT, "Resource": either([], [])}], "has a statement with an empty Resource"),
        ([{**RIGHT, "Resource": either([], "*")}], None),
        ([{**RIGHT, "Action": ["s3:*", either("GetObject", "PutObject")]}], "allows or denies 'GetObject'"),
        ([{**RIGHT, "Action": either(["GetObject"], "s3:PutObject")}], None),
        (either([], [WITHOUT]), "has a policy without a statement"),
        (either([], [RIGHT]), None),
        (either(either([WITHOUT], []), [NAMELESS]), "has a statement with an empty Resource"),
    ],
)
def test_a_policy_that_is_wrong_whichever_way_it_turns_out(full: Assembly, statement: Any, said: str | None) -> None:
    looked_up = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/which"}

    def conditional(template: Template) -> None:
        template.setdefault("Parameters", {})["Which"] = looked_up
        template.setdefault("Conditions", {})["OnlyAwsKnows"] = {"Fn::Equals": [{"Ref": "Which"}, "yes"]}

    for document in ({"Statement": statement}, either({"Statement": statement}, {"Statement": statement})):
        given = put("P", "AWS::IAM::ManagedPolicy", PolicyDocument=document)
        found = told(full, HELLO, conditional, given)
        assert [f.partition(" ")[0] for f in found] == (["AD715"] if said else [])
        assert said is None or said in found[0]


def lifecycle(**rule: Any) -> Change:
    return of("S3Bucket", LifecycleConfiguration={"Rules": [{"Status": "Enabled", **rule}]})


def to(storage: str, days: Any) -> Template:
    return {"StorageClass": storage, "TransitionInDays": days}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"Transitions": [to("STANDARD_IA", 7)]}, "to STANDARD_IA after 7 days"),
        ({"Transition": to("ONEZONE_IA", "29")}, "to ONEZONE_IA after 29 days"),
        ({"Transitions": [to("GLACIER", 30)], "ExpirationInDays": 30}, "deletes objects after 30 days"),
        ({"Transitions": [to("GLACIER", 30)], "ExpirationInDays": "10"}, "deletes objects after 10 days"),
        ({"Transitions": [to("STANDARD_IA", 30), to("GLACIER", 30)]}, "S3 wants the second 30 days after the first"),
        (
            {"Transitions": [to("GLACIER", 59), to("STANDARD_IA", 30)]},
            "to STANDARD_IA after 30 days and to GLACIER after 59",
        ),
        ({"Transitions": [to("STANDARD_IA", 30), to("GLACIER", 60)]}, None),
        (
            {"Transitions": [to("GLACIER", 30), to("STANDARD_IA", 60)]},
            "to STANDARD_IA after 60 days and to GLACIER after 30",
        ),
        ({"Transitions": [to("GLACIER", 1), to("DEEP_ARCHIVE", 1)]}, "S3 wants the second after the first"),
        ({"Transitions": [to("GLACIER", 1), to("DEEP_ARCHIVE", 2)]}, None),
        ({"Transitions": [to("GLACIER_IR", 0), to("DEEP_ARCHIVE", 89)]}, "S3 wants the second 90 days after the first"),
        ({"Transitions": [to("GLACIER_IR", 0), to("DEEP_ARCHIVE", 90)]}, None),
        (
            {"Transitions": [to("ONEZONE_IA", 30), to("INTELLIGENT_TIERING", 90)]},
            "to INTELLIGENT_TIERING after 90 days and",
        ),
        ({"Transitions": [to("GLACIER", 1), to("GLACIER", 90)]}, "to GLACIER twice in one rule"),
        ({"Transitions": [to("ONEZONE_IA", 30), to("GLACIER_IR", 90)]}, "from one of them to the other"),
        ({"Transitions": [to("ONEZONE_IA", 30), to("GLACIER", 90)]}, None),
        ({"NoncurrentVersionTransitions": [to("STANDARD_IA", 7)]}, "moves noncurrent versions to STANDARD_IA after 7"),
        (
            {
                "NoncurrentVersionTransitions": [to("GLACIER", 30)],
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            },
            "deletes noncurrent versions after 30 days",
        ),
        ({"NoncurrentVersionTransition": to("GLACIER", 30), "NoncurrentVersionExpirationInDays": 31}, None),
        ({"Transitions": [to("GLACIER", 0)], "ExpirationInDays": 1}, None),
        ({"Transitions": [to("INTELLIGENT_TIERING", 0)]}, None),
        ({"Transitions": [to("STANDARD_IA", {"Ref": "days"})]}, None),
        ({"Status": "Disabled", "Transitions": [to("STANDARD_IA", 30)], "ExpirationInDays": 31}, None),
    ],
)
def test_a_lifecycle_that_s3_does_not_take(full: Assembly, rule: Template, said: str | None) -> None:
    found = told(full, STORAGE, lifecycle(**rule))
    assert [f.partition(" ")[0] for f in found] == (["AD720"] if said else [])
    assert said is None or said in found[0]


@pytest.mark.parametrize(
    ("kind", "cluster", "remedy"),
    [
        ("AWS::Elasticsearch::Domain", "ElasticsearchClusterConfig", "m5.large.elasticsearch"),
        ("AWS::OpenSearchService::Domain", "ClusterConfig", "m5.large.search"),
    ],
)
def test_a_search_domains_remedy_names_an_instance_of_its_own(
    full: Assembly, kind: str, cluster: str, remedy: str
) -> None:
    given = {cluster: {"InstanceType": "t2.small.search"}, "EncryptionAtRestOptions": {"Enabled": True}}
    tree = tree_of(spoiled(full, HELLO, put("Search", kind, **given)))
    (found,) = (f for check in SERVICE_CHECKS for f in check(tree))
    assert found.id == "AD714"
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ({"Fn::Sub": "shop_${env}"}, "'shop_dev' may hold"),
        ({"Fn::Join": ["/", ["shop", {"Ref": "env"}]]}, "'shop/dev' may hold"),
        ("x" * 256, "has 256 characters, 255 are allowed"),
        ({"Fn::Sub": "shop:${env}-${AWS::StackName}"}, None),
        ("x" * 255, None),
    ],
)
def test_an_export_has_a_name_that_cloudformation_takes(full: Assembly, name: Any, said: str | None) -> None:
    def change(template: Template) -> None:
        template.setdefault("Outputs", {})["Told"] = {"Value": "x", "Export": {"Name": name}}

    tree = tree_of(spoiled(full, HELLO, change))
    found = [f.message for f in impossible_names(tree)]
    assert len(found) == (said is not None)
    assert said is None or (said in found[0] and "Told" in found[0])


ENV, ZONES = {"Ref": "env"}, {"Ref": "zones"}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"Assertions": [{"Assert": {"Fn::Contains": [["prod", "test"], ENV]}}]}, True),
        ({"Assertions": [{"Assert": {"Fn::Contains": [["dev"], ENV]}}]}, False),
        ({"Assertions": [{"Assert": {"Fn::Not": [{"Fn::Equals": [ENV, "dev"]}]}}]}, True),
        ({"Assertions": [{"Assert": {"Fn::And": [{"Fn::Equals": [ENV, "dev"]}, {"Fn::Equals": ["a", "b"]}]}}]}, True),
        ({"Assertions": [{"Assert": {"Fn::Or": [{"Fn::Equals": [ENV, "dev"]}, {"Fn::Equals": ["a", "b"]}]}}]}, False),
        ({"Assertions": [{"Assert": {"Fn::EachMemberEquals": [["dev", ENV], "dev"]}}]}, False),
        ({"Assertions": [{"Assert": {"Fn::EachMemberIn": [["dev", "qa"], ["dev", "prod"]]}}]}, True),
        # It asks something only where its own condition holds.
        (
            {
                "RuleCondition": {"Fn::Equals": [ENV, "prod"]},
                "Assertions": [{"Assert": {"Fn::Equals": [ENV, "none"]}}],
            },
            False,
        ),
        # A list parameter is its members ("Fn::Contains", "Fn::EachMemberIn": lists of texts).
        ({"Assertions": [{"Assert": {"Fn::Contains": [ZONES, "b"]}}]}, False),
        ({"Assertions": [{"Assert": {"Fn::Contains": [ZONES, "c"]}}]}, True),
        ({"Assertions": [{"Assert": {"Fn::EachMemberIn": [ZONES, ["a", "b", "c"]]}}]}, False),
        ({"Assertions": [{"Assert": {"Fn::EachMemberIn": [ZONES, ["a"]]}}]}, True),
        # One that is called after a parameter of Parameter Store has a value that only AWS knows.
        ({"Assertions": [{"Assert": {"Fn::Contains": [["6", "7"], {"Ref": "stored"}]}}]}, False),
        # So have the attributes of a parameter that AWS looks up.
        ({"Assertions": [{"Assert": {"Fn::EachMemberIn": [{"Fn::ValueOfAll": ["x", "VpcId"]}, ["v"]]}}]}, False),
    ],
)
def test_a_rule_of_a_template_is_asked_with_the_environments_values(
    full: Assembly, rule: Template, *, told: bool
) -> None:
    rule["Assertions"][0]["AssertDescription"] = "only where it may be"

    def change(template: Template) -> None:
        template["Rules"] = {"Place": rule}
        template["Parameters"] |= {
            "zones": {"Type": "CommaDelimitedList", "Default": "a, b"},
            "stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/hnb659fds/version"},
        }

    tree = tree_of(spoiled(full, HELLO, change))
    found = [f for check in SERVICE_CHECKS for f in check(tree)]
    assert [f.id for f in found] == ["AD721"] * told
    assert not told or ("Place" in found[0].message and "only where it may be" in found[0].message)
