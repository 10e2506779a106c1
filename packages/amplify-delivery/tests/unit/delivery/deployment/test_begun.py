"""The document of a plan that is being carried out, where no account keeps plans."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amplify_delivery.delivery.deployment import begun
from unit.delivery.planning.a_plan import PLAN

DIGEST = PLAN.digest


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    variables = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/state"}
    return SimpleNamespace(stack="dev", folder=tmp_path, variables=variables)


def kept(engine: Any) -> Path:
    return Path(engine.folder, "state/.pulumi/begun/app/dev.json")


def test_it_is_there_under_its_own_digest_until_it_is_carried_out(engine: Any) -> None:
    assert begun.read(engine, DIGEST) is None
    for _ in range(2):  # a second run takes the place of the first
        begun.keep(engine, PLAN)
    assert begun.read(engine, DIGEST) == PLAN.to_json()
    assert begun.read(engine, "0" * 64) is None
    begun.forget(engine)
    assert (begun.read(engine, DIGEST), kept(engine).exists()) == (None, False)
    begun.forget(engine)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"start": {}}'])
def test_what_is_no_plan_is_none(engine: Any, text: str) -> None:
    begun.keep(engine, PLAN)
    kept(engine).write_text(text)
    assert begun.read(engine, DIGEST) is None


def test_one_that_was_altered_is_not_the_approved_one(engine: Any) -> None:
    begun.keep(engine, PLAN)
    kept(engine).write_text(
        kept(engine).read_text().replace('"steps": [', '"steps": [{"step": "remove-resource"}, ', 1)
    )
    assert begun.read(engine, DIGEST) is None


def test_in_pulumi_cloud_nothing_of_ours_lies(engine: Any) -> None:
    engine.variables = {"PULUMI_BACKEND_URL": "https://api.pulumi.com"}
    begun.keep(engine, PLAN)
    assert begun.read(engine, DIGEST) is None
    begun.forget(engine)


def test_a_place_that_may_not_be_written_or_read_hinders_nobody(
    engine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A role may have been given the engine's files and leases alone."""
    kept(engine).parent.parent.mkdir(parents=True)
    kept(engine).parent.write_text("no folder")
    begun.keep(engine, PLAN)
    assert "the plan is not kept beside the state: " in capsys.readouterr().err
    kept(engine).parent.unlink()
    kept(engine).mkdir(parents=True)
    assert begun.read(engine, DIGEST) is None
    begun.forget(engine)
