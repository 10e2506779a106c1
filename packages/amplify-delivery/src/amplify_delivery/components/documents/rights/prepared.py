"""What the roles of an environment were made for, as its account's stack writes it down beside the bootstrap version.

The rights are computed from the export's types when the account's owner runs her stack; an export that comes later may
need more. `amplify-delivery plan` compares with this record, because CloudFormation would find out in the middle of a
deployment. It holds types and not actions: there are few of them, and they are what a person understands.
"""

import base64
import functools
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.environment import EnvironmentAccess
from amplify_delivery.components.documents.rights.boundary import lets_pass
from amplify_delivery.components.documents.rights.pulumi_types import cloudformation_type, services_of
from amplify_delivery.components.documents.rights.types import EXTRA, actions_for
from amplify_delivery.export.documents import several
from amplify_delivery.export.model import STACK_TYPE

MAX_PARAMETER = 4096
"""Characters of a standard parameter of SSM ("Managing parameter tiers" in the Systems Manager user guide)."""

ANY_SERVICE = "*"
"""Stands in `Prepared.further` for managed policies: what these allow stands elsewhere."""

WORDS = Path(__file__).with_name("record_words.json")
_CUSTOM = "AWS::CloudFormation::CustomResource"
_DEFLATE, _WITH_WORDS = "deflate", "deflate-with-words"
"""The forms of a record that would not fit: RFC 1950, in base64; and the same with `words`."""


class LaterFormError(ValueError):
    """A record in a form that this version does not know: a later one has written it."""


@dataclass(frozen=True)
class Prepared:
    """The types that roles have rights for; `Custom::` types are one type here, because their rights are."""

    backend: frozenset[str]
    """Types that CloudFormation's execution role may make."""
    program: frozenset[str]
    """Types that `deploy` itself may make, for the program."""
    further: frozenset[str]
    """Services (prefixes of IAM actions) that the account's file gives `deploy` further rights in, or `ANY_SERVICE`."""
    pages: frozenset[str] = frozenset()
    """Buckets of the export that `deploy` may upload verification pages into."""

    boundary: frozenset[str] = frozenset()
    """Services that the account's file adds to those which the boundary lets roles of the backend use."""
    rights: str = ""
    """Which rights these come to in the version that has made the roles (`account.record`); empty where an earlier one
    has, which did not write it down."""

    def lets_pass(self, action: str) -> bool:
        """Whether the boundary lets an action pass that a policy of the backend gives."""
        return lets_pass(action, self.boundary, containers="AWS::CodePipeline::Pipeline" in self.backend)

    def allows_backend(self, name: str) -> bool:
        """Whether the execution role may make and delete resources of the type `name`."""
        return name == STACK_TYPE or _general(name) in self.backend or EXTRA.get(name) == ()

    def allows_program(self, token: str) -> bool | None:
        """Whether `deploy` may make and delete resources of a Pulumi type (`aws:sqs/queue:Queue`); None if only AWS
        can say.

        That is so where the account's owner has given further rights by hand that the type may need, and where the
        table of rights has no such type, but rights for others of its service.
        """
        name = cloudformation_type(token)
        if name in self.program:
            return True
        if ANY_SERVICE in self.further:
            return None
        if name is not None:
            return None if {action.partition(":")[0] for action in actions_for([name])} & self.further else False
        beside = services_of(token) & {known.split("::")[1].lower() for known in self.program}
        return None if self.further or beside else False

    def to_text(self) -> str:
        """The record's text, short enough for an SSM parameter: `plain`, which every version reads and a person, too;
        only what does not fit is deflated, to a third. What does not fit then either, of some 460 types, is deflated
        with words that every version from this one on knows, to a fifth."""
        plain = self.plain()
        if len(plain) <= MAX_PARAMETER:
            return plain
        said = {key: value for key, value in json.loads(plain).items() if value}
        text = json.dumps(said, separators=(",", ":"), sort_keys=True).encode()
        deflated = _of_form(_DEFLATE, zlib.compress(text, 9))
        if len(deflated) <= MAX_PARAMETER:
            return deflated
        deflating = zlib.compressobj(9, zdict=words())
        return _of_form(_WITH_WORDS, deflating.compress(text) + deflating.flush())

    def plain(self) -> str:
        """The record as JSON, whatever its length: the same for the same types. Deflated, it is not the same to the
        letter everywhere: that hangs on the library of the Python."""
        # Most types of a program are those of its backend, too. Accounts of version 2 name them in both.
        both = self.backend & self.program
        content = {
            "backend": _by_service(self.backend - both),
            "program": _by_service(self.program - both),
            **({"both": _by_service(both)} if both else {}),
            "further": sorted(self.further),
            **({"pages": sorted(self.pages)} if self.pages else {}),
            "boundary": sorted(self.boundary),
            **({"rights": self.rights} if self.rights else {}),
        }
        return json.dumps(content, separators=(",", ":"), sort_keys=True)


