"""Check of a template's own rules: its assertions, with the values that an environment gives its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amplify_delivery.export.templates.conditions import CONNECTIVES, connected
from amplify_delivery.export.templates.literals import items, text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.tree import StackView, Tree, as_mapping
from amplify_delivery.publishing.examination.values import UNKNOWN

ASSERTION = Rule(
    "AD721",
    "refused",
    "An assertion of a template's `Rules` that does not hold with the values of this environment.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html",
    "a `ValidationError` with the assertion's description, in the middle of the deployment for a nested stack",
    remedy="set the parameter in the environment's stack file (`parameters`), or change the rule (`amplify override`) "
    "and export again",
)


def failed_assertions(tree: Tree) -> Iterator[Finding]:
    """AD721: CloudFormation makes nothing of the stack."""
    for view in tree.stacks:
        for name, rule in as_mapping(view.template.get("Rules")).items():
            for told in _failed(as_mapping(rule), view):
                yield ASSERTION.at(view.file, f"rule {name} does not hold: {told}", ASSERTION.remedy)


def _failed(rule: Mapping[str, Any], view: StackView) -> Iterator[str]:
    """What the assertions that do not hold say of themselves."""
    if "RuleCondition" in rule and _holds(rule["RuleCondition"], view) is not True:
        return
    assertions = rule.get("Assertions")
    for assertion in map(as_mapping, assertions if isinstance(assertions, list) else ()):
        if _holds(assertion.get("Assert"), view) is False:
            said = assertion.get("AssertDescription")
            yield said if isinstance(said, str) else f"{assertion.get('Assert')}"


def _holds(asked: Any, view: StackView) -> bool | None:
    """Whether an expression of a rule holds; None where only CloudFormation knows ("Rule-specific intrinsic
    functions")."""
    if not isinstance(asked, Mapping) or len(asked) != 1:
        return None
    (name, given), *_ = asked.items()
    if not isinstance(given, list) or not given:
        return None
    if name in CONNECTIVES:
        return connected(name, [_holds(part, view) for part in given])
    if len(given) != 2 or name not in _COMPARED:
        return None
    one, other = (_texts(side, view) for side in given)
    return None if one is None or other is None else _COMPARED[name](one, other)


_COMPARED: Mapping[str, Callable[[list[str], list[str]], bool]] = {
    "Fn::Contains": lambda strings, value: all(v in strings for v in value),
    "Fn::EachMemberEquals": lambda strings, value: all(s == v for s in strings for v in value),
    "Fn::EachMemberIn": lambda strings, other: set(strings) <= set(other),
    "Fn::Equals": lambda one, other: one == other,
}


def _texts(value: Any, view: StackView) -> list[str] | None:
    """A side of a comparison as texts: of a list its members, of a parameter its value; None if it is not known."""
    if isinstance(value, list):
        members = [_texts(item, view) for item in value]
        return None if None in members else [one for member in members for one in member or ()]
    if isinstance(value, Mapping):
        name = str(value.get("Ref"))
        given = view.values.get(name) if set(value) == {"Ref"} else None
        if given is None or UNKNOWN in given:
            return None
        declared = as_mapping(as_mapping(view.template.get("Parameters")).get(name)).get("Type")
        return items(given) if "List" in str(declared) else [given]
    return [text(value)] if isinstance(value, (bool, int, float, str)) else None
