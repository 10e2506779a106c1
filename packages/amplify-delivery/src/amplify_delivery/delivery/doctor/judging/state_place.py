"""Whether the engine's state can be reached, and whether the key that encrypts it works."""

from __future__ import annotations

from dataclasses import dataclass

from amplify_delivery.delivery.doctor.lines import Line
from amplify_delivery.delivery.doctor.place import Place


@dataclass(frozen=True)
class StateBucket:
    """What is in a state bucket of ours; `there` is False if there is no such bucket."""

    name: str
    there: bool
    stack: bool = False
    """The stack's state lies in it."""
    history: bool = False
    """The stack was updated before."""
    locks: int = 0
    """Locks of the engine on the stack."""


@dataclass(frozen=True)
class Key:
    """A key as KMS describes it; `state` is empty if there is none by that alias."""

    alias: str
    state: str
    id: str = ""


def bucket(found: StateBucket, place: Place, make: str, *, key_named: bool = True) -> Line:
    """Line `state`; `make` is the command that makes bucket and stack, `key_named` whether the stack file names the
    key that the state is encrypted with."""
    where = f"s3://{found.name}"
    if not found.there:
        return Line("state", "error", f"there is no bucket {found.name}", f"{make} makes it")
    if not found.stack and found.history:
        return Line(
            "state",
            "error",
            f"the state of {place.stack} is lost: it was updated before, and is not in {where} any more",
            f"`amplify-delivery plan {place.stack}` prints the command that brings it back (docs/operations.md)",
        )
    if not found.stack:
        return Line("state", "error", f"{where} holds no stack {place.stack}", f"{make} makes it")
    if not key_named:
        return Line(
            "state",
            "error",
            f"the stack is in {where}, and Pulumi.{place.stack}.yaml does not say how it is encrypted",
            f"restore `secretsprovider` and `encryptedkey` from git: `git log -p -- Pulumi.{place.stack}.yaml`",
        )
    if found.locks:
        return Line(
            "state",
            "warning",
            f"the stack in {where} is locked: it is being updated, or an update was killed",
            f"`amplify-delivery unlock {place.stack}` tells who holds it",
        )
    return Line("state", "ok", where)


def key(found: Key, place: Place, make: str) -> Line:
    """Line `state key`."""
    if found.state == "Enabled":
        return Line("state key", "ok", f"{found.alias} is enabled")
    if not found.state:
        return Line("state key", "error", f"there is no key {found.alias}", f"{make} makes it")
    # Neither takes an alias ("EnableKey" in the KMS API reference).
    enable = place.aws(f"kms enable-key --key-id {found.id}")
    if found.state == "PendingDeletion":
        cancel = place.aws(f"kms cancel-key-deletion --key-id {found.id}")
        said = f"{found.alias} waits for its deletion; with it goes every secret in the state"
        return Line("state key", "error", said, f"an administrator: {cancel}, then {enable}")
    if found.state == "Disabled":
        said = f"{found.alias} is disabled: nobody can read the state"
        return Line("state key", "error", said, f"an administrator: {enable}")
    look = place.aws(f"kms describe-key --key-id {found.id}")
    return Line("state key", "error", f"{found.alias} cannot be used: {found.state}", f"look at it: {look}")


def own(url: str, *, reached: bool, said: str = "", remedy: str = "") -> Line:
    """Line `state` of a personal stack: the backend that Pulumi is logged in to, and whether it was reached."""
    if not url:
        return Line(
            "state",
            "error",
            "Pulumi is not logged in: it has nowhere to keep the stack's state",
            "`pulumi login --local`, or where docs/getting-started.md says",
        )
    if not reached:
        return Line("state", "error", said or f"{url} cannot be reached", remedy or "`pulumi whoami -v` tells more")
    return Line("state", "ok", url)


def passphrase(place: Place, *, encrypted: bool, given: bool) -> Line:
    """Line `state key` of a personal stack whose secrets a passphrase encrypts, if its file says so."""
    if encrypted and not given:
        return Line(
            "state key",
            "error",
            f"the secrets of {place.stack} are encrypted with a passphrase, and there is none",
            "`export PULUMI_CONFIG_PASSPHRASE_FILE=FILE`, or PULUMI_CONFIG_PASSPHRASE",
        )
    return Line("state key", "ok", "a passphrase, which is set" if encrypted else "nothing is encrypted yet")
