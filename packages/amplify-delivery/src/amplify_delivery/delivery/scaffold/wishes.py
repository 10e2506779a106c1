"""What a new project is to be: from flags, from what its folder and its export tell, and from a person's answers.

Whoever is not asked (a pipe, a script) is told at once all that is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from amplify_delivery.components.documents import fields
from amplify_delivery.components.documents.pipeline.source_models import ConnectionSource
from amplify_delivery.delivery.scaffold.amplify_project import Found, PushedEnvironment
from amplify_delivery.delivery.scaffold.ci import GITHUB
from amplify_delivery.delivery.scaffold.project_files import NewEnvironment, NewPipeline, NewProject, is_production
from amplify_delivery.errors import ConfigError
from amplify_delivery.export.names import ENVIRONMENT
from amplify_delivery.stacks.config import Project
from amplify_delivery.stacks.config.ci import GitHub, GitLab
from amplify_delivery.stacks.config.reader import as_config_error, read_yaml

Ask = Callable[[str, str], str]
"""Asks a question, with what an empty answer stands for; the answer."""
Check = Callable[[str], str]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,39}")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Flags:
    """What the command was called with."""

    name: str = ""
    environments: Sequence[str] = ()
    """`NAME=ACCOUNT/REGION`, or `NAME` alone. The pipeline delivers them, if there is one."""
    personal: Sequence[str] = ()
    """The same, of environments that their developers deliver."""
    tooling: str = ""
    """`ACCOUNT/REGION` of the pipeline; empty: there is none."""
    connection: str = ""
    repository: str = ""
    branch: str = "main"
    ci: str = ""
    ids: str = ""
    """Numbers of the repository, for a CI that delivers: OWNER/REPOSITORY of GitHub, PROJECT of GitLab."""


def wanted(flags: Flags, found: Found, folder: Path, ask: Ask | None) -> NewProject:
    """The project to be made in `folder`. `ask` is None where nobody can be asked. Raises `ConfigError`."""
    return _Wishes(flags, found, Project(folder), ask).project()


@dataclass
class _Wishes:
    flags: Flags
    found: Found
    existing: Project
    ask: Ask | None
    missing: list[str] = field(default_factory=list)

    def project(self) -> NewProject:
        name = self._name()
        self._refuse_second_export()
        environments = [*self._environments(), *self._personal()]
        names = [environment.name for environment in environments]
        _checked(_each_once, " ".join(names), "--environment, --personal")
        pipeline = self._pipeline(environments)
        ids = self._ids(environments)
        if self.missing:
            raise ConfigError(
                f"this is not a terminal, so nothing can be asked, and these are missing: {'; '.join(self.missing)}",
                where="init",
                remedy="give them, or run the command in a terminal; nothing was written",
            )
        return NewProject(
            name,
            environments,
            pipeline,
            ci=self.flags.ci,
            there=self._is_project(),
            let_in=self.flags.repository if self._ci_delivers() else "",
            ids=ids,
            branch=self.flags.branch,
            folder=_in_repository(self.existing.directory.resolve()),
            export=replace(self.found, name=name).export_folder,
            also_delivered=[n for n in self._stacks() if self.existing.environment(n).bootstrapped],
        )

    def _ci_delivers(self) -> bool:
        """Whether the accounts of new environments let a CI's jobs in, and no pipeline."""
        return bool(self.flags.ci and self.flags.repository and not self.flags.tooling)

    def _ids(self, environments: Sequence[NewEnvironment]) -> str:
        """The repository's numbers, which its accounts ask for: a name can be taken by somebody else."""
        if not self._ci_delivers() or not any(environment.delivered for environment in environments):
            return ""
        if self.flags.ci == GITHUB:
            what, tells = "OWNER/REPOSITORY", f"`gh api repos/{self.flags.repository} --jq '.owner.id, .id'`"
        else:
            what, tells = "PROJECT", f"`glab api projects/{self.flags.repository.replace('/', '%2F')}`, `id`"
        question = f"Its numbers, {what} ({tells} tells)"
        return self._value(question, "", self.flags.ids, f"--ids {what} ({tells} tells)", _ids_of(self.flags.ci))

    def _is_project(self) -> bool:
        return (self.existing.directory / "Pulumi.yaml").is_file()

    def _name(self) -> str:
        if self._is_project():
            return self._agreed(self.existing.app, "Pulumi.yaml")
        if self.found.name:
            return self._agreed(self.found.name, "the app")
        return self._value("Name of the Amplify project", "", self.flags.name, "--name NAME", _project_name)

    def _refuse_second_export(self) -> None:
        """A project delivers one: with two in its folder every stack file would have to say which."""
        if self.found.export is None:
            return
        there = {path.name for path in self.existing.directory.glob("amplify-export-*") if path.is_dir()}
        if there - {self.found.export_folder}:
            raise ConfigError(
                f"there is another export already: {', '.join(sorted(there))}",
                where=str(self.existing.directory),
                remedy=f"remove it, or name it with --from instead of {self.found.export}; nothing was written",
            )

    def _agreed(self, name: str, where: str) -> str:
        """The name that stands already; all others have to be the same."""
        for other, source in ((self.flags.name, "--name"), (self.found.name, "the export or Amplify project")):
            if other and other != name:
                raise ConfigError(
                    f"the project is called {name!r}, {source} says {other!r}",
                    where=where,
                    remedy="a project delivers one app, under its Amplify project's name; nothing was written",
                )
        return _checked(_project_name, name, where)

    def _environments(self) -> list[NewEnvironment]:
        given = list(self.flags.environments)
        if not given and not self.flags.personal and not self._stacks():
            given = sorted(self.found.environments, key=lambda name: (is_production(name), name))
            if self.ask:
                given = _names_asked(self.ask, " ".join(given))
                delivered = bool(given) and self._delivered(self.ask)
                return [self._environment(text, delivered=delivered) for text in given]
        delivered = bool(self.flags.tooling) or bool(self._stacks("pipeline")) or self._ci_delivers()
        return [self._environment(text, delivered=delivered) for text in given]

    def _delivered(self, ask: Ask) -> bool:
        """Whether somebody delivers new environments: a pipeline, or the jobs of the CI that was asked for."""
        if self.flags.tooling or self._ci_delivers():
            return True
        if not self.flags.ci:
            return _said_yes(ask, "A pipeline that delivers them? yes or no")
        ci, shape = ("GitHub", "OWNER/NAME") if self.flags.ci == GITHUB else ("GitLab", "GROUP/NAME")
        if not _said_yes(ask, f"Jobs of {ci} that deliver them? yes or no"):
            return False
        repository = self._value(
            f"Repository, {shape}", "", "", "--repository OWNER/NAME", _repository_of(self.flags.ci)
        )
        self.flags = replace(self.flags, repository=repository)
        return True

    def _personal(self) -> list[NewEnvironment]:
        return [self._environment(text, delivered=False, option="--personal") for text in self.flags.personal]

    def _stacks(self, program: str = "backend") -> Sequence[str]:
        """Those that are there already."""
        return self.existing.stacks(program) if self._is_project() else ()

    def _environment(self, text: str, *, delivered: bool, option: str = "--environment") -> NewEnvironment:
        name, _, place = text.partition("=")
        _checked(_environment_name, name, option)
        known = self.found.environments.get(name, PushedEnvironment())
        account, _, region = place.partition("/")
        flag = f"{option} {name}=ACCOUNT/REGION"
        if self.existing.file(name).is_file():
            config = self.existing.environment(name)
            self._refuse_other_place(name, place, f"{config.account}/{config.region}")
            return NewEnvironment(name, "", "", "", delivered)
        account = self._value(f"Account of {name}, 12 digits", known.account, account, flag, fields.account)
        region = self._value(f"Region of {name}", known.region, region, flag, fields.region)
        pushed = bool(known.stack) and (known.account, known.region) == (account, region)
        return NewEnvironment(name, account, region, known.suffix, delivered, pushed)

    def _refuse_other_place(self, stack: str, given: str, written: str) -> None:
        """Its file stays as it is: a flag that says something else would be ignored."""
        if given and given != written:
            raise ConfigError(
                f"it is {written}, the command says {given}",
                where=str(self.existing.file(stack)),
                remedy="change the file, or run the command without that; nothing was written",
            )

    def _pipeline(self, environments: Sequence[NewEnvironment]) -> NewPipeline | None:
        delivered = [environment for environment in environments if environment.delivered]
        if self._ci_delivers():
            return None
        if "pipeline" in self._stacks("pipeline"):
            config = self.existing.pipeline("pipeline")
            self._refuse_other_place("pipeline", self.flags.tooling, f"{config.account}/{config.region}")
            return None
        if not delivered:
            if self.flags.tooling:
                raise ConfigError(
                    "a pipeline without an environment",
                    where="--tooling",
                    remedy="name what it delivers, as --environment NAME=ACCOUNT/REGION; nothing was written",
                )
            return None
        account, _, region = self.flags.tooling.partition("/")
        flag = "--tooling ACCOUNT/REGION"
        return NewPipeline(
            self._value("The pipeline's account (tooling), 12 digits", "", account, flag, fields.account),
            self._value("The pipeline's region", delivered[0].region, region, flag, fields.region),
            self._value(
                "ARN of the connection to the repository", "", self.flags.connection, "--connection ARN", _connection
            ),
            self._value("Repository, OWNER/NAME", "", self.flags.repository, "--repository OWNER/NAME", _repository),
            self.flags.branch,
            _in_repository(self.existing.directory.resolve()),
        )

    def _value(self, question: str, known: str, given: str, flag: str, check: Check) -> str:
        """What was given, else what a person answers, else what is known; a wrong answer is asked for again."""
        if given:
            return _checked(check, given, flag.split(maxsplit=1)[0])
        while self.ask:
            answer = self.ask(question, known)
            try:
                if answer:
                    return check(answer)
            except fields.BadValueError as error:
                question = f"{error}\n{question.rpartition(chr(10))[2]}"
        if not known and flag not in self.missing:
            self.missing.append(flag)
        return _checked(check, known, flag.split(maxsplit=1)[0]) if known else ""


