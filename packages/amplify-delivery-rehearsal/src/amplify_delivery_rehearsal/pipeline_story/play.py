"""What the chapters share: the setting, how they wait and look, and what was found to be so."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.output import counted
from amplify_delivery.delivery.reporting.page.report_model import Report, parsed
from amplify_delivery.errors import FailedError
from amplify_delivery.export import Assembly, assemble, compare, read_export
from amplify_delivery.stacks.inputs import export_folder, root_stack_name
from amplify_delivery_rehearsal.inventory import Inventory, take
from amplify_delivery_rehearsal.pipeline_story.pipeline import Pipeline, waiting_approval
from amplify_delivery_rehearsal.pipeline_story.record import ExecutionTold
from amplify_delivery_rehearsal.pipeline_story.setting import Place, Setting
from aws_rehearsal.pipeline_service.state import SUCCEEDED, Execution


@dataclass
class Delivering:
    """What the stories of a project have in common: where they play, how they look, and what was delivered last to each
    environment. `fact` takes each sentence that was found to be true."""

    setting: Place
    fact: Callable[[str], None]
    delivered: dict[str, Assembly] = field(default_factory=dict, kw_only=True)
    inventories: dict[str, Inventory] = field(default_factory=dict, kw_only=True)
    report: Report | None = field(default=None, kw_only=True)
    """Of the environment that was looked at last: for the page."""

    def progress(self) -> Mapping[str, int]:
        """How many actions of each execution have begun."""
        raise NotImplementedError

    def told(self, known: Mapping[str, int]) -> list[ExecutionTold]:
        """The executions that stand, and in which more than the `known` actions have begun."""
        raise NotImplementedError

    def true(self, condition: bool, sentence: str, otherwise: str = "") -> None:
        """Tell a fact. Raises `FailedError` if it is none."""
        if not condition:
            raise FailedError(
                f"this is not so: {sentence}" + (f"\n{otherwise}" if otherwise else ""),
                where="the rehearsal",
                remedy="this is a defect of the project: please report it, with the lines above",
            )
        self.fact(sentence)

    def push(self, message: str) -> str:
        """Have the developer commit and push what has changed; the commit's id."""
        developer = self.setting.developer
        for command in self.setting.repository.pushing(message):
            developer.told(developer, shlex.join(["git", *command]))
        return self.setting.repository.push(message)

    @property
    def assembly(self) -> Assembly:
        """That of the export in the work tree."""
        project = self.setting.project
        configs = [project.environment(name) for name in self.setting.owners]
        folder = export_folder(configs[0], project.directory)
        return assemble(read_export(folder), secrets=frozenset().union(*(c.secret_names for c in configs)))

    def names(self, environment: str) -> EnvironmentNames:
        config = self.setting.project.environment(environment)
        return EnvironmentNames(self.setting.project.app, config.account, config.region, environment)

    def inventory(self, environment: str) -> Inventory:
        """What is in an environment's backend now."""
        config = self.setting.project.environment(environment)
        stack = root_stack_name(config, self.setting.repository.clone, self.setting.project.app)
        client = self.setting.owners[environment].client("cloudformation", config.region)
        return take(client, stack)

    def touched(self, environment: str, assembly: Assembly) -> None:
        """Tell that exactly those resources of an environment's backend were touched that `compare` names."""
        before, after = self.inventories.get(environment), self.inventory(environment)
        old = self.delivered.get(environment)
        self.inventories[environment], self.delivered[environment] = after, assembly
        if before is None or old is None:
            self.fact(f"{environment}: {counted(after.stacks, 'stack')}, {counted(len(after.resources), 'resource')}")
            return
        expected = sorted("/".join(r.path) for r in compare(old, assembly).resources)
        touched = after.touched_since(before)
        self.true(
            touched == expected,
            f"{environment}: {counted(len(touched), 'resource')} touched, those that `compare` names",
            f"touched {touched}, compare says {expected}",
        )

    def look(self, environment: str) -> Report:
        """Have the owner of an environment's account make a report of it, for the page as well."""
        owner = self.setting.owners[environment].logged_in(self.names(environment).state_backend)
        output = owner.delivery("report", environment, "--json")
        document, _ = json.JSONDecoder().raw_decode(output, output.index("{"))
        found = self.report = parsed(document)
        self.fact(
            f"{environment}: a report shows {counted(len(found.stacks), 'stack')} with "
            f"{counted(len(found.lines), 'resource')}, {counted(len(found.deployments), 'deployment')} and "
            f"{counted(sum(len(role.needs) for role in found.roles), 'right')}"
            + "".join(f"; not read: {line.what}: {line.why}" for line in found.unread)
        )
        return found

    def unchanged(self, environment: str) -> None:
        """Tell that nothing at all of an environment's backend was touched since it was looked at last."""
        touched = self.inventory(environment).touched_since(self.inventories[environment])
        self.true(not touched, f"{environment}: untouched", f"touched {touched}")


@dataclass
class Play(Delivering):
    """The setting, and the pipeline once there is one.

    `decide` has a person answer the approval that an execution waits for, `watch` shows the pipeline while its block
    waits.
    """

    setting: Setting
    decide: Callable[[Pipeline, Execution], None]
    watch: Callable[[Pipeline], Any]

    def progress(self) -> Mapping[str, int]:
        return {execution.id: len(execution.history) for execution in self._executions}

    def told(self, known: Mapping[str, int]) -> list[ExecutionTold]:
        # One that still runs is told where it comes to a stand.
        return [
            ExecutionTold.of(e, self.pipeline.words)
            for e in self._executions
            if len(e.history) > known.get(e.id, 0) and (not e.running or waiting_approval(e))
        ]

    @property
    def _executions(self) -> list[Execution]:
        return self.setting.service.executions(self.setting.names.pipeline)

    @property
    def pipeline(self) -> Pipeline:
        setting = self.setting
        return Pipeline(setting.names.pipeline, setting.service, setting.devops)

    def arrive(self, commit: str) -> Execution:
        """Watch the pipeline until `commit` stands."""
        with self.watch(self.pipeline):
            return self.pipeline.arrive(commit)

    def approve(self, execution: Execution) -> Execution:
        """Have a person look at what Prod would change, and watch what follows. Raises `FailedError` if she says no."""
        self.must_wait(execution)
        self.decide(self.pipeline, execution)
        with self.watch(self.pipeline):
            done = self.pipeline.leave(execution)
        self.must(done.status == SUCCEEDED, done)
        return done

    def must_wait(self, execution: Execution) -> None:
        """Raise `FailedError` unless an execution waits for a person."""
        self.must(waiting_approval(execution) is not None, execution)

    def must(self, well: bool, execution: Execution) -> None:
        """Raise `FailedError` with what failed in an execution unless it goes as it should."""
        if not well:
            raise FailedError(
                f"the execution is {execution.status}:\n{self.pipeline.why(execution)}",
                where=self.pipeline.name,
                remedy="`--keep` leaves everything to look at",
            )
