"""Our commands as tests of the engine run them: in the test's process, with a folder and variables of their own."""

from __future__ import annotations

import io
import time

from amplify_delivery_rehearsal.workspace import Finished, Workspace
from unit.command_line import run


def delivery(workspace: Workspace, *arguments: str) -> Finished:
    """`amplify-delivery ARGUMENTS` in the workspace's folder, with its variables alone; all that it says in one text.

    A process of its own, though it is forked of what is loaded already, takes a second of processor time more.
    `pulumi_homes.delivery` is for those that are killed, interrupted, or read while they run, that leave a lease, which
    names the process, or that run beside threads which read this process' variables (a pipeline service's).
    """
    said, began = io.StringIO(), time.monotonic()
    code = run(arguments, workspace.project, workspace.environment, said, said)
    return Finished(code, said.getvalue(), time.monotonic() - began)
