"""cfn-lint over one template: the errors that CloudFormation would raise too."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.helpers import REGION_PRIMARY, REGIONS
from cfnlint.rules import Rules
from cfnlint.rules.functions._BaseFn import BaseFn
from cfnlint.runner import Runner

from amplify_delivery.export.templates.resolve import constants

_OLD_RUNTIME = (
    "depends on today's date and on whether the function is there already: an app whose functions were deployed "
    "years ago must stay deliverable, and AWS refuses to create a new one by itself"
)
FAILED = "E0002"
"""What cfn-lint says where one of its own rules raised an exception: it has not looked at all of the template."""
IGNORED: Mapping[str, str] = {
    FAILED: "an exception in one of cfn-lint's own rules says nothing about the template: it is told, and not kept",
    "E2531": _OLD_RUNTIME,
    "E2533": _OLD_RUNTIME,
}
"""cfn-lint's error rules that are not applied, each with the reason."""
_NOT_RESOLVED = ("Ref", "Fn::Join", "Fn::Sub")
_LONGEST = 240
"""Characters of a message; some rules list every value that is allowed."""


class Linter:
    """cfn-lint with its rules loaded (0.7 s); `lint` then takes 0.05 s for a small template."""

    def __init__(self) -> None:
        config = _config((REGION_PRIMARY,))
        self._runner = Runner(config)
        _drop_what_is_off(self._runner.rules, config)

    def lint(self, text: str, regions: Sequence[str]) -> dict[str, list[str]]:
        """The errors of one template in each of the regions, each with its rule and its place; `FAILED` among them.

        cfn-lint judges a template for several regions in about the time that one takes, and then says of an error that
        there is one, not where: a template that has none in any of them, as most have, is gone through once.
        """
        # A region that opened after this cfn-lint was made: most types are the same everywhere.
        known = {region: region if region in REGIONS else REGION_PRIMARY for region in regions}
        different = tuple(dict.fromkeys(known.values()))
        if len(different) > 1 and not self._problems(text, different):
            return {region: [] for region in regions}
        found = {region: self._problems(text, (region,)) for region in different}
        return {region: found[name] for region, name in known.items()}

    def _problems(self, text: str, regions: tuple[str, ...]) -> list[str]:
        """What cfn-lint has against a template that should be good in all the regions."""
        template, unreadable = decode_str(text)
        if unreadable:
            return [f"line {m.linenumber}: {m.message} (cfn-lint {m.rule.id})" for m in unreadable]
        never = _Never(template)
        self._runner.config = _config(regions)
        return [
            f"{'/'.join(map(str, path[:6]))}: {_short(m.message)} (cfn-lint {m.rule.id})"
            for m in self._runner.validate_template(template)
            for path in [getattr(m, "path", ())]  # `FAILED` has none
            if m.rule.severity == "error" and not never.reached(path) and not _same_text(template, m.rule.id, path)
        ]


def _drop_what_is_off(rules: Rules, config: ConfigMixIn) -> None:
    """cfn-lint runs what is switched off as well, and throws its answers away: a quarter of its time.

    Most of that goes into values that `Ref`, `Fn::Join` and `Fn::Sub` are resolved to, whose errors are warnings of
    their own: a function whose `resolved_rule` is empty is not resolved. Other functions are: a mapping without such a
    key is an error. Rules that belong to one that is on stay.
    """
    on = {rule for rule in rules.data if rules.is_rule_enabled(rule, config)}
    for rule in map(rules.data.__getitem__, on):
        if isinstance(rule, BaseFn) and rule.fn.name in _NOT_RESOLVED and rule.resolved_rule not in on:
            rule.resolved_rule = ""
    needed = {child for rule in on for child in rules.data[rule].child_rules}
    for off in rules.data.keys() - on - needed:
        del rules.data[off]


@cache
def _config(regions: tuple[str, ...]) -> ConfigMixIn:
    return ConfigMixIn(
        regions=list(regions),
        ignore_checks=["W", "I", *(IGNORED.keys() - {FAILED})],
        # An empty file in place of a .cfnlintrc that happens to lie in the user's folder: results are kept.
        config_file=os.devnull,
    )


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."


def _same_text(template: Mapping[str, Any], rule: str, path: Sequence[Any]) -> bool:
    """Whether E2015 misses a `Default` that stands among the `AllowedValues`, only as a number beside texts.

    To CloudFormation every parameter is a text. Each `@searchable` API has such a parameter
    (`OpenSearchStreamMaximumBatchingWindowInSeconds` and its like).
    """
    if rule != "E2015" or len(path) < 2 or path[0] != "Parameters":
        return False
    declared = template["Parameters"][path[1]]
    default, allowed = declared.get("Default"), declared.get("AllowedValues")
    plain = isinstance(default, str | int | float) and isinstance(allowed, list)
    # Where another limit could be what E2015 means, it is heard.
    limits = {"AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue"} & set(declared)
    return plain and not limits and str(default) in map(str, allowed)


class _Never:
    """What of a template can never be created: resources and `Fn::If` branches whose condition is constant.

    Amplify makes both: `EmptyResource`, a custom resource without ServiceToken under `AlwaysFalse` that
    keeps a template from being empty, and the network template's `Fn::If` on a constant with "" as VPC id.
    cfn-lint reports them, CloudFormation never looks at them.
    """

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._template = template
        self._constants = constants(template)

    def reached(self, path: Sequence[Any]) -> bool:
        """Whether `path` leads into something that can never be created."""
        node: Any = self._template
        for index, step in enumerate(path):
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                return False
            if index == 1 and path[0] == "Resources" and isinstance(node, Mapping):
                if self._holds(node.get("Condition")) is False:
                    return True
            elif step == "Fn::If" and isinstance(node, list) and len(node) == 3 and len(path) > index + 1:
                holds = self._holds(node[0])
                if (holds is False and path[index + 1] == 1) or (holds is True and path[index + 1] == 2):
                    return True
        return False

    def _holds(self, name: Any) -> bool | None:
        return self._constants.get(name) if isinstance(name, str) else None
