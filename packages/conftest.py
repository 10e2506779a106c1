"""Fixtures for tests that need AWS, and for those that examine templates.

- `local_aws`: one local AWS per test process, started when the first test asks for it;
- `developer`: an administrator of an account that no other test uses, so that tests don't meet;
- `examined`: where what is found out about templates is kept for all of a run.

The first two need the set-up (`make setup`), and fail with what to do without it. Tests are of two tiers: what starts
a process has the mark `processes` (the engine, the local AWS, a command); all else is the fast tier, `make test-fast`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from aws_rehearsal import scratch
from aws_rehearsal.local_aws import LocalAws, random_account
from aws_rehearsal.setup.environments import project_environment
from aws_rehearsal.warm import boto
from aws_rehearsal_tests import stale
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.setup.compiled import compile_share

ROOT = Path(__file__).parents[1]
IN_CI = "AMPLIFY_DELIVERY_TESTS_IN_CI"
"""Set where the tests run in a CI: what they would be skipped without has to be there then."""


def pytest_configure(config: pytest.Config) -> None:
    """A test's outcome does not depend on where it runs: a command prints more in a CI, and tests set what they mean.

    In the background of a script without job control, interrupts are ignored, also by whatever is started from here;
    the tests that send one could only fail.

    pytest-xdist would begin with the groups that have most tests, and so end with the single ones that take a minute.
    """
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    if os.environ.get("CI"):
        os.environ[IN_CI] = "true"  # for the processes of pytest-xdist as well
    for variable in ("CI", "CODEBUILD_BUILD_ID", "AMPLIFY_DELIVERY_DEBUG"):
        os.environ.pop(variable, None)
    # Whatever language the machine speaks; and argparse looks for translations at each of the commands' 34 parsers.
    os.environ["LANGUAGE"] = "C"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    memory = ExitStack()
    memory.enter_context(scratch.in_memory())
    config.add_cleanup(memory.close)
    if scratch.MEMORY in Path(tempfile.gettempdir()).parents:
        # Folders of the last tests stay, to look into: pytest counts them there.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(scratch.MEMORY))
    # What a program of Pulumi leaves in circles dies young; to look through a million older objects takes a third of a
    # second each time, and the processes become no smaller by it.
    gc.set_threshold(50_000, 100, 20)


def pytest_unconfigure() -> None:
    """Nobody is told any more what a collection would find now; pytest does five of them, half a second each."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Said at the end, where -q has a line as well."""
    if said := stale.told(project_environment(ROOT), Path(sys.prefix)):
        terminalreporter.write_line(said, yellow=True)


STARTING = {"local_aws", "service", "pulumi_home"}
"""Fixtures that start processes."""
STARTS = (
    (subprocess.Popen, "_execute_child"),
    *((os, name) for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp")),
)
"""What begins a process in Python. An audit hook would hear of a million other events as well: two CPU seconds."""
_fast: list[str] = []
"""The test of the fast tier that runs."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks for a fixture that starts processes is marked by it; the mark is written at what starts one itself.

    Where several processes share the tests, they begin with what takes long: at the end none waits for another. Tests
    of a file that start none are one group: what their module makes once is made in one process.
    """
    for item in items:
        if STARTING & set(getattr(item, "fixturenames", ())) or item.get_closest_marker("engine"):
            item.add_marker("processes")
        if not item.get_closest_marker("processes") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(f"{item.path.parent.name}/{item.path.stem}"))
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """What is imported and collected stays: no need to look through it for garbage again and again."""
    gc.disable()
    compile_share(session.config, ROOT / "packages")
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# No test judges by how long something takes: an example of Hypothesis takes longer beside other work.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

