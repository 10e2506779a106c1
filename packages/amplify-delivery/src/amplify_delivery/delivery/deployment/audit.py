"""The record of a plan or a deployment: one JSON event, whatever came of it.

It goes to a file of the caller's, and to the audit log of a bootstrapped environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from amplify_delivery.components.documents.naming import PLAN
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.audit_log import AuditLog
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.delivery.planning import Plan
from amplify_delivery.errors import DeliveryError, RefusedError

BUILD_VARIABLE = "CODEBUILD_BUILD_ID"
"""Set by CodeBuild ("Environment variables in build environments"): which build this is."""
_RUN = {"commit": "COMMIT_ID", "execution": "EXECUTION_ID", "build": BUILD_VARIABLE}
"""What the pipeline says about itself in environment variables."""


class Audit:
    """Appends its event when it is left. Raises `ConfigError` when it is entered and the file cannot be written.

    `result` is deployed, nothing to change, planned, refused (nothing was changed), failed or interrupted.
    """

    def __init__(
        self,
        command: str,
        environment: str,
        variables: Mapping[str, str],
        *,
        file: Path | None = None,
        approved: str = "",
    ) -> None:
        self._file = file
        self._log: AuditLog | None = None
        run = {name: variables[variable] for name, variable in _RUN.items() if variables.get(variable)}
        self._record: dict[str, Any] = {"command": command, "environment": environment, **run}
        if approved:
            self._record["approved"] = approved
        self._result = ""
        self._begun = False

    def log_to(self, log: AuditLog) -> None:
        """Write to an environment's log too. Raises `RefusedError` for one that cannot be written."""
        self._record["who"] = log.open()
        self._log = log

    def planned(self, plan: Plan) -> None:
        """What would be done."""
        target = plan.target
        self._record |= {
            "account": target.account,
            "region": target.region,
            "assembly": target.assembly,
            "target": target.digest,
            "plan": plan.digest,
            "changes": plan.changes,
            "dataLoss": [step.place for step in plan.losses],
        }

    def begin(self) -> None:
        """From now on something may be changed."""
        self._begun = True

    def held_back(self) -> None:
        """Nothing has been changed: somebody else holds the lock."""
        self._begun = False

    def end(self, result: str) -> None:
        """How it has ended, for the log: `deployed`, `unchanged` or the like. An error says it by itself."""
        self._result = result

    def __enter__(self) -> Audit:
        self._append("")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            result = "interrupted"
        elif error is not None:
            result = "failed" if self._begun and _may_have_changed(error) else "refused"
        else:
            result = self._result
        time = datetime.now(UTC).isoformat(timespec="seconds")
        record = {"time": time, **self._record, "result": result}
        if isinstance(error, DeliveryError):
            record["error"] = error.message
        elif kind is not None:
            record["error"] = kind.__name__
        self._append(json.dumps(record, ensure_ascii=False) + "\n")
        if self._log is None:
            return
        try:
            self._log.append(record)
        except DeliveryError as problem:
            if error is None:
                raise
            output.progress(f"{problem}")  # what is being told already comes first

    def _append(self, text: str) -> None:
        if self._file is None:
            return
        with output.writing(self._file), self._file.open("a", encoding="utf-8") as file:
            file.write(text)


def log_of(target: Wanted, command: str) -> AuditLog:
    """The log of a bootstrapped environment, for a run of `command`."""
    return AuditLog(target.account, target.names, command, target.context.variables.get(BUILD_VARIABLE))


def log_if_allowed(audit: Audit, target: Wanted) -> None:
    """Have a plan of a bootstrapped environment recorded in its account. Whoever may not write there may plan as
    well."""
    if not target.config.bootstrapped:
        return
    try:
        audit.log_to(log_of(target, PLAN))
    except RefusedError as error:
        output.progress(f"not recorded: {error.message}")


def _may_have_changed(error: BaseException) -> bool:
    return error.changed if isinstance(error, DeliveryError) else True
