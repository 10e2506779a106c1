"""The engine's `LanguageRuntime` service (pulumi/language.proto) for programs in the project's own interpreter.

Required packages are answered empty, as inline Automation does: the engine then loads a provider when its first
resource comes. Dependencies are never installed from here. The interpreter that runs this is the one that runs the
program; what the virtualenv that Pulumi.yaml names holds goes before what that interpreter has.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from typing import Any

from aws_rehearsal.language_host.runner import SHOWN_TO_USER, Runner, WarmRunner
from aws_rehearsal.providers.messages import load_without_sdk
from aws_rehearsal.providers.serve import serve

load_without_sdk()

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402 - after the line above


class LanguageRuntime(language_pb2_grpc.LanguageRuntimeServicer):
    def __init__(self, runner: Runner | WarmRunner) -> None:
        self._runner = runner

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        self._runner.load()  # only who asks this runs a program afterwards; `pulumi about` does not
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()

    def Run(self, request: Any, context: Any) -> Any:
        info = request.info
        code = self._runner.run(
            {
                "monitor": request.monitor_address,
                "project": request.project,
                "stack": request.stack,
                "organization": request.organization or "organization",
                "config": dict(request.config),
                "secret_keys": list(request.configSecretKeys),
                "dry_run": request.dryRun,
                "parallel": request.parallel,
                "root_directory": info.root_directory,
                "program_directory": info.program_directory or request.pwd,
                "program": info.entry_point or request.program,
                "arguments": list(request.args),
                "virtualenv": dict(info.options).get("virtualenv") or "",
            }
        )
        if code == SHOWN_TO_USER:
            return language_pb2.RunResponse(bail=True)
        if code < 0:
            return language_pb2.RunResponse(error=f"Program terminated by signal {-code}")
        if code:
            return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")
        return language_pb2.RunResponse()

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        found = _installed(direct_only=not request.transitiveDependencies)
        dependencies = [language_pb2.DependencyInfo(name=name, version=version) for name, version in found]
        return language_pb2.GetProgramDependenciesResponse(dependencies=dependencies)

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        text = f"Dependencies are those of {sys.executable}: nothing to install\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())


def _installed(*, direct_only: bool) -> list[tuple[str, str]]:
    """What `pip list` says; with `direct_only` what no other distribution requires (`pip list --not-required`)."""
    import re
    from importlib import metadata

    found = {item.metadata["Name"]: item for item in metadata.distributions()}
    needed = set()
    if direct_only:
        for item in found.values():
            needed |= {
                _normal(re.split(r"[^\w.-]", text, maxsplit=1)[0])
                for text in item.requires or []
                if "extra ==" not in text
            }
    return sorted((name, item.version) for name, item in found.items() if _normal(name) not in needed)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def serve_language(runner: Runner | WarmRunner) -> None:
    serve(lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageRuntime(runner), server))
