"""The stack file of a pipeline whose account is never asked: environments are let in by what it names."""

from __future__ import annotations

from pathlib import Path

TOOLING = "111111111111"


def write_pipeline(project: Path, app: str, environment: str) -> None:
    """`Pulumi.pipeline.yaml` in the project's folder, with one stage of one environment."""
    connection = f"arn:aws:codeconnections:us-east-1:{TOOLING}:connection/5e6f7a8b"
    lines = (
        "program: pipeline",
        f'account: "{TOOLING}"',
        "region: us-east-1",
        f"source: {{connection: '{connection}', repository: example/app}}",
        f"stages: [{{name: Stage, environments: [{environment}]}}]",
    )
    (project / "Pulumi.pipeline.yaml").write_text("config:\n" + "".join(f"  {app}:{line}\n" for line in lines))
