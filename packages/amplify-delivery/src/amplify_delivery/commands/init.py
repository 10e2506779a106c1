"""`amplify-delivery init [DIR]`: a project of one's own, in a folder. Nothing that is there is changed."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from amplify_delivery.components.documents.pipeline.buildspecs import LOCK
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.scaffold import amplify_project, ci, project_files, wishes, writing
from amplify_delivery.delivery.scaffold.amplify_project import Found
from amplify_delivery.delivery.scaffold.project_files import REQUIREMENTS, WHEELS, NewProject
from amplify_delivery.delivery.scaffold.wheels import Wheel, installed_wheel
from amplify_delivery.errors import ConfigError
from amplify_delivery.export import check, read_export
from amplify_delivery.export.names import is_amplifys
from amplify_delivery.stacks.config import AccountConfig, Project

ABOUT = About(
    needs="files",
    text="""
Writes a project into DIR: Pulumi.yaml, stack files, `__main__.py`, `components/`, `tests/`, requirements with their
lock, the engine's wheel, and the export if it lies elsewhere.

`--from` names an export, or an Amplify project: there the name is found in `amplify/.config/project-config.json`, the
environments with accounts and regions in `amplify/team-provider-info.json`, an export where `amplify export --out .`
puts it.

At a terminal it asks for what it does not know. In a pipe it asks nothing, and lists everything that is missing at
once. Stack files are read, as every command reads them, before anything is written: a refusal writes nothing. An
existing file is left alone, and listed if it differs; so the command can be run again, to add an environment for
instance. In an existing project `--ci` writes only the workflows, and the stack files of environments that are named
with it.

