"""GitHub Actions: a workflow's jobs, run as its runner runs them ("Workflow syntax", "Workflow commands").

What is played: `run` in bash, `env`, `outputs`, `needs`, `environment`, the files of workflow commands, `defaults`, the
plain expressions (`steps.ID.outputs.NAME`, `needs.JOB.outputs.NAME`, `github.*`, `env.*`, `vars.*`, `secrets.*`,
`runner.temp`), and the actions checkout, upload-artifact and download-artifact. All else is refused by name.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aws_rehearsal.ci_service.jobs import Job, JobFailedError, NotPlayedError, Push, Runner, in_order
from aws_rehearsal.ci_service.tokens import GITHUB, Claims

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_PLAIN = re.compile(r"((steps|needs)\.[\w-]+\.outputs|github|env|vars|secrets)\.[\w-]+|runner\.temp")
_EVALUATED = ("env", "outputs", "steps")
"""Keys of a job whose expressions are."""
_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV")
_NOT_PLAYED = ("if", "strategy", "container", "services", "uses", "continue-on-error")
"""Keys of a job that change what runs."""
_NOT_PLAYED_STEP = ("if", "continue-on-error")
_CHECKOUT, _UPLOAD, _DOWNLOAD = "actions/checkout", "actions/upload-artifact", "actions/download-artifact"
_ACTIONS = (_CHECKOUT, _UPLOAD, _DOWNLOAD)


@dataclass(frozen=True)
class Workflow:
    """A workflow's file, by its path in the repository."""

    path: str
    document: Mapping[str, Any]

    @property
    def jobs(self) -> list[Job]:
        """In the order in which they run here. Raises `NotPlayedError`."""
        return in_order([self._job(name, job) for name, job in self.document["jobs"].items()])

    def started_by_push(self, branch: str) -> bool:
        """Whether a push to `branch` starts it."""
        on = self.document.get("on")
        if isinstance(on, Mapping):
            push = on.get("push", ...)
            branches = (push or {}).get("branches") if push is not ... else []
            return branches is None or branch in branches
        return "push" in (on if isinstance(on, list) else [on])

    def _job(self, name: str, job: Mapping[str, Any]) -> Job:
        where = f"{self.path}, job {name}"
        for key in _NOT_PLAYED:
            if key in job:
                raise _not_played(f"`{key}`", where)
        for step in job.get("steps") or ():
            action = str(step.get("uses", "")).partition("@")[0]
            if action and action not in _ACTIONS:
                raise _not_played(f"the action {action}", where)
            for key in _NOT_PLAYED_STEP:
                if key in step:
                    raise _not_played(f"`{key}` of a step", where)
        for text in _texts([job.get(key) for key in _EVALUATED] + [self.document.get("env")]):
            strange = next((found for found in _EXPRESSION.findall(text) if not _PLAIN.fullmatch(found)), None)
            if strange is not None:
                raise _not_played(f"the expression {strange!r}", where)
        needs = job.get("needs") or ()
        environment = job.get("environment") or ""
        permissions = job.get("permissions", self.document.get("permissions"))
        return Job(
            name=name,
            needs=(needs,) if isinstance(needs, str) else tuple(needs),
            environment=environment["name"] if isinstance(environment, Mapping) else environment,
            signs=permissions == "write-all"
            or (isinstance(permissions, Mapping) and permissions.get("id-token") == "write"),
            document=job,
        )


def load(work: Path, path: str) -> Workflow:
    """The workflow `path` of the repository that is checked out in `work`. Raises `NotPlayedError`."""
    if not (work / path).is_file():
        raise NotPlayedError("is not there", where=path, remedy="commit it, and push again")
    return read(path, (work / path).read_text(encoding="utf-8"))


def read(path: str, text: str) -> Workflow:
    """A workflow. YAML 1.1 reads the key `on` as true."""
    document = yaml.safe_load(text)
    if not isinstance(document, dict) or not isinstance(document.get("jobs"), dict):
        raise NotPlayedError("is no workflow", where=path, remedy="name a workflow's file")
    return Workflow(path, {"on" if key is True else str(key): value for key, value in document.items()})


def claims(push: Push, ids: tuple[str, str], workflow: str, environment: str) -> Claims:
    """What the token of a job says that a push has started; `ids` are the numbers of owner and repository."""
    ref = f"refs/heads/{push.branch}"
    return {
        "sub": f"repo:{push.repository}:" + (f"environment:{environment}" if environment else f"ref:{ref}"),
        "repository": push.repository,
        "repository_id": ids[1],
        "repository_owner": push.repository.partition("/")[0],
        "repository_owner_id": ids[0],
        "ref": ref,
        "ref_type": "branch",
        "sha": push.commit,
        "event_name": "push",
        "job_workflow_ref": f"{push.repository}/{workflow}@{ref}",
        **({"environment": environment} if environment else {}),
    }


