"""The files of a new project, from what is wanted of it: pure, nothing is read or written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import LOCK
from amplify_delivery.delivery.scaffold import ci, locks, templates
from amplify_delivery.delivery.scaffold.ci import Inside
from amplify_delivery.delivery.scaffold.wheels import Wheel

WHEELS = "wheels"
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class NewEnvironment:
    """An environment of the project."""

    name: str
    account: str
    """Empty: its stack file is there already."""
    region: str
    suffix: str = ""
    """Of its root stack, where the Amplify CLI has made one."""
    delivered: bool = False
    """By the pipeline; else it is a developer's own."""
    pushed: bool = False
    """Whether the Amplify CLI has made it, in that very account."""


@dataclass(frozen=True)
class NewPipeline:
    """The pipeline, in the tooling account."""

    account: str
    region: str
    connection: str
    repository: str
    branch: str = "main"
    folder: str = ""
    """That of the project in the repository; empty: its root. Only what is pushed below it is released then."""


@dataclass(frozen=True)
class NewProject:
    """All that `init` has been told, or has found out."""

    name: str
    environments: Sequence[NewEnvironment]
    pipeline: NewPipeline | None
    """None: no pipeline, or one whose stack file is there already."""
    ci: str = ""
    """Whose workflows it gets, of `ci.KINDS`; empty: none."""
    let_in: str = ""
    """The repository whose jobs the accounts of its environments let in; empty: none."""
    ids: str = ""
    """Its numbers: OWNER/REPOSITORY on GitHub, PROJECT on GitLab."""
    branch: str = "main"
    """What those jobs deliver."""
    also_delivered: Sequence[str] = ()
    """Environments with stack files already that somebody delivers."""
    there: bool = False
    """It is a project already, which only gets what it was asked for."""
    folder: str = ""
    """Where it lies in the git repository around it; empty: at its root, or there is none."""
    export: str = ""
    """What its export's folder is called."""

    @property
    def inside(self) -> Inside | None:
        """For the files of a CI."""
        return Inside(self.name, self.folder) if self.folder else None


def files(project: NewProject, wheel: Wheel) -> Mapping[str, bytes]:
    """The contents of the project's files, by their paths in it."""
    if project.there and project.ci:
        added = {**_stack_files(project), **_workflows(project)}
        return {path: text.encode() for path, text in sorted(added.items())}
    texts = {
        **templates.of_project(project.name),
        **_stack_files(project),
        **(_workflows(project) if project.ci else {}),
        REQUIREMENTS: _REQUIREMENTS.format(wheel=f"./{WHEELS}/{wheel.file}"),
        LOCK: locks.new(wheel, f"./{WHEELS}/{wheel.file}"),
        ".gitignore": _IGNORED,
        "README.md": _README.format(name=project.name, export=project.export),
    }
    return {
        **{path: text.encode() for path, text in sorted(texts.items())},
        f"{WHEELS}/{wheel.file}": wheel.content,
    }


def _stack_files(project: NewProject) -> dict[str, str]:
    app, environments = project.name, project.environments
    texts = {f"Pulumi.{e.name}.yaml": _environment(app, e) for e in environments if e.account}
    let_in = _let_in(project)
    texts |= {f"Pulumi.{e.name}-account.yaml": _account(app, e, let_in) for e in environments if e.delivered}
    if project.pipeline:
        texts["Pulumi.pipeline.yaml"] = _pipeline(app, project.pipeline, environments)
    return texts


def _environment(app: str, environment: NewEnvironment) -> str:
    if environment.delivered:
        first = f"# The environment {environment.name}, which a pipeline or a CI delivers.\n"
    elif environment.pushed:
        first = f"# A backend that `amplify push` has made: `amplify-delivery adopt {environment.name}`, once.\n"
    else:
        first = f"# A backend of its own: `pulumi up -s {environment.name}`.\n"
    lines = [
        f"  {app}:account: {json.dumps(environment.account)}\n",
        f"  {app}:region: {environment.region}\n",
        f"  {app}:suffix: {json.dumps(environment.suffix)}\n" if environment.suffix else "",
        f'  {app}:bootstrapped: "true"\n' if environment.delivered else "",
    ]
    return f"{first}config:\n{''.join(lines)}"


