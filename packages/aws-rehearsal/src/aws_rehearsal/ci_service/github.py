"""GitHub Actions: a workflow's jobs, run as its runner runs them ("Workflow syntax", "Workflow commands").

What is played: `run` in bash, `env`, `outputs`, `needs`, `environment`, the files of workflow commands, `defaults`, the
plain expressions (`steps.ID.outputs.NAME`, `needs.JOB.outputs.NAME`, `github.*`, `env.*`, `vars.*`, `secrets.*`,
`runner.temp`), and the actions checkout, upload-artifact and download-artifact. All else is refused by name
(`github_syntax`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_rehearsal.ci_service import documents, filters
from aws_rehearsal.ci_service.github_syntax import (
    CHECKOUT,
    EXPRESSION,
    GIVEN,
    UPLOAD,
    action_of,
    check_job,
    check_workflow,
    pushes,
    run_defaults,
)
from aws_rehearsal.ci_service.jobs import Job, JobFailedError, NotPlayedError, Push, Runner, in_order, not_played
from aws_rehearsal.ci_service.tokens import GITHUB, Claims

_FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV")


@dataclass(frozen=True)
class Workflow:
    """A workflow's file, by its path in the repository."""

    path: str
    document: Mapping[str, Any]

    @property
    def jobs(self) -> list[Job]:
        """In the order in which they run here. Raises `NotPlayedError`."""
        check_workflow(self.document, self.path)
        return in_order([self._job(name, job) for name, job in self.document["jobs"].items()])

    def started_by_push(self, branch: str, changed: Sequence[str] | None = None) -> bool:
        """Whether a push to `branch` that has changed these files (None: a new branch's) starts it."""
        push = pushes(self.document, self.path)
        if push is None:
            return False
        if "branches" in push:
            of_branch = filters.github_matches(branch, push["branches"])
        elif "branches-ignore" in push:
            of_branch = not filters.github_matches(branch, push["branches-ignore"])
        else:  # with filters for tags alone a branch starts nothing
            of_branch = "tags" not in push and "tags-ignore" not in push
        return of_branch and filters.of_push(changed, push.get("paths"), push.get("paths-ignore"))

    def _job(self, name: str, job: Any) -> Job:
        where = f"{self.path}, job {name}"
        job = documents.mapping(job, "the job", where)
        check_job(name, job, self.document, where)
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
    """A workflow. Raises `NotPlayedError`."""
    document = documents.github(path, text)
    if not isinstance(document, dict) or not isinstance(document.get("jobs"), dict):
        raise NotPlayedError("is no workflow", where=path, remedy="name a workflow's file")
    return Workflow(path, document)


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
        here = _Here(self, job, self.runner.folder / job.folder)
        for place in (here.temporary, here.work):
            place.mkdir(parents=True, exist_ok=True)
        for number, step in enumerate(job.document.get("steps") or (), 1):
            here.step(number, step)
        declared = job.document.get("outputs") or {}
        self.outputs[job.name] = {name: here.value(_text(text)) for name, text in declared.items()}


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
        self.env: dict[str, str] = {}
        """The context `env`: what the workflow, the job and steps before have set, and nothing of the runner's."""
        for document in (run.workflow.document, job.document):
            self.env |= self._declared(document)

    def step(self, number: int, step: Mapping[str, Any]) -> None:
        """Run a step. Raises `JobFailedError`."""
        action = action_of(step)
        if action:
            self._action(action, step.get("with") or {})
            return
        kept, self.env = self.env, {**self.env, **self._declared(step)}
        try:
            written = self._command(number, step)
        finally:
            self.env = kept
        self.env |= written

    def _command(self, number: int, step: Mapping[str, Any]) -> dict[str, str]:
        """Run a step's command; what it has written into the environment of those behind it."""
        name = self.value(str(step.get("name") or str(step["run"]).splitlines()[0]))
        files = {key: self.temporary / f"{key}-{number}" for key in _FILES}
        for file in files.values():
            file.touch()
        environment = {**self.environment, **self.env, **{key: str(file) for key, file in files.items()}}
        environment["PATH"] = ":".join([*reversed(self.path), environment["PATH"]])
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail"] if self._said(step, "shell") else ["bash", "-e"]
        here = self.work / self.value(self._said(step, "working-directory") or ".")
        try:
            self.run.runner.run(self.job, name, [*shell, "-c", self.value(str(step["run"]))], here, environment)
        finally:
            self.run.summary += files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        self.path += [line for line in files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines() if line]
        outputs = self._pairs(files["GITHUB_OUTPUT"], name)
        if "id" in step:
            self.outputs[step["id"]] = outputs
        return self._pairs(files["GITHUB_ENV"], name)

    def value(self, text: str) -> str:
        """A text with the values of its expressions."""
        return EXPRESSION.sub(lambda found: self._expression(found[1]), text)

    def _expression(self, text: str) -> str:
        match text.split("."):
            case ["steps", step, "outputs", name]:
                return self.outputs.get(step, {}).get(name, "")
            case ["needs", job, "outputs", name] if job in self.job.needs:
                return self.run.outputs.get(job, {}).get(name, "")
            case ["runner", "temp"]:
                return str(self.temporary)
            case ["github", name] if name in GIVEN:
                return self.environment[f"GITHUB_{name.upper()}"]
            case ["env", name]:
                return self.env.get(name, "")
            case ["vars" | "secrets", _]:
                return ""  # none was made
        raise not_played(f"the expression {text!r}", f"{self.run.workflow.path}, job {self.job.name}")

    def _declared(self, document: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.value(_text(value)) for name, value in (document.get("env") or {}).items()}

    def _said(self, step: Mapping[str, Any], key: str) -> str:
        """A step's `shell` or `working-directory`: its own, its job's, the workflow's. The shell is bash, or none."""
        where = self.run.workflow.path
        said = (step, *(run_defaults(document, where) for document in (self.job.document, self.run.workflow.document)))
        return next((str(document[key]) for document in said if document.get(key)), "")

    def _action(self, action: str, given: Mapping[str, Any]) -> None:
        if action == CHECKOUT:
            self.run.runner.checked_out(self.job, self.run.push)
            return
        name, path = self.value(str(given.get("name") or "artifact")), self.value(str(given.get("path") or ".")).strip()
        there = self.run.runner.folder / "artifacts" / name.replace("/", "_")
        where = f"job {self.job.name}, {action}"
        if action == UPLOAD:
            self._upload(self.work / path, there, where, hidden=given.get("include-hidden-files") == "true")
            return
        if not there.is_dir():
            remedy = "see what the steps before it, and the jobs that it needs, have made"
            raise JobFailedError(f"there is no artifact {name}", where=where, remedy=remedy)
        # Its action keeps no modes: a program that was handed on may not be started.
        shutil.copytree(there, self.work / path, dirs_exist_ok=True, copy_function=shutil.copyfile)

    @staticmethod
    def _upload(source: Path, there: Path, where: str, *, hidden: bool) -> None:
        """Files whose names begin with a dot stay behind unless the step says otherwise. Raises `JobFailedError`."""
        if there.exists():
            raise JobFailedError(
                f"there is an artifact {there.name} already, and each is written once",
                where=where,
                remedy="give each a name of its own",
            )
        if not source.exists():
            raise JobFailedError(
                f"{source.name} is not there, for the artifact {there.name}",
                where=where,
                remedy="see what the steps before it have made",
            )
        if source.is_dir():
            ignored = None if hidden else shutil.ignore_patterns(".*")
            shutil.copytree(source, there, ignore=ignored, copy_function=shutil.copyfile)
        else:
            there.mkdir(parents=True)
            shutil.copyfile(source, there / source.name)

    def _pairs(self, file: Path, step: str) -> dict[str, str]:
        """NAME=VALUE, or NAME<<MARK, lines, MARK ("Multiline strings"). Raises `JobFailedError`."""
        found: dict[str, str] = {}
        lines = iter(file.read_text(encoding="utf-8").splitlines())
        for line in lines:
            name, equals, value = line.partition("=")
            before, several, mark = line.partition("<<")
            if several and len(before) < len(name):
                inside: list[str] = []
                for text in lines:
                    if text == mark:
                        found[before] = "\n".join(inside)
                        break
                    inside.append(text)
                else:
                    raise self._wrong(f"no line {mark!r} ends the value of {before}", step)
            elif equals and name:
                found[name] = value
            elif line:
                raise self._wrong(f"Invalid format {line!r}", step)
        return found

    def _wrong(self, what: str, step: str) -> JobFailedError:
        return JobFailedError(
            f"GitHub cannot read what was written for it: {what}",
            where=f"job {self.job.name}, step {step!r}",
            remedy="write NAME=VALUE into $GITHUB_OUTPUT and $GITHUB_ENV",
        )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


__all__ = ["GITHUB", "Run", "Workflow", "claims", "read"]
