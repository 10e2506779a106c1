"""An update without an approved plan, and a deployment that has recovered the root stack first."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import publishing
from amplify_delivery.changes.deployed import LONGEST_UPDATE
from amplify_delivery.changes.steps import RemoveResource
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, begun, deploying, updating
from amplify_delivery.delivery.deployment.execution import carrying_out
from amplify_delivery.delivery.engine.killed import resolving
from amplify_delivery.delivery.engine.locking.holder import Holder
from amplify_delivery.delivery.engine.locking.session import Held
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.environment import drifting, planned, present_images, recovery, wanted
from amplify_delivery.delivery.planning import ProgramStep
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.errors import FailedError, PublishError, RefusedError
from amplify_delivery.publishing import gen2_lock

LOCK = '{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'
CONTEXT = Context(Path(), {})


class Scene:
    """An environment whose root stack has to be recovered; what was done, in order."""

    stack, meta = "dev", SimpleNamespace(region_name="eu-west-1")

    def __init__(self, monkeypatch: pytest.MonkeyPatch, policy: str = "") -> None:
        self.policy, self.done = policy, list[str]()
        monkeypatch.setattr(resolving, "resolve", lambda *_: {})
        monkeypatch.setattr(recovery, "at_once", self.recover)
        monkeypatch.setattr(recovery, "carry_out", self.recover)
        monkeypatch.setattr(begun, "keep", lambda *_: None)

    @property
    def target(self) -> Any:
        config = SimpleNamespace(guard=lambda *_: SimpleNamespace(check=lambda _: None), bootstrapped=False)
        return SimpleNamespace(
            account=self, root=SimpleNamespace(stack_name="amplify-app-dev-1"), config=config, context=CONTEXT
        )

    def client(self, _: str) -> Scene:
        return self

    def get_stack_policy(self, StackName: str) -> dict[str, str]:  # noqa: N803 - as boto3 calls it
        assert StackName == "amplify-app-dev-1"
        return {"StackPolicyBody": self.policy} if self.policy else {}

    def recover(self, *_: Any) -> bool:
        self.done.append("recovered")
        return True

    def preview(self) -> Any:
        raise RefusedError("the program refuses", where="dev", remedy="nothing was changed")


def test_a_locked_stack_is_not_recovered_either(monkeypatch: pytest.MonkeyPatch) -> None:
    scene: Any = Scene(monkeypatch, LOCK)
    with pytest.raises(RefusedError, match="migration to Gen 2"):
        updating._environment(scene, scene.target)
    assert scene.done == []


def test_what_is_refused_after_a_recovery_has_changed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    scene: Any = Scene(monkeypatch)
    with pytest.raises(FailedError, match="the program refuses") as caught:
        updating._environment(scene, scene.target)
    assert scene.done == ["recovered"]
    assert caught.value.remedy == "nothing more was changed"


def test_an_update_that_is_refused_after_a_recovery_has_changed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a plan as of `up`: also when the engine refuses, at last."""
    scene: Any = Scene(monkeypatch)
    plan: Any = SimpleNamespace(
        steps=("recover",), recovery="recover", digest="d", losses=(), impossible=(), beyond=lambda _: (), to_json=dict
    )
    monkeypatch.setattr(planned, "make", lambda *_, **__: plan)
    for module in (approval, drifting):
        monkeypatch.setattr(module, "check", lambda *_, **__: None)

    def refuse(*_: Any) -> None:
        raise RefusedError("AWS takes no update", where="dev")

    monkeypatch.setattr(carrying_out, "carry_out", refuse)
    audit: Any = SimpleNamespace(planned=lambda _: None, begin=lambda: None)
    with pytest.raises(FailedError, match="AWS takes no update"):
        deploying._attempt(scene.target, scene, deploying.Approved("d"), audit, None)
    assert scene.done == ["recovered"]


