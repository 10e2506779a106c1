"""`amplify-delivery init [DIR]`: a project of one's own, in a folder. Nothing that is there is changed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.scaffold import amplify_project, ci, next_steps, project_files, wishes, writing
from amplify_delivery.delivery.scaffold.wheels import installed_wheel
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project

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
    files = project_files.suited(project_files.files(project, wheel), folder, wheel)
    writing.lint(folder, files)
    written = writing.write(folder, files, found.export, found.export_folder)
    pushed = wishes.pushed(found, Project(folder))
    notes = next_steps.notes(project, found, folder, wheel, pushed)
    commands = next_steps.commands(project, found, folder, pushed, here=context.folder)
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
