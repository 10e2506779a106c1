"""Whether a command that is shown would be taken by the program that it calls: ours by its parser, `make` by the
Makefile, `aws` by botocore's models, those of others by what `tool_lists` has of them. `pulumi` is asked itself
(`pulumi_lines`)."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import itertools
import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn, cast

from amplify_delivery.cli import COMMANDS, parser_of
from amplify_delivery.delivery import pages
from amplify_delivery.errors import ConfigError
from unit.docs import aws_lines
from unit.docs.shell_lines import ShellError, read
from unit.docs.tool_lists import (
    ALONE,
    APPS,
    CATEGORIES,
    FRONTENDS,
    HIDDEN,
    OF_A_COMMAND,
    PLACEHOLDER,
    STACKS,
    VARIABLES,
    WORDS,
    NotTakenError,
    takes,
)
from unit.places import REPOSITORY

Command = tuple[str, ...]
OURS = "amplify-delivery"
PROGRAMS = {OURS, "aws", "make", "pulumi", "python", "python3", *OF_A_COMMAND, *ALONE} - {"sh"}
_ACCOUNT, _REGION = r"(\d{12}|ACCOUNT)", r"([a-z]{2}-[a-z]+-\d|REGION)"
FORMS = {
    ("", "--account"): re.compile(_ACCOUNT),
    ("", "--region"): re.compile(_REGION),
    ("init", "--environment"): re.compile(rf"([a-z]+|NAME|7)={_ACCOUNT}/{_REGION}"),
    ("init", "--personal"): re.compile(rf"([a-z]+|NAME|7)={_ACCOUNT}/{_REGION}"),
    ("init", "--tooling"): re.compile(rf"{_ACCOUNT}/{_REGION}"),
    ("", "--ids"): re.compile(r"\d+(/\d+)?|NUMBERS|\.\.\."),
    ("", "--repository"): re.compile(r"[\w-]+(/[\w-]+)+|OWNER/NAME|GROUP/NAME"),
}
"""How values are written that no parser looks at; 7 is what a message puts in."""
WHEEL = re.compile(r"(amplify_delivery|amplify_delivery_rehearsal|aws_rehearsal|)-?\*(\.whl)?")


def check(command: Command, *, whole: bool) -> None:
    """Raises `NotTakenError` for a command that its program would refuse. `whole`: as it is to be typed; otherwise it
    is named in a sentence, where what it requires may be left out. `pulumi` is taken whatever follows it."""
    program, words = command[0], command[1:]
    for word in words:
        _file(word)
    if program == OURS:
        _ours(words, whole=whole)
    elif program == "aws":
        aws_lines.check(words, whole=whole)
    elif program == "make":
        _make(words)
    elif program in ("python", "python3"):
        _python(words, whole=whole)
    elif program == "amplify":
        _amplify(words, whole=whole)
    elif program in OF_A_COMMAND:
        _of_a_command(program, words, whole=whole)
    elif program in ALONE:
        ALONE[program].check(words, whole=whole)
    elif found := re.fullmatch(r"(?:[\w-]+/)?\.venv/bin/(pip|python)", program):
        check((found[1], *words), whole=whole)
    elif program != "pulumi" and not re.fullmatch(r"\./[\w-]+\.sh", program):  # a script of one's own
        raise NotTakenError(f"no program {program}")


def commands(text: str, *, declared: frozenset[str] = frozenset()) -> Iterator[Command]:
    """Every command in lines of a shell. Raises `NotTakenError` where they are none, or set what nobody reads."""
    try:
        shell = read(text)
    except ShellError as error:
        raise NotTakenError(str(error)) from None
    if odd := {v for v in shell.variables - VARIABLES if not re.search(rf"\${{?{v}\b", text) and HIDDEN not in v}:
        raise NotTakenError(f"sets {', '.join(sorted(odd))}, which nobody reads")
    for command in shell.commands:
        if command[0] not in shell.functions | declared and not command[0].startswith(HIDDEN):
            yield command


def each_command(text: str, *, declared: frozenset[str] = frozenset()) -> list[Command]:
    """Every command; of lines that cannot be read one that no program takes, and which says why."""
    try:
        return list(commands(text, declared=declared))
    except NotTakenError as error:
        return [(f"{error}: {text}",)]


def _ours(words: Command, *, whole: bool) -> None:
    if not words or words[0] in ("--version", "--help") or HIDDEN in words[0] or PLACEHOLDER.fullmatch(words[0]):
        return
    if words[0] not in COMMANDS:
        raise NotTakenError(f"no command {words[0]}")
    refused: NotTakenError | None = None
    for filled in itertools.product(*(_filled(word) for word in words)):
        try:
            _parsed(tuple(itertools.chain.from_iterable(filled)), whole=whole)
        except NotTakenError as error:
            refused = refused or error
        else:
            return
    if refused:
        raise refused


def _filled(word: str) -> tuple[tuple[str, ...], ...]:
    """What a message may put in: a value, nothing, or options, which the code alone does not tell."""
    if not word.strip(HIDDEN):
        return ("7",), (), ("--region", "eu-west-1"), ("7", "--region", "eu-west-1")
    filled = (word.replace(HIDDEN, "7"),)
    return (filled, (word.rstrip(HIDDEN),)) if word.startswith("-") and word.endswith(HIDDEN) else (filled,)


def _parsed(words: Command, *, whole: bool) -> None:
    parser, required = _parser(words[0])
    for action in required:
        action.required = whole
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            given = parser.parse_args(words[1:])
    except argparse.ArgumentError as error:
        raise NotTakenError(str(error)) from None
    except SystemExit:  # --help
        return
    for name in environments_of((OURS, *words)):
        a_stack(name)
    _values(words, whole=whole)
    if words[0] == "docs":
        _page(given.page, given.section)


def _values(words: Command, *, whole: bool) -> None:
    """What a command looks at when it runs: how accounts, regions and environments are written, and that a preview's
    pull request is named."""
    for option, value in itertools.pairwise(words):
        form = FORMS.get((words[0], option)) or FORMS.get(("", option))
        if form and not form.fullmatch(value) and value != "7":
            raise NotTakenError(f"{option} {value}: not written so")
    if whole and words[:2] in (("preview", "up"), ("preview", "down")) and "--pull-request" not in words:
        raise NotTakenError(f"{' '.join(words[:2])} of which pull request?")


def environments_of(command: Command) -> list[str]:
    """The environments, accounts and pipelines that a command of ours or of Pulumi names."""
    if command[0] == "pulumi":
        return [value for option, value in itertools.pairwise(command) if option in ("-s", "--stack")]
    if command[0] != OURS:
        return []
    parser, _ = _parser(command[1])
    given = vars(parser.parse_args(command[2:]))
    named = [given[a.dest] or [] for a in list(parser._actions) if _is_a_stack(a)]
    return [name for one in named for name in ([one] if isinstance(one, str) else one)]


def _is_a_stack(action: argparse.Action) -> bool:
    return not action.option_strings and action.metavar in ("ENV", "STACK")


def a_stack(name: str) -> None:
    """An environment, account or pipeline as the pages call theirs: any other name is a slip."""
    of = re.sub(r"(\d+|N)$", "", name.removesuffix("-account"))  # pr7, prN, store001; 7 is a value of a message
    if of and not PLACEHOLDER.fullmatch(of) and of not in STACKS:
        raise NotTakenError(f"no page has a stack {name}")


def _page(page: str | None, section: str | None) -> None:
    """`amplify-delivery docs PAGE SECTION`."""
    given = [part for part in (page, section) if part and part != "7" and not PLACEHOLDER.fullmatch(part)]
    try:
        if len(given) == 2:
            pages.section(*given)
        elif given:
            pages.page(*given)
    except ConfigError as error:
        raise NotTakenError(str(error)) from None


@cache
def _parser(command: str) -> tuple[argparse.ArgumentParser, list[Any]]:
    """The command's own, which takes a word in capital letters for any value; and what of it is required."""
    parser = parser_of(command)
    parser.allow_abbrev = False  # taken, but by chance: the next option may begin so as well
    get, refuse = parser._get_value, parser._check_value

    def value(action: argparse.Action, text: str) -> Any:
        return text if PLACEHOLDER.fullmatch(text) else get(action, text)

    def choice(action: argparse.Action, given: Any) -> None:
        # Of a few words that are known one is asked for, by the name that the command's help has for it.
        if not (isinstance(given, str) and (given == action.metavar or HIDDEN in given)):
            refuse(action, given)

    def error(message: str) -> NoReturn:
        raise argparse.ArgumentError(None, message)

    for name, replacement in (("_get_value", value), ("_check_value", choice), ("error", error)):
        setattr(parser, name, replacement)
    return parser, [a for a in [*parser._actions, *cast(list[Any], parser._mutually_exclusive_groups)] if a.required]


