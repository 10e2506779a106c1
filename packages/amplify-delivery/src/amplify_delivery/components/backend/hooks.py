"""What the engine calls around a change of the root stack.

What takes long runs in a thread: a synchronous callback would stop the event loop, and with it everything else that
this program does.
"""

import asyncio
from collections.abc import Callable, Sequence

import pulumi

from amplify_delivery.components.publisher import Publisher
from amplify_delivery.errors import DeliveryError
from amplify_delivery.export import Assembly, RootStack

MayChange = Callable[[RootStack, bool], object]
Keep = Callable[[RootStack, Callable[[str], None]], Callable[[], object]]
SetTermination = Callable[[str, bool], object]
Explain = Callable[[str], Sequence[str]]
FreeSecret = Callable[[str, str], object]


def check(name: str, may_change: MayChange | None, root: RootStack) -> list[pulumi.ResourceHook]:
    """Ask before the stack changes whether it may: in a preview too, so that nobody approves what cannot be.

    A create while the stack is there is what a replacement begins with, and what a root begins with whose resource
    got another name in the program: the old one is deleted last, and only if all went well.
    """
    if may_change is None:
        return []

    async def ask(event: pulumi.ResourceHookArgs) -> None:
        await asyncio.to_thread(may_change, root, event.old_inputs is None)

    return [pulumi.ResourceHook(f"{name}-check", ask, pulumi.ResourceHookOptions(on_dry_run=True))]


def free_secret(label: str, free: FreeSecret | None, name: str, description: str) -> list[pulumi.ResourceHook]:
    """Before a secret is made: what AWS still keeps of that name. A preview changes nothing, and says what would be
    refused."""
    if free is None:
        return []

    async def make_free(_: pulumi.ResourceHookArgs) -> None:
        await asyncio.to_thread(free, name, description)

    return [pulumi.ResourceHook(f"{label}-free", make_free, pulumi.ResourceHookOptions(on_dry_run=True))]


def publish(name: str, publisher: Publisher, assembly: Assembly, root: RootStack) -> pulumi.ResourceHook:
    """Publish before the stack changes: not in a preview, and not when nothing changed."""

    def progress(text: str) -> None:
        pulumi.log.info(text, ephemeral=True)

    async def bring(_: pulumi.ResourceHookArgs) -> None:
        await asyncio.to_thread(publisher, assembly, root, progress)

    return pulumi.ResourceHook(f"{name}-publish", bring)


def explain(name: str, reasons_of: Explain | None) -> list[pulumi.ErrorHook]:
    """Tell which resources of nested stacks failed, and why."""
    if reasons_of is None:
        return []

    async def tell(event: pulumi.ErrorHookArgs) -> bool:
        reasons = await asyncio.to_thread(reasons_of, event.errors[0]) if event.errors else []
        if reasons:
            pulumi.log.error("\n".join(["CloudFormation failed at:", *reasons]))
        return False  # not to be tried again: what CloudFormation refuses it refuses twice

    return [pulumi.ErrorHook(f"{name}-explain", tell)]


def protected(name: str, set_termination: SetTermination | None, root: RootStack) -> list[pulumi.ResourceHook]:
    """Protect the stack against termination once it has been made or updated."""
    if set_termination is None:
        return []

    async def turn_on(_: pulumi.ResourceHookArgs) -> None:
        await asyncio.to_thread(set_termination, root.stack_name, True)

    return [pulumi.ResourceHook(f"{name}-protected", turn_on)]


class KeepTrust:
    """Around an update of the root stack: what it takes of the auth roles' trust is put back, also where it failed."""

    def __init__(self, name: str, keep: Keep | None, root: RootStack) -> None:
        self._put_back: Callable[[], object] | None = None
        self._keep, self._root = keep, root
        here = self._keep is not None
        self.before = [pulumi.ResourceHook(f"{name}-trust", self._look)] if here else []
        self.after = [pulumi.ResourceHook(f"{name}-trust-after", self._updated)] if here else []
        self.failed = [pulumi.ErrorHook(f"{name}-trust-failed", self._failed)] if here else []

    async def _look(self, _: pulumi.ResourceHookArgs) -> None:
        if self._keep:
            self._put_back = await asyncio.to_thread(self._keep, self._root, pulumi.log.info)

    async def _updated(self, _: pulumi.ResourceHookArgs) -> None:
        await self._back()

    async def _failed(self, _: pulumi.ErrorHookArgs) -> bool:
        await self._back()
        return False

    async def _back(self) -> None:
        """The engine only warns of a hook that fails after the update: an error of the program's log ends it."""
        if self._put_back is None:
            return
        try:
            await asyncio.to_thread(self._put_back)
        except DeliveryError as error:
            pulumi.log.error(str(error))
