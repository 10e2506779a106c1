"""GitLab CI: the jobs of `.gitlab-ci.yml` that a push to a branch starts ("CI/CD YAML syntax reference").

Of a project's jobs only those that get a token are played, and what they need: all else is nothing that an account
would let in, and may want images and services of its own. A job without `needs` waits for those of earlier stages; of
them those with a token are played, and those whose artifacts it gets.

What is played: local includes, `extends`, `variables`, `before_script` and `script` in bash, `needs`, `stages`, `rules`
that compare variables or name what has changed, `when: manual`, `environment`, `id_tokens`, `artifacts: paths`. All
else that changes what runs is refused by name.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_rehearsal.ci_service import documents
from aws_rehearsal.ci_service.gitlab_rules import ROOT, expanded, refused, starts
from aws_rehearsal.ci_service.jobs import Job, JobFailedError, Push, Runner, folder_of, in_order, not_played
from aws_rehearsal.ci_service.tokens import Claims, signed

_GLOBAL = (
    "stages", "include", "variables", "workflow", "default", "image", "before_script", "after_script", "cache",
    "services", "spec",
)  # fmt: skip
_REFUSED = ("workflow", "before_script", "after_script", "services", "spec")
_HARMLESS = ("image", "tags", "timeout", "retry", "interruptible", "cache", "coverage")
"""What no command's outcome depends on here."""
_JOB = (
    *_HARMLESS, "stage", "script", "before_script", "variables", "rules", "when", "needs", "environment", "id_tokens",
    "artifacts", "resource_group", "allow_failure",
)  # fmt: skip
_ENVIRONMENT = ("name", "url", "deployment_tier", "on_stop", "auto_stop_in", "action")
_ARTIFACTS = ("paths", "expire_in", "name", "expose_as", "access", "public", "when", "reports")
_NEED = ("job", "artifacts", "optional")
_STAGES = ("build", "test", "deploy")
_DEEP = 11
"""`extends` goes no further."""
_SECONDS = 6 * 3600
"""A token lives as long as its job may take."""


@dataclass(frozen=True)
class Pipeline:
    """The jobs of a project, as far as they are read, and the stages in their order."""

    documents: Mapping[str, Mapping[str, Any]]
    stages: tuple[str, ...] = _STAGES
    files: tuple[str, ...] = (ROOT,)
    """That say so, in the repository."""

    def jobs(self, push: Push, project_id: str = "") -> list[Job]:
        """Those with a token that a push starts, and what they need, in the order in which they run here. Raises
        `NotPlayedError`."""
        started = self._started(push, _given(push, project_id))
        return in_order([_job(name, self.documents[name], self._needs(name, started)) for name in started])

    def left_out(self, push: Push, project_id: str = "") -> list[str]:
        """The names of those with a token that a push does not start."""
        started = self._started(push, _given(push, project_id))
        return [name for name in self._with_a_token() if name not in started]

    def _started(self, push: Push, given: Mapping[str, str]) -> list[str]:
        """In the order of the file."""
        found: set[str] = set()
        left = list(self._with_a_token())
        while left:
            name = left.pop()
            document = self.documents.get(name)
            if document is None or name in found:
                continue
            if starts(name, document, {**given, **_variables(name, document, given)}, push.changed):
                found.add(name)
                left += self._wanted(name)
        return [name for name in self.documents if name in found]

    def _with_a_token(self) -> Iterator[str]:
        return (name for name, d in self.documents.items() if "id_tokens" in d and not name.startswith("."))

    def _wanted(self, name: str) -> Iterable[str]:
        """What a job waits for, as far as that matters to it."""
        if "needs" in self.documents[name]:
            return [need["job"] for need in _named(name, self.documents[name])]
        before = self.stages[: self.stages.index(self._stage(name))]
        return [
            other
            for other, document in self.documents.items()
            if not other.startswith(".")
            and self._stage(other) in before
            and ("id_tokens" in document or "artifacts" in document)
        ]

    def _needs(self, name: str, started: Iterable[str]) -> tuple[str, ...]:
        if "needs" not in self.documents[name]:
            wanted = set(self._wanted(name))
            return tuple(other for other in started if other in wanted)
        return tuple(
            need["job"]
            for need in _named(name, self.documents[name])
            if need["job"] in started or not need.get("optional")
        )

    def _stage(self, name: str) -> str:
        stage = str(self.documents[name].get("stage", "test"))
        if stage not in self.stages:
            raise refused(f"a job of the stage {stage}, which `stages` does not name", f"{ROOT}, job {name}")
        return stage

    def check_stages(self) -> None:
        """Raises `NotPlayedError`: a single job in no stage, and GitLab makes no pipeline."""
        for name in self.documents:
            if not name.startswith("."):
                self._stage(name)


