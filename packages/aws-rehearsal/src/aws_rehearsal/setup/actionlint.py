"""actionlint, which checks GitHub's workflow files: built from its Go module, for whoever tests this repository."""

from __future__ import annotations

import os
import re
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import PACKAGE, cache_root, locked
from aws_rehearsal.setup.engine import go_for
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer, run

_MODULE = PACKAGE / "actionlint"
_COMMAND = "github.com/rhysd/actionlint/cmd/actionlint"
_REMEDY = "check that Go modules can be fetched (`go env GOPROXY`), then run `make setup` again"


def ensure_actionlint(progress: Progress) -> Path:
    """The command, built if it is not in the cache. Raises `SetupError`."""
    found = re.search(r"(?m)^require github\.com/rhysd/actionlint (v\S+)$", (_MODULE / "go.mod").read_text("utf-8"))
    wanted = found[1] if found else ""
    binary = cache_root() / "actionlint" / wanted / "actionlint"
    if _works(binary, wanted):
        return binary
    go = go_for(_MODULE, progress)
    with progress.step("actionlint") as step, locked("actionlint", step):
        if not _works(binary, wanted):
            step.detail = f"compiling {wanted} from its Go module"
            binary.parent.mkdir(parents=True, exist_ok=True)
            part = binary.with_name(f".actionlint.{os.getpid()}")
            env = {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
            command: list[str | Path] = [go, "build", "-buildvcs=false", "-trimpath", "-o", part, _COMMAND]
            try:
                run(command, cwd=_MODULE, env=env, remedy=_REMEDY)
                part.replace(binary)
            finally:
                part.unlink(missing_ok=True)
        if not _works(binary, wanted):
            raise SetupError("does not run, though it was just made", where=str(binary), remedy=_REMEDY)
        step.outcome = f"{wanted} built from its Go module"
    return binary


def _works(binary: Path, wanted: str) -> bool:
    return (answer(binary, "-version") or "").partition("\n")[0] == wanted
