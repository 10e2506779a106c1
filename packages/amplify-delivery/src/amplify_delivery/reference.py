"""docs/commands.md, made from the parsers and from what each command says of itself.

python -m amplify_delivery.reference > docs/commands.md
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Mapping

from amplify_delivery import cli
from amplify_delivery.delivery.about import CODES, About
from amplify_delivery.delivery.account.remote.tokens import TOKEN_VARIABLE
from amplify_delivery.delivery.debugging import VARIABLE as DEBUG
from amplify_delivery.delivery.engine.locking.waiting import WAIT_VARIABLE
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE
from amplify_delivery.delivery.project.pipelines import STACK_VARIABLE
from amplify_delivery.publishing.examination.cache import CACHE_VARIABLE, RESULTS_VARIABLE
from amplify_delivery.stacks.inputs import ASSEMBLY_VARIABLE

VARIABLES: Mapping[str, str] = {
    ASSEMBLY_VARIABLE: "folder of an assembly, relative to that of `Pulumi.yaml`, which is published, planned and "
    "deployed instead of what stack files name. The pipeline sets it after Build; `pulumi up` obeys it too",
    RESULTS_VARIABLE: "folder for results of examining templates, relative to that of `Pulumi.yaml`; in the pipeline "
    "it is a part of Build's artifact. Default: the cache",
    CACHE_VARIABLE: "folder of the cache. Default: `amplify-delivery` in `$XDG_CACHE_HOME`, else in `~/.cache`",
    WAIT_VARIABLE: "minutes to wait while another run changes the same: the default of `--wait`",
    DEBUG: "as `--debug`, if it is set to anything",
    TOKEN_VARIABLE: "the token of a GitLab job (`id_tokens`), with which `start` is let in; GitHub's is asked for",
    STACK_VARIABLE: "the pipeline's stack, for `build`, `step` and `update-pipeline`: the default of `--stack`. The "
    "pipeline sets it",
    BACKEND_VARIABLE: "Pulumi's own: where the state is. Without it, and without a login, a bootstrapped environment's "
    "state is not found",
    "CI, CODEBUILD_BUILD_ID": "set by a CI: progress is plain lines, and an error is preceded by the last 60 lines of "
    "`--debug`",
}
"""Environment variables that a person or a CI may set. What commands set for their own processes is not listed."""

_HEAD = """# Commands

<!-- Made by `python -m amplify_delivery.reference > docs/commands.md` from commands/*.py: change it there. -->

`amplify-delivery COMMAND`, in the folder of `Pulumi.yaml`. `amplify-delivery COMMAND --help` says what stands here.
Every command takes `--json` (one JSON document on stdout, errors too) and `--debug`; `amplify-delivery --version`
prints the version.

On all pages a word in capital letters (`ENV`, `DIGEST`) is what you put in, what stands in brackets may be left out,
`A|B` is one of both, and `...` more of the same.

"""

_OUTPUT = """
`DIR`, `A` and `B` are folders of an assembly or of an export. Without `EXPORT` it is the project's: the one that
the environments' stack files name, else the only `amplify-export-*` folder.

## Output and exit codes

For people, text and tables are on stdout, progress of `publish` on stderr. In a pipe a table has columns; on a
terminal that is too narrow for them its rows are laid out over several lines, resources below their stack. No name
is cut.

With `--json` there is one document on stdout, errors too: `{"error": {"type", "message", "where", "remedy",
"changed", "findings"}}`. Progress goes to stderr.

"""

_PROMISES = """
3 and 4 are promises, and errors of `--json` make them too (`"changed": "no"` or `"maybe"`). 4 means that
CloudFormation, the engine or a step had begun: the engine has told of a resource that it creates, changes or
deletes, objects were published, a bucket was emptied, commands of a step ran. A lock that somebody else holds, a
plan that is not the approved one, a check or a missing right before that are 3, and so are commands of `build` that
fail: nothing is delivered by then. `bake` ends with 4 when the alarm went off: what it watches is deployed already.
A CI may repeat what ended with 3, and should have a person look at what ended with 4.

`--debug` logs to stderr what is done: the engine's command lines, calls of AWS with service, operation, region,
outcome, time and request id, and processes of cfn-lint. What they are given and what they answer is never logged: no
values of parameters, no environment, no credentials. In a CI the last 60 of these lines are printed before an error
without being asked for, so that a build's log has the request ids (CloudTrail finds a call by its id) and the
engine's last command.

## Environment variables

"""


def page() -> str:
    """The whole page."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield _HEAD
    yield from _table(
        ("command", "does", "needs"),
        ((f"[`{name}`](#{name})", purpose, cli.about(name).needs) for name, purpose in cli.COMMANDS.items()),
    )
    yield _OUTPUT
    yield from _table(("exit code", ""), ((f"{code}", what) for code, what in CODES.items()))
    yield _PROMISES
    yield from _table(("variable", ""), ((f"`{name.replace(', ', '`, `')}`", what) for name, what in VARIABLES.items()))
    for name in cli.COMMANDS:
        yield from _command(name, cli.parser_of(name), cli.about(name))


def _command(name: str, parser: argparse.ArgumentParser, about: About) -> Iterator[str]:
    actions = [a for a in parser._actions if a.dest not in _COMMON]
    purpose = cli.COMMANDS[name]
    yield f"\n## {name}\n\n{purpose[0].upper()}{purpose[1:]}.\n\n"
    yield f"```text\n{_usage(name, actions)}\n```\n\n"
    if actions:
        yield from _table(("argument", ""), ((f"`{_shown(a)}`", _help(a)) for a in actions))
        yield "\n"
    yield f"{_filled(about.text)}\n\n```\n"
    width = max(len(command) for command, _ in about.examples)
    yield from (f"{command:<{width}}  # {purpose}\n" for command, purpose in about.examples)
    codes = "; ".join(f"{code} {what}" for code, what in about.codes())
    yield f"```\n\nNeeds: {about.needs}. Exit codes: {codes}.\n"
    if about.pages:
        yield f"More: {', '.join(_link(p) for p in about.pages)}.\n"


_COMMON = {"help", "json", "debug"}
_LINE = 118


def _usage(name: str, actions: list[argparse.Action]) -> str:
    lines = [f"amplify-delivery {name}"]
    for action in sorted(actions, key=lambda a: bool(a.option_strings)):
        shown = _shown(action)
        if action.option_strings and not action.required:
            shown = f"[{shown}]"
        if len(lines[-1]) + len(shown) >= _LINE:
            lines.append(" " * (len(f"amplify-delivery {name}")))
        lines[-1] += f" {shown}"
    return "\n".join(lines)


def _shown(action: argparse.Action) -> str:
    """An argument as it is typed, what may be left out in brackets."""
    value = "" if action.nargs == 0 else str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest)
    value = {"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} ..."}.get(str(action.nargs), value)
    return " ".join(filter(None, [*action.option_strings[-1:], value]))


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {**vars(action), "prog": "amplify-delivery"}


def _filled(text: str) -> str:
    return "\n\n".join(
        textwrap.fill(" ".join(p.split()), _LINE, break_long_words=False, break_on_hyphens=False)
        for p in text.strip().split("\n\n")
    )


def _link(page: str) -> str:
    name, _, section = page.partition("#")
    return f"[{name}.md]({name}.md{f'#{section}' if section else ''})"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n".replace("  ", " ")
    yield "|---" * len(head) + "|\n"
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    print(page(), end="")
