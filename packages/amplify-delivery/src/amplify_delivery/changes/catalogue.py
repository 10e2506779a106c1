"""Everything that is found out beforehand, by its id: the page docs/checks.md, and what `check --explain` says of one.

python -m amplify_delivery.changes.catalogue > docs/checks.md
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from amplify_delivery.changes import imports
from amplify_delivery.changes.impossible import rules as impossible
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import checks
from amplify_delivery.export.assembling import root
from amplify_delivery.findings import Rule
from amplify_delivery.publishing.examination import computed, given, graphql_schema, preflight, trust, wiring
from amplify_delivery.publishing.examination.services import SERVICE_CHECKS

_EXAMINING = (preflight, wiring, trust, graphql_schema, computed, given)
_OF_SERVICES = tuple(dict.fromkeys(sys.modules[check.__module__] for check in SERVICE_CHECKS))
_DECLARING = (root, *_EXAMINING, *_OF_SERVICES, impossible, imports)
"""Modules that declare the rules of what they find."""

_HEAD = """\
# Checks

<!-- Made by `python -m amplify_delivery.changes.catalogue > docs/checks.md`: change it where the checks stand. -->

What is found out before anything is sent or changed. `amplify-delivery check --list` prints the list, `amplify-delivery
check --explain AD305` all that is known of one, of cfn-lint's rules too (`--explain E3012`).

- **repaired**: put right while the export is assembled; nothing to do.
- **warning**: delivered as it is; worth a look.
- **refused**: AWS would fail, a secret would leak, or something would silently be missing: nothing is published before
  it is put right. Every refusal says what to do.

Sixty faults that users have met, from public reports, AWS's documented limits and reported cases, are planted in real
exports and apps by the tests (`packages/amplify-delivery/tests/unit/planted/faults.py`): each has to be told before
CloudFormation is called, or to be put right, and of the untouched ones nothing else may be told. They were chosen by
what happens to users, before anybody looked which of them are found: 40 of the 60 were, then; one of the others ended
in a traceback. AD432, AD707 to AD709, AD735 to AD739 and two forms of AD733 came of the rest. How many a sixty-first
fault would meet, that number tells better than the 60 of today: of 28 further ones 9 were found. What values a
manifest gives, nobody had looked at; AD710 to AD714 came of it (`further.py`, beside what is right and must not be
refused). Of 115 further inputs that AWS refuses, or that deserve a word, 72 were not told; AD723 to AD729,
AD740 and AD753 came of that. Two of the 72 were left at the last count, and nobody has written down which. Of 40 faults
that services refuse themselves, 19 were not told; AD740 and AD760, and more forms of others, came of that. One is none:
Lambda takes a function's address with credentials for every origin, and answers each (CUDly 390). Of 48 more, eleven
were not told; AD434, and forms of AD431, AD728, AD733, AD738, AD743, AD753 and AD760 came of that. One is not told yet:
a log group `/aws/lambda/NAME` for a function that is deployed (amplify-cli 13292). If the function has run, Lambda has
made it, and the update is rolled back: `aws logs delete-log-group` first, which takes its lines away.

AD1xx is about the form of the files, AD2xx about the structure, AD3xx parameters, AD4xx files and locations, AD5xx
quotas, AD6xx the exporter's noise: `check` tells them, of the export alone. AD700 to AD740, and AD760, are about the
templates as they are rendered for an environment, before they are published. AD741 to AD754 are about changes: `plan`
shows them, and no command carries such a plan out. From AD700 on, an environment's stack file can overrule an id, with
a reason: [linting.md](linting.md) tells how, and lists the rules of cfn-lint, all of which are AD700.

