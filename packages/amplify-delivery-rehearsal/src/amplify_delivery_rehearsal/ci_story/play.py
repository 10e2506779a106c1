"""The CI of the story: a run for each push, with everybody's tokens, approvals and outputs."""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from amplify_delivery.components.documents.naming import DEPLOY, PLAN
from amplify_delivery.errors import REFUSED, FailedError
from amplify_delivery.stacks.config.ci import GitHub
from amplify_delivery_rehearsal import commands
from amplify_delivery_rehearsal.ci_story.declared import DeclaredCi
from amplify_delivery_rehearsal.pipeline_story.pipeline import own_words
from amplify_delivery_rehearsal.pipeline_story.play import Delivering
from amplify_delivery_rehearsal.pipeline_story.record import ActionTold, ExecutionTold
from aws_rehearsal.ci_service import Issuer, Job, Push, Ran, Runner, changed_files, checked_out, github, gitlab
from aws_rehearsal.ci_service.tokens import Claims
from aws_rehearsal.errors import RehearsalError

FOREIGN = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "AMPLIFY_DELIVERY_ID_TOKEN",
)  # fmt: skip
"""What no job has unless its CI gives it."""
_BUILD = re.compile(r"the build (\S+) has ended with")
_LOG = 20
"""Lines of a failed build's log that are shown."""
_WORDS = 6
"""Lines of a failed command that are shown."""


@dataclass
class CiRun:
    """What a push has started, as far as it has come."""

    push: Push
    message: str
    jobs: list[Job]
    began: float
    ran: list[Ran] = field(default_factory=list)
    failed: str = ""
    """The job in which it has ended, whatever that has run before."""
    status: str = "InProgress"

    def told(self) -> ExecutionTold:
        """For the page, job by job."""
        done = {ran.job: True for ran in self.ran} | ({self.failed: False} if self.failed else {})
        stages = [
            {"name": job.name, "status": ("Succeeded" if done[job.name] else "Failed") if job.name in done else ""}
            for job in self.jobs
        ]
        actions = [
            ActionTold(
                stage=ran.job,
                name=ran.step,
                status="Failed" if ran.code else "Succeeded",
                seconds=round(ran.seconds, 2),
                detail=f"exit code {ran.code}" if ran.code else "",
                words=tuple(own_words(ran.output)[-_WORDS:]) if ran.code else (),
                started=round(ran.started - self.began, 2),
            )
            for ran in self.ran
        ]
        ended = max((ran.started + ran.seconds for ran in self.ran), default=self.began)
        commit = self.push.commit
        return ExecutionTold(
            id=commit,
            trigger="push",
            status=self.status,
            commit=commit[:7],
            message=self.message,
            seconds=round(ended - self.began, 1),
            stages=stages,
            actions=actions,
        )


