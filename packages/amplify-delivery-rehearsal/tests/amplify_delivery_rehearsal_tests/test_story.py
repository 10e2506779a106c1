"""Real exports through all of it: the plain `pulumi up`, the real engine, the local AWS, an export's own code."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from amplify_delivery.export import ExportRefused
from amplify_delivery_rehearsal import story, workspace
from amplify_delivery_rehearsal.example import CHECKOUT
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from amplify_delivery_rehearsal_tests import looking
from aws_rehearsal import warm_server
from aws_rehearsal_tests import pulumi_homes
from functional.front_end import web_page
from unit.export.mutations import copy_export, replace_file, set_value
from unit.places import EXPORTS

ARCHIVES = os.environ.get("AMPLIFY_DELIVERY_EXPORTS", "")
SOCIAL = ("authkitchenappauth", "hostedUIProviderCreds")
CREDENTIALS = '[{"ProviderName":"Google","client_id":"id","client_secret":"made-up"}]'

pytestmark = pytest.mark.engine
Archived = Callable[[str], Path]
Told = tuple[int, list[dict[str, Any]]]


def export(name: str) -> Path:
    return next((EXPORTS / name).glob("amplify-export-*"))


@pytest.fixture
def archived(tmp_path: Path) -> Archived:
    """Unpacks an export that is too large for this repository."""

    def unpack(name: str) -> Path:
        archive = Path(ARCHIVES, f"{name}.tar.gz")
        if not ARCHIVES or not archive.is_file():
            pytest.skip(f"AMPLIFY_DELIVERY_EXPORTS names no folder with {name}.tar.gz: large exports are not tested")
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path, filter="data")
        return next(tmp_path.glob(f"{name}/amplify-export-*"))

    return unpack


CASES = os.environ.get("AMPLIFY_DELIVERY_CASES", "")


@pytest.fixture
def case(tmp_path: Path) -> Archived:
    """Unpacks an export that was made after a public bug report."""

    def unpack(name: str) -> Path:
        archive = Path(CASES, f"{name}.tar.gz")
        if not CASES or not archive.is_file():
            pytest.skip(f"AMPLIFY_DELIVERY_CASES names no folder with {name}.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path, filter="data")
        return next(tmp_path.glob(f"{name}/amplify-export-*"))

    return unpack


def tell(*exports: Path, preview: bool = False, **more: Any) -> Told:
    """A rehearsal of exports in this process, whose server starts the plugins: its exit code and document. Without
    `preview` its `pulumi up` makes none first, which is half of its processor time, and saves its state once."""
    server, run, made = pulumi_homes.server(), Workspace.run, Workspace.make
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as out:

        @contextlib.contextmanager
        def lent(home: Path, *_: object) -> Iterator[None]:
            server.lend(home)
            yield

        def make(folder: Path, checkout: Path, environment: dict[str, str]) -> Workspace:
            return made(folder, checkout, {**environment, **pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD})

        def runs(self: Workspace, command: Sequence[str], line: Callable[[str], None] = lambda _: None) -> Finished:
            return run(self, [*command, *(["--skip-preview"] if command[1] == "up" else [])], line)

        patched.setattr(warm_server, "start", lent)
        if not preview:
            patched.setattr(Workspace, "make", make)
            patched.setattr(Workspace, "run", runs)
        code = story.run(exports, keep=False, json_output=True, **more)
    return code, json.loads(out.getvalue())["deliveries"]


def with_a_literal(folder: Path) -> Path:
    """An export in which the id of a user pool of the environment that it was made in has been left."""
    copy = copy_export("iam", folder / export("iam").name)
    template = next(copy.glob("api/*/cloudformation-template.json")).relative_to(copy).as_posix()
    set_value(copy, template, "/Outputs/Place", {"Value": "eu-west-1_AbCdEfGh1"})
    return copy


def test_an_export_is_delivered() -> None:
    code, [delivery] = tell(export("full"), preview=True)
    assert (code, delivery["outcome"], delivery["stacks"]) == (0, "delivered", 14)


def test_what_belongs_to_the_exported_environment_is_kept_in_a_rehearsal(tmp_path: Path) -> None:
    code, [delivered] = tell(with_a_literal(tmp_path))
    assert (code, delivered["outcome"], delivered["stacks"]) == (0, "delivered", 5)


def test_the_example_over_its_time() -> None:
    """The same again, a field, a second model, `amplify add auth`: what is touched is what `compare` names."""
    versions = [export(f"todo-series/{version}") for version in ("v1", "v1b", "v2", "v3", "v4")]
    code, deliveries = tell(*versions)
    assert code == 0
    assert [len(d["touched"]) for d in deliveries] == [0, 0, 1, 32, 9]
    assert all(d["touched"] == d["expected"] for d in deliveries[1:])


def test_lost_triggers_are_refused_before_anything_is_started() -> None:
    with pytest.raises(ExportRefused, match="AD206"):
        story.run([export("triggers")], keep=False, json_output=True)


def test_a_plain_text_secret_is_refused(archived: Archived) -> None:
    with pytest.raises(ExportRefused, match="AD305"):
        story.run([archived("kitchen")], keep=False, json_output=True)


def test_what_dynamodb_refuses_is_not_delivered(archived: Archived) -> None:
    """The export's index is called `n`; DynamoDB wants three characters at least."""
    code, [delivery] = tell(archived("kitchen"), secrets={SOCIAL: CREDENTIALS})
    assert (code, delivery["outcome"]) == (1, "failed")


