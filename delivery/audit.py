"""The record of a deployment: one JSON line in a file of the caller's, whatever came of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from amplify_export.errors import ConfigError, DeliveryError
from delivery.planning import Plan


class Audit:
    """Appends its line when it is left. Raises `ConfigError` when it is entered and the file cannot be written.

    `result` is deployed, nothing to change, refused (nothing was changed), failed or interrupted.
    """

    def __init__(self, file: Path | None, environment: str, approved: str) -> None:
        self._file = file
        self._record: dict[str, Any] = {"environment": environment, "approved": approved}
        self._result: str | None = None
        self._begun = False

    def planned(self, plan: Plan) -> None:
        """What would be done."""
        target = plan.target
        self._record |= {
            "account": target.account,
            "region": target.region,
            "assembly": target.assembly,
            "plan": plan.digest,
            "changes": plan.changes,
            "dataLoss": [step.place for step in plan.losses],
        }

    def begin(self) -> None:
        """From now on something may be changed."""
        self._begun = True

    def end(self, result: str) -> None:
        self._result = result

    def __enter__(self) -> Audit:
        self._append("")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            result = "interrupted"
        elif error is not None:
            result = "failed" if self._begun else "refused"
        else:
            result = self._result or "deployed"
        time = datetime.now(UTC).isoformat(timespec="seconds")
        record = {"time": time, **self._record, "result": result}
        if isinstance(error, DeliveryError):
            record["error"] = error.message
        elif kind is not None:
            record["error"] = kind.__name__
        self._append(json.dumps(record, ensure_ascii=False) + "\n")

    def _append(self, text: str) -> None:
        if self._file is None:
            return
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as problem:
            raise ConfigError(f"cannot be written: {problem.strerror}", where=str(self._file)) from None
