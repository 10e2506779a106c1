"""What an account says of itself: the digest of what was last begun there, and of what was made to the end.

Two parameters of SSM beside the bootstrap version. The account's stack writes the first one before all else, whoever
runs it; the second is ours, written when the engine has ended well. So an update that has broken off anywhere, even one
of a plain `pulumi up`, and even one that was taken back in git afterwards, leaves two that differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amplify_delivery.components.documents.naming import NOT_YET, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account


@dataclass(frozen=True)
class Place:
    """An environment's names, and the account in its region."""

    names: EnvironmentNames
    account: Account


class Stamp:
    """The stamps of all places of one account's stack, as they are now. Raises `RefusedError`."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = tuple(places)
        self._found = self._read()

    def says(self, digest: str) -> bool:
        """Whether this was made in all places, to the end."""
        wanted = [n for place in self._places for n in (place.names.digest_parameter, place.names.done_parameter)]
        return all(self._found.get(name) == digest for name in wanted)

    def begin(self) -> None:
        """An update begins: until it has ended well, nothing counts as made. Raises `FailedError`."""
        for place in self._places:
            if self._found.get(place.names.done_parameter, NOT_YET) != NOT_YET:
                self._write(place, NOT_YET)

    def end(self, digest: str) -> bool:
        """It has ended well: what the stack has begun with is made, if that is what `digest` stands for. Whether it is.
        Raises `FailedError`."""
        self._found = self._read()
        if not all(self._found.get(place.names.digest_parameter) == digest for place in self._places):
            return False
        for place in self._places:
            self._write(place, digest)
        return True

    def _read(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for account in {id(place.account): place.account for place in self._places}.values():
            here = [place.names for place in self._places if place.account is account]
            found |= account.parameters([n for names in here for n in (names.digest_parameter, names.done_parameter)])
        return found

    @staticmethod
    def _write(place: Place, value: str) -> None:
        name = place.names.done_parameter
        with place.account.changing(f"writing {name}"):
            place.account.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
