"""Check of two settings that a service does not take together, or not here: no schema of the types forbids them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import certain, is_open, target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

EXCLUSIVE = Rule(
    "AD760",
    "refused",
    "Settings that a service does not take together: a secret with a text and a rule for one, a stream on demand with "
    "a number of shards, a topic that keeps an order and has subscribers other than queues, a subscription by e-mail "
    "or of a function that says whether its messages are raw, an alarm that looks back for more than a week (or a day, "
    "by periods of less than an hour), a function for arm64 with a runtime that is for x86_64 alone; a web ACL, or a "
    "set of addresses or patterns, that is for CloudFront and elsewhere than in us-east-1. A warning: names of a "
    "distribution without a certificate (those of before April 2019 stay as they are), an alias of a version that "
    "nothing in the backend makes.",
    "https://github.com/aws/aws-cdk/issues/18247",
    "`ShardCount is not expected when StreamMode=ON_DEMAND`, `Invalid protocol type: email`, `Delivery protocol "
    "[email] does not support raw message delivery`, `Metrics cannot be checked across more than a day`, `Runtime "
    "python3.7 does not support the following architectures [arm64]`, `The scope is not valid`, `To add an alternate "
    "domain name (CNAME) to a CloudFront distribution, you must attach a trusted certificate`, `Function not found`",
    remedy="take one of the two out (`amplify override`), and export again",
)
_X86_ALONE = frozenset(
    {
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "go1.x", "java8"),
        *("nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x"),
        *("provided", "python2.7", "python3.6", "python3.7", "ruby2.5"),
    }
)
"""Those on the first Amazon Linux ("Lambda runtimes", "Selecting and configuring an instruction set architecture"), and
nodejs10.x; arm64 came with nodejs12.x, python3.8, java8.al2, dotnetcore3.1, ruby2.7 and provided.al2."""
_HOME = "us-east-1"
_ORDERED = ".fifo"

Problems = Iterator[tuple[str, bool]]
"""What is wrong, and whether it is no more than a warning."""


def exclusive_settings(tree: Tree) -> Iterator[Finding]:
    """AD760, of every resource of the types below."""
    for path, resource in tree.resolved.resources.items():
        look = _TYPES.get(str(resource.type))
        for problem, warning in look(tree, as_mapping(resource.properties)) if look else ():
            told = EXCLUSIVE.at(tree.file(path[:-1]), f"{path[-1]} {problem}", EXCLUSIVE.remedy)
            yield replace(told, severity="warning") if warning else told


def _secret(_: Tree, properties: Mapping[str, Any]) -> Problems:
    """`AWS::SecretsManager::Secret`: "either ... but not both", says the template reference."""
    if certain(properties, "SecretString") and certain(properties, "GenerateSecretString"):
        yield "has a SecretString, and a GenerateSecretString that would make another one", False


def _stream(_: Tree, properties: Mapping[str, Any]) -> Problems:
    mode = as_mapping(properties.get("StreamModeDetails")).get("StreamMode")
    if mode == "ON_DEMAND" and certain(properties, "ShardCount"):
        yield "is ON_DEMAND, and has a ShardCount: Kinesis then counts shards itself", False


def _function(_: Tree, properties: Mapping[str, Any]) -> Problems:
    runtime = properties.get("Runtime")
    if properties.get("Architectures") == ["arm64"] and isinstance(runtime, str) and runtime in _X86_ALONE:
        yield f"is for arm64, and {runtime} is for x86_64 alone", False


def _topic(_: Tree, properties: Mapping[str, Any]) -> Problems:
    subscribed = properties.get("Subscription")
    if not _true(properties.get("FifoTopic")) or not isinstance(subscribed, list):
        return
    for one in map(as_mapping, subscribed):
        yield from _no_queue(one.get("Protocol"))


def _subscription(tree: Tree, properties: Mapping[str, Any]) -> Problems:
    topic = properties.get("TopicArn")
    made = tree.resolved.resources.get(target(topic) or ())
    ordered = (
        made is not None and made.type == "AWS::SNS::Topic" and _true(as_mapping(made.properties).get("FifoTopic"))
    )
    protocol = properties.get("Protocol")
    if ordered or (isinstance(topic, str) and topic.endswith(_ORDERED)):
        yield from _no_queue(protocol)
    # Also with `false` (cloudformation-coverage-roadmap 399).
    if certain(properties, "RawMessageDelivery") and isinstance(protocol, str) and protocol not in _RAW:
        yield f"has RawMessageDelivery, and is by {protocol}: SNS takes that for {', '.join(_RAW)} alone", False


_RAW = ("firehose", "http", "https", "sqs")
_HOUR, _DAY, _WEEK = 3_600, 86_400, 604_800


def _alarm(_: Tree, properties: Mapping[str, Any]) -> Problems:
    """PutMetricAlarm (CloudWatch API reference): Period times EvaluationPeriods."""
    period, periods = (text(properties.get(name, "")) for name in ("Period", "EvaluationPeriods"))
    if not period.isdecimal() or not periods.isdecimal():
        return
    longest = _WEEK if int(period) >= _HOUR else _DAY
    if int(period) * int(periods) > longest:
        yield f"looks back for {int(period) * int(periods):,} s, and CloudWatch does for {longest:,} s at most", False


def _no_queue(protocol: Any) -> Problems:
    """ "Amazon SNS FIFO topics can't deliver messages to customer managed endpoints" (SNS Developer Guide)."""
    if isinstance(protocol, str) and protocol != "sqs":
        yield f"has a subscriber by {protocol}, and the topic keeps an order: it delivers to queues alone", False


def _web_acl(tree: Tree, properties: Mapping[str, Any]) -> Problems:
    if properties.get("Scope") == "CLOUDFRONT" and tree.region != _HOME:
        yield f"has the Scope CLOUDFRONT, and its stack is in {tree.region}: WAF keeps those in {_HOME}", False


def _distribution(_: Tree, properties: Mapping[str, Any]) -> Problems:
    settings = as_mapping(properties.get("DistributionConfig"))
    names, certificate = settings.get("Aliases"), as_mapping(settings.get("ViewerCertificate"))
    named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    none = "ViewerCertificate" not in settings or _true(certificate.get("CloudFrontDefaultCertificate"))
    if named and none and not is_open(settings):
        yield f"has the name {named[0]} (Aliases), and no certificate for it (ViewerCertificate)", True


def _alias(tree: Tree, properties: Mapping[str, Any]) -> Problems:
    """A version that was published by hand is known to AWS alone."""
    version, function = text(properties.get("FunctionVersion", "")), target(properties.get("FunctionName"))
    if not version.isdecimal() or function not in tree.resolved.resources:
        return
    versions = (r for r in tree.resolved.resources.values() if r.type == "AWS::Lambda::Version")
    if all(target(as_mapping(r.properties).get("FunctionName")) not in (function, None) for r in versions):
        yield (
            f"is an alias of version {version} of {'/'.join(function or ())}, and nothing in the backend makes one",
            True,
        )


def _true(value: Any) -> bool:
    return text(value).lower() == "true" if isinstance(value, (str, bool)) else False


_TYPES: Mapping[str, Callable[[Tree, Mapping[str, Any]], Problems]] = {
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::Kinesis::Stream": _stream,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::Function": _function,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::WAFv2::IPSet": _web_acl,
    "AWS::WAFv2::RegexPatternSet": _web_acl,
    "AWS::WAFv2::RuleGroup": _web_acl,
    "AWS::WAFv2::WebACL": _web_acl,
}
