"""One list of all that is found out: each with one id, one severity, a source, and a case that is found and one that
is not.

Cases of AD1xx to AD6xx are exports (`unit/export/checks/cases`); those from AD700 on stand here, as changes of a real
export's rendered templates, or of what is deployed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import amplify_delivery
from amplify_delivery.changes import catalogue
from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.imports import not_exported
from amplify_delivery.changes.impossible import ALWAYS, impossible
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import AddResource
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import Assembly
from amplify_delivery.export.assembling.successors import SUCCESSOR
from amplify_delivery.publishing.examination.preflight import CHECKS, _refused
from unit.delivery.planning.stacks_of import changed, stacks_of, with_resource
from unit.export.checks.test_cases import CASES as OF_EXPORTS
from unit.places import REPOSITORY
from unit.publishing.conftest import spoiled, tree_of, with_object
from unit.rows import each

PACKAGE = Path(amplify_delivery.__file__).parent
RULES = {rule.id: rule for rule in catalogue.all_rules()}
ROOT: tuple[str, ...] = ("apimytodoapp",)
MODEL = (*ROOT, "Todo")
Template = dict[str, Any]
Change = Callable[[Template], object]
TOPIC: Template = {"Type": "AWS::SNS::Topic"}


def resource(kind: str, **properties: Any) -> Change:
    return lambda t: t["Resources"].update(Extra={"Type": kind, "Properties": properties})


def output(value: Any, **more: Any) -> Change:
    return lambda t: (t.update(more), t["Outputs"].update(Extra={"Value": value}))


def trust(action: str) -> Change:
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": action}
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": [statement]})


def code(key: str) -> Change:
    from_staging = {"S3Bucket": "app-dev-staging-444444444444-us-east-1-an", "S3Key": key}
    return resource("AWS::Lambda::Function", Code=from_staging)


def given(name: str) -> Change:
    return lambda t: t["Resources"]["Todo"]["Properties"]["Parameters"].update({name: "1"})


def resolves(field: str) -> Change:
    return resource("AWS::AppSync::Resolver", TypeName="Query", FieldName=field)


IN_MAP = {"Fn::FindInMap": ["m", {"Ref": "env"}, "a"]}
NEVER = {"Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}
API_ID = {"Fn::GetAtt": ["GraphQLAPI", "ApiId"]}


def paths(*several: str) -> Change:
    return resource("AWS::ApiGateway::RestApi", Body={"paths": {path: {} for path in several}})


def policy(size: int) -> Change:
    return resource("AWS::IAM::ManagedPolicy", PolicyDocument="x" * size)


def table(indexes: int) -> Change:
    return resource("AWS::DynamoDB::Table", GlobalSecondaryIndexes=[{"IndexName": str(n)} for n in range(indexes)])


def client(url: str) -> Change:
    return resource("AWS::Cognito::UserPoolClient", CallbackURLs=[url])


def bucket(function: Any) -> Change:
    calls = {"LambdaConfigurations": [{"Event": "s3:ObjectCreated:*", "Function": function}]}
    return lambda t: t["Resources"].update(
        Extra={"Type": "AWS::S3::Bucket", "Properties": {"NotificationConfiguration": calls}},
        Fn={"Type": "AWS::Lambda::Function", "Properties": {}},
    )


def given_to(kind: str, property: str, value: str) -> Change:
    """A property whose value is that of a parameter."""
    parameter = {"Type": "String", "Default": value}
    return lambda t: (t["Parameters"].update(Given=parameter), resource(kind, **{property: {"Ref": "Given"}})(t))


def unpassed(name: str) -> Change:
    parameter = {"Type": "String", "Default": name}
    return lambda t: (t["Parameters"].update({name: parameter}), resource("AWS::SNS::Topic", X={"Ref": name})(t))


def pipeline(functions: int) -> Change:
    names = {"ApiId": "another", "TypeName": "Query", "FieldName": "getTodo"}
    return resource("AWS::AppSync::Resolver", **names, PipelineConfig={"Functions": ["f"] * functions})


def rest(paths: Template) -> Change:
    deployment = {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Extra"}}}
    body = {"paths": paths}
    return lambda t: (resource("AWS::ApiGateway::RestApi", Body=body)(t), t["Resources"].update(Deployed=deployment))


def domain(instance: str) -> Change:
    cluster = {"InstanceType": instance}
    at_rest = {"Enabled": True}
    kind = "AWS::Elasticsearch::Domain"
    return resource(kind, ElasticsearchClusterConfig=cluster, EncryptionAtRestOptions=at_rest)


def asserting(said: str) -> Change:
    return lambda t: t.update(Rules={"Rule": {"Assertions": [{"Assert": {"Fn::Contains": [["yes"], said]}}]}})


def tiered(days: int) -> Change:
    rule = {"Status": "Enabled", "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": days}]}
    return resource("AWS::S3::Bucket", LifecycleConfiguration={"Rules": [rule]})


def allowing(**statement: Any) -> Change:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return resource("AWS::IAM::ManagedPolicy", PolicyDocument=document)


def own_domain(region: str) -> Change:
    certificate = {"CertificateArn": {"Fn::Sub": f"arn:aws:acm:{region}:${{AWS::AccountId}}:certificate/1"}}
    return resource("AWS::Cognito::UserPoolDomain", CustomDomainConfig=certificate)


def topics(*names: str) -> Change:
    several = {f"T{n}": {**TOPIC, "Properties": {"TopicName": name}} for n, name in enumerate(names)}
    return lambda t: t["Resources"].update(several)


def answering(code: str) -> Change:
    function = {
        "Runtime": "nodejs18.x",
        "Code": {"ZipFile": {"Fn::Join": ["\n", ["// a function", f"const s = {code};"]]}},
    }
    return lambda t: t["Resources"].update(
        Answering={"Type": "AWS::Lambda::Function", "Properties": function},
        Asked={"Type": "Custom::It", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Answering", "Arn"]}}},
    )


def variable(name: str) -> Change:
    return resource("AWS::Lambda::Function", Environment={"Variables": {name: "x"}})


def mapping(**given: Any) -> Change:
    source = {"EventSourceArn": {"Fn::Sub": "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:jobs"}}
    return resource("AWS::Lambda::EventSourceMapping", **source, **given)


def invitation(message: str) -> Change:
    return resource(
        "AWS::Cognito::UserPool", AdminCreateUserConfig={"InviteMessageTemplate": {"EmailMessage": message}}
    )


def okta(*after: str) -> Change:
    pool = {"UserPoolId": {"Ref": "Pool"}}
    client = {"Type": "AWS::Cognito::UserPoolClient", "DependsOn": list(after)}
    provider = {"Type": "AWS::Cognito::UserPoolIdentityProvider", "Properties": {**pool, "ProviderName": "Okta"}}
    return lambda t: t["Resources"].update(
        Pool={"Type": "AWS::Cognito::UserPool", "Properties": {}},
        Provider=provider,
        Client={**client, "Properties": {**pool, "SupportedIdentityProviders": ["Okta"]}},
    )


def told_of(*events: str) -> Change:
    each = [{"Event": event, "Queue": "arn:aws:sqs:us-east-1:111111111111:jobs"} for event in events]
    return resource("AWS::S3::Bucket", NotificationConfiguration={"QueueConfigurations": each})


def run_by(service: str) -> Change:
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [statement]}}}
    function = resource("AWS::Lambda::Function", Role={"Fn::GetAtt": ["Runs", "Arn"]})
    return lambda t: (function(t), t["Resources"].update(Runs=role))


LETTERS = "arn:aws:sqs:us-east-1:111111111111:letters"
OF_TEMPLATES: dict[str, tuple[Change, Change]] = {
    "AD701": (code("functions/none.zip"), lambda t: None),
    "AD702": (given("Nobody"), lambda t: None),
    "AD703": (output({"Fn::GetAtt": ["Todo", "Outputs.None"]}), output({"Fn::GetAtt": ["Todo", "Arn"]})),
    "AD704": (trust("s3:GetObject"), trust("sts:AssumeRole")),
    "AD706": (resolves("nothing"), resolves("getTodo")),
    "AD707": (
        resource("AWS::AppSync::Resolver", ApiId=API_ID, TypeName="Query", FieldName="getTodo"),
        resource("AWS::AppSync::Resolver", ApiId="another", TypeName="Query", FieldName="getTodo"),
    ),
    "AD708": (paths("/a/{id}", "/a/{name}/b"), paths("/a/{id}", "/a/{id}/b", "/b/{name}")),
    "AD709": (
        resource("AWS::CloudFormation::Stack", TemplateURL="./nested.yaml"),
        resource("AWS::CloudFormation::Stack", TemplateURL="https://s3.amazonaws.com/mine/nested.yaml"),
    ),
    "AD710": (
        given_to("AWS::Lambda::Function", "MemorySize", "64"),
        given_to("AWS::Lambda::Function", "MemorySize", "128"),
    ),
    "AD711": (unpassed("functionhelloArn"), unpassed("colour")),
    "AD712": (pipeline(11), pipeline(10)),
    "AD713": (
        rest({"/a": {"get": {"responses": {}}}}),
        rest({"/a": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}, "parameters": []}}),
    ),
    "AD714": (domain("t2.small.elasticsearch"), domain("m5.large.elasticsearch")),
    "AD715": (allowing(Action="s3:*", Resource=[]), allowing(Action=["s3:*", "*"], Resource="*")),
    "AD716": (
        resource("AWS::AppSync::GraphQLApi", AuthenticationType="AWS_LAMBDA"),
        resource("AWS::AppSync::GraphQLApi", AuthenticationType="AWS_LAMBDA", LambdaAuthorizerConfig={}),
    ),
    "AD717": (own_domain("eu-west-1"), own_domain("us-east-1")),
    "AD718": (
        resource("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/AWSLambdaRole"]),
        resource("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaRole"]),
    ),
    "AD719": (
        resource("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3FulAccess"]),
        resource("AWS::IAM::Role", ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3FullAccess"]),
    ),
    "AD720": (tiered(7), tiered(30)),
    "AD721": (asserting("no"), asserting("yes")),
    "AD722": (answering("require('aws-sdk')"), answering("require('@aws-sdk/client-s3')")),
    "AD723": (variable("MY-VAR"), variable("MY_VAR")),
    "AD724": (mapping(StartingPosition="LATEST"), mapping()),
    "AD725": (invitation("Welcome, {username}"), invitation("{username}: {####}")),
    "AD726": (okta(), okta("Provider")),
    "AD727": (
        told_of("s3:ObjectCreated:*", "s3:ObjectCreated:Put"),
        told_of("s3:ObjectCreated:*", "s3:ObjectRemoved:*"),
    ),
    "AD728": (
        resource("AWS::Events::Rule", EventPattern={"source": "aws.s3"}),
        resource("AWS::Events::Rule", EventPattern={"source": ["aws.s3"]}),
    ),
    "AD729": (run_by("apigateway"), run_by("lambda")),
    "AD730": (
        output(IN_MAP, Mappings={"m": {"prod": {"a": "x"}}}),
        output(IN_MAP, Mappings={"m": {"dev": {"a": "x"}}}),
    ),
    "AD731": (
        resource("AWS::Lambda::Function", Layers=["arn:aws:lambda:eu-west-1:017000801446:layer:Tools:34"]),
        resource("AWS::Lambda::Function", Layers=["arn:aws:lambda:us-east-1:017000801446:layer:Tools:34"]),
    ),
    "AD732": (
        lambda t: (t.update(NEVER), t["Resources"].update(X={**TOPIC, "Condition": "Never"}), output({"Ref": "X"})(t)),
        lambda t: (t["Resources"].update(X=TOPIC), output({"Ref": "X"})(t)),
    ),
    "AD733": (resource("AWS::S3::Bucket", BucketName="Upper"), resource("AWS::S3::Bucket", BucketName="lower")),
    "AD734": (
        resource("AWS::EC2::Subnet", AvailabilityZone="eu-west-1a"),
        resource("AWS::EC2::Subnet", AvailabilityZone="us-east-1a"),
    ),
    "AD735": (policy(6_143), policy(6_142)),
    "AD740": (
        resource("AWS::SQS::Queue", RedrivePolicy={"deadLetterTargetArn": LETTERS}),
        resource("AWS::SQS::Queue", RedrivePolicy={"deadLetterTargetArn": LETTERS, "maxReceiveCount": 3}),
    ),
    "AD736": (table(21), table(20)),
    "AD737": (client("http://example.com/"), client("http://localhost:3000/")),
    "AD738": (bucket({"Fn::GetAtt": ["Fn", "Arn"]}), bucket("arn:aws:lambda:us-east-1:111111111111:function:mine")),
    "AD739": (topics("one", "one"), topics("one", "other")),
    "AD760": (
        resource("AWS::SecretsManager::Secret", SecretString="x", GenerateSecretString={}),
        resource("AWS::SecretsManager::Secret", GenerateSecretString={}),
    ),
}
"""Of a nested stack's template: a change that is found, and one that is not."""

