"""Pulumi's language hosts for YAML, Node.js and Go, and its generators of SDKs: for tests of what other languages get.

The hosts of today are in modules that have no version on Go's proxy, but for YAML's. Node.js's was a part of the SDK
for Go until 3.68.0, Go's until 3.62.0, and these have one: they run programs with today's engine and today's SDKs. They
know no `GeneratePackage` yet, which `pulumi package add` asks for; what answers that in a host of today, the generator,
is a package of the engine's own module.
"""

from __future__ import annotations

import os
from pathlib import Path

from aws_rehearsal.setup.go_tool import GoTool
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.run import answer


def _works(binary: Path, _: str) -> bool:
    """It tells no version; its folder does."""
    return answer(binary, "-help") is not None


def _is_there(binary: Path, _: str) -> bool:
    """It is put in its place as a whole, and can only be tried with a schema."""
    return os.access(binary, os.X_OK)


_YAML = "github.com/pulumi/pulumi-yaml"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_YAML_HOST = GoTool("yaml-host", "pulumi-language-yaml", _YAML, f"{_YAML}/cmd/pulumi-language-yaml", _works)
_NODE_HOST = GoTool("node-host", "pulumi-language-nodejs", _SDK, f"{_SDK}/nodejs/cmd/pulumi-language-nodejs", _works)
_GO_HOST = GoTool("go-host", "pulumi-language-go", _SDK, f"{_SDK}/go/pulumi-language-go", _works)
_GENERATOR = GoTool("node-sdk", "node-sdk", "", ".", _is_there)
_GO_GENERATOR = GoTool("go-sdk", "go-sdk", "", ".", _is_there)


def ensure_yaml_host(progress: Progress) -> Path:
    """The plugin, built if it is not in the cache. Raises `SetupError`."""
    return _YAML_HOST.ensure(progress)


def ensure_node_host(progress: Progress) -> Path:
    """The plugin, built if it is not in the cache: `make languages` wants it, no other test. Raises `SetupError`."""
    return _NODE_HOST.ensure(progress)


def ensure_sdk_generator(progress: Progress) -> Path:
    """The command `node-sdk SCHEMA FOLDER`, for Node.js, built if it is not in the cache. Raises `SetupError`."""
    return _GENERATOR.ensure(progress)


def ensure_go_host(progress: Progress) -> Path:
    """The plugin, built if it is not in the cache: `make languages` wants it, no other test. Raises `SetupError`."""
    return _GO_HOST.ensure(progress)


def ensure_go_sdk_generator(progress: Progress) -> Path:
    """The command `go-sdk SCHEMA FOLDER`, for Go, built if it is not in the cache. Raises `SetupError`."""
    return _GO_GENERATOR.ensure(progress)
