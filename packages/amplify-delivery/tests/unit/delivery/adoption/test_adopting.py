"""What is asked before anything is written. Adoptions that ended midway: the next one goes on, and one that is over
does nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import publishing
from amplify_delivery.changes.guard import Guard
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.account import bootstrap_version, rights_check
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.adoption import adopting, api_keys, beside, function_secrets, refusing, running
from amplify_delivery.delivery.adoption.beside import Beside
from amplify_delivery.delivery.adoption.function_secrets import FunctionSecrets
from amplify_delivery.delivery.adoption.kept import Kept
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import secrets_provider
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.environment import planned, recovery, wanted
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.export.names import StackName
from amplify_delivery.export.templates.boundary import PERMISSIONS_BOUNDARY
from amplify_delivery.stacks.config import EnvironmentConfig
from unit.places import REPOSITORY

URN = "urn:pulumi:dev::app::amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend"
FOUND: Any = SimpleNamespace(
    name="amplify-app-dev-5af8b", arn="arn", stacks=SimpleNamespace(parameters={TEMPLATE_KEY: "root.json"})
)
CONFIG: Any = SimpleNamespace(bootstrapped=False, parameters={"auth": {"mfa": "ON"}})
PLAN: Any = "plan"
DONE = {"parameters": {TEMPLATE_KEY: "root.json"}}


class Engine:
    """An engine with the root in its state."""

    stack, backend_variables = "dev", ""

    def __init__(self, inputs: Any) -> None:
        self.root = {"urn": URN, "type": ROOT_STACK, "id": "arn", "inputs": inputs}

    def exists(self) -> bool:
        return True

    def resources(self) -> list[Any]:
        return [self.root]

    def state(self) -> Any:
        return {"resources": [self.root]}

    wrote = False

    def create(self) -> bool:
        return False

    def configure(self, plain: Any, secret: Any) -> None:
        self.configured = (plain, secret)

    def write(self, state: Any) -> None:
        self.root = state["resources"][0]


def adopted(
    monkeypatch: pytest.MonkeyPatch, there: Beside, *, lost: bool, inputs: Any = DONE
) -> tuple[adopting.Adopted, list[str]]:
    """An adoption, and what was done for it."""
    done: list[str] = []

    def take_in(*_: object) -> Beside:
        done.append("looked beside")
        return there

    def decide(*_: object, **__: object) -> Any:
        raise RefusedError("decided again")

    monkeypatch.setattr(resolving, "of_stack", lambda *_: done.append("settled"))
    monkeypatch.setattr(Account, "of", lambda _: "account")
    monkeypatch.setattr(beside, "take_in", take_in)
    monkeypatch.setattr(wanted, "wanted", lambda *_: "target")
    monkeypatch.setattr(planned, "make", lambda *_: PLAN)
    monkeypatch.setattr(api_keys, "expires", lambda *_: None)
    monkeypatch.setattr(adopting, "_decide", decide)
    engine: Any = Engine(inputs)
    context: Any = SimpleNamespace()
    return adopting._adopt(engine, context, CONFIG, FOUND, lost=lost), done


def test_what_stood_beside_the_root_is_taken_in_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one ended behind the root, which the state holds: the staging bucket would be made again."""
    found, done = adopted(monkeypatch, Beside(("app-dev-staging",)), lost=True)
    # What is pending would be dropped with the first state that is written: settled before.
    assert done == ["settled", "looked beside"]
    assert (found.already, found.plan) == (False, PLAN)
    assert found.notes == refusing.beside("dev", Beside(("app-dev-staging",)))


def test_where_nothing_is_left_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Beside(left=("app/secret: not its own",))
    found, _ = adopted(monkeypatch, left, lost=True)
    assert (found.already, found.plan, found.notes) == (True, None, refusing.beside("dev", left))
    found, done = adopted(monkeypatch, left, lost=False)
    assert (found.already, found.notes, done) == (True, (), [])


