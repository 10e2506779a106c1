"""An update on the way, as the deployment hands it over to the program: a file that an environment variable names."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any

from amplify_delivery.changes.ordered.updates import Update
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import Path, digest
from amplify_delivery.export import RootStack
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.assembly import AssemblyObject
from amplify_delivery.export.documents import parse_json

UPDATE_VARIABLE = "AMPLIFY_DELIVERY_UPDATE"
"""Environment variable with the path of the file: `deploy` and `up` set it for the program."""
COPIED_VARIABLE = "AMPLIFY_DELIVERY_COPIED"
"""Environment variable by which `deploy` and `up` tell the program which tables' items are in their successors."""


@dataclass(frozen=True)
class Handed:
    """An update on the way (`amplify_delivery.changes.ordered.updates.Update`): what is new in it."""

    released: bool
    templates: Mapping[Path, str]
    """Keys of the templates that are new, by the path of their stack."""
    objects: tuple[tuple[AssemblyObject, bytes], ...]
    """They, nested ones before those that name them."""
    parameters: Mapping[str, str] | None
    """The root's, where those are deployed that stay; None where those of the release count."""

    @classmethod
    def of(cls, update: Update) -> Handed:
        keys = {item.key for item, _ in update.objects}
        templates = {path: key for path, key in update.keys.items() if key in keys}
        return cls(update.released, templates, update.objects, None if update.released else update.stacks.parameters)

    def root(self, wanted: RootStack) -> RootStack:
        """The root stack of this update, on the way to `wanted`."""
        bodies = {item.key: (item, body) for item, body in self.objects}
        item, body = bodies[self.templates[()]]
        parameters = wanted.parameters if self.parameters is None else self.parameters
        return replace(
            wanted,
            template=parse_json(body),
            body=body,
            object=item,
            parameters={**parameters, TEMPLATE_KEY: item.key},
            secrets=wanted.secrets if self.released else (),
        )

    def stacks(self, base: Stacks) -> Stacks:
        """What is deployed after it; `base` is what was deployed before, or, if `released`, what is wanted."""
        bodies = {item.key: body for item, body in self.objects}
        templates = {**base.templates, **{path: parse_json(bodies[key]) for path, key in self.templates.items()}}
        parameters = base.parameters if self.parameters is None else self.parameters
        return Stacks(templates, {**parameters, TEMPLATE_KEY: self.templates[()]})

    def to_json(self) -> dict[str, Any]:
        return {
            "released": self.released,
            "templates": {"/".join(path): key for path, key in self.templates.items()},
            "objects": [{"object": vars(item), "body": body.decode()} for item, body in self.objects],
            "parameters": None if self.parameters is None else dict(self.parameters),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Handed:
        return cls(
            data["released"],
            {tuple(place.split("/")) if place else (): key for place, key in data["templates"].items()},
            tuple((AssemblyObject(**o["object"]), o["body"].encode()) for o in data["objects"]),
            data["parameters"],
        )


def copied(stack: str, root: str, place: str) -> str:
    """What `COPIED_VARIABLE` holds for one table, separated by spaces: that the items of the one at `place` were copied
    and compared. It is true of the root stack with this id alone, as long as its root template is the one with the key
    `root`, by which the successor is made."""
    return digest([stack, root, place])


@contextmanager
def handed_over(update: Update) -> Iterator[Mapping[str, str]]:
    """The variables by which the program knows of `update`."""
    with tempfile.TemporaryDirectory(prefix="amplify-delivery-") as folder:
        file = File(folder) / "update.json"
        file.write_text(json.dumps(Handed.of(update).to_json()), encoding="utf-8")
        yield {UPDATE_VARIABLE: str(file)}


def taken(variables: Mapping[str, str]) -> Handed | None:
    """The update that the program should carry out; None where it is the release itself."""
    path = variables.get(UPDATE_VARIABLE)
    return Handed.from_json(json.loads(File(path).read_bytes())) if path else None