@dataclass
class Run:
    """A run of a workflow for a push, job after job."""

    workflow: Workflow
    push: Push
    runner: Runner
    number: int = 1
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of the jobs that have ended."""
    summary: str = ""

    def play(self, job: Job) -> None:
        """Run a job. Raises `JobFailedError`."""
        here = _Here(self, job, self.runner.folder / job.name)
        here.temporary.mkdir(parents=True, exist_ok=True)
        for number, step in enumerate(job.document.get("steps") or (), 1):
            here.step(number, step)
        declared = job.document.get("outputs") or {}
        self.outputs[job.name] = {name: here.value(str(text)) for name, text in declared.items()}


class _Here:
    """A job on its runner."""

    def __init__(self, run: Run, job: Job, folder: Path) -> None:
        self.run, self.job, self.folder = run, job, folder
        self.temporary, self.work = folder / "temp", folder / "work"
        self.outputs: dict[str, dict[str, str]] = {}
        self.path: list[str] = []
        self.environment = {
            **run.runner.variables,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": run.push.repository,
            "GITHUB_SHA": run.push.commit,
            "GITHUB_REF": f"refs/heads/{run.push.branch}",
            "GITHUB_REF_NAME": run.push.branch,
            "GITHUB_RUN_ID": str(run.number),
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_JOB": job.name,
            "GITHUB_WORKSPACE": str(self.work),
            "RUNNER_TEMP": str(self.temporary),
            **(run.runner.issuer.job(job.name, run.runner.says(job)) if job.signs else {}),
        }
        self.environment |= self._declared(run.workflow.document)
        self.environment |= self._declared(job.document)

    def step(self, number: int, step: Mapping[str, Any]) -> None:
        action = str(step.get("uses", "")).partition("@")[0]
        if action:
            self._action(action, step.get("with") or {})
            return
        name = self.value(str(step.get("name") or str(step["run"]).splitlines()[0]))
        files = {key: self.temporary / f"{key}-{number}" for key in _FILES}
        for file in files.values():
            file.touch()
        environment = {**self.environment, **self._declared(step), **{key: str(file) for key, file in files.items()}}
        environment["PATH"] = ":".join([*reversed(self.path), environment["PATH"]])
        command = [*_shell(str(step.get("shell", ""))), "-c", self.value(str(step["run"]))]
        here = self.work / self._folder(step) if self.work.is_dir() else self.temporary
        try:
            self.run.runner.run(self.job, name, command, here, environment)
        finally:
            self.run.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        self.path += files["GITHUB_PATH"].read_text(encoding="utf-8").split()
        self.environment |= _pairs(files["GITHUB_ENV"])
        if "id" in step:
            self.outputs[step["id"]] = _pairs(files["GITHUB_OUTPUT"])

    def value(self, text: str) -> str:
        """A text with the values of its expressions."""
        return _EXPRESSION.sub(lambda found: self._expression(found[1]), text)

    def _expression(self, text: str) -> str:
        match text.split("."):
            case ["steps", step, "outputs", name]:
                return self.outputs.get(step, {}).get(name, "")
            case ["needs", job, "outputs", name] if job in self.job.needs:
                return self.run.outputs.get(job, {}).get(name, "")
            case ["runner", "temp"]:
                return str(self.temporary)
            case ["github", name] if f"GITHUB_{name.upper()}" in self.environment:
                return self.environment[f"GITHUB_{name.upper()}"]
            case ["env", name]:
                return self.environment.get(name, "")
            case ["vars" | "secrets", _]:
                return ""  # none was made
        raise _not_played(f"the expression {text!r}", f"{self.run.workflow.path}, job {self.job.name}")

    def _declared(self, document: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.value(str(value)) for name, value in (document.get("env") or {}).items()}

    def _folder(self, step: Mapping[str, Any]) -> str:
        documents = (step, *(_defaults(d) for d in (self.job.document, self.run.workflow.document)))
        return next((str(d["working-directory"]) for d in documents if "working-directory" in d), ".")

    def _action(self, action: str, given: Mapping[str, Any]) -> None:
        if action == _CHECKOUT:
            self.run.runner.checked_out(self.job, self.run.push)
            return
        name, path = str(given.get("name", "artifact")), Path(self.value(str(given.get("path", "."))))
        there = self.run.runner.folder / "artifacts" / name
        source = self.work / path if action == _UPLOAD else there
        if not source.exists():
            raise JobFailedError(
                f"{path} is not there, for the artifact {name}"
                if action == _UPLOAD
                else f"there is no artifact {name}",
                where=f"job {self.job.name}, {action}",
                remedy="see what the steps before it, and the jobs that it needs, have made",
            )
        if action == _UPLOAD:
            _copy(source, there / path.name)
        else:
            shutil.copytree(source, self.work / path, dirs_exist_ok=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target.parent, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def _defaults(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (document.get("defaults") or {}).get("run") or {}
    return found


def _shell(named: str) -> list[str]:
    """ "jobs.<job_id>.steps[*].shell": `bash -e` where none is named, stricter where bash is."""
    if not named:
        return ["bash", "-e"]
    if named == "bash":
        return ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
    raise _not_played(f"the shell {named}", "shell")


def _pairs(file: Path) -> dict[str, str]:
    """NAME=VALUE, line by line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}


def _not_played(what: str, where: str) -> NotPlayedError:
    return NotPlayedError(
        f"a rehearsal does not play {what}",
        where=where,
        remedy="run its commands by hand, against what `--keep` leaves running",
    )


__all__ = ["GITHUB", "Run", "Workflow", "claims", "read"]