@pytest.mark.parametrize("what", ["data would be lost", "AWS does not take it"])
def test_what_a_recovery_leaves_is_looked_at_as_every_plan_is(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a stack that was rolled back nobody could tell before what would be lost, or what AWS refuses."""
    scene: Any = Scene(monkeypatch)
    plan: Any = SimpleNamespace(
        steps=("recover",), recovery="recover", digest="d", losses=("loss",), impossible=("never",), to_json=dict
    )
    plan.beyond = lambda _: ()
    monkeypatch.setattr(planned, "make", lambda *_, **__: plan)
    for module in (approval, drifting):
        monkeypatch.setattr(module, "check", lambda *_, **__: None)

    def refuse(asked: str, found: Any, expected: Any) -> None:
        assert found == expected
        if asked == what:
            raise RefusedError(asked, where="dev")

    guard = SimpleNamespace(check=lambda losses: refuse("data would be lost", losses, ("loss",)))
    config = SimpleNamespace(guard=lambda *_: guard, bootstrapped=False)
    target: Any = SimpleNamespace(account=scene, root=scene.target.root, config=config, context=CONTEXT)
    monkeypatch.setattr(deploying, "refuse", lambda found, _: refuse("AWS does not take it", found, ("never",)))
    monkeypatch.setattr(carrying_out, "carry_out", lambda *_: pytest.fail("carried out"))
    audit: Any = SimpleNamespace(planned=lambda _: None, begin=lambda: None)
    with pytest.raises(FailedError, match=what):
        deploying._attempt(target, scene, deploying.Approved("d"), audit, None)
    assert scene.done == ["recovered"]


def test_what_is_gone_of_a_release_is_found_before_anything_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """CodePipeline goes back to a release without publishing it, with a role that may not."""
    scene: Any = Scene(monkeypatch)
    plan: Any = SimpleNamespace(steps=("change",), recovery=None, digest="d", to_json=dict)
    monkeypatch.setattr(planned, "make", lambda *_, **__: plan)
    for module in (approval, drifting):
        monkeypatch.setattr(module, "check", lambda *_, **__: None)
    target = scene.target
    target.assembly, target.names, target.bucket = Release(), SimpleNamespace(repository="images"), "staging"
    vars(target.config).update(account="1", region="r", profile=None, role_arn=None, ignored=(), bootstrapped=True)
    target.root.object = target.root.body = "root"
    lacking: list[str] = ["vtl/1.vtl"]

    def publish(*_: Any, **__: Any) -> None:
        raise PublishError("uploading vtl/1.vtl: AccessDenied")

    monkeypatch.setattr(publishing, "lacking", lambda *_: lacking, raising=False)
    monkeypatch.setattr(publishing, "publish", publish, raising=False)
    monkeypatch.setattr(carrying_out, "carry_out", lambda *_: {"update": 1})
    begun: list[str] = []
    audit: Any = SimpleNamespace(planned=lambda _: None, begin=lambda: begun.append("begun"))
    log: Any = SimpleNamespace(deployed=lambda *_: False)

    def attempt(log: Any) -> None:
        deploying._attempt(target, scene, deploying.Approved("d", {}), audit, log)

    with pytest.raises(PublishError) as caught:
        attempt(log)
    assert (begun, caught.value.exit_code) == ([], 3)
    attempt(None)  # a personal stack makes its bucket itself
    lacking.clear()
    attempt(log)
    assert begun == ["begun", "begun"]


class Release:
    """An assembly with these images."""

    def __init__(self, *images: str) -> None:
        self.images = [SimpleNamespace(name=name, tag=name, digest=f"sha256:{name}", built=True) for name in images]

    def digest(self) -> str:
        return "0123456789abcdef"


class Registry:
    """ECR with one image of a release with two; another one is gone."""

    account, region = "111122223333", "eu-west-1"

    def __init__(self, *there: str) -> None:
        self.there = list(there)

    def asking(self, _: str) -> Any:
        return nullcontext()

    def client(self, _: str) -> Registry:
        return self

    def batch_get_image(self, **asked: Any) -> dict[str, Any]:
        assert asked["repositoryName"] == "images"
        tags = [i["imageTag"] for i in asked["imageIds"]]
        return {"images": [{"imageId": {"imageTag": t, "imageDigest": f"sha256:{t}"}} for t in tags if t in self.there]}


def of_two_images(registry: Registry, *, bootstrapped: bool = True) -> Any:
    config = SimpleNamespace(
        account="111122223333",
        region="eu-west-1",
        profile=None,
        role_arn=None,
        environment="dev",
        bootstrapped=bootstrapped,
        guard=lambda *_: SimpleNamespace(check=lambda _: None),
        image_findings=SimpleNamespace(refuse=()),
    )
    names, root = SimpleNamespace(repository="images"), SimpleNamespace(stack_name="amplify-app-dev-1")
    return SimpleNamespace(
        account=registry,
        config=config,
        context=CONTEXT,
        names=names,
        root=root,
        bucket="b",
        assembly=Release("api", "worker"),
    )


@pytest.mark.parametrize("command", ["deploy", "up"])
def test_an_image_that_was_collected_is_missed_before_cloudformation_is_called(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Lambda would, in the middle of the update."""
    scene: Any = Scene(monkeypatch)
    registry, done = Registry("worker"), list[str]()
    target = of_two_images(registry)
    step = SimpleNamespace(operation="update", urn="u", type="t", custom=True)
    plan: Any = SimpleNamespace(steps=(step,), recovery=None, digest="d", to_json=dict)
    monkeypatch.setattr(planned, "make", lambda *_, **__: plan)
    monkeypatch.setattr(updating, "plan_program", lambda *_, **__: ())
    monkeypatch.setattr(gen2_lock, "check", lambda *_: None)
    monkeypatch.setattr(updating, "_resolved", lambda *_: {})
    monkeypatch.setattr(recovery, "at_once", lambda *_: False)
    monkeypatch.setattr(scene, "preview", lambda: SimpleNamespace(steps=[step]))
    for module in (approval, drifting):
        monkeypatch.setattr(module, "check", lambda *_, **__: None)
    for name in ("carry_out", "update"):
        monkeypatch.setattr(carrying_out, name, lambda *_: done.append("changed"))

    def push(*_: Any) -> None:
        raise PublishError("pushing api: AccessDenied", remedy="ask for rights")

    monkeypatch.setattr(publishing, "push", push, raising=False)
    audit: Any = SimpleNamespace(planned=lambda _: None, begin=lambda: done.append("begun"))

    def run() -> None:
        if command == "deploy":
            deploying._attempt(target, scene, deploying.Approved("d", {}), audit, None)
        else:
            updating._environment(scene, target)

    with pytest.raises(RefusedError, match=r"1 image of 0123456789ab are not in images any more.*: api \(push") as no:
        run()
    assert (done, no.value.exit_code) == ([], 3)
    assert "`amplify-delivery images dev`" in no.value.remedy
    assert "`amplify-delivery publish dev`" in no.value.remedy
    # Whoever has its bytes and the right pushes it.
    monkeypatch.setattr(publishing, "push", lambda *_: done.append("pushed"), raising=False)
    run()
    assert done[0] == "pushed"
    assert done[-1] == "changed"
    # What is there is left alone, and a personal stack makes its repository itself.
    for other in (of_two_images(Registry("api", "worker")), of_two_images(Registry(), bootstrapped=False)):
        done.clear()
        present_images.complete(other)
        assert done == []


def test_what_the_program_would_lose_is_asked_before_the_engine_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what it makes beside the backend: nothing else asks for that in an update without a plan."""
    scene: Any = Scene(monkeypatch)
    previewed: tuple[()] = ()
    scene.preview = lambda: SimpleNamespace(steps=previewed)
    monkeypatch.setattr(recovery, "at_once", lambda *_: False)
    monkeypatch.setattr(updating, "_updates_root", lambda _: False)
    monkeypatch.setattr(updating, "plan_program", lambda steps, **_: [steps])
    monkeypatch.setattr(carrying_out, "update", lambda *_: pytest.fail("carried out"))

    def check(losses: Any) -> None:
        assert losses == [previewed]
        raise RefusedError("data would be lost", where="dev")

    config = SimpleNamespace(guard=lambda *_: SimpleNamespace(check=check), bootstrapped=False)
    config.image_findings = SimpleNamespace(refuse=False)
    target: Any = SimpleNamespace(account=scene, root=scene.target.root, config=config, context=CONTEXT)
    with pytest.raises(RefusedError, match="data would be lost"):
        updating._environment(scene, target)


def test_what_an_update_leaves_in_the_account_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`up` shows no plan, which would have said it. Of what holds no data nothing is lost, and little is left."""
    scene: Any = Scene(monkeypatch)
    queue = "urn:pulumi:dev::app::aws:sqs/queue:Queue::orders"
    gone_of_program = [
        ProgramStep(queue, "aws:sqs/queue:Queue", "delete", kept=True),
        ProgramStep(f"{queue}-2", "aws:sqs/queue:Queue", "delete"),
        ProgramStep("urn:pulumi:dev::app::aws:iam/role:Role::r", "aws:iam/role:Role", "delete", kept=True),
    ]
    scene.preview = lambda: SimpleNamespace(steps=gone_of_program)
    files = RemoveResource(("storage", "Files"), "AWS::S3::Bucket", kept=True, loss="")
    gone = RemoveResource(("api", "TodoTable"), "AWS::DynamoDB::Table", kept=False, loss="items")
    role = RemoveResource(("api", "Role"), "AWS::IAM::Role", kept=True, loss="")
    here = SimpleNamespace(steps=(gone, role, files), found=None)
    monkeypatch.setattr(updating, "_updates_root", lambda _: True)
    monkeypatch.setattr(planned, "backend", lambda _: here)
    monkeypatch.setattr(recovery, "place_of", lambda *_: None)
    monkeypatch.setattr(recovery, "check_nested", lambda *_: None)
    monkeypatch.setattr(updating, "_work", lambda *_: None)
    monkeypatch.setattr(present_images, "complete", lambda _: None)
    monkeypatch.setattr(carrying_out, "update", lambda *_: {"update": 1})
    target = scene.target
    target.config.guard = lambda *_: SimpleNamespace(check=lambda _: None)
    target.config.image_findings = SimpleNamespace(refuse=False)
    assert updating._environment(scene, target) == {"update": 1}
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "note: orders (aws:sqs/queue:Queue) stays in the account, as the program says (`retain_on_delete`)",
        "note: storage/Files (AWS::S3::Bucket) stays in the account, outside of the stack",
    ]

    def fails(_: Any, left: Any) -> None:
        assert left == [files]
        raise RefusedError("cannot be asked", where="dev")

    with pytest.raises(FailedError, match="cannot be asked"):
        updating._environment(scene, target, fails)


