"""The root stack of an environment that is to go, as CloudFormation has it: asked by the id that the engine's state
holds, and by its name.

By its name as well, because the engine may have forgotten a stack that lives: its provider takes a DeleteStack that
CloudFormation has refused for success (resourceStackDelete of terraform-provider-aws; pulumi-aws 6422). And because a
stack of that name may be somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.changes import deployed
from amplify_delivery.components.remembered import ROOT_STACK_NAME
from amplify_delivery.delivery import output
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.project.named_roots import named_roots
from amplify_delivery.delivery.teardown import former_tables, same_place
from amplify_delivery.delivery.teardown.held import Held, deleted_last, goes_from, in_stack, living, nested_in
from amplify_delivery.delivery.teardown.left_behind import left_by
from amplify_delivery.errors import DeliveryError, FailedError, RefusedError
from amplify_delivery.publishing import gen2_lock, termination
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing, suppressing_all, told_as
from amplify_delivery.publishing.stack_owner import Owner, is_held, owner
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

    `ids` are those in the engine's state, and `protected` those of them that it protects; `name` is as that remembers
    it, else as the export has it; None if that has the id only. `options` are what an `aws` command takes to ask the
    same account. `others` tells the root stacks that the project's files name in its place, by their environments.
    """

    environment: str
    ids: tuple[str, ...]
    name: str | None
    options: str
    others: Callable[[], Mapping[str, str]]
    protected: frozenset[str] = frozenset()

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
        options = cli_options(config.region, config.profile)
        protected = frozenset(str(r["id"]) for r in state if r.get("protect") and r.get("id") in ids)
        return cls(environment, ids, name, options, lambda: named_roots(project, config), protected)

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
                there = list(in_stack(account.client("cloudformation"), found["StackId"]))
            self._check_protection(found, there)
            held += there
        return [*held, *former_tables.before(account, held)]

    def left(self, account: Account, *, updates: bool = False) -> list[Held]:
        """What it has left where somebody has deleted it past the engine, as its templates said; with `updates` also
        what its updates have left, gone or not. CloudFormation tells of it for 90 days. Nothing for whoever may not
        ask: no reason to leave what is to go."""
        with account.asking(f"asking what the stack of {self.environment} has left"), suppressing(*ACCESS_DENIED):
            return self._left(account.client("cloudformation"), updates=updates)
        return []

    def _left(self, cloudformation: Any, *, updates: bool) -> list[Held]:
        asked = [id for id in self.ids if updates or _is_gone(described(cloudformation, id))]
        if not self.ids and self.name:
            asked = deleted_last(cloudformation, self.name)
        return [held for id in asked for held in left_by(cloudformation, id, updates=updates)]

    def check_gone(self, account: Account, agreed: Iterable[Held]) -> None:
        """Raise `FailedError`, with what is alive in it, if it is there after the engine has destroyed it. `agreed` is
        the data that was to go with it."""
        for found in self._existing(account):
            data = self._data(account, found)
            asked_for = data is not None and {h.physical_id for h in data} <= {h.physical_id for h in agreed}
            if asked_for:
                what = self._deletion(found)
            else:
                what = (
                    f"`amplify-delivery adopt {self.environment} --state-lost` takes it in, then `amplify-delivery "
                    f"destroy {self.environment}` asks for the data that is in it by now"
                )
            raise FailedError(
                f"the stack is still there, in state {found['StackStatus']}, and the engine has forgotten it"
                + _listed(self._alive(account, found)),
                where=f"{found['StackName']} (account {account.account}, {account.region})",
                remedy=f"once no operation changes it {what}",
            )

    def _check(self, account: Account, found: Mapping[str, Any]) -> None:
        name, status = found["StackName"], str(found["StackStatus"])
        check_root(Place(name, self.options, self.environment), status, destroying=True)
        if not is_held(found, self.ids):
            whose = _owner(account, found)
            forgotten = "it was forgotten, or is not its own" if whose is Owner.DELIVERY else whose.value
            raise RefusedError(
                f"the stack is there, in state {status}, but the engine's state of {self.environment} does not hold "
                f"it: {forgotten}{_listed(self._alive(account, found))}",
                where=name,
                remedy=f"nothing was changed. {self._not_held(account, found, whose)}",
            )
        gen2_lock.check(account.client("cloudformation"), name)

    def _check_protection(self, found: Mapping[str, Any], held: Collection[Held]) -> None:
        """Raise `RefusedError` for a stack that somebody else protects. A deployment does wherever the engine protects,
        and takes it off where it does not; whoever agrees to the loss of data agrees to that."""
        lost = any(not h.kept for h in held)
        if found.get("EnableTerminationProtection") and not lost and found["StackId"] not in self.protected:
            name = str(found["StackName"])
            raise RefusedError(
                "the stack is protected against termination, though nothing in it would be lost",
                where=name,
                remedy=f"nothing was changed. If it should go: {termination.by_hand(name, self.options, on=False)}",
            )

    def release(self, account: Account) -> frozenset[str]:
        """Take its termination protection off, once all is agreed on; the ids of what had one. Raises
        `RefusedError`."""
        released = set[str]()
        for found in self._existing(account):
            if found.get("EnableTerminationProtection"):
                name = str(found["StackName"])
                remedy = (
                    f"allow these credentials {termination.RIGHT} and repeat the command, or "
                    f"{termination.by_hand(name, self.options, on=False)} first"
                )
                said = "its termination protection could not be turned off"
                with told_as(RefusedError, said, name, dict.fromkeys(ACCESS_DENIED, remedy), remedy):
                    termination.set_to(account.client("cloudformation"), found["StackId"], on=False)
                released.add(str(found["StackId"]))
        return frozenset(released)

    def hold(self, account: Account, ids: Collection[str]) -> None:
        """Turn it on again where it is off, of stacks with these ids that stay: they were to be deleted, and that has
        ended before it came to them. What hinders it is told, and no error: what has ended it is one."""
        try:
            for found in self._existing(account):
                on = bool(found.get("EnableTerminationProtection"))
                if found["StackId"] in ids and not on and not found["StackStatus"].startswith("DELETE"):
                    self._hold(account, str(found["StackName"]), str(found["StackId"]))
        except DeliveryError as error:
            output.progress(f"{self.environment}: whether its root stack is there cannot be told: {error.message}")

    def _hold(self, account: Account, name: str, stack: str) -> None:
        with suppressing_all() as refused:
            termination.set_to(account.client("cloudformation"), stack, on=True)
        if refused:
            by_hand = termination.by_hand(name, self.options, on=True)
            output.progress(f"{name}: its termination protection is off, and could not be turned on again: {by_hand}")
        else:
            output.progress(f"{name}: it is there still; its termination protection is on again")

    def _not_held(self, account: Account, found: Mapping[str, Any], whose: Owner) -> str:
        """What to do about a stack of its name that the engine does not know. What deletes it unasked is told for one
        without data only, which nobody else's file names."""
        name, env = str(found["StackName"]), self.environment
        others = sorted(other for other, root in self.others().items() if root == name and other != env)
        if others:
            return (
                f"Pulumi.{others[0]}.yaml names this stack, too, and what is in it may be {others[0]}'s. If "
                f"Pulumi.{env}.yaml was copied from it, nothing of {env} is there to destroy: delete the file, or make "
                f"another environment of it (`pulumi config set -s {env} environment NAME`). If {others[0]} should go: "
                f"`amplify-delivery destroy {others[0]}`"
            )
        wrong = "`environment` or `suffix` of the stack file is wrong"
        if whose is Owner.OTHER:
            return f"Nothing of it goes with this environment: {wrong}"
        adopt, takes_in = f"`amplify-delivery adopt {env}", "takes it in, and this command asks for its data then"
        remedy = f"{adopt}` {takes_in}. If another one is meant, {wrong}"
        if whose is Owner.DELIVERY:
            remedy = (
                "If its state lies elsewhere, use that (`pulumi whoami -v` says which is used; `pulumi login`, "
                f"PULUMI_BACKEND_URL). If somebody else delivers it, {wrong}. If its state is lost, {adopt} "
                f"--state-lost` {takes_in}"
            )
        if self._data(account, found) == []:
            remedy += f". It holds no data, and goes with all else by {self._deletion(found)}"
        return remedy

    def _data(self, account: Account, found: Mapping[str, Any]) -> list[Held] | None:
        """What data would go with it; None if that cannot be told."""
        with suppressing_all():
            return [h for h in in_stack(account.client("cloudformation"), found["StackId"]) if not h.kept]
        return None

    def _check_nested(self, cloudformation: Any, found: Mapping[str, Any]) -> None:
        ids = dict(nested_in(cloudformation, found["StackId"]))
        place = Place(found["StackName"], self.options, self.environment)
        check_nested(place, deployed.states_of(cloudformation, ids), destroying=True)

    def _deletion(self, found: Mapping[str, Any]) -> str:
        stack = f"--stack-name {found['StackName']} {self.options}"
        failed = found["StackStatus"] == "DELETE_FAILED"
        retained = ". What cannot be deleted stays with `--retain-resources LOGICAL_ID ...`" if failed else ""
        protected = bool(found.get("EnableTerminationProtection"))
        first = f"{termination.by_hand(str(found['StackName']), self.options, on=False)}, " if protected else ""
        return (
            f"{first}`aws cloudformation delete-stack {stack}` (its buckets have to be empty), `aws cloudformation "
            f"wait stack-delete-complete {stack}`, then `amplify-delivery destroy {self.environment}` again{retained}"
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
        with suppressing_all():
            return list(living(account.client("cloudformation"), found["StackId"]))
        return []


def _is_gone(stack: Mapping[str, Any] | None) -> bool:
    return stack is not None and stack["StackStatus"] == "DELETE_COMPLETE"


def _owner(account: Account, found: Mapping[str, Any]) -> Owner:
    """Who has made a stack; ours where its template is not told, as that of a change set that nobody has executed."""
    with suppressing_all():
        return owner(deployed.template(account.client("cloudformation"), found["StackId"]))
    return Owner.DELIVERY


def _remembered(resource: Mapping[str, Any]) -> str | None:
    """The root stack's name, if this is where the program has kept it."""
    facts = (resource.get("outputs") or {}).get("output") if str(resource.get("type")).endswith(":Stash") else None
    return str(facts[ROOT_STACK_NAME]) if isinstance(facts, Mapping) and ROOT_STACK_NAME in facts else None


def _listed(alive: list[str]) -> str:
    more = f"\n  and {len(alive) - _SHOWN} more" if alive[_SHOWN:] else ""
    return ". In it live:\n  " + "\n  ".join(alive[:_SHOWN]) + more if alive else ""
