"""Docker, as far as an image is built with it: is it there, build, save."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amplify_delivery.delivery.project import shell
from amplify_delivery.errors import RefusedError

_ANSWER_SECONDS = 30
_QUIETLY = {
    # What BuildKit adds of its own (`provenance`) makes an index of an image, which AWS Lambda does not take.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    "BUILDKIT_PROGRESS": "plain",
}


@dataclass(frozen=True)
class DockerBuild:
    """What `docker build` is asked for. `context` is a folder, `file` a Dockerfile."""

    name: str
    context: Path
    file: Path
    platform: str
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


def missing() -> str | None:
    """Why Docker cannot build here; None if it can."""
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except FileNotFoundError:
        return "there is no command `docker`"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`docker version` does not answer: {error}"
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        return f"no Docker daemon answers: {said[-1] if said else f'exit code {done.returncode}'}"
    return None


def build(asked: DockerBuild, archive: Path, line: Callable[[str], None]) -> None:
    """Build an image and write it, as `docker save` does, to `archive`. Raises `RefusedError` with the last lines."""
    where = f"image {asked.name}"
    for path, what in ((asked.context, "folder"), (asked.file, "Dockerfile")):
        if not path.exists():
            raise RefusedError(f"there is no such {what}: {path}", where=where, remedy="correct it in containerImages")
    with tempfile.TemporaryDirectory() as folder:
        identity = Path(folder) / "id"
        options = ["--platform", asked.platform, "--file", str(asked.file), "--iidfile", str(identity)]
        if asked.target:
            options += ["--target", asked.target]
        for name, value in sorted(asked.args.items()):
            options += ["--build-arg", f"{name}={value}"]
        _run(["docker", "build", *options, str(asked.context)], where, line)
        image = identity.read_text(encoding="utf-8").strip()
        _run(["docker", "save", "--output", str(archive), image], where, line)


def _run(command: list[str], where: str, line: Callable[[str], None]) -> None:
    ended = shell.run(['exec "$@"'], _QUIETLY, None, line, arguments=command)
    if ended.failed:
        raise ended.error(RefusedError, ended.failed, where, "nothing was assembled; fix the cause, and build again")
