"""Where the story plays: the local AWS with the pipeline service, the people, the repository, and a build image."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import amplify_delivery
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.components.documents.pipeline.buildspecs import IMAGE_LOCK, LOCK
from amplify_delivery.errors import SetupError
from amplify_delivery.stacks.config import PipelineConfig, Project
from amplify_delivery_rehearsal import accounts
from amplify_delivery_rehearsal.example import is_example
from amplify_delivery_rehearsal.pipeline_story.people import PASSPHRASE, Line, Person, terminal
from amplify_delivery_rehearsal.pipeline_story.source import Repository
from amplify_delivery_rehearsal.workspace import COMMANDS, FOLDER, PRODUCT
from aws_rehearsal import warm_server
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.pipeline_service import PipelineService, local_aws_with_room
from aws_rehearsal.pulumi_home import prepare
from aws_rehearsal.setup import Tools
from aws_rehearsal.setup.environments import ensure_environment, image_environment
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.warm.commands import warm_commands

ALIAS_DELAY = 2.0
"""Seconds until a key's new alias or tag counts in policies: minutes on AWS, so nothing in the story may need one."""
PIPELINE = "pipeline"
"""The stack of the example's pipeline, and its name in the tooling account."""


@dataclass(frozen=True)
class Place:
    """What the chapters of every story of a project act on."""

    folder: Path
    aws: LocalAws
    service: PipelineService
    repository: Repository
    developer: Person
    owners: dict[str, Person]
    """Who owns an environment's account, by the environment's name."""

    @property
    def project(self) -> Project:
        """The stack files as they are in the clone now."""
        return Project(self.repository.clone)


@dataclass(frozen=True)
class Setting(Place):
    """With a pipeline. `names` are its own in the tooling account."""

    names: PipelineNames
    devops: Person


@dataclass(frozen=True)
class Machine:
    """What is there before any of it: a folder, the engine's home in it, the services, and a build's image."""

    folder: Path
    home: Mapping[str, str]
    service: PipelineService
    image: Mapping[str, str]


@contextmanager
def setting(
    project: Project, stack: str, tools: Tools, told: Callable[[Person, str], None], line: Line
) -> Iterator[Setting]:
    """A fresh one with a copy of `project`, whose pipeline is `stack`; nothing of it is left afterwards."""
    with machine(project, tools) as found:
        yield _made(project.directory, stack, found, told=told, line=line)


@contextmanager
def machine(project: Project, tools: Tools) -> Iterator[Machine]:
    """The services, and an image for the builds of `project`; nothing of it is left afterwards. Raises `SetupError`
    before anything is started if the project has no lock."""
    if not (project.directory / LOCK).is_file():
        raise SetupError(
            f"there is no {LOCK}: a build installs what it pins, and nothing else",
            where=str(project.directory.resolve()),
            remedy="`amplify-delivery init` writes one; it changes no file that is there",
        )
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    try:
        home = prepare(folder / "pulumi-home", tools.python, tools.engine_root)
        home |= warm_commands(tools.python, COMMANDS, os.environ.get("PYTHONPATH", ""))
        # Its folder goes with the rehearsal's, however that goes: there is a token in it.
        aws, room = local_aws_with_room(
            tools.local_aws_python,
            folder=folder / "room",
            node=tools.node,
            node_modules=tools.node_modules,
            alias_delay=ALIAS_DELAY,
        )
        with warm_server.start(folder / "pulumi-home", tools.python, PRODUCT):
            try:
                aws.start(folder / "local-aws.log")
                image = build_image(home, tools, project.directory)
                with PipelineService(aws, room, build_variables=image, logs=folder / "builds") as service:
                    yield Machine(folder, home, service, image)
            finally:
                aws.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build_image(home: Mapping[str, str], tools: Tools, project: Path) -> dict[str, str]:
    """The environment of a build's container: an image with the engine, its plugins, and Python with what is locked,
    as docs/pipeline.md describes one. Raises `SetupError` if what is locked cannot be had.

    No account's and no person's: a build gets its credentials from its project's role, and is told by its project
    where the engine's state lies.
    """
    packages = next((tools.python.parent.parent / "lib").glob("python3*/site-packages"), None)
    if packages is None:
        raise SetupError("is not a virtualenv", where=str(tools.python), remedy="run `make setup`")
    python, lock = tools.python, project / LOCK
    if _missing(lock, packages) and not is_example(project):
        # This Python has other versions. Else every build would install them again, which takes minutes.
        made = image_environment(lock)
        python = ensure_environment(made, Progress(sys.stderr))
        packages = made.packages
    own = {name: value for name, value in home.items() if name not in ("PULUMI_BACKEND_URL", PASSPHRASE)}
    path = [home["PULUMI_HOME"] + "/bin", str(python.parent), "/usr/local/bin", "/usr/bin", "/bin"]
    # A virtualenv made from a virtualenv does not see its packages; those of an image are the system's.
    found = [packages]
    engine = Path(amplify_delivery.__file__).parents[1]
    if python == tools.python and engine != packages and not is_example(project):
        found.append(engine)  # not installed but used as it stands; the example's Build makes a wheel of it
    search_path = ":".join(map(str, found))
    variables = {**own, "PATH": ":".join(path), **warm_commands(tools.python, COMMANDS, search_path), "LANG": "C.UTF-8"}
    if not _missing(lock, packages):
        variables[IMAGE_LOCK] = hashlib.sha256(lock.read_bytes()).hexdigest()
    return variables