@cache
def makefile() -> tuple[frozenset[str], frozenset[str]]:
    """Its targets, and the variables that they read."""
    text = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):", text, re.M)
    return frozenset(targets), frozenset(re.findall(r"\$\(([A-Z]+)\)", text))


@cache
def benchmarks() -> frozenset[str]:
    """Those that `make bench` knows by name. To import them takes two seconds."""
    text = (REPOSITORY / "benchmarks" / "__main__.py").read_text(encoding="utf-8")
    return frozenset(re.findall(r'^    "([\w-]+)":', text.partition("BENCHMARKS")[2].partition("\n}")[0], re.M))


def _make(words: Command) -> None:
    targets, variables = makefile()
    given = dict(word.split("=", 1) for word in words if "=" in word)
    called = [word for word in words if "=" not in word and HIDDEN not in word]
    for name in called:
        if name not in targets:
            raise NotTakenError(f"no target {name}")
    for name in given:
        if name not in variables:
            raise NotTakenError(f"no target reads {name}")
    arguments = shlex.split(given.get("ARGS", ""))
    if called == ["rehearse"]:
        _ours(("rehearse", *shlex.split(given.get("EXPORTS", "")), *arguments), whole=True)
    if called == ["bench"]:
        for name in arguments:
            if name not in benchmarks():
                raise NotTakenError(f"no benchmark {name}")


