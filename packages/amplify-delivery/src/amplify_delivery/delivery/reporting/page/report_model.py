"""What a report shows: frozen data of which the JSON document and the HTML page are made.

Field names are single words, so that the JSON has the same. A path is a tuple of logical ids from the root stack on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

FORMAT = 1
"""Version of the JSON document."""

Tone = Literal["", "good", "warn", "bad"]
"""How something stands; empty where that is no question."""
Place = tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """One line of the summary. `section` is where the page tells more of it, empty for nowhere."""

    label: str
    value: str
    tone: Tone = ""
    section: str = ""


@dataclass(frozen=True)
class Typed:
    """A command as it is typed. `who` types it, `why` says what for; both may be empty."""

    text: str
    why: str = ""
    who: str = ""


@dataclass(frozen=True)
class Action:
    """One run of an action of a pipeline; `seconds` is None while it runs. `words` are its last lines, if it failed."""

    name: str
    status: str
    seconds: float | None = None
    detail: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """A stage of an execution; `status` is empty if it was not reached."""

    name: str
    status: str
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class Execution:
    """An execution of a pipeline."""

    title: str
    commit: str
    status: str
    trigger: str
    seconds: float
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A part of a story: what was typed, what the pipeline did, and what was found to be so."""

    title: str
    text: str
    outcome: str
    tone: Tone
    seconds: float
    commands: tuple[Typed, ...] = ()
    facts: tuple[str, ...] = ()
    executions: tuple[Execution, ...] = ()


@dataclass(frozen=True)
class Line:
    """A resource, or a step that is none. `stack` is its stack's path; `mark` is empty for what stays as it is.

    `part` says where it belongs: the backend's stacks, the program beside it, the outputs. `run` is the number of the
    update that changes it in a plan of several, else 0.
    """

    stack: Place
    name: str
    type: str
    mark: str = ""
    what: str = ""
    loss: str = ""
    part: Literal["backend", "program", "outputs"] = "backend"
    run: int = 0


@dataclass(frozen=True)
class Right:
    """A right that a release gains. `open` is one that stands open to the world."""

    place: str
    what: str
    open: bool = False


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong, and what to do."""

    what: str
    remedy: str = ""


@dataclass(frozen=True)
class Drifted:
    """A resource that runs otherwise than it was delivered."""

    place: str
    type: str
    what: str


@dataclass(frozen=True)
class Plan:
    """What deploying would change. Not `whole`: only the backend's part is known, and there is no digest.

    `updates` tell of each update in a plan of several. `drift` is None where nobody has looked.
    """

    whole: bool
    changes: int
    digest: str = ""
    updates: tuple[str, ...] = ()
    rights: tuple[Right, ...] = ()
    notes: tuple[str, ...] = ()
    impossible: tuple[Trouble, ...] = ()
    drift: tuple[Drifted, ...] | None = None
    refused: tuple[Trouble, ...] = ()
    """Why `deploy` would refuse it: data that may not be lost, drift that is not put up with."""


@dataclass(frozen=True)
class Stack:
    """A stack of the backend; the root's path is empty. `resources` is their number in it, without those below."""

    path: Place
    name: str
    resources: int
    status: str = ""


@dataclass(frozen=True)
class Span:
    """How long something took. `start` and `seconds` are seconds, from the beginning of the whole."""

    name: str
    start: float
    seconds: float
    status: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Timings:
    """How long the parts of something took."""

    title: str
    seconds: float
    spans: tuple[Span, ...]
    note: str = ""


@dataclass(frozen=True)
class Deployment:
    """An entry of the audit log."""

    time: str
    result: str
    who: str
    changes: int
    commit: str = ""
    assembly: str = ""
    plan: str = ""


@dataclass(frozen=True)
class Found:
    """A finding about the export."""

    id: str
    severity: str
    file: str
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Need:
    """An action that a role needs, for resources of `types`. `missing` is None where nobody could say."""

    action: str
    types: tuple[str, ...]
    missing: bool | None = None


@dataclass(frozen=True)
class Role:
    """A role of an environment, and what it needs."""

    name: str
    purpose: str
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class Unread:
    """What could not be read, and is therefore not in the report."""

    what: str
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    """All of it. What is empty is not shown. `made` is a time in ISO 8601, `version` that of the engine, `problem` what
    has ended a story early."""

    title: str
    lead: str
    made: str
    version: str
    app: str = ""
    environment: str = ""
    account: str = ""
    region: str = ""
    problem: str = ""
    facts: tuple[Fact, ...] = ()
    commands: tuple[Typed, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    plan: Plan | None = None
    lines: tuple[Line, ...] = ()
    stacks: tuple[Stack, ...] = ()
    timings: tuple[Timings, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    findings: tuple[Found, ...] = ()
    roles: tuple[Role, ...] = ()
    unread: tuple[Unread, ...] = ()
    format: int = FORMAT

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        return {"format": self.format, **asdict(self)}


_ADAPTER = TypeAdapter(Report)


def parsed(document: Mapping[str, Any]) -> Report:
    """The report of a JSON document. Raises `ValueError` for one that is none of this version."""
    if document.get("format") != FORMAT:
        raise ValueError(f"the report's format is {document.get('format')!r}, this program knows {FORMAT}")
    try:
        return _ADAPTER.validate_python(dict(document))
    except ValidationError as error:
        raise ValueError(f"is not a report: {error.error_count()} of its fields are wrong") from None