def read(folder: Path) -> Pipeline:
    """What stands in a project's file and in those that it includes. Raises `NotPlayedError`."""
    files: list[str] = []
    found = _included(folder, ROOT, (), files)
    for key in _REFUSED:
        if key in found:
            raise not_played(f"`{key}` for all jobs", ROOT)
    strange = [key for key in documents.mapping(found.get("default"), "`default`", ROOT) if key not in _HARMLESS]
    if strange:
        raise not_played(f"`default: {strange[0]}`", ROOT)
    everywhere = {"variables": found["variables"]} if found.get("variables") else {}
    jobs = {n: d for n, d in found.items() if n not in _GLOBAL and isinstance(d, Mapping)}
    stages = tuple(str(stage) for stage in found.get("stages") or _STAGES)
    read_ = {name: _merged(everywhere, _extended(name, jobs, 0)) for name in jobs}
    pipeline = Pipeline(read_, (".pre", *stages, ".post"), tuple(files))
    pipeline.check_stages()
    return pipeline


def _included(folder: Path, name: str, above: tuple[str, ...], files: list[str]) -> dict[str, Any]:
    """A file, over those that it includes: maps are merged, all else is overwritten ("Merge method for include").
    `files` gets the names of all of them."""
    if name in above:
        raise refused(f"{name}, which includes itself", ROOT)
    root = documents.gitlab(folder / name, name)
    files.append(name)
    includes = root.pop("include", None) or ()
    found: dict[str, Any] = {}
    for include in [includes] if isinstance(includes, str | Mapping) else includes:
        local = include if isinstance(include, str) else include.get("local") if set(include) == {"local"} else None
        if not local or "*" in local or "$" in local or "://" in local:
            raise not_played(f"the include {include}", name)
        found = _merged(found, _included(folder, str(local).lstrip("/"), (*above, name), files))
    return _merged(found, root)


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
        without = {need["job"] for need in _named(job.name, job.document) if need.get("artifacts") is False}
        for needed in job.needs:
            kept = self.runner.folder / "artifacts" / folder_of(needed)
            if kept.is_dir() and needed not in without:
                shutil.copytree(kept, work, dirs_exist_ok=True)
        environment = self.environment(job, work)
        lines = [line for key in ("before_script", "script") for line in _lines(job.document.get(key))]
        self.runner.run(job, "script", ["bash", "-eo", "pipefail", "-c", "\n".join(lines)], work, environment)
        for path in (job.document.get("artifacts") or {}).get("paths") or ():
            self._keep(job, work, expanded(str(path), environment))

    def _keep(self, job: Job, work: Path, path: str) -> None:
        """Keep what a path, or a pattern, names. Raises `JobFailedError`."""
        if path.startswith("/") or ".." in Path(path).parts or set("{}!") & set(path):
            raise JobFailedError(
                f"a rehearsal does not play the artifact {path}", where=f"job {job.name}", remedy="name a file"
            )
        for found in work.glob(path):  # GitLab warns of what is not there, no more
            target = self.runner.folder / "artifacts" / job.folder / found.relative_to(work)
            target.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, target, dirs_exist_ok=True)
            else:
                shutil.copy(found, target)

    def environment(self, job: Job, work: Path) -> dict[str, str]:
        """The variables of a job, with its tokens."""
        builds = work.parent / "builds"
        builds.mkdir(parents=True, exist_ok=True)
        found = {
            **self.runner.variables,
            **_given(self.push, self.project_id),
            "CI_JOB_NAME": job.name,
            "CI_JOB_STAGE": str(job.document.get("stage", "test")),
            "CI_PIPELINE_ID": str(self.number),
            "CI_PROJECT_DIR": str(work),
            "CI_BUILDS_DIR": str(builds),
            "CI_SERVER_HOST": self.host,
            "CI_SERVER_URL": f"https://{self.host}",
        }
        found |= _variables(job.name, job.document, found)
        return {**found, **tokens(job, self.runner.says(job), found)}


def tokens(job: Job, said: Claims, variables: Mapping[str, str]) -> dict[str, str]:
    """Those that a job asks for in `id_tokens`, by variable."""
    asked = job.document.get("id_tokens") or {}
    return {n: signed({**said, "aud": expanded(str(token["aud"]), variables)}, _SECONDS) for n, token in asked.items()}


