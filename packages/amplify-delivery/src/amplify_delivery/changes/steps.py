"""The steps of a plan: what would change, each a small dataclass that tells its own line and its own JSON.

The text, the JSON, the digest and the deployment walk the same list of them, so that an approval cannot describe
something else than what is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.export.assembly import canonical
from amplify_delivery.export.model import STACK_TYPE

Path = tuple[str, ...]
"""Logical ids from the root stack on: those of the nested stacks, then the resource's."""


def digest(value: Any) -> str:
    """sha256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


class _Placed:
    """A step that stands at the logical ids of its stacks and its own."""

    path: Path

    @property
    def place(self) -> str:
        return "/".join(self.path)


@dataclass(frozen=True)
class AddResource(_Placed):
    """CloudFormation makes a resource. `after` is the digest of its resolved properties."""

    path: Path
    type: str
    after: str

    mark = "+"
    loss = ""

    @property
    def what(self) -> str:
        return ""

    def to_json(self) -> dict[str, Any]:
        return {"step": "add-resource", "path": self.place, "type": self.type, "after": self.after}


@dataclass(frozen=True)
class ChangeResource(_Placed):
    """CloudFormation changes a resource in place. `properties` are the changed ones."""

    path: Path
    type: str
    properties: tuple[str, ...]
    after: str

    mark = "~"
    loss = ""

    @property
    def what(self) -> str:
        return ", ".join(self.properties)

    def to_json(self) -> dict[str, Any]:
        properties = list(self.properties)
        return {
            "step": "change-resource",
            "path": self.place,
            "type": self.type,
            "properties": properties,
            "after": self.after,
        }


@dataclass(frozen=True)
class ReplaceResource(_Placed):
    """CloudFormation makes a resource again and deletes the old one, because of the properties in `causes`.

    Not `certain`: the schema says that it depends on the values. `loss` says what data the old one holds, which the
    new one will not have; empty if none.
    """

    path: Path
    type: str
    properties: tuple[str, ...]
    causes: tuple[str, ...]
    certain: bool
    loss: str
    after: str

    mark = "!"

    @property
    def what(self) -> str:
        word = "replaced" if self.certain else "perhaps replaced"
        others = [p for p in self.properties if p not in self.causes]
        return f"{word}: {', '.join(self.causes)}" + (f"; changed: {', '.join(others)}" if others else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "step": "replace-resource",
            "path": self.place,
            "type": self.type,
            "properties": list(self.properties),
            "causes": list(self.causes),
            "certain": self.certain,
            "loss": self.loss,
            "after": self.after,
        }


@dataclass(frozen=True)
class CopyTable(_Placed):
    """The items of a table are copied to its successor, which has `prefix` before the same name, and compared.

    The table itself has the prefix `of` there, if it is a successor too. With `keep` nothing is copied: the successor
    has been in use, and stays as it is. `current` is the prefix of the table that stands in the stack now.
    """

    path: Path
    prefix: str
    of: str = ""
    keep: bool = False
    current: str = field(default="", compare=False)

    type = "AWS::DynamoDB::Table"
    mark = ">"
    loss = ""

    @property
    def what(self) -> str:
        if self.keep:
            return f"nothing is copied to the table with {self.prefix} before its name, which is used as it is"
        return f"its items are copied to the table with {self.prefix} before its name, and compared; it stays, closed"

    def to_json(self) -> dict[str, Any]:
        more = {**({"of": self.of} if self.of else {}), **({"keep": True} if self.keep else {})}
        return {"step": "copy-table", "path": self.place, "prefix": self.prefix, **more}


@dataclass(frozen=True)
class RemoveResource(_Placed):
    """A resource is in the stack no more. CloudFormation deletes it, unless it is `kept` (DeletionPolicy).

    `loss` says what data is lost; empty if none.
    """

    path: Path
    type: str
    kept: bool
    loss: str

    mark = "-"

    @property
    def what(self) -> str:
        return "stays in the account, outside of the stack" if self.kept else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "step": "remove-resource",
            "path": self.place,
            "type": self.type,
            "kept": self.kept,
            "loss": self.loss,
        }


@dataclass(frozen=True)
class MoveStack(_Placed):
    """A nested stack stands elsewhere: CloudFormation knows no move, it deletes what stood at `was` and makes it again.

    The resources in it have steps of their own.
    """

    path: Path
    was: Path

    type = STACK_TYPE
    mark = ">"
    loss = ""

    @property
    def what(self) -> str:
        return f"was {'/'.join(self.was)}: deleted there, made again here"

    def to_json(self) -> dict[str, Any]:
        return {"step": "move-stack", "path": self.place, "was": "/".join(self.was)}


@dataclass(frozen=True)
class UpdateStack:
    """A stack is updated though no resource in it or below it changes: its `sections` do (outputs, parameters ...)."""

    path: Path
    sections: tuple[str, ...]
    after: str

    type = STACK_TYPE
    mark = "~"
    loss = ""

    @property
    def place(self) -> str:
        return "/".join(self.path) or "(root stack)"

    @property
    def what(self) -> str:
        return f"{', '.join(self.sections)}; no resource changes"

    def to_json(self) -> dict[str, Any]:
        return {
            "step": "update-stack",
            "path": "/".join(self.path),
            "sections": list(self.sections),
            "after": self.after,
        }


@dataclass(frozen=True)
class UpdateRoot:
    """CloudFormation updates the root stack: the steps from here to the next one are what that changes.

    It stands in a plan of several updates only (`amplify_delivery.changes.ordered`). `root` is the key of the root
    template, and thereby stands for the content of all; `why` says what for.
    """

    root: str
    why: tuple[str, ...]

    type = STACK_TYPE
    mark = "="
    loss = ""
    place = "(root stack)"

    @property
    def what(self) -> str:
        return "; ".join(self.why) or "what is left"

    def to_json(self) -> dict[str, Any]:
        return {"step": "update-root", "root": self.root, "why": list(self.why)}


@dataclass(frozen=True)
class ProtectStack:
    """The root stack's termination protection is turned on, or off. A call of its own: no template says it."""

    on: bool

    path: Path = ()
    type = STACK_TYPE
    mark = "~"
    loss = ""
    place = "(root stack)"

    @property
    def what(self) -> str:
        return f"termination protection {'on' if self.on else 'off'}"

    def to_json(self) -> dict[str, Any]:
        return {"step": "protect-stack", "on": self.on}


