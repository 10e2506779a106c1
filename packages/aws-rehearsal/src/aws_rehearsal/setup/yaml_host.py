"""Pulumi's language host for programs in YAML: for tests of what other languages get.

Of other languages no host can be had as a Go module: theirs have no version on the proxy.
"""

from __future__ import annotations

from pathlib import Path

from aws_rehearsal.setup.go_tool import GoTool
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer


def _works(binary: Path, _: str) -> bool:
    """It tells no version; its folder does."""
    return answer(binary, "-help") is not None


_MODULE = "github.com/pulumi/pulumi-yaml"
_TOOL = GoTool("yaml-host", "pulumi-language-yaml", _MODULE, f"{_MODULE}/cmd/pulumi-language-yaml", _works)


def ensure_yaml_host(progress: Progress) -> Path:
    """The plugin, built if it is not in the cache. Raises `SetupError`."""
    return _TOOL.ensure(progress)
