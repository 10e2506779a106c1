"""A registry of container images for tests: `crane registry serve`, built from its Go modules.

Made when a test first asks for it, not with the rest of the set-up: no rehearsal needs it. What `registry/go.sum`
pins is compiled with the Go on PATH or one from PyPI (about a minute), and kept.
"""

from __future__ import annotations

import re
from pathlib import Path

from aws_rehearsal.setup.cache import PACKAGE, cache_root, locked
from aws_rehearsal.setup.engine import go_for
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer, run

_MODULE = PACKAGE / "registry"
_COMMAND = "github.com/google/go-containerregistry/cmd/crane"
_REMEDY = "check that Go modules can be fetched (`go env GOPROXY`), then run the tests again"


def pinned_version() -> str:
    """The version that the Go module pins, like "v0.20.7"."""
    text = (_MODULE / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"github\.com/google/go-containerregistry (v\S+)", text)
    assert found is not None, "registry/go.mod requires it"  # noqa: S101
    return found[1]


def ensure_crane(progress: Progress) -> Path:
    """The command `crane`, built if it is not there. Raises `SetupError`."""
    binary = cache_root() / "registry" / pinned_version() / "crane"
    if answer(binary, "version") is not None:
        return binary
    go = go_for(_MODULE, progress)
    with progress.step("registry") as step, locked("registry", step):
        if answer(binary, "version") is None:
            step.detail = "compiling crane from its Go modules"
            binary.parent.mkdir(parents=True, exist_ok=True)
            part = binary.with_name(".crane.part")
            env = {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0"}
            options = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w"]
            run([go, "build", *options, "-o", part, _COMMAND], cwd=_MODULE, env=env, remedy=_REMEDY)
            part.replace(binary)
    return binary
