"""Every error a user can meet, in one tree.

```
DeliveryError               what is wrong, where, and what to do
├── ExportRefused           an export with findings of severity "refused"
├── AssemblyError           a folder that is no assembly, or one that was altered
├── ConfigError             a stack file or a command's argument with a wrong value
├── PublishError            the staging bucket or the account refused an object
├── DeployError             a deployment, or what belongs to one; always one of these:
│   ├── RefusedError        refused, nothing was changed
│   └── FailedError         failed midway, something may have been changed; carries the reasons
│       └── EngineKilledError   the engine was killed (SIGKILL): by somebody, or by a machine short of memory
├── StateError              the engine's state: missing, of another passphrase
│   ├── LockedError         another update of the stack is running: nothing was changed
│   ├── NoStackError        the engine's backend has no such stack
│   └── PluginLostError     the engine has lost a process of its own: nobody has refused anything
└── SetupError              a tool that the rehearsal or the engine needs is not there
```

Whoever starts a command has to tell two ends apart: nothing was changed, so that it can simply be repeated, or
something may have been. `DeliveryError.changed` says it of every error, and a command's exit code does.

The tree knows nothing of Pulumi, so that `export` and the commands start without it; `components` turns it
into `pulumi.RunError` at its border, which Pulumi prints without a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from amplify_delivery.findings import Finding


_SETS = re.compile(r"`pulumi config set (?![^`]*-s )")
_STACK_FILE = re.compile(r"(?:^|/)Pulumi\.([^/]+)\.yaml$")

REFUSED, FAILED = 3, 4
"""Exit codes (docs/commands.md): nothing was changed; something may have been."""


class DeliveryError(Exception):
    """A user's mistake or a refusal of the outside world, never a defect of this program.

    `message` says what is wrong and names the thing; `where` is a file, logical id, account or
    command; `remedy` is what to do next.
    """

    changed = False
    """Whether something may have been changed by then."""

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        self.message, self.where, self.remedy = message, where, remedy
        if file := _STACK_FILE.search(where):
            self.of_stack(file[1])
        super().__init__(self.__str__())

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  -> {self.remedy}" if self.remedy else text

    def of_stack(self, stack: str) -> Self:
        """The same, with `stack` in each command that sets one of its values: without it the engine would take the
        stack that happens to be selected, and write into its file. One that is named already stays."""
        self.message, self.remedy = (
            _SETS.sub(f"`pulumi config set -s {stack} ", text) for text in (self.message, self.remedy)
        )
        return self

    @property
    def exit_code(self) -> int:
        """The one of a command that it ends."""
        return FAILED if self.changed else REFUSED


class ExportRefused(DeliveryError):  # noqa: N818 - it says what happened to the export, and is public
    """An export that must not be delivered; `findings` holds all findings, the refusals first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        ordered = sorted(findings, key=lambda f: f.severity != "refused")
        self.findings = tuple(ordered)
        refused = [f for f in ordered if f.severity == "refused"]
        super().__init__("\n".join(str(f) for f in refused))


class AssemblyError(DeliveryError):
    """A folder that is no assembly, or one whose objects do not match their digests."""


class ConfigError(DeliveryError):
    """A stack file, or an argument of a command, that holds a wrong value."""


class PublishError(DeliveryError):
    """The staging bucket, or the account behind it, refused an object."""


class DeployError(DeliveryError):
    """A deployment, or what belongs to one, was refused or has failed: never raised itself."""


class RefusedError(DeployError):
    """Refused: by a check of ours, or by AWS before anything had begun. Nothing was changed."""


class FailedError(DeployError):
    """Failed midway, in CloudFormation, in the engine or between two steps: something may have been changed."""

    changed = True


class EngineKilledError(FailedError):
    """The engine was killed with SIGKILL, by somebody or by a machine that is short of memory: what it had begun, the
    next run finds."""


class StateError(DeliveryError):
    """The engine's state is locked, missing, or encrypted with another key."""


class LockedError(StateError):
    """Another update of the stack holds the lock of the engine's state: nothing was changed."""


class NoStackError(StateError):
    """There is no such stack where the engine's state was looked for, and nothing tells that there ever was."""


class PluginLostError(StateError):
    """A plugin of the engine (a provider, the program's host) has ended, or did not answer: nobody has refused what was
    asked for, so the same once more may well succeed."""


class SetupError(DeliveryError):
    """A tool that is needed is not there and could not be had."""


def reworded(error: DeployError, message: str, *, where: str, remedy: str) -> DeployError:
    """`error` in other words: refused or failed as it was."""
    return (FailedError if error.changed else RefusedError)(message, where=where, remedy=remedy)


def always() -> bool:
    """That something had begun, where nobody asks."""
    return True


@contextmanager
def midway(begun: Callable[[], bool] = always) -> Iterator[None]:
    """Of an error that ends the block, something may have been changed, if anything had `begun` by then."""
    try:
        yield
    except RefusedError as error:
        if not begun():
            raise
        remedy = error.remedy.replace("nothing was changed", "nothing more was changed")
        raise FailedError(error.message, where=error.where, remedy=remedy) from error
    except DeliveryError as error:
        error.changed = error.changed or begun()
        raise