@dataclass
class CiPlay(Delivering):
    """The story's CI. `decide` has a person meet the protection rules of an environment, `step` is told each step."""

    ci: DeclaredCi
    issuer: Issuer
    image: Mapping[str, str]
    """What is in the environment of every job."""
    decide: Callable[[str, Path | None], None]
    """Gets an environment, and the log of its newest plan."""
    step: Callable[[Ran], None]
    runs: list[CiRun] = field(default_factory=list, kw_only=True)
    pushes: int = field(default=0, kw_only=True)
    before: str = field(default="", kw_only=True)
    """The commit that was pushed last, whatever came of it."""

    def progress(self) -> Mapping[str, int]:
        return {run.push.commit: len(run.ran) for run in self.runs}

    def told(self, known: Mapping[str, int]) -> list[ExecutionTold]:
        return [run.told() for run in self.runs if len(run.ran) > known.get(run.push.commit, 0)]

    def deliver(self, commit: str, message: str, tried: Callable[[CiRun, Job], None] = lambda *_: None) -> CiRun:
        """Run the jobs that a push of `commit` starts, to their end; `tried` is called before one with an environment.
        Raises `FailedError`, and `ConfigError` for a file that is wrong."""
        push = self.push_of(commit)
        self.pushes += 1
        number, self.before = self.pushes, commit
        folder = self.setting.folder / "ci" / str(number)
        try:
            files = checked_out(push, folder / "files")
        except RehearsalError as error:
            raise FailedError(error.message, where=error.where, remedy=error.remedy) from None
        run = CiRun(push, message, self.ci.jobs(push, files), time.monotonic())
        self.runs.append(run)
        if not run.jobs:
            self.fact(f"the push starts no job: {self.ci.file} asks for none of the files that it has changed")
        elif push.changed is None and (left_out := self.ci.left_out(push, files)):
            self.fact(f"with a token, and not started by a push: {', '.join(left_out)}")

        def ran(step: Ran) -> None:
            run.ran.append(step)
            self.step(step)

        runner = Runner(folder, self.image, _shell, self.issuer, lambda job: self.ci.claims(job, push), ran)
        player = self._player(push, files, runner, number)
        run.status = "Failed"
        try:
            for job in run.jobs:
                if job.environment:
                    self.decide(job.environment, self._plan_of(job.environment))
                    tried(run, job)
                run.failed = job.name  # until it has ended well
                player.play(job)
                run.failed = ""
        except RehearsalError as error:
            raise FailedError(self._why(error.message), where=error.where, remedy=error.remedy) from None
        run.status = "Succeeded"
        shutil.rmtree(folder, ignore_errors=True)
        return run

    def push_of(self, commit: str) -> Push:
        """A commit on the branch that the CI delivers."""
        host = self.setting.repository.host
        changed = changed_files(host, self.before, commit) if self.before and commit else None
        return Push(host, commit, self.ci.says.branch, self.ci.repository, changed)

    def let_in_as(self, name: str, job: Job, claims: Claims) -> dict[str, str]:
        """What its CI gives a job whose token says `claims`: with it somebody is let in as that job is. `name` is the
        one by which she asks for the token."""
        if isinstance(self.ci.says, GitHub):
            return self.issuer.job(name, claims)
        return gitlab.tokens(job, claims, {"CI_SERVER_URL": f"https://{self.ci.says.host}"})

    def is_not_let_in(self, who: str, job: Job, claims: Claims, *arguments: str) -> None:
        """Have somebody with the token that `claims` make try what she may not. Raises `FailedError` if she may."""
        code, output = self._typed(who, job, claims, *arguments)
        self.true(
            code == REFUSED and "does not let this job" in output,
            f"{who} is not let in to `{shlex.join(arguments[:3])}`",
            f"exit code {code}\n{output.rstrip()}",
        )

    def is_no_approved_plan(self, job: Job, push: Push, plan: str) -> None:
        """Have a job that is let in deploy what was planned, with the digest of another plan. Raises `FailedError` if
        anything comes of it."""
        name = job.environment
        digest, known = self._artifact_of(name), self._stacks(name)
        arguments = ("start", name, DEPLOY, "--digest", digest, "--plan", plan)
        code, output = self._typed(job.name, job, self.ci.claims(job, push), *arguments)
        self.true(
            code == REFUSED and f"has ended with FAILED: exit status {REFUSED}" in output,
            f"{job.name} deploys no other plan than the one that was approved",
            f"exit code {code}\n{output.rstrip()}",
        )
        self.true(self._stacks(name) == known, f"{name}: as it was")

    def _typed(self, who: str, job: Job, claims: Claims, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "amplify_delivery", *arguments]
        variables = {**self.image, **self.let_in_as(who, job, claims)}
        return commands.run(command, self.setting.repository.clone, variables, lambda _: None)

    def _stacks(self, environment: str) -> list[tuple[str, str]]:
        """Those in the environment's account and region, each with when it was changed last."""
        names = self.names(environment)
        cloudformation = self.setting.owners[environment].client("cloudformation", names.region)
        found = cloudformation.describe_stacks()["Stacks"]
        return sorted((stack["StackName"], str(stack.get("LastUpdatedTime", stack["CreationTime"]))) for stack in found)

    def _artifact_of(self, environment: str) -> str:
        """The digest of the artifact that was planned last."""
        project = self.names(environment).project(PLAN)
        build = next(build for build in reversed(self.setting.service.builds()) if build.name == project)
        return next(str(given["value"]) for given in build.overrides if given["name"] == "ARTIFACT_DIGEST")

    def _plan_of(self, environment: str) -> Path | None:
        project = self.names(environment).project(PLAN)
        return next((build.log for build in reversed(self.setting.service.builds()) if build.name == project), None)

    def _why(self, message: str) -> str:
        """What a step has said, and the end of the log of the build that it names: the log goes with the rehearsal."""
        lines = own_words(message)
        named = _BUILD.findall(message)
        with contextlib.suppress(KeyError):
            lines += (
                ["", "The end of that log:", *own_words(self.setting.service.log(named[-1]))[-_LOG:]] if named else []
            )
        return "\n".join(lines)

    def _player(self, push: Push, files: Path, runner: Runner, number: int) -> github.Run | gitlab.Run:
        says = self.ci.says
        if isinstance(says, GitHub):
            return github.Run(github.load(files, self.ci.file), push, runner, number)
        return gitlab.Run(push, runner, says.host, says.project_id or "", number)


def _shell(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    return commands.run(command, folder, variables, lambda _: None)
