"""What an account says of itself: the digest of what was last begun there, and of what was made to the end.

Two parameters of SSM beside the bootstrap version. The account's stack writes the first one before all else, whoever
runs it; the second is ours, written when the engine has ended well. So an update that has broken off anywhere, even one
of a plain `pulumi up`, and even one that was taken back in git afterwards, leaves two that differ. The second one names
the version of the first: two plain updates that both broke off, one there and one back, leave the same digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from amplify_delivery.components.documents.naming import NOT_YET, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account, Parameter


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
        return all(self._begun(place) == digest and self._done(place) == self._whole(place) for place in self._places)

    def begin(self) -> None:
        """An update begins: until it has ended well, nothing counts as made. Raises `FailedError`."""
        for place in self._places:
            if self._done(place) not in (None, NOT_YET):
                self._write(place, NOT_YET)

    def end(self, digest: str) -> bool:
        """It has ended well: what the stack has begun with is made, if that is what `digest` stands for. Whether it is.
        Raises `FailedError`."""
        self._found = self._read()
        if not all(self._begun(place) == digest for place in self._places):
            return False
        for place in self._places:
            self._write(place, self._whole(place))
        return True

    def _begun(self, place: Place) -> str | None:
        found = self._found.get(place.names.digest_parameter)
        return found.value if found else None

    def _done(self, place: Place) -> str | None:
        found = self._found.get(place.names.done_parameter)
        return found.value if found else None

    def _whole(self, place: Place) -> str:
        """What the second one says once what the first one says is made."""
        found = self._found[place.names.digest_parameter]
        return f"{found.value}:{found.version}"

    def _read(self) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for account in {id(place.account): place.account for place in self._places}.values():
            here = [place.names for place in self._places if place.account is account]
            found |= account.parameters([n for names in here for n in (names.digest_parameter, names.done_parameter)])
        return found

    @staticmethod
    def _write(place: Place, value: str) -> None:
        name = place.names.done_parameter
        with place.account.changing(f"writing {name}"):
            place.account.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