def _workflows(project: NewProject) -> Mapping[str, str]:
    new = [environment.name for environment in project.environments if environment.delivered]
    return ci.files(project.ci, tuple(dict.fromkeys((*project.also_delivered, *new))), project.branch, project.inside)


def _let_in(project: NewProject) -> str:
    """The lines of an account's stack file that let a CI's jobs in."""
    if not project.let_in or not project.ci:
        return ""
    app, what = project.name, "repository" if project.ci == ci.GITHUB else "project"
    lines = [f"  {app}:{project.ci}:", f"    {what}: {project.let_in}", f"    branch: {json.dumps(project.branch)}"]
    keys = ("ownerId", "repositoryId") if project.ci == ci.GITHUB else ("projectId",)
    lines += [f"    {key}: {json.dumps(value)}" for key, value in zip(keys, project.ids.split("/"), strict=True)]
    if project.inside and project.ci == ci.GITHUB:
        lines.append(f"    workflow: {ci.github_workflow('deploy', project.inside)}")
    return "\n".join(lines) + "\n" + _NO_PULUMI_HERE.replace("APP:", f"{app}:")


def _account(app: str, environment: NewEnvironment, let_in: str) -> str:
    name = environment.name
    whom = "a CI's jobs" if let_in else "the pipeline"
    return (
        f"# Lets {whom} into the account of {name}: `amplify-delivery bootstrap {name}`, once, by its administrator.\n"
        f"config:\n  {app}:program: account\n  {app}:environments:\n    - {name}\n{let_in}"
    )


def is_production(environment: str) -> bool:
    """Whether it is called as production is."""
    return _PRODUCTION.fullmatch(environment) is not None


def _pipeline(app: str, pipeline: NewPipeline, environments: Sequence[NewEnvironment]) -> str:
    delivered = [environment.name for environment in environments if environment.delivered]
    stages = "".join(
        f"    - name: {name.capitalize()}\n"
        # What comes first shows that a release works; whatever follows, an only one, and production are asked about.
        + (
            f"      approval:\n        comment: Deliver to {name}?\n"
            if index or len(delivered) == 1 or is_production(name)
            else ""
        )
        for index, name in enumerate(delivered)
    )
    branches, paths = json.dumps([pipeline.branch]), json.dumps([f"{pipeline.folder}/**"])
    return (
        f"config:\n  {app}:program: pipeline\n  {app}:account: {json.dumps(pipeline.account)}\n"
        f"  {app}:region: {pipeline.region}\n  {app}:source:\n    connection: {pipeline.connection}\n"
        f"    repository: {pipeline.repository}\n    branch: {json.dumps(pipeline.branch)}\n"
        + (f"  {app}:triggers:\n    - branches: {branches}\n      paths: {paths}\n" if pipeline.folder else "")
        + f"  {app}:build:\n"
        + (f"    folder: {json.dumps(pipeline.folder)}\n" if pipeline.folder else "")
        + "    commands:\n      - python -m pytest -q tests\n"
        + _NO_PULUMI.replace("APP:", f"{app}:")
        + f"  {app}:stages:\n{stages}"
    )


_PRODUCTION = re.compile("pro?d.*|live|main|master")

_ENGINE = """\
  # APP:engine:
  #   url: https://get.pulumi.com/releases/sdk/pulumi-vVERSION-linux-x64.tar.gz
  #   sha256: SHA256
"""
_NO_PULUMI_HERE = f"""\
  # AWS's build images hold no Pulumi: name its linux-x64 archive, with its SHA-256 (checksums of the release), or in
  # `build` an `image` of your own that has it.
{_ENGINE}"""
_NO_PULUMI = f"""\
  # AWS's build images hold no Pulumi: name its linux-x64 archive, with its SHA-256 (checksums of the release), or as
  # `image`, above `commands` and in the accounts' files, an image of your own that has it.
{_ENGINE}"""

