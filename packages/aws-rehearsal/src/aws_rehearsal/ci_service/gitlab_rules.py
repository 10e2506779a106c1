"""Which of GitLab's jobs a push starts: `rules`, with their expressions over variables ("CI/CD YAML syntax reference").

Variables that GitLab sets for every pipeline and that nobody here knows are refused by name: as nothing they would
leave out a job that GitLab starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aws_rehearsal.ci_service.filters import gitlab_matches
from aws_rehearsal.ci_service.jobs import NotPlayedError, not_played

ROOT = ".gitlab-ci.yml"
_TERM = re.compile(r"""\s*(?:(\$\w+)|"([^"]*)"|'([^']*)'|(null)\b|(==|!=|&&|\|\||\(|\)))""")
_WHENS = ("on_success", "always", "manual", "never")
_RULE = ("if", "when", "allow_failure", "changes")
_NOT_OF_A_PUSH = re.compile(
    r"CI_(COMMIT_TAG(_MESSAGE)?|MERGE_REQUEST_\w+|EXTERNAL_PULL_REQUEST_\w+|OPEN_MERGE_REQUESTS|DEPLOY_FREEZE)"
    r"|CI_(TRIGGER_SHORT_TOKEN|PIPELINE_TRIGGERED|PIPELINE_SCHEDULE_DESCRIPTION)"
)
"""Variables that a push to a branch does not have."""
_Terms = list[tuple[str, str | None]]


def starts(
    name: str, document: Mapping[str, Any], given: Mapping[str, str], changed: Sequence[str] | None = None
) -> bool:
    """By the first rule that holds. `changed` are the files that the push has changed; None for a new branch, of which
    every `changes` is true. Raises `NotPlayedError`."""
    where = f"{ROOT}, job {name}"
    rules, when = document.get("rules"), _when(document.get("when"), where)
    if rules is None:
        return when != "never"
    for rule in rules if isinstance(rules, list) else [rules]:
        if not isinstance(rule, Mapping):
            raise not_played("what is no rule", where)
        unknown = [key for key in rule if key not in _RULE]
        if unknown:
            raise not_played(f"the rule {unknown[0]!r}", where)
        if _when(rule.get("when"), where) and _rule_holds(rule, given, changed, name):
            return bool(rule.get("when", when) != "never")
    return False


def _when(when: Any, where: str) -> str:
    if when is not None and when not in _WHENS:
        raise not_played(f"`when: {when}`", where)
    return str(when or _WHENS[0])


def _rule_holds(rule: Mapping[str, Any], given: Mapping[str, str], changed: Sequence[str] | None, name: str) -> bool:
    if "if" in rule and not holds(str(rule["if"]), given, name):
        return False
    if "changes" not in rule:
        return True
    globs = rule["changes"]
    if isinstance(globs, Mapping):
        if set(globs) != {"paths"}:
            raise not_played("`changes: compare_to`", f"{ROOT}, job {name}")
        globs = globs["paths"]
    globs = [expanded(str(glob), given) for glob in ([globs] if isinstance(globs, str) else globs or ())]
    return changed is None or any(gitlab_matches(file, globs) for file in changed)


def holds(text: str, given: Mapping[str, str], name: str) -> bool:
    """A rule's expression: variables, texts, `null`, `==`, `!=`, `&&`, `||` and brackets. Raises `NotPlayedError`."""
    where = f"{ROOT}, job {name}"
    terms: _Terms = []
    at = 0
    while text[at:].strip():
        found = _TERM.match(text, at)
        if not found:
            raise not_played(f"the rule {text!r}", where)
        at = found.end()
        variable, double, single, null, sign = found.groups()
        if sign:
            terms.append((sign, None))
        elif variable:
            terms.append(("value", _value(variable[1:], given, where)))
        else:
            terms.append(("value", None if null else double if double is not None else single))
    try:
        value, rest = _either(terms)
    except IndexError:
        rest = terms or [("", None)]
    if rest:
        raise not_played(f"the rule {text!r}", where)
    return value


def _value(variable: str, given: Mapping[str, str], where: str) -> str | None:
    predefined = variable.startswith(("CI_", "GITLAB_"))
    if variable not in given and predefined and not _NOT_OF_A_PUSH.fullmatch(variable):
        raise not_played(f"the variable ${variable} in a rule", where)
    return given.get(variable)


def _either(terms: _Terms) -> tuple[bool, _Terms]:
    value, rest = _both(terms)
    while rest and rest[0][0] == "||":
        other, rest = _both(rest[1:])
        value = value or other
    return value, rest


def _both(terms: _Terms) -> tuple[bool, _Terms]:
    value, rest = _compared(terms)
    while rest and rest[0][0] == "&&":
        other, rest = _compared(rest[1:])
        value = value and other
    return value, rest


def _compared(terms: _Terms) -> tuple[bool, _Terms]:
    """Raises `IndexError` where there is nothing to compare, or a bracket is not closed."""
    match terms:
        case [("(", _), *inside]:
            value, rest = _either(inside)
            if rest[0][0] != ")":
                raise IndexError
            return value, rest[1:]
        case [("value", left), ("==" | "!=" as sign, _), ("value", right), *rest]:
            return (left == right) is (sign == "=="), rest
        case [("value", left), *rest]:
            return bool(left), rest
    raise IndexError


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """A text with its variables' values; `$$` is a dollar."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return variables.get(name, "") if name else "$"

    return re.sub(r"\$(\w+)|\$\{(\w+)\}|\$\$", value, text)


def refused(what: str, where: str) -> NotPlayedError:
    return NotPlayedError(f"GitLab takes no pipeline with {what}", where=where, remedy="correct it there")
