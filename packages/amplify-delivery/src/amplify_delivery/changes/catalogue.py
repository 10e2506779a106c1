"""Everything that is found out beforehand, by its id: the page docs/checks.md.

python -m amplify_delivery.changes.catalogue > docs/checks.md
"""

from __future__ import annotations

import sys

from amplify_delivery.changes import imports, impossible
from amplify_delivery.export import checks
from amplify_delivery.export.assembling import root
from amplify_delivery.findings import Rule
from amplify_delivery.publishing.examination import computed, graphql_schema, preflight, trust, wiring

_DECLARING = (root, preflight, wiring, trust, graphql_schema, computed, impossible, imports)
"""Modules that declare the rules of what they find."""

_HEAD = """\
# Checks

<!-- Made by `python -m amplify_delivery.changes.catalogue > docs/checks.md`: change it where the checks stand. -->

What is found out before anything is sent or changed.

- **repaired**: put right while the export is assembled; nothing to do.
- **warning**: delivered as it is; worth a look.
- **refused**: AWS would fail, a secret would leak, or something would silently be missing: nothing is published before
  it is put right. Every refusal says what to do.

AD1xx is about the form of the files, AD2xx about the structure, AD3xx parameters, AD4xx files and locations, AD5xx
quotas, AD6xx the exporter's noise: `check` tells them, of the export alone. AD70x and AD73x are about the templates as
they are rendered for an environment, before they are published. AD74x are about changes: `plan` shows them, and no
command carries such a plan out. From AD700 on, an environment's stack file can overrule an id, with a reason:
[linting.md](linting.md) tells how, and lists the rules of cfn-lint, all of which are AD700.

| id | severity | what it finds | on AWS | source |
|---|---|---|---|---|
"""


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    declared = [rule for module in _DECLARING for rule in vars(module).values() if isinstance(rule, Rule)]
    return tuple(sorted({*checks.rules(), *declared}, key=lambda rule: rule.id))


def page() -> str:
    """The page, in Markdown."""
    return _HEAD + "".join(
        f"| {r.id} | {r.severity} | {r.what} | {r.on_aws} | [source]({r.source}) |\n" for r in all_rules()
    )


if __name__ == "__main__":
    sys.stdout.write(page())