def _missing(lock: Path, packages: Path) -> set[str]:
    """What a lock names and the image's Python has not, in that version. Lines with a marker may be for others."""
    have = {_plain(item.name): item.version for item in metadata.distributions(path=[str(packages)])}
    text = lock.read_text(encoding="utf-8")
    wanted = re.findall(r"^([\w.-]+)==([^\s;\\]+)[ \\]*$", text, re.MULTILINE)
    return {name for name, version in wanted if have.get(_plain(name)) != version}


def _plain(name: str) -> str:
    """A distribution's name as all spellings of it compare (PyPA, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def person(
    there: Machine, repository: Repository, name: str, config: Any, listener: tuple[Callable[[Person, str], None], Line]
) -> Person:
    """An administrator of the account of `config`, in the work tree, logged in somewhere of her own. `listener` is told
    what she types, and each line of what that says."""
    aws = there.service.aws
    credentials = aws.make_admin(config.account)
    state = there.folder / "states" / name.replace(" ", "-")
    state.mkdir(parents=True)
    variables = {**terminal(there.home, aws, credentials, config.region), "PULUMI_BACKEND_URL": state.as_uri()}
    return Person(name, config.account, config.region, credentials, aws, repository.clone, variables, *listener)


def _made(checkout: Path, stack: str, there: Machine, *, told: Callable[[Person, str], None], line: Line) -> Setting:
    service, read = there.service, Project(checkout).pipeline(stack)
    branch = getattr(read.source, "branch", "main")
    repository = Repository.make(there.folder, checkout, Path(sys.prefix), read.build.folder, branch)
    project = Project(repository.clone)
    pipeline = project.pipeline(stack)

    def made(name: str, config: Any) -> Person:
        return person(there, repository, name, config, (told, line))

    found = Setting(
        folder=there.folder,
        aws=service.aws,
        service=service,
        repository=repository,
        names=PipelineNames(project.app, pipeline.account, pipeline.region, stack),
        developer=made("developer", project.environment("dev") if is_example(checkout) else pipeline),
        devops=made("devops", pipeline),
        owners={name: made(f"owner of {name}", project.environment(name)) for name in pipeline.environments},
    )
    if is_example(checkout):
        _check_accounts(found, pipeline)
    source: Any = pipeline.source
    service.repository(getattr(source, "connection", None), source.repository, repository.host)
    return found


def _check_accounts(found: Setting, pipeline: PipelineConfig) -> None:
    """The story is about three accounts, and a developer's."""
    used = {found.developer.account, found.devops.account, *(owner.account for owner in found.owners.values())}
    if len(used) != len(accounts.ALL) or len(pipeline.environments) != 2:
        raise SetupError(
            "the story of the pipeline wants the example's accounts: a developer's, the tooling account and one each "
            "for preprod and prod",
            where="Pulumi.*.yaml",
            remedy="rehearse your own exports with `amplify-delivery rehearse EXPORT ...`",
        )
