"""Checks of the tree of stacks: what it names is published, and its stacks fit together.

A linter that sees one template at a time cannot check this, and CloudFormation says it in the middle of
a deployment.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from amplify_delivery.export.templates.literals import items
from amplify_delivery.export.templates.literals import text as literal
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.tree import StackView, Tree, as_mapping
from amplify_delivery.publishing.examination.values import UNKNOWN, texts

UNPUBLISHED = Rule(
    "AD701",
    "refused",
    "A template names an object that is not published.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html",
    "CloudFormation, Lambda or AppSync would not find it",
    remedy="assemble the export again; if the template was written by hand, name a file of the export",
)

PARAMETERS = Rule(
    "AD702",
    "refused",
    "A nested stack's parameter is missing, unknown or not allowed.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html",
    "CloudFormation refuses the nested stack",
    remedy="set it in the environment's stack file, or take it out of the parent's template",
)

OUTPUTS = Rule(
    "AD703",
    "refused",
    "An output that a nested stack does not have, or not in this environment.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html",
    "`Attribute Outputs.X does not exist`, in the middle of the deployment",
    remedy="give the output in every environment (with `Fn::If` in its value), or read it under the same condition",
)

TEMPLATES = Rule(
    "AD709",
    "refused",
    "A nested stack whose template is not an address: a file of somebody's machine, or `s3://`.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html",
    "`TemplateURL must be a supported URL`",
    remedy="upload the template yourself and write its https address, or write its resources into the custom "
    "resource's own template: Amplify neither uploads nor exports it",
)

_BUCKET_AND_KEY = re.compile(r"(?i)(.*?)bucket(name)?")


def unpublished_objects(tree: Tree) -> Iterator[Finding]:
    """AD701: an object that a template names is not among the published ones."""
    for view in tree.stacks:
        for logical_id, properties in (*tree.resources(view), *_nested(tree, view)):
            for place, key in sorted(set(_named(properties, tree))):
                if UNKNOWN not in key and key not in tree.keys:
                    yield UNPUBLISHED.at(
                        view.file,
                        f"{logical_id}.{place} names {key or 'an empty key'}, which is not published",
                        "assemble the export again; if the template was written by hand, name a file of the export",
                    )


def _nested(tree: Tree, view: StackView) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The nested stacks of a stack, as far as they name objects."""
    for path, stack in tree.resolved.stacks.items():
        if path[:-1] == view.path:
            yield path[-1], {"TemplateURL": stack.url, "Parameters": stack.parameters}


def _named(value: Any, tree: Tree, place: str = "") -> Iterator[tuple[str, str]]:
    """(property, key) of everything in `value` that lies in the staging bucket."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item, tree, place)
    elif isinstance(value, Mapping):
        yield from _pairs(value, tree, place)
        for name, item in value.items():
            here = f"{place}.{name}".lstrip(".")
            if name == "TemplateURL" or name.endswith("S3Location"):
                keys = (tree.key_of(location) for location in texts(item))
                yield from ((here, key) for key in keys if key is not None)
            yield from _named(item, tree, here)


def _pairs(value: Mapping[str, Any], tree: Tree, place: str) -> Iterator[tuple[str, str]]:
    """`{S3Bucket, S3Key}`, `{Bucket, Key}`, `{S3Bucket, S3ObjectKey}` and the like."""
    for name, bucket in value.items():
        match = _BUCKET_AND_KEY.fullmatch(name)
        if not match or tree.staging_bucket not in texts(bucket):
            continue
        for key_name in (f"{match[1]}Key", f"{match[1]}key", f"{match[1]}ObjectKey"):
            if key_name in value:
                for key in texts(value[key_name]):
                    yield f"{place}.{key_name}".lstrip("."), key


def foreign_templates(tree: Tree) -> Iterator[Finding]:
    """AD709: the template of a nested stack of the user's own that CloudFormation cannot fetch."""
    for path, stack in tree.resolved.stacks.items():
        for url in texts(stack.url):
            if UNKNOWN not in url and not url.startswith(("https://", "http://")):
                yield TEMPLATES.at(
                    tree.file(path[:-1]), f"{path[-1]} has the TemplateURL {url[:80]!r}", TEMPLATES.remedy
                )