OLD, FULL = stacks_of("todo-series/v4"), stacks_of("full")
TABLE, POOL, FUNCTION = "apiseriesapp/Todo/TodoTable", "authseriesappauth/UserPool", "functionhelloFn/LambdaFunction"


def indexes(*names: str) -> list[Template]:
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    return [{"IndexName": n, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}} for n in names]


TWO_INDEXES = with_resource(OLD, TABLE, GlobalSecondaryIndexes=indexes("a", "b"))
EXPORT = {"Value": {"Ref": "TodoTable"}, "Export": {"Name": "todos"}}
EXPORTED = changed(OLD, "apiseriesapp/Todo", lambda t: t["Outputs"].update(Mine=EXPORT))
IMPORTED = with_resource(EXPORTED, POOL, UserPoolName={"Fn::ImportValue": "todos"})


def successor(**mark: str) -> Stacks:
    metadata = {SUCCESSOR: {"prefix": "v2-", **mark}}
    return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"]["TodoTable"].update(Metadata=metadata))


def expiring(attribute: str) -> Stacks:
    return with_resource(OLD, TABLE, TimeToLiveSpecification={"AttributeName": attribute, "Enabled": True})


def with_callout(**given: str) -> Stacks:
    callout = {"Type": "Custom::LambdaCallout", "Properties": {"ServiceToken": {"Ref": "LambdaFunction"}, **given}}
    return changed(FULL, "functionhelloFn", lambda t: t["Resources"].update(Callout=callout))


