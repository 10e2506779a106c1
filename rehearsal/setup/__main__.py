"""`python3 -m rehearsal.setup [environment|all]`: make what is missing. Runs under the system's Python.

`environment` makes the project's own Python environment only (what lint needs), `all` everything.
"""

from __future__ import annotations

import sys


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this may have an older one
        print("Python 3.11 or newer is needed, this is " + sys.version.split()[0], file=sys.stderr)
        return 1
    from amplify_export.errors import SetupError  # noqa: PLC0415 - needs that Python
    from rehearsal.setup import ensure_all, environments  # noqa: PLC0415
    from rehearsal.setup.progress import Progress  # noqa: PLC0415
    from rehearsal.setup.tools import LOCK  # noqa: PLC0415

    progress = Progress(sys.stderr)
    try:
        if sys.argv[1:] == ["environment"]:
            environments.clean_python_environment()
            environments.ensure(environments.project_environment(), LOCK, "Python environment .venv", progress)
        else:
            ensure_all(progress)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
