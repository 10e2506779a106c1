"""The local AWS's connections: what hypercorn would send, in fewer writes, and closed when it would close them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from aws_rehearsal.local_aws.local_aws import SERVER
from aws_rehearsal.setup import tools

pytestmark = pytest.mark.processes

# In the interpreter of the local AWS: an application behind its connections, a client, and every write to the client.
# `asked` are the paths that the client asks for on one connection, all at once.
ASKING = """
import asyncio, json, os, socket, sys
from asyncio.selector_events import _SelectorSocketTransport as Transport

from hypercorn.asyncio import serve
from hypercorn.config import Config

asked, ours = json.loads(sys.argv[1])
if ours:
    sys.path.insert(0, sys.argv[2])
    import connections
    connections.use()

writes, write = [], Transport.write
def noted(self, data):
    if self.get_extra_info("sockname")[1] == port and data:
        writes.append(len(data))
    write(self, data)
Transport.write = noted
config, go_on = Config(), asyncio.Event()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    path = scope["path"].removeprefix("/")
    if path == "last":  # a turn of the loop is longer: what has come is read before
        config.keep_alive_timeout = 0.001
    if path == "slow":
        await asyncio.sleep(0.1)
    body = b"a" * int(path) if path.isdecimal() else b""
    length = [(b"content-length", b"7" if path == "begun" else str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    if path == "begun":
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await go_on.wait()
        body = b"more"
    await send({"type": "http.response.body", "body": body})

async def read_answer(reader, told):
    head = await reader.readuntil(b"\\r\\n\\r\\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\\r")[0])
    if told == "begun":
        first = await reader.readexactly(3)
        go_on.set()
        return len(first + await reader.readexactly(length - 3))
    return len(await reader.readexactly(length))

async def main():
    global port
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config.bind, config.keep_alive_timeout, config.errorlog = [f"fd://{listener.fileno()}"], 60, None
    serving = asyncio.create_task(serve(app, config, shutdown_trigger=asyncio.Event().wait))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.writelines(b"GET /" + path.encode() + b" HTTP/1.1\\r\\nhost: here\\r\\n\\r\\n" for path in asked)
    bodies = [await read_answer(reader, path) for path in asked]
    if "last" in asked:
        assert await reader.read() == b""
    print(json.dumps({"bodies": bodies, "writes": writes}), flush=True)
    os._exit(0)  # as the local AWS ends

asyncio.run(main())
"""


def ask(*paths: str, ours: bool = True) -> Any:
    """What the client has seen. A number as a path asks for so many bytes; with `last` among them it waits until the
    connection is closed."""
    command = [str(tools().local_aws_python), "-I", "-c", ASKING, json.dumps([paths, ours]), str(Path(SERVER).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert not done.returncode, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)


def test_an_answer_is_written_at_once() -> None:
    seen = ask("5000", "0", "7")
    assert seen["bodies"] == [5000, 0, 7]
    assert len(seen["writes"]) == 3


def test_as_many_bytes_are_written_as_without() -> None:
    asked = ("5000", "0", "3000000", "begun", "7")
    ours, hypercorns = ask(*asked), ask(*asked, ours=False)
    assert ours["bodies"] == hypercorns["bodies"] == [5000, 0, 3000000, 7, 7]
    assert sum(ours["writes"]) == sum(hypercorns["writes"])
    assert len(ours["writes"]) < len(hypercorns["writes"])


def test_what_an_answer_begins_with_does_not_wait_for_its_end() -> None:
    """The application goes on when the client has the first of it."""
    assert ask("begun")["bodies"] == [7]


def test_a_connection_on_which_nothing_comes_is_closed() -> None:
    assert ask("5000", "last")["bodies"] == [5000, 0]


def test_a_connection_is_not_closed_while_its_request_is_answered() -> None:
    """The answer takes longer than a connection may be idle."""
    assert ask("last", "slow", "9")["bodies"] == [0, 0, 9]
