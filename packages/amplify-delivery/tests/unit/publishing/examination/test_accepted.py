"""What AWS takes, or what nobody can know beforehand, is not refused: inputs that look like a fault and are none."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from amplify_delivery.export import Assembly
from amplify_delivery.publishing.examination import preflight
from amplify_delivery.publishing.examination.preflight import CHECKS, Deployment, examine, refusing
from unit.publishing.conftest import BUCKET, rendered, spoiled, tree_of
from unit.publishing.examination.test_services import AUTH, HELLO, of, put

Template = dict[str, Any]
Change = Callable[[Template], object]
API, REST = ("apifullapp",), ("apiitemsapi",)
UNKNOWN = {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "111111111111"]}
"""A condition that only CloudFormation works out."""


def told(assembly: Assembly, path: tuple[str, ...], *changes: Change) -> list[tuple[str, str, str]]:
    """Id, severity and message of what is found when the template of one stack is changed."""

    def change(template: Template) -> None:
        template.setdefault("Conditions", {})["Unknown"] = UNKNOWN
        for one in changes:
            one(template)

    tree = tree_of(spoiled(assembly, path, change))
    return [(f.id, f.severity, f.message) for check in CHECKS for f in check(tree)]


def parameter(name: str, default: Any, kind: str = "String") -> Change:
    return lambda t: t["Parameters"].update({name: {"Type": kind, "Default": default}})


def paths(more: Template) -> Change:
    return lambda t: t["Resources"]["itemsapi"]["Properties"]["Body"]["paths"].update(more)


def variable(value: Any) -> Change:
    return lambda t: t["Resources"]["LambdaFunction"]["Properties"]["Environment"]["Variables"].update(PLACE=value)


def body_as_text(template: Template) -> None:
    properties = template["Resources"]["itemsapi"]["Properties"]
    properties["Body"] = json.dumps(properties["Body"])


def methods_apart(template: Template) -> None:
    del template["Resources"]["itemsapi"]["Properties"]["Body"]
    put("Get", "AWS::ApiGateway::Method", RestApiId={"Fn::ImportValue": "api"})(template)


def sms(principal: Any) -> list[Change]:
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    settings = {"SnsCallerArn": {"Fn::GetAtt": ["Sms", "Arn"]}, "ExternalId": "e"}
    return [put("Sms", "AWS::IAM::Role", AssumeRolePolicyDocument=trust), of("UserPool", SmsConfiguration=settings)]


INTEGRATED = {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}
INCLUDED = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/paths.json"}}}
SNS = {"Service": {"Fn::Sub": "cognito-idp.${AWS::URLSuffix}"}}
PERHAPS = {"Fn::If": ["Unknown", {"Fn::GetAtt": ["Fn", "FunctionId"]}, {"Ref": "AWS::NoValue"}]}
SCHEDULE, SCHEDULED = parameter("when", ""), {"ScheduleExpression": {"Ref": "when"}, "EventPattern": {"source": ["a"]}}
ACCEPTED: dict[str, tuple[tuple[str, ...], list[Change]]] = {
    "paths of a REST API from a file": (REST, [paths({"/x": INCLUDED})]),
    "a path that is perhaps there": (
        REST,
        [paths({"/x": {"Fn::If": ["Unknown", INTEGRATED, {"Ref": "AWS::NoValue"}]}})],
    ),
    "a REST API as a text": (REST, [body_as_text]),
    "methods of an API that nobody knows": (REST, [methods_apart]),
    "an address to sign out to with a fragment": (
        AUTH,
        [of("UserPoolClientWeb", LogoutURLs=["https://app.example.com/#/out"])],
    ),
    "an app to come back to": (AUTH, [of("UserPoolClientWeb", CallbackURLs=["myapp://in", "exp://127.0.0.1:19000/"])]),
    "everybody may send SMS": (AUTH, sms("*")),
    "every AWS principal may send SMS": (AUTH, sms({"AWS": "*"})),
    "Cognito of a partition": (AUTH, sms(SNS)),
    "Cognito of a region": (AUTH, sms({"Service": ["cognito-idp.us-gov-west-1.amazonaws.com"]})),
    "who may send SMS depends": (AUTH, sms({"Fn::If": ["Unknown", SNS, {"AWS": "*"}]})),
    "SMS by End User Messaging": (
        AUTH,
        [
            of("UserPool", MfaConfiguration="OPTIONAL", EumsSmsConfiguration={"CallerArn": "arn:aws:iam::1:role/r"}),
            lambda t: t["Resources"]["UserPool"]["Properties"].pop("SmsConfiguration", None),
        ],
    ),
    "names that a macro gives": (
        HELLO,
        [put(n, "AWS::SNS::Topic", TopicName={"Fn::Transform": {"Name": "Unique"}}) for n in ("One", "Two")],
    ),
    "a pattern of Java": (
        HELLO,
        [lambda t: t["Parameters"].update(x={"Type": "String", "Default": "ab", "AllowedPattern": "[a-z&&[^q]]+"})],
    ),
    "an attribute of the developer": (
        AUTH,
        [
            of("UserPool", Schema=[{"Name": "tier", "AttributeDataType": "String", "DeveloperOnlyAttribute": True}]),
            of("UserPoolClient", ReadAttributes=["dev:tier"]),
        ],
    ),
    "a certificate of a region that nobody knows": (
        REST,
        [
            put(
                "D",
                "AWS::ApiGateway::DomainName",
                CertificateArn={
                    "Fn::Join": ["", ["arn:aws:acm:us-", {"Fn::ImportValue": "where"}, "-1:1:certificate"]]
                },
            )
        ],
    ),
    "a reserved word that only the known parts make": (
        AUTH,
        [put("D", "AWS::Cognito::UserPoolDomain", Domain={"Fn::Join": ["", ["la", {"Ref": "AWS::AccountId"}, "ws"]]})],
    ),
    "a rule without a schedule": (HELLO, [SCHEDULE, put("R", "AWS::Events::Rule", **SCHEDULED)]),
    "a secret within a text": (
        HELLO,
        [
            parameter("mine", "{{resolve:ssm:/app/handler}}"),
            of("LambdaFunction", Handler={"Fn::Sub": "index.${mine}"}),
        ],
    ),
    "functions of a resolver that are perhaps there": (
        API,
        [put("R", "AWS::AppSync::Resolver", PipelineConfig={"Functions": [PERHAPS] * 12})],
    ),
    "a connection that was removed, behind a condition": (
        HELLO,
        [
            parameter("storageOldName", "storageOldName"),
            lambda t: t["Conditions"].update(Never={"Fn::Equals": ["a", "b"]}),
            put("T", "AWS::SNS::Topic", TopicName={"Fn::If": ["Never", {"Ref": "storageOldName"}, "other"]}),
        ],
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_aws_takes_is_not_refused(full: Assembly, name: str) -> None:
    path, changes = ACCEPTED[name]
    assert told(full, path, *changes) == []


@pytest.mark.parametrize(
    ("use", "severity"),
    [
        (variable({"Ref": "storageOldName"}), "warning"),
        (variable({"Fn::Sub": "https://${storageOldName}/"}), "warning"),
        (put("P", "AWS::S3::BucketPolicy", Bucket={"Fn::Sub": "${storageOldName}-${env}"}), "warning"),
        (put("P", "AWS::S3::BucketPolicy", Bucket={"Ref": "storageOldName"}), "refused"),
        (put("P", "AWS::S3::BucketPolicy", Bucket={"Fn::If": ["Unknown", {"Ref": "storageOldName"}, "b"]}), "warning"),
        (put("P", "AWS::IAM::Policy", Roles=[{"Ref": "storageOldName"}]), "refused"),
    ],
)
def test_a_connection_that_was_lost_is_refused_where_aws_refuses_it(full: Assembly, use: Change, severity: str) -> None:
    ((id, found, _),) = told(full, HELLO, parameter("storageOldName", "storageOldName"), use)
    assert (id, found) == ("AD711", severity)


def test_an_arn_that_was_lost_is_no_part_of_a_text(full: Assembly) -> None:
    joined = {"Fn::Sub": "${functionOldArn}-${AWS::AccountId}"}
    lost = parameter("functionOldArn", "functionOldArn")
    ((id, severity, _),) = told(full, HELLO, lost, put("T", "AWS::SNS::Topic", TopicName=joined))
    assert (id, severity) == ("AD711", "refused")
    ((_, severity, _),) = told(full, HELLO, lost, variable(joined))
    assert severity == "warning"


def test_a_warning_stands_in_nobodys_way_and_a_refusal_says_how_to_pass_it(
    full: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "lint_templates", lambda *_: defaultdict(lambda: defaultdict(list)))

    def lost(template: Template) -> None:
        parameter("storageOldName", "storageOldName")(template)
        variable({"Ref": "storageOldName"})(template)
        put("T", "AWS::SQS::Queue", QueueName="a/b")(template)

    spoilt = spoiled(full, HELLO, lost)
    deployment = Deployment([rendered(spoilt)], BUCKET, "us-east-1")
    findings = examine(spoilt, {"dev": deployment})["dev"]
    assert {(f.id, f.severity) for f in findings} == {("AD711", "warning"), ("AD733", "refused")}
    (refused,) = refusing(findings)
    assert refused.remedy.endswith("; if AWS takes it as it is, `lint.ignore` takes AD733")
