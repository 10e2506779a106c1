"""The lease of a stack: who has it, who gets it, and what is cleared away with it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from amplify_delivery.delivery import ci_runs
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine.locking import holder as holders
from amplify_delivery.delivery.engine.locking import session, waiting
from amplify_delivery.delivery.engine.locking.holder import (
    BUILD,
    BUILD_ARN,
    Holder,
    Life,
    began,
    began_at,
    judge,
    machine,
)
from amplify_delivery.delivery.engine.locking.lease import Judge, Lease
from amplify_delivery.delivery.engine.locking.session import holding, wait_until_free
from amplify_delivery.delivery.engine.locking.waiting import Patience
from amplify_delivery.delivery.engine.state_store import Store, backend_url, store_of
from amplify_delivery.errors import DeliveryError, FailedError, LockedError, NoStackError, StateError
from aws_rehearsal_tests.clock import Clock

NOBODY = 4_194_305
"""The number of no process: more than any system gives."""
IN_BUILD = {
    BUILD: "app-prod-deploy:1-2-3",
    BUILD_ARN: "arn:aws:codebuild:eu-west-1:333333333333:build/app-prod-deploy:1-2-3",
}


class Scene:
    """A project whose state lies in a folder; CodeBuild answers what `builds` holds."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
        (folder / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
        self.state = folder / "state"
        self.engine: Any = SimpleNamespace(
            stack="dev", folder=folder, variables={"PULUMI_BACKEND_URL": f"file://{self.state}"}
        )
        self.builds: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.context = Context(folder, {})
        monkeypatch.setattr(Store, "builds", self._codebuild)

    def _codebuild(self, region: str) -> Any:
        self.asked.append(region)
        return SimpleNamespace(
            batch_get_builds=lambda ids: {"builds": [self.builds[i] for i in ids if i in self.builds]}
        )

    @property
    def lease(self) -> Lease:
        found = session.lease_of(self.engine)
        assert found
        return found

    @property
    def file(self) -> Path:
        return self.state / self.lease.key

    def left_by(self, holder: Holder) -> Holder:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(holder.written)
        return holder

    def hold(self, minutes: int = 0, variables: dict[str, str] | None = None) -> Any:
        context = Context(self.context.folder, variables or {})
        return holding(self.engine, "deploy", context, Patience(minutes))

    def lock(self, name: str, *, pid: int, when: float, host: str | None = None, user: str | None = None) -> Path:
        """A lock of the engine's, as it writes it."""
        here = Holder.here("up", {})
        file = self.state / f".pulumi/locks/organization/app/dev/{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        stamp = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789Z"
        said = {"pid": pid, "username": user or here.who, "hostname": host or here.host, "timestamp": stamp}
        file.write_text(json.dumps(said))
        file.with_name(f"{file.name}.attrs").write_text("{}")  # as the engine's library has one beside each file
        return file


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def somebody(**changes: Any) -> Holder:
    """A run of another process on this machine that has ended, unless something else is said."""
    return replace(Holder.here("up", {}), **{"pid": NOBODY, "started": "1", "token": "other", **changes})


def alive() -> Holder:
    """A run of a process that is there: the one that started this one."""
    return somebody(pid=os.getppid(), started=began(os.getppid()))


def test_a_stack_is_held_and_given_back(scene: Scene) -> None:
    with scene.hold(
        variables={
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "a/b",
            "GITHUB_RUN_ID": "7",
            "GITHUB_RUN_ATTEMPT": "2",
        }
    ) as held:
        written = json.loads(scene.file.read_text())
        assert (written["command"], written["pid"], written["run"]) == (
            "deploy",
            os.getpid(),
            "https://github.com/a/b/actions/runs/7/attempts/2",
        )
        assert (held.waited, held.over) == (False, None)
    assert not scene.file.exists()


def test_a_run_within_a_run_holds_what_is_held(scene: Scene) -> None:
    with scene.hold():
        before = scene.file.read_bytes()
        lock = scene.lock("own", pid=os.getpid(), when=time.time())
        with scene.hold():
            assert scene.file.read_bytes() == before
        assert not wait_until_free(scene.engine, "plan", scene.context, Patience(0))
        assert scene.file.read_bytes() == before
        assert lock.exists()
    assert not scene.file.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_it_is_given_back_whatever_happens(scene: Scene, error: type[BaseException]) -> None:
    with pytest.raises(error), scene.hold():
        raise error
    assert not scene.file.exists()


def test_who_is_ended_while_it_is_given_back_gives_it_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C, or a CI's next signal: the lease would stay, and in a shared bucket a person would be asked."""
    remove, before = Lease.release, signal.getsignal(signal.SIGINT)

    def ended(lease: Lease, taken: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        remove(lease, taken)

    monkeypatch.setattr(Lease, "release", ended)
    with pytest.raises(ValueError, match="what ended it first"), scene.hold():
        raise ValueError("what ended it first")
    assert not scene.file.exists()
    assert signal.getsignal(signal.SIGINT) == before


def test_a_ci_that_ends_us_is_like_ctrl_c(scene: Scene) -> None:
    with pytest.raises(KeyboardInterrupt), scene.hold():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert not scene.file.exists()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def one_of_many_gets_it(scene: Scene, life: Judge) -> None:
    """Twelve take the lease at once; `life` is what each finds out about who holds it."""
    got, refused, start = list[str](), list[str](), threading.Barrier(12)

    def one(number: int) -> None:
        here = somebody(token=str(number), pid=NOBODY + 1 + number)
        start.wait()
        try:
            got.append(scene.lease.take(here, life).holder.token)
        except LockedError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 11)
    assert json.loads(scene.file.read_text())["token"] == got[0]


def test_of_many_at_once_one_gets_it(scene: Scene) -> None:
    one_of_many_gets_it(scene, lambda _: holders.Verdict(Life.ALIVE, "it runs"))


def test_in_a_folder_one_writes_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared and then replaced is nobody else's meanwhile."""
    alone, store = list[bool](), scene.lease.store

    def watched(write: Callable[..., Any]) -> Any:
        def watching(*given: Any) -> Any:
            with (scene.state / ".pulumi/leases/.writing").open("w") as other:
                try:
                    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    alone.append(True)
                else:
                    alone.append(False)
            return write(*given)

        return staticmethod(watching)

    for name in ("_create", "_remove"):
        monkeypatch.setattr(type(store), name, watched(getattr(type(store), name)))
    tag = store.create("leases/x", b"1")
    assert tag
    tag = store.replace("leases/x", b"2", tag)
    assert tag
    assert store.remove("leases/x", tag)
    assert alone == [True] * 4


def test_of_many_who_take_over_one_gets_it(scene: Scene) -> None:
    scene.left_by(somebody())
    gone = somebody().token
    one_of_many_gets_it(
        scene,
        lambda found: holders.Verdict(Life.GONE if found.holder and found.holder.token == gone else Life.ALIVE, "so"),
    )


# --- who still is there -----------------------------------------------------------------------------------------------


def test_a_process_that_is_gone_is_taken_over_without_a_person(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    left = scene.left_by(somebody())
    with scene.hold() as held:
        assert held.over == left
        assert json.loads(scene.file.read_text())["previous"][0]["token"] == "other"
    assert "taken over from `up` of process 4194305" in capsys.readouterr().err
    assert not scene.file.exists()


def test_a_process_whose_number_another_one_has_is_gone(scene: Scene) -> None:
    scene.left_by(somebody(pid=os.getppid(), started="1"))
    with scene.hold() as held:
        assert held.over


def test_a_living_process_is_named_and_never_broken(scene: Scene) -> None:
    before = scene.left_by(alive()).written
    with (
        pytest.raises(
            LockedError, match=f"another run changes this stack: `up` of process {os.getppid()} of "
        ) as error,
        scene.hold(),
    ):
        pytest.fail("it was broken")
    assert "--wait MINUTES" in error.value.remedy
    assert not error.value.changed
    assert scene.file.read_bytes() == before


def test_what_a_person_says_breaks_nobody_who_is_known_to_live(scene: Scene) -> None:
    """It was unknown when she was asked: the network was gone, and CodeBuild could not tell."""
    scene.left_by(alive())
    found = scene.lease.look()
    assert found
    with (
        pytest.raises(LockedError, match="another run changes this stack"),
        holding(scene.engine, "unlock", scene.context, Patience(0), agreed=[found.tag]),
    ):
        pytest.fail("it was broken")
    assert scene.lease.look() == found


def test_a_living_process_is_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.left_by(alive())
    Clock(monkeypatch, waiting, then=lambda _: scene.file.unlink())
    with scene.hold(minutes=1) as held:
        assert held.waited
    scene.left_by(alive())
    assert wait_until_free(scene.engine, "plan", scene.context, Patience(1))


OTHER_PLACES: dict[str, dict[str, str]] = {
    "another host": {"host": "elsewhere"},
    "another machine of that name": {"machine": "other"},
    "another container of the machine": {"namespace": "pid:[1]"},
    "another start of a container": {"boot": "other", "namespace": "pid:[1]"},
    "a start of what has no id": {"boot": "other", "machine": ""},
}


@pytest.mark.parametrize("place", OTHER_PLACES.values(), ids=OTHER_PLACES.keys())
def test_what_only_another_machine_knows_is_left_to_a_person(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, place: dict[str, str]
) -> None:
    here = replace(machine(), machine=place.get("machine", "id") and "id", namespace="pid:[4026531836]")
    monkeypatch.setattr(holders, "machine", lambda: here if place.get("machine") != "" else replace(here, machine=""))
    before = scene.left_by(somebody(**{"machine": "id", "namespace": "pid:[4026531836]", **place})).written
    with (
        pytest.raises(LockedError, match="another run has not given this stack back: `up` of process") as error,
        scene.hold(),
    ):
        pytest.fail("it was broken")
    assert "no other machine can tell" in error.value.message
    assert "`amplify-delivery unlock dev`" in error.value.remedy
    with pytest.raises(LockedError, match="has not given this stack back"):
        wait_until_free(scene.engine, "plan", scene.context, Patience(0))
    assert scene.file.read_bytes() == before


def test_what_ran_before_the_machine_was_started_again_is_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    here = replace(machine(), machine="id", namespace="pid:[4026531836]")
    monkeypatch.setattr(holders, "machine", lambda: here)
    scene.left_by(
        somebody(
            machine="id", namespace="pid:[4026531836]", boot="before", pid=os.getppid(), started=began(os.getppid())
        )
    )
    with scene.hold() as held:
        assert held.over


@pytest.mark.parametrize("complete", [True, False])
def test_of_a_build_codebuild_is_asked(scene: Scene, complete: bool) -> None:
    scene.left_by(replace(Holder.here("deploy", IN_BUILD), host="container", token="other"))
    status = "STOPPED" if complete else "IN_PROGRESS"
    scene.builds[IN_BUILD[BUILD]] = {"arn": IN_BUILD[BUILD_ARN], "buildStatus": status, "buildComplete": complete}
    if complete:
        with scene.hold() as held:
            assert held.over
        assert not scene.file.exists()
    else:
        with (
            pytest.raises(
                LockedError, match=r"`deploy` of build app-prod-deploy:1-2-3, since .*; the build is IN_PROGRESS"
            ) as error,
            scene.hold(),
        ):
            pytest.fail("it was broken")
        assert "aws codebuild stop-build --id app-prod-deploy:1-2-3" in error.value.remedy
    assert scene.asked[0] == "eu-west-1"


def test_of_the_build_that_we_are_in_the_machine_knows(scene: Scene) -> None:
    scene.left_by(replace(Holder.here("deploy", IN_BUILD), pid=NOBODY, token="other"))
    with scene.hold(variables=IN_BUILD) as held:
        assert held.over
    assert scene.asked == []


def test_a_build_that_codebuild_does_not_tell_about_is_left_to_a_person(scene: Scene) -> None:
    scene.left_by(replace(Holder.here("deploy", IN_BUILD), host="container", token="other"))
    with pytest.raises(LockedError, match="CodeBuild does not know the build"), scene.hold():
        pytest.fail("it was broken")

    def denied(_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchGetBuilds")

    there = scene.lease.look()
    assert there
    assert there.holder
    another = {"arn": IN_BUILD[BUILD_ARN].replace("333333333333", "444444444444"), "buildComplete": True}
    scene.builds[IN_BUILD[BUILD]] = another
    assert judge(there.holder, Holder.here("deploy", {}), scene.lease.store.builds).life is Life.UNKNOWN
    verdict = judge(there.holder, Holder.here("deploy", {}), denied)
    assert verdict.life is Life.UNKNOWN
    assert "AccessDeniedException" in verdict.why


def test_a_lease_that_cannot_be_read_is_left_to_a_person(scene: Scene) -> None:
    scene.file.parent.mkdir(parents=True)
    scene.file.write_text("{}")
    with pytest.raises(LockedError, match="its lease cannot be read") as error, scene.hold():
        pytest.fail("it was broken")
    assert "unlock dev" in error.value.remedy


def test_when_processes_began_is_known() -> None:
    assert began(NOBODY) is None
    assert began(os.getpid()) == began(os.getpid()) is not None
    seconds = began_at(os.getpid())
    assert seconds
    assert time.time() - 7200 < seconds < time.time() + 1


# --- S3's answers -----------------------------------------------------------------------------------------------------


class Deaf(Store):
    """A store whose answers of a write are lost: the SDK asks again, and S3 says that it is there already."""

    place, ours, local = "s3://b", "", False

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.read, self.keys, self.remove = inner.read, inner.keys, inner.remove  # type: ignore[method-assign]

    def read(self, key: str) -> Any: ...
    def keys(self, prefix: str) -> Any: ...
    def remove(self, key: str, tag: str) -> Any: ...

    def create(self, key: str, body: bytes) -> None:
        self._inner.create(key, body)

    def replace(self, key: str, body: bytes, tag: str) -> None:
        self._inner.replace(key, body, tag)


@pytest.mark.parametrize("left", [False, True])
def test_a_write_whose_answer_is_lost_is_known_again(scene: Scene, left: bool) -> None:
    if left:
        scene.left_by(somebody())
    lease = Lease(Deaf(scene.lease.store), "app", "dev")
    lease.key = scene.lease.key
    here = Holder.here("deploy", {})
    taken = lease.take(here, lambda found: session.judged(lease, here, found.holder))
    assert taken.tag
    assert taken.holder.token == here.token
    lease.release(taken)
    assert not scene.file.exists()


def test_a_state_that_cannot_be_written_is_said(scene: Scene) -> None:
    scene.state.write_text("a file in its place")
    with pytest.raises(StateError, match="in the engine's state: ") as error, scene.hold():
        pytest.fail("nothing was held")
    assert error.value.exit_code == 3


# --- the engine's own lock --------------------------------------------------------------------------------------------


def test_the_lock_of_an_engine_that_is_gone_goes_with_the_lease(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.left_by(somebody())
    lock = scene.lock("gone", pid=NOBODY, when=time.time())
    with scene.hold():
        assert list(lock.parent.iterdir()) == []
    assert "the engine's lock of process 4194305 of " in capsys.readouterr().err


def test_the_lock_of_an_engine_that_was_killed_under_its_command_goes_with_the_lease(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a shared bucket nobody could tell later: the lease, which says whose it was, is given back."""
    monkeypatch.setattr(type(scene.lease.store), "local", False)
    with pytest.raises(FailedError), scene.hold(variables=IN_BUILD):
        gone = scene.lock("its", pid=NOBODY, when=time.time())
        living = scene.lock("living", pid=os.getppid(), when=time.time())
        others = scene.lock("another", pid=NOBODY, when=time.time(), host="laptop", user="ann")
        raise FailedError("the engine was killed (signal 9)")
    assert (gone.exists(), living.exists(), others.exists()) == (False, True, True)
    assert not scene.file.exists()


def test_an_engine_that_outlives_its_command_keeps_its_lock(scene: Scene) -> None:
    left = scene.left_by(somebody())
    lock = scene.lock("living", pid=os.getppid(), when=time.time())
    gone = scene.lock("gone", pid=NOBODY, when=time.time())
    with (
        pytest.raises(
            LockedError, match=f"another update of this stack is running: process {os.getppid()} of "
        ) as error,
        scene.hold(),
    ):
        pytest.fail("it was broken")
    assert "amplify-delivery unlock dev" in error.value.remedy
    assert lock.exists()
    assert not gone.exists()
    assert not scene.file.exists() or scene.file.read_bytes() == left.written


def test_the_lock_of_a_build_that_has_ended_goes(scene: Scene) -> None:
    scene.left_by(replace(Holder.here("deploy", IN_BUILD), host="container", token="other"))
    scene.builds[IN_BUILD[BUILD]] = {"arn": IN_BUILD[BUILD_ARN], "buildStatus": "FAILED", "buildComplete": True}
    lock = scene.lock("its", pid=7, when=time.time(), host="container")
    other = scene.lock("another", pid=7, when=time.time(), host="laptop", user="ann")
    with pytest.raises(LockedError, match="process 7 of ann on laptop, since "), scene.hold():
        pytest.fail("it was broken")
    assert not lock.exists()
    assert other.exists()
    other.unlink()
    with scene.hold():
        pass


def test_a_lock_from_before_its_holder_had_the_lease_is_not_its_own(scene: Scene) -> None:
    scene.left_by(replace(Holder.here("deploy", IN_BUILD), host="container", token="other"))
    scene.builds[IN_BUILD[BUILD]] = {"arn": IN_BUILD[BUILD_ARN], "buildStatus": "FAILED", "buildComplete": True}
    lock = scene.lock("older", pid=7, when=time.time() - 60, host="container")
    with pytest.raises(LockedError, match="process 7 of "), scene.hold():
        pytest.fail("it was broken")
    assert lock.exists()


def test_who_was_taken_over_is_remembered_until_all_is_cleared(scene: Scene) -> None:
    """Whoever took over was killed before it had removed the lock."""
    first = replace(Holder.here("deploy", IN_BUILD), host="container", token="first")
    scene.left_by(somebody(previous=(first,), since="2999-01-01T00:00:00+00:00"))
    scene.builds[IN_BUILD[BUILD]] = {"arn": IN_BUILD[BUILD_ARN], "buildStatus": "FAILED", "buildComplete": True}
    lock = scene.lock("its", pid=7, when=time.time(), host="container")
    with scene.hold():
        assert not lock.exists()


def test_the_lock_of_a_plain_pulumi_that_is_gone_goes(scene: Scene) -> None:
    lock = scene.lock("plain", pid=NOBODY, when=time.time() - 60)
    reused = scene.lock("reused", pid=os.getpid(), when=time.time() - 1e6)
    with scene.hold():
        assert not lock.exists()
        assert not reused.exists()


def test_the_lock_of_a_plain_pulumi_in_a_shared_bucket_is_left_to_a_person(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines may have one name, and the engine writes down nothing else."""
    monkeypatch.setattr(type(scene.lease.store), "local", False)
    lock = scene.lock("plain", pid=NOBODY, when=time.time() - 60)
    with pytest.raises(LockedError, match="no command of ours has started it"), scene.hold():
        pytest.fail("it was broken")
    assert lock.exists()


# --- where the state is -----------------------------------------------------------------------------------------------


def test_where_the_state_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    home = {"PULUMI_HOME": str(tmp_path)}
    for variable in ("PULUMI_ACCESS_TOKEN", "PULUMI_API"):
        monkeypatch.delenv(variable, raising=False)
    assert backend_url(tmp_path, home) == ""
    token = {**home, "PULUMI_ACCESS_TOKEN": "pul-1"}
    assert backend_url(tmp_path, token) == "https://api.pulumi.com"
    assert backend_url(tmp_path, {**token, "PULUMI_API": "https://pulumi.example.com"}) == "https://pulumi.example.com"
    (tmp_path / "credentials.json").write_text('{"current": "https://api.pulumi.com"}')
    assert backend_url(tmp_path, home) == "https://api.pulumi.com"
    assert store_of(tmp_path, home) is None
    (tmp_path / "Pulumi.yaml").write_text("name: app\nbackend:\n  url: file://./state\n")
    assert backend_url(tmp_path, home) == "file://./state"
    folder = store_of(tmp_path, home)
    assert folder
    assert folder.place == str(tmp_path / "state")
    url = "s3://app-prod-state-333333333333-eu-west-1-an/team?region=eu-west-1"
    bucket = store_of(tmp_path, {**home, "PULUMI_BACKEND_URL": url})
    assert bucket
    assert bucket.place == "s3://app-prod-state-333333333333-eu-west-1-an/team"


class Said:
    """An engine whose stack Pulumi Cloud, or another cloud's bucket, has: what it says of an update."""

    stack = "dev"

    def __init__(self, folder: Path, *going_on: str | DeliveryError) -> None:
        self.folder, self.variables = folder, {"PULUMI_BACKEND_URL": "https://api.pulumi.com"}
        self.said = list(going_on)

    def going_on(self) -> str:
        what = self.said.pop(0)
        if isinstance(what, DeliveryError):
            raise what
        return what


def test_without_a_place_for_it_the_engines_own_lock_has_to_do(tmp_path: Path) -> None:
    engine: Any = Said(tmp_path, "", "", NoStackError("there is no such stack"))
    for _ in range(2):
        with holding(engine, "up", Context(tmp_path, {}), Patience(0)) as held:
            assert not held.waited
    assert not wait_until_free(engine, "plan", Context(tmp_path, {}), Patience(0))
    assert engine.said == []


def test_what_pulumi_cloud_says_is_going_on_is_waited_for_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, context = "update of ann", Context(tmp_path, {})
    with (
        pytest.raises(LockedError, match="another update of this stack is running: update of ann") as error,
        holding(Said(tmp_path, going_on), "up", context, Patience(0)),  # type: ignore[arg-type]
    ):
        pytest.fail("it is held")
    assert "`amplify-delivery unlock dev`" in error.value.remedy
    assert "five minutes" in error.value.remedy
    Clock(monkeypatch, waiting)
    engine: Any = Said(tmp_path, going_on, "", going_on, going_on, "")
    with holding(engine, "up", context, Patience(1)) as held:
        assert held.waited
    assert wait_until_free(engine, "plan", context, Patience(1))


class RunsOf:
    """The API of a CI: what it says of each path, and what it was asked with."""

    def __init__(self) -> None:
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
                api.asked.append((self.path, token))
                found = api.answers.get(self.path)
                self.send_response(200 if found else 404)
                self.end_headers()
                self.wfile.write(json.dumps(found or {}).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


GITHUB_RUN = {
    "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "octo/shop", "GITHUB_RUN_ID": "5",
    "GITHUB_RUN_ATTEMPT": "1",
}  # fmt: skip
GITLAB_RUN = {"CI_SERVER_URL": "https://gitlab.com", "CI_JOB_URL": "https://gitlab.com/octo/web/shop/-/jobs/5"}


def _ago(seconds: int) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Asked:
    """A run of a CI, and how it is asked for."""

    run: Mapping[str, str]
    token: str
    path: str
    runs: Mapping[str, Any]
    ended: Mapping[str, Any]
    when: str
    """Where the answer has the time of the end."""


@pytest.mark.parametrize(
    "case",
    [
        Asked(
            GITHUB_RUN,
            "GH_TOKEN",
            "/repos/octo/shop/actions/runs/5/attempts/1",
            {"status": "in_progress", "conclusion": None},
            {"status": "completed", "conclusion": "cancelled"},
            "updated_at",
        ),
        Asked(
            GITLAB_RUN,
            "GITLAB_TOKEN",
            "/projects/octo%2Fweb%2Fshop/jobs/5",
            {"status": "running"},
            {"status": "failed"},
            "finished_at",
        ),
    ],
    ids=["GitHub", "GitLab"],
)
def test_of_a_runner_that_is_gone_its_ci_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Asked) -> None:
    """A cancelled job is killed after seconds, and its machine is gone: nobody but the CI can tell."""
    scene, api = Scene(tmp_path, monkeypatch), RunsOf()
    # Jobs in containers of one machine have its boot, and namespaces of their own.
    lost = replace(Holder.here("up", case.run), host="runner-1", machine="m", namespace="pid:[7]", pid=NOBODY)
    engines = scene.lock("a", pid=7, when=time.time() + 1, host="runner-1", user="root")
    assert scene.lease.store.create(scene.lease.key, lost.written)
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", *case.run):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**case.run, "GITHUB_API_URL": api.url, "CI_API_V4_URL": api.url}.items():
        monkeypatch.setenv(name, value)
    # The next push, or a second attempt of the same run.
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.com/octo/web/shop/-/jobs/6")
    later = Context(tmp_path, dict(os.environ))

    def take() -> Holder | None:
        with holding(scene.engine, "up", later, Patience(0, {})) as held:
            return held.over

    with pytest.raises(LockedError, match="no other machine can tell"):
        take()
    assert api.asked == []
    monkeypatch.setenv(case.token, "t")
    with pytest.raises(LockedError, match="no other machine can tell"):
        take()  # the API knows no such run
    api.answers[case.path] = case.runs
    with pytest.raises(LockedError, match="another run changes this stack"):
        take()
    # A run whose runner was lost ends for its CI while the process may still run there, and so does a cancelled job.
    for said in (None, "", "soon", "2026-01-02T03:04:05", _ago(0), _ago(540), _ago(-3600)):
        api.answers[case.path] = {**case.ended, case.when: said}
        with pytest.raises(LockedError, match="no other machine can tell"):
            take()
    assert engines.exists()
    api.answers[case.path] = {**case.ended, case.when: _ago(660)}
    over = take()
    assert over
    assert over.host == "runner-1"
    assert not engines.exists()
    assert api.asked[-1][0] == case.path
    assert api.asked[-1][1].removeprefix("Bearer ") == "t"
    # To another server than the CI's own no token is sent.
    before = len(api.asked)
    assert ci_runs.ended("https://example.org/octo/shop/actions/runs/5/attempts/1", os.environ) is None
    assert len(api.asked) == before
    api.server.shutdown()
