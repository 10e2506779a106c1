"""An environment that `pulumi up` has made, with a staging area of its own, moves into its account as it runs: the
account's stack takes the area over, and its state bucket the state. Nothing that runs is changed.

Each step leaves something that the same command goes on with, whatever ends it (`adoption.own_place` has the states):

1. the former state: what is handed over is protected, and kept by the engine whoever deletes it
2. the account's stack takes it in by its name, protected, and then makes all else of the environment's place
3. the former state says that the environment is moving: no program runs with it any more
4. the state comes into the account's state bucket, without what was handed over
5. the stack file gets the key that is there, its secrets encrypted by it
6. the former state keeps what says where the environment is, and nothing else

Up to step 3 the environment is delivered as before; from step 5 on as any other that is bootstrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from amplify_delivery.components import lost_state
from amplify_delivery.components.documents.naming import STATE_PREFIX, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import beside, own_place
from amplify_delivery.delivery.adoption.own_place import Place, State
from amplify_delivery.delivery.adoption.state import root_of
from amplify_delivery.delivery.bootstrap import bootstrapping, own_areas
from amplify_delivery.delivery.bootstrap.account_stacks import account_stacks
from amplify_delivery.delivery.bootstrap.move import Move, TakenOver, nothing_to_take_over
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import environment_state, new_home, state_bucket
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.killed import pending
from amplify_delivery.delivery.engine.killed.pending import Operation
from amplify_delivery.delivery.engine.locking.session import holding
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.pulumi_command import Line
from amplify_delivery.delivery.engine.stack_key import Key
from amplify_delivery.delivery.engine.state_store import BACKEND_VARIABLE, backend_url
from amplify_delivery.delivery.environment import planned, wanted
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.teardown import same_place
from amplify_delivery.delivery.teardown.removal import BUCKET, REPOSITORY
from amplify_delivery.errors import ConfigError, DeliveryError, FailedError, RefusedError, midway
from amplify_delivery.export.templates.boundary import PERMISSIONS_BOUNDARY
from amplify_delivery.publishing.stack_state import described
from amplify_delivery.stacks.access import environment_names
from amplify_delivery.stacks.assemblies import Assemblies
from amplify_delivery.stacks.config import EnvironmentConfig
from amplify_delivery.stacks.inputs import ADOPT_VARIABLE

Said = Callable[[str], None]


class TakingOver:
    """One environment that moves, from `former`, the backend of its state (by default where Pulumi is logged in to).

    Nothing is written before `carry_out`. Every method raises `DeliveryError`s.
    """

    def __init__(self, environment: str, context: Context, former: str | None, line: Line) -> None:
        self._context, self._line, self._folder = context, line, context.folder.resolve()
        project = context.project
        self._stack = account_stacks(project, [environment])[0]
        self._config: EnvironmentConfig = project.environment(environment)
        self._names: EnvironmentNames = environment_names(project.app, self._config)
        account = self._stack.config
        self._account = Account(self._config.account, self._config.region, account.profile, account.role_arn)
        self._engine = Engine(environment, self._folder, line, {BACKEND_VARIABLE: former} if former else None)

    def look(self) -> Move:
        """What is to be done. Raises `RefusedError` where it cannot be."""
        former = backend_url(self._folder, self._engine.variables).partition("?")[0]
        if former == self._names.state_backend.partition("?")[0]:
            raise ConfigError(
                "this is the account's own state bucket: what is to be taken over lies elsewhere",
                where=former,
                remedy="name the backend that `pulumi up` was used with: `--from BACKEND`, as in PULUMI_BACKEND_URL; "
                "nothing was changed",
            )
        held = self._there()
        state = self._engine.state() if self._engine.exists() else {}
        if held and root_of(held["resources"]) and not own_place.place_of(state.get("resources") or ()):
            return self._move(former, held, done=True)
        self._check(state, former)
        self._check_same_root(state, held)
        self._check_the_others(own_place.moving_to(state["resources"]))
        # Whoever cannot read the secrets is told before anything is begun.
        self._engine.in_clear()
        if not self._is_keyed(held):
            self._secrets()
        return self._move(former, state)

    def _move(self, former: str, state: State, *, done: bool = False) -> Move:
        resources = state.get("resources") or ()
        root = root_of(resources)
        place = own_place.place_of(resources) or Place(self._names.staging_bucket)
        names = self._names
        return Move(
            self._config.environment,
            self._stack.name,
            former,
            names.state_backend,
            names.secrets_provider,
            place,
            str((root or {}).get("id") or ""),
            tuple(new_home.paths(self._file)),
            done,
            bool(own_place.moving_to(resources)),
        )

    @property
    def _file(self) -> Path:
        return self._folder / f"Pulumi.{self._engine.stack}.yaml"

    def _there(self) -> State | None:
        """The environment's state in its account, if anything is in it."""
        if not state_bucket.holds(self._account, self._names, f"{STATE_PREFIX}stacks/"):
            return None
        home = self._home(self._folder)
        state = home.state() if home.exists() else {}
        return state if state.get("resources") else None

    def _home(self, folder: Path) -> Engine:
        return environment_state.engine(folder, self._names, self._account, self._line)

    def _check(self, state: State, former: str) -> None:
        """Raise `RefusedError` unless this is the state of an environment that runs from a staging area of its own."""
        environment, resources = self._engine.stack, tuple(state.get("resources") or ())
        place, root = own_place.place_of(resources), root_of(resources)
        component = own_place.of_another_language(resources)
        if component:
            raise RefusedError(
                f"a program in another language has made this environment, by its component {component}: what its "
                "state holds has other names than the program of stack files gives it",
                where=environment,
                remedy="nothing was changed. It goes on with that program, from its own staging area: `pulumi up` of "
                "it. What a pipeline delivers is made by stack files (docs/other-languages.md, "
                '"What stays with Python")',
            )
        if place is None or root is None:
            raise nothing_to_take_over(self._names, former, place, runs=root is not None)
        if pending.left(state):
            raise RefusedError(
                "a run that was killed has left something half done",
                where=environment,
                remedy="nothing was changed. With `bootstrapped` taken out of the stack file, `amplify-delivery unlock "
                f"{environment}` settles it; then put it back, and repeat this command",
            )
        untold = own_place.untold(resources)
        if untold and not own_place.moving_to(resources):
            raise RefusedError(
                f"an earlier version has made this state, which does not say {untold}",
                where=environment,
                remedy="nothing was changed. With `bootstrapped` taken out of the stack file, `amplify-delivery up "
                f"{environment}` writes it down; then put it back, and repeat this command",
            )
        config, names = self._config, self._names
        if not own_place.moving_to(resources):
            same_place.check(environment, resources, {"place": (config.account, config.region)})
        expected = Place(names.staging_bucket, names.repository if place.repository else None)
        if place != expected:
            raise RefusedError(
                f"its own staging area is called {place.bucket}, and its account's would be {expected.bucket}",
                where=environment,
                remedy="nothing was changed: the files describe another environment than the one that runs",
            )
        with self._account.asking(f"describing the stack of {environment}"):
            found = described(self._account.client("cloudformation"), str(root.get("id")))
        if found is None or found["StackStatus"].startswith("DELETE"):
            again = own_areas.begin_again(names)
            raise RefusedError(
                f"the root stack {root.get('id')} is gone",
                where=environment,
                remedy=f"nothing was changed. Nothing runs that could be taken over: {again}",
            )

        self._check_not_of_a_stack_set()

    def _check_not_of_a_stack_set(self) -> None:
        """Raise `RefusedError` where a CloudFormation stack has bootstrapped the account for this environment."""
        with self._account.asking("looking for who has bootstrapped the account"):
            runs = lost_state.bootstrapped(self._account.client, self._names)
        if runs and runs.stack:
            raise RefusedError(
                f"{runs.what} is there already: the CloudFormation stack {runs.stack} has made it, as those of a "
                "StackSet do, and the account's stack would be its second owner",
                where=self._engine.stack,
                remedy="nothing was changed, and `up` delivers the environment as before, without `bootstrapped` in "
                "its file. Into its account it comes where no StackSet bootstraps that for it: leave the account out "
                "of the StackSet, or this environment out of its parameters (docs/many-environments.md)",
            )

    def _check_the_others(self, moving: str) -> None:
        """Raise `RefusedError` where the account's stack would stop at another of its environments, in the middle."""
        if moving or len(self._stack.environments) == 1:  # the account's stack is whole by then, or its alone
            return
        engine, project = Engine(self._stack.name, self._folder, self._line), self._context.project.once()
        bootstrapping.check_own_areas(
            project,
            self._stack,
            engine.resources() if engine.exists() else (),
            accounts=bootstrapping.accounts_of(self._stack),
            moving=frozenset({self._config.environment}),
            assemblies=Assemblies(project),
            line=self._line,
        )

    def _check_same_root(self, state: State, held: State | None) -> None:
        """Raise `RefusedError` if what the account's state holds is something else than what is to come into it."""
        if held is None:
            return
        here, there = (root_of(s.get("resources") or ()) for s in (state, held))
        if here is None or there is None or here.get("id") != there.get("id"):
            raise RefusedError(
                f"the account's state of {self._engine.stack} holds something else already: "
                f"{(there or {}).get('id') or 'no root stack'}",
                where=self._names.state_backend,
                remedy="nothing was changed. Look what it is (`pulumi stack --show-urns` there); of two environments "
                "with one name one needs another name",
            )

    def carry_out(self, patience: Patience, said: Said) -> TakenOver:
        """Do it. What was done already is not done again."""
        began = [False]
        with midway(lambda: began[0]), holding(self._engine, "bootstrap", self._context, patience):
            move = self.look()
            if move.done:
                return TakenOver(move, self._next())
            began[0] = True
            if not move.moving:  # else an earlier run has come so far
                self._write(own_place.held(self._engine.state()))
                self._account_takes_over(move.place, patience, said)
                self._write(own_place.moving(self._engine.state(), *self._moving))
            with holding(self._home(self._folder), "bootstrap", self._context, patience):
                self._bring(self._engine.state())
            self._leave()
            return TakenOver(move, self._next())

    @property
    def _moving(self) -> tuple[str, str]:
        environment = self._engine.stack
        return f"moves into the state bucket of account {self._config.account}", (
            f"`amplify-delivery bootstrap {environment} --take-over --yes`, as it was begun, ends that"
        )

    @property
    def _moved(self) -> tuple[str, str]:
        backend = self._names.state_backend
        return f"has moved to {backend.partition('?')[0]}", (
            f"take the newest commit, and `export {BACKEND_VARIABLE}='{backend}'`: there `amplify-delivery plan "
            f"{self._engine.stack}` and `deploy` know it"
        )

    def _write(self, state: State) -> None:
        if state != self._engine.state():
            self._engine.write(state)

    def _account_takes_over(self, place: Place, patience: Patience, said: Said) -> None:
        """The account's stack: what is there comes into its state, then it makes what is not."""
        # The program refuses an area that is there already, unless it is to be taken in.
        engine = Engine(self._stack.name, self._folder, self._line, {ADOPT_VARIABLE: self._stack.name})
        with holding(engine, "bootstrap", self._context, patience):
            resources = bootstrapping.prepare(engine, self._context, self._stack, self._account)
            if not own_place.holds(resources, place):
                self._take_in(engine)
        done = bootstrapping.bootstrap(
            [self._stack], self._context, said, parallel=1, moving=frozenset({self._config.environment})
        )
        for error in done.failed.values():
            raise error

    def _take_in(self, engine: Engine) -> None:
        """Bring the place into the state of the account's stack, by its names."""
        found = beside.found(engine, self._account, self._lacking)
        left = found.left(lambda operation: operation.what)
        if left:
            raise RefusedError(
                f"what is to be taken over cannot be: {'; '.join(left)}",
                where=engine.stack,
                remedy="as the administrator of the account, repeat the command",
            )
        beside.write(engine, found)

    def _lacking(self, steps: Sequence[ProgramStep]) -> tuple[Operation, ...]:
        """What of the place the account's stack would make anew."""
        own = {BUCKET: ("bucket", self._names.staging_bucket), REPOSITORY: ("name", self._names.repository)}
        return tuple(
            pending.creating(step, protect=True)
            for step in steps
            if step.operation == "create"
            and step.type in own
            and step.inputs.get(own[step.type][0]) == own[step.type][1]
        )

    def _bring(self, former: State) -> None:
        """The state into the account, and the stack file that can read it. What is there already stays."""
        held = self._there()
        if self._is_keyed(held):
            return
        key = Key.of_state(held) if held is not None else None

        def bring(home: Engine, made: Key) -> None:
            document = self._engine.in_clear()
            state = own_place.moved(document["deployment"])
            home.take({**document, "deployment": {**state, "secrets_providers": made.as_in_state()}})
            if own_place.ids(home.state()) != own_place.ids(own_place.moved(former)):
                raise FailedError(
                    "the state that was written there is not the one that was here",
                    where=self._names.state_backend,
                    remedy="repeat the command; the former state is as it was, and nothing that runs was changed",
                )

        new_home.settle(self._engine, key, self._secrets(), self._home, bring)

    def _is_keyed(self, held: State | None) -> bool:
        """Whether the stack file has the key of what its account holds: its secrets are the account's by then, which
        the credentials of the former backend need not reach."""
        key = Key.of_state(held) if held is not None else None
        return key is not None and key == Key.of_file(self._file)

    def _secrets(self) -> tuple[new_home.Secret, ...]:
        """Those of the stack file, as it is now."""
        return new_home.secrets(self._file, self._engine.configuration() if new_home.paths(self._file) else {})

    def _leave(self) -> None:
        """The former state, once the account's holds everything."""
        if not self._engine.exists():
            return
        held, state = self._there(), self._engine.state()
        if held is None or root_of(state.get("resources") or ()) is None:
            return
        self._write(own_place.left_behind(state, *self._moved))

    def _next(self) -> tuple[str, ...]:
        """What is still to come. By then everything is done: what cannot be told is no failure."""
        environment = self._engine.stack
        try:
            return self._next_step()
        except DeliveryError as error:
            return (
                f"whether the release brings more than the boundary cannot be told: {error.message}. Should `plan` "
                f"show more once that is mended, `pulumi config set boundary false -s {environment}` first: it is "
                f"delivered without the boundary then, and `pulumi config rm boundary -s {environment}` brings that in "
                "the next plan",
            )

    def _next_step(self) -> tuple[str, ...]:
        """The boundary as a step of its own where the release brings more."""
        config = self._config
        if not config.boundary:
            return ()
        target = wanted.described(config.model_copy(update={"boundary": False}), self._context)
        here = planned.backend(target)
        was = here.found.stacks
        # With the boundary it has been delivered since: that is not to be taken away again.
        if not here.steps or was is None or was.parameters.get(PERMISSIONS_BOUNDARY):
            return ()
        engine = self._home(self._folder)
        engine.configure([("boundary", "false")])
        return (
            "the export is not what runs: the first plan brings that, and the roles get no permissions boundary yet "
            "(`boundary: false`). Once it is delivered, `pulumi config rm boundary`, commit it, and the next plan "
            "brings the boundary, by itself",
        )
