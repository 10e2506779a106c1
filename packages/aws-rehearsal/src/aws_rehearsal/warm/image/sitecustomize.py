"""For the PYTHONPATH of an image: the modules (`python -m`) and scripts that `REHEARSAL_WARM` names are started warm
(`warm/commands.py`).

Python imports this before it runs anything. Where no server takes it, the command goes on as it was started.
"""

import os
import sys

_PYTHON, *_NAMES = os.environ.get("REHEARSAL_WARM", "").split(os.pathsep)


def _ask() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    client = os.path.join(os.path.dirname(here), "client.py")  # noqa: PTH118, PTH120
    code = {"__name__": "client", "__file__": client}
    with open(client, encoding="utf-8") as source:  # noqa: PTH123
        exec(compile(source.read(), client, "exec"), code)  # noqa: S102 - our own launcher's
    code["command"](_PYTHON)  # type: ignore[operator]


_first, _second = [*sys.orig_argv[1:3], "", ""][:2]
if (_second if _first == "-m" else os.path.basename(_first)) in _NAMES:  # noqa: PTH119
    _ask()
