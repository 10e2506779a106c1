"""A command's exit code tells whether anything may have been changed: docs/commands.md promises it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi.automation import CommandError
from pulumi.automation.errors import create_command_error

from amplify_delivery import cli
from amplify_delivery.commands import outputs
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine.engine import Engine
from amplify_delivery.delivery.engine.watch import Watch
from amplify_delivery.delivery.output import error_json
from amplify_delivery.delivery.planning.program import changes_something
from amplify_delivery.errors import (
    AssemblyError,
    ConfigError,
    DeliveryError,
    ExportRefused,
    FailedError,
    LockedError,
    PluginLostError,
    PublishError,
    RefusedError,
    SetupError,
    StateError,
    midway,
    reworded,
)

UNCHANGED = [
    AssemblyError("x"),
    ConfigError("x"),
    ExportRefused([]),
    LockedError("x"),
    PluginLostError("x"),
    PublishError("x"),
    RefusedError("x"),
    SetupError("x"),
    StateError("x"),
]


def not_begun() -> bool:
    return False


@pytest.mark.parametrize("error", UNCHANGED, ids=lambda e: type(e).__name__)
def test_a_refusal_has_changed_nothing(error: DeliveryError) -> None:
    assert (error.exit_code, error_json(error)["changed"]) == (3, "no")


def test_a_failure_may_have_changed_something() -> None:
    error = FailedError("x")
    assert (error.exit_code, error_json(error)["changed"]) == (4, "maybe")


@pytest.mark.parametrize("error", UNCHANGED, ids=lambda e: type(e).__name__)
def test_what_ends_midway_is_a_failure(error: DeliveryError) -> None:
    with pytest.raises(DeliveryError) as caught, midway():
        raise error
    assert caught.value.exit_code == 4
    error.changed = False


def test_a_refusal_midway_does_not_say_that_nothing_was_changed() -> None:
    with pytest.raises(FailedError) as caught, midway():
        raise RefusedError("x", where="dev", remedy="do that; nothing was changed")
    assert (caught.value.where, caught.value.remedy) == ("dev", "do that; nothing more was changed")


def test_before_anything_has_begun_a_refusal_stays_one() -> None:
    with pytest.raises(RefusedError, match="nothing was changed"), midway(not_begun):
        raise RefusedError("x", remedy="nothing was changed")


def test_other_words_change_nothing_of_that() -> None:
    assert reworded(FailedError("x"), "y", where="", remedy="").changed
    assert not reworded(RefusedError("x"), "y", where="", remedy="").changed


@pytest.mark.parametrize(("error", "code", "changed"), [(RefusedError("no"), 3, "no"), (FailedError("no"), 4, "maybe")])
def test_a_command_ends_with_it(
    error: DeliveryError, code: int, changed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> int:
        raise error

    monkeypatch.setattr(outputs, "run", fail)
    assert cli.main(["outputs", "dev", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["error"]["changed"] == changed


SET = "`pulumi config set export FOLDER`"


@pytest.mark.parametrize(
    ("where", "remedy", "told"),
    [
        # The stack that happens to be selected may be another one.
        ("", SET, "`pulumi config set -s dev export FOLDER`"),
        ("/app/Pulumi.prod.yaml", SET, "`pulumi config set -s prod export FOLDER`"),
        ("", "`pulumi config set -s qa export FOLDER`", "`pulumi config set -s qa export FOLDER`"),
        ("", "`pulumi config set export FOLDER -s qa`, or `pulumi up`", "`pulumi config set export FOLDER -s qa`, or "),
    ],
)
def test_a_command_that_sets_a_value_names_the_stack_whose_it_is(
    where: str, remedy: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> int:
        raise ConfigError("no", where=where, remedy=remedy)

    monkeypatch.setattr(outputs, "run", fail)
    assert cli.main(["outputs", "dev"]) == 3
    assert told in capsys.readouterr().err


# --- the engine -------------------------------------------------------------------------------------------------------


def failing(
    *operations: str, text: str = "error: update failed", kind: str = "aws:s3/bucket:Bucket", custom: bool = True
) -> Any:
    """An update of the engine that begins these operations, and fails."""

    def up(on_event: Watch, **_: Any) -> None:
        on_event.errors.append(("urn:pulumi:dev::app::aws:s3/bucket:Bucket::files", "no"))
        for operation in operations:
            step = SimpleNamespace(
                urn="urn:pulumi:dev::app::aws:s3/bucket:Bucket::files", type=kind, op=operation,
                new=SimpleNamespace(custom=custom, inputs={}, parent="", retain_on_delete=False, protect=False),
                old=None, diffs=(), keys=(), provider="",
            )  # fmt: skip
            event = SimpleNamespace(
                diagnostic_event=None, resource_pre_event=SimpleNamespace(metadata=step), res_outputs_event=None,
                res_op_failed_event=None, summary_event=None,
            )  # fmt: skip
            on_event(event)  # type: ignore[arg-type]
        raise error(text)

    return up


def error(text: str) -> CommandError:
    return create_command_error(SimpleNamespace(stdout="", stderr=text, code=255))  # type: ignore[arg-type]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    monkeypatch.setattr("amplify_delivery.delivery.engine.engine.Command", lambda *_: SimpleNamespace(version=None))
    monkeypatch.setattr("amplify_delivery.delivery.engine.engine.Workspace", lambda **_: SimpleNamespace(env_vars={}))
    monkeypatch.setattr("amplify_delivery.delivery.engine.engine.Stack", lambda *_: SimpleNamespace())
    return Engine("dev", tmp_path, print)


@pytest.mark.parametrize(
    ("operations", "code"),
    [((), 3), (("same", "refresh", "read"), 3), (("same", "create"), 4), (("update",), 4), (("delete",), 4)],
)
def test_an_update_that_has_begun_nothing_is_refused(engine: Engine, operations: tuple[str, ...], code: int) -> None:
    engine._stack.up = failing(*operations)  # type: ignore[method-assign]
    with pytest.raises(DeliveryError) as caught:
        engine.up()
    assert caught.value.exit_code == code


@pytest.mark.parametrize(
    ("kind", "custom"), [("pulumi:pulumi:Stack", False), ("app:index:Stage", False), ("pulumi:providers:aws", True)]
)
def test_what_is_the_engines_own_is_no_change_of_anything(engine: Engine, kind: str, custom: bool) -> None:
    engine._stack.up = failing("create", kind=kind, custom=custom)  # type: ignore[method-assign]
    with pytest.raises(RefusedError):
        engine.up()


BUCKET = "aws:s3/bucket:Bucket"
LOST = "error reading from server: EOF"
NOBODY_THERE = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp"'
)
"""What comes after it: that call has reached nobody. What is in AWS under its name is somebody else's."""


