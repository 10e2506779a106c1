"""Tells the story of a CI: plays its chapters, shows each step that its jobs run, and writes all of it down."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console as RichConsole
from rich.markup import escape

from amplify_delivery.components.documents.pipeline.buildspecs import IMAGE_LOCK
from amplify_delivery.errors import ConfigError, FailedError
from amplify_delivery.export import DeliveryError
from amplify_delivery.stacks.config import Project
from amplify_delivery_rehearsal.ci_story.chapters import CiChapter, story
from amplify_delivery_rehearsal.ci_story.declared import DeclaredCi, declared
from amplify_delivery_rehearsal.ci_story.play import FOREIGN, CiPlay
from amplify_delivery_rehearsal.pipeline_story import own
from amplify_delivery_rehearsal.pipeline_story.record import Subject
from amplify_delivery_rehearsal.pipeline_story.setting import Machine, Place, machine, person
from amplify_delivery_rehearsal.pipeline_story.source import Repository
from amplify_delivery_rehearsal.pipeline_story.telling import (
    PAGE,
    Teller,
    explain_people,
    shell_file,
    sourced,
    with_made_up,
)
from amplify_delivery_rehearsal.workspace import LOOKED_AT
from aws_rehearsal.ci_service import Issuer, Ran
from aws_rehearsal.setup import ensure_all
from aws_rehearsal.setup.progress import Progress

_NO_ROLE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")
"""What an account's owner has in her environment and a job has not."""
_KEPT = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""How this machine reaches an index of packages, should a job install what this Python has not."""


def run(
    folder: Path,
    *,
    secrets: Mapping[tuple[str, str], str] | None = None,
    keep: bool = False,
    json_output: bool = False,
    pause: bool = False,
    page: Path | None = None,
) -> int:
    """Tell the story of the project in `folder`, which a CI delivers. 0 when all of it was so, 1 otherwise.

    `secrets` are values for what the project's stack files encrypt. With `pause` a person meets the protection rules of
    environments. With `keep` all of it goes on, and pushes start the jobs, until this process is interrupted.
    """
    project = own.project_of(folder)
    if pause and not sys.stdin.isatty():
        raise ConfigError(
            "--pause asks a person before a job deploys, and this is not a terminal",
            where="--pause",
            remedy="call the command in a terminal, or leave it out; nothing was started",
        )
    ci = declared(project)
    ci.check()
    console = RichConsole(file=sys.stderr if json_output else sys.stdout, highlight=False, soft_wrap=True)
    given = with_made_up(console, project, ci.environments, secrets or {})
    tools = ensure_all(Progress(sys.stderr))
    started = time.monotonic()
    teller = CiTeller(console, pause=pause)
    teller.story.of = Subject("the CI", f"jobs of {ci.file}", "Runs of the CI")
    with machine(project, tools) as there, Issuer() as issuer:
        play = _made(there, ci, issuer, teller, project)
        taken = own.with_given(own.without_secrets(play.setting.project), given, ci.environments)
        chapters = story(taken, given)
        console.print(f"[dim]local AWS at {play.setting.aws.endpoint}, identities enforced[/dim]")
        with teller.writing(play, started, page or folder / PAGE, json_output=json_output):
            teller.tell_all(chapters, play)
        if keep:
            _explain_keep(console, play)
            _deliver_pushes(console, play)
    return 0 if teller.story.well else 1


class CiTeller(Teller):
    """Shows what people and jobs do, and keeps it for the page."""

    def tell_all(self, chapters: Sequence[CiChapter], play: CiPlay) -> None:
        """Play the chapters and tell them one after the other."""
        self.begin(chapters)
        for number, chapter in enumerate(chapters):
            self.console.print(f"\n[bold]{number + 1}/{len(chapters)}  {escape(chapter.title)}[/bold]")
            with self.chapter(number, play):
                chapter.play(play)

    def step(self, ran: Ran) -> None:
        """A step of a job has ended."""
        sign = "[red]✘[/red]" if ran.code else "[green]✔[/green]"
        self.console.print(f"  {sign} {escape(ran.job)} / {escape(ran.step)} [dim]{ran.seconds:.1f} s[/dim]")

    def meet(self, environment: str, plan: Path | None) -> None:
        """Meet the protection rules of an environment; with `pause` a person does, who gets the `plan` to read. Raises
        `FailedError` if she says no."""
        self.console.print(f"  [yellow]?[/yellow] {escape(environment)}: its plan waits for an approval")
        if self.pause and plan:
            self.show_plan(plan)
        while self.pause:
            answer = self.console.input("  Approve? [y/n] ").strip().lower()
            if answer in ("y", "yes"):
                return
            if answer in ("n", "no"):
                raise FailedError(
                    f"you have rejected it: the run ends here, and {environment} is as it was", where="approval"
                )


def _made(there: Machine, ci: DeclaredCi, issuer: Issuer, teller: CiTeller, project: Project) -> CiPlay:
    repository = Repository.make(there.folder, project.directory, Path(sys.prefix), ci.inside, ci.says.branch)
    if ci.inside:
        for name in ci.files:
            _copied(ci.root / name, repository.root / name)
    listener = (teller.command, teller.line)
    configs = {name: project.environment(name) for name in ci.environments}
    place = Place(
        folder=there.folder,
        aws=there.service.aws,
        service=there.service,
        repository=repository,
        developer=person(there, repository, "developer", configs[ci.environments[0]], listener),
        owners={name: person(there, repository, f"owner of {name}", c, listener) for name, c in configs.items()},
    )
    image = _runner(there, place)
    return CiPlay(place, teller.fact, ci, issuer, image, teller.meet, teller.step)


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _runner(there: Machine, place: Place) -> dict[str, str]:
    """The environment of every job: a machine with Python, which has what is locked already, if this one has; and
    nobody's credentials."""
    home = there.folder / "runner"
    home.mkdir()
    here = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    aws = {name: value for name, value in place.developer.variables.items() if name.startswith("AWS_")}
    variables = {**here, **there.image, **aws, "HOME": str(home)}
    variables |= {name: value for name, value in place.developer.variables.items() if name.upper() == "NO_PROXY"}
    dropped = {*FOREIGN, *_NO_ROLE, *(() if IMAGE_LOCK in there.image else ("PYTHONPATH",))}
    return {name: value for name, value in variables.items() if name not in dropped}


