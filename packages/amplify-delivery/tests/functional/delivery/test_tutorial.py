"""docs/tutorial.md, followed word by word: its commands in one shell, with what a reader has on her machine.

Three things stand in for others: the local AWS for AWS, `amplify export` is a script that writes committed exports one
after the other, and what pip would fetch is this Python's, as no index is asked: with the engine's wheel comes all but
what only requirements.lock names, that is what the project's tests run with.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from amplify_delivery_rehearsal.conformance.proxy import Proxy
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.warm.commands import VARIABLE
from aws_rehearsal_tests import pulumi_homes
from functional.delivery.scaffold.built_wheels import released
from unit.command_line import export
from unit.places import PYTEST_AS_LOCKED, REPOSITORY

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("tutorial")]

PAGE = REPOSITORY / "docs" / "tutorial.md"
SHELL = re.compile(r"^```sh\n((?:.+\n)+)```$", re.M)
ACCOUNT, REGION = "123456789012", "eu-central-1"
"""Those of the page."""
AMPLIFY = """#!/bin/bash
# The Amplify CLI: each export holds one more change than the one before.
set -e
[ "$1 $2" = "export --out" ]
for number in 1 2; do
    if [ -d "$HOME/exports/$number" ]; then
        rm -rf "$3/amplify-export-seriesapp"
        mv "$HOME/exports/$number" "$3/amplify-export-seriesapp"
        exit
    fi
done
exit 1
"""
TESTING = ("_pytest", "iniconfig", "pluggy", "py.py", "pytest")
"""What names in site-packages begin with that no wheel of ours asks for, and requirements.lock does."""
PIP = """
python3() {
    [ "$*" = "-m venv .venv" ] && command python3 -m venv --without-pip .venv
}
pip() {
    case "$*" in
        *requirements.lock) export PYTHONPATH="$LOCKED" && python "$HOME/locked.py" ;;
        *) command python -m pip "$@" ;;
    esac
}
"""
"""pip itself is this Python's, too: a virtualenv's own takes three seconds to unpack and compile."""
LOCKED = """
import importlib.metadata
from packaging.requirements import Requirement
for line in open("requirements.lock"):
    pinned = Requirement(line.partition(" \\\\")[0]) if "==" in line else None
    if pinned and (not pinned.marker or pinned.marker.evaluate()):
        assert importlib.metadata.version(pinned.name) in pinned.specifier, line
"""


def sections() -> dict[str, str]:
    """The commands of each section, by its title."""
    before, *parts = re.split(r"^## (\d\. .+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert "```" not in before
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert all(body.count("```") == 2 * len(SHELL.findall(body)) for body in found.values()), "a block that is not run"
    return {title: "\n".join(SHELL.findall(body)) for title, body in found.items()}


def reader(home: Path, aws: LocalAws, account: str, wheels: Iterable[Path]) -> dict[str, str]:
    """What a reader has on her machine; the environment of her shell."""
    dist = home / "amplify-delivery" / "dist"
    dist.mkdir(parents=True)
    for wheel in wheels:
        shutil.copy(wheel, dist)
    for number, name in enumerate(("todo-series/v1", "todo-series/v2"), 1):
        shutil.copytree(export(name), home / "exports" / str(number))
    (home / "work" / "todo").mkdir(parents=True)
    amplify = home / "bin" / "amplify"
    amplify.parent.mkdir()
    amplify.write_text(AMPLIFY)
    amplify.chmod(0o755)
    (home / "locked.py").write_text(LOCKED)
    (home / "site").mkdir()
    for installed in Path(sysconfig.get_path("purelib")).iterdir():
        if not installed.name.startswith(TESTING):
            (home / "site" / installed.name).symlink_to(installed)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_", "PIP_", "VIRTUAL_"))}
    engine = pulumi_homes.warm_home(home / "pulumi")
    del engine["PULUMI_CONFIG_PASSPHRASE"]
    commands = pulumi_homes.as_typed(home / "pulumi")
    return {
        **clean,
        **engine,
        **aws.environment(aws.make_admin(account), REGION),
        "HOME": str(home),
        "PATH": f"{amplify.parent}:{engine['PATH']}",
        "PIP_COMPILE": "0",  # a second for byte code, most of it of what is not imported
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PYTHONPATH": str(home / "site"),
        **PYTEST_AS_LOCKED,
        # Once all that is locked is there, commands start warm, with this Python's packages and the reader's engine.
        "LOCKED": commands["PYTHONPATH"],
        VARIABLE: commands[VARIABLE],
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(scope="module")
def proxy(local_aws: LocalAws) -> Iterator[Proxy]:
    """What notes the calls of AWS."""
    with Proxy(local_aws.port or 0) as made:
        yield made


@pytest.fixture(scope="module")
def said(
    local_aws: LocalAws, proxy: Proxy, examined: Path, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, str]:
    """What the commands of each section have printed, by its number."""
    account = random_account()
    environment = {
        **reader(home, local_aws, account, released(tmp_path_factory).values()),
        "AMPLIFY_DELIVERY_CACHE": str(examined),
        "AWS_ENDPOINT_URL": proxy.endpoint,
    }
    script = ["set -eo pipefail", "exec 2>&1", PIP]
    for title, commands in sections().items():
        script += [f"echo; echo '## {title}'", commands.replace(ACCOUNT, account)]
    ran = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=home / "work",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:]
    parts = re.split(r"^## (\d)\. .+$", ran.stdout, flags=re.MULTILINE)
    return {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_each_section_does_what_the_page_says(said: dict[int, str]) -> None:
    assert len(said) == len(sections()) == 7
    assert all(commands for commands in sections().values())
    assert "3 repaired" in said[2]
    assert "passed" in said[2]
    assert "0 error" in said[3]
    assert "+ 15 created" in said[3]
    assert said[3].count("15 unchanged") == 2  # the second `up`: as previewed and as done
    assert re.search(r"(?m)^ann: 9 changes$", said[5])
    assert json.loads(said[5].strip().splitlines()[-1])["environment"] == "ann"
    assert re.search(r"(?m)^~ +apiseriesapp/GraphQLAPITransformerSchema\w+ +AWS::AppSync::GraphQLSchema", said[6])
    refused, gone = said[7].split("refused, as it should be")
    assert "AWS::DynamoDB::Table" in refused
    assert "ann: 25 resources deleted" in gone
    assert re.search(r"(?m)^  apiseriesapp: deleted in \d+ s$", gone)  # while it goes, as of every deployment


def test_nothing_needs_the_amplify_service(said: dict[int, str], proxy: Proxy) -> None:
    """Gen 1's CLI and service may end: a committed export is delivered, and a front end configured, without both."""
    assert said
    services = {call.partition(":")[0] for call in proxy.calls}
    assert {"cloudformation", "s3", "sts"} <= services
    assert not {service for service in services if service.startswith("amplify")}


def test_the_front_end_is_configured_for_what_ran(said: dict[int, str], home: Path) -> None:
    endpoint = re.search(r'graphqlEndpoint: "(https?://\S+)"', said[3])
    assert endpoint
    configuration = json.loads((home / "work/todo/src/amplifyconfiguration.json").read_text())
    assert configuration["aws_appsync_graphqlEndpoint"] == endpoint[1]