def test_production_is_refused_before_anything_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    lines = ['account: "111122223333"', "region: eu-west-1", 'production: "true"']
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n" + "".join(f"  app:{line}\n" for line in lines))
    monkeypatch.setattr(wanted, "described", lambda *_: pytest.fail("asked"))
    with pytest.raises(RefusedError, match="this is production"):
        updating.update("prod", Context(tmp_path, {}), Patience(0), print)


@pytest.mark.parametrize("over", [True, False])
def test_up_waits_for_what_a_killed_run_has_begun(over: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation goes on without it: an update beside it would be refused."""
    waited = list[float]()
    held = Held(over=Holder.here("up", {}) if over else None)
    engine = SimpleNamespace(outputs=dict)
    monkeypatch.setattr(stack_files, "program", lambda *_: "backend")
    monkeypatch.setattr(updating, "_wanted", lambda *_: SimpleNamespace())
    monkeypatch.setattr(updating, "Engine", lambda *_, **__: engine)
    monkeypatch.setattr(updating, "holding", lambda *_: nullcontext(held))
    monkeypatch.setattr(updating, "_environment", lambda *_: {"update": 1})
    monkeypatch.setattr(wanted, "settle", lambda _, seconds: waited.append(seconds))
    monkeypatch.setattr(begun, "forget", lambda _: None)
    updating.update("dev", CONTEXT, Patience(0), print)
    assert waited == ([LONGEST_UPDATE] if over else [])
