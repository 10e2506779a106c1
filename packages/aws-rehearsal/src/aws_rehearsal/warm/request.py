"""What a launcher asks for, as it comes through the socket, and whether a warm start can be the same as a cold one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aws_rehearsal.warm import CLIENT, IMAGE

FILES = 4
"""Descriptors that come with a request: standard input, output and error, and the working directory."""
_LENGTH = 8

UNDERSTOOD = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""Variables of the interpreter that a child can follow after its start."""

READ_WHILE_LOADED = (
    "GRPC_ASYNCIO_ENGINE", "GRPC_ENABLE_FORK_SUPPORT", "GRPC_PYTHON_", "GRPC_TRACE", "GRPC_VERBOSITY", "OTEL_",
    "PROTOCOL_BUFFERS_", "PULUMI_OTEL_", "TRACEPARENT",
)  # fmt: skip
"""Beginnings of variables that libraries read while they are loaded, and not again."""


@dataclass(frozen=True)
class Request:
    """A plugin to start. `code` is what the cold start gives to `python -P -c`."""

    client: str
    python: str
    encoding: str
    errors: str
    umask: int
    code: str
    arguments: list[str]
    variables: dict[bytes, bytes]

    @classmethod
    def read(cls, body: bytes) -> Request:
        """Raises ValueError for what is no request."""
        *fields, last = body.split(b"\0")
        if last:
            raise ValueError("a request ends in a zero byte")
        client, python, encoding, errors, umask, code, count, *rest = fields
        pairs = [variable.partition(b"=") for variable in rest[int(count) :]]
        return cls(
            client=os.fsdecode(client),
            python=os.fsdecode(python),
            encoding=os.fsdecode(encoding),
            errors=os.fsdecode(errors),
            umask=int(umask),
            code=os.fsdecode(code),
            arguments=[os.fsdecode(argument) for argument in rest[: int(count)]],
            variables={name: value for name, _, value in pairs},
        )

    @classmethod
    def of_this_process(cls, code: str, *arguments: str) -> Request:
        """What a launcher would ask for in this process's place."""
        mask = os.umask(0)
        os.umask(mask)
        errors = sys.__stdout__.errors if sys.__stdout__ else None
        return cls(
            client=str(CLIENT),
            python=sys.executable,
            encoding=sys.getfilesystemencoding(),
            errors=errors or "strict",
            umask=mask,
            code=code,
            arguments=list(arguments),
            variables=dict(os.environb),
        )

    def written(self) -> bytes:
        """As `Reader` reads it."""
        texts = [self.client, self.python, self.encoding, self.errors, str(self.umask), self.code]
        fields = map(os.fsencode, [*texts, str(len(self.arguments)), *self.arguments])
        variables = (name + b"=" + value for name, value in self.variables.items())
        body = b"".join(part + b"\0" for part in [*fields, *variables])
        return len(body).to_bytes(_LENGTH, "big") + body

    def search_path(self, base: list[str]) -> list[str]:
        """`sys.path` of an interpreter with this environment, `base` being that of one without PYTHONPATH."""
        given = os.fsdecode(self.variables.get(b"PYTHONPATH", b""))
        return list(dict.fromkeys([*(map(os.path.abspath, given.split(os.pathsep)) if given else ()), *base]))

    def can_be_warm(self, base: list[str]) -> bool:
        """Whether a child of this process can be what the cold start would be."""
        return (
            Path(self.client).resolve() == CLIENT  # of the same installation
            and self.python == sys.executable
            and self.encoding == sys.getfilesystemencoding()
            and set(self.search_path(base)) - {str(IMAGE)}
            == set(base)  # elsewhere may lie other modules than those loaded
            and not any(map(_counts_before, self.variables))
            and not any(place.exists() for place in self._own_documents())
        )

    def _own_documents(self) -> Iterable[Path]:
        """Where somebody may have put documents that libraries, while they are loaded, prefer to their own."""
        home = Path(os.fsdecode(self.variables.get(b"HOME", b"/")))
        yield home / ".aws" / "models"
        yield Path(os.fsdecode(self.variables.get(b"XDG_CACHE_HOME", bytes(home / ".cache")))) / "aws" / "cfn-lint"


def _counts_before(variable: bytes) -> bool:
    """Whether it is obeyed by the interpreter when it starts, or by a library while it is loaded.

    PYTHON_VERSION and the like come from images, and are for nobody.
    """
    name = os.fsdecode(variable)
    if name.startswith("PYTHON"):
        return name[6:7].isalpha() and name not in UNDERSTOOD
    return name.startswith(READ_WHILE_LOADED)


@dataclass
class Reader:
    """Puts a request together from the pieces in which it comes."""

    files: list[int] = field(default_factory=list)
    _received: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes, files: list[int]) -> Request | None:
        """The request, once it is complete. Raises ValueError for what is none."""
        self._received += piece
        self.files += files
        if len(self._received) < _LENGTH:
            return None
        length = int.from_bytes(self._received[:_LENGTH], "big")
        if len(self._received) - _LENGTH < length:
            return None
        if len(self.files) != FILES or len(self._received) - _LENGTH > length:
            raise ValueError("a request comes with four files and nothing after it")
        return Request.read(bytes(self._received[_LENGTH:]))

    def close(self) -> None:
        """Give up the files."""
        while self.files:
            os.close(self.files.pop())
