"""Check of values that a template is given: cfn-lint judges what stands in a template, not what a parameter brings.

Amplify's templates take most of their settings from parameters (a user pool nearly all, a schedule, an instance type),
and `amplify export` writes those into the manifest. They are held against the public schema of the property.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import regex

from amplify_delivery.export.templates.expressions import names_in
from amplify_delivery.export.templates.literals import text as literal
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.schemas import by_region, schema
from amplify_delivery.publishing.examination.tree import StackView, Tree, as_mapping

GIVEN = Rule(
    "AD710",
    "refused",
    "A value that a parameter gives to a property, and that the property does not take: one that is none of those it "
    "knows, too long, too small, of another form; a schedule that EventBridge does not understand, an instance type "
    "that the search service does not have in the region.",
    "https://github.com/aws-amplify/amplify-cli/issues/8572",
    "`Invalid instance type: c6g.xlarge.elasticsearch`, `Parameter ScheduleExpression is not valid`, `1 validation "
    "error detected: Value 'X' at 'mfaConfiguration' failed to satisfy constraint`",
    remedy="set the parameter in the environment's stack file, or correct it in the Amplify project and export again",
)

PLACEHOLDER = Rule(
    "AD711",
    "refused",
    "A parameter by which Amplify connects two resources (`functionNAMEArn`) that nobody passes: its default, its own "
    "name, would be taken for the value. A warning where AWS takes any text: in a variable of a function, or as a part "
    "of a name.",
    "https://github.com/aws-amplify/amplify-cli/issues/1897",
    "`Value 'functionappCustomMessageArn' at 'lambdaConfig.customMessage' failed to satisfy constraint`; in a variable "
    "of a function nothing: it calls something that is not there",
    remedy="add the dependency again in the Amplify project (`amplify update function`, or `dependsOn` in "
    "backend-config.json) and export again, or set the parameter in each environment's stack file",
)
_CONNECTED = re.compile(
    r"(analytics|api|auth|custom|function|geo|hosting|interactions|notifications|predictions|storage)[A-Za-z0-9]+"
)
"""How Amplify names such a parameter: category, resource, attribute (amplify-cli, `dependsOn`)."""
_SCHEDULE = ("AWS::Events::Rule", ("ScheduleExpression",))
_BY_REGION: Mapping[tuple[str, tuple[str, ...]], str] = {
    ("AWS::Elasticsearch::Domain", ("ElasticsearchClusterConfig", "InstanceType")): (
        "aws_elasticsearch_domain/elasticsearchclusterconfig_instancetype_enum"
    ),
    ("AWS::OpenSearchService::Domain", ("ClusterConfig", "InstanceType")): (
        "aws_opensearchservice_domain/clusterconfig_instancetype_enum"
    ),
}
"""Properties whose values depend on the region, and where cfn-lint keeps these."""
_NOT_JUDGED = ("Description", "Tags", "Variables", "Fn::If")
"""Properties whose texts nobody looks at (`Variables` are those of a function), and what is perhaps not used."""
_SCALARS = (str, bool, int, float)
_EMPTY = [""]
"""What an empty list becomes: nobody here knows what a service makes of it."""
_SHOWN = 80
"""Characters of a value that a finding shows."""


@dataclass(frozen=True)
class _Given:
    """A scalar at `path` in a resource's properties that the expression `by` became, and the schema of it there."""

    path: tuple[str, ...]
    value: Any
    by: Any
    rule: Mapping[str, Any]


def unfit_values(tree: Tree) -> Iterator[Finding]:
    """AD710: the service refuses the resource, in the middle of the deployment."""
    for view in tree.stacks:
        hidden = {name for name, d in _parameters(view).items() if literal(as_mapping(d).get("NoEcho", "")) == "true"}
        for name, _, properties in view.resources():
            made = tree.resolved.resources.get((*view.path, name))
            if made is None or not str(made.type).startswith("AWS::"):
                continue
            whole = schema(made.type)
            for given in _given((), properties, made.properties, whole, whole):
                by = names_in(given.by) & _parameters(view).keys()
                problem = _problem(made.type, given, tree.region) if by and not by & hidden else ""
                if problem:
                    yield GIVEN.at(
                        view.file,
                        f"{name}.{'.'.join(given.path)} is {literal(given.value)[:_SHOWN]!r}, which {problem}",
                        _remedy(view, by),
                    )


def _remedy(view: StackView, by: Collection[str]) -> str:
    """An environment sets the parameters of level-1 stacks."""
    told = f"it comes from {', '.join(sorted(by))}"
    if len(view.path) == 1 and len(by) == 1:
        told += f": set `parameters.{view.path[0]}.{next(iter(by))}` in the stack file"
    return f"{told}; or correct it in the Amplify project, and export again"


def _parameters(view: StackView) -> Mapping[str, Any]:
    return as_mapping(view.template.get("Parameters"))


