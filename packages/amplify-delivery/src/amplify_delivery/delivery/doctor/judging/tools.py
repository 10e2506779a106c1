"""Whether this machine has what deploys: engine, provider plugins, Python and packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from amplify_delivery.components.documents.pipeline.buildspecs import INSTALLING
from amplify_delivery.delivery.doctor.lines import Line

_AT_LEAST = re.compile(r">=\s*v?(\d+(?:\.\d+)*)")
_PIN = re.compile(r"(?m)^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])? *==([^\s;\\]+)([^\\\n]*)")
_PLUGINS = {"aws": "pulumi-aws", "aws-native": "pulumi-aws-native"}
"""The engine's provider plugins, and the packages whose versions they have."""
_TESTS = frozenset({"iniconfig", "pluggy", "pytest"})
"""What nothing but a project's tests needs: pytest, and of its requirements those that are nobody else's here."""
INSTALL = "`pulumi install`"


@dataclass(frozen=True)
class Machine:
    """What was found here. Versions are texts as their makers write them; an engine's is empty if there is none."""

    engine: str
    required: str
    """What Pulumi.yaml asks of the engine (`requiredPulumiVersion`), as in `>=3.220.0`."""
    plugins: Mapping[str, frozenset[str]]
    """Versions of the provider plugins that are installed, by plugin."""
    installed: Mapping[str, str]
    """Versions of the packages in this Python, by name as `normal` writes it."""
    lock: str | None
    """The text of requirements.lock; None if there is none."""
    python: str
    environment: str | None
    """The virtualenv that Pulumi.yaml names; None if it names none."""
    environment_there: bool = True


def judge(found: Machine) -> list[Line]:
    """Lines `engine`, `providers`, `python`, `packages`."""
    return [_engine(found), _providers(found), _python(found), _packages(found)]


def _engine(found: Machine) -> Line:
    install = "install Pulumi: https://www.pulumi.com/docs/install/"
    if not found.engine:
        return Line("engine", "error", "there is no `pulumi` on PATH", install)
    least = _AT_LEAST.search(found.required)
    if least and _numbers(found.engine) < _numbers(least[1]):
        said = f"Pulumi {found.engine}, and Pulumi.yaml asks for {found.required}"
        return Line("engine", "error", said, f"{install} (`pulumi version` tells which one runs)")
    sdk = found.installed.get("pulumi", "")
    if sdk and _numbers(found.engine)[:1] != _numbers(sdk)[:1]:
        return Line("engine", "error", f"Pulumi {found.engine}, and its Python package is {sdk}", install)
    if sdk and _numbers(found.engine) < _numbers(sdk):
        said = f"Pulumi {found.engine} is older than its Python package, {sdk}, and does not know what is new there"
        return Line("engine", "warning", said, install)
    return Line("engine", "ok", f"Pulumi {found.engine}")


def _providers(found: Machine) -> Line:
    wanted = {plugin: found.installed.get(package, "") for plugin, package in _PLUGINS.items()}
    missing = {p: v for p, v in wanted.items() if v and v not in found.plugins.get(p, frozenset())}
    if not missing:
        said = ", ".join(f"{plugin} {version}" for plugin, version in wanted.items() if version)
        return Line("providers", "ok", said or "none is wanted")
    commands = "; ".join(f"`pulumi plugin install resource {p} {v}`" for p, v in missing.items())
    said = f"{', '.join(f'{p} {v}' for p, v in missing.items())} is not here yet: the engine downloads it when it runs"
    return Line("providers", "warning", said, f"where there is no network later: {commands}")


def _python(found: Machine) -> Line:
    if found.environment and not found.environment_there:
        said = f"Pulumi.yaml names the virtualenv {found.environment}, and there is none"
        return Line("python", "error", said, f"{INSTALL} makes it")
    return Line("python", "ok", found.python + (f", the engine's in {found.environment}" if found.environment else ""))


def _packages(found: Machine) -> Line:
    if found.lock is None:
        said = "there is no requirements.lock: nothing says which versions were tested"
        return Line("packages", "warning", said, "`amplify-delivery init` writes one; it changes nothing that is there")
    pins = pinned(found.lock)
    have = found.installed
    missing = sorted(name for name in pins if name not in have)
    other = sorted(name for name, versions in pins.items() if name in have and have[name] not in versions)
    remedy = f"{INSTALL}, or `{INSTALLING}` in the virtualenv"
    if missing and _TESTS.issuperset(missing):
        said = f"not installed here: {_some(missing)}, which the project's tests need, and nothing that deploys"
        return Line("packages", "warning", said, remedy)
    if missing:
        return Line("packages", "error", f"not installed here: {_some(missing)}", remedy)
    if other:
        said = "; ".join(f"{name} {have[name]}, locked is {' or '.join(sorted(pins[name]))}" for name in other[:3])
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        return Line("packages", "warning", f"not as requirements.lock: {said}{more}", remedy)
    return Line("packages", "ok", f"all {len(pins)} are as requirements.lock has them")


def pinned(lock: str) -> dict[str, frozenset[str]]:
    """The versions that a lock pins, by package: of one that has several, for several Pythons, all. What is for some
    platforms only is left out, since it need not be here."""
    found: dict[str, frozenset[str]] = {}
    for name, version, marker in _PIN.findall(lock):
        if "sys_platform" in marker or "platform_" in marker:
            continue
        found[normal(name)] = found.get(normal(name), frozenset()) | {version}
    return found


def normal(name: str) -> str:
    """A package's name as all its spellings are compared ("Names and normalization", PyPA specifications)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("-")[0].partition("+")[0])[:3])


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