def with_topic(logical_id: str, name: Any) -> Stacks:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}
    return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"].update({logical_id: topic}))


def with_client(name: str) -> Stacks:
    """An app client, and the custom resource that sets its callback addresses."""
    asked = {"userPoolId": "p", "webClientId": {"Ref": "Web"}, "nativeClientId": "n", "oAuthMetadata": "{}"}
    made = {
        "Web": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"ClientName": name, "UserPoolId": "p"}},
        "Sets": {"Type": "Custom::LambdaCallout", "Properties": asked},
    }
    return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"].update(made))


def with_rule(logical_id: str, bus: str) -> Stacks:
    rule = {"Type": "AWS::Events::Rule", "Properties": {"Name": "nightly", "EventBusName": bus}}
    return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"].update({logical_id: rule}))


def with_mapping(logical_id: str, queue: str, **more: Any) -> Stacks:
    source = {"EventSourceArn": f"arn:aws:sqs:us-east-1:111122223333:{queue}", "FunctionName": "worker", **more}
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": source}
    return changed(OLD, "apiseriesapp/Todo", lambda t: t["Resources"].update({logical_id: mapping}))


def perhaps_named(logical_id: str) -> Stacks:
    """A topic that has a name if a condition holds which only CloudFormation knows."""
    return with_topic(logical_id, {"Fn::If": ["OnlyAwsKnows", "news", {"Ref": "AWS::NoValue"}]})


