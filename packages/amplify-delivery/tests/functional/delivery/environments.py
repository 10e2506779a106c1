"""An environment of its own for a test: a copy of the project, an account of the local AWS, an engine's home."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from amplify_delivery_rehearsal.conformance.killing import kill_tree
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import Credentials, LocalAws, random_account
from aws_rehearsal.setup import Tools
from aws_rehearsal_tests import initialised_stacks, pulumi_homes
from functional import here
from unit.command_line import ROOT, export

REGION = "eu-central-1"


class Environment:
    """The environment `dev` of one app in a fresh account, with its Pulumi stack made and nothing deployed."""

    def __init__(
        self,
        folder: Path,
        aws: LocalAws,
        tools: Tools,
        cache: Path,
        name: str,
        *,
        passphrase: bool = False,
        killed: bool = False,
    ) -> None:
        """An export by its name. Its secrets are encrypted by a key of the account, or with a `passphrase`. Where its
        engine may be `killed`, or its state cannot be written, what is started, or has a process of its own, saves that
        with each step, as everybody's engine does."""
        self.aws, self.tools = aws, tools
        self.saves_once = True
        """Whether the engine saves its state at its end alone where a test waits for it, and nobody kills it."""
        self.account = random_account()
        self.admin = aws.make_admin(self.account)
        self._clients: dict[tuple[str, Credentials], Any] = {}
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
        home = {**pulumi_homes.warm_home(folder / "home"), **pulumi_homes.UNHEARD}
        home |= {} if killed else pulumi_homes.SAVED_ONCE
        variables = {**clean, **home, **aws.environment(self.admin, REGION), "AMPLIFY_DELIVERY_CACHE": str(cache)}
        self.workspace = Workspace.make(folder, ROOT, variables)
        stack_name = json.loads((export(name) / "amplify-export-manifest.json").read_text())["stackName"]
        self.app = str(stack_name).split("-")[1]
        # The names of buckets are global, and the deployment bucket's is made from the suffix.
        self.suffix = secrets.token_hex(3)[:5]
        self.root = f"amplify-{self.app}-dev-{self.suffix}"
        self.workspace.rename(self.app, self.account, REGION)
        with (self.workspace.project / "Pulumi.dev.yaml").open("a") as file:
            file.write(f'  {self.app}:suffix: "{self.suffix}"\n')
        self.take(name)
        project = self.workspace.project
        key = None if passphrase else initialised_stacks.Key.make(self.client("kms"))
        begun = ("stack", "init", "dev")
        initialised_stacks.init(
            self.app, project, self.state, lambda *given: self.workspace.succeed(*begun, *given), key
        )

    def take(self, name: str) -> None:
        """What `amplify export` and a commit do."""
        self.workspace.put_export(export(name))

    def log_in(self, credentials: Credentials) -> None:
        """Use other credentials from now on."""
        variables = {**self.workspace.environment, **self.aws.environment(credentials, REGION)}
        self.workspace = Workspace(self.workspace.project, variables)

    def plain(self, *arguments: str) -> Finished:
        """The plain command: `pulumi up` is `pulumi up -s dev --yes`."""
        command, *rest = arguments
        return self._waited_for.pulumi(command, "-s", "dev", "--yes", *rest)

    def delivery(self, *arguments: str) -> Finished:
        """`amplify-delivery up` is `amplify-delivery up dev`."""
        command, *rest = arguments
        return here.delivery(self._waited_for, command, "dev", *rest)

    @property
    def _waited_for(self) -> Workspace:
        """For a command that comes to its end by itself."""
        once = pulumi_homes.SAVED_ONCE if self.saves_once else {}
        return Workspace(self.workspace.project, {**self.workspace.environment, **once})

    def process(self, *arguments: str) -> Finished:
        """As `delivery`, in a process of its own: for a run that leaves what names its process, which has to have ended
        when the next one looks for it."""
        command, *rest = arguments
        return self.workspace.run(pulumi_homes.delivery(self.workspace.environment, command, "dev", *rest))

    def configure(self, **values: str) -> None:
        """Set these paths of the stack file, in one command."""
        pairs = [word for path, value in values.items() for word in ("--plaintext", f"{path}={value}")]
        self.workspace.succeed("config", "set-all", "-s", "dev", "--path", *pairs)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A command in the background, in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.workspace.project,
            env=dict(self.workspace.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def client(self, service: str) -> Any:
        """A boto3 client as the administrator of now; the same one when asked again: each takes 10 ms to make."""
        key = service, self.admin
        if key not in self._clients:
            self._clients[key] = self.aws.client(service, self.admin, REGION)
        return self._clients[key]

    @property
    def state(self) -> Path:
        """Where the engine keeps its state."""
        return Path(self.workspace.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))

    def locks(self) -> list[Path]:
        return list(self.state.glob(".pulumi/locks/**/*.json"))

    def leases(self) -> list[Path]:
        return list(self.state.glob(".pulumi/leases/**/*.json"))

    def buckets(self) -> set[str]:
        """Buckets, without the tail that they all have in common."""
        return {b["Name"] for b in self.client("s3").list_buckets()["Buckets"]}

    def status(self) -> str | None:
        """The root stack's status; None when there is none."""
        try:
            return str(self.client("cloudformation").describe_stacks(StackName=self.root)["Stacks"][0]["StackStatus"])
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    @property
    def staging_bucket(self) -> str:
        return f"{self.app}-dev-staging-{self.account}-{REGION}-an"

    def take_name_of_role(self, name: str) -> Callable[[], None]:
        """Make a role of that name, which fails whatever wants to make it; returns what removes it."""
        iam = self.client("iam")
        statement = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        return lambda: iam.delete_role(RoleName=name)


def allow_loss(stack_file: Path, app: str, paths: Iterable[str]) -> None:
    """Let these go, as a person writes it into the stack file."""
    losses = [{"path": path, "reason": "a test", "until": "2999-12-31"} for path in paths]
    stack_file.write_text(
        stack_file.read_text().replace("config:\n", f"config:\n  {app}:dataLoss: {json.dumps(losses)}\n", 1)
    )


def kill(process: subprocess.Popen[str]) -> None:
    """End a command's whole group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def kill_all(process: subprocess.Popen[str]) -> None:
    """End a command that was started warm and everything below it, its engine as well: as a machine that is gone."""
    kill_tree(process.pid, pulumi_homes.server().pid)
    process.wait()
