"""CodePipeline, CodeBuild and CodeStar Notifications for the local AWS.

    aws, room = local_aws_with_room()
    with aws, PipelineService(aws, room) as service:
        service.repository(connection_arn, "owner/app", Path("app.git"))
        service.on_event(print)
        client = aws.client("codepipeline", admin, "eu-central-1")
        client.create_pipeline(...)
        service.wait(client.start_pipeline_execution(name="app")["pipelineExecutionId"])

The services answer at the local AWS's own endpoint (`joining` says why), so whoever uses that endpoint uses them.
Everything ends with the `with` block: executions, builds and their processes.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aws_rehearsal.errors import SetupError
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.pipeline_service import state as states
from aws_rehearsal.pipeline_service.builds.build_run import Machine
from aws_rehearsal.pipeline_service.builds.builds import Build
from aws_rehearsal.pipeline_service.builds.container_image import write_tools
from aws_rehearsal.pipeline_service.builds.processes import GRACE, Reaper
from aws_rehearsal.pipeline_service.builds.projects_api import ProjectsApi
from aws_rehearsal.pipeline_service.clients import Access, Clients
from aws_rehearsal.pipeline_service.gate import Gate
from aws_rehearsal.pipeline_service.joining import Room
from aws_rehearsal.pipeline_service.listener import Listener as HttpListener
from aws_rehearsal.pipeline_service.listener import Operation
from aws_rehearsal.pipeline_service.notifications.events import Event, Listener
from aws_rehearsal.pipeline_service.notifications.notifications_api import NotificationsApi
from aws_rehearsal.pipeline_service.notifications.notifier import Notifier
from aws_rehearsal.pipeline_service.pipelines.actions import Actions
from aws_rehearsal.pipeline_service.pipelines.deployments import Deployments
from aws_rehearsal.pipeline_service.pipelines.engine import Engine
from aws_rehearsal.pipeline_service.pipelines.jobs import Jobs
from aws_rehearsal.pipeline_service.pipelines.orders import Orders, UpdatePolicy
from aws_rehearsal.pipeline_service.pipelines.pipelines_api import PipelinesApi
from aws_rehearsal.pipeline_service.pipelines.rules import Rules
from aws_rehearsal.pipeline_service.resources import Resources
from aws_rehearsal.pipeline_service.roles import Roles
from aws_rehearsal.pipeline_service.sources.repositories import Repositories, Repository
from aws_rehearsal.pipeline_service.starts.changes import Changes
from aws_rehearsal.pipeline_service.starts.webhooks import Webhooks
from aws_rehearsal.pipeline_service.starts.webhooks_api import WebhooksApi
from aws_rehearsal.pipeline_service.state import Execution

_TICK = 0.05


class PipelineService:
    """The service, joined to a local AWS that was started with `room`.

    `build_variables` is what the build image has in its environment (PATH at least); `minute` is how many seconds a
    minute lasts in timeouts and waits; `logs` the folder for the builds' logs (by default a temporary one that ends
    with the service);
    `update_policy` what an update does to executions that run; `poll_seconds` how often repositories are looked at;
    `build_quota` how many builds an account may run at the same time in a region, further ones are queued.
    """

    def __init__(
        self,
        aws: LocalAws,
        room: Room,
        *,
        build_variables: Mapping[str, str] | None = None,
        minute: float = 60.0,
        grace: float = GRACE,
        logs: Path | None = None,
        update_policy: UpdatePolicy = "cancel",
        poll_seconds: float = 0.2,
        build_quota: int | None = None,
    ) -> None:
        self.aws, self._room = aws, room
        self._poll_seconds, self._build_quota = poll_seconds, build_quota
        self._scratch = tempfile.TemporaryDirectory(prefix="build-logs-")
        self.logs = logs or Path(self._scratch.name)
        tools = write_tools(Path(self._scratch.name, "container-image"))
        self._machine = Machine(build_variables or {"PATH": os.defpath}, minute, grace, tools)
        self.engine = Engine()
        self._orders = Orders(self.engine)
        self._orders.update_policy = update_policy
        self._repositories = Repositories()
        self._webhooks = Webhooks()
        self._changes = Changes(self.engine, self._orders, self._repositories, self._webhooks)
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="pipelines-clock", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """Where the services answer: the local AWS's own endpoint."""
        return self.aws.endpoint

    @property
    def update_policy(self) -> UpdatePolicy:
        """What an update of a pipeline does to its executions that run."""
        return self._orders.update_policy

    @update_policy.setter
    def update_policy(self, policy: UpdatePolicy) -> None:
        self._orders.update_policy = policy

    @property
    def build_quota(self) -> int | None:
        """How many builds an account may run at the same time in a region."""
        return self._projects.quota

    @build_quota.setter
    def build_quota(self, quota: int | None) -> None:
        self._projects.quota = quota

    def start(self) -> None:
        """Join the local AWS, which must be running."""
        if self.aws.port is None:
            raise SetupError("the local AWS is not running", remedy="start it before the pipeline service joins it")
        access = Access(Gate(self.aws.port, self._room.token), Clients(self.aws.endpoint))
        minute = self._machine.minute
        self._reaper = Reaper()
        self._projects = ProjectsApi(
            access, self._machine, self._reaper, self.logs, self._told_build, quota=self._build_quota
        )
        roles, self._jobs = Roles(access), Jobs(access.gate)
        deployments = Deployments(access.clients, self._jobs, minute)
        self.engine.ready(
            Actions(access, roles, self._repositories, self._projects, deployments, minute),
            Rules(roles, access.clients, minute),
        )
        pipelines = PipelinesApi(self.engine, self._orders, access, self._changes.watch)
        self._pipelines = WebhooksApi(self.engine, self._webhooks, access.gate, pipelines.handler)
        self._notifications = NotificationsApi(access.gate, self._is_pipeline)
        self._notifier = Notifier(access.gate, self._notifications, self.execution)
        self._notifier.start()
        self.engine.listen(self._notifier.hear)
        self._http = HttpListener(self._find, Resources(self._find).answer, self._room.token)
        self._http.start()
        access.gate.join(self._http.port)
        self._clock.start()

    def stop(self) -> None:
        """End everything: executions, builds with all their processes, the server."""
        self._closed.set()
        self._clock.join(5)
        self._projects.close(self._machine.grace + 5)
        self.engine.close()
        self._notifier.close()
        self._http.close()
        self._reaper.close()
        self._scratch.cleanup()

    def repository(self, connection_arn: str | None, full_id: str, path: Path) -> None:
        """Have a source action's repository be the local one at `path`.

        `full_id` is "owner/name" of a connection's or GitHub's repository, or the name of a CodeCommit one.
        """
        self._repositories.add(Repository(full_id, path, connection_arn))
        for found in list(self.engine.pipelines.values()):
            self._changes.watch(found)

    def notify_push(self) -> list[str]:
        """Look for pushes now; the ids of the executions they started."""
        return [execution.id for execution in self._changes.look()]

    def on_event(self, listener: Listener) -> None:
        """Have every change of executions, stages, actions and builds told.

        `listener` is called from the thread the change happens in, several may call at once; it must not wait.
        """
        self.engine.listen(listener)

    def execution(self, execution_id: str) -> Execution:
        """An execution's state. Raises `KeyError`."""
        for found in list(self.engine.pipelines.values()):
            execution = found.execution(execution_id)
            if execution is not None:
                return execution
        raise KeyError(execution_id)

    def executions(self, pipeline: str, account: str | None = None) -> list[Execution]:
        """Every execution of the pipelines of that name (in all accounts by default), oldest first."""
        with self.engine.lock:
            return [
                execution
                for found in self.engine.pipelines.values()
                if found.definition.name == pipeline and account in (None, found.definition.account)
                for execution in found.executions
            ]

    def wait(self, execution_id: str, timeout: float = 300.0) -> Execution:
        """Wait until an execution has ended. Raises `TimeoutError`."""
        return self.wait_until(lambda: not self.execution(execution_id).running, timeout) and self.execution(
            execution_id
        )

    def wait_for_action(self, execution_id: str, action: str, timeout: float = 300.0) -> states.ActionRun:
        """Wait until an execution has started an action (an approval: asks for it), or ended. Raises `TimeoutError`."""

        def run() -> states.ActionRun | None:
            found = [run for run in self.execution(execution_id).history if run.action.name == action]
            if not found or (
                found[-1].action.category == "Approval"
                and found[-1].token is None
                and found[-1].status == states.IN_PROGRESS
            ):
                return None
            return found[-1]

        self.wait_until(lambda: run() is not None or not self.execution(execution_id).running, timeout)
        found = run()
        if found is None:
            execution = self.execution(execution_id)
            raise TimeoutError(f"execution {execution_id} is {execution.status} and has not reached {action}")
        return found

    def wait_until(self, condition: Callable[[], Any], timeout: float = 300.0) -> Any:
        """Wait until `condition` (asked after every change) holds, return its value. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        with self.engine.changed:
            while not (found := condition()):
                rest = deadline - time.monotonic()
                if rest <= 0:
                    raise TimeoutError(f"nothing for {timeout} s")
                self.engine.changed.wait(min(rest, 0.2))
            return found

    def log(self, build_id: str) -> str:
        """The log of a build so far."""
        build = self._projects.build(build_id)
        if build is None:
            raise KeyError(build_id)
        return build.log.read_text(encoding="utf-8") if build.log.exists() else ""

    def builds(self) -> list[Build]:
        """Every build of every account, oldest first."""
        return self._projects.builds()

    def _find(self, service: str, operation: str) -> Operation | None:
        if service == "codepipeline":
            return self._jobs.handler(operation) or self._pipelines.handler(operation)
        return (self._projects if service == "codebuild" else self._notifications).handler(operation)

    def _is_pipeline(self, arn: str) -> bool:
        return any(found.definition.arn == arn for found in list(self.engine.pipelines.values()))

    def _told_build(self, build: Build) -> None:
        phase = build.phases[-1].kind if build.phases else ""
        pipeline = build.initiator.removeprefix("codepipeline/") if build.ticket else ""
        self.engine.emit(Event("build", pipeline, "", build.status, phase, detail=build.id))

    def _tick(self) -> None:
        next_look = 0.0
        while not self._closed.wait(_TICK):
            now = time.monotonic()
            self.engine.expire(now)
            if now >= next_look:
                next_look = now + self._poll_seconds
                self._changes.look()


def restart_on_update(client: Any, name: str, *, restart: bool) -> str | None:
    """What the resource AWS::CodePipeline::Pipeline does after it updated a pipeline: run it again if it should.

    "RestartExecutionOnUpdate: Indicates whether to rerun the CodePipeline pipeline after you update it." It is a
    property of the CloudFormation and Cloud Control resource, not of the API: the resource's provider calls this with
    its own CodePipeline client. The execution takes the branch's newest commit. Its id, None if it should not.
    """
    if not restart:
        return None
    execution_id: str = client.start_pipeline_execution(name=name)["pipelineExecutionId"]
    return execution_id