def perhaps_made(logical_id: str, rule: Any) -> Stacks:
    """A topic that is made if a condition holds."""
    topic = {"Type": "AWS::SNS::Topic", "Condition": "Perhaps", "Properties": {"TopicName": "news"}}

    def change(template: dict[str, Any]) -> None:
        template.setdefault("Conditions", {})["Perhaps"] = rule
        template["Resources"][logical_id] = topic

    return changed(OLD, "apiseriesapp/Todo", change)


OF_CHANGES: dict[str, tuple[tuple[Stacks | None, Stacks], tuple[Stacks | None, Stacks]]] = {
    "AD741": (
        (OLD, TWO_INDEXES),
        (with_resource(OLD, TABLE, GlobalSecondaryIndexes=indexes("a")), TWO_INDEXES),
    ),
    "AD742": ((OLD, with_resource(OLD, POOL, UsernameAttributes=["phone_number"])), (OLD, OLD)),
    "AD743": (
        (OLD, with_resource(OLD, TABLE, KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}])),
        (OLD, with_resource(OLD, TABLE, BillingMode="PROVISIONED")),
    ),
    "AD745": ((None, with_resource(FULL, FUNCTION, Runtime="nodejs12.x")), (None, FULL)),
    "AD746": ((OLD, with_resource(OLD, TABLE, Type="AWS::SNS::Topic")), (OLD, OLD)),
    "AD748": ((IMPORTED, OLD), (EXPORTED, OLD)),
    "AD750": ((expiring("ttl"), expiring("expires")), (OLD, expiring("ttl"))),
    "AD751": (
        (None, with_callout(lexRegion="us-east-1", region="us-east-1")),
        (None, with_callout(region="us-east-1")),
    ),
    "AD752": (
        (with_callout(appName="a", pingPointRegion="r"), with_callout(appName="b", pingPointRegion="r")),
        (with_callout(appName="a"), with_callout(appName="b")),
    ),
    "AD753": ((with_topic("T", "news"), with_topic("U", "news")), (with_topic("T", "news"), with_topic("U", "other"))),
    "AD754": ((with_client("web"), with_client("other")), (OLD, with_client("web"))),
    "AD749": ((successor(state="made"), successor(data="copy")), (successor(state="closed"), OLD)),
}
"""What is deployed and what should be: found, and not found."""
ELSEWHERE = {"AD215", "AD700", "AD705", "AD744", "AD747"}
"""Each with a test of its own, below; AD215 in `export/test_production.py`."""