| id | severity | what it finds | on AWS | what to do | source |
|---|---|---|---|---|---|
"""

_SEVERITIES: Mapping[str, str] = {
    "repaired": "put right while the export is assembled",
    "warning": "delivered as it is",
    "refused": "nothing is published before it is put right",
}

_BY_WHOM: Mapping[str, str] = {
    "AD1": "`check`, `assemble` and `build`, when they read the export",
    "AD70": "`build`, `publish`, `up` and `deploy`, of the templates as they are rendered for an environment",
    "AD71": "`build`, `publish`, `up` and `deploy`, of the templates as they are rendered for an environment",
    "AD72": "`build`, `publish`, `up` and `deploy`, of the templates as they are rendered for an environment",
    "AD73": "`build`, `publish`, `up` and `deploy`, of the templates as they are rendered for an environment",
    "AD75": "`plan`, of what deploying would change; no command carries such a plan out",
    "AD76": "`build`, `publish`, `up` and `deploy`, of the templates as they are rendered for an environment",
    "AD74": "`plan`, of what deploying would change; no command carries such a plan out",
    "AD": "`check`, `assemble` and `build`, of the export alone",
}
"""Who tells it, by the beginning of an id; the longest counts."""

_IGNORED_WITH_REASON = (
    "yes: `lint.ignore` of the environment's stack file, with a reason that every `plan` shows (docs/linting.md)"
)
_OVERRULED: Mapping[str, str] = {
    "AD212": "yes: `keptLiterals` of the environment's stack file (docs/configuration.md)",
    "AD214": "yes: `keptLiterals` of the environment's stack file (docs/configuration.md)",
    "AD215": "no: deploy it first without `production`",
    "AD305": "yes: by a secret of its own in each environment's stack file (docs/configuration.md)",
    "AD306": "no; an environment can set another value in its stack file (`parameters`)",
    "AD749": "no: no service refuses it, and the app would find an empty table",
    "AD7": _IGNORED_WITH_REASON,
}
"""How a finding is overruled, by its id or how that begins."""
_NOT_OVERRULED: Mapping[str, str] = {
    "repaired": "nothing to overrule: it is put right",
    "warning": "nothing to overrule: it stops nothing",
    "refused": "no",
}


@dataclass(frozen=True)
class Explanation:
    """All that is known of one id."""

    id: str
    severity: str
    what: str
    why: str
    remedy: str
    overruled: str
    told_by: str
    source: str

    def to_json(self) -> dict[str, str]:
        return {
            "id": self.id,
            "severity": self.severity,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
            "overruled": self.overruled,
            "toldBy": self.told_by,
            "source": self.source,
        }


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    declared = [rule for module in _DECLARING for rule in vars(module).values() if isinstance(rule, Rule)]
    return tuple(sorted({*checks.rules(), *declared}, key=lambda rule: rule.id))


def explain(asked: str) -> Explanation:
    """What an id stands for: one of ours (`AD305`, `ad305`, `305`), or of cfn-lint's errors (`E3012`), which are
    AD700. Raises `ConfigError` for another one, naming the nearest."""
    wanted = asked.strip().upper()
    wanted = f"AD{wanted}" if re.fullmatch(r"\d{3}", wanted) else wanted
    rules = {rule.id: rule for rule in all_rules()}
    if wanted in rules:
        return _explained(rules[wanted])
    linted = _of_cfn_lint(wanted) if re.fullmatch(r"[EWI]\d{4}", wanted) else None
    if linted is not None:
        return linted
    near = _nearest(wanted, rules)
    raise ConfigError(
        "there is no such id",
        where=asked,
        remedy=f"the nearest are {', '.join(near)}; `amplify-delivery check --list` lists them all"
        if near
        else "`amplify-delivery check --list` lists them all",
    )


def _nearest(wanted: str, ids: Iterable[str]) -> list[str]:
    """The three ids most like another text; of those that are equally like it, the nearest by their numbers."""
    digits = "".join(filter(str.isdigit, wanted))
    number = int(digits[-3:]) if digits else 0

    def far(id: str) -> tuple[float, int]:
        return -difflib.SequenceMatcher(None, wanted, id).ratio(), abs(int(id[2:]) - number)

    return sorted(difflib.get_close_matches(wanted, ids, 20, cutoff=0.5), key=far)[:3]


def _explained(rule: Rule) -> Explanation:
    return Explanation(
        rule.id,
        f"{rule.severity}: {_SEVERITIES[rule.severity]}",
        rule.what,
        f"AWS would answer: {rule.on_aws}" if rule.on_aws else "",
        rule.remedy,
        _longest(_OVERRULED, rule.id, _NOT_OVERRULED[rule.severity]),
        _longest(_BY_WHOM, rule.id, ""),
        rule.source,
    )


def _longest(of: Mapping[str, str], id: str, otherwise: str) -> str:
    """The entry whose key is the longest beginning of `id`."""
    keys = [key for key in of if id.startswith(key)]
    return of[max(keys, key=len)] if keys else otherwise


def _of_cfn_lint(id: str) -> Explanation | None:
    """A rule of the cfn-lint that is installed; only its errors count."""
    from amplify_delivery.publishing.examination.linting import cfn_lint_rule  # noqa: PLC0415 - cfn-lint takes a second

    found = cfn_lint_rule(id)
    if found is None:
        return None
    applied = not found.not_applied
    return Explanation(
        id,
        "refused, as AD700: nothing is published before it is put right" if applied else "not applied",
        found.what,
        found.why if applied else found.not_applied,
        preflight.CFN_LINT.remedy if applied else "nothing",
        _IGNORED_WITH_REASON.replace("yes:", f"yes, {id} alone:") if applied else "nothing to overrule",
        _BY_WHOM["AD70"] if applied else "nobody",
        found.source,
    )


def page() -> str:
    """The page, in Markdown."""
    return _HEAD + "".join(
        f"| {r.id} | {r.severity} | {r.what} | {r.on_aws} | {r.remedy} | [source]({r.source}) |\n" for r in all_rules()
    )


if __name__ == "__main__":
    sys.stdout.write(page())