def _in_repository(folder: Path) -> str:
    """Where `folder` lies in the git repository around it; empty where it is its root, or there is none."""
    if (folder / ".git").exists():
        return ""
    root = next((above for above in folder.parents if (above / ".git").exists()), None)
    return folder.relative_to(root).as_posix() if root else ""


def _checked(check: Check, value: str, where: str) -> str:
    try:
        return check(value)
    except fields.BadValueError as error:
        remedy = f"{error.remedy or 'correct it'}; nothing was written"
        raise ConfigError(str(error), where=where, remedy=remedy) from None


def _ids_of(kind: str) -> Check:
    numbers = 2 if kind == GITHUB else 1

    def check(value: str) -> str:
        found = value.split("/")
        if len(found) != numbers or not all(_NUMBER.fullmatch(number) for number in found):
            what = "two numbers, as in 1234/567890" if numbers > 1 else "a number, as in 4711"
            raise fields.BadValueError(f"{value!r} is not {what}")
        return value

    return check


def _connection(value: str) -> str:
    return _of_source("connection", value)


def _repository(value: str) -> str:
    return _of_source("repository", value)


def _repository_of(ci: str) -> Check:
    """The repository whose jobs come in, as the account's stack file judges it."""
    says, field_ = (GitHub, "repository") if ci == GITHUB else (GitLab, "project")
    sound = {"ownerId": "1", "repositoryId": "2"} if ci == GITHUB else {"projectId": "1"}

    def check(value: str) -> str:
        try:
            says.model_validate({**sound, field_: value})
        except ValidationError as error:
            raise fields.BadValueError(as_config_error(error, "").message) from None
        return value

    return check


