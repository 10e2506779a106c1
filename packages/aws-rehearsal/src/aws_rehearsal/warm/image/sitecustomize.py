"""For the PYTHONPATH of an image: what `REHEARSAL_WARM` names is started warm as `python -m` (`warm/commands.py`).

Python imports this before it runs anything. Where no server takes it, the command goes on as it was started.
"""

import os
import sys

_PYTHON, *_MODULES = os.environ.get("REHEARSAL_WARM", "").split(os.pathsep)


def _ask() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    client = os.path.join(os.path.dirname(here), "client.py")  # noqa: PTH118, PTH120
    code = {"__name__": "client", "__file__": client}
    with open(client, encoding="utf-8") as source:  # noqa: PTH123
        exec(compile(source.read(), client, "exec"), code)  # noqa: S102 - our own launcher's
    code["command"](_PYTHON)  # type: ignore[operator]


if sys.orig_argv[1:2] == ["-m"] and sys.orig_argv[2] in _MODULES:
    _ask()
