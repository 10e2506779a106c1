"""What the CDK lets its users choose, as its own packages declare it: the list that the tables of docs/ are held to.

    npm pack aws-cdk-lib aws-cdk; tar xzf ... -C LIB; tar xzf ... -C CLI
    python -m unit.docs.cdk_options LIB/package CLI/package > .../unit/docs/cdk_options.json

A newer version makes the tests name what has no row yet.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_COLUMN = 44

FILE = Path(__file__).with_suffix(".json")

_PIPELINES = "pipelines/lib"
_INTERFACES = {
    "StackProps": "core/lib/stack.d.ts",
    "StageProps": "core/lib/stage.d.ts",
    "CodePipelineProps": f"{_PIPELINES}/codepipeline/codepipeline.d.ts",
    "CodeBuildOptions": f"{_PIPELINES}/codepipeline/codepipeline.d.ts",
    "ShellStepProps": f"{_PIPELINES}/blueprint/shell-step.d.ts",
    "CodeBuildStepProps": f"{_PIPELINES}/codepipeline/codebuild-step.d.ts",
    "ManualApprovalStepProps": f"{_PIPELINES}/blueprint/manual-approval.d.ts",
    "StageDeploymentProps": f"{_PIPELINES}/blueprint/stage-deployment.d.ts",
    "AddStageOpts": f"{_PIPELINES}/blueprint/wave.d.ts",
    "WaveOptions": f"{_PIPELINES}/blueprint/wave.d.ts",
    "StackSteps": f"{_PIPELINES}/blueprint/step.d.ts",
    "ConnectionSourceOptions": f"{_PIPELINES}/codepipeline/codepipeline-source.d.ts",
    "GitHubSourceOptions": f"{_PIPELINES}/codepipeline/codepipeline-source.d.ts",
    "CodeCommitSourceOptions": f"{_PIPELINES}/codepipeline/codepipeline-source.d.ts",
    "S3SourceOptions": f"{_PIPELINES}/codepipeline/codepipeline-source.d.ts",
    "ECRSourceOptions": f"{_PIPELINES}/codepipeline/codepipeline-source.d.ts",
    "ExternalDockerCredentialOptions": f"{_PIPELINES}/docker-credentials.d.ts",
    "EcrDockerCredentialOptions": f"{_PIPELINES}/docker-credentials.d.ts",
}


def kept() -> dict[str, Any]:
    """The list: versions of both packages, properties by interface, flags of `cdk bootstrap`."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def _properties(library: Path, interface: str) -> list[str]:
    text = (library / _INTERFACES[interface]).read_text()
    (body,) = re.findall(rf"^export interface {interface}\b[^{{]*\{{$(.*?)^\}}$", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^    readonly (\w+)\??:", body, re.MULTILINE)


def _flags(cli: Path, *command: str) -> set[str]:
    """What `--help` lists. Its column of names is as wide as all but the longest, whose ends stand in the next line."""
    shown = subprocess.run(["node", cli / "bin/cdk", *command, "--help"], capture_output=True, text=True, check=True)
    lines = [line[:_COLUMN].rstrip() for line in shown.stdout.partition("Options:")[2].splitlines()]
    names = "".join(f"\n{line}" if line.startswith("  -") else line.strip() for line in lines)
    return set(re.findall(r"(?<=[\s,])--[a-z][a-z-]+", names))


def main(library: Path, cli: Path) -> None:
    """Print the list of the two unpacked packages."""

    def version(package: Path) -> str:
        return str(json.loads((package / "package.json").read_text())["version"])

    found = {
        "aws-cdk-lib": version(library),
        "aws-cdk": version(cli),
        "properties": {name: _properties(library, name) for name in _INTERFACES},
        "bootstrap": sorted(_flags(cli, "bootstrap") - _flags(cli)),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
