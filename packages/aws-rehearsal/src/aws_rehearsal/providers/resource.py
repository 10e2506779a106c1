"""What a resource type is to the servicer, and what it is given to act with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.schema import Change, Prop
from aws_rehearsal.providers.session import AwsSession
from aws_rehearsal.providers.wire import UNKNOWN, Properties, has_unknown

REGION = Prop(computed=True, replaces=True)
"""Since version 7 each regional resource has one: the provider's is the default, another means a new resource."""
TAGS = Prop("map")


@dataclass(frozen=True)
class Call:
    """One request: clients of the resource's region, and how long the caller is prepared to wait (seconds)."""

    session: AwsSession
    region: str
    timeout: float
    ids: list[str] = field(default_factory=list, compare=False)
    """The resource's id, once AWS has made it."""

    def has_id(self, resource_id: str) -> None:
        """What fails from here on leaves the resource in the engine's state: upstream's `d.SetId`."""
        self.ids.append(resource_id)

    def client(self, service: str) -> Any:
        return self.session.client(service, self.region)

    def deadline(self) -> float:
        return time.monotonic() + self.timeout


class Resource:
    """A resource type of the classic provider.

    Subclasses say what the properties are and act with plain values: no secret marks, no unknowns. The servicer keeps
    the marks and calls nothing of this in a preview but `planned`.
    """

    token: str
    called: str = ""
    """What the provider's messages call it: as in `reading ECR Repository (NAME): couldn't find resource`."""
    props: Mapping[str, Prop]
    default_timeout: float = 1200.0
    name_property: str | None = None
    """The property that gets an automatic name, of at most `name_length` characters."""
    name_length: int = 255
    name_lower: bool = False
    name_prefix: str = ""
    name_blockers: tuple[str, ...] = ()
    """Properties that speak against an automatic name when given (a prefix, for instance)."""

    def validate(self, inputs: Properties) -> list[tuple[str, str]]:
        """(property, reason) for what the schema alone cannot say. `inputs` may hold unknowns."""
        del inputs
        return []

    def changes(self, olds: Properties, found: list[Change]) -> list[Change]:
        """A last word on the differences found by the schema."""
        del olds
        return found

    def planned(self, call: Call, inputs: Properties, olds: Properties | None, found: list[Change]) -> Properties:
        """What a preview shows as outputs: what is known now, and UNKNOWN for what AWS will say."""
        outputs = {key: value for key, value in inputs.items() if not self.props[key].write_only}
        for key, prop in self.props.items():
            if key in outputs or not prop.computed:
                continue
            if olds is None:
                outputs[key] = UNKNOWN
            elif key in olds:
                outputs[key] = UNKNOWN if key in self.unknown_after(found) else olds[key]
        outputs |= self.planned_tags(call, inputs)
        if "region" in self.props:
            outputs["region"] = inputs.get("region") or call.region
        return outputs

    def planned_tags(self, call: Call, inputs: Properties) -> Properties:
        """`tagsAll` as it will be, for a type that has tags: plays `SetTagsDiff` of internal/verify."""
        if "tagsAll" not in self.props:
            return {}
        return {"tagsAll": UNKNOWN if has_unknown(inputs.get("tags")) else call.session.tags(inputs.get("tags"))}

    def unknown_after(self, found: list[Change]) -> set[str]:
        """Computed properties that an update with these changes may alter."""
        del found
        return set()

    def create(self, call: Call, inputs: Properties) -> tuple[str, Properties]:
        raise NotImplementedError

    def read(self, call: Call, resource_id: str, olds: Properties) -> tuple[str, Properties] | None:
        """The id and state as AWS tells them, or None when it is gone. `olds` is empty for an import."""
        raise NotImplementedError

    def _state(self, call: Call, resource_id: str, known: Properties) -> tuple[str, Properties]:
        """What `read` gives of a resource that was made or changed just now; whatever fails here, it is there."""
        call.has_id(resource_id)
        answer = self.read(call, resource_id, known)
        if answer is None:
            raise ProviderError(f"reading {self.called} ({resource_id}): couldn't find resource", "NOT_FOUND")
        return answer

    def update(self, call: Call, resource_id: str, olds: Properties, news: Properties, changed: set[str]) -> Properties:
        raise NotImplementedError

    def delete(self, call: Call, resource_id: str, olds: Properties) -> None:
        raise NotImplementedError

    def readable_inputs(self, outputs: Properties, old_inputs: Properties, *, importing: bool) -> Properties:
        """Inputs as a read tells them: on a refresh those that were inputs before, on an import all that say something.

        Plays `ExtractInputsFromOutputs` of the bridge; it is what makes a masked secret come back as an *input*.
        """
        inputs: Properties = {}
        for key, prop in self.props.items():
            if prop.output_only or (not importing and key not in old_inputs):
                continue
            value = outputs.get(key)
            if importing and (
                value in (None, "", [], {}) or value == prop.default or (value is False and prop.default is None)
            ):
                continue
            if value is not None:
                inputs[key] = value
        return inputs


def kept(olds: Properties, *keys: str) -> Properties:
    """What a read cannot tell, as the state has it."""
    return {key: olds[key] for key in keys if key in olds}


Invoke = Callable[[Call, Properties], Properties]
