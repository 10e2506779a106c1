"""The record of what an account's roles were made for: what is in it, and what it answers."""

import hashlib
import importlib.util
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from amplify_delivery.components.documents.account.record import PARTS, account_record, changed
from amplify_delivery.components.documents.limits import check_parameter
from amplify_delivery.components.documents.rights import boundary, handler_table, types
from amplify_delivery.components.documents.rights.pinpoint import PINPOINT
from amplify_delivery.components.documents.rights.prepared import (
    MAX_PARAMETER,
    LaterFormError,
    Prepared,
    parse,
    prepared,
    words,
)
from amplify_delivery.components.documents.rights.pulumi_types import CLASSIC, cloudformation_type, services_of
from amplify_delivery.components.documents.rights.types import actions_for, known_types
from unit.components.documents import world as w
from unit.stacks.projects import HELLO_TYPES


def record(*, backend: str = "", program: str = "", further: str = "") -> Prepared:
    of_backend, of_program, services = (frozenset(names.split()) for names in (backend, program, further))
    return Prepared(of_backend, of_program, services)


def test_it_is_what_the_files_say() -> None:
    types = frozenset({"AWS::SQS::Queue", "Custom::LambdaCallout", "Custom::EmptyResource"})
    statements = ({"Effect": "Allow", "Action": ["route53:GetChange", "acm:ListTags"], "Resource": "*"},)
    access = w.access(w.prod, resource_types=types, deploy_statements=statements)
    found = prepared(access)
    assert found.backend == {"AWS::SQS::Queue", "AWS::CloudFormation::CustomResource"}
    assert found.program == w.PROGRAM_TYPES
    assert found.further == {"acm", "route53"}


def test_managed_policies_may_hold_anything() -> None:
    policy = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"
    assert prepared(w.access(w.prod, deploy_managed_policies=(policy,))).further == {"*"}


def test_its_text_is_read_back() -> None:
    found = prepared(w.access(w.prod))
    assert parse(found.to_text()) == found
    assert found.to_text() == prepared(w.access(w.prod)).to_text()


def test_the_rights_are_recorded_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    found = account_record(w.access(w.prod))
    assert parse(found.to_text()) == found
    assert changed(found) == ()
    elsewhere = replace(w.access(w.prod), names=w.preprod)
    assert account_record(elsewhere).rights == found.rights, "names are no part of it"
    assert changed(prepared(w.access(w.prod))) == PARTS, "of a version that did not write it down nothing is known"
    assert changed(replace(found, backend=found.backend | {"AWS::New::Thing"})) == PARTS, "a later version's"
    # A later version lets the backend's code ask another service, and finds out about a call of CloudFormation's.
    monkeypatch.setattr(boundary, "RUNTIME_ACTIONS", ("bedrock:InvokeModel",))
    assert changed(found) == ("boundary",)
    monkeypatch.undo()
    more = {"change": (*actions_for(["AWS::AppSync::ApiKey"]), "appsync:FlushApiCache"), "read": ()}
    monkeypatch.setattr(types, "table", lambda: {**handler_table.table(), "AWS::AppSync::ApiKey": more})
    assert "AWS::AppSync::ApiKey" in found.backend
    assert set(changed(found)) == {"cloudformation"}


def test_services_that_the_accounts_file_adds_are_recorded() -> None:
    found = prepared(w.access(w.prod, boundary_services=("iot", "bedrock")))
    assert parse(found.to_text()).boundary == {"bedrock", "iot"}
    assert found.lets_pass("iot:Connect")
    assert not prepared(w.access(w.prod)).lets_pass("iot:Connect")
    assert prepared(w.access(w.prod)).lets_pass("dynamodb:Query")


BROKEN = '{"backend": {}, "program": {}, "further": [], "both": ["SQS"]}'