def parameters_that_do_not_fit(tree: Tree) -> Iterator[Finding]:
    """AD702: a nested stack is given a parameter it does not declare, or not given one it needs, or a
    value that it does not allow."""
    for view, name, child, passed in _children(tree):
        declared = as_mapping(child.template.get("Parameters"))
        for parameter in passed:
            if parameter not in declared:
                near = difflib.get_close_matches(parameter, declared, 1)
                yield PARAMETERS.at(
                    view.file,
                    f"{name} is given parameter {parameter}, which its template {child.key} does not declare",
                    f"the nearest one is {near[0]}" if near else "remove the parameter",
                )
        for parameter, declaration in declared.items():
            if parameter not in passed and "Default" not in as_mapping(declaration):
                yield PARAMETERS.at(
                    view.file,
                    f"{name} is not given parameter {parameter}, which its template {child.key} requires",
                    f"set it in the stack file: parameters.{name}.{parameter}",
                )
            elif problem := _not_allowed(child.values[parameter], as_mapping(declaration)):
                yield PARAMETERS.at(
                    view.file,
                    f"{name}'s parameter {parameter} {problem}",
                    f"set another value in the stack file: parameters.{name}.{parameter}",
                )


def _not_allowed(value: str, declaration: Mapping[str, Any]) -> str:
    """Why a parameter's declaration refuses `value`; empty if it allows it. Secret values are not shown."""
    if UNKNOWN in value or "{{resolve:" in value:
        return ""
    shown = "has a value that" if literal(declaration.get("NoEcho", "")) == "true" else f"is {value!r}, which"
    allowed = declaration.get("AllowedValues")
    members = items(value) if "List" in str(declaration.get("Type")) else [value]
    if isinstance(allowed, list) and not set(members) <= set(map(literal, allowed)):
        return f"{shown} is not one of {', '.join(map(literal, allowed))}"
    pattern = declaration.get("AllowedPattern")
    if isinstance(pattern, str) and not all(_matches(pattern, member) for member in members):
        return f"{shown} does not match {pattern}"
    if declaration.get("Type") == "Number":
        if not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value):
            return f"{shown} is not a number"
        return _out_of_bounds(float(value), declaration, "MinValue", "MaxValue", shown)
    if declaration.get("Type") == "String":
        return _out_of_bounds(len(value), declaration, "MinLength", "MaxLength", shown)
    return ""


def _out_of_bounds(measure: float, declaration: Mapping[str, Any], least: str, most: str, shown: str) -> str:
    """What of a parameter's bounds its number, or its length, does not keep. They may stand as texts."""
    for name, wrong in ((least, float.__lt__), (most, float.__gt__)):
        try:
            bound = float(literal(declaration.get(name, measure)))
        except ValueError:
            continue  # cfn-lint says it
        if wrong(float(measure), bound):
            return f"{shown} does not keep {name}, {literal(declaration[name])}"
    return ""


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """CloudFormation's patterns are Java's; what Python cannot read, or reads otherwise (`[a-z&&[^q]]`, of which it
    warns), is left to CloudFormation."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            return re.compile(pattern)
        except (re.error, FutureWarning):
            return None


def missing_outputs(tree: Tree) -> Iterator[Finding]:
    """AD703: a template reads an output that its nested stack does not have."""
    outputs = {
        (view.path, name): frozenset(as_mapping(child.template.get("Outputs")))
        for view, name, child, _ in _children(tree)
    }
    for view in tree.stacks:
        for name, output in sorted(set(_read_outputs(view.template))):
            have = outputs.get((view.path, name))
            if have is not None and output not in have:
                yield OUTPUTS.at(
                    view.file,
                    f"reads output {output} of {name}, which has no such output",
                    f"{name} has: {', '.join(sorted(have)) or 'none'}",
                )


def _read_outputs(value: Any) -> Iterator[tuple[str, str]]:
    """(nested stack, output) of every `Fn::GetAtt` of an output below `value`."""
    pending = [value]
    while pending:
        inner = pending.pop()
        if isinstance(inner, list):
            pending += [item for item in inner if not isinstance(item, str)]
        elif isinstance(inner, (dict, Mapping)):
            attribute = inner.get("Fn::GetAtt")
            if isinstance(attribute, str):
                attribute = attribute.split(".", 1)
            if isinstance(attribute, list) and all(isinstance(a, str) for a in attribute):
                name, _, output = ".".join(attribute).partition(".Outputs.")
                if output:
                    yield name, output
            pending += [item for item in inner.values() if not isinstance(item, str)]


def _children(tree: Tree) -> Iterator[tuple[StackView, str, StackView, Mapping[str, Any]]]:
    """(parent, logical id, child, parameters passed) of every nested stack whose template is published."""
    by_path = {view.path: view for view in tree.stacks}
    for path, stack in tree.resolved.stacks.items():
        if path in by_path:
            yield by_path[path[:-1]], path[-1], by_path[path], stack.parameters
