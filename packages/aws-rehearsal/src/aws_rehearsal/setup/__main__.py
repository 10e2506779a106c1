"""`python3 -m aws_rehearsal.setup [environment]`: the set-up, under any Python 3.11 or newer with no package installed.

`environment` makes the project's own Python environment only (what lint needs); without it everything is made.
"""

from __future__ import annotations

import sys

from amplify_delivery.errors import SetupError
from aws_rehearsal.setup.environments import ensure_environment, project_environment
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal.setup.tools import ensure_all


def main(arguments: list[str]) -> int:
    """0 when everything is there, 1 when something could not be had, 2 for a wrong argument, 130 when interrupted."""
    if arguments not in ([], ["environment"]):
        sys.stderr.write("usage: python3 -m aws_rehearsal.setup [environment]\n")
        return 2
    try:
        if arguments:
            ensure_environment(project_environment(), Progress())
        else:
            ensure_all(Progress())
    except SetupError as error:
        sys.stderr.write(f"set-up: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("set-up interrupted: run it again, it goes on where it was\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
