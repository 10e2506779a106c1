"""A small tool that is built from its Go module, for whoever tests this repository."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.cache import PACKAGE, cache_root, digest, locked
from aws_rehearsal.setup.engine import go_for
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import run

_REMEDY = "check that Go modules can be fetched (`go env GOPROXY`), then run `make setup` again"


@dataclass(frozen=True)
class GoTool:
    """`module` is pinned by the go.mod in the folder `name` of this package, `command` is what it builds there.
    Without a `module` that folder has the source itself."""

    name: str
    binary: str
    module: str
    command: str
    works: Callable[[Path, str], bool]
    """Whether a binary runs and is of that version; a truncated one does not run."""

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return PACKAGE / self.name

    @property
    def version(self) -> str:
        """What go.mod pins; of a source of ours the beginning of its digest."""
        if not self.module:
            return digest(*sorted(path for path in self.folder.iterdir() if path.is_file()))[:16]
        found = re.search(
            rf"(?m)^require {re.escape(self.module)} (v\S+)$", (self.folder / "go.mod").read_text("utf-8")
        )
        return found[1] if found else ""

    @property
    def place(self) -> Path:
        """Where the binary is, once it is built."""
        return cache_root() / self.name / self.version / self.binary

    def ensure(self, progress: Progress) -> Path:
        """The binary, built if it is not in the cache. Raises `SetupError`."""
        if self.works(self.place, self.version):
            return self.place
        go = go_for(self.folder, progress)
        with progress.step(self.name) as step, locked(self.name, step):
            if not self.works(self.place, self.version):
                step.detail = f"compiling {self.version} from its Go module"
                self._build(go)
            if not self.works(self.place, self.version):
                raise SetupError("does not run, though it was just made", where=str(self.place), remedy=_REMEDY)
            step.outcome = f"{self.version} built from its Go module"
        return self.place

    def _build(self, go: Path) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        part = self.place.with_name(f".{self.binary}.{os.getpid()}")
        env = {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
        command: list[str | Path] = [go, "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", part]
        try:
            run([*command, self.command], cwd=self.folder, env=env, remedy=_REMEDY)
            part.replace(self.place)
        finally:
            part.unlink(missing_ok=True)
