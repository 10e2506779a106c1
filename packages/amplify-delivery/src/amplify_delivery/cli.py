"""The command line: finds the command's module, runs it, and turns errors into text and an exit code.

Exit codes: 0 done, 1 the answer is no (`rights --missing`, `doctor`), 2 wrong usage, 3 refused and nothing changed, 4
failed and something changed, perhaps, 130 interrupted, 141 done, but whoever read the output has gone. A defect of this
program ends with a traceback and 1.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

from amplify_delivery import installed
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import INTERRUPTED, UNHEARD, About, describe
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.debugging import VARIABLE, Debugging
from amplify_delivery.errors import FAILED, REFUSED, DeliveryError, FailedError, SetupError

COMMANDS = {
    "init": "create a project for an export or an Amplify project; changes no file that is there",
    "upgrade": "move the project to another version of the engine, after showing what that requires of accounts",
    "check": "show what is wrong with an export, and what to do about it",
    "assemble": "make an assembly of an export: a folder with all that its environments share",
    "build": "do what the pipeline's stage Build does: run its commands, check, assemble",
    "pack": "pack the checkout, after `build`, into the artifact that an account's projects work with",
    "start": "start one of the four projects in an environment's account, from a CI that the account lets in",
    "images": "build the container images that stack files name, for deployments from this machine",
    "root": "print the root template of one environment, without any AWS call",
    "publish": "upload an assembly's objects to an environment's staging bucket",
    "compare": "list the resources and nested stacks that a re-export touches",
    "plan": "show what deploying an environment would change; changes nothing",
    "deploy": "deploy an environment as planned, bound to the plan's digest",
    "report": "show an environment on one page, or as JSON: state, plan, stacks, timings, findings, rights",
    "rollback": "deploy an earlier assembly that is still staged, with the same plan and data guard",
    "gc": "list, or delete, published objects and images that neither the running release nor a kept one needs",
    "step": "run a pre or post step of the pipeline, or its bake time",
    "update-pipeline": "update the pipeline to what its stack file says, if it differs",
    "bootstrap": "prepare the accounts of environments for their pipeline or CI, as their administrator",
    "doctor": "check what only the real accounts know: credentials, trust, connection, quotas, keys, clock, versions",
    "rights": "list the rights that an environment's resource types need, and those that its roles lack",
    "up": "deploy an environment, as `pulumi up` does",
    "preview": "make, update and delete a backend for each pull request, and collect those that were forgotten",
    "adopt": "take over an environment that `amplify push` or the CDK construct has made, in place",
    "handover": "write what Amplify's own tools need to take an environment back, and show what Gen 2 supports of it",
    "outputs": "print an environment's outputs",
    "client-config": "write the files that configure a front end for the backend that runs",
    "unlock": "show who holds a stack, since when, and what is pending; release it if that run has ended",
    "destroy": "delete an environment, an account's part or a pipeline; data only with --delete-data",
    "setup": "create the tooling account's state bucket and key, or remove them",
    "docs": "show a page of the documentation, as messages name it: `docs operations`",
    "rehearse": "tell the story of the pipeline on this machine, or deliver exports there",
}
"""Every command and what it is for. A command's module, `amplify_delivery.commands.NAME`, is imported only when it is
called; its name has `_` where the command's has `-`."""
FORMER = {"enrol": "bootstrap"}
"""Former names of commands, understood for one version."""
PLUGINS = {"rehearse": "amplify-delivery-rehearsal"}
"""Commands of other distributions, which name them in the entry point group `amplify_delivery.commands`."""


def parser(command: str | None) -> argparse.ArgumentParser:
    """The parser of all commands, with the arguments of `command` only."""
    top = argparse.ArgumentParser(
        prog="amplify-delivery", description="Deliver `amplify export` folders to AWS accounts with Pulumi."
    )
    top.add_argument("--version", action="store_true", help="print the version")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        sub = subparsers.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name == command:
            module = _module(name)
            describe(sub, module.ABOUT)
            module.add_arguments(sub)
            sub.add_argument("--json", action="store_true", help="print one JSON document, errors too")
            sub.add_argument(
                "--debug", action="store_true", help=f"log to stderr what is done, without secrets; also ${VARIABLE}"
            )
    return top