def test_a_root_without_its_parameters_is_not_adopted_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended between the import, which reads none and protects nothing, and what completes it."""
    with pytest.raises(RefusedError, match="decided again"):
        adopted(monkeypatch, Beside(), lost=True, inputs={})


def test_an_account_that_was_not_bootstrapped_is_told_before_its_state_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bucket that is to hold the state is not there yet: it was said to have been deleted."""
    config: Any = SimpleNamespace(bootstrapped=True, environment="dev")
    account: Any = SimpleNamespace()
    project: Any = SimpleNamespace(app="app")
    context: Any = SimpleNamespace(folder=REPOSITORY, project=project)

    def held(*_: object) -> Any:
        raise AssertionError("the state was asked for")

    def unprepared(*given: object) -> None:
        assert given == (config, project, account)
        raise RefusedError("it is not bootstrapped")

    monkeypatch.setattr(stack_files, "load", lambda *_: config)
    monkeypatch.setattr(Account, "of", lambda _: account)
    monkeypatch.setattr(adopting, "root_stack_name", lambda *_: "amplify-app-dev-5af8b")
    monkeypatch.setattr(running, "find", lambda *_: NAME)
    monkeypatch.setattr(adopting, "_engine", lambda *_: None)
    monkeypatch.setattr(adopting, "holding", held)
    monkeypatch.setattr(bootstrap_version, "check", unprepared)
    with pytest.raises(RefusedError, match="not bootstrapped"):
        adopting.adopt("dev", context, adopting.Which(), Patience(0), print)


PUSHED: Any = SimpleNamespace(
    name="amplify-app-dev-5af8b",
    arn="arn",
    stacks=SimpleNamespace(parameters={"AuthRoleName": "a"}),
)
ADOPTED = {"parameters": {"AuthRoleName": "a"}}


def again(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], kept: Kept, inputs: Any = ADOPTED) -> adopting.Adopted:
    """The adoption of what was adopted before, and runs as it was pushed; `keys` and `kept` belong into the file."""
    config: Any = SimpleNamespace(bootstrapped=False)
    monkeypatch.setattr(Account, "of", lambda _: "account")
    monkeypatch.setattr(api_keys, "expires", lambda *_: None)
    monkeypatch.setattr(adopting, "_decide", lambda *_, **__: adopting._Decided(PUSHED, keys, kept, config))
    monkeypatch.setattr(adopting, "own_keys_in", lambda _: {"environment": "dev", "suffix": "5af8b"})
    monkeypatch.setattr(adopting, "_engine", lambda *_: Engine(inputs))
    monkeypatch.setattr(function_secrets, "found", lambda *_: FunctionSecrets())
    monkeypatch.setattr(secrets_provider, "check", lambda *_, **__: None)
    monkeypatch.setattr(resolving, "of_stack", lambda *_: None)
    monkeypatch.setattr(wanted, "wanted", lambda *_: "target")
    monkeypatch.setattr(planned, "make", lambda *_: PLAN)
    engine: Any = Engine(inputs)
    context: Any = SimpleNamespace(folder=REPOSITORY)
    return adopting._adopt(engine, context, CONFIG, PUSHED, lost=False)


def test_a_stack_file_that_has_lost_what_the_adoption_wrote_gets_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """`git checkout` of a file that nobody had committed: the values, a secret among them, are nowhere else, and the
    plan of what is left changes what runs."""
    expiry, secret = {"root": {"ApiKeyExpires": "1"}}, {("auth", "creds"): "hush"}
    tags = Kept({}, {}, tags={"cost-center": "4711"})
    others: tuple[tuple[dict[str, str], Kept], ...] = (
        ({}, Kept(expiry, {})),
        ({}, Kept({}, secret)),
        ({}, tags),
        ({"executionRoleArn": "arn"}, Kept({}, {})),
    )
    for keys, kept in others:
        found = again(monkeypatch, keys, kept)
        assert (found.already, found.plan) == (False, PLAN)
        assert bool(found.written) or found.secrets == ("auth.creds",)


def test_an_api_key_that_has_expired_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "expired", lambda *given: (f"expired: {given[:2]}",))
    found = again(monkeypatch, {}, Kept({"root": {"ApiKeyExpires": "1"}}, {}))
    assert found.notes == ("expired: ('dev', None)",)


def test_one_that_has_it_all_is_adopted_already(monkeypatch: pytest.MonkeyPatch) -> None:
    found = again(monkeypatch, {"environment": "dev", "suffix": "5af8b"}, Kept({}, {}))
    assert (found.already, found.plan) == (True, None)


def test_a_parameter_that_somebody_has_chosen_since_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = again(monkeypatch, {}, Kept({"auth": {"mfa": "OFF"}}, {}))
    assert (found.already, found.written) == (True, ())
    found = again(monkeypatch, {}, Kept({"auth": {"mfa": "OFF", "email": "a"}}, {}))
    assert (found.already, found.written) == (False, ("parameters.auth.email",))