@pytest.mark.parametrize("text", ["", "1", "[]", "{}", '{"backend": [], "program": {}, "further": []}', BROKEN])
def test_another_text_is_no_record(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def of_everything(further: int = 0) -> Prepared:
    """All types that rights can be computed for, in backend and program, and as many as `further` that there may be
    some day; rights in thirty services beside."""
    words = sorted({part for name in known_types() for part in name.split("::")[1:]})
    coming = {f"AWS::{words[n % 60]}::{words[-1 - n % 97]}{words[n * 7 % len(words)]}" for n in range(further)}
    every = known_types() | coming
    return Prepared(every, every, frozenset(f"service-number-{n}" for n in range(30)))


@pytest.mark.parametrize("further", [0, 120, 300, 500])
def test_whatever_can_be_deployed_fits_into_a_parameter(further: int) -> None:
    found = of_everything(further)
    text = found.to_text()
    check_parameter("types", text)
    assert parse(text) == found
    assert "{{" not in text, "SSM refuses it in a value"
    assert len(found.plain()) > len(known_types()) * 10


def test_what_fits_is_written_so_that_a_person_reads_it() -> None:
    """And a version of before the other form."""
    found = prepared(w.access(w.prod))
    assert found.to_text() == found.plain()
    assert of_everything().to_text() == of_everything().plain()


def test_what_does_not_fit_has_another_form_with_room_for_twice_as_many_types() -> None:
    found = of_everything(further=120)
    assert len(found.plain()) > MAX_PARAMETER
    assert json.loads(found.to_text()).keys() == {"form", "content"}
    assert len(found.to_text()) < MAX_PARAMETER * 3 / 4, "many types more must not end the bootstrap of everybody"


def test_what_does_not_fit_then_either_is_written_with_words_that_stay() -> None:
    """Accounts hold such records: with another list none of them could be read."""
    text = of_everything(further=500).to_text()
    assert json.loads(text)["form"] == "deflate-with-words"
    assert hashlib.sha256(words()).hexdigest() == WORDS
    # As a version wrote it whose list was this one.
    written = (
        '{"form":"deflate-with-words","content":"ePnyeh27q1ZKAmWXPGA7olopOD8XnLxDMkDlQGytjlJSfkkGWAY5EmJrawH5eBIE"}'
    )
    assert parse(written) == record(backend="AWS::SQS::Queue AWS::Some::Thing", program="AWS::SQS::Queue")


WORDS = "0d5231e82b724aa811e440aaa5ecbfdc6abcfadeabba68b2697fc3ff0804ae09"


def test_a_later_versions_form_is_told_from_what_is_no_record() -> None:
    with pytest.raises(LaterFormError):
        parse('{"form": "brotli", "content": "..."}')
    with pytest.raises(ValueError, match="not a record of types") as caught:
        parse('{"form": "deflate", "content": "bm9uZQ=="}')
    assert not isinstance(caught.value, LaterFormError)


def test_the_record_of_an_account_of_before_is_read() -> None:
    text = '{"backend":{"SNS":["Topic"],"SQS":["Queue"]},"further":["acm"],"program":{"SQS":["Queue"]}}'
    found = parse(text)
    assert found == record(backend="AWS::SNS::Topic AWS::SQS::Queue", program="AWS::SQS::Queue", further="acm")
    assert found.to_text() == (
        '{"backend":{"SNS":["Topic"]},"both":{"SQS":["Queue"]},"boundary":[],"further":["acm"],"program":{}}'
    )


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("AWS::SQS::Queue", True),
        ("AWS::SNS::Topic", False),
        ("AWS::New::Thing", False),
        ("AWS::CloudFormation::Stack", True),  # every export's
        ("AWS::CloudFormation::WaitConditionHandle", True),  # needs no right
        ("Custom::LambdaCallout", False),
    ],
)
def test_types_of_the_backend(name: str, *, allowed: bool) -> None:
    assert record(backend="AWS::SQS::Queue", program="AWS::SNS::Topic").allows_backend(name) is allowed


def test_one_custom_type_is_like_another() -> None:
    assert record(backend="AWS::CloudFormation::CustomResource").allows_backend("Custom::LambdaCallout")


QUEUE, ZONE, POLICY = "aws:sqs/queue:Queue", "aws:route53/zone:Zone", "aws:sqs/redrivePolicy:RedrivePolicy"