def prepared(access: EnvironmentAccess) -> Prepared:
    """What the roles of `access` are made for, without the rights that it comes to (`account.record`)."""
    actions = [a for s in access.deploy_statements for a in several(s["Action"])]
    further = {action.partition(":")[0] for action in actions}
    return Prepared(
        frozenset(map(_general, access.resource_types)),
        frozenset(map(_general, access.program_types)),
        frozenset(further | ({ANY_SERVICE} if access.deploy_managed_policies else set())),
        access.page_buckets,
        frozenset(access.boundary_services),
    )


def parse(text: str) -> Prepared:
    """The record in one of `to_text`'s forms. Raises `LaterFormError` for a form that is not known here, `ValueError`
    for any other text."""
    try:
        content = _inflated(json.loads(text))
        both = frozenset(_types(content.get("both", {})))
        return Prepared(
            both | frozenset(_types(content["backend"])),
            both | frozenset(_types(content["program"])),
            frozenset(content["further"]),
            frozenset(content.get("pages", ())),
            frozenset(content.get("boundary", ())),
            str(content.get("rights", "")),
        )
    except (KeyError, TypeError, AttributeError, zlib.error) as error:
        raise ValueError(f"not a record of types: {error}") from None


def _inflated(content: Any) -> Any:
    form = content.get("form")
    if form is None:
        return content
    if form not in (_DEFLATE, _WITH_WORDS):
        raise LaterFormError(f"in the form {form!r}: a later version of this program has written it")
    inflating = zlib.decompressobj(zdict=words()) if form == _WITH_WORDS else zlib.decompressobj()
    text = inflating.decompress(base64.b64decode(content["content"])) + inflating.flush()
    # What is empty is left out in these forms.
    return {"backend": {}, "program": {}, "further": [], **json.loads(text)}


@functools.cache
def words() -> bytes:
    """What most records are made of, for the shortest form: a "preset dictionary" (RFC 1950), by whose checksum a
    record says what it was written with. So the file stays as it is, whatever types there are later: with another one
    nobody could read what accounts hold."""
    return json.dumps(json.loads(WORDS.read_text(encoding="utf-8")), separators=(",", ":")).encode()


def _of_form(form: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    return json.dumps({"form": form, "content": text}, separators=(",", ":"))


def _general(name: str) -> str:
    return _CUSTOM if name.startswith("Custom::") else name


def _by_service(types: Iterable[str]) -> dict[str, list[str]]:
    """`AWS::SQS::Queue` as `{"SQS": ["Queue"]}`: half as long as the names."""
    found: dict[str, list[str]] = {}
    for name in sorted(types):
        _, service, kind = name.split("::", 2)
        found.setdefault(service, []).append(kind)
    return found


def _types(by_service: Mapping[str, Iterable[str]]) -> Iterable[str]:
    return (f"AWS::{service}::{kind}" for service, kinds in by_service.items() for kind in kinds)
