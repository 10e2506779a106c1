"""Files of an earlier commit, as git has them. Nothing of that commit is executed: its files are copied byte by byte,
without any hook, and with no filter but Git LFS's, which the user has set up."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from amplify_delivery.errors import RefusedError

_LFS = b"version https://git-lfs.github.com/spec/"
_MAX_LFS = 1024
"""Bytes of a Git LFS pointer at most (its specification)."""
_SHA1 = 40
"""Hexadecimal digits of SHA-1."""
_FILES = ("100644", "100755")
_KINDS = {"120000": "a symbolic link", "160000": "a submodule"}
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
"""Nothing is written into the repository, and nobody is asked for a password."""


@dataclass(frozen=True)
class Revision:
    """A commit of the repository that the project lies in."""

    ref: str
    """As the user named it."""
    commit: str
    """40 hex digits."""
    project: Path
    """The project's folder."""
    prefix: PurePosixPath
    """Where the project lies in the repository; `.` at its top."""
    variables: Mapping[str, str]
    """Those of the environment, which git asks for many things."""

    @classmethod
    def of(cls, project: Path, ref: str, variables: Mapping[str, str]) -> Revision:
        """The commit that `ref` names. Raises `RefusedError`: no git, no repository, no such commit."""
        inside = _git(project, variables, "rev-parse", "--show-prefix", "--is-shallow-repository")
        if inside.returncode:
            raise RefusedError(
                f"is not in a git repository ({_said(inside)})",
                where=str(project.resolve()),
                remedy="run the command in a clone of the project; two exports are compared by "
                "`amplify-delivery compare A B`",
            )
        prefix, shallow = [*inside.stdout.decode(errors="surrogateescape").splitlines(), "", ""][:2]
        found = None
        if ref and not ref.startswith("-"):
            found = _git(project, variables, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if found is None or found.returncode:
            raise _unknown(ref, shallow=shallow == "true")
        return cls(ref, found.stdout.decode().strip(), project, PurePosixPath(prefix or "."), variables)

    def __str__(self) -> str:
        return f"{self.ref} ({self.commit[:12]})"

    def place(self, path: str) -> PurePosixPath | None:
        """Where a path relative to the project's folder lies in the repository; None if it is outside."""
        parts: list[str] = []
        for part in (self.prefix / path).parts:
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            else:
                parts.append(part)
        return None if PurePosixPath(path).is_absolute() else PurePosixPath(*parts)

    def names(self) -> list[str]:
        """The files and folders of the project's folder."""
        return [PurePosixPath(file.path).name for file in self._listed(f"{self.prefix}/", deep=False)]

    def files(self, path: PurePosixPath) -> list[File]:
        """A file, or all files of a folder; nothing if the commit does not have it.

        Raises `RefusedError` for what is no file: nothing else can be taken as it is.
        """
        found = [file for file in self._listed(str(path), deep=True) if file.mode != "040000"]
        for file in found:
            self._check(file)
        return found

    def differing(self, paths: Sequence[str]) -> list[str]:
        """Which of these paths of the project are other ones in its folder now."""
        options = ("--name-only", "--no-ext-diff", "--no-textconv", "--relative", "-z")
        found = _git(self.project, self.variables, "diff", *options, self.commit, "--", *paths)
        return [] if found.returncode else [name for name in found.stdout.decode(errors="replace").split("\0") if name]

    def _check(self, file: File) -> None:
        parts = PurePosixPath(file.path).parts
        if {"..", ".git"} & {part.lower() for part in parts} or file.path.startswith("/"):
            kind = "a path that git does not make"
        elif file.mode in _FILES:
            return
        else:
            kind = _KINDS.get(file.mode, "no file")
        raise RefusedError(
            f"{file.path} is {kind}: what it holds is not known from that commit alone",
            where=str(self),
            remedy="compare with a commit that has the export's files themselves",
        )

    def _listed(self, path: str, *, deep: bool) -> Iterator[File]:
        options = ["-z", "--full-tree", *(["-r"] if deep else [])]
        found = _git(
            self.project,
            self.variables,
            "ls-tree",
            *options,
            self.commit,
            "--",
            *([] if path in (".", "./") else [path]),
        )
        if found.returncode:
            raise RefusedError(
                f"git cannot list its files: {_said(found)}",
                where=str(self),
                remedy="`git fsck` looks for what is missing; in a shallow or partial clone: `git fetch --unshallow`",
            )
        for line in found.stdout.decode(errors="surrogateescape").split("\0"):
            if line:
                about, _, name = line.partition("\t")
                mode, _, sha = about.split()
                yield File(mode, sha, name)


@dataclass(frozen=True)
class File:
    """A file of a commit. `path` is from the repository's top on, `mode` and `sha` are git's."""

    mode: str
    sha: str
    path: str


class Contents:
    """Reads files of a commit, in one process of git's for all of them. To be closed."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision
        self._top = revision.project.joinpath(*[".."] * len(revision.prefix.parts))
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch"],
            cwd=revision.project,
            env={**revision.variables, **_ENVIRONMENT},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Contents:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate()

    def read(self, files: Sequence[File]) -> dict[str, bytes]:
        """The bytes of files, by their paths; of a Git LFS pointer those that it stands for. Raises `RefusedError`.

        Most files of an export are the same in the working copy: those are read there, which takes a fifth of the time.
        """
        here = {file.path: body for file in files if (body := self._here(file)) is not None}
        bodies = here | self._asked([file for file in files if file.path not in here])
        return {file.path: self._whole(file) if _is_pointer(bodies[file.path]) else bodies[file.path] for file in files}

    def _here(self, file: File) -> bytes | None:
        """The bytes of the file at the same place in the working copy, if they are those of the commit."""
        path = self._top / file.path
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
            body = path.read_bytes()
        except OSError:
            return None
        # git's name of a content; a repository's names are of one of two lengths.
        algorithm = hashlib.sha1 if len(file.sha) == _SHA1 else hashlib.sha256
        return body if algorithm(b"blob %d\0" % len(body) + body).hexdigest() == file.sha else None

    def _asked(self, files: Sequence[File]) -> dict[str, bytes]:
        """All at once: asked for one after the other, thousands of files take longer than everything else."""
        ask, out = self._process.stdin, self._process.stdout
        assert ask is not None and out is not None  # noqa: S101 - they are pipes
        wanted = "".join(f"{file.sha}\n" for file in files).encode()

        def write() -> None:
            with suppress(BrokenPipeError):
                ask.write(wanted)
                ask.flush()

        asking = threading.Thread(target=write, daemon=True)
        asking.start()
        found = {file.path: self._one(file, out) for file in files}
        asking.join()
        return found

    def _one(self, file: File, out: IO[bytes]) -> bytes:
        told = out.readline().decode().split()
        if len(told) != 3 or told[1] != "blob":
            self._process.kill()
            raise RefusedError(
                f"git does not have {file.path}",
                where=str(self._revision),
                remedy="in a partial clone: `git fetch --refetch`; else `git fsck` tells what is broken",
            )
        body = out.read(int(told[2]))
        out.read(1)
        return body

    def _whole(self, pointer: File) -> bytes:
        path = f"{self._revision.commit}:{pointer.path}"
        found = _git(self._revision.project, self._revision.variables, "cat-file", "--filters", path)
        if found.returncode or _is_pointer(found.stdout):
            raise RefusedError(
                f"{pointer.path} is a Git LFS pointer, and what it stands for is not here",
                where=str(self._revision),
                remedy=f"`git lfs fetch origin {self._revision.commit}`",
            )
        return found.stdout


def _is_pointer(body: bytes) -> bool:
    return len(body) < _MAX_LFS and body.startswith(_LFS)


def _unknown(ref: str, *, shallow: bool) -> RefusedError:
    branch = ref.removeprefix("origin/") or "BRANCH"
    remedy = f"`git fetch origin {branch}`, then name it as `origin/{branch}`; `git branch -a` and `git tag` list names"
    if shallow:
        remedy = (
            f"this clone is shallow, it lacks most commits: `git fetch --unshallow origin`, or `git fetch origin "
            f"{branch}` and `--against FETCH_HEAD`; in GitHub Actions give actions/checkout `fetch-depth: 0`"
        )
    return RefusedError(f"git knows no commit {ref!r}", where="--against", remedy=remedy)


def _git(folder: Path, variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-c", "core.fsmonitor=false", *arguments],
            cwd=folder,
            env={**variables, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise RefusedError(
            "git is not installed, and earlier commits are read with it",
            where="--against",
            remedy="install git; two exports are compared by `amplify-delivery compare A B` without it",
        ) from None


def _said(ended: subprocess.CompletedProcess[bytes]) -> str:
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"git ended with {ended.returncode}"
