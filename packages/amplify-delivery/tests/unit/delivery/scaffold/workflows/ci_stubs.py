"""Commands of a CI's jobs that note how they were called, and make what the jobs hand on: no engine, and no AWS.

What a command does is held elsewhere. Here it is whether it is called, by which job, and with what.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from amplify_delivery import cli

NOTED = (
    "AMPLIFY_DELIVERY_EXAMINED", "AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_REGION", "GH_TOKEN", "GITLAB_TOKEN",
    "PULUMI_BACKEND_URL",
)  # fmt: skip
"""Variables by which a command does something else."""
_TOOL = r"""#!/bin/bash
{ printf %s "${0##*/}"
  [ $# = 0 ] || printf ' %q' "$@"
  for name in NOTED; do [ -z "${!name:-}" ] || printf ' %s=%q' "$name" "${!name}"; done
  echo
} >> "$CALLS"
value_of() { local option=$1; shift; while [ "$1" != "$option" ]; do shift; done; echo "$2"; }
case "$*" in # as pip would: in the project
  "-m pip "*) [ -f requirements.lock ] || exit 1 ;;
esac
case "${0##*/} $*" in
  "python3 -m venv "*)
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    cp "$0" "$3/bin/amplify-delivery"
    echo "PATH=$(cd "$3/bin" && pwd):\$PATH" > "$3/bin/activate" ;;
  "python3 - "*) cp "$2" "$3" ;;
  "amplify-delivery pack "*)
    echo packed > "$(value_of --out "$@")"
    echo ARTIFACT_DIGEST=d1 >> "$(value_of --variables "$@")" ;;
  "amplify-delivery start "*" publish "*) grep -q packed "$(value_of --artifact "$@")" ;;
  "amplify-delivery start "*" plan "*)
    echo "The plan of $2"
    echo "PLAN_DIGEST=p-$2" >> "$(value_of --variables "$@")"
    exit "${PLAN_ENDS:-0}" ;;
  "amplify-delivery client-config "*) mkdir -p "$(value_of --out "$@")" ;;
  "amplify-delivery plan "*) echo "The plan"; exit "${PLAN_ENDS:-0}" ;;
esac
"""


class Stubs:
    """Such commands in a folder of their own, which stands first in the jobs' path. The engine, and the `python` that
    has it, are only where a job has made a virtualenv of it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.calls = folder / "stubs", folder / "calls"
        self.path.mkdir(parents=True)
        for name in ("python3", "gh"):
            (self.path / name).write_text(_TOOL.replace("NOTED", " ".join(NOTED)))
            (self.path / name).chmod(0o755)
        self.variables = {"PATH": f"{self.path}:/usr/bin:/bin", "CALLS": str(self.calls)}

    def shell(self, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
        """Run a step of a job."""
        ran = subprocess.run(command, cwd=folder, env=dict(variables), capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout + ran.stderr

    def called(self, **places: Path) -> list[str]:
        """What was called since this was asked last, a line each, with the name of a place for its path. A call of
        `amplify-delivery` is one that its parser takes: it ends the test otherwise."""
        text = self.calls.read_text() if self.calls.exists() else ""
        self.calls.unlink(missing_ok=True)
        for name, place in places.items():
            text = text.replace(str(place), name)
        for line in text.splitlines():
            words = [word for word in shlex.split(line) if word.partition("=")[0] not in NOTED]
            if words[0] == "amplify-delivery":
                cli.parser(words[1]).parse_args(words[1:])
        return text.splitlines()
