"""Lines of a shell, read into the commands that stand in them: as far as pages and messages use a shell.

Notation of our pages (docs/commands.md tells it): what stands in brackets may be left out, `...` stands for more of the
same, `A|B` for one of both, and a word in capital letters for what its reader puts in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

INSIDE = "VALUE"
"""Stands for what a command in `$(...)` prints."""
_OPERATORS = ("&&", "||", ";;", ";", "|", "&", "\n", "(", ")")
_REDIRECTION = re.compile(r"\d?(>>|>&|>|<)(&?\d)?")
_SIMPLE = re.compile(r"[^\s'\"\\$#;&|()<>]+")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=")
_FUNCTION = re.compile(r"^([a-z]\w*)\(\) \{ (.*); \}$", re.M)


class ShellError(Exception):
    """It cannot be typed: a quote or a parenthesis without its other one, or a redirection to nowhere."""


@dataclass
class Shell:
    """What has been read: each command's words, variables that are set, functions that are declared."""

    commands: list[tuple[str, ...]] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)


def read(text: str) -> Shell:
    """The commands of `text`, one or more lines. Raises `ShellError`."""
    shell = Shell()
    text = text.replace("\\\n", " ")
    for name, body in _FUNCTION.findall(text):
        shell.functions.add(name)
        _read(body, shell)
    _read(_FUNCTION.sub("", text), shell)
    return shell


def _read(text: str, shell: Shell) -> None:
    command: list[str] = []
    opened = 0
    for token in _tokens(text, shell):
        if isinstance(token, str):
            command.append(token)
            continue
        opened += {"(": 1, ")": -1}.get(token.text, 0)
        if opened < 0:
            raise ShellError("`)` without `(`")
        _end(command, shell)
    if opened:
        raise ShellError("`(` without `)`")
    _end(command, shell)


def _end(command: list[str], shell: Shell) -> None:
    while command and (found := _ASSIGNMENT.match(command[0])):
        shell.variables.add(found[1])
        del command[0]
    if command and command[0] == "export":
        named = [_ASSIGNMENT.match(word) for word in command[1:]]
        if not named or not all(named):
            raise ShellError(f"`{' '.join(command)}` sets no variable")
        shell.variables |= {found[1] for found in named if found}
    elif command:
        shell.commands.append(tuple(command))
    command.clear()


@dataclass(frozen=True)
class _Operator:
    text: str


def _tokens(text: str, shell: Shell) -> Iterator[str | _Operator]:
    """Words and operators; what a redirection names is taken out."""
    at, word, redirected = 0, None, False
    while at < len(text):
        if text[at] == "#" and word is None:
            at = _line_end(text, at)
            continue
        operator = next((o for o in _OPERATORS if text.startswith(o, at)), None)
        redirection = _REDIRECTION.match(text, at) if word is None else None
        if operator or redirection or text[at].isspace():
            if word is not None:
                if not redirected:
                    yield word
                word, redirected = None, False
            if redirection:
                at = redirection.end()
                redirected = not redirection[2]
                continue
            if operator:
                if redirected:
                    raise ShellError("a redirection to nowhere")
                yield _Operator(operator)
            at += len(operator or " ")
            continue
        part, at = _part(text, at, shell)
        word = (word or "") + part
    if word is not None and not redirected:
        yield word
    if redirected and word is None:
        raise ShellError("a redirection to nowhere")


def _part(text: str, at: int, shell: Shell) -> tuple[str, int]:
    """What the next piece of a word says, and where it ends."""
    if text[at] == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise ShellError("a quote that is not closed")
        return text[at + 1 : end], end + 1
    if text[at] == '"':
        return _quoted(text, at + 1, shell)
    if text[at] == "\\":
        return text[at + 1 : at + 2], at + 2
    if text.startswith("$(", at):
        return _substituted(text, at + 2, shell)
    if found := _SIMPLE.match(text, at):
        return found[0], found.end()
    return text[at], at + 1


def _quoted(text: str, at: int, shell: Shell) -> tuple[str, int]:
    found = ""
    while at < len(text):
        if text[at] == '"':
            return found, at + 1
        if text[at] == "\\":
            found, at = found + text[at + 1 : at + 2], at + 2
        elif text.startswith("$(", at):
            part, at = _substituted(text, at + 2, shell)
            found += part
        else:
            found, at = found + text[at], at + 1
    raise ShellError("a quote that is not closed")


def _substituted(text: str, at: int, shell: Shell) -> tuple[str, int]:
    """`$(...)`: its commands are read as well."""
    start, opened = at, 1
    inside = Shell()
    while at < len(text):
        if text[at] in "'\"\\":
            _, at = _part(text, at, inside)
            continue
        opened += {"(": 1, ")": -1}.get(text[at], 0)
        if not opened:
            _read(text[start:at], shell)
            return INSIDE, at + 1
        at += 1
    raise ShellError("`$(` without `)`")


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


_EITHER = re.compile(r"[^\s\[\]|]+(?:\|[\w.-]+)+(?=[\s\]]|$)|(?<=\[)[^\[\]|]+(?: \| [^\[\]|]+)+(?=\])")
_OPTIONAL = re.compile(r"(?<![^\s\[])\[([^\[\]]+)\]")
_MORE = re.compile(r"(--[\w-]+ )?(?<=\s)\.\.\.(?=\s|$)")


def as_given(text: str) -> str:
    """A command in our notation with all that may be left out, and without `...`, but where an option's value is
    elided."""
    while _OPTIONAL.search(text):
        text = _OPTIONAL.sub(r"\1", text)
    return _MORE.sub(lambda found: found[0] if found[1] else "", text)


def alternatives(text: str) -> list[str]:
    """A command in our notation, once with each of what `|` parts."""
    most = max((len(found[0].split("|")) for found in _EITHER.finditer(text)), default=1)

    def chosen(number: int) -> str:
        return _EITHER.sub(lambda found: _of(found[0].split("|"), number).strip(), text)

    return [chosen(number) for number in range(most)]


def _of(words: list[str], number: int) -> str:
    return words[min(number, len(words) - 1)]
