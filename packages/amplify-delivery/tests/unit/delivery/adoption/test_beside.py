"""What a lost state held beside the root: found as what it was to be, and taken in below its components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.delivery.adoption import beside, refusing
from amplify_delivery.delivery.engine.killed import existing
from amplify_delivery.delivery.engine.killed.pending import Answer, Foreign, Gone, Operation, There
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.errors import RefusedError

STACK = "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev"
AREA = "urn:pulumi:dev::app::amplify-delivery:index:StagingArea::staging"
BUCKET, SECRET = "aws:s3/bucket:Bucket", "aws:secretsmanager/secret:Secret"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
STAGING: dict[str, Any] = {"bucket": "app-dev-staging", "forceDestroy": True}


def step(urn: str, type_: str, parent: str, operation: str = "create", **inputs: Any) -> ProgramStep:
    custom = not type_.startswith("amplify")
    return ProgramStep(urn, type_, operation, (), inputs, custom, provider="urn:provider::1", parent=parent)


HERE: Any = SimpleNamespace(account="111122223333", region="eu-west-1", profile="own")
HERE.at = lambda region: SimpleNamespace(region=region)

STEPS = (
    step(STACK, "pulumi:pulumi:Stack", "", "same"),
    step(AREA, "amplify-delivery:index:StagingArea", STACK),
    step("urn:bucket", BUCKET, AREA, **STAGING),
    step("urn:versioning", VERSIONING, AREA, bucket="app-dev-staging"),
    step("urn:secret", SECRET, STACK, name="app/secret"),
    step("urn:kept", SECRET, STACK, "same", name="app/kept"),
)


class Engine:
    """An engine with the root in its state; what was written."""

    def __init__(self) -> None:
        self.written: list[Mapping[str, Any]] = []

    def preview(self) -> Any:
        return SimpleNamespace(steps=STEPS)

    def state(self) -> Mapping[str, Any]:
        provider = {"urn": "urn:provider", "type": "pulumi:providers:aws", "id": "1"}
        stack = {"urn": STACK, "type": "pulumi:pulumi:Stack"}
        return {"resources": [stack, provider], "secrets_providers": {"type": "p"}}

    def write(self, state: Mapping[str, Any]) -> None:
        self.written.append(state)


def answering(monkeypatch: pytest.MonkeyPatch, **answers: Answer) -> None:
    def ask(_: object, operation: Operation, __: object) -> Answer:
        return answers[operation.urn.removeprefix("urn:")]

    monkeypatch.setattr(existing, "ask", ask)


def test_what_is_there_is_in_the_state_below_its_components(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, bucket=There("app-dev-staging"), secret=There("arn:s", {"arn": "arn:s"}))
    engine: Any = Engine()
    found = beside.take_in(engine, HERE)
    assert found == beside.Beside(("app-dev-staging", "app/secret"))
    (state,) = engine.written
    assert state["secrets_providers"] == {"type": "p"}
    assert [r["urn"] for r in state["resources"]] == [STACK, "urn:provider", AREA, "urn:bucket", "urn:secret"]
    area, bucket, secret = state["resources"][2:]
    assert (area["custom"], area["parent"]) == (False, STACK)
    assert (bucket["id"], bucket["custom"], bucket["provider"]) == ("app-dev-staging", True, "urn:provider::1")
    assert bucket["protect"], "until the next deployment says otherwise"
    assert bucket["inputs"] == bucket["outputs"] == STAGING
    assert secret["outputs"] == {"name": "app/secret", "arn": "arn:s"}


def test_what_is_not_there_is_made_and_what_is_not_ours_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, bucket=Gone(), secret=Foreign("it has another description"))
    engine: Any = Engine()
    found = beside.take_in(engine, HERE)
    assert found == beside.Beside((), ("app/secret: it has another description",))
    assert engine.written == []
    (note,) = refusing.beside("dev", found)
    assert "app/secret: it has another description" in note
    assert "`pulumi import TYPE NAME ID -s dev` takes it in" in note
    assert "gone" not in note, "it may hold data"
    assert refusing.beside("dev", beside.Beside()) == ()


class Elsewhere(Engine):
    """An engine whose preview makes `steps`, with a provider that `up` makes."""

    def __init__(self, *steps: ProgramStep) -> None:
        super().__init__()
        self.steps, self.made = steps, list[dict[str, Any]]()
        self.asked_for: list[str] = []

    def preview(self) -> Any:
        return SimpleNamespace(steps=self.steps)

    def state(self) -> Mapping[str, Any]:
        state = super().state()
        return {**state, "resources": [*state["resources"], *self.made]}

    def up(self, only: list[str]) -> None:
        self.asked_for += only
        self.made += [{"urn": urn, "type": "pulumi:providers:aws", "id": "real"} for urn in only if urn != AREA]


PROVIDER = step("urn:elsewhere", "pulumi:providers:aws", AREA, region="us-east-1")


def regions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where AWS is asked from now on: everything is there."""
    asked: list[str] = []

    def ask(account: Any, *_: object) -> Answer:
        asked.append(account.region)
        return There("id")

    monkeypatch.setattr(existing, "ask", ask)
    return asked


