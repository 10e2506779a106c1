"""An update without an approved plan, and a deployment that has recovered the root stack first."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery import publishing
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.deployment import approval, deploying, updating
from amplify_delivery.delivery.engine.waiting import Patience
from amplify_delivery.delivery.environment import drifting, planned, recovery, wanted
from amplify_delivery.delivery.execution import carrying_out
from amplify_delivery.delivery.killed import resolving
from amplify_delivery.errors import FailedError, PublishError, RefusedError

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

    @property
    def target(self) -> Any:
        config = SimpleNamespace(guard=lambda *_: SimpleNamespace(check=lambda _: None))
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


def test_what_is_gone_of_a_release_is_found_before_anything_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """CodePipeline goes back to a release without publishing it, with a role that may not."""
    scene: Any = Scene(monkeypatch)
    plan: Any = SimpleNamespace(steps=("change",), recovery=None, digest="d", to_json=dict)
    monkeypatch.setattr(planned, "make", lambda *_, **__: plan)
    for module in (approval, drifting):
        monkeypatch.setattr(module, "check", lambda *_, **__: None)
    target = scene.target
    target.assembly, target.names, target.bucket = "assembly", SimpleNamespace(repository="images"), "staging"
    for name, value in {"account": "1", "region": "r", "profile": None, "role_arn": None, "ignored": ()}.items():
        setattr(target.config, name, value)
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


def test_production_is_refused_before_anything_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    lines = ['account: "111122223333"', "region: eu-west-1", 'production: "true"']
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n" + "".join(f"  app:{line}\n" for line in lines))
    monkeypatch.setattr(wanted, "described", lambda *_: pytest.fail("asked"))
    with pytest.raises(RefusedError, match="this is production"):
        updating.update("prod", Context(tmp_path, {}), Patience(0), print)