def _given(
    path: tuple[str, ...], by: Any, value: Any, rule: Mapping[str, Any], whole: Mapping[str, Any]
) -> Iterator[_Given]:
    """The scalars that expressions became, each with its schema; what stands in the template itself is cfn-lint's."""
    rule = _followed(rule, whole)
    if isinstance(by, Mapping) and len(by) == 1 and next(iter(by)).startswith(("Ref", "Fn::")):
        if isinstance(value, _SCALARS):
            yield _Given(path, value, by, rule)
        elif isinstance(value, list) and value != _EMPTY:
            items = _followed(as_mapping(rule.get("items")), whole)
            yield from (_Given(path, item, by, items) for item in value if isinstance(item, _SCALARS))
    elif isinstance(by, Mapping) and isinstance(value, Mapping):
        properties = as_mapping(rule.get("properties"))
        for key, item in by.items():
            if key in value and key in properties:
                yield from _given((*path, key), item, value[key], as_mapping(properties[key]), whole)
    elif isinstance(by, list) and isinstance(value, list) and len(by) == len(value):
        for item, became in zip(by, value, strict=True):
            yield from _given(path, item, became, as_mapping(rule.get("items")), whole)


def _followed(rule: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(8):  # definitions refer to one another, never round in a circle at one place
        pointer = rule.get("$ref")
        if not isinstance(pointer, str) or not pointer.startswith("#/"):
            break
        found: Any = whole
        for part in pointer.removeprefix("#/").split("/"):
            found = as_mapping(found).get(part)
        rule = as_mapping(found)
    return rule


def _problem(kind: str, given: _Given, region: str) -> str:
    """Why the property does not take the value; empty if nothing is known against it."""
    value = literal(given.value)
    if "{{resolve:" in value:
        return ""  # only CloudFormation knows what stands there
    if (kind, given.path) == _SCHEDULE:
        return _of_schedule(value)
    there = _BY_REGION.get((kind, given.path))
    if there:
        known = as_mapping(by_region(there).get(region)).get("enum")
        return "" if not known or value in known else f"is not an instance type that it has in {region}"
    return _of_schema(value, given.rule)


def _of_schema(value: str, rule: Mapping[str, Any]) -> str:
    allowed = rule.get("enum")
    if isinstance(allowed, list) and value not in map(literal, allowed):
        return f"is none of {', '.join(map(literal, allowed[:12]))}"
    kind = rule.get("type")
    if kind in ("integer", "number"):
        return _of_number(value, rule)
    if kind == "boolean":
        return "" if value.lower() in ("true", "false") else "is neither true nor false"
    if kind != "string":
        return ""
    if len(value) > rule.get("maxLength", len(value)):
        return f"has {len(value):,} characters, {rule['maxLength']:,} are allowed"
    if len(value) < rule.get("minLength", 0):
        return f"has {len(value):,} characters, {rule['minLength']:,} are needed"
    pattern = rule.get("pattern")
    return f"does not match {pattern}" if isinstance(pattern, str) and not _matches(pattern, value) else ""


def _of_number(value: str, rule: Mapping[str, Any]) -> str:
    try:
        number = float(value)
    except ValueError:
        return "is not a number"
    if number > rule.get("maximum", number):
        return f"is more than {rule['maximum']:,}"
    return f"is less than {rule['minimum']:,}" if number < rule.get("minimum", number) else ""


@cache
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    try:
        return regex.compile(pattern)
    except regex.error:  # of another dialect
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    try:
        return compiled is None or compiled.search(value, timeout=1) is not None
    except TimeoutError:
        return True


_RATE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9]\d* (minutes|hours|days))\)")
_CRON = re.compile(r"cron\((?P<fields>[^()]+)\)")


def _of_schedule(value: str) -> str:
    """EventBridge User Guide, "Cron expressions": six fields, one of the two days is `?`."""
    if not value or _RATE.fullmatch(value):
        return ""  # a rule without a schedule has a pattern of events
    cron = _CRON.fullmatch(value)
    if cron is None:
        return "is neither rate(1 minute), rate(5 minutes), nor cron(...)"
    fields = cron["fields"].split()
    if len(fields) != 6:
        return f"has {len(fields)} fields: minutes, hours, day of month, month, day of week and year are six"
    days = (fields[2], fields[4])
    return "" if days.count("?") == 1 else "must have `?` for one of day of month and day of week, and only one"


def unconnected(tree: Tree) -> Iterator[Finding]:
    """AD711: a parameter that keeps its own name as its value, and is used."""
    for view in tree.stacks:
        names = _left_alone(tree, view) if view.path else []
        if not names:
            continue
        texts = [text for _, properties in tree.resources(view) for text in _texts(properties)]
        for name in names:
            uses = [_is_refused(name, text, judged) for text, judged in texts if name in text]
            if uses:
                told = PLACEHOLDER.at(
                    view.file, f"nobody passes {name}, and its default is its own name", PLACEHOLDER.remedy
                )
                yield told if any(uses) else replace(told, severity="warning")


def _is_refused(name: str, text: str, judged: bool) -> bool:
    """Whether AWS refuses a text with a parameter's name in the place of its value: as part of a longer name it may be
    one, but it is no part of an ARN."""
    return judged and (text == name or name.endswith("Arn"))


def _left_alone(tree: Tree, view: StackView) -> list[str]:
    passed = tree.resolved.stacks[view.path].parameters
    return [
        name
        for name, declaration in _parameters(view).items()
        if name not in passed and as_mapping(declaration).get("Default") == name and _CONNECTED.fullmatch(name)
    ]


def _texts(value: Any, *, judged: bool = True) -> Iterator[tuple[str, bool]]:
    """Every text in resolved properties, and whether a service is given it for certain, and looks at it."""
    if isinstance(value, str):
        yield value, judged
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, judged=judged)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, judged=judged and key not in _NOT_JUDGED)