def test_the_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "checks.md").read_text()
    assert page == catalogue.page(), "run `python -m amplify_delivery.changes.catalogue > docs/checks.md`"


def test_every_id_stands_for_one_thing_and_says_where_that_is_written() -> None:
    assert len(RULES) == len(catalogue.all_rules())
    for rule in RULES.values():
        assert rule.what.endswith((".", ")")), rule.id
        assert re.fullmatch(r"https://[\w./#-]+", rule.source), rule.id


def test_every_rule_says_what_to_do() -> None:
    assert [rule.id for rule in RULES.values() if not rule.remedy] == []
    assert {rule.severity for rule in RULES.values() if rule.remedy.startswith("nothing")} <= {"repaired", "warning"}


@each([(id,) for id in RULES])
def test_every_id_is_explained(id: str) -> None:
    found = catalogue.explain(id)
    assert (found.id, found.what, found.remedy) == (id, RULES[id].what, RULES[id].remedy)
    assert found.severity.startswith(RULES[id].severity)
    assert found.told_by
    # Of what is examined and planned, `lint.ignore` takes every id that AWS would refuse; of an export none.
    assert ("lint.ignore" in found.overruled) is (id >= "AD700" and id not in ALWAYS)


@pytest.mark.parametrize("asked", ["AD305", "ad305", "305", " AD305 "])
def test_an_id_is_understood_in_any_form(asked: str) -> None:
    assert catalogue.explain(asked).id == "AD305"
    assert "a secret of its own" in catalogue.explain(asked).overruled


