"""Jobs: how a Lambda function tells CodePipeline that its action is done.

"Invoke an AWS Lambda function in a pipeline in CodePipeline" (CodePipeline User Guide): the function gets a job's id in
its event, and calls `PutJobSuccessResult` or `PutJobFailureResult` with it, with its own role; the action waits.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.gate import Caller, Gate
from aws_rehearsal.pipeline_service.state import new_id

Answer = dict[str, Any]
Operation = Callable[[Answer, Caller], Answer]


@dataclass
class Job:
    """A job of an action; `failure` is its function's message, None if it succeeded."""

    account: str
    id: str = field(default_factory=new_id)
    done: threading.Event = field(default_factory=threading.Event)
    failure: str | None = None
    variables: dict[str, str] = field(default_factory=dict)


class Jobs:
    """The jobs that were handed out, and the operations that end them; `otherwise` answers for all others."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._jobs: dict[str, Job] = {}

    def issue(self, account: str) -> Job:
        """A new job of an account."""
        job = Job(account)
        self._jobs[job.id] = job
        return job

    def handler(self, operation: str) -> Operation | None:
        """What carries an operation out, None if it is none of a job."""
        found = _OPERATIONS.get(operation)
        return found and functools.partial(found, self)

    def succeed(self, params: Answer, caller: Caller) -> Answer:
        """`PutJobSuccessResult`."""
        job = self._job(params, caller, "PutJobSuccessResult")
        job.variables = dict(params.get("outputVariables") or {})
        job.done.set()
        return {}

    def fail(self, params: Answer, caller: Caller) -> Answer:
        """`PutJobFailureResult`."""
        job = self._job(params, caller, "PutJobFailureResult")
        job.failure = str(params["failureDetails"]["message"])
        job.done.set()
        return {}

    def _job(self, params: Answer, caller: Caller, action: str) -> Job:
        # Neither action knows a resource (service authorization reference).
        self._gate.require(caller, f"codepipeline:{action}", "*")
        job = self._jobs.get(params["jobId"])
        if job is None or job.account != caller.account:
            raise ServiceError("JobNotFoundException", f"There is no job with the id {params['jobId']}")
        if job.done.is_set():
            raise ServiceError("InvalidJobStateException", f"The job {job.id} has ended")
        return job


_OPERATIONS: dict[str, Callable[[Jobs, Answer, Caller], Answer]] = {
    "PutJobFailureResult": Jobs.fail,
    "PutJobSuccessResult": Jobs.succeed,
}