def _python(words: Command, *, whole: bool) -> None:
    if not words or words[:1] in (("--version",), ("-c",)):
        if len(words) > 1 and words[0] == "-c":
            compile(words[1], "-c", "exec")
        return
    if words[0] != "-m":
        if words[0].startswith("-") and words[0] != "-":
            raise NotTakenError(f"no option {words[0]}")
        return
    module, rest = words[1], words[2:]
    if module == "amplify_delivery":
        _ours(rest, whole=whole)
        return
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if not found:
        raise NotTakenError(f"no module {module}")
    if module == "pytest":
        takes("-q -n= -k= -m=", 0, 9).check(rest, whole=whole)
    elif module == "venv":
        takes("", 1).check(rest, whole=whole)
    elif module == "pip":
        _of_a_command("pip", rest, whole=whole)
    elif module == "http.server":
        takes("--bind= --directory=", 0, 1).check(rest, whole=whole)


def _of_a_command(program: str, words: Command, *, whole: bool) -> None:
    known = OF_A_COMMAND[program]
    if program == "git" and words[:1] == ("-c",):
        if not re.fullmatch(r"user\.(name|email)=.+", words[1]):
            raise NotTakenError(f"no setting {words[1]}")
        return _of_a_command(program, words[2:], whole=whole)
    if not words:
        return None
    name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), None)
    if name is None:
        raise NotTakenError(f"{program} has no command {words[0]}, or none that is used here")
    given = known[name].check(words[len(name.split()) :], whole=whole)
    full = f"{program} {name}"
    if full in WORDS and (odd := set(given) - WORDS[full]):
        raise NotTakenError(f"{full}: {', '.join(sorted(odd))} is used nowhere")
    return None


def _amplify(words: Command, *, whole: bool) -> None:
    _of_a_command("amplify", words, whole=whole)
    of_a_category = words[:1] and words[0] in ("add", "import", "override", "remove", "update") and len(words) > 1
    if of_a_category and words[1] not in CATEGORIES and HIDDEN not in words[1]:
        raise NotTakenError(f"no category {words[1]}")
    if "--frontend" in words and words[words.index("--frontend") + 1] not in FRONTENDS:
        raise NotTakenError(f"no front end {words[words.index('--frontend') + 1]}")


def _file(word: str) -> None:
    """What a line takes out of this repository is there: a wheel by its name, a folder of the checkout."""
    name = word.rpartition("/")[2]
    if word.startswith(("dist/", "~/amplify-delivery/dist/")) and not WHEEL.fullmatch(name):
        raise NotTakenError(f"no wheel {word}")
    export = re.match(r"(?:\./|backend/)?amplify-export-([a-z]*)", word)
    if export and export[1] not in APPS and "amplify-export-APP" not in word:
        raise NotTakenError(f"no page has an app {export[1]}")
    checkout = word.startswith("~/amplify-delivery/") and "/dist/" not in word
    if checkout and not (REPOSITORY / word.removeprefix("~/amplify-delivery/")).exists():
        raise NotTakenError(f"nothing is at {word}")