@pytest.mark.parametrize(("asked", "near"), [("AD117", "AD107"), ("AD7O1", "AD701"), ("D305", "AD305"), ("E9999", "")])
def test_the_nearest_id_is_named(asked: str, near: str) -> None:
    with pytest.raises(ConfigError, match="no such id") as raised:
        catalogue.explain(asked)
    assert near in raised.value.remedy
    assert "check --list" in raised.value.remedy


@pytest.mark.parametrize(
    ("id", "severity", "says"),
    [
        ("E3012", "refused, as AD700", "the public schema"),
        ("E2531", "not applied", "must stay deliverable"),
        ("W3005", "not applied", "those do not count"),
    ],
)
def test_a_rule_of_cfn_lint_is_explained(id: str, severity: str, says: str) -> None:
    found = catalogue.explain(id)
    assert found.severity.startswith(severity)
    assert says in found.why
    assert found.source.startswith("https://")
    assert (f"{id} alone" in found.overruled) is (id == "E3012")


def test_every_rule_has_a_case_that_is_found_and_one_that_is_not() -> None:
    assert set(RULES) == {*OF_EXPORTS, *OF_TEMPLATES, *OF_CHANGES, *ELSEWHERE}


def test_nothing_is_found_without_a_rule() -> None:
    given = {id for file in PACKAGE.rglob("*.py") for id in re.findall(r'"(AD\d\d\d)"', file.read_text())}
    assert given == set(RULES)


def examined(assembly: Assembly) -> Iterator[tuple[str, str]]:
    tree = tree_of(assembly)
    return ((f.id, f.severity) for check in CHECKS for f in check(tree))


@pytest.mark.parametrize("id", OF_TEMPLATES)
def test_a_template_has_the_finding_if_it_is_spoiled_and_only_then(id: str, todo: Assembly) -> None:
    bad, good = OF_TEMPLATES[id]
    path = MODEL if id == "AD706" else ROOT
    assert (id, RULES[id].severity) in examined(spoiled(todo, path, bad))
    assert list(examined(spoiled(todo, path, good))) == []


def test_a_schema_ad705(todo: Assembly) -> None:
    key = next(o.key for o in todo.objects if o.kind == "schema")
    assert ("AD705", "refused") in examined(with_object(todo, key, todo.read(key) + b"type A { b: Nowhere }"))
    assert list(examined(with_object(todo, key, todo.read(key) + b"type A { b: Int }"))) == []


def test_cfn_lint_ad700() -> None:
    from amplify_delivery.publishing.examination.linter import Linter

    found = Linter().lint('{"Resources": {"F": {"Type": "AWS::Lambda::Funktion"}}}', ["us-east-1"])["us-east-1"]
    assert [_refused("file", problem).id for problem in found] == ["AD700"]
    assert Linter().lint('{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}', ["us-east-1"]) == {"us-east-1": []}


@pytest.mark.parametrize("id", OF_CHANGES)
def test_a_change_is_told_as_impossible_if_it_is_and_only_then(id: str) -> None:
    for expected, (old, new) in zip(([id], []), OF_CHANGES[id], strict=True):
        assert [i.id for i in impossible(plan_backend(old, new), old, new, date(2026, 6, 1))] == expected