def parser_of(command: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    return _of(parser(command), command)


def _of(top: argparse.ArgumentParser, command: str) -> argparse.ArgumentParser:
    [commands] = [action.choices for action in top._actions if isinstance(action.choices, dict)]
    found: argparse.ArgumentParser = commands[command]
    return found


def about(command: str) -> About:
    """What a command says of itself."""
    found: About = _module(command).ABOUT
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    with output.outlets() as outlets:
        try:
            code = _main(list(sys.argv[1:] if argv is None else argv))
        except KeyboardInterrupt:  # also while a command is imported, for a second or two, and once it has ended
            code = INTERRUPTED
    return UNHEARD if not code and any(outlet.gone for outlet in outlets) else code


def _main(arguments: list[str]) -> int:
    if arguments and arguments[0] in FORMER:
        print(
            f"`{arguments[0]}` is now `{FORMER[arguments[0]]}`; the next version does not know `{arguments[0]}`",
            file=sys.stderr,
        )
        arguments[0] = FORMER[arguments[0]]
    command = next((a for a in arguments if a in COMMANDS), None)
    if arguments[:1] == ["--version"]:
        print(f"amplify-delivery {metadata.version('amplify-delivery')}")
        return 0
    if not arguments:
        parser(None).print_help(sys.stderr)
        return WRONG_USAGE
    try:
        args = _parsed(command, arguments)
    except ModuleNotFoundError as error:
        if not installed.is_missing(error):
            raise
        output.error(installed.missing(error, "amplify-delivery"), as_json="--json" in arguments)
        return REFUSED
    except SetupError as error:
        output.error(error, as_json="--json" in arguments)
        return error.exit_code
    context = Context(Path(), MappingProxyType(dict(os.environ)))
    with Debugging(asked=args.debug, variables=context.variables) as debugging:
        return _run(args, context, debugging)


def _parsed(command: str | None, arguments: list[str]) -> argparse.Namespace:
    """The arguments. What is wrong ends the process, as argparse does, with the usage of the command that is meant."""
    top = parser(command)
    if not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        top.error(f"there is no command {arguments[0]!r}{_guess(arguments[0], COMMANDS)}")
    args, unknown = top.parse_known_args(arguments)
    if unknown:
        own = _of(top, str(args.command))
        options = [option for action in own._actions for option in action.option_strings]
        said = (f"{text}{_guess(text.split('=')[0], options) if text.startswith('-') else ''}" for text in unknown)
        own.error(f"unrecognized arguments: {' '.join(said)}")
    return args


def _guess(wanted: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(wanted, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _run(args: argparse.Namespace, context: Context, debugging: Debugging) -> int:
    try:
        code = int(_module(args.command).run(args, context))
        sys.stdout.flush()
    except DeliveryError as error:
        if stack := _stack_of(args):
            error.of_stack(stack)
        debugging.failed(error)
        output.error(error, as_json=args.json)
        return error.exit_code
    except ModuleNotFoundError as error:
        if not installed.is_missing(error):
            raise
        output.error(installed.missing(error, "amplify-delivery"), as_json=args.json)
        return REFUSED
    except OSError as error:
        if error.errno not in _FULL:
            raise
        debugging.failed(_full(error))
        output.error(_full(error), as_json=args.json and not getattr(sys.stdout, "gone", False))
        return FAILED
    return code


def _stack_of(args: argparse.Namespace) -> str | None:
    """The one Pulumi stack that a command is called for, if there is one. (`adopt` has an option for CloudFormation's
    stack beside it.)"""
    found = getattr(args, "environment", None) or getattr(args, "environments", None) or getattr(args, "stack", None)
    if isinstance(found, list):
        return str(found[0]) if len(found) == 1 else None
    return str(found) if found else None


WRONG_USAGE = 2
"""argparse's exit code."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def _full(error: OSError) -> DeliveryError:
    return FailedError(
        "the disk is full" if error.errno == errno.ENOSPC else "the disk quota is used up",
        where=str(error.filename or "this machine"),
        remedy="make room (`df -h`, and the folder of temporary files), then repeat the command: it goes on with what "
        "is left",
    )


def _module(command: str) -> Any:
    if command not in PLUGINS:
        return importlib.import_module(f"amplify_delivery.commands.{command.replace('-', '_')}")
    for found in metadata.entry_points(group="amplify_delivery.commands", name=command):
        return found.load()
    raise SetupError(
        f"the command `{command}` is not installed",
        where="amplify-delivery",
        remedy=f'install {PLUGINS[command]} from wheel files (docs/getting-started.md, "From wheels")',
    )