def _explain_keep(console: RichConsole, play: CiPlay) -> None:
    setting = play.setting
    explain_people(console, setting, (setting.developer, *setting.owners.values()), (*FOREIGN, "PYTHONPATH"))
    push = replace(play.push_of(setting.repository.pushed), changed=None)  # whatever has changed
    try:
        jobs = play.ci.jobs(push, setting.repository.root)
    except DeliveryError as error:  # it goes on all the same: somebody wants to look
        console.print(f"[red]{escape(str(error))}[/red]")
        jobs = []
    wanted = ("AWS_", "PULUMI_", "PATH", "PYTHONPATH")
    for job in jobs:
        if job.signs:
            variables = {name: value for name, value in play.image.items() if name.startswith(wanted)}
            variables[LOOKED_AT] = str(setting.repository.clone)
            variables |= play.let_in_as(job.name, job, play.ci.claims(job, push))
            file = shell_file(setting.folder / f"job-{job.folder}.sh", variables, FOREIGN)
            console.print(sourced(file, f"the job {job.name}: its token, and no credentials"))
    console.print(f"  cd {escape(shlex.quote(str(setting.repository.clone)))}")
    console.print("Pushes start the jobs, as before: it goes on with this command. Ctrl-C ends all of it.")


def _deliver_pushes(console: RichConsole, play: CiPlay) -> None:
    """Run the jobs of each commit that is pushed, until somebody interrupts."""
    known = play.setting.repository.pushed
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
            pushed = play.setting.repository.pushed
            if pushed == known:
                continue
            known = pushed
            console.print(f"\n[bold]{pushed[:7]} was pushed[/bold]")
            try:
                play.deliver(pushed, "")
            except DeliveryError as error:
                console.print(f"[red]{escape(str(error))}[/red]")
            else:
                console.print("done")
