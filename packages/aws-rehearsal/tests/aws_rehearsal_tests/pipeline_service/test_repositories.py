"""A repository's heads: git is asked for them when something has been pushed, and not at every look."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aws_rehearsal.pipeline_service.sources.repositories import Heads, Repository, pushes
from aws_rehearsal_tests.pipeline_service.world import _git, _repository

pytestmark = pytest.mark.processes


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    shutil.copytree(_repository(), tmp_path, dirs_exist_ok=True)
    return Repository("team/app", tmp_path / "app.git")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The git commands that a look has begun."""
    commands: list[str] = []
    proper = Repository.run

    def run(self: Repository, *arguments: str) -> bytes:
        commands.append(arguments[0])
        return proper(self, *arguments)

    monkeypatch.setattr(Repository, "run", run)
    return commands


CHANGES = {
    "a commit": (("commit", "-q", "--allow-empty", "-m", "more"), ("push", "-q", "origin", "main")),
    "a branch": (("push", "-q", "origin", "main:refs/heads/team/feature"),),
    "a tag": (("tag", "v1"), ("push", "-q", "origin", "v1")),
    "a tag with a message": (("tag", "-a", "v2", "-m", "released"), ("push", "-q", "origin", "v2")),
    "a branch that goes": (("push", "-q", "origin", "main:old"), ("push", "-q", "origin", ":old")),
}


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_every_push_is_seen_and_nothing_else_asks_git(
    repository: Repository, asked: list[str], tmp_path: Path, packed: bool
) -> None:
    heads = Heads()
    for name, commands in CHANGES.items():
        for command in commands:
            _git(tmp_path / "work", *command)
            if packed:
                _git(repository.path, "pack-refs", "--all")
            assert heads.of(repository) == repository.heads(), name
        del asked[:]
        assert heads.of(repository) == heads.of(repository)
        assert not asked, name


@pytest.mark.parametrize("why", ["another form", "a working folder", "a branch that is another's name"])
def test_git_is_asked_where_its_files_may_not_tell(
    repository: Repository, asked: list[str], tmp_path: Path, why: str
) -> None:
    if why == "another form":
        (repository.path / "reftable").mkdir()
    elif why == "a working folder":
        repository = Repository("team/app", tmp_path / "work")
    else:
        _git(repository.path, "symbolic-ref", "refs/heads/stable", "refs/elsewhere/main")
        _git(repository.path, "update-ref", "refs/elsewhere/main", "main")
    heads = Heads()
    assert heads.of(repository) == heads.of(repository)
    assert asked == ["for-each-ref", "for-each-ref"]


def test_a_file_that_goes_while_it_is_looked_at_is_git_s_to_judge(
    repository: Repository, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git's own do at any time."""

    def gone(self: Path) -> bytes:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_bytes", gone)
    heads = Heads()
    assert heads.of(repository) == heads.of(repository) == {"heads/main": repository.commit("main").id}
    assert asked == ["for-each-ref", "for-each-ref", "log"]


def test_what_was_pushed_during_a_look_is_seen_by_the_next(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proper = Repository.heads
    pushed: list[str] = []

    def pushing(self: Repository) -> dict[str, str]:
        found = proper(self)
        if not pushed:
            pushed.append(_git(tmp_path / "work", "push", "-q", "origin", "main:late"))
        return found

    monkeypatch.setattr(Repository, "heads", pushing)
    heads = Heads()
    assert "heads/late" not in heads.of(repository)
    assert "heads/late" in heads.of(repository)


def test_a_push_over_what_is_not_there_any_more_changes_all_files(repository: Repository) -> None:
    """Another repository in its place, or a commit that a push has left behind: who looks for pushes goes on."""
    (head,) = repository.heads().values()
    assert pushes(repository, {"heads/main": "f" * 40}, {"heads/main": head}) == pushes(
        repository, {}, {"heads/main": head}
    )
    assert repository.changed_files(head, head) == ()
    assert repository.changed_files(None, head)