def _of_source(key: str, value: str) -> str:
    """A value of the pipeline's source, as its stack file's reader judges it."""
    sound = {"connection": f"arn:aws:codeconnections:eu-west-1:{'1' * 12}:connection/1", "repository": "owner/name"}
    try:
        ConnectionSource.model_validate({**sound, key: value})
    except ValidationError as error:
        raise fields.BadValueError(as_config_error(error, "").message) from None
    return value


def _project_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise fields.BadValueError(f"{value!r} is not an Amplify project's name: letters and digits, a letter first")
    return value


def _environment_name(value: str) -> str:
    if not re.fullmatch(ENVIRONMENT, value):
        raise fields.BadValueError(
            f"{value!r} is not an environment's name", "2 to 10 lower-case letters and digits, a letter first"
        )
    return value


def _each_once(names: str) -> str:
    every = names.split()
    for twice in sorted({name for name in every if every.count(name) > 1}):
        raise fields.BadValueError(f"the environment {twice} is named twice", "name each once")
    return names


def _names_asked(ask: Ask, known: str) -> list[str]:
    """Names of environments, each perhaps with its place (`NAME=ACCOUNT/REGION`); wrong ones are asked for again."""
    question = asking = "Environments, in the order of releases, with spaces between (none: later)"
    while True:
        answer = ask(asking, known).split()
        try:
            names = [_environment_name(text.partition("=")[0]) for text in answer]
            _each_once(" ".join(names))
        except fields.BadValueError as error:
            asking = f"{error}: {error.remedy}\n{question}"
        else:
            return answer


def pushed(found: Found, written: Project) -> Mapping[str, str]:
    """Environments of the project, as it is written by now, that `amplify push` has made, with their root stacks;
    none that the engine knows: it has written into the stack file then how secrets are encrypted."""
    stacks = {}
    for name in written.stacks("backend"):
        known, file = found.environments.get(name), read_yaml(written.file(name))
        if known and known.stack and file.keys() <= {"config"}:
            config = written.at(name)
            if (known.account, known.region, known.suffix) == (config.account, config.region, config.suffix):
                stacks[name] = known.stack
    return stacks


def _said_yes(ask: Ask, question: str) -> bool:
    """Anything but yes or no is asked again: an answer to another question must not pass for a no."""
    while (answer := ask(question, "no").lower()) not in ("y", "yes", "n", "no"):
        pass
    return answer.startswith("y")