LONG = (
    "test_project_rights.py", "test_killed.py", "test_faults.py", "test_in_steps.py", "test_own_story.py",
    "test_disk_full.py", "test_adopt.py", "test_taken_over.py",
    "test_plan_deploy.py", "test_failures.py", "test_story.py", "test_tutorial.py", "test_new_project.py",
    "test_built_wheels.py", "test_installed.py", "test_stack_states.py", "test_rollback.py", "test_bootstrap_many.py",
    "test_production.py", "test_by_hand.py", "test_dismantle.py", "test_data_loss.py",
    "test_frightened.py", "test_killed_bootstrap.py", "test_drift_plans.py", "test_destroy_alive.py",
    "test_container_api.py", "test_impossible.py", "test_native.py", "test_root_stays.py", "test_enforced_trust.py",
    "test_ci_jobs.py",
    "test_setup_state.py", "test_state_bucket_gone.py", "test_engine_pipeline.py", "test_packaged_delivery.py",
    "test_engine.py", "test_build.py",
)  # fmt: skip
"""Files whose tests, or whose groups of tests, take longest; in that order. Those that wait are among the first."""


def _turn(item: pytest.Item) -> tuple[int, int]:
    """When a test's turn is: the lowest first, and those of the same number as they are collected."""
    place = LONG.index(item.path.name) if item.path.name in LONG else len(LONG)
    marks = [item.get_closest_marker(name) is None for name in ("engine", "processes")]
    return place, sum(marks)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if item.get_closest_marker("processes") is None:
        _fast.append(item.nodeid)
    try:
        return (yield)
    finally:
        _fast.clear()


def _watched(begin: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps the fast tier fast. Threads are a fixture's that is still there: an earlier test's."""

    @functools.wraps(begin)
    def watched(*arguments: Any, **options: Any) -> Any:
        if _fast and threading.current_thread() is threading.main_thread():
            pytest.fail(f"{_fast[0]} starts a process: it is not of the fast tier, give it `pytest.mark.processes`")
        return begin(*arguments, **options)

    return watched


for _owner, _name in STARTS:
    setattr(_owner, _name, _watched(getattr(_owner, _name)))


_number = itertools.count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As pytest's own: a test's folder, kept if it fails. pytest looks through all folders of the run for the next
    number, and leaves a link for each name: a second and a half of the fast tier's processor time."""
    failed = request.session.testsfailed
    name = re.sub(r"\W", "_", request.node.name)[:27]  # addresses of sockets have room for a hundred bytes
    folder = tmp_path_factory.mktemp(f"{name}{next(_number)}", numbered=False)
    yield folder
    if request.session.testsfailed == failed:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def local_aws() -> Iterator[LocalAws]:
    """A running local AWS. Its accounts are shared with all tests of this process: use a fresh one each."""
    boto.remember()  # for the thousands of calls that tests, and commands in their process, make of it
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def examined(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """A folder for what was found out about templates, as `AMPLIFY_DELIVERY_CACHE`: one for all processes of a run,
    because cfn-lint takes seconds. A test of these very results has a folder of its own.

    cfn-lint's results are kept from run to run in pytest's cache (`--cache-clear`), as long as nothing that they come
    from is another: the examination's source, the packages that are locked, Python.
    """
    base = tmp_path_factory.getbasetemp()
    # pytest-xdist gives each process a folder in the run's.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "examined"
    folder.mkdir(exist_ok=True)
    if hasattr(pytestconfig, "cache") and pytestconfig.cache:
        kept = pytestconfig.cache.mkdir("cfn-lint") / _examination()
        kept.mkdir(exist_ok=True)
        for earlier in set(kept.parent.iterdir()) - {kept}:
            shutil.rmtree(earlier, ignore_errors=True)
        with contextlib.suppress(FileExistsError):
            (folder / "lint").symlink_to(kept)
    return folder


def _examination() -> str:
    """One name for all that results of cfn-lint come from, beside the templates."""
    source = ROOT / "packages/amplify-delivery/src/amplify_delivery/publishing/examination"
    files = [*sorted(source.rglob("*.py")), *sorted(ROOT.glob("requirements*"))]
    whole = b"\0".join([sys.version.encode(), *(file.read_bytes() for file in files)])
    return hashlib.sha256(whole).hexdigest()


@pytest.fixture
def developer(local_aws: LocalAws) -> LocalAccount:
    """A fresh account with an administrator in it."""
    account = random_account()
    return LocalAccount(local_aws, account, local_aws.make_admin(account))