def test_a_container_api_is_delivered_by_its_own_pipeline(archived: Archived) -> None:
    folder = archived("kitchen")
    table = next(folder.glob("storage/*/*template.json"))
    replace_file(table, table.read_bytes().replace(b'"IndexName": "n"', b'"IndexName": "byName"'))
    code, [delivery] = tell(folder, secrets={SOCIAL: CREDENTIALS})
    assert (code, delivery["outcome"]) == (0, "delivered")


@pytest.mark.large
@pytest.mark.parametrize("name", ["amplifyhosting-appid", "hosting-bucket", "sam-function"])
def test_a_reported_case_is_delivered(case: Archived, name: str) -> None:
    """Analytics, geo, predictions and hosting, and a template of AWS::Serverless."""
    code, [delivery] = tell(case(name))
    assert (code, delivery["outcome"]) == (0, "delivered")


@pytest.mark.large
def test_an_export_beyond_cloudformations_limit_is_refused_before_anything_is_made(
    archived: Archived, capsys: pytest.CaptureFixture[str]
) -> None:
    """2,548 resources in one operation. That the local AWS would make them, `test_execution_exports.py` shows."""
    code, [delivery] = tell(archived("large"), preview=True)
    assert (code, delivery["outcome"]) == (1, "failed")
    assert "AD744" in capsys.readouterr().err


def rehearsing(*arguments: object, scratch: Path) -> subprocess.Popen[str]:
    """A rehearsal in a process of its own, as a person runs it, with its temporary files in `scratch`."""
    command = [sys.executable, "-m", "amplify_delivery", "rehearse", *map(str, arguments)]
    return subprocess.Popen(
        command,
        cwd=CHECKOUT,
        # Its virtualenv is not active: PATH leads to other Pythons.
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_what_is_kept_can_be_looked_into_and_ended(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What it leaves behind outlives it, shows a front end its data as docs/front-end.md has it, and is gone with the
    command that it prints."""
    with rehearsing(export("todo"), "--keep", scratch=tmp_path) as process:
        said = process.communicate()[0]
    end = re.search(r"^To end it: (.+)$", said, re.M)
    assert end, said
    here = looking.page(tmp_path_factory.mktemp("reader"))
    (here / "rehearsed.txt").write_text(said)
    look, write = looking.of_an_export()
    typed = looking.Shell(here).typed

    try:
        typed(look)
        with web_page.looking(here / "web") as see:
            empty = see()
            made = json.loads(typed(write))["data"]["createTodo"]["id"]
            filled = see()
        if empty and filled:
            assert empty == ({"listTodos": [{"text": "No items."}]}, [])
            [todo] = filled[0]["listTodos"]
            assert (todo["id"], todo["name"], filled[1]) == (made, "Milk", [])
        pointed = look.splitlines()[0]  # the shell, at what was left
        stack = f'{pointed}\ncd "$REHEARSED_PROJECT" && pulumi stack output stackName -s dev'
        assert typed(stack).splitlines()[-1] == "amplify-mytodoapp-dev-5af8b"
        # The commands of the story, by whoever called it without its virtualenv.
        assert typed(f"{pointed}\npython -m amplify_delivery --version").startswith("amplify-delivery ")
    finally:
        subprocess.run(["sh", "-c", end[1]], check=True)
    assert nothing_in(tmp_path)


def nothing_in(folder: Path) -> bool:
    """Whether it is empty, or soon is: who was told to end may still be putting away, and other tests
    keep the machine busy."""
    deadline = time.monotonic() + 300
    while found := list(folder.iterdir()):
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: {found}")
        time.sleep(0.1)
    return True


@pytest.mark.parametrize(
    ("arguments", "at"),
    [((export("todo"), "--keep"), "$ pulumi up"), ((), "developer$ pulumi up")],
    ids=["export that is kept", "pipeline"],
)
def test_told_to_end_it_leaves_nothing_behind(tmp_path: Path, arguments: tuple[object, ...], at: str) -> None:
    """A CI's job that is cancelled. What would be left holds tokens and credentials."""
    with rehearsing(*arguments, scratch=tmp_path) as process:
        assert process.stdout
        seen = ""
        for line in process.stdout:
            seen += line
            if at in line:
                break
        assert at in seen, seen
        assert list(tmp_path.iterdir())
        process.terminate()
        more = process.stdout.read()
    assert process.returncode == 130, seen + more
    assert "Traceback" not in more
    assert nothing_in(tmp_path)


def test_temporary_files_may_lie_in_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TMPDIR is a folder of the project, what is copied must not hold the copy."""
    checkout = tmp_path / "checkout"
    (checkout / "tmp" / "mine").mkdir(parents=True)
    (checkout / "file").touch()
    for scratch in (checkout / "tmp", checkout):
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))
        folder = Path(tempfile.mkdtemp(prefix=workspace.FOLDER))
        workspace.copy_checkout(checkout, folder / "project")
        copied = {p.relative_to(folder / "project").as_posix() for p in (folder / "project").rglob("*")}
        assert copied == ({"file"} if scratch != checkout else {"file", "tmp", "tmp/mine"})
