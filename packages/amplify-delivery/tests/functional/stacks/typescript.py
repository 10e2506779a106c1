"""What a program in TypeScript has beside it, as docs/other-languages.md says: Pulumi's own language host for Node.js,
what npm installs, and the SDK that Pulumi's own generator makes of the schema.

Built and fetched they cost half a minute of a processor, and a look at npm's registry: `make languages` does it.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from amplify_delivery.stacks.packaged import documentation, host
from aws_rehearsal.setup.language_hosts import ensure_node_host, ensure_sdk_generator
from aws_rehearsal.setup.node import ensure_node
from aws_rehearsal.setup.progress import Progress
from aws_rehearsal_tests.absent import fetched
from aws_rehearsal_tests.pulumi_project import PulumiProject

OPT_IN = pytest.mark.skipif(not os.environ.get("AMPLIFY_DELIVERY_LANGUAGES"), reason="`make languages` runs it")
SDK = Path("sdks/amplify-delivery")
"""Where `pulumi package add` writes it."""
IMPORT = 'import * as amplify from "@pulumi/amplify-delivery";'


def block(language: str, containing: str) -> str:
    """The one block of the page in that language."""
    (found,) = [b for b in blocks(language) if containing in b]
    return found


def blocks(language: str) -> list[str]:
    """All of them, in the page's order."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", documentation.page())


def has_host(project: PulumiProject) -> None:
    """The language host lies where the project's engine finds plugins."""
    with fetched("language host of Pulumi for Node.js"):
        built = ensure_node_host(Progress())
    plugin = Path(project.home["PULUMI_HOME"]) / "plugins" / "language-nodejs-v3.68.0" / built.name
    plugin.parent.mkdir(parents=True, exist_ok=True)
    if not plugin.exists():
        plugin.symlink_to(built)


def with_packages(program: Path) -> None:
    """What the page's commands leave in a program's folder, the SDK that is generated among it."""
    with fetched("generator of Pulumi's SDKs for Node.js"):
        generator, node = ensure_sdk_generator(Progress()), ensure_node(Progress())
    (program / "package.json").write_text(block("json", '"main"'))
    schema = program / "schema.json"
    schema.write_text(host.schema())
    subprocess.run([generator, schema, program / SDK], check=True)
    schema.unlink()
    commands = [line.split()[1:] for b in blocks("") for line in b.splitlines() if line.startswith("npm install")]
    assert len(commands) == 2
    path = f"{node.binary.parent}{os.pathsep}{os.environ['PATH']}"
    for command in (*commands, ["install", f"./{SDK}"]):
        subprocess.run([*node.npm, *command], cwd=program, env={**os.environ, "PATH": path}, check=True)
