"""Check of names and exports that a backend gives twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import Path, found, same, unconditional
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

TWICE = Rule(
    "AD739",
    "refused",
    "A name that two resources of the backend have, or an export of two of its stacks.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html",
    "`X already exists in stack Y`, `Export with name X is already exported by stack Y`",
    remedy="give one of them another name in the Amplify project (`amplify override`), and export again",
)
_NAMED = {
    "AWS::AppSync::DataSource": ("Name", "ApiId"),
    "AWS::Cognito::UserPoolDomain": ("Domain",),
    "AWS::Cognito::UserPoolGroup": ("GroupName", "UserPoolId"),
    "AWS::DynamoDB::Table": ("TableName",),
    "AWS::Events::Rule": ("Name", "EventBusName"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::Kinesis::Stream": ("Name",),
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
    "AWS::StepFunctions::StateMachine": ("StateMachineName",),
}
"""What is one of its kind in an account and region, the property that names it, and that in which the name is one."""
_ANY_CASE = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::S3::Bucket")
"""What is the same in upper and lower case: IAM keeps both, and has one (amplify-cli 13103)."""


def given_twice(tree: Tree) -> Iterator[Finding]:
    """AD739: CloudFormation refuses the second, in the middle of the deployment."""
    first: dict[tuple[str, str], Path] = {}
    for path, resource in tree.resolved.resources.items():
        property, *within = _NAMED.get(resource.type, ("",))
        properties = as_mapping(resource.properties)
        name = properties.get(property)
        if name is None or _by_macro(name) or not unconditional(tree, path):
            continue
        known = same([name, *(properties.get(other) for other in within)])
        known = known.lower() if resource.type in _ANY_CASE else known
        before = first.setdefault((resource.type, known), path)
        if before != path:
            told = f"{path[-1]} has the name of {'/'.join(before)}{f', {name}' if isinstance(name, str) else ''}"
            yield TWICE.at(tree.file(path[:-1]), told, TWICE.remedy)
    yield from _exports(tree)


def _by_macro(name: Any) -> bool:
    """Whether a macro has a part in a name: it may give another one each time."""
    return any("Fn::Transform" in as_mapping(part) for part in found(name))


def _exports(tree: Tree) -> Iterator[Finding]:
    first: dict[str, tuple[Path, str]] = {}
    for (stack, output), name in tree.resolved.exports.items():
        view = next(view for view in tree.stacks if view.path == stack)
        conditional = "Condition" in as_mapping(as_mapping(view.template.get("Outputs")).get(output))
        if name is None or conditional or not unconditional(tree, stack):
            continue
        before = first.setdefault(same(name), (stack, output))
        if before != (stack, output):
            there = f"output {before[1]} of {'/'.join(before[0]) or 'the root stack'}"
            yield TWICE.at(view.file, f"output {output} has the export name of {there}", TWICE.remedy)
