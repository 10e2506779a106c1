"""GitLab CI: the jobs of `.gitlab-ci.yml` that a push to a branch starts ("CI/CD YAML syntax reference").

Of a project's jobs only those that get a token are played, and what they need: all else is nothing that an account
would let in, and may want images and services of its own.

What is played: local includes, `extends`, `variables`, `before_script` and `script` in bash, `needs`, `rules` that
compare variables, `when: manual`, `environment`, `id_tokens`, `artifacts: paths`. All else that changes what runs is
refused by name.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aws_rehearsal.ci_service.jobs import Job, NotPlayedError, Push, Runner, in_order
from aws_rehearsal.ci_service.tokens import Claims, signed

ROOT = ".gitlab-ci.yml"
_GLOBAL = ("stages", "include", "variables", "workflow", "default", "image", "before_script", "after_script", "cache")
_REFUSED = ("workflow", "before_script", "after_script")
_HARMLESS = {"image", "tags", "timeout", "retry", "interruptible", "cache"}
"""What no command's outcome depends on here."""
_NOT_PLAYED = ("parallel", "trigger", "after_script", "only", "except", "services", "inherit")
_TERM = re.compile(r"""\s*(?:(\$\w+)|"([^"]*)"|'([^']*)'|(null)|(==|!=|&&|\|\||\(|\)))""")
_SECONDS = 6 * 3600
"""A token lives as long as its job may take."""


@dataclass(frozen=True)
class Pipeline:
    """The jobs of a project, as far as they are read."""

    documents: Mapping[str, Mapping[str, Any]]

    def jobs(self, push: Push) -> list[Job]:
        """Those with a token that a push starts, and what they need, in the order in which they run here. Raises
        `NotPlayedError`."""
        given, wanted = _given(push), self._wanted()
        started = {n: d for n, d in self.documents.items() if n in wanted and _starts(n, d, given)}
        return in_order([_job(name, document) for name, document in started.items()])

    def _wanted(self) -> set[str]:
        """The names of those with a token, and of what they need."""
        found: set[str] = set()
        left = {n for n, d in self.documents.items() if "id_tokens" in d and not n.startswith(".")}
        while left:
            found |= left
            left = {need for name in left for need in _needs(self.documents.get(name, {}))} - found
        return found


def read(folder: Path) -> Pipeline:
    """What stands in a project's file and in those that it includes. Raises `NotPlayedError`."""
    documents: dict[str, Any] = {}
    root = _load(folder / ROOT)
    includes = root.get("include") or ()
    for include in [includes] if isinstance(includes, str | Mapping) else includes:
        local = include if isinstance(include, str) else include.get("local")
        if not local or "*" in local:
            raise _not_played(f"the include {include}", ROOT)
        documents |= _load(folder / local.lstrip("/"))
    documents |= root
    for key in _REFUSED:
        if key in documents:
            raise _not_played(f"`{key}` for all jobs", ROOT)
    strange = set(documents.get("default") or ()) - _HARMLESS
    if strange:
        raise _not_played(f"`default: {sorted(strange)[0]}`", ROOT)
    everywhere = {"variables": documents["variables"]} if documents.get("variables") else {}
    found = {n: d for n, d in documents.items() if n not in _GLOBAL and isinstance(d, Mapping)}
    return Pipeline({name: _merged(everywhere, _extended(document, found)) for name, document in found.items()})


def claims(push: Push, host: str, project_id: str, subject: str) -> Claims:
    """What the token of a job says, beside `aud`. `subject` is made of what the project signs."""
    return {
        "iss": f"https://{host}",
        "sub": subject,
        "project_path": push.repository,
        "project_id": project_id,
        "ref": push.branch,
        "ref_type": "branch",
        "sha": push.commit,
    }


@dataclass
class Run:
    """A pipeline for a push, job after job."""

    push: Push
    runner: Runner
    host: str
    project_id: str
    number: int = 1

    def play(self, job: Job) -> None:
        """Run a job. Raises `JobFailedError`."""
        work = self.runner.checked_out(job, self.push)
        for needed in job.needs:
            kept = self.runner.folder / "artifacts" / needed
            if kept.is_dir():
                shutil.copytree(kept, work, dirs_exist_ok=True)
        environment = self.environment(job, work)
        document = job.document
        lines = [str(line) for key in ("before_script", "script") for line in document.get(key) or ()]
        self.runner.run(job, "script", ["bash", "-eo", "pipefail", "-c", "\n".join(lines)], work, environment)
        for path in (document.get("artifacts") or {}).get("paths") or ():
            target = self.runner.folder / "artifacts" / job.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if (work / path).is_dir():
                shutil.copytree(work / path, target, dirs_exist_ok=True)
            elif (work / path).exists():  # GitLab warns of what is not there, no more
                shutil.copyfile(work / path, target)

    def environment(self, job: Job, work: Path) -> dict[str, str]:
        """The variables of a job, with its tokens."""
        builds = work.parent / "builds"
        builds.mkdir(parents=True, exist_ok=True)
        found = {
            **self.runner.variables,
            **_given(self.push),
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_JOB_NAME": job.name,
            "CI_PIPELINE_ID": str(self.number),
            "CI_PROJECT_ID": self.project_id,
            "CI_PROJECT_DIR": str(work),
            "CI_BUILDS_DIR": str(builds),
            "CI_SERVER_HOST": self.host,
            "CI_SERVER_URL": f"https://{self.host}",
        }
        for name, value in (job.document.get("variables") or {}).items():
            plain = value.get("value", "") if isinstance(value, Mapping) else value  # one that is described
            found[name] = _expanded(str(plain), found)
        return {**found, **tokens(job, self.runner.says(job), found)}