def _job(name: str, document: Mapping[str, Any], needs: tuple[str, ...]) -> Job:
    where = f"{ROOT}, job {name}"
    _known(document, _JOB, "", where)
    artifacts = documents.mapping(document.get("artifacts"), "`artifacts`", where)
    _known(artifacts, _ARTIFACTS, " of `artifacts`", where)
    if "dotenv" in (artifacts.get("reports") or ()) or artifacts.get("when") == "on_failure":
        raise not_played("`dotenv` reports, or artifacts of what fails", where)
    environment = document.get("environment") or {}
    environment = {"name": environment} if isinstance(environment, str) else environment
    _known(environment, _ENVIRONMENT, " of `environment`", where)
    if environment.get("action", "start") != "start" or "$" in str(environment.get("name", "")):
        raise not_played("an environment that is not started, or whose name has variables", where)
    for token in documents.mapping(document.get("id_tokens"), "`id_tokens`", where).values():
        if not isinstance(token, Mapping) or not isinstance(token.get("aud"), str):
            raise not_played("a token that is not for one audience", where)
    if not list(_lines(document.get("script"))):
        raise refused("a job without `script`", where)
    return Job(
        name=name,
        needs=needs,
        environment=str(environment.get("name", "")),
        signs="id_tokens" in document,
        document=document,
        tier=str(environment.get("deployment_tier", "")),
    )


def _named(name: str, document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of `needs`, as maps. Raises `NotPlayedError`."""
    found: list[Mapping[str, Any]] = []
    for need in document.get("needs") or ():
        entry = {"job": need} if isinstance(need, str) else need
        _known(entry, _NEED, " of `needs`", f"{ROOT}, job {name}")
        found.append(entry)
    return found


def _known(document: Mapping[str, Any], keys: Iterable[str], of: str, where: str) -> None:
    for key in document:
        if key not in keys:
            raise not_played(f"`{key}`{of}", where)


def _lines(script: Any) -> Iterator[str]:
    """The commands of a script: a text, or a list of them, which may hold others."""
    if isinstance(script, list):
        for one in script:
            yield from _lines(one)
    elif script is not None:
        yield str(script)


def _variables(name: str, document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """A job's own, with the values of those that they name. Raises `NotPlayedError`."""
    where, found = f"{ROOT}, job {name}", dict[str, str]()
    for variable, value in documents.mapping(document.get("variables"), "`variables`", where).items():
        plain = value.get("value", "") if isinstance(value, Mapping) else value  # one that is described
        if isinstance(plain, bool) or not isinstance(plain, str | int | float):
            raise refused(f"the variable {variable}, which is no text", where)
        as_it_is = isinstance(value, Mapping) and value.get("expand") is False
        found[variable] = str(plain) if as_it_is else expanded(str(plain), {**given, **found})
    return found


def _extended(name: str, all_: Mapping[str, Mapping[str, Any]], depth: int) -> dict[str, Any]:
    """With what it extends: maps are merged, all else is overwritten ("extends")."""
    document = all_[name]
    names = document.get("extends") or ()
    merged: dict[str, Any] = {}
    for other in [names] if isinstance(names, str) else names:
        if other not in all_:
            raise refused(f"a job that extends {other}, which is nowhere", f"{ROOT}, job {name}")
        if depth >= _DEEP:
            raise refused(f"`extends` that goes on for ever, as {other}", f"{ROOT}, job {name}")
        merged = _merged(merged, _extended(other, all_, depth + 1))
    return _merged(merged, {key: value for key, value in document.items() if key != "extends"})


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = _merged(found[key], value) if both else value
    return found


def _given(push: Push, project_id: str) -> dict[str, str]:
    names = push.repository.split("/")
    return {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_COMMIT_BRANCH": push.branch,
        "CI_COMMIT_REF_NAME": push.branch,
        "CI_COMMIT_SHA": push.commit,
        "CI_COMMIT_SHORT_SHA": push.commit[:8],
        "CI_DEFAULT_BRANCH": push.branch,
        "CI_PIPELINE_SOURCE": "push",
        **({"CI_PROJECT_ID": project_id} if project_id else {}),
        "CI_PROJECT_NAME": names[-1],
        "CI_PROJECT_NAMESPACE": "/".join(names[:-1]),
        "CI_PROJECT_PATH": push.repository,
        "CI_PROJECT_ROOT_NAMESPACE": names[0],
    }


__all__ = ["ROOT", "Pipeline", "Run", "claims", "read", "tokens"]
