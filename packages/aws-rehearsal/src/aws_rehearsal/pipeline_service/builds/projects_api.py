"""The operations of CodeBuild's API, and the desk at which CodePipeline hands in what the API has no fields for."""

from __future__ import annotations

import functools
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_rehearsal.pipeline_service.builds.build_run import BuildRun, Machine
from aws_rehearsal.pipeline_service.builds.builds import IN_PROGRESS, Build, Ticket
from aws_rehearsal.pipeline_service.builds.overrides import overridden, project_context, start_context
from aws_rehearsal.pipeline_service.builds.processes import Reaper
from aws_rehearsal.pipeline_service.clients import Access
from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.gate import Caller
from aws_rehearsal.pipeline_service.pages import page

Answer = dict[str, Any]
SERVICE = "codebuild.amazonaws.com"
_QUEUE = 5
""""The maximum number of builds in a queue is five times the concurrent build limit" ("Builds in AWS CodeBuild"). Users
of new accounts tell of less (aws-cdk 17744, landing-zone-accelerator 249), with the same sentence."""


class ProjectsApi:
    """CodeBuild's API, with its projects and builds. `logs` is the folder the builds' logs are written to."""

    def __init__(
        self,
        access: Access,
        machine: Machine,
        reaper: Reaper,
        logs: Path,
        told: Callable[[Build], None],
        *,
        quota: int | None = None,
    ) -> None:
        self._access, self._gate, self._machine, self._reaper = access, access.gate, machine, reaper
        self._logs, self._told, self.quota = logs, told, quota
        self._lock = threading.RLock()
        self._projects: dict[tuple[str, str, str], Answer] = {}
        self._builds: dict[str, Build] = {}
        self._tickets: dict[str, Ticket] = {}
        self._numbers: dict[str, int] = {}
        self._threads: dict[str, threading.Thread] = {}

    def handler(self, operation: str) -> Callable[[dict[str, Any], Caller], Answer] | None:
        """What carries an operation out, None if the service does not offer it."""
        return _OPERATIONS.get(operation) and functools.partial(_OPERATIONS[operation], self)

    def issue(self, ticket: Ticket) -> str:
        """Take what CodePipeline hands in; StartBuild redeems it, once, by the answer."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets[token] = ticket
        return token

    def build(self, build_id: str) -> Build | None:
        """The build of an id."""
        return self._builds.get(build_id)

    def builds(self) -> list[Build]:
        """Every build, oldest first."""
        with self._lock:
            return list(self._builds.values())

    def close(self, patience: float) -> None:
        """Stop what runs and wait for it."""
        with self._lock:
            threads = list(self._threads.values())
            for build in self._builds.values():
                build.stop.set()
        deadline = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def create_project(self, params: dict[str, Any], caller: Caller) -> Answer:
        name = params["name"]
        self._authorize(caller, "CreateProject", name, project_context(params))
        self._check_role(params["serviceRole"], name, caller)
        key = (caller.account, caller.region, name)
        with self._lock:
            if key in self._projects:
                arn = self._arn(name, caller)
                raise ServiceError("ResourceAlreadyExistsException", f"Project already exists: {arn}")
            now = time.time()
            self._projects[key] = {
                "timeoutInMinutes": 60,
                "queuedTimeoutInMinutes": 480,
                "encryptionKey": f"arn:aws:kms:{caller.region}:{caller.account}:alias/aws/s3",
                **params,
                "arn": self._arn(name, caller),
                "created": now,
                "lastModified": now,
            }
            return {"project": self._projects[key]}

    def update_project(self, params: dict[str, Any], caller: Caller) -> Answer:
        name = params["name"]
        self._authorize(caller, "UpdateProject", name, project_context(params))
        project = self._project(name, caller)
        if "serviceRole" in params:
            self._check_role(params["serviceRole"], name, caller)
        with self._lock:
            changed = {**project, **params, "lastModified": time.time()}
            if params.get("concurrentBuildLimit") == -1:
                # -1 removes the limit.
                del changed["concurrentBuildLimit"]
            self._projects[caller.account, caller.region, name] = changed
            return {"project": changed}

    def delete_project(self, params: dict[str, Any], caller: Caller) -> Answer:
        name = params["name"].rpartition("/")[2]
        self._authorize(caller, "DeleteProject", name)
        with self._lock:
            self._projects.pop((caller.account, caller.region, name), None)
        return {}

    def batch_get_projects(self, params: dict[str, Any], caller: Caller) -> Answer:
        found, missing = [], []
        for asked in params["names"]:
            name = asked.rpartition("/")[2]
            self._authorize(caller, "BatchGetProjects", name)
            project = self._projects.get((caller.account, caller.region, name))
            if project is None:
                missing.append(asked)
            else:
                found.append(project)
        return {"projects": found, "projectsNotFound": missing}

    def list_projects(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._gate.require(caller, "codebuild:ListProjects", "*")
        place = (caller.account, caller.region)
        names = sorted(name for *where, name in self._projects if tuple(where) == place)
        if params.get("sortOrder") == "DESCENDING":
            names.reverse()
        return page("projects", names, params)

    def start_build(self, params: dict[str, Any], caller: Caller) -> Answer:
        name = params["projectName"].rpartition("/")[2]
        self._authorize(caller, "StartBuild", name, start_context(params))
        project = self._project(name, caller)
        if "serviceRoleOverride" in params:
            self._check_role(params["serviceRoleOverride"], name, caller)
        with self._lock:
            ticket = self._tickets.pop(params.get("idempotencyToken", ""), None)
        if ticket is not None and ticket.account != caller.account:
            raise ServiceError("InvalidInputException", "the artifacts were handed in for another account's build")
        effective = overridden(project, params)
        if ticket is None and (effective.get("source") or {}).get("type") == "CODEPIPELINE":
            raise ServiceError(
                "InvalidInputException", "Build with source type CODEPIPELINE can only be started by CodePipeline"
            )
        if ticket is None and (effective.get("artifacts") or {}).get("type") == "CODEPIPELINE":
            # As it is told by people who start such projects (aws-actions/aws-codebuild-run-build, issue 114).
            raise ServiceError(
                "InvalidInputException", "ArtifactsOverride must be set when using artifacts type CodePipelines"
            )
        if ticket is not None and (effective.get("source") or {}).get("type") != "CODEPIPELINE":
            raise ServiceError(
                "InvalidInputException", f"Project {name} of a pipeline must have source type CODEPIPELINE"
            )
        return {"build": self._start(effective, params, caller, ticket).document()}

    def retry_build(self, params: dict[str, Any], caller: Caller) -> Answer:
        old = self._known(params.get("id", ""), caller, "RetryBuild")
        if old.status == IN_PROGRESS:
            raise ServiceError("InvalidInputException", f"Build {old.id} is in progress")
        again = {"environmentVariablesOverride": old.overrides} if old.overrides else {}
        return {"build": self._start(old.project, again, caller, old.ticket, old.source_version).document()}

    def stop_build(self, params: dict[str, Any], caller: Caller) -> Answer:
        build = self._known(params["id"], caller, "StopBuild")
        build.stop.set()
        return {"build": build.document()}

    def batch_get_builds(self, params: dict[str, Any], caller: Caller) -> Answer:
        found, missing = [], []
        for asked in params["ids"]:
            build_id = asked.rpartition("build/")[2]
            self._authorize(caller, "BatchGetBuilds", build_id.partition(":")[0])
            build = self._builds.get(build_id)
            if build is None or (build.account, build.region) != (caller.account, caller.region):
                missing.append(asked)
            else:
                found.append(build.document())
        return {"builds": found, "buildsNotFound": missing}

    def list_builds(self, params: dict[str, Any], caller: Caller) -> Answer:
        self._gate.require(caller, "codebuild:ListBuilds", "*")
        return self._ids(params, caller, None)

    def list_builds_for_project(self, params: dict[str, Any], caller: Caller) -> Answer:
        name = params["projectName"].rpartition("/")[2]
        self._authorize(caller, "ListBuildsForProject", name)
        self._project(name, caller)
        return self._ids(params, caller, name)

    def _start(
        self,
        project: Answer,
        params: dict[str, Any],
        caller: Caller,
        ticket: Ticket | None,
        source_version: str | None = None,
    ) -> Build:
        name = project["name"]
        with self._lock:
            arn = self._arn(name, caller)
            limit = project.get("concurrentBuildLimit")
            running = sum(b.project_arn == arn and b.ended is None for b in self._builds.values())
            if limit is not None and running >= limit:
                # "New builds are only started if the current number of builds is less than ... this limit. If the
                # current build count meets this limit, new builds are throttled and are not run."
                raise ServiceError(
                    "AccountLimitExceededException",
                    f"Cannot have more than {limit} concurrent builds for the project {name}",
                )
            if self.quota is not None and len(self._active(caller)) >= self.quota * (1 + _QUEUE):
                raise ServiceError(
                    "AccountLimitExceededException",
                    f"Cannot have more than {self.quota * _QUEUE} builds in queue for the account",
                )
            self._numbers[arn] = self._numbers.get(arn, 0) + 1
            folder = self._logs / caller.account / name
            build = Build(
                project=project,
                account=caller.account,
                region=caller.region,
                number=self._numbers[arn],
                initiator=ticket.initiator if ticket else caller.arn.rpartition(":")[2],
                log=folder,
                overrides=list(params.get("environmentVariablesOverride", ())),
                ticket=ticket,
                source_version=_source_version(ticket) or params.get("sourceVersion") or source_version,
            )
            build.log = folder / f"{build.number:04}-{build.uuid}.log"
            self._builds[build.id] = build
            run = BuildRun(build, self._machine, self._access, self._reaper, self._told, may_run=self._may_run)
            thread = threading.Thread(target=run.run, name=f"build-{name}", daemon=True)
            self._threads = {key: t for key, t in self._threads.items() if t.is_alive()} | {build.id: thread}
            thread.start()
        return build

    def _active(self, place: Caller | Build) -> list[Build]:
        """The builds of an account and region that have not ended, oldest first."""
        here = (place.account, place.region)
        return [build for build in self._builds.values() if (build.account, build.region) == here and not build.ended]

    def _may_run(self, build: Build) -> bool:
        """Whether a build that is queued is within the account's quota of builds that run."""
        with self._lock:
            return self.quota is None or build in self._active(build)[: self.quota]

    def _check_role(self, role: str, project: str, caller: Caller) -> None:
        self._gate.require(caller, "iam:PassRole", role, {"iam:PassedToService": SERVICE})
        if self._gate.assume(role, SERVICE, self._arn(project, caller), caller.region, "check", dry_run=True) is None:
            raise ServiceError(
                "InvalidInputException", f"CodeBuild is not authorized to perform: sts:AssumeRole on {role}"
            )

    def _authorize(self, caller: Caller, operation: str, project: str, context: Answer | None = None) -> None:
        self._gate.require(caller, f"codebuild:{operation}", self._arn(project, caller), context)

    def _arn(self, project: str, caller: Caller) -> str:
        return f"arn:aws:codebuild:{caller.region}:{caller.account}:project/{project}"

    def _project(self, name: str, caller: Caller) -> Answer:
        project = self._projects.get((caller.account, caller.region, name))
        if project is None:
            raise ServiceError("ResourceNotFoundException", f"Project cannot be found: {self._arn(name, caller)}")
        return project

    def _known(self, asked: str, caller: Caller, operation: str) -> Build:
        build_id = asked.rpartition("build/")[2]
        self._authorize(caller, operation, build_id.partition(":")[0])
        build = self._builds.get(build_id)
        if build is None or (build.account, build.region) != (caller.account, caller.region):
            raise ServiceError("ResourceNotFoundException", f"Build not found: {asked}")
        return build

    def _ids(self, params: dict[str, Any], caller: Caller, project: str | None) -> Answer:
        ids = [
            build.id
            for build in self.builds()
            if (build.account, build.region) == (caller.account, caller.region) and project in (None, build.name)
        ]
        if params.get("sortOrder", "DESCENDING") == "DESCENDING":
            ids.reverse()
        return page("ids", ids, params)


def _source_version(ticket: Ticket | None) -> str | None:
    if ticket is None:
        return None
    bucket, key = next(item.place for item in ticket.inputs if item.name == ticket.primary)
    return f"arn:aws:s3:::{bucket}/{key}"


_OPERATIONS: dict[str, Callable[[ProjectsApi, dict[str, Any], Caller], Answer]] = {
    "CreateProject": ProjectsApi.create_project,
    "UpdateProject": ProjectsApi.update_project,
    "DeleteProject": ProjectsApi.delete_project,
    "BatchGetProjects": ProjectsApi.batch_get_projects,
    "ListProjects": ProjectsApi.list_projects,
    "StartBuild": ProjectsApi.start_build,
    "RetryBuild": ProjectsApi.retry_build,
    "StopBuild": ProjectsApi.stop_build,
    "BatchGetBuilds": ProjectsApi.batch_get_builds,
    "ListBuilds": ProjectsApi.list_builds,
    "ListBuildsForProject": ProjectsApi.list_builds_for_project,
}
