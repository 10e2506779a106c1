"""Another version of the engine for a project: what changes in its files, and what there is to do, in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import INSTALLING, LOCK
from amplify_delivery.delivery.scaffold import locks, project_files, releases
from amplify_delivery.delivery.scaffold.project_files import REQUIREMENTS, WHEELS
from amplify_delivery.delivery.scaffold.releases import AccountVersion
from amplify_delivery.delivery.scaffold.wheels import Wheel, opened
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.absent import expect_project


@dataclass(frozen=True)
class Upgrade:
    """From one wheel to another."""

    old: Wheel
    new: Wheel
    files: Mapping[str, bytes]
    """The content of each file that is to change, by its path in the project; one that is as it should be, too."""
    steps: tuple[str, ...]
    """What a person does, in this order."""


def of(folder: Path, wheel: Callable[[], Wheel]) -> Upgrade:
    """What upgrading the project in `folder` is to another `wheel`, which is asked for once the present one is known.
    Raises `ConfigError` for a project whose files do not name one, and for a version that its accounts are ahead of.
    Writes nothing."""
    requirements, lock, old = _present(folder)
    new = wheel()
    versions = releases.between(old, new)
    path = f"./{WHEELS}/{new.file}"
    renewed = locks.renewed(lock, path, old, new)
    _refuse_other_wheel(folder / WHEELS / new.file, old, new)
    files = {
        f"{WHEELS}/{new.file}": new.content,
        LOCK: renewed.text.encode(),
        REQUIREMENTS: _with_engine(requirements, path).encode(),
    }
    return Upgrade(old, new, files, tuple(_steps(Project(folder), versions, renewed.kept)))


def _present(folder: Path) -> tuple[str, str, Wheel]:
    """The project's requirements, its lock, and the engine's wheel that both name. Raises `ConfigError`."""
    expect_project(folder)
    texts = {}
    for name in (REQUIREMENTS, LOCK):
        file = folder / name
        if not file.is_file():
            raise ConfigError(
                "there is no such file here",
                where=name,
                remedy=f"`git checkout HEAD -- {name}` brings it back as it was committed; nothing was changed",
            )
        try:
            texts[name] = file.read_bytes().decode()  # with the ends of lines that it has
        except UnicodeDecodeError:
            raise ConfigError(
                "is not UTF-8 text", where=name, remedy="write it as UTF-8; nothing was changed"
            ) from None
    named = project_files.engine_line(texts[REQUIREMENTS])
    locked = locks.engine_in(texts[LOCK])
    if named is None or locked is None or Path(named) != Path(locked):
        raise ConfigError(
            f"they do not name one wheel of the engine: {named or 'none'} and {locked or 'none'}",
            where=f"{REQUIREMENTS}, {LOCK}",
            remedy=f"a project that `init` made has ./{WHEELS}/amplify_delivery-VERSION-py3-none-any.whl in both",
        )
    if not (folder / named).is_file():
        wheel = Path(named).as_posix()
        raise ConfigError(
            "there is no such file here, and requirements name it: it is the project's engine",
            where=wheel,
            remedy=f"`git checkout HEAD -- {wheel}` brings it back as it was committed; nothing was changed",
        )
    return texts[REQUIREMENTS], texts[LOCK], opened(folder / named)


def _with_engine(requirements: str, path: str) -> str:
    named = project_files.engine_line(requirements)
    return requirements.replace(named, path, 1) if named else requirements


def _refuse_other_wheel(target: Path, old: Wheel, new: Wheel) -> None:
    """A file of that name with other contents, which is not the one that is being replaced."""
    if target.is_file() and old.file != new.file and target.read_bytes() != new.content:
        raise ConfigError(
            "is there already, with other contents", where=str(target), remedy="move it away; nothing was changed"
        )


def _steps(project: Project, versions: Sequence[AccountVersion], kept: Sequence[str]) -> list[str]:
    """What there is to do, in this order."""
    delivered = [name for name in project.stacks("backend") if project.environment(name).bootstrapped]
    pipelines = project.stacks("pipeline")
    steps = [
        f"on a branch: this command's changes, then `{INSTALLING}` and your tests; "
        "commit the three files (the previous wheel can go: `git rm` it)"
    ]
    if kept:
        steps.append(
            f"locked in other versions than this one was tested with, and left so: {', '.join(kept)}. Lock again "
            "(README.md) if your tests or `pip check` say so"
        )
    if versions and delivered:
        numbers = " and ".join(str(version.number) for version in versions)
        said = "; ".join(version.account for version in versions)
        steps.append(
            f"accounts, version {numbers}: {said}. Before the branch is merged, with its version installed, each "
            f"account's administrator runs `amplify-delivery bootstrap {' '.join(delivered)}`, for her environments. "
            "Until then the new version is refused there, afterwards the old one; a refusal changes nothing "
            "(docs/bootstrap.md)"
        )
    elif delivered:
        steps.append("accounts: nothing to do, they hold what this version needs")
    for name in pipelines:
        said = "; ".join(version.pipeline.replace("PIPELINE", name) for version in versions if version.pipeline)
        steps.append(
            f"pipeline {name}: {said or 'it updates itself, in the execution of this commit (UpdatePipeline)'}"
        )
    former = [name for name in delivered if project.environment(name).enrolled]
    if former:
        files = ", ".join(f"Pulumi.{name}.yaml" for name in former)
        steps.append(
            "names: once these accounts are at the new version, write `bootstrapped` for `enrolled` on the branch, in "
            f"{files}; after the pipeline is updated, `amplify-delivery bootstrap {' '.join(former)}` once more "
            "deletes the former names (docs/upgrading.md)"
        )
    if delivered or pipelines:
        steps.append("merge and push: the plan of each environment shows what the new version changes there")
    return steps
