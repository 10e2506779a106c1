"""A backend that runs, as a client sees it: its stacks are read, by whoever may look at them, and nothing else.

DescribeStacks and ListStackResources, both of CloudFormation, and who is asked (sts:GetCallerIdentity).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from amplify_delivery.changes import deployed
from amplify_delivery.changes.stacks import MASK
from amplify_delivery.client_config import Backend, Declared, Stack, of_assembly, of_export, read_backend
from amplify_delivery.client_config.backend import USER_POOLS
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import ConfigError, RefusedError
from amplify_delivery.export import load_assembly, read_export
from amplify_delivery.findings import listed
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED
from amplify_delivery.publishing.stack_state import described, outputs_of, parameters_of
from amplify_delivery.publishing.stack_states import begins_anew, busy
from amplify_delivery.stacks.inputs import export_folder, root_stack_name

if TYPE_CHECKING:
    from amplify_delivery.stacks.config import EnvironmentConfig

_RIGHTS = (
    "the credentials need cloudformation:DescribeStacks and cloudformation:ListStackResources on the root stack and "
    "its nested stacks; a step of the pipeline asks for it with `clientConfig` instead (docs/front-end.md)"
)
_AT_ONCE = 8
"""Calls in flight: CloudFormation throttles DescribeStacks, and the SDK tries again."""


@dataclass(frozen=True)
class RunningBackend:
    """`stack` is the root's name; `notes` are what a client will not find in its configuration, and why."""

    stack: str
    backend: Backend
    notes: tuple[str, ...]


def read(environment: str, context: Context) -> RunningBackend:
    """The backend of an environment, whose stack file lies in the context's folder.

    What Amplify calls its resources is the export's, or the assembly's that is delivered; what runs, AWS is asked.
    Raises `ConfigError`, `ExportRefused` or `AssemblyError` for the files, `RefusedError` for what AWS says.
    """
    config = stack_files.load(context.folder, environment)
    declared = _declared(config, context)
    name = root_stack_name(config, context.folder, context.project.app)
    return of_stack(Account.of(config), name, declared)


def of_stack(account: Account, name: str, declared: Sequence[Declared]) -> RunningBackend:
    """The backend whose root stack is called `name`. Raises `RefusedError` if it is not there, or is being changed."""
    cloudformation = account.client("cloudformation")
    with account.asking(f"reading stack {name}", dict.fromkeys(ACCESS_DENIED, _RIGHTS)):
        root = described(cloudformation, name)
        status = str(root["StackStatus"]) if root else None
        if root is None or begins_anew(status):
            raise RefusedError(
                "it was not deployed yet",
                where=f"{name}, {account.place}",
                remedy="deploy the environment first: a client's configuration is made of what runs",
            )
        if busy(status):
            raise RefusedError(
                f"its state is {status}: what it will offer is not known yet",
                where=f"{name}, {account.place}",
                remedy="nothing was written; wait until that has ended, then run this again",
            )
        ids = deployed.nested(cloudformation, str(root["StackId"]))
        wanted = [d.resource.logical_id for d in declared if d.resource.logical_id in ids]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(lambda logical_id: described(cloudformation, ids[logical_id]) or {}, wanted))
    stacks = {
        logical_id: Stack(outputs_of(stack), {k: v for k, v in parameters_of(stack).items() if v != MASK})
        for logical_id, stack in zip(wanted, found, strict=True)
    }
    backend = read_backend(declared, stacks, account.region)
    return RunningBackend(name, backend, tuple(_notes(declared, stacks.keys(), backend)))


def _declared(config: EnvironmentConfig, context: Context) -> tuple[Declared, ...]:
    folder = context.assembly or config.assembly
    if not folder:
        return of_export(read_export(export_folder(config, context.folder)))
    return of_an_assembly(context.folder / folder)


def of_an_assembly(folder: Path) -> tuple[Declared, ...]:
    """The resources of an assembly's folder. Raises `AssemblyError`, or `ConfigError` if it does not know them."""
    declared = of_assembly(load_assembly(folder))
    if not declared:
        raise ConfigError(
            "this assembly does not say what Amplify calls its resources: an earlier version has made it",
            where=str(folder),
            remedy="assemble the export again (`amplify-delivery assemble --out DIR`), or name the export (`export`) "
            "in the stack file for this command; nothing was written",
        )
    return declared


def _notes(declared: Sequence[Declared], running: Collection[str], backend: Backend) -> Iterator[str]:
    missing = [f"{r.category}/{r.name}" for d in declared if (r := d.resource).logical_id not in running]
    if missing:
        yield f"not deployed, so left out: {listed(missing)}"
    users = [a.name for a in backend.graphql if USER_POOLS in (a.authorization, *a.additional)]
    if users and backend.auth is None:
        yield (
            f"users of api/{users[0]} sign in with a user pool that the export does not hold (an imported one): write "
            "its ids, and those of its app clients, into the configuration yourself"
        )
