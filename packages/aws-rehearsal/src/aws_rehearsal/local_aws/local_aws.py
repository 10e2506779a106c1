"""Start, use and stop the local AWS.

    with LocalAws() as aws:
        admin = aws.make_admin(accounts.DEVELOPER)
        subprocess.run(command, env=os.environ | aws.environment(admin, "eu-central-1"))

The server is a process of its own in a session of its own (a terminal's Ctrl-C does not reach it before its
parent has finished) and ends with its parent, however that ends. With `keep` it outlives it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aws_rehearsal.errors import SetupError
from aws_rehearsal.local_aws.clients import Clients
from aws_rehearsal.local_aws.credentials import Credentials, environment
from aws_rehearsal.local_aws.process_groups import end_group
from aws_rehearsal.local_aws.selftest import SelfTest, ensure_patched

if TYPE_CHECKING:
    from aws_rehearsal.setup import Tools

SERVER = Path(__file__).parent / "server.py"
CUSTOM_RESOURCE_TIMEOUT = 60
"""Seconds after which a custom resource that does not answer has failed; on AWS it is an hour."""

_START_TIMEOUT = 60
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


class LocalAws:
    """One local AWS: a server with empty accounts, or one that was kept.

    A key's new alias or tag counts in policies after `alias_delay` seconds (on AWS up to five minutes). An operation on
    nested stacks makes `operation_limit` resources at most. A state machine waits `machine_pace` times what it says.
    `python` is the interpreter of the local AWS's virtualenv, `node` runs Node.js Lambda functions, which find
    `cfn-response` and the AWS SDK in `node_modules`; what is not given comes from the set-up.
    """

    def __init__(
        self,
        *,
        python: Path | None = None,
        node: Path | None = None,
        node_modules: Path | None = None,
        custom_resource_timeout: int = CUSTOM_RESOURCE_TIMEOUT,
        alias_delay: float = 0,
        machine_pace: float = 1,
        operation_limit: int = 2500,
        without_patches: Iterable[str] = (),
    ) -> None:
        tools = None if python and node and node_modules else _tools()
        self._python = python or tools.local_aws_python  # type: ignore[union-attr]
        self._node = node or tools.node  # type: ignore[union-attr]
        self._node_modules = node_modules or tools.node_modules  # type: ignore[union-attr]
        self._custom_resource_timeout = custom_resource_timeout
        self._alias_delay, self._machine_pace = alias_delay, machine_pace
        self._operation_limit = operation_limit
        self._without_patches = tuple(without_patches)
        self._process: subprocess.Popen[bytes] | None = None
        self._parent_pipe: int | None = None
        self._scratch: Path | None = None
        self._admins: dict[str, Credentials] = {}
        self._clients: Clients | None = None
        self.log_path: Path | None = None
        self.pid: int | None = None
        self.port: int | None = None

    def __enter__(self) -> Self:
        if self.port is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL all services answer at."""
        if self.port is None:
            raise _not_running()
        return f"http://127.0.0.1:{self.port}"

    def start(
        self, log_path: Path | None = None, *, make_admins: Iterable[str] = (), port: int = 0, keep: Path | None = None
    ) -> None:
        """Start the server and wait until it answers.

        `log_path` takes the server's log (by default a file that goes with the server); `make_admins` are accounts
        to make an administrator in; `port` 0 takes a free one. With `keep` the server outlives this process, and the
        file of that name says how to find it again (`attach`). Raises `SetupError` if it does not start.
        """
        if self.port is not None:
            raise SetupError("the local AWS is running already", where=self.endpoint, remedy="stop it first")
        self.self_test()
        scratch = Path(tempfile.mkdtemp(prefix="local-aws-"))
        self._scratch = scratch
        self.log_path = log_path or scratch / "server.log"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._launch(scratch, port, end_with_parent=keep is None)
        try:
            self._await_announcement()
            self._await_answer()
            for account in make_admins:
                self.make_admin(account)
        except BaseException:
            self.stop()
            raise
        if keep is not None:
            self._write_state(keep)

    @classmethod
    def attach(cls, state: Path) -> Self | None:
        """The server that was kept under `state`, None if it has ended since."""
        try:
            kept = json.loads(state.read_text(encoding="utf-8"))
            os.kill(kept["pid"], 0)
        except (OSError, ValueError, KeyError):
            return None
        found = cls(python=Path(), node=Path(), node_modules=Path())
        found.pid, found.port, found.log_path = kept["pid"], kept["port"], Path(kept["log"])
        found._clients = Clients(found.endpoint)
        found._admins = {
            account: Credentials(account, pair["access_key_id"], pair["secret_access_key"])
            for account, pair in kept["admins"].items()
        }
        return found if found._answers() else None

    def stop(self) -> None:
        """Stop the server and every Lambda worker it started; does nothing if it has ended."""
        pid, self.pid, self.port, self._admins, self._clients = self.pid, None, None, {}, None
        if pid is not None:
            end_group(pid, self._process)
        if self._parent_pipe is not None:
            os.close(self._parent_pipe)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._process, self._parent_pipe, self._scratch = None, None, None

    def self_test(self, *, again: bool = False) -> SelfTest | None:
        """Whether each patch is needed and works; remembered, so that only the first start pays for it."""
        with tempfile.TemporaryDirectory(prefix="local-aws-") as scratch:
            return ensure_patched(self._python, self._server_environment(Path(scratch)), again=again)

    def reset(self) -> None:
        """Empty all accounts. Administrators are gone as well: make them again."""
        self._request("POST", "/_ministack/reset")
        self._admins = {}

    def root_credentials(self, account: str) -> Credentials:
        """The account's root, which passes every check: only to make the first user of an account."""
        return Credentials(account, account, "root")

    def make_admin(self, account: str) -> Credentials:
        """An IAM user of `account` with AdministratorAccess: what a developer or account owner has.

        The same user when asked again.
        """
        if account not in self._admins:
            iam = self.client("iam", self.root_credentials(account), "us-east-1")
            iam.create_user(UserName="admin")
            iam.attach_user_policy(UserName="admin", PolicyArn=_ADMINISTRATOR)
            key = iam.create_access_key(UserName="admin")["AccessKey"]
            self._admins[account] = Credentials(account, key["AccessKeyId"], key["SecretAccessKey"])
        return self._admins[account]

    def assume_role(self, credentials: Credentials, role_arn: str, session_name: str = "rehearsal") -> Credentials:
        """Credentials of a role, assumed with `credentials`."""
        sts = self.client("sts", credentials, "us-east-1")
        found = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name)["Credentials"]
        account = role_arn.split(":")[4]
        return Credentials(account, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def environment(self, credentials: Credentials, region: str) -> dict[str, str]:
        """Variables for a process that should use `credentials` here; see `credentials.environment`."""
        return environment(self.endpoint, credentials, region)

    def client(self, service: str, credentials: Credentials, region: str) -> Any:
        """A boto3 client of `service` that can reach nothing but this local AWS, whatever the environment says.

        The same one when asked again; threads may share it.
        """
        if self._clients is None:
            raise _not_running()
        return self._clients.client(service, credentials, region)

    def _launch(self, scratch: Path, port: int, *, end_with_parent: bool) -> None:
        child_end, self._parent_pipe = os.pipe() if end_with_parent else (None, None)
        command = [str(self._python), "-I", str(SERVER), "--port", str(port)]
        for patch in self._without_patches:
            command += ["--without", patch]
        if child_end is not None:
            command += ["--parent-pipe", str(child_end)]
        assert self.log_path is not None  # noqa: S101 - set by start
        try:
            with self.log_path.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    env=self._server_environment(scratch),
                    cwd=scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    pass_fds=() if child_end is None else (child_end,),
                    start_new_session=True,
                )
        except OSError as error:
            raise SetupError(
                f"the local AWS can't be started: {error.strerror}", where=str(self._python), remedy="run `make setup`"
            ) from error
        finally:
            if child_end is not None:
                os.close(child_end)
        self.pid = self._process.pid

    def _server_environment(self, scratch: Path) -> dict[str, str]:
        """Made from scratch: the Lambda workers inherit it, and no profile or secret of the user may reach them."""
        return {
            "PATH": os.pathsep.join([str(self._node.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "LOCAL_AWS_SCRATCH": str(scratch),
            "LOCAL_AWS_CUSTOM_RESOURCE_TIMEOUT": str(self._custom_resource_timeout),
            "LOCAL_AWS_ALIAS_DELAY": str(self._alias_delay),
            "SFN_WAIT_SCALE": str(self._machine_pace),
            "LOCAL_AWS_OPERATION_LIMIT": str(self._operation_limit),
            "LANG": "C.UTF-8",
            "NODE_PATH": str(self._node_modules),
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            # Neither a second listener nor anybody's containers: MiniStack removes containers as it starts.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": f"unix://{scratch}/no-docker",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def _await_announcement(self) -> None:
        process = self._process
        assert process is not None and process.stdout is not None  # noqa: S101 - set by _launch
        with process.stdout:
            line = process.stdout.readline()
        if not line:
            process.wait(_START_TIMEOUT)
            raise SetupError(
                f"the local AWS did not start:\n{self._end_of_log()}",
                where=str(self.log_path),
                remedy="run `make setup`; if that does not help, the log says why",
            )
        self.port = json.loads(line)["port"]
        self._clients = Clients(self.endpoint)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise SetupError(
                    f"the local AWS does not answer:\n{self._end_of_log()}",
                    where=str(self.log_path),
                    remedy="the log says why",
                )
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self._request("GET", "/_ministack/health") == 200
        return False

    def _request(self, method: str, path: str) -> int:
        """Ask the server itself; `http.client` goes around any proxy, which could not reach the loopback interface."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path)
            return connection.getresponse().status

    def _end_of_log(self) -> str:
        text = self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path else ""
        return "\n".join(text.splitlines()[-5:])

    def _write_state(self, path: Path) -> None:
        state = {
            "pid": self.pid,
            "port": self.port,
            "endpoint": self.endpoint,
            "log": str(self.log_path),
            "admins": {
                account: {"access_key_id": pair.access_key_id, "secret_access_key": pair.secret_access_key}
                for account, pair in self._admins.items()
            },
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")


def random_account() -> str:
    """A fresh account number that no other test uses; the local AWS knows every account."""
    return f"9{secrets.randbelow(10**11):011d}"


def _not_running() -> SetupError:
    return SetupError("the local AWS is not running", remedy="start it before using it")


def _tools() -> Tools:
    from aws_rehearsal.setup import tools  # noqa: PLC0415 - not needed when all paths are given

    return tools()
