"""The root stack of an environment that is to go, as CloudFormation has it: asked by the id that the engine's state
holds, and by its name.

By its name as well, because the engine may have forgotten a stack that lives: its provider takes a DeleteStack that
CloudFormation has refused for success (resourceStackDelete of terraform-provider-aws; pulumi-aws 6422). And because a
stack of that name may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.components.remembered import ROOT_STACK_NAME
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.teardown import former_tables, same_place
from amplify_delivery.delivery.teardown.held import Held, goes_from, in_stack, living, nested_in
from amplify_delivery.errors import DeliveryError, FailedError, RefusedError
from amplify_delivery.publishing import gen2_lock
from amplify_delivery.publishing.aws_errors import AWS_ERRORS
from amplify_delivery.publishing.stack_state import described
from amplify_delivery.publishing.stack_states import Place, check_nested, check_root
from amplify_delivery.publishing.target import cli_options
from amplify_delivery.stacks.config import EnvironmentConfig, Project
from amplify_delivery.stacks.inputs import root_stack_name

_SHOWN = 30
"""Resources that are named in one error."""


@dataclass(frozen=True)
class Root:
    """The root stack of one environment.

    `ids` are those in the engine's state; `name` is as that remembers it, else as the export has it; None if that has
    the id only. `options` are what an `aws` command takes to ask the same account.
    """

    environment: str
    ids: tuple[str, ...]
    name: str | None
    options: str

    @classmethod
    def of(
        cls, environment: str, state: Iterable[Mapping[str, Any]], config: EnvironmentConfig, project: Project
    ) -> Root:
        """By the engine's state, and the export where that knows nothing. Raises `RefusedError` if neither tells, and
        for a state of another place than the stack file's."""
        state = tuple(state)
        here = (config.account, config.region)
        same_place.check(environment, state, {"place": here})
        ids = tuple(str(r["id"]) for r in state if r.get("id") and goes_from(here, r))
        name = next(filter(None, map(_remembered, state)), None)
        if name is None and not ids:
            try:
                name = root_stack_name(config, project.directory, project.app)
            except DeliveryError as error:
                raise RefusedError(
                    f"the engine's state holds no root stack, and which one would be its own cannot be told: "
                    f"{error.message}",
                    where=environment,
                    remedy=f"nothing was changed; {error.remedy}",
                ) from None
        return cls(environment, ids, name, cli_options(config.region, config.profile))

    def settle(self, account: Account, seconds: float, told: Callable[[str], None]) -> bool:
        """Wait until no operation changes it any more, so long at most; whether one did. Raises `RefusedError`."""
        asked = [*self.ids, *([self.name] if self.name else [])]
        with account.asking(f"describing the stack of {self.environment}"):
            waited = [deployed.settle(account.client("cloudformation"), a, seconds, told) for a in asked]
        return any(waited)

    def holds(self, account: Account) -> list[Held]:
        """What it holds; nothing when it is gone. Raises `RefusedError` for a stack that CloudFormation would not
        delete, and for one of its name that the engine does not know."""
        held: list[Held] = []
        for found in self._existing(account):
            self._check(account, found)
            with account.asking(f"listing what stack {found['StackName']} holds"):
                self._check_nested(account.client("cloudformation"), found)
                held += in_stack(account.client("cloudformation"), found["StackId"])
        return [*held, *former_tables.before(account, held)]

    def check_gone(self, account: Account) -> None:
        """Raise `FailedError`, with what is alive in it, if it is there after the engine has destroyed it."""
        for found in self._existing(account):
            raise FailedError(
                f"the stack is still there, in state {found['StackStatus']}, and the engine has forgotten it"
                + _listed(self._alive(account, found)),
                where=f"{found['StackName']} (account {account.account}, {account.region})",
                remedy=f"once no operation changes it {self._deletion(found)}",
            )

    def _check(self, account: Account, found: Mapping[str, Any]) -> None:
        name, status = found["StackName"], str(found["StackStatus"])
        check_root(Place(name, self.options, self.environment), status, destroying=True)
        if found["StackId"] not in self.ids and name not in self.ids:
            raise RefusedError(
                f"the stack is there, in state {status}, but the engine's state of {self.environment} does not hold "
                f"it: it was forgotten, or is not its own{_listed(self._alive(account, found))}",
                where=name,
                remedy="nothing was changed. If its state lies elsewhere, use that (`pulumi whoami -v` says which is "
                "used; `pulumi login`, PULUMI_BACKEND_URL). If somebody else delivers it, `environment` or `suffix` of "
                f"the stack file is wrong. If its state is lost, `amplify-delivery adopt {self.environment} "
                "--state-lost` takes it in, and this command asks for its data then. Without being asked, it goes with "
                f"all its data by {self._deletion(found)}",
            )
        gen2_lock.check(account.client("cloudformation"), name)
        if found.get("EnableTerminationProtection"):
            raise RefusedError(
                "the stack is protected against termination",
                where=name,
                remedy="if it should go: `aws cloudformation update-termination-protection "
                f"--no-enable-termination-protection --stack-name {name} {self.options}`",
            )

    def _check_nested(self, cloudformation: Any, found: Mapping[str, Any]) -> None:
        ids = dict(nested_in(cloudformation, found["StackId"]))
        place = Place(found["StackName"], self.options, self.environment)
        check_nested(place, deployed.states_of(cloudformation, ids), destroying=True)

    def _deletion(self, found: Mapping[str, Any]) -> str:
        stack = f"--stack-name {found['StackName']} {self.options}"
        failed = found["StackStatus"] == "DELETE_FAILED"
        retained = ". What cannot be deleted stays with `--retain-resources LOGICAL_ID ...`" if failed else ""
        return (
            f"`aws cloudformation delete-stack {stack}` (its buckets have to be empty), `aws cloudformation wait "
            f"stack-delete-complete {stack}`, then `amplify-delivery destroy {self.environment}` again{retained}"
        )

    def _existing(self, account: Account) -> list[dict[str, Any]]:
        """CloudFormation's description of each stack that is there, by id and by name."""
        found: dict[str, dict[str, Any]] = {}
        for asked in (*self.ids, *([self.name] if self.name else [])):
            with account.asking(f"describing stack {asked}"):
                stack = described(account.client("cloudformation"), asked)
            if stack is not None and stack["StackStatus"] != "DELETE_COMPLETE":
                found[stack["StackId"]] = stack
        return list(found.values())

    def _alive(self, account: Account, found: Mapping[str, Any]) -> list[str]:
        try:
            return list(living(account.client("cloudformation"), found["StackId"]))
        except AWS_ERRORS:
            return []


def _remembered(resource: Mapping[str, Any]) -> str | None:
    """The root stack's name, if this is where the program has kept it."""
    facts = (resource.get("outputs") or {}).get("output") if str(resource.get("type")).endswith(":Stash") else None
    return str(facts[ROOT_STACK_NAME]) if isinstance(facts, Mapping) and ROOT_STACK_NAME in facts else None


def _listed(alive: list[str]) -> str:
    more = f"\n  and {len(alive) - _SHOWN} more" if alive[_SHOWN:] else ""
    return ". In it live:\n  " + "\n  ".join(alive[:_SHOWN]) + more if alive else ""
