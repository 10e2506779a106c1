"""Git repositories in place of connections: local bare repositories under the ids that source actions name."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from aws_rehearsal.pipeline_service.definitions import Action
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.sources.triggers import Push

_GIT_TIMEOUT = 120


@dataclass(frozen=True)
class Commit:
    """A commit, as the output variables of source actions tell it."""

    id: str
    message: str
    author_date: str
    committer_date: str


@dataclass(frozen=True)
class Repository:
    """A local repository; `connection` None: any action that names the id may read it."""

    full_id: str
    path: Path
    connection: str | None = None

    def heads(self) -> dict[str, str]:
        """Every branch and tag with its commit: "heads/main" -> id."""
        text = self.git("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/heads", "refs/tags")
        found = {}
        for line in text.splitlines():
            name, *ids = line.split()
            found[name.removeprefix("refs/")] = ids[-1]
        return found

    def written_refs(self) -> dict[str, bytes] | None:
        """What git's own files say of branches and tags: while they say the same, so does `heads`. None where that is
        not certain: in another form, or not in this folder itself."""
        if not (self.path / "refs").is_dir() or (self.path / ".git").exists() or (self.path / "reftable").exists():
            return None
        try:
            places = [path for kind in ("heads", "tags") for path in (self.path / "refs" / kind).rglob("*")]
            files = [path for path in [self.path / "packed-refs", *places] if path.is_file()]
            found = {str(path): path.read_bytes() for path in files}
        except OSError:  # one has gone in between
            return None
        return None if any(text.startswith(b"ref:") for text in found.values()) else found

    def commit(self, revision: str) -> Commit:
        """The commit that `revision` names. Raises `ActionError`."""
        try:
            text = self.git("log", "-1", "--format=%H%x00%B%x00%aI%x00%cI", revision, "--")
        except ActionError as error:
            raise ActionError(
                "ConfigurationError", f"[{self.full_id}] No branch or commit {revision} found: {error.message}"
            ) from error
        parts = [part.strip() for part in text.split("\0")]
        return Commit(*parts)

    def archive(self, commit: str) -> bytes:
        """The files of a commit as a zip, without git's own: `CODE_ZIP`."""
        return self.run("archive", "--format=zip", "-1", commit)

    def changed_files(self, old: str | None, new: str) -> tuple[str, ...]:
        """The files that a push from `old` to `new` changed; everything if there is no `old`, or none any more: another
        repository may stand in its place, and what nothing leads to is collected."""
        if old is None or not self._has(old):
            text = self.git("ls-tree", "-r", "--name-only", new)
        else:
            text = self.git("diff", "--name-only", old, new)
        return tuple(text.splitlines())

    def _has(self, commit: str) -> bool:
        try:
            self.run("cat-file", "-e", f"{commit}^{{commit}}")
        except ActionError:
            return False
        return True

    def git(self, *arguments: str) -> str:
        """The output of a git command here, as text."""
        return self.run(*arguments).decode(errors="replace")

    def run(self, *arguments: str) -> bytes:
        """The output of a git command here. Raises `ActionError` with what git says."""
        command = ["git", "-c", "safe.directory=*", "-C", str(self.path), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_GIT_TIMEOUT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActionError("InternalError", f"git: {error}") from error
        if done.returncode:
            raise ActionError("ConfigurationError", done.stderr.decode(errors="replace").strip()[:1000])
        return done.stdout


class Heads:
    """The heads of repositories at which somebody looks again and again: git is asked where its files have changed. A
    look every tenth of a second was a process each."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[dict[str, bytes], dict[str, str]]] = {}

    def of(self, repository: Repository) -> dict[str, str]:
        """As `Repository.heads`."""
        refs, known = repository.written_refs(), self._known.pop(repository.path, None)
        heads = known[1] if known and known[0] == refs else repository.heads()
        if refs is not None and refs == repository.written_refs():  # else somebody has pushed in between
            self._known[repository.path] = refs, heads
        return heads


class Repositories:
    """The repositories that source actions can read."""

    def __init__(self) -> None:
        self._all: list[Repository] = []
        self._lock = threading.Lock()

    def add(self, repository: Repository) -> None:
        """Register a repository, in place of one of the same id and connection."""
        with self._lock:
            self._all = [
                other
                for other in self._all
                if (other.full_id, other.connection) != (repository.full_id, repository.connection)
            ]
            self._all.append(repository)

    def of(self, source: Action, region: str, account: str) -> Repository | None:
        """The repository a source action reads, None if it is not registered."""
        connection, full_id = names_of(source, region, account)
        with self._lock:
            for repository in self._all:
                if repository.full_id == full_id and repository.connection in (None, connection):
                    return repository
        return None


def names_of(source: Action, region: str, account: str) -> tuple[str | None, str]:
    """The connection (or CodeCommit's ARN) and the full id of the repository a source action names."""
    configuration = source.configuration
    if source.provider == "CodeStarSourceConnection":
        return configuration["ConnectionArn"], configuration["FullRepositoryId"]
    if source.provider == "GitHub":
        return None, f"{configuration['Owner']}/{configuration['Repo']}"
    name = configuration.get("RepositoryName", "")
    return f"arn:aws:codecommit:{region}:{account}:{name}", name


def pushes(repository: Repository, before: dict[str, str], after: dict[str, str]) -> list[tuple[Push, str]]:
    """What was pushed between two looks at the repository's heads, each with its commit."""
    found = []
    for name, commit in after.items():
        if before.get(name) == commit:
            continue
        kind, _, short = name.partition("/")
        if kind == "tags":
            found.append((Push(tag=short), commit))
        else:
            files = repository.changed_files(before.get(name), commit)
            found.append((Push(branch=short, files=files), commit))
    return found
