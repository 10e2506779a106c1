"""Checks of CloudFormation's quotas."""

from __future__ import annotations

from amplify_delivery.export.checks.context import Context, Found
from amplify_delivery.export.quotas import (
    MAX_IN_OPERATION,
    MAX_OUTPUTS,
    MAX_RESOURCES,
    MAX_TAG_KEY,
    MAX_TAG_VALUE,
    MAX_TAGS,
    MAX_VALUE,
    SPLIT,
)
from amplify_delivery.export.read import MANIFEST, TAGS
from amplify_delivery.export.tags import foreign, in_capitals, own
from amplify_delivery.export.templates.literals import text


class TooManyResources:
    """A template with more than 500 resources. CDK synthesizes it, CloudFormation refuses it."""

    id = "AD501"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
    remedy = "split the model: CloudFormation does not raise this quota"
    on_aws = "`Template format error: Number of resources, 501, is greater than maximum allowed, 500`"

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            if len(stack.resources) > MAX_RESOURCES:
                yield stack.file, f"has {len(stack.resources)} resources, the quota is {MAX_RESOURCES}", SPLIT


class ManyResources:
    """More than 2,500 resources in all stacks together: CloudFormation takes no more in one operation on nested stacks,
    so a first deployment of all of them is refused. What is deployed already counts only as far as it changes."""

    id = "AD530"
    severity = "warning"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
    remedy = "deliver a new environment in two steps: first an export without some of the models"
    on_aws = "`Limit on the number of resources in a single stack operation exceeded`"

    def find(self, context: Context) -> Found:
        count = sum(len(stack.resources) for _, stack in context.export.root.walk())
        if count > MAX_IN_OPERATION:
            yield (
                context.export.root.file,
                f"{count:,} resources in all stacks, CloudFormation takes {MAX_IN_OPERATION:,} in one operation",
                "deliver a new environment in two steps: first an export without some of the models",
            )


class TooManyOutputs:
    """A template with more than 200 outputs."""

    id = "AD503"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
    remedy = "split the model: CloudFormation does not raise this quota"
    on_aws = "`Template format error: Number of outputs, 201, is greater than maximum allowed, 200`"

    def find(self, context: Context) -> Found:
        for _, stack in context.export.root.walk():
            outputs = stack.template.get("Outputs") or {}
            if len(outputs) > MAX_OUTPUTS:
                yield stack.file, f"has {len(outputs)} outputs, the quota is {MAX_OUTPUTS}", SPLIT


class LongValue:
    """A parameter's value of more than 4,096 bytes."""

    id = "AD505"
    severity = "refused"
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
    remedy = "shorten it in the Amplify project"
    on_aws = "`Parameter X exceeds the limit of 4096 bytes`"

    def find(self, context: Context) -> Found:
        for path, stack in context.export.root.walk():
            for name, value in stack.parameters.items():
                size = len(text(value).encode()) if name in stack.declared else 0
                if size > MAX_VALUE:
                    where = ".".join((*path, name))
                    yield (
                        MANIFEST,
                        f"{where} has {size:,} bytes, the quota is {MAX_VALUE:,}",
                        "shorten it in the project",
                    )


class Tags:
    """More than 50 tags, a key over 128 or a value over 256 characters, none at all, characters that IAM does not take
    in a role's tags (letters, numbers, blanks and `_.:/=+-@` are all), a key twice, in other capitals too, or a
    reserved one: CloudFormation gives a stack's tags to its roles."""

    id = "AD506"
    severity = "refused"
    source = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"
    remedy = "correct amplify/backend/tags.json and export again"
    on_aws = (
        "`TagValidation`: the stack's operation is refused; of a role: `Value at 'tags.1.member.value' failed to "
        "satisfy constraint`, `Duplicate tag keys found. Please note that Tag keys are case insensitive`"
    )

    def find(self, context: Context) -> Found:
        tags = context.export.tags
        remedy = "correct amplify/backend/tags.json and export again"
        if len(tags) > MAX_TAGS:
            yield TAGS, f"{len(tags)} tags, the quota is {MAX_TAGS}", remedy
        keys = [k for k, _ in tags]
        for key in sorted({k for k in keys if keys.count(k) > 1}):
            yield TAGS, f"tag {key!r} is set twice", remedy
        for several in in_capitals(keys):
            yield TAGS, f"tags {' and '.join(map(repr, several))} are one to IAM, which gives them to roles", remedy
        for key, value in tags:
            if not value:
                yield TAGS, f"tag {key!r} has no value, which CloudFormation refuses", remedy
            wrong = foreign(f"{key}{own(value)}")
            if wrong:
                yield TAGS, f"tag {key!r} has {wrong!r}, which IAM takes in no tag of a role", remedy
            if not 0 < len(key) <= MAX_TAG_KEY or len(own(value)) > MAX_TAG_VALUE or key.lower().startswith("aws:"):
                yield TAGS, f"tag {key!r} has a key or value that AWS refuses", remedy
