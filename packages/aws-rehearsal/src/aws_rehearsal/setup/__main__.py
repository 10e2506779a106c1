"""`python -m aws_rehearsal.setup`: the set-up, for the virtualenv of the Python that runs it.

With `--project DIR` under any Python 3.11 or newer with no package installed: for this package's own repository, whose
virtualenv `.venv` is made too; with `--environment` that one only (what lint needs), with `--tests` also what only
this repository's tests need.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from aws_rehearsal.errors import SetupError
from aws_rehearsal.setup.environments import ensure_environment, project_environment
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.tools import ensure_all


def main(arguments: list[str]) -> int:
    """0 when everything is there, 1 when something could not be had, 2 for a wrong argument, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m aws_rehearsal.setup")
    parser.add_argument("--project", type=Path, metavar="DIR", help="the repository whose .venv is made")
    parser.add_argument("--environment", action="store_true", help="nothing but that .venv")
    parser.add_argument("--tests", action="store_true", help="also what only the repository's own tests need")
    args = parser.parse_args(arguments)
    if (args.environment or args.tests) and not args.project:
        parser.error("--environment and --tests want --project")
    project = args.project.resolve() if args.project else None
    try:
        if args.environment and project:
            ensure_environment(project_environment(project), Progress())
        else:
            ensure_all(Progress(), project / ".venv" if project else None, tests=args.tests)
    except SetupError as error:
        sys.stderr.write(f"set-up: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("set-up interrupted: run it again, it goes on where it was\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