The engine's wheel is rebuilt from the installation, after its files have been verified against the hashes that the
installer recorded, and is byte for byte the released one.
""",
    examples=(
        ("amplify-delivery init app --from ../web", "a project in the folder app, for the Amplify project in ../web"),
        (
            "amplify-delivery init --environment qa=123456789012/eu-west-1",
            "one more environment in the project of this folder",
        ),
    ),
    pages=(
        "getting-started",
        "how-to",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="the project's folder; default: this one")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="folder that `amplify export` wrote, or an Amplify project's; default: what is in DIR",
    )
    parser.add_argument("--name", default="", metavar="NAME", help="the Amplify project's name; default: the export's")
    place = "NAME=ACCOUNT/REGION"
    parser.add_argument(
        "--environment", action="append", default=[], metavar=place, help="an environment; the pipeline delivers it"
    )
    parser.add_argument(
        "--personal", action="append", default=[], metavar=place, help="an environment that no pipeline delivers"
    )
    parser.add_argument(
        "--tooling", default="", metavar="ACCOUNT/REGION", help="where the pipeline runs; default: no pipeline"
    )
    parser.add_argument("--connection", default="", metavar="ARN", help="the pipeline's connection to the repository")
    parser.add_argument("--repository", default="", metavar="OWNER/NAME", help="the repository that is delivered")
    parser.add_argument(
        "--ids",
        default="",
        metavar="NUMBERS",
        help="with --ci and --repository: its numbers, OWNER/REPOSITORY on GitHub, PROJECT on GitLab",
    )
    parser.add_argument("--branch", default="main", metavar="NAME", help="its branch; default: main")
    parser.add_argument(
        "--ci", choices=ci.KINDS, default="", help="write workflows for it; in a project that is there, nothing else"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    folder: Path = args.folder or context.folder
    found = amplify_project.required(args.source) if args.source else amplify_project.look(folder)
    flags = wishes.Flags(
        args.name,
        args.environment,
        args.personal,
        args.tooling,
        args.connection,
        args.repository,
        args.branch,
        args.ci,
        args.ids,
    )
    asking = _ask if sys.stdin.isatty() and not args.json else None
    project = wishes.wanted(flags, found, folder, asking)
    wheel = installed_wheel()
    files = _suited(project_files.files(project, wheel), folder, wheel)
    writing.lint(folder, files)
    written = writing.write(folder, files, found.export, found.export_folder)
    pushed = wishes.pushed(found, Project(folder))
    notes = _notes(project, found, folder, wheel, pushed)
    commands = _next(project, found, folder, context, pushed)
    if args.json:
        output.document(
            {
                "project": project.name,
                "written": list(written.new),
                "unchanged": list(written.same),
                "left": list(written.left),
                "notes": notes,
                "next": commands,
            }
        )
        return 0
    _print(project.name, written, notes, commands)
    return 0


def _print(name: str, written: writing.Written, notes: list[str], commands: list[str]) -> None:
    print(f"{name}: {output.counted(len(written.new), 'file')} written, {len(written.same)} as they were")
    for path in written.new:
        print(f"  {path}")
    if written.left:
        print(f"left as they are: {', '.join(written.left)}")
    for note in notes:
        print(f"note: {note}")
    print("\nnext:")
    for command in commands:
        print(f"  {command}")


def _ask(question: str, default: str) -> str:
    """One question on the terminal. Raises `ConfigError` at the end of the input."""
    try:
        return input(f"{question}{f' [{default}]' if default else ''}: ").strip() or default
    except EOFError:
        raise ConfigError("no answer", where=question, remedy="nothing was written") from None


def _suited(files: Mapping[str, bytes], folder: Path, wheel: Wheel) -> Mapping[str, bytes]:
    """Without wheel and lock where the project has an engine already: `upgrade` brings another one."""
    there = _engine_of(folder)
    if there is None or Path(there).name == wheel.file:
        return files
    return {path: content for path, content in files.items() if path not in (LOCK, f"{WHEELS}/{wheel.file}")}


def _engine_of(folder: Path) -> str | None:
    return project_files.engine_line(_text(folder / REQUIREMENTS)) if (folder / REQUIREMENTS).is_file() else None


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _notes(project: NewProject, found: Found, folder: Path, wheel: Wheel, pushed: Mapping[str, str]) -> list[str]:
    notes = [
        f"{name} is there already: `amplify push` has made {stack}. It is not made twice: "
        f"`amplify-delivery adopt {name}` takes it over as it runs (docs/adopting.md)"
        for name, stack in pushed.items()
    ]
    notes += [
        f"Pulumi.{environment.name}.yaml was there already: what a pipeline delivers to needs "
        f'`{project.name}:bootstrapped: "true"` in it'
        for environment in project.environments
        if environment.delivered
        and not environment.account
        and not Project(folder).environment(environment.name).bootstrapped
    ]
    notes += [
        f"no stage of Pulumi.{stack}.yaml names {environment.name}: write it there, when its account has let it in"
        for stack in Project(folder).stacks("pipeline")
        for environment in project.environments
        if environment.delivered and environment.name not in Project(folder).pipeline(stack).environments
    ]
    notes += [
        f"{environment.name}: `amplify env add` and `amplify init` take 2 to 10 lower-case letters, no digits. Take "
        "such a name if somebody works in this environment with the Amplify CLI, too"
        for environment in project.environments
        if not is_amplifys(environment.name)
    ]
    notes += project_files.about_ignored(_text(folder / ".gitignore"))
    if found.export is not None:
        refused = sorted({f.id for f in check(read_export(found.export)) if f.severity == "refused"})
        if refused:
            notes.append(
                f"the export cannot be delivered as it is ({', '.join(refused)}), and the project's tests say so too: "
                "`amplify-delivery check` tells what to do"
            )
    notes += _ci_notes(project, folder) if project.ci else []
    if project.pipeline:
        notes.append(
            "AWS's build images hold no Pulumi: fill in `engine` in Pulumi.pipeline.yaml, or name an image that has it"
        )
    engine = _engine_of(folder)
    if engine is None:
        notes.append(
            f"{REQUIREMENTS} names no engine: add the line ./{WHEELS}/{wheel.file}, and lock again (README.md)"
        )
    elif Path(engine).name != wheel.file:
        notes.append(f"the project has {Path(engine).name}, this is {wheel.version}: `amplify-delivery upgrade`")
    return notes


def _next(wanted: NewProject, found: Found, folder: Path, context: Context, pushed: Collection[str]) -> list[str]:
    """The commands that come next, for the project as it is now: where only a CI was asked for, only the CI's."""
    project = Project(folder)
    if wanted.there and wanted.ci:
        going = _into(folder, context) + _ci_steps(project)
        return going or ["# commit and push: the next pull request gets its plan (docs/pull-requests.md)"]
    environments = {name: project.environment(name) for name in project.stacks("backend")}
    # The pattern of previews is disposable, and stays empty.
    personal = [name for name, found in environments.items() if not (found.bootstrapped or found.disposable)]
    delivered = [name for name, found in environments.items() if found.bootstrapped]
    there = shlex.quote(str(folder.resolve()))
    commands = _into(folder, context)
    if found.export is None and not list(folder.glob("amplify-export-*")):
        source = shlex.quote(str(found.amplify.resolve())) if found.amplify else ""
        exporting = f"amplify export --out {there}"
        commands.append(f"(cd {source} && {exporting})" if source else f"{exporting}  # in the Amplify project")
    commands += _rehearsal(project, folder)
    commands += [
        "python3 -m venv .venv && . .venv/bin/activate",
        f"pip install --no-deps --require-hashes -r {LOCK}",
        "python -m pytest tests",
        "amplify-delivery check",
    ]
    if personal or not delivered:
        commands.append("# once: `pulumi login --local`, or wherever the state is to be kept (docs/getting-started.md)")
    if personal:
        name = personal[0]
        commands.append(
            f"amplify-delivery adopt {name}" if name in pushed else f"pulumi stack init {name} && pulumi up -s {name}"
        )
    elif not delivered:
        setting = " && ".join(f"pulumi config set {key} {key.upper()}" for key in ("account", "region"))
        commands.append(f"pulumi stack init ENV && {setting} && pulumi up")
    commands += _ci_steps(project)
    for stack in project.stacks("pipeline"):
        pipeline = project.pipeline(stack)
        commands += [
            f"amplify-delivery setup --account {pipeline.account} --region {pipeline.region}  # tooling account; then",
            "# the two lines that it prints, and as the administrator of each account that is delivered to:",
            f"amplify-delivery bootstrap {' '.join(pipeline.environments)}",
            "# commit and push all of it, the stack files with what that has written into them; then:",
            f"pulumi up -s {stack}  # tooling account",
        ]
    return commands