@pytest.mark.parametrize(
    ("said", "kind", "operation", "asked"),
    [
        (LOST, BUCKET, "create", True),
        (LOST, BUCKET, "create-replacement", True),
        (LOST, BUCKET, "update", False),
        (LOST, ROOT_STACK, "update", True),
        (NOBODY_THERE, BUCKET, "create", False),
        (NOBODY_THERE, ROOT_STACK, "update", False),
        ("could not read plugin [/p/pulumi-resource-aws]: signal: killed", BUCKET, "create", False),
        ("AccessDenied", BUCKET, "create", False),
        ("AccessDenied", ROOT_STACK, "update", False),
    ],
)
def test_what_a_lost_plugin_was_making_is_asked_for_before_it_is_raised(
    engine: Engine, said: str, kind: str, operation: str, asked: bool
) -> None:
    """The engine takes it for failed, and forgets it: its bucket may be there, and CloudFormation goes on."""
    urn = f"urn:pulumi:dev::app::{kind}::files"
    lost: list[tuple[str, bool]] = []
    engine.when_lost = lambda steps, _: lost.extend((step.urn, step.protected) for step in steps)
    new = SimpleNamespace(custom=True, inputs={"bucket": "files"}, parent="", retain_on_delete=False, protect=True)
    step = SimpleNamespace(urn=urn, type=kind, op=operation, new=new, old=None, diffs=(), keys=(), provider="")
    failed = SimpleNamespace(
        diagnostic_event=None, resource_pre_event=None, res_outputs_event=None, summary_event=None,
        res_op_failed_event=SimpleNamespace(metadata=step),
    )  # fmt: skip

    def up(on_event: Watch, **_: Any) -> None:
        on_event.errors.append((urn, said))
        on_event(failed)  # type: ignore[arg-type]
        raise error("error: update failed")

    engine._stack.up = up  # type: ignore[method-assign, assignment]
    with pytest.raises(DeliveryError):
        engine.up()
    assert lost == ([(urn, True)] if asked else [])


@pytest.mark.parametrize(("operations", "wrote"), [(("same",), False), (("create",), True)])
def test_an_update_that_failed_has_written_what_it_had_begun(
    engine: Engine, operations: tuple[str, ...], wrote: bool
) -> None:
    engine._stack.up = failing(*operations)  # type: ignore[method-assign]
    with pytest.raises(DeliveryError):
        engine.up()
    assert engine.wrote == wrote


def test_a_stack_file_that_has_the_value_already_is_not_written(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = engine.folder / "Pulumi.dev.yaml"
    file.write_text("a: 1\n")
    texts = ["a: 1\n", "a: 2\n"]
    monkeypatch.setattr(
        engine, "_command", SimpleNamespace(version=None, run=lambda *_, **__: file.write_text(texts.pop(0)))
    )
    engine.configure([("a", "1")])
    assert not engine.wrote
    engine.configure([("a", "2")])
    assert engine.wrote


def test_an_update_that_left_all_as_it_was_has_begun_nothing() -> None:
    assert not changes_something({"same": 14})
    assert changes_something({"same": 14, "create": 1})


def test_a_preview_never_changes_anything(engine: Engine) -> None:
    engine._stack.preview = failing("create", "delete")  # type: ignore[method-assign]
    with pytest.raises(RefusedError) as caught:
        engine.preview()
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(("method", "code"), [("preview", 3), ("up", 4), ("destroy", 4)])
def test_a_run_whose_events_have_not_arrived_is_not_taken_for_one_without_changes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, method: str, code: int
) -> None:
    """The engine only logs that it could not send them."""
    told = SimpleNamespace(
        diagnostic_event=None, resource_pre_event=None, res_outputs_event=None, res_op_failed_event=None,
        summary_event=SimpleNamespace(resource_changes={"same": 3}),
    )  # fmt: skip
    options = {"not_refreshing": nullcontext, "ignoring_protection": lambda **_: nullcontext()}
    monkeypatch.setattr(engine, "_command", SimpleNamespace(version=None, stopping=None, **options))

    def ends(on_event: Any, **_: object) -> None:
        on_event(told)

    setattr(engine._stack, method, ends)
    assert getattr(engine, method)().changes == {"same": 3}
    setattr(engine._stack, method, lambda **_: None)
    with pytest.raises(PluginLostError) as caught:
        getattr(engine, method)()
    assert caught.value.exit_code == code


def test_a_lost_connection_to_the_state_midway_is_no_refusal(engine: Engine) -> None:
    engine._stack.up = failing("create", text="error: incorrect passphrase")  # type: ignore[method-assign]
    with pytest.raises(StateError) as caught:
        engine.up()
    assert caught.value.exit_code == 4
