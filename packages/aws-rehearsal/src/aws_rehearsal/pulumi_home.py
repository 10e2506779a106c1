"""A PULUMI_HOME of our own, in which the stand-ins are the installed plugins.

So the engine finds them without a warning and without looking anywhere else: no real plugin, login or credential of the
user can be reached from a rehearsal. The language host is laid out as a plugin too; an engine that brings its own (the
vendor's distribution has one beside the CLI) prefers that.

A launcher asks the home's warm server first (`aws_rehearsal.warm`), if there is one.
"""

from __future__ import annotations

import os
import shlex
import shutil
from importlib import metadata
from pathlib import Path

from aws_rehearsal.setup.cache import PACKAGE
from aws_rehearsal.setup.launcher import built_launcher
from aws_rehearsal.warm import SOCKET, launch

MODULES = "modules"
"""The folder of a home with this package and nothing else: the plugins' interpreter need not have it installed."""

_BRING_BACK = "from aws_rehearsal.warm.isolation import bring_back; bring_back(); "
"""What a stand-in begins with: of a warm server's child, what was loaded ahead for it is withheld until then. It is not
the stand-ins' to know: the server loads them."""

_PLUGINS = {
    "aws": ("pulumi-aws", "aws_rehearsal.providers.aws"),
    "aws-native": ("pulumi-aws-native", "aws_rehearsal.providers.aws_native"),
}


def prepare(home: Path, python: Path, engine_root: Path) -> dict[str, str]:
    """Lays out `home` and returns the environment in which `pulumi` uses it.

    `python` is the interpreter with the project's requirements; it runs the stand-ins and the user's programs.
    `engine_root` holds the engine (`bin/pulumi`). Doing it again repairs what is missing and changes nothing else.
    """
    home = home.resolve()
    _link(home / MODULES / PACKAGE.name, PACKAGE)
    for name, (distribution, module) in _PLUGINS.items():
        version = _version(python, distribution)
        folder = home / "plugins" / f"resource-{name}-v{version}"
        _drop_other_versions(folder)
        _launcher(
            folder / f"pulumi-resource-{name}", python, f"{_BRING_BACK}from {module} import main; main({version!r})"
        )
    engine = engine_root / "bin" / "pulumi"
    if not (engine_root / "bin" / "pulumi-language-python").exists():
        folder = home / "plugins" / "language-python-v3.0.0"
        _launcher(folder / "pulumi-language-python", python, "from aws_rehearsal.language_host import main; main()")
    _link(home / "bin" / "pulumi", engine.resolve())
    (home / "state").mkdir(exist_ok=True)
    _keep_no_log(home / "logs")
    return environment(home)


def environment(home: Path) -> dict[str, str]:
    """What to set for `pulumi` to use a home that has been prepared; add it to an environment."""
    return {
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": (home / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "rehearsal",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Go's collector: a tenth of the processor time of a process that ends in a second. With no limit of memory
        # (`GOMEMLIMIT`): a program of the user's that holds more than it would collect all the time.
        "GOGC": "400",
    }


def _keep_no_log(folder: Path) -> None:
    """Have the engine write none. It logs all that it does in each command, compressed and encrypted, in that folder of
    its home: a sixth of its processor time. It has no setting against it, and goes on without where the folder cannot
    be made (`StartLogging` in pkg/logging/encrypted.go of pulumi/pulumi)."""
    if not folder.exists():
        folder.touch()


def _version(python: Path, distribution: str) -> str:
    """The distribution's version as `python` sees it, without starting it: its site-packages are read."""
    for folder in sorted((python.parent.parent / "lib").glob("python3*/site-packages")):
        for item in metadata.distributions(name=distribution, path=[str(folder)]):
            return item.version
    return metadata.version(distribution)


def _drop_other_versions(folder: Path) -> None:
    """An upgraded SDK leaves an older plugin folder behind; the engine would take either."""
    prefix = folder.name.rsplit("-v", 1)[0] + "-v"
    for other in folder.parent.glob(f"{prefix}*"):
        if other.is_dir() and other.name != folder.name:
            shutil.rmtree(other)


def _link(link: Path, target: Path) -> None:
    if not link.is_symlink() or link.readlink() != target:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _launcher(path: Path, python: Path, plugin: str) -> None:
    """A shell script that becomes the `plugin`, a line of Python: no environment variable that the program's own
    children would inherit."""
    modules = path.parents[2] / MODULES
    start = f"import sys; sys.path.append({str(modules)!r}); {plugin}"
    interpreter, code, home = (shlex.quote(text) for text in (str(python.absolute()), start, str(path.parents[2])))
    warm = shlex.join(launch(python, path.parents[2], built_launcher()))
    text = f'#!/bin/sh\nset -- {code} "$@"\n[ -S {home}/{SOCKET} ] && exec {warm} "$@"\nexec {interpreter} -P -c "$@"\n'
    if path.exists() and path.read_text() == text and os.access(path, os.X_OK):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o755)
    fresh.replace(path)
