"""A pushed app with its data in an account of its own, and the project of a team that is about to adopt it."""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from amplify_delivery_rehearsal.amplify_push import CloudBackend
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal_tests import initialised_stacks, pulumi_homes
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.pulumi_cloud import PulumiCloud
from functional import here
from functional.adoption.pushed_apps import DELIVERABLE, FURTHER, STACK, FurtherApp, PushedApp, Running, fill, running
from unit.command_line import ROOT
from unit.command_line import delivery as in_this_process
from unit.places import REPOSITORY

_BRACED = re.compile(r"\$\{(\w+)\}")
ROOT_STACK = "aws:cloudformation/stack:Stack"


def a_day() -> date:
    """One on which an API key may expire."""
    return datetime.now(UTC).date() + timedelta(days=200)


class Adoptable:
    """The app `name`, pushed and filled, and a project whose only stack file says account, region and key alone."""

    def __init__(
        self,
        name: str,
        folder: Path,
        aws: LocalAws,
        examined: Path,
        *,
        construct: bool = False,
        encrypted_by: str = "key",
        killed: bool = False,
        cloud: PulumiCloud | None = None,
    ) -> None:
        """With `construct`: as if the CDK construct had made it. `encrypted_by` what the adoption finds: a "key", as
        the team has written it into the stack file, or else whatever the engine takes by itself, a passphrase. Where
        its engine may be `killed`, it saves its state with each step. With `cloud` somebody is logged in there, and it
        encrypts."""
        kind = FurtherApp if name in FURTHER else PushedApp
        self.app = kind.unpack(name, folder / "app")
        if construct:
            vars(self.app)["backend"] = inlined(self.app.backend)
        account = random_account()
        self.there = LocalAccount(aws, account, aws.make_admin(account), self.app.region)
        self.app.bring(self.there.client)
        fill(self.there.client, self.app.stack_name)
        self.stack = self.app.environment
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
        home = {**pulumi_homes.warm_home(folder / "home"), **pulumi_homes.UNHEARD}
        home |= {} if killed else pulumi_homes.SAVED_ONCE
        variables = {**clean, **home, **self.there.environment, "AMPLIFY_DELIVERY_CACHE": str(examined)}
        self.workspace = Workspace.make(folder, ROOT, variables)
        self.workspace.rename(self.app.project, account, self.app.region)
        (self.workspace.project / "Pulumi.dev.yaml").rename(self.file)
        self._cloud = cloud
        if cloud:
            kept = {k: v for k, v in self.workspace.environment.items() if not k.startswith("PULUMI_CONFIG")}
            self.workspace = Workspace(self.workspace.project, {**kept, **cloud.variables})
        elif encrypted_by == "key":
            key = initialised_stacks.Key.make(self.there.client("kms"))
            self.file.write_text(f"{key.lines}{self.file.read_text()}")
        self.workspace.put_export(self.app.export(DELIVERABLE.get(name, "as-pushed")))

    @property
    def file(self) -> Path:
        """The environment's stack file."""
        return self.workspace.project / f"Pulumi.{self.stack}.yaml"

    @property
    def running(self) -> Running:
        """What runs."""
        return running(self.there.client, self.app.stack_name)

    def type_pulumi(self, shows: str) -> None:
        """Type what docs/adopting.md shows and what begins so, as it stands there but for the environment and a day."""
        page = (REPOSITORY / "docs" / "adopting.md").read_text(encoding="utf-8")
        line = re.findall(rf"{re.escape(shows)}[^`#\n]*", page)[0]
        for command in line.replace("2027-05-01", str(a_day())).split("&&"):
            pulumi, *words = shlex.split(command)
            assert pulumi == "pulumi"
            answer = ["--yes"] * (words[0] == "stack")
            self.workspace.succeed(*(self.stack if word == "prod" else word for word in words), *answer)

    def log_in(self, backend: str) -> None:
        """Take the state from there from now on: `pulumi login`."""
        variables = {**self.workspace.environment, "PULUMI_BACKEND_URL": backend}
        self.workspace = Workspace(self.workspace.project, variables)

    def delivery(self, *arguments: str) -> Finished:
        """`amplify-delivery adopt` is `amplify-delivery adopt STACK`."""
        command, *rest = arguments
        return here.delivery(self.workspace, command, self.stack, *rest)

    def plain(self, *arguments: str) -> Finished:
        """`pulumi up` is `pulumi up -s STACK --yes`."""
        command, *rest = arguments
        return self.workspace.pulumi(command, "-s", self.stack, "--yes", *rest)

    def document(self, *arguments: str) -> Any:
        """The JSON document of a command that has to succeed."""
        command, *rest = arguments
        words = (command, self.stack, *rest, "--json")
        ran = in_this_process(*words, cwd=self.workspace.project, env=self.workspace.environment)
        assert ran.code == 0, ran.out + ran.err
        return ran.document

    def root(self) -> dict[str, Any]:
        """The root stack in the engine's state."""
        exported = json.loads(self.workspace.succeed("stack", "export", "-s", self.stack).output)
        (found,) = [r for r in exported["deployment"]["resources"] if r["type"] == ROOT_STACK]
        return dict(found)

    def put_root(self, inputs: dict[str, Any]) -> None:
        """Give the root stack in the engine's state these inputs."""
        file = self.workspace.project.parent / "state.json"
        document = json.loads(self.workspace.succeed("stack", "export", "-s", self.stack).output)
        for resource in document["deployment"]["resources"]:
            if resource["type"] == ROOT_STACK:
                resource["inputs"] = inputs
        file.write_text(json.dumps(document))
        self.workspace.succeed("stack", "import", "-s", self.stack, "--file", str(file))

    def everything(self) -> tuple[Any, ...]:
        """What a refusal must leave as it was: the project's stack files, the engine's state, the account."""
        return self.written(), self.events(), self.buckets()

    def written(self) -> dict[str, bytes]:
        """The project's stack files, and the engine's states."""
        files = list(self.workspace.project.glob("Pulumi.*.yaml"))
        if self._cloud:
            held = {str(stack): json.dumps(made.state).encode() for stack, made in self._cloud.stacks.items()}
            return {str(file): file.read_bytes() for file in files} | held
        state = Path(self.workspace.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        files += state.glob(".pulumi/stacks/**/*.json")
        return {str(file): file.read_bytes() for file in files}

    def cut_off(self) -> None:
        """What a kill leaves now and then beside the state: a file that the engine's library has opened, and not yet
        written."""
        state = Path(self.workspace.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        beside = list(state.glob(f".pulumi/stacks/*/{self.stack}.json.attrs"))
        assert beside
        beside[0].write_bytes(b"")

    def events(self) -> int:
        """How much has happened to the root stack."""
        events = self.there.client("cloudformation").describe_stack_events(StackName=self.app.stack_name)
        return len(events["StackEvents"])

    def buckets(self) -> set[str]:
        return {b["Name"] for b in self.there.client("s3").list_buckets()["Buckets"]}


def inlined(backend: CloudBackend) -> CloudBackend:
    """A backend in the form of the CDK construct: what the root gives to nested stacks as literals stands in their
    templates, which have no such parameters (CfnInclude, `parameters`)."""
    root, objects = json.loads(json.dumps(backend.root)), dict(backend.objects)
    root["Parameters"]["BootstrapVersion"] = {"Type": "String", "Default": "21"}
    for resource in root["Resources"].values():
        if resource["Type"] != STACK:
            continue
        key = resource["Properties"]["TemplateURL"].partition("-deployment/")[2]
        template = json.loads(objects[key])
        given = resource["Properties"].get("Parameters", {})
        literal = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in given.items()
            if not isinstance(value, dict) and "List" not in template["Parameters"][name]["Type"]
        }
        for name in literal:
            del given[name], template["Parameters"][name]
        objects[key] = json.dumps(_with(template, literal)).encode()
    return replace(backend, root=root, objects=objects)


def _with(value: Any, literal: dict[str, str]) -> Any:
    """A part of a template with these parameters' values."""
    if isinstance(value, list):
        return [_with(item, literal) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"} and value["Ref"] in literal:
        return literal[value["Ref"]]
    if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return {"Fn::Sub": _BRACED.sub(lambda m: literal.get(m[1], m[0]), value["Fn::Sub"])}
    return {key: _with(item, literal) for key, item in value.items()}