def tokens(job: Job, said: Claims, variables: Mapping[str, str]) -> dict[str, str]:
    """Those that a job asks for in `id_tokens`, by variable."""
    asked = job.document.get("id_tokens") or {}
    return {n: signed({**said, "aud": _expanded(str(token["aud"]), variables)}, _SECONDS) for n, token in asked.items()}


def _job(name: str, document: Mapping[str, Any]) -> Job:
    for key in _NOT_PLAYED:
        if key in document:
            raise _not_played(f"`{key}`", f"{ROOT}, job {name}")
    environment = document.get("environment") or {}
    if isinstance(environment, str):
        environment = {"name": environment}
    return Job(
        name=name,
        needs=_needs(document),
        environment=str(environment.get("name", "")),
        signs="id_tokens" in document,
        document=document,
        tier=str(environment.get("deployment_tier", "")),
    )


def _needs(document: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(need if isinstance(need, str) else str(need.get("job", "")) for need in document.get("needs") or ())


def _starts(name: str, document: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    """By the first rule that holds ("rules"). A push is taken to have changed what a rule names in `changes`."""
    rules = document.get("rules")
    if rules is None:
        return bool(document.get("when") != "never")
    for rule in rules:
        unknown = set(rule) - {"if", "when", "allow_failure", "changes"}
        if unknown:
            raise _not_played(f"the rule {sorted(unknown)[0]!r}", f"{ROOT}, job {name}")
        if "if" not in rule or _holds(str(rule["if"]), given, name):
            return bool(rule.get("when") != "never")
    return False


def _holds(text: str, given: Mapping[str, str], name: str) -> bool:
    """A rule's expression: variables, texts, `null`, `==`, `!=`, `&&`, `||` and brackets."""
    terms: list[tuple[str, str | None]] = []
    at = 0
    while text[at:].strip():
        found = _TERM.match(text, at)
        if not found:
            raise _not_played(f"the rule {text!r}", f"{ROOT}, job {name}")
        at = found.end()
        variable, double, single, null, sign = found.groups()
        if sign:
            terms.append((sign, None))
        else:
            value = given.get(variable[1:]) if variable else None if null else double if double is not None else single
            terms.append(("value", value))
    value, rest = _either(terms)
    if rest:
        raise _not_played(f"the rule {text!r}", f"{ROOT}, job {name}")
    return value


_Terms = list[tuple[str, str | None]]


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
    match terms:
        case [("(", _), *inside]:
            value, rest = _either(inside)
            return value, rest[1:]
        case [("value", left), ("==" | "!=" as sign, _), ("value", right), *rest]:
            return (left == right) is (sign == "=="), rest
        case [("value", left), *rest]:
            return bool(left), rest
    return False, terms


def _extended(document: Mapping[str, Any], all_: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """With what it extends: maps are merged, all else is overwritten ("extends")."""
    names = document.get("extends") or ()
    merged: dict[str, Any] = {}
    for name in [names] if isinstance(names, str) else names:
        if name not in all_:
            raise _not_played(f"extends {name}, which is nowhere", ROOT)
        merged = _merged(merged, _extended(all_[name], all_))
    return _merged(merged, {key: value for key, value in document.items() if key != "extends"})


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = _merged(found[key], value) if both else value
    return found


def _given(push: Push) -> dict[str, str]:
    return {
        "CI_COMMIT_BRANCH": push.branch,
        "CI_COMMIT_REF_NAME": push.branch,
        "CI_COMMIT_SHA": push.commit,
        "CI_DEFAULT_BRANCH": push.branch,
        "CI_PIPELINE_SOURCE": "push",
        "CI_PROJECT_PATH": push.repository,
    }


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda found: variables.get(found[1] or found[2], ""), text)


def _load(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise NotPlayedError("is not there", where=os.fspath(file), remedy="a project of GitLab has it")
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise _not_played("what is no map", file.name)
    return found


def _not_played(what: str, where: str) -> NotPlayedError:
    return NotPlayedError(
        f"a rehearsal does not play {what}",
        where=where,
        remedy="run its commands by hand, against what `--keep` leaves running",
    )
