"""What a rehearsal tells a person, or with `--json` a program. No colour codes when piped (rich sees to that)."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.table import Table

from amplify_delivery_rehearsal.commands import typed_by_a_person
from amplify_delivery_rehearsal.workspace import LOOKED_AT

SHOWN = 10
"""Touched resources that are named on the screen; `--json` names all."""


class Console:
    """Progress goes to the terminal, or to stderr when stdout is for a program."""

    def __init__(self, json_output: bool) -> None:
        self.json_output = json_output
        self.out = RichConsole(file=sys.stderr if json_output else sys.stdout, highlight=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        self.out.print(f"\n[bold]{escape(text)}[/bold]")

    def step(self, text: str) -> None:
        self.out.print(f"[dim]{escape(text)} ...[/dim]")

    def done(self, text: str) -> None:
        self.out.print(f"  {escape(text)}")

    def command(self, text: str) -> None:
        self.out.print(f"  [cyan]$ {escape(text)}[/cyan]")

    def line(self, text: str) -> None:
        """A line of the engine's own output."""
        if text.strip():
            self.out.print(f"[dim]  | {escape(text)}[/dim]")

    def problem(self, text: str) -> None:
        self.out.print(f"[red]{escape(text)}[/red]")

    def delivered(self, told: Any, inventory: Any) -> None:
        services = ", ".join(f"{count} {service}" for service, count in inventory.by_service().items())
        self.out.print(f"  {told.stacks} stacks, {told.resources} resources: {escape(services)}")
        for name in told.touched[:SHOWN]:
            self.out.print(f"  touched {escape(name)}")
        if len(told.touched) > SHOWN:
            self.out.print(f"  ... and {len(told.touched) - SHOWN} more")
        if told.touched or told.expected:
            self.out.print(f"  {len(told.touched)} touched, as `compare` said")
        for name, value in sorted(inventory.outputs.items()):
            if "Endpoint" in name or name.endswith(("ApiId", "UserPoolId")):
                self.out.print(f"  {escape(name)} = {escape(value)}")

    def kept(self, aws: Any, workspace: Any, region: str, environment: str) -> None:
        """How to look into a local AWS that was left running."""
        wanted = ("AWS_", "PULUMI_", "PATH")
        variables = {**workspace.environment, "PATH": typed_by_a_person(workspace.environment["PATH"])}
        lines = [f"export {k}='{v}'" for k, v in sorted(variables.items()) if k.startswith(wanted)]
        file = workspace.project.parent / "environment.sh"
        file.write_text("\n".join([*lines, f"export {LOOKED_AT}='{workspace.project}'"]) + "\n")
        file.chmod(0o600)
        self.out.print(
            f"\nThe local AWS goes on at {aws.endpoint} (process {aws.pid}). To look into it:\n"
            f"  . {file}\n"
            f"  cd {workspace.project} && pulumi stack -s {environment}\n"
            f"  aws cloudformation describe-stacks --region {region}\n"
            f"  amplify-delivery client-config {environment} --out DIR\n"
            "CodePipeline and CodeBuild have ended with this command; `amplify-delivery rehearse --keep`, without an "
            "export, plays a pipeline and leaves them, too.\n"
            f"To end it: kill {aws.pid}; rm -rf {file.parent}"
        )

    def summary(self, told: list[dict[str, Any]], seconds: float, code: int) -> None:
        """One screen of what happened, or the JSON document."""
        if self.json_output:
            print(json.dumps({"exit_code": code, "seconds": round(seconds, 1), "deliveries": told}, indent=1))
            return
        table = Table(title=None, box=None, pad_edge=False)
        for column in ("delivery", "outcome", "seconds", "stacks", "resources", "touched"):
            table.add_column(column, justify="left" if column in ("delivery", "outcome") else "right")
        for item in told:
            first = item is told[0] and item["outcome"] == "delivered"
            touched = "all" if first else str(len(item["touched"])) if item["outcome"] == "delivered" else ""
            table.add_row(
                escape(item["title"]),
                item["outcome"],
                f"{item['seconds']:.1f}" if item["seconds"] else "",
                str(item["stacks"] or ""),
                str(item["resources"] or ""),
                touched,
            )
        self.out.print()
        self.out.print(table)
        verdict = "done in" if code == 0 else "failed after"
        self.out.print(f"\nRehearsal {verdict} {seconds:.1f} s.")
