"""docs/operations.md has every state of a stack, every message that ends a command with 4 or, of what runs, with 3; and
quotes what is said."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import amplify_delivery
from amplify_delivery.delivery import pages
from amplify_delivery.delivery.engine import engine_errors, state_faults
from amplify_delivery.export.assembling.auth_roles import trust
from amplify_delivery.publishing.stack_states import STATES, Way
from unit.places import REPOSITORY
from unit.rows import each, hold
from unit.sources import parsed, walk

PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCES = sorted(Path(amplify_delivery.__file__).parent.rglob("*.py"))
SAYS = {
    Way.GO: "go on",
    Way.MAKE: "make it",
    Way.WAIT: "wait",
    Way.CLEAR: "it holds nothing",
    Way.DELETE: "it can only be deleted",
    Way.CONTINUE: "`continue-update-rollback`",
    Way.ROLL_BACK: "`rollback-stack`",
    Way.REFUSE: "refused",
}
"""What the page says of a state by what is done about it."""
FIELD = "\0"
"""Stands for what a message says of one case only."""
OTHERS_WORDS = {
    "NoSuchBucket",
    "NoSuchKey",
    "Timeout",
    "already exists",
    "BucketAlreadyOwnedByYou",
    "RepositoryAlreadyExistsException",
    "ResourceExistsException",
    "TerminationProtection is enabled",
}
"""AWS's, or a column of CodePipeline."""