def test_a_name_that_moves_is_told_where_it_is_one_of_a_kind() -> None:
    def found(old: Stacks, new: Stacks) -> list[str]:
        return [i.id for i in impossible(plan_backend(old, new), old, new, date(2026, 6, 1))]

    assert found(with_rule("T", "default"), with_rule("U", "default")) == ["AD753"]
    assert found(with_rule("T", "default"), with_rule("U", "orders")) == []
    assert found(with_mapping("T", "jobs"), with_mapping("U", "jobs")) == ["AD753"]
    assert found(with_mapping("T", "jobs"), with_mapping("U", "other")) == []
    # Another position is another mapping, and there may be one only (serverless-application-model 1320).
    latest, oldest = ({"StartingPosition": position} for position in ("LATEST", "TRIM_HORIZON"))
    assert found(with_mapping("T", "jobs", **latest), with_mapping("T", "jobs", **oldest)) == ["AD743"]
    assert found(with_mapping("T", "jobs", **latest), with_mapping("T", "other", **oldest)) == []
    assert found(with_mapping("T", "jobs", Topics=["a"]), with_mapping("U", "jobs", Topics=["b"])) == []
    assert found(perhaps_named("T"), perhaps_named("U")) == []
    # Nobody knows whether there is one, or will be.
    somewhere = {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}
    assert found(perhaps_made("T", somewhere), with_topic("U", "news")) == []
    assert found(with_topic("T", "news"), perhaps_made("U", somewhere)) == []
    always, never = ({"Fn::Equals": ["a", other]} for other in ("a", "b"))
    assert found(perhaps_made("T", always), perhaps_made("U", always)) == ["AD753"]
    assert found(with_topic("T", "news"), perhaps_made("U", never)) == []


def without_resolver(stacks: Stacks) -> tuple[Stacks, dict[str, Any]]:
    """Without one of the model's resolvers, and that."""
    found: dict[str, Any] = {}

    def change(template: dict[str, Any]) -> None:
        resources = template["Resources"]
        name = min(n for n, r in resources.items() if r["Type"] == "AWS::AppSync::Resolver")
        found.update(resources.pop(name))

    return changed(stacks, "apiseriesapp/Todo", change), found


def test_a_resolver_that_moves_to_another_stack_is_one_of_its_field() -> None:
    """amplify-cli 1189, amplify-category-api 32: "Only one resolver is allowed per field"."""
    new, resolver = without_resolver(OLD)
    api = {"Fn::GetAtt": ["GraphQLAPI", "ApiId"]}

    def found(new: Stacks, **properties: Any) -> list[str]:
        given = {**resolver["Properties"], "ApiId": api, "DataSourceName": "NONE", **properties}
        moved = {**resolver, "Properties": given}
        there = changed(new, "apiseriesapp", lambda t: t["Resources"].update(Moved=moved))
        return [i.id for i in impossible(plan_backend(OLD, there), OLD, there, date(2026, 6, 1))]

    assert found(new) == ["AD753"]
    assert found(new, FieldName="another") == []
    assert found(new, ApiId="a1b2c3") == []
    # Of another API, which is made in its place.
    private = changed(
        new, "apiseriesapp", lambda t: t["Resources"]["GraphQLAPI"]["Properties"].update(Visibility="PRIVATE")
    )
    assert "AD753" not in found(private)


@pytest.mark.parametrize(("count", "found"), [(2_499, []), (2_500, ["AD744"])])
def test_an_operation_ad744(count: int, found: list[str]) -> None:
    steps = [AddResource(("nested", f"R{n}"), "AWS::SNS::Topic", "") for n in range(count)]
    assert [i.id for i in impossible(steps, None, OLD, date(2026, 6, 1))] == found


@pytest.mark.parametrize(("exports", "found"), [({"vpc"}, []), (set[str](), ["AD747"])])
def test_an_import_ad747(exports: set[str], found: list[str]) -> None:
    new = with_resource(OLD, TABLE, Tags=[{"Key": "k", "Value": {"Fn::ImportValue": "vpc"}}])
    assert [i.id for i in not_exported(new, lambda: exports)] == found