def test_what_another_provider_made_is_asked_for_there_and_its_provider_is_taken_in_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine refuses a state whose resources name a provider that is not in it, and previews one without its id."""
    asked = regions(monkeypatch)
    there = replace(step("urn:bucket", BUCKET, AREA, **STAGING), provider="urn:elsewhere::unknown")
    own = step("urn:own", SECRET, AREA, name="s", region="eu-north-1")
    engine: Any = Elsewhere(*STEPS[:2], PROVIDER, there, replace(own, provider="urn:held::2"))
    engine.made.append({"urn": "urn:held", "type": "pulumi:providers:aws", "id": "2", "inputs": {"region": "r"}})
    assert beside.take_in(engine, HERE).taken == ("app-dev-staging", "s")
    assert asked == ["us-east-1", "eu-north-1"]
    assert engine.asked_for == ["urn:elsewhere", AREA]
    (state,) = engine.written
    providers = {r["urn"]: r["provider"] for r in state["resources"] if "provider" in r}
    assert providers == {"urn:bucket": "urn:elsewhere::real", "urn:own": "urn:held::2"}


HUB, OWN = "arn:aws:iam::555566667777:role/hub", "arn:aws-us-gov:iam::111122223333:role/path/deploy"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"allowedAccountIds": '["999988887777"]'}, "in account 999988887777"),
        ({"assumeRoles": '[{"roleArn": "arn:aws:iam::999988887777:role/dns"}]'}, "in account 999988887777"),
        ({"profile": "dns"}, "with the profile dns"),
        ({"allowedAccountIds": '["111122223333"]', "profile": "own"}, ""),
        ({"allowedAccountIds": '["111122223333"]', "profile": "called otherwise before"}, ""),
        ({"allowedAccountIds": ["111122223333"], "assumeRole": {"roleArn": HUB}}, ""),
        ({"allowedAccountIds": '["111122223333", "999988887777"]', "profile": "dns"}, "with the profile dns"),
        ({"assumeRoles": f'[{{"roleArn": "{HUB}"}}, {{"roleArn": "{OWN}", "externalId": "999988887777"}}]'}, ""),
        ({"assumeRoles": f'[{{"roleArn": "{OWN}"}}, {{"roleArn": "{HUB}"}}]'}, "in account 555566667777"),
        ({"assumeRole": f'{{"roleArn": "{HUB}", "externalId": "111122223333"}}'}, "in account 555566667777"),
    ],
)
def test_in_another_account_nobody_is_asked(inputs: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there under the name would be somebody else's."""
    asked = regions(monkeypatch)
    bucket = replace(step("urn:bucket", BUCKET, AREA, **STAGING), provider="urn:elsewhere::unknown")
    engine: Any = Elsewhere(*STEPS[:2], replace(PROVIDER, inputs=inputs), bucket)
    found = beside.take_in(engine, HERE)
    assert (bool(asked), found.left) == (not said, (f"app-dev-staging: its provider acts {said}",) if said else ())


def test_the_image_repository_is_taken_in_and_stays_where_the_program_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    regions(monkeypatch)
    repository = step("urn:images", "aws:ecr/repository:Repository", STACK, name="app-dev")
    engine: Any = Engine()
    monkeypatch.setattr(Engine, "preview", lambda _: SimpleNamespace(steps=(STEPS[0], replace(repository, kept=True))))
    assert beside.take_in(engine, HERE).taken == ("app-dev",)
    assert engine.written[0]["resources"][-1]["retainOnDelete"]


def test_what_holds_data_and_cannot_be_looked_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan makes another one, empty: the app would be pointed away from what it has."""
    monkeypatch.setattr(existing, "ask", lambda *_: Gone())
    table = "aws:dynamodb/table:Table"
    steps = (
        step(f"{STACK}::orders", table, STACK, name="orders"),
        step(f"{STACK}::kept", table, STACK, "same", name="kept"),
        step(f"{STACK}::files", BUCKET, STACK, bucket="files-1a2b3c4", __defaults=["bucket"]),
        step(f"{STACK}::named", BUCKET, STACK, bucket="named"),
        step(f"{STACK}::topic", "aws:sns/topic:Topic", STACK),
    )
    engine: Any = Elsewhere(*steps)
    found = beside.take_in(engine, HERE)
    assert found.anew == (f"orders ({table}, items)", f"files ({BUCKET}, objects)")
    (note,) = refusing.beside("dev", found, "PULUMI_BACKEND_URL=b ")
    assert "empty: orders" in note
    assert "`PULUMI_BACKEND_URL=b pulumi import TYPE NAME ID -s dev`" in note


def test_an_error_behind_the_root_tells_how_it_goes_on() -> None:
    with pytest.raises(RefusedError) as caught, refusing.going_on("dev"):
        raise RefusedError("no", remedy="log in")
    assert caught.value.remedy.startswith("log in; the root stack is adopted; ")
    assert "`amplify-delivery adopt dev --state-lost`" in str(caught.value)