_REQUIREMENTS = """\
# What this project is made with. The pipeline installs what requirements.lock names by hash, and nothing else: after
# changing this file lock again, as README.md says. `amplify-delivery upgrade` brings a newer engine.
{wheel}
pytest>=8,<10
"""

_IGNORED = """\
.venv/
__pycache__/
.pytest_cache/
# Made from the export, which is committed.
/assembly/
/assembly-examined/
/container-images/
# Pages that `report` and `rehearse` write.
/build/
# Of a pull request's preview, made again each time.
/Pulumi.pr[0-9]*.yaml
"""

_HIDING = (WHEELS, f"{WHEELS}/*", "*.whl", "**/*.whl")
"""Lines of common templates for Python (`wheels/` is in GitHub's)."""

_README = """\
# {name}, delivered with Pulumi

`{export}/` is what `amplify export --out .` writes; commit it. `components/stage.py` says what an
environment is made of: add your own resources there. `Pulumi.STACK.yaml` is a stack's configuration.

```
python3 -m venv .venv && . .venv/bin/activate
pip install --no-compile --no-deps --require-hashes -r requirements.lock
python -m pytest tests                                         # without AWS
amplify-delivery check                                         # the export
pulumi stack init ENV                                          # a copy of your own; before, `pulumi login --local`
pulumi up -s ENV                                               # as its file Pulumi.ENV.yaml says
```

What is `bootstrapped` in its file, a pipeline or a CI delivers, with a state of its own
(`amplify-delivery docs pipeline`, `amplify-delivery docs ci`). All of it on this machine, without an account:
`amplify-delivery docs rehearsal`.

`requirements.txt` says what is installed, `requirements.lock` pins it. After a change of the former:
`uv pip compile --universal --python-version 3.11 --generate-hashes --no-header requirements.txt -o requirements.lock`.
A newer engine: install its wheel, then `amplify-delivery upgrade`. `amplify-delivery --help` lists the commands.
"""


def about_ignored(text: str) -> list[str]:
    """What a .gitignore that was there already lacks, or keeps out of commits that has to be in them."""
    lines = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in _IGNORED.splitlines() if not line.startswith("#") and line.strip("/") not in lines]
    notes = [f"add to .gitignore what is made here: {' '.join(missing)}"] if missing else []
    hiding = [line for line in text.splitlines() if line.strip().strip("/") in _HIDING]
    if hiding:
        notes.append(
            f".gitignore keeps the engine's wheel out of commits ({', '.join(hiding)}), and the pipeline installs it "
            f"from there: take the line out, or `git add --force {WHEELS}`"
        )
    return notes


def engine_line(requirements: str) -> str | None:
    """The engine's wheel that requirements.txt names, as a path relative to the project; None if it names none."""
    for line in requirements.splitlines():
        path = line.partition("#")[0].partition(";")[0].strip()
        if Path(path).name.startswith("amplify_delivery-") and path.endswith(".whl"):
            return path
    return None


def suited(files: Mapping[str, bytes], folder: Path, wheel: Wheel) -> Mapping[str, bytes]:
    """Without wheel and lock where the project has an engine already: `upgrade` brings another one."""
    there = engine_of(folder)
    if there is None or Path(there).name == wheel.file:
        return files
    return {path: content for path, content in files.items() if path not in (LOCK, f"{WHEELS}/{wheel.file}")}


def engine_of(folder: Path) -> str | None:
    """The wheel that the requirements of a project name, as a path; None where they name none."""
    return engine_line(text_of(folder / REQUIREMENTS)) if (folder / REQUIREMENTS).is_file() else None


def text_of(file: Path) -> str:
    """A file's text; empty where there is none."""
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
