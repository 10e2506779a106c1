"""Every error that a user can meet says what to do."""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import re
import shlex
from functools import cache
from pathlib import Path

from botocore import xform_name

import amplify_delivery
from amplify_delivery import errors
from amplify_delivery.cli import COMMANDS, PLUGINS, parser, parser_of
from unit.aws_models import service_model
from unit.sources import parsed, walk

PACKAGE = Path(amplify_delivery.__file__).parent
NAMES = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
FINDINGS = {"ExportRefused"}
"""Each of its findings has a remedy of its own."""
SUMS_UP = {"nothing was done"}
"""Told by the errors that came before."""


@cache
def made() -> tuple[tuple[str, ast.Call], ...]:
    """Every error that is made in the product's code, and where."""
    names = NAMES - FINDINGS
    return tuple(
        (f"{file.relative_to(PACKAGE)}:{node.lineno}", node)
        for file in sorted(PACKAGE.rglob("*.py"))
        for node in walk(parsed(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    )


def test_every_error_says_what_to_do() -> None:
    found = dict(made())
    assert len(found) > 300
    without = {
        where
        for where, call in found.items()
        if not {"remedy", None} & {keyword.arg for keyword in call.keywords}
        and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value in SUMS_UP)
    }
    assert without == set()


def test_a_command_that_an_error_tells_to_type_says_of_what() -> None:
    """`amplify-delivery plan` alone would end as wrong usage."""
    bare = [
        (where, command)
        for where, call in made()
        for text in walk(call)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        for command in re.findall(r"`amplify-delivery ([a-z-]+)`", text.value)
    ]
    assert len(bare) > 5
    assert [found for found in bare if found[1] not in COMMANDS or needs_more(found[1])] == []


VALUE = "\0"
"""Stands for what is put into a text."""


def text_of(node: ast.AST) -> str:
    """A text of the code; empty for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or VALUE for part in node.values)
    return ""


def printed() -> set[str]:
    """The commands with arguments that stand between backticks in any text of the product."""
    texts = (
        " ".join(text_of(node).split())
        for file in PACKAGE.rglob("*.py")
        for node in walk(parsed(file))
        if isinstance(node, ast.Constant | ast.JoinedStr)
        and text_of(node) != ast.get_docstring(parsed(file), clean=False)  # a command's module is called as it is
    )
    found = {command for text in texts for command in re.findall(r"`amplify-delivery ([a-z][a-z-]* [^`]+)`", text)}
    return {command for command in found if command.partition(" ")[0] not in PLUGINS and "--help" not in command}


def is_taken(command: str) -> bool:
    """Whether the command line takes it: each value may be a name, or options, which the code alone does not tell."""
    first, *parts = re.sub(r"[\[\]]|\.\.\.", "", command).split(VALUE)
    for values in itertools.product(("7", "", "--region eu-west-1"), repeat=len(parts)):
        filled = first + "".join(f"{value}{part}" for value, part in zip(values, parts, strict=True))
        name, *arguments = shlex.split(filled)
        with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            parser(name).parse_args([name, *arguments])
            return True
    return False


def test_a_command_in_a_text_is_taken_as_it_is_printed() -> None:
    found = printed()
    assert len(found) > 40
    assert sorted(command for command in found if not is_taken(command)) == []


AWS = re.compile(r"`aws ([a-z0-9-]+) ([a-z0-9-]+)( [^`]*)?`")
NO_OPERATIONS = {"s3", "sso", "configure"}
"""The AWS CLI's own commands."""
OF_EACH = {"region", "profile", "query", "output", "no-paginate"}


def test_a_command_of_the_aws_cli_in_a_text_is_one_of_its_services() -> None:
    """With options that its operation takes."""
    texts = {" ".join(text_of(node).split()) for file in PACKAGE.rglob("*.py") for node in walk(parsed(file))}
    found = {match for text in texts for match in AWS.findall(text) if match[0] not in NO_OPERATIONS}
    found = {match for match in found if match[1] != "wait"}
    assert len(found) > 20
    wrong = {}
    for service, operation, rest in found:
        model = service_model({"s3api": "s3"}.get(service, service))
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(operations[operation]).input_shape if operation in operations else None
        takes = {xform_name(name, "-") for name in shape.members} if shape else set()
        given = set(re.findall(r" --([a-z0-9-]+)", rest))
        named = {option.removeprefix("no-") if option.removeprefix("no-") in takes else option for option in given}
        odd = named - OF_EACH - takes
        if odd or operation not in operations:
            wrong[f"aws {service} {operation}{rest}"] = odd
    assert wrong == {}


@cache
def needs_more(command: str) -> bool:
    """Whether a command cannot be run without arguments."""
    return any(a.required if a.option_strings else a.nargs not in ("?", "*") for a in parser_of(command)._actions)
