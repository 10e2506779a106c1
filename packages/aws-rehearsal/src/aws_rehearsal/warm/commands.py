"""Commands that start warm, as plugins do: in the image of a build, or at a person's terminal.

Each loads Pulumi's SDK, boto3 and cfn-lint first, for half a second to a second of processor time. An interpreter that
finds `image/sitecustomize.py` on its PYTHONPATH asks the server of its Pulumi home before it begins (`client.py`): it
has by then worked out where it finds modules, in which virtualenv, and the fork begins with just that. What it would
load from another place than the server, such as the engine that Build has packed, it loads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from aws_rehearsal.warm import IMAGE

VARIABLE = "REHEARSAL_WARM"


def warm_commands(python: Path, names: Iterable[str], search_path: str = "") -> dict[str, str]:
    """What an environment with this PYTHONPATH needs for `python -m MODULE`, or scripts of these names, to start warm:
    they ask the server of their Pulumi home. `python` is that server's."""
    path = os.pathsep.join(filter(None, (str(IMAGE), search_path)))
    return {"PYTHONPATH": path, VARIABLE: os.pathsep.join((str(python.absolute()), *names))}


def run() -> None:
    """In the fork: the command that was asked for, and nothing else."""
    from aws_rehearsal.warm.isolation import leave_no_trace

    paths, prefixes, *given = sys.argv[1:]
    search_path, given = given[: int(paths)], given[int(paths) :]
    found, (executable, *command) = given[: int(prefixes)], given[int(prefixes) :]
    leave_no_trace()
    import importlib
    import runpy
    import site
    import sysconfig

    sys.path[:] = [str(Path.cwd()), *search_path]
    sys.executable, sys.orig_argv = executable, command
    if found[0] != sys.prefix:
        sys.prefix = sys.exec_prefix = found[0]
        site.PREFIXES[:] = found
        importlib.reload(sysconfig)
    _, first, *arguments = command
    if first != "-m":
        sys.path[0] = os.path.dirname(os.path.realpath(first))  # noqa: PTH120
        sys.argv = [first, *arguments]
        runpy.run_path(first, run_name="__main__")
        return
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
