"""What a command says of itself beside its arguments: `--help` shows it, and docs/commands.md is made from it."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from amplify_delivery.errors import FAILED, REFUSED

INTERRUPTED, UNHEARD = 130, 141
"""Exit codes of a command that was interrupted, and of one whose output nobody read to its end: 128 and the signal's
number, as shells have them."""
CODES: Mapping[int, str] = {
    0: "done",
    1: "the answer is no (`rights --missing`; `doctor` has found an error), or a defect of this program, with a "
    "traceback",
    2: "wrong usage",
    REFUSED: "refused: nothing was changed. stderr says what, where and what to do; the command can be repeated as it "
    "is",
    FAILED: "failed midway: something may have been changed. stderr says what, where and what to do: look at it first",
    INTERRUPTED: "interrupted, by Ctrl-C, SIGTERM or the closing of the terminal. The engine gets the first signal "
    "only, ends what it has begun with AWS, writes its state and gives its lock back; the command waits for that, "
    "however many signals follow, and gives its lease back",
    UNHEARD: "done, but whoever read the output has gone (`up | head`): the command went on to its end. What was "
    "refused or has failed ends with 3 or 4 all the same",
}
"""Every exit code and what it says."""
_NARROWEST, _WIDEST = 40, 100


@dataclass(frozen=True)
class About:
    """A command, for whoever reads `--help` or the page of commands. Texts are Markdown without links."""

    needs: str
    """What it asks beside arguments: `files`, `AWS`, `AWS, Pulumi`."""
    text: str
    """Paragraphs, with an empty line between two."""
    examples: tuple[tuple[str, str], ...]
    """Commands as they are typed, and what each is for."""
    changes: str = ""
    """What may have been changed where it ends with 4; empty where it changes nothing but files."""
    no: str = ""
    """The question to which 1 is the answer."""
    pages: tuple[str, ...] = ()
    """What explains it, as in `deploying` or `deploying#going-back`."""

    def codes(self) -> Iterator[tuple[int, str]]:
        """Its exit codes, in a few words each; those of every command (130, 141, a defect) are left out."""
        yield 0, "done"
        if self.no:
            yield 1, self.no
        yield 2, "wrong usage"
        yield REFUSED, "refused, nothing was changed"
        if self.changes:
            yield FAILED, f"failed midway: {self.changes}"


def describe(parser: argparse.ArgumentParser, about: About) -> None:
    """Give a command's parser what `--help` shows before and after the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    width = max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST) - 2)
    parser.description = "\n\n".join(_wrapped(t, width) for t in (parser.description or "", *_paragraphs(about.text)))
    parser.epilog = "\n".join(_end(about, width))


def _end(about: About, width: int) -> Iterator[str]:
    yield "examples:"
    for command, purpose in about.examples:
        yield f"  {command}"
        yield textwrap.indent(_wrapped(purpose, width - 6), " " * 6)
    yield ""
    yield f"needs: {about.needs}"
    yield _wrapped("exit codes: " + "; ".join(f"{code} {what}" for code, what in about.codes()), width)
    for page in about.pages:
        name, _, section = page.partition("#")
        yield f"more: amplify-delivery docs {name}" + (f' "{section.replace("-", " ")}"' if section else "")


def _paragraphs(text: str) -> list[str]:
    return [" ".join(p.split()) for p in re.split(r"\n\s*\n", text.strip())]


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
