"""Checks of functions and of what Lambda reads for them: settings that Lambda looks at when it is given them, and code
that stands in a template, which cannot load what its runtime does not bring."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.javascript import brings_no_former_sdk, loads_former_sdk
from amplify_delivery.export.templates.literals import every_text, text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import certain, is_choice, is_open, target
from amplify_delivery.publishing.examination.services.triggers import source_service
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

SETTINGS = Rule(
    "AD723",
    "refused",
    "A function that Lambda does not take: a variable whose name has other characters than letters, digits and `_`, "
    "does not begin with a letter or is one letter long; a layer without its version, or in two; a file system "
    "without a network to reach it in.",
    "https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html",
    "`Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint`, `Two "
    "different versions of the same layer are not "
    "allowed to be referenced in the same function`",
    remedy="correct it in the Amplify project (`amplify update function`, or override), and in the code that reads it, "
    "and export again",
)
MAPPING = Rule(
    "AD724",
    "refused",
    "What a function is called with, and Lambda does not take: a stream without a position to start at; a queue with "
    "one, with a setting that streams alone have, or with more than 10 messages at once and no time to gather them.",
    "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html",
    "`StartingPosition is not valid for SQS event sources`, `Maximum batch window in seconds must be greater than 0 if "
    "maximum batch size is greater than 10`",
    remedy="correct the AWS::Lambda::EventSourceMapping in the Amplify project, and export again",
)
FORMER_SDK = Rule(
    "AD722",
    "refused",
    "A custom resource whose function, with its code in the template, loads the AWS SDK for JavaScript of version 2: "
    "runtimes from nodejs18.x on have version 3 only. A runtime that was raised without the code (functions of "
    "predictions and analytics that older versions of the CLI wrote).",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html",
    "`Cannot find module 'aws-sdk'` in the function's log; CloudFormation waits an hour for its answer",
    remedy="run `amplify update` of the resource with a current CLI, which writes the code anew, or change the code to "
    "`@aws-sdk/client-...` (`amplify override`), and export again",
)
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
"""API_Environment. cfn-lint looks for it anywhere in a name."""
_LAYER = re.compile(r"(arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:[\w-]+)(?::(\d+))?")
_OF_STREAMS = (
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)
"""Settings of which the API says "Kinesis and DynamoDB Streams", and of whose absence nothing else is made."""
_AT_ONCE = 10
"""Messages that a queue gives at once without `MaximumBatchingWindowInSeconds`."""


def refused_functions(tree: Tree) -> Iterator[Finding]:
    """AD723, AD724: Lambda refuses them, in the middle of the deployment."""
    for path, resource in tree.resolved.resources.items():
        properties = as_mapping(resource.properties)
        if resource.type == "AWS::Lambda::Function":
            rule, problems = SETTINGS, _of_function(properties)
        elif resource.type == "AWS::Lambda::EventSourceMapping":
            rule, problems = MAPPING, _of_mapping(properties, source_service(tree, properties.get("EventSourceArn")))
        else:
            continue
        for problem in dict.fromkeys(problems):
            yield rule.at(tree.file(path[:-1]), f"{path[-1]} {problem}", rule.remedy)


def _of_function(properties: Mapping[str, Any]) -> Iterator[str]:
    variables = as_mapping(as_mapping(properties.get("Environment")).get("Variables"))
    for name in variables if not is_open(variables) else ():
        if not _VARIABLE.fullmatch(name):
            yield (
                f"has the variable {name!r}: a name has letters, digits and _ only, begins with a letter, and has "
                "at least two characters"
            )
    listed = properties.get("Layers")
    versions: dict[str, set[str]] = {}
    for layer in listed if isinstance(listed, list) else ():
        named = _LAYER.fullmatch(layer) if isinstance(layer, str) else None
        if named and not named[2]:
            yield f"has the layer {layer} without a version of it"
        elif named:
            versions.setdefault(named[1], set()).add(named[2])
    for layer, several in versions.items():
        if len(several) > 1:
            yield f"has the layer {layer} in two versions, {' and '.join(sorted(several))}"
    mounted = properties.get("FileSystemConfigs")
    if isinstance(mounted, list) and not all(map(is_choice, mounted)) and "VpcConfig" not in properties:
        yield "mounts a file system, and has no VpcConfig: a function reaches one in its network only"


def _of_mapping(properties: Mapping[str, Any], service: str) -> Iterator[str]:
    if service in ("dynamodb", "kinesis") and "StartingPosition" not in properties:
        yield "reads a stream, and has no StartingPosition"
    if service != "sqs":
        return
    for name in _OF_STREAMS:
        if certain(properties, name) and properties[name] not in (None, False, "false"):
            yield f"has {name}, which streams alone have: it reads a queue"
    size = text(properties.get("BatchSize", ""))
    window = text(properties.get("MaximumBatchingWindowInSeconds", 0))
    if size.isdecimal() and int(size) > _AT_ONCE and window == "0":
        yield f"takes {size} messages at once: more than {_AT_ONCE} need MaximumBatchingWindowInSeconds, of at least 1"


def former_sdk(tree: Tree) -> Iterator[Finding]:
    """AD722: the function ends without an answer when it is loaded."""
    resources = tree.resolved.resources
    asked = {
        target(as_mapping(resource.properties).get("ServiceToken"))
        for resource in resources.values()
        if resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource"
    }
    for path, resource in resources.items():
        properties = as_mapping(resource.properties)
        if resource.type != "AWS::Lambda::Function" or path not in asked or properties.get("Layers"):
            continue
        runtime, code = properties.get("Runtime"), as_mapping(properties.get("Code")).get("ZipFile")
        if brings_no_former_sdk(runtime) and loads_former_sdk("\n".join(every_text(code))):
            what = f"{path[-1]} loads aws-sdk, which {runtime} does not bring"
            yield FORMER_SDK.at(tree.file(path[:-1]), what, FORMER_SDK.remedy)
