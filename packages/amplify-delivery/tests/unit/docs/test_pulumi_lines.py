"""Every command of Pulumi that a page or a message shows is one that the engine takes, with these words and options."""

from __future__ import annotations

import pytest

from aws_rehearsal.setup.tools import tools
from unit.docs.accepted import Command, each_command
from unit.docs.documented import shown
from unit.docs.pulumi_lines import Pulumi
from unit.docs.told import commands_told
from unit.docs.tool_lists import NotTakenError
from unit.rows import hold

pytestmark = pytest.mark.processes

PLANTED = """
pulumi stack init x --secret-provider=y
pulumi stack init x --secrets-provider
pulumi up --stak prod
pulumi up -s
pulumi upp -s prod
pulumi stack initt ann
pulumi stack init ann bob
pulumi -D pipeline up -s main
pulumi config set -s prod --path parameters.apiseriesapp.DynamoDBBillingMode PROVISIONED now
pulumi config set -s prod --pth parameters.apiseriesapp.DynamoDBBillingMode PROVISIONED
pulumi config set acount 123456789012
pulumi config set -s prod --path replacedTable[0].prefix v2-
pulumi config set -s prod
pulumi config rm -s prod --path parametres.root.AuthIdentityPool
pulumi config set-all -s prod --path --plaintext replacedTables[0].path
pulumi config sett account 123456789012
pulumi login --locale
pulumi stack output -s ann stackName twice
pulumi org set-defualt NAME
pulumi package ad .venv/bin/pulumi-resource-amplify-delivery
pulumi plugin instal resource aws VERSION
pulumi destroy prod
pulumi up -s prdo
pulumi config set -s prod --path 'lint.ignre[0].id' E3012
pulumi config set -s prod --path lint.ignore.id E3012
pulumi config set region eu-central1
pulumi config set account 1234
pulumi config set -s prod production yes
pulumi config set -s prod apiKeyExpires 2028-5-1
pulumi stack init stagign
"""
"""Mistakes of writers: each line has one."""


@pytest.fixture(scope="module")
def pulumi(tmp_path_factory: pytest.TempPathFactory) -> Pulumi:
    return Pulumi(tools().engine_root / "bin" / "pulumi", tmp_path_factory.mktemp("pulumi"))


def test_a_command_of_pulumi_is_taken_by_the_engine(pulumi: Pulumi) -> None:
    def check(_: str, command: Command, whole: bool) -> None:
        pulumi.check(command, whole=whole)

    found = [*shown(), *commands_told()]
    rows = [(where, command, whole) for where, command, whole in found if command[0] == "pulumi"]
    assert len(rows) > 250
    hold(check, rows)


def test_a_mistake_is_seen(pulumi: Pulumi) -> None:
    def check(line: str) -> None:
        (command,) = each_command(line)
        with pytest.raises(NotTakenError):
            pulumi.check(command, whole=True)

    hold(check, [(line,) for line in PLANTED.strip().splitlines()])


def test_a_command_is_known_by_its_other_names(pulumi: Pulumi) -> None:
    """`stack init`, as everybody writes it, is `stack new` to the engine."""
    for line in ("pulumi stack init ann", "pulumi stack rm ann", "pulumi stack ls", "pulumi config rm account"):
        pulumi.check(tuple(line.split()), whole=True)