@pytest.mark.parametrize(
    ("token", "program", "further", "allowed"),
    [
        (QUEUE, "AWS::SQS::Queue", "", True),
        ("aws-native:sqs:Queue", "AWS::SQS::Queue", "", True),
        (QUEUE, "AWS::SNS::Topic", "", False),
        (QUEUE, "", "route53", False),
        (QUEUE, "", "sqs", None),
        (QUEUE, "", "*", None),
        (ZONE, "", "", False),
        (ZONE, "AWS::SQS::Queue", "", False),
        (ZONE, "", "route53", None),
        (ZONE, "", "*", None),
        # The table has no such type, but the queue's own rights may well be enough.
        (POLICY, "AWS::SQS::Queue", "", None),
        (POLICY, "AWS::SNS::Topic", "", False),
        ("aws:cloudwatch/eventPermission:EventPermission", "AWS::Events::EventBus", "", None),
    ],
)
def test_types_of_the_program(token: str, program: str, further: str, *, allowed: bool | None) -> None:
    assert record(backend="AWS::SQS::Queue", program=program, further=further).allows_program(token) is allowed


# --- from Pulumi's types to CloudFormation's --------------------------------------------------------------------------


@cache
def tokens(package: str) -> frozenset[str]:
    """The resource types of a provider's SDK, as its sources name them; it is not imported, which takes seconds."""
    spec = importlib.util.find_spec(package)
    assert spec and spec.submodule_search_locations
    sources = Path(spec.submodule_search_locations[0]).glob("*/*.py")
    calls = (re.findall(r"__self__\)\.__init__\(\s*'([^']+)'", source.read_text()) for source in sources)
    return frozenset(token for found in calls for token in found)


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("aws-native:apigatewayv2:Api", "AWS::ApiGatewayV2::Api"),
        ("aws-native:ec2:Vpc", "AWS::EC2::VPC"),
        ("aws-native:iam:ManagedPolicy", "AWS::IAM::ManagedPolicy"),
        ("aws:dynamodb/table:Table", "AWS::DynamoDB::Table"),
        ("aws:iam/policy:Policy", "AWS::IAM::ManagedPolicy"),
        ("aws:cloudwatch/logGroup:LogGroup", "AWS::Logs::LogGroup"),
        ("aws:route53/zone:Zone", None),
        ("aws:wafv2/webAclAssociation:WebAclAssociation", "AWS::WAFv2::WebACLAssociation"),
        ("aws:appautoscaling/target:Target", "AWS::ApplicationAutoScaling::ScalableTarget"),
        ("aws:cloudwatch/dashboard:Dashboard", "AWS::CloudWatch::Dashboard"),
        ("aws:sesv2/emailIdentity:EmailIdentity", "AWS::SES::EmailIdentity"),
        # The first API of SES has other actions.
        ("aws:ses/emailIdentity:EmailIdentity", None),
        ("datadog:index/monitor:Monitor", None),
        ("pulumi:providers:aws", None),
    ],
)
def test_the_type_of_a_token(token: str, name: str | None) -> None:
    assert cloudformation_type(token) == name


@pytest.mark.parametrize("token", sorted(CLASSIC))
def test_the_listed_types_are_in_the_table_and_in_the_provider(token: str) -> None:
    assert actions_for([CLASSIC[token]])
    assert token in tokens("pulumi_aws")


def test_what_the_native_provider_has_is_found() -> None:
    """All but what Cloud Control does not know."""
    found = {cloudformation_type(token) for token in tokens("pulumi_aws_native")}
    own = ("AWS::CloudFormation::", "AWS::CDK::")
    lacking = {name for name in known_types() - found if not name.startswith(own)}
    older = {"AWS::Elasticsearch::Domain", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", *PINPOINT}
    assert lacking - older == {"AWS::AppSync::GraphQLSchema", "AWS::EC2::NetworkAclEntry", "AWS::IAM::Policy"}
    assert found >= set(HELLO_TYPES)


def test_a_classic_module_may_hold_several_services() -> None:
    assert services_of("aws:cloudwatch/logStream:LogStream") == {"cloudwatch", "events", "logs"}
    assert services_of("aws-native:logs:LogStream") == {"logs"}
