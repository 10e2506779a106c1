"""Who plays: the owner of each account, with her credentials and nothing else, and the commands that she runs."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from amplify_delivery.errors import REFUSED, FailedError
from amplify_delivery_rehearsal import commands
from aws_rehearsal.local_aws import Credentials, LocalAws

Line = Callable[[str], None]
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 - a variable's name


@dataclass(frozen=True)
class Person:
    """An administrator of one account. `variables` are what her terminal has in its environment; `told` gets each
    command as she types it, `line` each line of its output."""

    name: str
    account: str
    region: str
    credentials: Credentials
    aws: LocalAws
    folder: Path
    variables: Mapping[str, str]
    told: Callable[[Person, str], None]
    line: Line

    def client(self, service: str, region: str = "") -> Any:
        """A boto3 client with her credentials, by default in her region."""
        return self.aws.client(service, self.credentials, region or self.region)

    def logged_in(self, backend: str) -> Person:
        """The same person after `pulumi login`: her stacks are encrypted with keys, not with a passphrase."""
        kept = {name: value for name, value in self.variables.items() if name != PASSPHRASE}
        return replace(self, variables={**kept, "PULUMI_BACKEND_URL": backend})

    def pulumi(self, *arguments: str) -> str:
        """The plain command; its output. Raises `FailedError` when it fails."""
        self.told(self, shlex.join(["pulumi", *arguments]))
        return self._run(["pulumi", *arguments, "--non-interactive"])

    def delivery(self, *arguments: str) -> str:
        """`amplify-delivery`; its output. Raises `FailedError` when it fails."""
        self.told(self, shlex.join(["python", "-m", "amplify_delivery", *arguments]))
        return self._run([sys.executable, "-m", "amplify_delivery", *arguments])

    def refused(self, *arguments: str) -> str:
        """`amplify-delivery` that has to refuse, with nothing changed; its output. Raises `FailedError` if it does
        not."""
        command = ["-m", "amplify_delivery", *arguments]
        self.told(self, shlex.join(["python", *command]))
        code, output = commands.run([sys.executable, *command], self.folder, self.variables, self.line)
        if code != REFUSED:
            raise FailedError(
                f"exit code {code}, not {REFUSED}\n{output.rstrip()}",
                where=f"{shlex.join(command)} ({self.name})",
                remedy="this is a defect of the project: please report it, with the lines above",
            )
        return output

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        """A call of an AWS API; it is told as the line of the AWS CLI that makes the same one. Its answer."""
        self.told(self, aws_command(service, operation, parameters))
        return getattr(self.client(service), operation)(**parameters)

    def _run(self, command: list[str]) -> str:
        code, output = commands.run(command, self.folder, self.variables, self.line)
        if code:
            raise FailedError(
                f"exit code {code}\n{output.rstrip()}",
                where=f"{shlex.join(command)} ({self.name})",
                remedy="the message above is the command's own; `--keep` leaves everything to look at",
            )
        return output


def aws_command(service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    """A call as the AWS CLI takes it: its operations and parameters are the API's, in lower case with hyphens."""
    words = ["aws", service, operation.replace("_", "-")]
    for name, value in parameters.items():
        text = (
            ",".join(f"{key}={shlex.quote(item) if ' ' in item else item}" for key, item in value.items())
            if isinstance(value, Mapping)
            else " ".join(value)
            if isinstance(value, list)
            else str(value)
        )
        words += [f"--{re.sub('(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '-', name).lower()}", text]
    return shlex.join(words)


def terminal(home: Mapping[str, str], aws: LocalAws, credentials: Credentials, region: str) -> dict[str, str]:
    """A terminal's environment: that of whoever rehearses, without her AWS and Pulumi settings."""
    dropped = ("AWS_", "PULUMI_", "PYTHONDONTWRITE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, **home, **aws.environment(credentials, region)}
