"""The page docs/linting.md: what stands in the way of a publication, and why each does.

    python -m amplify_delivery.publishing.examination.linting > docs/linting.md

The list of cfn-lint's rules is of the version that is installed: a test compares the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

from cfnlint.config import ConfigMixIn
from cfnlint.rules import Rules
from cfnlint.runner import Runner

from amplify_delivery.publishing.examination.linter import IGNORED

_FAMILIES: Mapping[str, str] = {
    "E0": "the template cannot be read: CloudFormation's `Template format error`",
    "E1": "its structure or its functions: CloudFormation refuses the template before it makes anything",
    "E2": "parameters: CloudFormation refuses the template or the values",
    "E3": "resources: what the public schema of the type does not allow, the service refuses during the deployment",
    "E4": "metadata: CloudFormation refuses what it reads of it",
    "E5": "modules: CloudFormation cannot expand them",
    "E6": "outputs: CloudFormation refuses the template",
    "E7": "mappings: CloudFormation refuses the template",
    "E8": "conditions: CloudFormation refuses the template",
}
"""Why cfn-lint's errors refuse, by the beginning of their ids."""

_HEAD = """\
# What is examined before publishing

<!-- Made by `python -m amplify_delivery.publishing.examination.linting > docs/linting.md`: change it there. -->

Before the first object is sent, the rendered templates of an environment are examined ([checks.md](checks.md) lists
what is found, by id). A finding ends the command with nothing published. It is what we and cfn-lint know of
CloudFormation, and both can be wrong; CloudFormation has the last word, and rolls back what it refuses. So each id
below can be overruled in the environment's stack file, with a reason, which every `plan` of that environment shows:

```yaml
config:
  APP:lint:
    ignore:
      - id: E3012
        reason: CloudFormation takes a number here, deployed so since 2024
```

or `pulumi config set -s ENV --path 'lint.ignore[0].id' E3012`, and likewise `.reason`. `AD700` stands for all of
cfn-lint. What is so in every environment stands in `Pulumi.yaml`, as the key's `default`; an environment that has a
`lint` of its own is ruled by that alone:

```yaml
config:
  lint:
    type: object
    default: {ignore: [{id: E3012, reason: "CloudFormation takes a number here, deployed so since 2024"}]}
```
"""


_WARNINGS = "a warning or a hint of cfn-lint: those do not count"


@dataclass(frozen=True)
class LintRule:
    """A rule of cfn-lint: `not_applied` says why it does not count, and is empty if it does."""

    id: str
    what: str
    why: str
    source: str
    not_applied: str = ""


@cache
def _installed() -> Rules:
    """All rules of the cfn-lint that is installed."""
    return Runner(ConfigMixIn(regions=["us-east-1"])).rules


def cfn_lint_rule(id: str) -> LintRule | None:
    """One rule of the cfn-lint that is installed; None if it has none of that id."""
    rule = _installed().data.get(id)
    if rule is None:
        return None
    told = [" ".join(str(text).split()) for text in (rule.shortdesc, rule.description) if text]
    source = str(rule.source_url or "https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md")
    why = IGNORED.get(id, "" if id.startswith("E") else _WARNINGS)
    return LintRule(id, ". ".join(dict.fromkeys(told)), _FAMILIES.get(id[:2], ""), source, why)


def page() -> str:
    """The page, in Markdown."""
    parts = [
        _HEAD,
        f"## cfn-lint {version('cfn-lint')}\n",
        "Its errors refuse; warnings and hints do not count. Why, by id:\n",
    ]
    parts += [f"- {family}xxx: {why}" for family, why in _FAMILIES.items()]
    parts += [
        "\nNot applied, besides what stands under a condition that never holds (`Fn::Equals` of two constants):\n",
        *(f"- {id}: {why}" for id, why in IGNORED.items()),
        "- E2015 where the default is a number and the allowed values are its text: CloudFormation compares texts",
        "\n| id | what it refuses |\n|---|---|",
        *(f"| {id} | {what} |" for id, what in _rules()),
    ]
    return "\n".join(parts) + "\n"


def _rules() -> Iterator[tuple[str, str]]:
    rules = _installed()
    for id in sorted(rules):
        if id.startswith("E") and id not in IGNORED:
            yield id, " ".join(str(rules[id].shortdesc).split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
