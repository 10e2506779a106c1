"""The trust of the two auth roles outlives what a command of ours does, whatever ends that
(`amplify_delivery.changes.amplify.auth_trust`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from amplify_delivery.changes.amplify import auth_trust
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import DeliveryError
from amplify_delivery.export import RootStack
from amplify_delivery.export.assembling.auth_roles import setters


@contextmanager
def kept(account: Account, root: RootStack) -> Iterator[None]:
    """Keep the trust of the auth roles of `root` over the block, whatever ends it.

    Raises `FailedError` for a trust that is lost and may not be put back, with the command for whoever may.
    """
    if not setters(root.template["Resources"]):
        yield
        return
    reach = _reach(account)
    before = auth_trust.look(reach, root)
    try:
        yield
    except BaseException as error:  # whoever interrupts a deployment takes nobody's access either
        before.put_back(error.message if isinstance(error, DeliveryError) else "")
        raise
    before.put_back()
    tell(account, root)


def tell(account: Account, root: RootStack) -> None:
    """Say which auth roles let nobody in: of a run that was killed CloudFormation goes on, and the next one has nothing
    to do, since template and parameters are as they should be."""
    for line in auth_trust.shut(_reach(account), root):
        output.progress(f"note: {line}")


def _reach(account: Account) -> auth_trust.Reach:
    return auth_trust.Reach(account.client, account.place, account.options, output.progress)
