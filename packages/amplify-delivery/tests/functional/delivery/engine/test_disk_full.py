"""A disk that is full in the middle of an update, on the real engine: said in our words, and gone on with."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.setup import tools
from functional.delivery.environments import Environment
from functional.delivery.outcomes import fails, succeeds

SMALL = """
set -eu
state=$1 size=$2
shift 2
kept=$(mktemp -d)
cp -a "$state/." "$kept"
mount -t tmpfs -o "size=$size" tmpfs "$state"
cp -a "$kept/." "$state"
code=0
"$@" || code=$?
cp -a "$state/." "$kept"
umount "$state"
cp -a "$kept/." "$state"
exit $code
"""
"""A command with a disk of that size for the state, in a namespace of its own: what it leaves is copied back."""
ALONE = ("unshare", "--user", "--map-root-user", "--mount")


def _may_mount() -> bool:
    """Whether this machine gives a user namespaces of her own."""
    return bool(shutil.which("unshare")) and subprocess.run([*ALONE, "true"], check=False).returncode == 0


@pytest.mark.engine
@pytest.mark.skipif(not _may_mount(), reason="no mount without root: user namespaces are switched off here")
def test_a_disk_that_is_full_in_the_middle(local_aws: LocalAws, examined: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment", local_aws, tools(), examined, "todo-series/v1", killed=True)
    state = environment.state / ".pulumi" / "stacks" / environment.app / "dev.json"
    # A process of its own: what is forked from a warm one has that one's disks.
    command = [str(environment.tools.python), "-m", "amplify_delivery", "up", "dev"]
    small = [*ALONE, "sh", "-c", SMALL, "sh", str(environment.state), "64k", *command]
    full = fails(environment.workspace.run(small), "error: dev: the disk is full")
    assert "make room" in full.output
    assert environment.leases() == environment.locks() == []

    # The engine has put what it had written of its state into the state's place.
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(state.read_text())
    cut = fails(environment.delivery("up"), "its state cannot be read", "is cut off")
    copy = f"`cp {state}.bak {state}`"
    assert copy in cut.output
    subprocess.run(copy.strip("`").split(), check=True)
    succeeds(environment.delivery("up"))
    assert "nothing to change" in succeeds(environment.delivery("plan")).output