def _rehearsal(project: Project, folder: Path) -> list[str]:
    """The command that plays all of it on this machine, where it is installed; by the very installation that runs,
    since the project's lock holds the engine alone."""
    exports = [path.name for path in sorted(folder.glob("amplify-export-*"))]
    if not exports or not metadata.entry_points(group="amplify_delivery.commands", name="rehearse"):
        return []
    played = "" if project.stacks("pipeline") or project.stacks("account") else f" {shlex.quote(exports[0])}"
    return [f"amplify-delivery rehearse{played}  # all of it on this machine first, without an AWS account"]


def _ci_notes(project: NewProject, folder: Path) -> list[str]:
    """What the workflows of a CI need beside."""
    notes = []
    included, up = ci.gitlab_included(project.inside), project.inside.up if project.inside else ""
    if project.ci == ci.GITLAB and included not in _text(folder / f"{up}.gitlab-ci.yml"):
        stages = ", ".join(ci.gitlab_stages(project.inside))
        notes.append(
            f".gitlab-ci.yml was there already: include `local: {included}` in it, and add its stages {stages}"
        )
    if not any(Project(folder).environment(n).bootstrapped for n in Project(folder).stacks("backend")):
        again = f"remove {included} and run this command again" if project.ci == ci.GITLAB else "run this command again"
        notes.append(
            f'no stack file says `{project.name}:bootstrapped: "true"`, so no job delivers; for jobs that do, '
            f"write the stack files as docs/ci.md has them, then {again}"
        )
    shut = _not_let_in(Project(folder), project.ci)
    if shut:
        notes.append(
            f"no account's file lets the jobs of {'GitHub' if project.ci == ci.GITHUB else 'GitLab'} in for "
            f"{', '.join(shut)}, so those that deliver are refused: write `{project.ci}` into it (docs/ci.md), then "
            f"`amplify-delivery bootstrap {' '.join(shut)}`"
        )
    if project.let_in:
        notes.append(
            "AWS's build images hold no Pulumi: fill in `engine` in the accounts' files, or name an image that has it"
        )
    return notes


def _not_let_in(project: Project, kind: str) -> list[str]:
    """The environments that jobs are written for, and whose account does not let in such a CI."""
    accounts = [project.account(stack) for stack in project.stacks("account")]
    lets_in = {e for a in accounts if getattr(a, kind) for e in a.environments}
    return [n for n in project.stacks("backend") if project.environment(n).bootstrapped and n not in lets_in]


def _into(folder: Path, context: Context) -> list[str]:
    return [] if folder.resolve() == context.folder.resolve() else [f"cd {shlex.quote(str(folder))}"]


def _ci_steps(project: Project) -> list[str]:
    """What comes before the first push where a CI delivers, and no pipeline; empty where none does."""
    accounts = [project.account(stack) for stack in project.stacks("account")]
    let_in = [environment for account in accounts if account.ci for environment in account.environments]
    if not let_in or project.stacks("pipeline"):
        return []
    return [
        "# as the administrator of each account, which has the CI's OIDC provider (docs/ci.md):",
        f"amplify-delivery bootstrap {' '.join(let_in)}",
        *_approvals(accounts),
        "# commit and push all of it, the stack files with what that has written into them",
    ]


def _approvals(accounts: Sequence[AccountConfig]) -> list[str]:
    """What a person sets up before the first push: GitHub and GitLab make an environment that they do not know without
    any rule. On GitHub the first job would deploy unasked; GitLab's is let in by no account."""
    github = [name for account in accounts if account.github for name in account.environments]
    gitlab = [name for account in accounts if account.gitlab for name in account.environments]
    lines = []
    if github:
        branch = " or ".join(sorted({account.github.branch for account in accounts if account.github}))
        lines += [
            f"# before the push, in GitHub's Settings, Environments: make {', '.join(github)}, with required reviewers",
            f"# and {branch} as the only branch:",
            "# GitHub makes one that it does not know without any rule, and the job deploys unasked",
        ]
    if gitlab:
        lines += [
            f"# before the push, in GitLab's Settings, CI/CD: protect the environments {', '.join(gitlab)}, with",
            "# approvers, and the branch; as a maintainer have the project sign what its accounts ask for:",
        ]
        signed = {(a.gitlab.host, a.gitlab.project_id) for a in accounts if a.gitlab and a.gitlab.project_id}
        lines += [ci.signing(*project) for project in sorted(signed)]
    return lines
