"""Whether Pulumi's engine takes a command: by what it tells of itself.

`pulumi gen-markdown` writes a page for each command, with its usage and options, in a tenth of a second; a command's
other names (`stack init` for `stack new`) stand in its `--help` alone, which is asked for those that are used.
"""

from __future__ import annotations

import itertools
import re
import subprocess
from functools import cached_property
from pathlib import Path

from unit.docs import config_keys
from unit.docs.accepted import Command, a_stack
from unit.docs.tool_lists import ANY, HIDDEN, NotTakenError, Takes

_OPTION = re.compile(r"^ +(?:(-\w), )?(--[\w-]+)(?: (\S+))?(?:   |$)", re.M)


class Pulumi:
    """The commands of an engine. `folder` is where its pages go."""

    def __init__(self, engine: Path, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._others: dict[str, tuple[str, Takes] | None] = {}

    def check(self, command: Command, *, whole: bool) -> None:
        """Raises `NotTakenError`."""
        words = command[1:]
        before: list[str] = []
        while words[:1] and words[0] in ("-C", "--cwd"):
            before, words = [*before, *words[:2]], words[2:]
        if not words or words[0].startswith(HIDDEN) or words[0] == "--version":
            return
        name, found, rest = self._command(words)
        given = found.check((*before, *rest), whole=whole)
        for option, value in itertools.pairwise(rest):
            if option in ("-s", "--stack"):
                a_stack(value)
        if name in ("stack new", "stack init"):  # as the engine calls it today, and as it did
            for stack in given:
                a_stack(stack)
        if name in ("config set", "config remove", "config rm", "config get"):
            config_keys.check(given)
        if name == "config set-all":
            options = [rest[n + 1] for n, word in enumerate(rest[:-1]) if word in ("--plaintext", "--secret")]
            for option in options:
                config_keys.check(option.split("=", 1))
                if "=" not in option:
                    raise NotTakenError(f"{option}: KEY=VALUE")

    def _command(self, words: Command) -> tuple[str, Takes, Command]:
        """The command that the first words are, what it takes, and the words that follow."""
        group, found = "", self._pages[""]
        while words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
            name = f"{group} {words[0]}".strip()
            if not any(page.startswith(f"{group} ".lstrip()) and page != group for page in self._pages):
                break
            called = (name, self._pages[name]) if name in self._pages else self._other(group, words[0])
            if called is None:
                # A group that is a command as well has no words of its own: `stack`, `config`.
                raise NotTakenError(f"no command pulumi {name}")
            (group, found), words = called, words[1:]
        return group, found, words

    def _other(self, group: str, word: str) -> tuple[str, Takes] | None:
        """A command by another of its names."""
        name = f"{group} {word}".strip()
        if name not in self._others:
            told = subprocess.run(
                [self._engine, *name.split(), "--help"], capture_output=True, text=True, check=False, env=self._quiet
            ).stdout
            aliases = re.search(r"^Aliases:\n +(.*)$", told, re.M)
            known = bool(aliases) and word in re.split(r"[, ]+", aliases[1] if aliases else "")
            usage, _, options = told.partition("Usage:\n")[2].partition("Flags:")
            line = usage.strip().partition("\n")[0]
            called = (
                next(
                    (
                        n
                        for n in sorted(self._pages, key=len)
                        if n and f"{line} ".startswith(f"pulumi {n} ") and n.startswith(group) and n != group
                    ),
                    "",
                )
                if known
                else ""
            )
            self._others[name] = (called, _takes(line, options, called)) if called else None
        return self._others[name]

    @cached_property
    def _pages(self) -> dict[str, Takes]:
        """What each command takes, by its name without `pulumi`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([self._engine, "gen-markdown", self._folder], check=True, capture_output=True, env=self._quiet)
        found = {}
        for page in self._folder.glob("pulumi*.md"):
            name = page.stem.removeprefix("pulumi").replace("_", " ").strip()
            text, _, options = page.read_text(encoding="utf-8").partition("## Options\n")
            usages = re.findall(rf"^(pulumi {name}.*\[flags\].*)$".replace("  ", " "), text, re.M)
            found[name] = _takes(usages[-1] if usages else "", options, name)
        return found

    @property
    def _quiet(self) -> dict[str, str]:
        return {"HOME": str(self._folder), "PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": str(self._folder)}


def _takes(usage: str, options: str, name: str) -> Takes:
    """Of a usage (`pulumi stack new [org-name/]<stack-name> [flags]`) and the options' table."""
    flags = {"-h", "--help"}
    valued: set[str] = set()
    for short, long, value in _OPTION.findall(options):
        (valued if value and not value.startswith("[") else flags).update({short, long} - {""})
    words = usage.removeprefix(f"pulumi {name}").replace("[flags]", "").replace("[--]", "").split()
    least = sum("<" in word and not word.startswith("[<") for word in words)
    return Takes(least, ANY if "..." in usage else len(words), frozenset(flags), frozenset(valued))
