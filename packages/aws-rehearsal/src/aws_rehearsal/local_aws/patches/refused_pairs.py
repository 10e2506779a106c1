"""Two settings that a service does not take together fail in a stack.

MiniStack makes secrets of a text and a rule, streams on demand with shards, subscribers of any kind to a topic that
keeps an order, raw e-mails, alarms over any time, functions for arm64 with any runtime, firewalls for CloudFront in
every region, distributions with names and no certificate, aliases of versions that there are not, parameters with names
that are AWS's own, two mappings of one source to one function, and targets that keep an order and are given no group.
AWS: CloudFormation template reference, AWS::SecretsManager::Secret; https://github.com/aws/aws-cdk/issues/18247
(Kinesis); SNS Developer Guide, "Message delivery for FIFO topics"; Lambda Developer Guide, "Lambda runtimes"; WAF API
reference, CreateWebACL; CloudFront Developer Guide, "Using custom URLs by adding alternate domain names"; Lambda API
reference, CreateAlias; CloudWatch API reference, PutMetricAlarm; Systems Manager API reference, PutParameter. The
sentences are what users report (cloudformation-coverage-roadmap 399, serverless-application-model 1320, aws-ddk 183).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import get_region
from ministack.services import lambda_svc, sns

from ._resources import Properties, before_create_or_update

_X86_ALONE = frozenset(
    {
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "go1.x", "java8"),
        *("nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x"),
        *("provided", "python2.7", "python3.6", "python3.7", "ruby2.5"),
    }
)


def apply() -> None:
    """Look at the properties first."""
    before_create_or_update({"AWS::SecretsManager::Secret"}, _secret)
    before_create_or_update({"AWS::Kinesis::Stream"}, _stream)
    before_create_or_update({"AWS::SNS::Topic"}, _topic)
    before_create_or_update({"AWS::SNS::Subscription"}, _subscription)
    before_create_or_update({"AWS::Lambda::Function"}, _function)
    before_create_or_update({"AWS::Lambda::Alias"}, _alias)
    before_create_or_update({"AWS::Lambda::EventSourceMapping"}, _mapping)
    before_create_or_update({"AWS::CloudWatch::Alarm"}, _alarm)
    before_create_or_update({"AWS::Events::Rule"}, _rule)
    before_create_or_update({"AWS::SSM::Parameter"}, _parameter)
    before_create_or_update({"AWS::CloudFront::Distribution"}, _distribution)
    firewalls = {f"AWS::WAFv2::{kind}" for kind in ("IPSet", "RegexPatternSet", "RuleGroup", "WebACL")}
    before_create_or_update(firewalls, _firewall)


def _secret(new: Properties, _: Properties | None) -> Properties:
    if new.get("SecretString") is not None and new.get("GenerateSecretString") is not None:
        raise ValueError("You must provide either SecretString or GenerateSecretString, but not both.")
    return new


def _stream(new: Properties, _: Properties | None) -> Properties:
    if (new.get("StreamModeDetails") or {}).get("StreamMode") == "ON_DEMAND" and new.get("ShardCount") is not None:
        raise ValueError("ShardCount is not expected when StreamMode=ON_DEMAND")
    return new


def _topic(new: Properties, _: Properties | None) -> Properties:
    for one in new.get("Subscription") or [] if _true(new.get("FifoTopic")) else []:
        _delivers(one.get("Protocol"))
    return new


def _subscription(new: Properties, _: Properties | None) -> Properties:
    topic = sns._topics.get(str(new.get("TopicArn"))) or {}
    if _true((topic.get("attributes") or {}).get("FifoTopic")) or str(new.get("TopicArn")).endswith(".fifo"):
        _delivers(new.get("Protocol"))
    protocol = str(new.get("Protocol"))
    if new.get("RawMessageDelivery") is not None and protocol not in ("firehose", "http", "https", "sqs"):
        raise ValueError(f"Invalid parameter: Delivery protocol [{protocol}] does not support raw message delivery.")
    return new


def _delivers(protocol: Any) -> None:
    if protocol != "sqs":
        raise ValueError(f"Invalid parameter: Invalid protocol type: {protocol}")


def _function(new: Properties, _: Properties | None) -> Properties:
    runtime = str(new.get("Runtime"))
    if new.get("Architectures") == ["arm64"] and runtime in _X86_ALONE:
        raise ValueError(
            f"Runtime {runtime} does not support the following architectures [arm64]. Please choose another one: from "
            "[x86_64], or another runtime."
        )
    return new


def _alias(new: Properties, _: Properties | None) -> Properties:
    name, version = str(new.get("FunctionName")).rpartition(":function:")[2], str(new.get("FunctionVersion"))
    function = lambda_svc._functions.get(name)
    if function and version != "$LATEST" and version not in map(str, function.get("versions") or {}):
        raise ValueError(f"Function not found: {new.get('FunctionName')}:{version}")
    return new


def _mapping(new: Properties, old: Properties | None) -> Properties:
    source, name = new.get("EventSourceArn"), str(new.get("FunctionName")).rpartition(":function:")[2]
    for one in lambda_svc._esms.values() if old is None and source else ():
        there = one.get("EventSourceArn"), str(one.get("FunctionArn")).rpartition(":function:")[2]
        if there == (source, name) and (one.get("Topics") or None) == (new.get("Topics") or None):
            raise ValueError(
                f'The event source arn (" {source} ") and function (" {name} ") provided mapping already exists. '
                f"Please update or delete the existing mapping with UUID {one.get('UUID')}"
            )
    return new


def _alarm(new: Properties, _: Properties | None) -> Properties:
    period, periods = int(new.get("Period") or 0), int(new.get("EvaluationPeriods") or 0)
    if period * periods > (604_800 if period >= 3_600 else 86_400):
        raise ValueError(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)"
        )
    return new


def _rule(new: Properties, _: Properties | None) -> Properties:
    for one in new.get("Targets") or []:
        arn = str(one.get("Arn"))
        if ":sqs:" in arn and arn.endswith(".fifo") and not one.get("SqsParameters"):
            raise ValueError(f"Parameter(s) SqsParameters must be specified for target: {one.get('Id')}.")
    return new


def _parameter(new: Properties, _: Properties | None) -> Properties:
    name = str(new.get("Name") or "")
    own = re.match(r"(?i:aws|ssm|/(?:aws|ssm)(?:/|\Z))", name)
    if own:
        raise ValueError(f'Parameter name: can\'t be prefixed with "{own[0].strip("/").lower()}" (case-insensitive).')
    return new


def _distribution(new: Properties, _: Properties | None) -> Properties:
    settings = new.get("DistributionConfig") or {}
    certificate = settings.get("ViewerCertificate") or {}
    if settings.get("Aliases") and (not certificate or _true(certificate.get("CloudFrontDefaultCertificate"))):
        raise ValueError(
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted "
            "certificate that validates your authorization to use the domain name."
        )
    return new


def _firewall(new: Properties, _: Properties | None) -> Properties:
    if new.get("Scope") == "CLOUDFRONT" and get_region() != "us-east-1":
        raise ValueError("Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT")
    return new


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _probed() -> Iterator[dict[str, Any]]:
    mode = {"StreamMode": "ON_DEMAND"}
    yield {"Type": "AWS::Kinesis::Stream", "Properties": {"StreamModeDetails": mode, "ShardCount": 1}}


def probe(aws: Any) -> bool:
    """A stream on demand with a number of shards fails its stack."""
    return all(aws.stack({"Wrong": resource}) == "ROLLBACK_COMPLETE" for resource in _probed())