def rows(head: str) -> list[list[str]]:
    """The cells of every table whose head begins so."""
    tables = re.findall(rf"^\| {re.escape(head)}.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.M)
    return [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for table in tables for line in table.splitlines()]


def states_of(cell: str) -> set[str]:
    """The states that a row is about."""
    if "..._IN_PROGRESS" in cell:
        return {state for state in STATES if state.endswith("_IN_PROGRESS")} - {"REVIEW_IN_PROGRESS"}
    return set(re.findall(r"`([A-Z_]+)`", cell))


def test_every_state_of_the_root_stack_has_one_row_that_says_what_is_done() -> None:
    found: dict[str, str] = {}
    for cells in rows("state | `plan`"):
        for state in states_of(cells[0]):
            assert state not in found, state
            found[state] = cells[1]
            # A deletion is refused by nothing but what only can be waited for.
            assert ("wait" in cells[1]) is (STATES[state].destroy is Way.WAIT)
    assert found.keys() == STATES.keys()
    for state, said in found.items():
        assert SAYS[STATES[state].deliver] in said, state
    assert f"{len(STATES)} states" in PAGE


def test_every_state_of_a_nested_stack_in_which_somebody_has_to_act_has_a_row() -> None:
    listed = [state for cells in rows("state of the nested stack") for state in states_of(cells[0])]
    assert len(listed) == len(set(listed))
    assert set(listed) == {state for state, means in STATES.items() if means.nested is not Way.GO}


def said_by(node: ast.expr) -> str:
    """A message's text, with `FIELD` for what depends on the case."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(said_by(value) for value in node.values)
    if isinstance(node, ast.BinOp):
        return said_by(node.left) + said_by(node.right)
    if isinstance(node, ast.IfExp):
        return f"{FIELD}{said_by(node.body)}{FIELD}{said_by(node.orelse)}{FIELD}"
    inside = [said_by(n) for n in walk(node) if isinstance(n, ast.JoinedStr)]
    return FIELD + FIELD.join(inside) + FIELD


def ending_with(*errors: str) -> Iterator[tuple[str, str]]:
    """Where one of these errors is made, and what it says; found out by whoever asks, not by every process that
    collects."""
    texts = ((file, file.read_text(encoding="utf-8")) for file in SOURCES)
    for file in (file for file, text in texts if any(f"{e}(" in text for e in errors)):
        for node in walk(parsed(file)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors:
                yield f"{file.parent.name}/{file.name}:{node.lineno}", said_by(node.args[0])


def is_quoted(message: str, quote: str) -> bool:
    """Whether a quote on the page, with `...` for what differs, is of the message. A single word may be of any."""
    at = 0
    parts = [part for part in quote.split("...") if part.strip()]
    if not any(" " in part.strip() for part in parts):
        return False
    for part in parts:
        at = message.find(part.strip(), at)
        if at < 0:
            return False
    return bool(parts)


REFUSALS = ("RefusedError", "PublishError", "LockedError", "StateError", "PluginLostError")
"""Without what is wrong with files, which is told to whoever writes them."""
AT_A_DESK = {"adoption": "adopting", "handover": "adopting", "offline": "pull-requests", "images": "containers"}
"""Rooms that nobody is called to at night, and the pages that tell of them."""
OF_A_STATE = {"stack_states.py", "stack_state.py", "stack_owner.py", "recovery.py", "root_stack.py", "restoring.py"}
"""Files whose messages that begin so are the tables of states, and of somebody else's stack."""
STATES_SAY = ("its state is ", "the stack is there", f"{FIELD}; CloudFormation does not look", f"{FIELD}; bringing it")
QUOTES = [q for cells in rows("you read") for q in re.findall(r"`+ ?(.+?) ?`+(?=[ ,(;:.]|$)", cells[0])]
MADE_OF_PARTS = {"auth_trust.py": "the trust of ", "state_stack.py": "`APP-tooling-state`", "errors.py": "own refusal"}
"""Files whose message is put together elsewhere, and what stands for it on the page."""


def test_a_message_that_ends_a_command_with_4_is_on_the_page() -> None:
    def told(where: str, message: str) -> None:
        if not message.strip(FIELD):
            parts = MADE_OF_PARTS[where.partition("/")[2].partition(":")[0]]
            assert parts in pages.section("operations", "A command has")
        else:
            assert any(is_quoted(message, quote) for quote in QUOTES), message

    hold(told, ending_with("FailedError"))


SAID = [
    *QUOTES,
    *(q for cells in rows("it says") for q in re.findall(r"`+ ?(.+?) ?`+(?=[ ,(;:.]|$)", cells[0])),
    *re.findall(r"^> (.+)$", PAGE, re.M),
    *(q for cells in rows("a note says") for q in re.findall(r"`+ ?(.+?) ?`+(?=[ ,(;:.]|$)", cells[0])),
]
"""What the page tells of in its other tables too."""


def test_a_refusal_of_what_runs_is_on_the_page() -> None:
    missing = {}
    refusals = list(ending_with(*REFUSALS))
    for where, message in refusals:
        room, _, file = where.partition(":")[0].partition("/")
        told = file in OF_A_STATE and message.startswith(STATES_SAY)
        literal = len(max(message.split(FIELD), key=len).strip()) > 12
        if literal and room not in AT_A_DESK and not told and not any(is_quoted(message, quote) for quote in SAID):
            missing[where] = message
    assert missing == {}
    assert all((REPOSITORY / "docs" / f"{page}.md").is_file() for page in AT_A_DESK.values())
    assert len(refusals) > 100


def in_tables() -> Iterator[tuple[str, str]]:
    """What the engine's words are said to mean: tables of which errors are made when they are met."""
    for fault in state_faults._FAULTS:
        yield f"state_faults: {fault.pattern}", fault.message.replace("{place}", FIELD)
    for pattern, message, _ in engine_errors._KNOWN:
        yield f"engine_errors: {pattern}", message


def test_what_the_engines_words_are_said_to_mean_is_on_the_page() -> None:
    def told(_: str, message: str) -> None:
        assert any(is_quoted(message, quote) for quote in SAID), message

    hold(told, in_tables())


TOLD_IN_PASSING = (
    f"{FIELD} is {FIELD}: {FIELD}",  # what recovers a stack, which is a step of the plan
    "waiting for the scan of image ",
    f"waiting {FIELD}",
    "note: ",
    "pushing image ",
    "linting ",
    "linted ",
    f"stack {FIELD}: ",
    f"artifact {FIELD}: ",
)
"""What says only what is being done."""


def in_passing() -> Iterator[tuple[str, str]]:
    """What is told while a command goes on."""
    for file in SOURCES:
        for node in walk(parsed(file)):
            named = node.func if isinstance(node, ast.Call) else None
            name = named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
            if isinstance(node, ast.Call) and name == "progress" and node.args:
                yield f"{file.parent.name}/{file.name}:{node.lineno}", said_by(node.args[0])


NOTING = {
    "planning/notes.py": "",
    "amplify/pushed.py": "notes",
    "amplify/gen2.py": "notes",
    "environment/drifting.py": "_un",
    "environment/recovery.py": "_notes",
    "environment/image_findings.py": "_judged",
}
"""Files that make a plan's notes, and what their functions that do are called like."""


def notes() -> Iterator[tuple[str, str]]:
    """What a plan notes beside its steps."""
    files = {f"{file.parent.name}/{file.name}": file for file in SOURCES}
    for name, begins in NOTING.items():
        for function in walk(parsed(files[name])):
            if isinstance(function, ast.FunctionDef) and function.name.startswith(begins):
                for node in walk(function):
                    for text in noted(node):
                        if len(max(text.split(FIELD), key=len)) > 20:
                            yield f"{name}:{node.lineno}", text  # type: ignore[attr-defined]


def noted(node: ast.AST) -> Iterator[str]:
    """The texts that a statement gives to a list of notes."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield from map(said_by, node.value.elts)
    elif isinstance(node, ast.Yield) and isinstance(node.value, ast.JoinedStr):
        yield said_by(node.value)
    elif isinstance(node, ast.GeneratorExp) and isinstance(node.elt, ast.JoinedStr):
        yield said_by(node.elt)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
        yield from map(said_by, node.args)


def test_what_a_plan_notes_is_on_the_page() -> None:
    found = list(notes())
    assert len(found) > 15
    assert {where: text for where, text in found if not any(is_quoted(text, quote) for quote in SAID)} == {}


def test_what_is_told_in_passing_and_is_trouble_is_on_the_page() -> None:
    found = [(where, text) for where, text in in_passing() if len(max(text.split(FIELD), key=len).strip()) > 13]
    assert len(found) > 20
    missing = {
        where: text
        for where, text in found
        if not text.startswith(TOLD_IN_PASSING) and not any(is_quoted(text, quote) for quote in SAID)
    }
    assert missing == {}


@cache
def texts() -> set[str]:
    """Everything that the product's code says; found out by whoever asks, not by every process that collects."""
    kinds = (ast.JoinedStr, ast.Constant)
    return {said_by(node) for file in SOURCES for node in walk(parsed(file)) if isinstance(node, kinds)}


@each([(quote,) for quote in QUOTES])
def test_what_the_page_quotes_is_said(quote: str) -> None:
    parts = [part.strip() for part in re.split(r"\.\.\.|`| N | ENV\b", quote) if len(part.strip()) > 3]
    assert quote in OTHERS_WORDS or all(any(part in text for text in texts()) for part in parts), parts


def test_the_trust_that_an_administrator_writes_is_amplifys() -> None:
    [shown] = re.findall(r"```json\n(.+?)```", pages.section("operations", "Nobody gets credentials"), re.S)
    assert json.loads(shown)["Statement"] == [
        {k: v for k, v in s.items() if k != "Sid"} for s in trust("POOL", "authenticated")["Statement"]
    ]