def test_what_a_release_has_changed_since_is_not_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was delivered from here, and a colleague has pushed: what runs now is not what the file should say."""
    found = again(monkeypatch, {}, Kept({"root": {"ApiKeyExpires": "1"}}, {}), DONE)
    assert (found.already, found.plan) == (True, None)


NAME = StackName("amplify", "app", "dev", "5af8b")
QUESTIONS: tuple[tuple[Any, str], ...] = (
    (refusing, "check_names"),
    (publishing, "check_stack"),
    (refusing, "check_export"),
    (refusing, "check_known"),
    (recovery, "check_nested"),
    (adopting, "refuse"),
    (Guard, "check"),
    (rights_check, "check_unbounded"),
)
"""What speaks against an adoption: names, a lock or a state of the stack, another environment's export, secrets that
nobody tells, a nested stack that is stuck or may not be asked for, what AWS cannot do, data that would be lost, roles
without their boundary."""


NOTHING, EXPIRY = Kept({}, {}), Kept({"root": {"ApiKeyExpires": "1", "AuthRoleName": "a"}}, {})


def decided(
    monkeypatch: pytest.MonkeyPatch, but: tuple[Any, str] | None, kept: Kept = NOTHING, **keys: Any
) -> adopting._Decided:
    """What is to be written, where everything is well but for one thing, of a stack file with these keys."""

    def no(*_: object, **__: object) -> None:
        raise RefusedError("not this one")

    for question in QUESTIONS:
        monkeypatch.setattr(*question, no if question == but else lambda *_, **__: None)
    monkeypatch.setattr(adopting, "own_keys_in", lambda _: {})
    monkeypatch.setattr(adopting, "plain_secrets", lambda _: {})
    monkeypatch.setattr(adopting, "read_assembly", lambda *_: SimpleNamespace(stack_name=NAME))
    monkeypatch.setattr(adopting, "kept", lambda *_: kept)
    monkeypatch.setattr(adopting, "impossible", lambda *_: ())
    monkeypatch.setattr(stack_files, "values", lambda *_: None)
    monkeypatch.setattr(wanted, "described", lambda *_: None)
    monkeypatch.setattr(recovery, "place_of", lambda *_: None)
    here = SimpleNamespace(steps=(), found=SimpleNamespace(stacks=None), wanted=None)
    monkeypatch.setattr(planned, "backend", lambda _: here)
    runs: Any = SimpleNamespace(name=NAME, stacks=None, role_arn=None)
    config = EnvironmentConfig(account="111122223333", region="eu-west-1", environment="dev", **keys)
    return adopting._decide("dev", Context(REPOSITORY, {}), config, runs, None)


def test_where_nothing_speaks_against_it_it_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decided(monkeypatch, None).config.suffix == "5af8b"


def test_a_day_that_the_file_has_for_api_keys_is_not_written_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file would have two answers, and the day that somebody has chosen would do nothing."""
    found = decided(monkeypatch, None, EXPIRY, api_key_expires="2027-05-01")
    assert found.kept.parameters == {"root": {"AuthRoleName": "a"}} == found.config.parameters
    assert decided(monkeypatch, None, EXPIRY).kept == EXPIRY


PARAMETER, ARN = PERMISSIONS_BOUNDARY, "arn:aws:iam::111122223333:policy/app-dev-boundary"


@pytest.mark.parametrize(
    ("parameters", "first_without"), [({}, True), ({PARAMETER: ""}, True), ({PARAMETER: ARN}, False)]
)
def test_the_boundary_comes_as_a_step_of_its_own_unless_it_is_there(
    parameters: dict[str, str], first_without: bool
) -> None:
    """A root that `up` has made has the parameter, and no boundary."""
    config = EnvironmentConfig(account="111122223333", region="eu-west-1", environment="dev", bootstrapped=True)
    runs: Any = SimpleNamespace(name=NAME, stacks=SimpleNamespace(parameters=parameters), role_arn=None)
    keys = adopting._keys(config, "dev", NAME, runs)
    assert keys == ({"boundary": "false"} if first_without else {})


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question[1])
def test_each_thing_that_speaks_against_it_is_asked(question: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="not this one"):
        decided(monkeypatch, question)
