"""What GitHub takes of a workflow, and what of that is played: all else is refused by name before anything runs.

"Workflow syntax for GitHub Actions"; which contexts an expression may name where: "Contexts reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aws_rehearsal.ci_service.documents import mapping
from aws_rehearsal.ci_service.jobs import NotPlayedError, not_played

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
CHECKOUT, UPLOAD, DOWNLOAD = "actions/checkout", "actions/upload-artifact", "actions/download-artifact"
GIVEN = ("repository", "sha", "ref", "ref_name", "run_id", "event_name", "job", "workspace")
"""What of the context `github` is played."""

_WORKFLOW = ("name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs")
_PUSH = ("branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore")
_JOB = (
    "name", "needs", "runs-on", "permissions", "environment", "concurrency", "outputs", "env", "defaults", "steps",
    "timeout-minutes",
)  # fmt: skip
_STEP = ("id", "name", "uses", "run", "with", "env", "shell", "working-directory", "timeout-minutes")
_INPUTS: Mapping[str, tuple[str, ...]] = {
    CHECKOUT: ("persist-credentials", "fetch-depth", "show-progress"),
    UPLOAD: ("name", "path", "compression-level", "retention-days", "if-no-files-found", "include-hidden-files"),
    DOWNLOAD: ("name", "path"),
}
_SHELLS = ("", "bash")
_ID = re.compile(r"[A-Za-z_][\w-]*")
_PLAIN = re.compile(
    r"(?P<of>steps|needs)\.[\w-]+\.outputs\.[\w-]+|github\.(?P<github>[\w-]+)|(env|vars|secrets)\.(?P<name>[\w-]+)"
    r"|runner\.temp"
)
_IN_WORKFLOW = ("github", "vars", "secrets")
_IN_JOB = (*_IN_WORKFLOW, "needs")
_IN_STEP = (*_IN_JOB, "env", "runner", "steps")


def check_workflow(document: Mapping[str, Any], where: str) -> None:
    """Raises `NotPlayedError`."""
    _known(document, _WORKFLOW, "", where)
    _expressions([mapping(document.get("env"), "`env`", where)], _IN_WORKFLOW, where)


def pushes(document: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    """The filters of the event `push`, each a list; None if no push starts the workflow. Raises `NotPlayedError`."""
    on = document.get("on")
    if not isinstance(on, Mapping):
        return {} if "push" in (on if isinstance(on, list) else [on]) else None
    if "push" not in on:
        return None
    push = mapping(on["push"], "`on: push`", where)
    _known(push, _PUSH, " of `on: push`", where)
    for one in ("branches", "tags", "paths"):
        if one in push and f"{one}-ignore" in push:
            raise refused(f"`{one}` together with `{one}-ignore`", where)
    given = {name: value for name, value in push.items() if value is not None}
    return {name: value if isinstance(value, list) else [str(value)] for name, value in given.items()}


def check_job(name: str, job: Mapping[str, Any], document: Mapping[str, Any], where: str) -> None:
    """Raises `NotPlayedError`."""
    if not _ID.fullmatch(name):
        raise refused(f"a job of the name {name!r}", where)
    _known(job, _JOB, "", where)
    if "runs-on" not in job:
        raise refused("a job without `runs-on`", where)
    if any("windows" in text or "macos" in text for text in texts(job["runs-on"])):
        raise not_played(f"a runner of {next(texts(job['runs-on']))}", where)
    environment = job.get("environment")
    if isinstance(environment, Mapping) and "name" not in environment:
        raise refused("an `environment` without a name", where)
    if any("${{" in text for key in ("environment", "needs") for text in texts(job.get(key))):
        raise not_played("an expression in `environment` or `needs`", where)
    _expressions([mapping(job.get("env"), "`env`", where)], _IN_JOB, where)
    _expressions([mapping(job.get("outputs"), "`outputs`", where)], _IN_STEP, where)
    needs = job.get("needs") or ()
    for found in (found for text in texts(dict(job)) for found in EXPRESSION.findall(text)):
        of, _, rest = found.partition(".")
        if of == "needs" and rest.partition(".")[0] not in ([needs] if isinstance(needs, str) else needs):
            raise not_played(f"the expression {found!r}, of a job that `needs` does not name", where)
    steps = job.get("steps")
    if not isinstance(steps, list) or not steps:
        raise refused("a job without `steps`", where)
    inherited = _shell_of(job, where) or _shell_of(document, where)
    for step in steps:
        _check_step(mapping(step, "a step", where), inherited, where)
    _check_right_to_read(steps, job.get("permissions", document.get("permissions")), where)


def _check_step(step: Mapping[str, Any], inherited: str, where: str) -> None:
    action = action_of(step)
    if action and action not in _INPUTS:
        raise not_played(f"the action {action}", where)
    _known(step, _STEP, " of a step", where)
    if bool(step.get("run")) is bool(action):
        raise refused("a step without one of `run` and `uses`", where)
    mapping(step.get("env"), "a step's `env`", where)
    if action:
        given = mapping(step.get("with"), "`with`", where)
        _known(given, _INPUTS[action], f" of {action}", where)
        if action == UPLOAD and set("*?[!\n") & set(EXPRESSION.sub("", str(given.get("path", "")).strip())):
            raise not_played("several paths, or a pattern, of one artifact", where)
        if action == DOWNLOAD and "name" not in given:
            raise not_played("the download of every artifact", where)
    shell = str(step.get("shell") or inherited)
    if not action and shell not in _SHELLS:
        raise not_played(f"the shell {shell}", where)
    _expressions([dict(step)], _IN_STEP, where)


def _check_right_to_read(steps: Iterable[Mapping[str, Any]], permissions: Any, where: str) -> None:
    """Where some permissions are given, all others are none."""
    reads = not isinstance(permissions, Mapping) or permissions.get("contents") in ("read", "write")
    if not reads and any(action_of(step) == CHECKOUT for step in steps):
        raise NotPlayedError(
            "a private repository cannot be checked out with these `permissions`",
            where=where,
            remedy="add `contents: read` to them",
        )


def action_of(step: Mapping[str, Any]) -> str:
    """The action that a step uses, without its version."""
    return str(step.get("uses") or "").partition("@")[0]


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif value is not None:
        yield str(value)


def run_defaults(document: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """`defaults: run`."""
    return mapping(mapping(document.get("defaults"), "`defaults`", where).get("run"), "`defaults: run`", where)


def _shell_of(document: Mapping[str, Any], where: str) -> str:
    return str(run_defaults(document, where).get("shell") or "")


def _known(document: Mapping[str, Any], keys: Iterable[str], of: str, where: str) -> None:
    for key in document:
        if key not in keys:
            raise not_played(f"`{key}`{of}", where)


def _expressions(values: list[Any], contexts: Iterable[str], where: str) -> None:
    for text in texts(values):
        for found in EXPRESSION.findall(text):
            plain = _PLAIN.fullmatch(found)
            known = plain and plain["github"] in (None, *GIVEN) and found != "secrets.GITHUB_TOKEN"
            if not known:
                raise not_played(f"the expression {found!r}", where)
            if found.partition(".")[0] not in contexts:
                raise refused(f"the expression {found!r} there", where)
        if "${{" in EXPRESSION.sub("", text):
            raise refused("an expression without its end", where)


def refused(what: str, where: str) -> NotPlayedError:
    return NotPlayedError(f"GitHub takes no workflow with {what}", where=where, remedy="correct it there")