@dataclass(frozen=True)
class ChangeProgram:
    """The program changes a resource of its own, beside the backend: `operation` as the engine calls it."""

    urn: str
    type: str
    operation: str
    properties: tuple[str, ...]
    loss: str
    after: str
    kept: bool = False
    """Whether it stays though the program has it no more (`retain_on_delete`)."""

    @property
    def mark(self) -> str:
        return {"create": "+", "update": "~", "delete": "-", "replace": "!"}.get(self.operation, "~")

    @property
    def place(self) -> str:
        return self.urn.rpartition("::")[2]

    @property
    def what(self) -> str:
        word = "" if self.operation in ("create", "update", "delete") else self.operation
        stays = "stays in the account, as the program says (`retain_on_delete`)" if self.kept else ""
        return "; ".join(part for part in (word, ", ".join(self.properties), stays) if part)

    def to_json(self) -> dict[str, Any]:
        return {
            "step": "change-program",
            "urn": self.urn,
            "type": self.type,
            "operation": self.operation,
            "properties": list(self.properties),
            "loss": self.loss,
            "after": self.after,
            **({"kept": True} if self.kept else {}),
        }


@dataclass(frozen=True)
class RecoverStack:
    """The root stack is in a state in which it can't be updated, and is brought out of it first. `operation` is as the
    AWS CLI calls it, `skipped` are places that a continued rollback leaves as they are, `role` is CloudFormation's."""

    stack: str
    status: str
    operation: str
    skipped: tuple[str, ...] = ()
    role: str = ""

    type = STACK_TYPE
    mark = "^"
    loss = ""

    @property
    def place(self) -> str:
        return "(root stack)"

    @property
    def what(self) -> str:
        without = f", without {', '.join(self.skipped)}" if self.skipped else ""
        return f"{self.status}: {_RECOVERIES[self.operation]}{without}"

    def to_json(self) -> dict[str, Any]:
        return {
            "step": "recover-stack",
            "stack": self.stack,
            "status": self.status,
            "operation": self.operation,
            "skipped": list(self.skipped),
            "role": self.role,
        }


_RECOVERIES = {
    "delete-stack": "deleted first (it holds no data), then made again",
    "continue-update-rollback": "its rollback is continued first",
    "rollback-stack": "rolled back first",
}


@dataclass(frozen=True)
class ChangeOutput:
    """An output of the Pulumi stack is added, changed or removed (`operation`: add, change, remove). `after` is the
    digest of its value; empty for one that is secret, or known only then."""

    name: str
    operation: str
    after: str

    type = "output"
    loss = ""

    @property
    def mark(self) -> str:
        return {"add": "+", "remove": "-"}.get(self.operation, "~")

    @property
    def place(self) -> str:
        return self.name

    @property
    def what(self) -> str:
        return ""

    def to_json(self) -> dict[str, Any]:
        return {"step": "change-output", "name": self.name, "operation": self.operation, "after": self.after}


Step = (
    AddResource
    | ChangeResource
    | ReplaceResource
    | CopyTable
    | RemoveResource
    | MoveStack
    | UpdateStack
    | UpdateRoot
    | ProtectStack
    | ChangeProgram
    | RecoverStack
    | ChangeOutput
)
"""One step of a plan. Each has what its line shows (`mark`, `place`, `type`, `what`), `loss`, which says what data goes
with it (empty: none), and `to_json()`: all of it that the plan's digest, and so an approval, stands for."""


def replaced_by(steps: Iterable[Step]) -> frozenset[Path]:
    """What certainly gets another physical id by `steps`."""
    return frozenset(s.path for s in steps if isinstance(s, ReplaceResource) and s.certain)
