"""The engine's events and errors in our words."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest
from pulumi.automation import CommandResult
from pulumi.automation.errors import create_command_error
from pulumi.automation.events import EngineEvent

from amplify_delivery.changes.guard import Guard
from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.engine_errors import explain, home_of
from amplify_delivery.delivery.engine.state_store import store_of
from amplify_delivery.delivery.engine.watch import Watch
from amplify_delivery.delivery.planning import plan_program
from amplify_delivery.errors import (
    DeliveryError,
    DeployError,
    EngineKilledError,
    FailedError,
    LockedError,
    PluginLostError,
    RefusedError,
    StateError,
)

URN = "urn:pulumi:dev::app::amplify-delivery:index:AmplifyBackend$aws:cloudformation/stack:Stack::backend"
LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  file:///state/x.json: created by me@host (pid 7) at 9"""
PROGRAM = "urn:pulumi:dev::app::pulumi:pulumi:Stack::app-dev"


def failed(stderr: str = "", stdout: str = "", watch: Watch | None = None) -> DeliveryError:
    error = create_command_error(CommandResult(stdout=stdout, stderr=stderr, code=255))
    return explain(error, watch or Watch(), "dev")


def said(urn: str, message: str, severity: str = "error") -> EngineEvent:
    diagnostic = {"urn": urn, "message": message, "severity": severity, "color": "never"}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": diagnostic})


@pytest.mark.parametrize(
    ("stderr", "message", "remedy"),
    [
        (
            LOCKED,
            "another update of this stack is running: file:///state/x.json: created by me@host (pid 7) at 9",
            "`amplify-delivery unlock dev`",
        ),
        ("error: [409] Conflict: Another update is currently in progress.", "another update of this stack", "wait"),
        ("error: [409] Conflict: Another update is currently in progress.", "is running", "five minutes"),
        ("error: Unauthorized: No credentials provided or are invalid.", "does not take this login", "pulumi login"),
        ("error: this command requires logging in; try running `pulumi login` first", "this login", "PULUMI_ACCESS"),
        ("error: [400] Bad Request: invalid ciphertext", "for another stack", "`pulumi config set --secret --path`"),
        ("error: no stack named 'dev' found", "there is no such stack", "--create"),
        ("error: getting secrets manager: incorrect passphrase", "not the one", "PULUMI_CONFIG_PASSPHRASE"),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "none is given", "PULUMI_CONFIG_PASSPHRASE"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login", "not logged in", "pulumi login"),
        ("error: cipher: message authentication failed", "another key", "encryptionsalt"),
    ],
)
def test_what_the_engine_says_about_its_state(stderr: str, message: str, remedy: str) -> None:
    error = failed(stderr)
    assert isinstance(error, StateError)
    assert isinstance(error, LockedError) == ("update" in stderr or stderr == LOCKED)
    assert message in error.message
    assert remedy in error.remedy


HOME = "s3://app-prod-state-333333333333-eu-west-1-an?region=eu-west-1"


@pytest.mark.parametrize("stderr", ["error: no stack named 'dev' found", "error: PULUMI_ACCESS_TOKEN must be set"])
def test_a_state_that_lies_in_the_accounts_bucket_is_not_made_anew_elsewhere(stderr: str) -> None:
    error = create_command_error(CommandResult(stdout="", stderr=stderr, code=255))
    there = explain(error, Watch(), "dev", "file:///home/me", HOME)
    # Only where it was looked for is known: nobody has looked into that bucket.
    looked = "its state is not in file:///home/me"
    assert there.message == (looked if "no stack" in stderr else "Pulumi is not logged in to any backend")
    assert f"`export PULUMI_BACKEND_URL='{HOME}'`" in there.remedy
    assert "stack init" not in there.remedy
    # Where it was looked for there, it was never made.
    for same in (HOME.partition("?")[0], f"{HOME.partition('?')[0]}/"):
        assert "PULUMI_BACKEND_URL='" not in explain(error, Watch(), "dev", same, HOME).remedy
    assert "PULUMI_BACKEND_URL='" not in explain(error, Watch(), "dev", "file:///home/me").remedy


@pytest.mark.parametrize(
    ("stack", "text", "home"),
    [
        ("prod", 'account: "333333333333"\n  app:region: eu-west-1\n  app:bootstrapped: "true"', HOME),
        ("dev", 'account: "333333333333"\n  app:region: eu-west-1', ""),
        ("prod-account", "program: account\n  app:environments: [prod]", ""),
        ("wrong", 'account: "3"\n  app:region: eu-west-1', ""),
    ],
)
def test_whose_state_lies_in_the_accounts_bucket_its_file_says(
    tmp_path: Path, stack: str, text: str, home: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: app\nruntime: python\n")
    (tmp_path / f"Pulumi.{stack}.yaml").write_text(f"config:\n  app:{text}\n")
    assert home_of(tmp_path, stack) == home


S3 = "operation error S3: GetObject, https response error StatusCode: {}, RequestID: 9SB, HostID: 98J2, {}"
READ = 'error: read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): ' + S3
LISTED = "error: error listing stacks: could not list bucket: blob (code=NotFound): " + S3
KMS = "error: secrets (code=FailedPrecondition): operation error KMS: Decrypt, https response error StatusCode: 400, {}"


@pytest.mark.parametrize(
    ("stderr", "message", "remedy"),
    [
        (
            LISTED.format(404, "NoSuchBucket: The specified bucket does not exist"),
            "the state bucket s3://b is not there",
            "docs/operations.md",
        ),
        (
            READ.format(0, 'request send failed, Get "http://x": dial tcp 127.0.0.1:1: connect: connection refused'),
            "the state in s3://b cannot be reached",
            "check the network",
        ),
        (READ.format(0, "request send failed: EOF"), "cannot be reached", "goes on with what is left"),
        (READ.format(403, "api error InvalidAccessKeyId: no"), "there are no credentials", "AWS_PROFILE"),
        (READ.format(400, "api error ExpiredToken: The provided token has expired."), "have expired", "aws sso login"),
        (READ.format(400, "api error ExpiredToken: The provided token has expired."), "have expired", "`unset AWS_ACC"),
        (READ.format(503, "api error SlowDown: Please reduce your request rate."), "AWS throttles", "a few minutes"),
        (READ.format(403, "api error AccessDenied: Access Denied"), "may not read or write", "of the account"),
        (READ.format(400, "api error KMS.DisabledException: key is disabled"), "the key of the state", "enable-key"),
        (KMS.format("DisabledException: arn:aws:kms:x:1:key/1 is disabled."), "the key of the state", "enable-key"),
        ("error: write /tmp/x: no space left on device", "the disk is full", "make room"),
        ("error: no resource plugin 'pulumi-resource-aws' found", "a plugin of Pulumi is missing", "plugin install"),
        ("ModuleNotFoundError: No module named 'pulumi_aws'", "Python environment", "requirements.lock"),
        ("error: update canceled", "it was interrupted", "repeat the command"),
    ],
)
def test_what_has_happened_to_the_state_is_said_in_our_words(stderr: str, message: str, remedy: str) -> None:
    error = explain(create_command_error(CommandResult(stdout="", stderr=stderr, code=255)), Watch(), "dev", "s3://b")
    assert isinstance(error, StateError)
    assert message in error.message
    assert remedy in error.remedy


DENIED = "api error AccessDeniedException: User: me is not authorized to perform: kms:Decrypt on resource: key/1"
CLOUD, FOLDER, BUCKET = "https://api.pulumi.com", "file:///home/ada/state", "s3://b"
FETCHING = "error: could not load plugin for eks provider: Could not automatically download and install resource plugin"


@pytest.mark.parametrize(
    ("place", "stderr", "message", "remedy"),
    [
        (
            CLOUD,
            "error: failed to complete update: [403] The provided update token has expired.",
            "Pulumi Cloud has ended this update",
            "repeat the command",
        ),
        (
            CLOUD,
            "error: [403] Forbidden",
            f"Pulumi Cloud does not let this login read or write the state in {CLOUD}",
            "`pulumi whoami -v`",
        ),
        (
            CLOUD,
            "error: [503] Service Unavailable",
            f"Pulumi Cloud throttles, or does not answer as it should, for the state in {CLOUD}",
            "a few minutes",
        ),
        (BUCKET, "error: [403] Forbidden", f"may not read or write the state in {BUCKET}", "of the account"),
        (
            FOLDER,
            "error: open /home/ada/state/.pulumi/meta.yaml: permission denied",
            f"this user may not read or write the state in {FOLDER}",
            "`ls -l`",
        ),
        *(
            (place, KMS.format(DENIED), f"may not use the key of the state in {place}", "kms:Decrypt")
            for place in (CLOUD, FOLDER, BUCKET)
        ),
        (
            BUCKET,
            f"{FETCHING}. Underlying error: 403 HTTP error fetching plugin",
            "a plugin of Pulumi is missing",
            "GITHUB_TOKEN",
        ),
    ],
)
def test_whose_refusal_it_is_the_backend_tells(place: str, stderr: str, message: str, remedy: str) -> None:
    error = explain(create_command_error(CommandResult(stdout="", stderr=stderr, code=255)), Watch(), "dev", place)
    assert isinstance(error, StateError)
    assert message in error.message
    assert remedy in error.remedy


@pytest.mark.parametrize(
    ("place", "stderr"),
    [
        (FOLDER, "error: [403] Forbidden"),
        (FOLDER, "error: [503] no"),
        (BUCKET, "error: [503] no"),
        (CLOUD, "error: NoSuchBucket: b"),
    ],
)
def test_no_backend_is_said_to_have_what_only_another_kind_says(place: str, stderr: str) -> None:
    error = explain(create_command_error(CommandResult(stdout="", stderr=stderr, code=255)), Watch(), "dev", place)
    assert error.message == stderr.removeprefix("error: ")


@pytest.mark.parametrize(
    ("words", "message", "remedy"),
    [
        ("write /state/.pulumi/stacks/a/dev.json.1.tmp: no space left on device", "the disk is full", "make room"),
        (
            "operation error S3: PutObject, https response error StatusCode: 400, api error ExpiredToken: The provided "
            "token has expired.",
            "the credentials for the state in s3://b have expired",
            "log in again",
        ),
        (
            "api error KMS.DisabledException: arn is disabled.",
            "the key of the state in s3://b is disabled",
            "enable-key",
        ),
    ],
)
def test_a_state_that_cannot_be_written_midway_is_no_fault_of_the_resource(
    words: str, message: str, remedy: str
) -> None:
    """The engine tells it as the error of whatever it was at."""
    watch = Watch()
    saving = (
        "step event returned an error: failed to save snapshot: An IO error occurred while writing the new snapshot"
    )
    watch(said(URN, f"post-{saving} file: {words}"))
    error = explain(create_command_error(CommandResult(stdout="", stderr="", code=255)), watch, "dev", "s3://b")
    assert isinstance(error, StateError)
    assert error.message.startswith(message)
    assert "snapshot" not in error.message
    assert remedy in error.remedy
    watch(said("urn:pulumi:dev::a::t::other", "AccessDenied"))
    error = explain(create_command_error(CommandResult(stdout="", stderr="", code=255)), watch, "dev", "s3://b")
    assert error.message.splitlines()[1:] == ["t other: AccessDenied"]


UNAVAILABLE = "rpc error: code = Unavailable desc = "


@pytest.mark.parametrize("place", ["s3://b", "file:///home/ada/state", ""])
def test_a_plugin_that_is_gone_is_not_the_states_fault(place: str) -> None:
    dialing = UNAVAILABLE + 'connection error: desc = "transport: error while dialing: dial tcp 127.0.0.1:7"'
    ended = UNAVAILABLE + "error reading from server: EOF"
    for said in (f"error: {ended}", f"error: could not connect to resource plugin: {dialing}"):
        error = explain(create_command_error(CommandResult(stdout="", stderr=said, code=255)), Watch(), "dev", place)
        assert isinstance(error, PluginLostError)
        assert "a plugin of the engine has ended, or did not answer" in error.message
        assert "goes on with what is left" in error.remedy


@pytest.mark.parametrize(
    "words",
    [
        "error reading from server: EOF",  # of a resource the engine tells without the code before it
        "error reading from server: read tcp 127.0.0.1:9->127.0.0.1:7: read: connection reset by peer",
        'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:7: connect: connection refused"',
        "could not read plugin [/p/pulumi-resource-aws]: signal: killed",
        "failed to load language plugin python: could not read plugin [/p/pulumi-language-python]: EOF",
        "aws (resource) plugin [/p/pulumi-resource-aws] did not begin responding to RPC connections",
    ],
)
def test_so_is_one_that_has_ended_at_its_work_or_never_came_up(words: str) -> None:
    """Wherever it is told: of a resource, or on standard error; and where the state lies somewhere else."""
    watch = Watch()
    watch(said(URN, words))
    watch(
        said(
            "", "Detected that /p/pulumi-resource-aws exited prematurely. \n   This is *always* a bug in the provider."
        )
    )
    watch(said(PROGRAM, "update failed"))
    told = create_command_error(CommandResult(stdout="", stderr=f"error: {words}\nerror: update failed", code=255))
    for error in (failed(watch=watch), explain(told, Watch(), "dev", "s3://b")):
        assert isinstance(error, PluginLostError)
        assert words in error.message


def test_what_was_refused_beside_it_is_the_reason() -> None:
    watch = Watch()
    watch(said(URN, "error reading from server: EOF"))
    watch(said(URN, "AccessDenied: not authorized to perform iam:CreateRole"))
    error = failed(watch=watch)
    assert isinstance(error, RefusedError)
    assert "iam:CreateRole" in error.message
    missing = "error: could not read plugin [/p/pulumi-language-python]: exit status 1\nNo module named 'pulumi'"
    assert "Python environment" in failed(stderr=missing).message


@pytest.mark.parametrize(
    "words",
    [
        "failed to get shared config profile, alice",
        "AWS account ID not allowed: 111122223333",
        "account ID not allowed (111122223333)",
        "Cannot assume IAM Role. IAM Role (arn:aws:iam::111122223333:role/old) cannot be assumed.",
    ],
)
def test_credentials_that_only_the_state_names_are_told_once_and_how_it_forgets_them(words: str) -> None:
    watch = Watch()
    for kind in ("bucket", "policy"):
        watch(said(f"{URN}-{kind}", f"Preview failed: unable to validate AWS credentials.\nDetails: {words}"))
    watch(said(URN, "another reason"))
    told = create_command_error(CommandResult(stdout="", stderr="error: preview failed", code=255))
    error = explain(told, watch, "dev", "s3://b", variables="PULUMI_BACKEND_URL='s3://b' ")
    assert isinstance(error, RefusedError)
    assert error.message.count(words) == 1
    assert "another reason" in error.message
    assert "`PULUMI_BACKEND_URL='s3://b' pulumi refresh -s dev --run-program --yes`" in error.remedy


def test_a_folder_is_reached_without_a_network() -> None:
    said = "error: decrypting secrets: operation error KMS: Decrypt, request send failed: EOF"

    def told(place: str) -> str:
        failed = create_command_error(CommandResult(stdout="", stderr=said, code=255))
        return explain(failed, Watch(), "dev", place).message

    assert "the state in s3://b cannot be reached" in told("s3://b")
    assert "operation error KMS: Decrypt" in told("file:///home/ada/state")


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("error: failed to load checkpoint: place 1: unexpected end of JSON input", True),
        ("error: failed to load checkpoint: invalid character 'x' looking for beginning of value", True),
        ("error: failed to load checkpoint: " + S3.format(400, "api error KMS.DisabledException: no"), False),
        ("error: failed to load checkpoint: " + S3.format(403, "api error AccessDenied: no"), False),
        ("error: something new", False),
        # Where only what lies beside a state is cut off, it is not written over: see below.
        ("error: failed to load checkpoint: EOF", False),
    ],
)
def test_only_a_state_that_was_read_is_said_to_be_damaged(said: str, found: bool, tmp_path: Path) -> None:
    """The remedy writes over what is there."""
    store = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    kept = tmp_path / ".pulumi" / "stacks" / "app" / "dev.json.bak"
    kept.parent.mkdir(parents=True)
    kept.write_text('{"version": 3}')
    error = state_faults.damaged(said, store, "app", "dev")
    assert (error is not None and "`cp " in error.remedy) == found
    if found:
        assert error
        assert f"`cp {tmp_path}/.pulumi/stacks/app/dev.json.bak {tmp_path}/.pulumi/stacks/app/dev.json`" in error.remedy


@pytest.mark.processes
def test_no_copy_is_brought_back_that_is_cut_off_too(tmp_path: Path) -> None:
    """A full disk cuts off one write after the other: then the copy before, too (played with a small disk)."""
    store = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    state = tmp_path / ".pulumi" / "stacks" / "app" / "dev.json"
    history = tmp_path / ".pulumi" / "history" / "app" / "dev"

    def remedy() -> str:
        found = state_faults.damaged(
            "error: failed to load checkpoint: unexpected end of JSON input", store, "app", "dev"
        )
        assert found
        return found.remedy

    for file, text in (
        (state.with_name("dev.json.bak"), '{"version": 3, "check'),
        (history / "dev-1.checkpoint.json", '{"version": 3}'),
        (history / "dev-2.checkpoint.json", '{"version": 3, "checkpoint": {}}'),
        (history / "dev-3.checkpoint.json", '{"vers'),
        (history / "dev-3.history.json", "{}"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert f"`cp {history}/dev-2.checkpoint.json {state}`" in remedy()
    assert "`amplify-delivery adopt dev --state-lost`" in remedy()
    for file in history.glob("*.checkpoint.json"):
        file.write_text("{")
    assert "`cp " not in remedy()
    state.write_text("{")
    away = tmp_path / "cut-off-dev"
    moving = f"mkdir {away} && mv {state} {history} {away}"
    assert f"`{moving}`" in remedy()
    subprocess.run(["sh", "-c", moving], check=True)
    assert (away / "dev.json").is_file()
    assert (away / "dev" / "dev-3.history.json").is_file()
    assert not (state.exists() or history.exists())


@pytest.mark.parametrize("said", ["EOF", "failed to load checkpoint: EOF", 'read ".pulumi/meta.yaml": EOF'])
def test_what_a_kill_leaves_beside_a_state_is_no_damage_of_it(said: str, tmp_path: Path) -> None:
    store = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    error = state_faults.damaged(f"error: {said}", store, "app", "dev")
    assert error
    assert "the state is whole" in error.message
    assert "`amplify-delivery unlock dev`" in error.remedy
    bucket = store_of(tmp_path, {"PULUMI_BACKEND_URL": "s3://states?region=eu-west-1"})
    assert state_faults.damaged(f"error: {said}", bucket, "app", "dev") is None


@pytest.mark.parametrize(("place", "key"), [("states", ""), ("states/of/teams", "of/teams/")])
def test_a_state_that_is_cut_off_in_a_bucket_has_the_version_before(place: str, key: str, tmp_path: Path) -> None:
    """Also where the state lies below a prefix of the bucket."""
    store = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"s3://{place}?region=eu-west-1"})
    words = "error: failed to load checkpoint: unexpected end of JSON input"
    error = state_faults.damaged(words, store, "app", "dev")
    assert error
    assert (
        error.message
        == f"its state cannot be read: s3://{place}/.pulumi/stacks/app/dev.json is cut off, or no state at all"
    )
    whole = f"{key}.pulumi/stacks/app/dev.json"
    assert f"--bucket states --prefix {whole} --query \"Versions[?Key=='{whole}'] | [1].VersionId\"" in error.remedy
    assert f"copy-object --bucket states --key {whole} --copy-source states/{whole}?versionId=" in error.remedy
    # What kept it from being read is another matter: an earlier version would take nothing of that away.
    assert state_faults.damaged(f"{words}\nerror: SlowDown: reduce your request rate", store, "app", "dev") is None


def test_a_state_is_lost_only_if_there_was_one(tmp_path: Path) -> None:
    store = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    assert state_faults.lost(store, "app", "dev") is None
    assert state_faults.lost(None, "app", "dev") is None
    history = tmp_path / ".pulumi" / "history" / "app" / "dev" / "dev-1.history.json"
    history.parent.mkdir(parents=True)
    history.write_text("{}")
    error = state_faults.lost(store, "app", "dev")
    assert error
    assert "do not make the stack again" in error.remedy
    assert state_faults.lost(store, "app", "other") is None


@pytest.mark.processes
def test_a_lost_state_is_brought_back_from_what_is_there(tmp_path: Path) -> None:
    """The copy of before, or with the copy gone that of the last update, or none: a command that finds its files."""
    store = store_of(tmp_path, {"PULUMI_BACKEND_URL": f"file://{tmp_path}"})
    state = tmp_path / ".pulumi" / "stacks" / "app" / "dev.json"
    history = tmp_path / ".pulumi" / "history" / "app" / "dev"
    kept = history / "dev-1.checkpoint.json"
    for file in (state.with_name("dev.json.bak"), kept):
        file.parent.mkdir(parents=True)
        file.write_text('{"version": 3, "checkpoint": {}}')

    def remedy() -> str:
        found = state_faults.lost(store, "app", "dev")
        assert found
        return found.remedy

    assert f"`cp {state}.bak {state}`" in remedy()
    state.with_name("dev.json.bak").unlink()
    said = remedy()
    assert (
        f"The copy before it is gone, too. Bring back what it was after the last update that ended: `cp {kept} " in said
    )
    subprocess.run(["sh", "-c", said.split("`")[1]], check=True)
    assert state.read_text() == kept.read_text()
    state.unlink()
    kept.write_text("{")
    subprocess.run(["sh", "-c", remedy().split("`")[1]], check=True)
    assert state_faults.lost(store, "app", "dev") is None


def test_what_a_resource_says_is_nothing_about_the_state() -> None:
    watch = Watch()
    watch(said(URN, "AccessDenied: dial tcp: no space left on device"))
    assert isinstance(failed("error: update failed", watch=watch), DeployError)
    assert isinstance(failed("error: update failed", stdout="AccessDenied: dial tcp"), RefusedError)


def test_an_engine_that_was_killed_is_told_as_that() -> None:
    watch = Watch()
    watch(said(URN, "error reading from server: EOF"))
    killed = create_command_error(CommandResult(stdout="", stderr="", code=-9))
    error = explain(killed, watch, "dev")
    assert isinstance(error, EngineKilledError)
    assert error.message == "the engine was killed (signal 9)"
    assert "run the same command again" in error.remedy
    # Whoever sends another signal means it: nothing begins once more by itself.
    ended = explain(create_command_error(CommandResult(stdout="", stderr="", code=-15)), Watch(), "dev")
    assert type(ended) is FailedError


def test_failed_resources_with_their_reasons() -> None:
    watch = Watch()
    watch(said(URN, "<{%reset%}>ROLLBACK_COMPLETE: Todo: table exists<{%reset%}>\n"))
    watch(said(URN, "ROLLBACK_COMPLETE: Todo: table exists"))
    watch(said(PROGRAM, "update failed"))
    watch(said(URN, "never mind", "warning"))
    error = failed("error: update failed", watch=watch)
    assert isinstance(error, DeployError)
    assert error.message == "aws:cloudformation/stack:Stack backend: ROLLBACK_COMPLETE: Todo: table exists"
    assert "rolled back" in error.remedy


@pytest.mark.parametrize(
    "said_of_it",
    ["AccessDenied: not authorized to perform: cloudformation:CreateStack", "UPDATE_ROLLBACK_FAILED: Todo"],
)
def test_what_was_not_rolled_back_is_not_said_to_be(said_of_it: str) -> None:
    watch = Watch()
    watch(said(URN, said_of_it))
    assert "rolled back" not in str(failed("error: update failed", watch=watch).remedy)


def test_the_providers_wrapping_is_taken_off() -> None:
    watch = Watch()
    wrapped = (
        f"1 error occurred:\n\t* updating {URN}: 1 error occurred:\n\t* waiting for it: UPDATE_ROLLBACK_COMPLETE\n\n"
    )
    watch(said(URN, wrapped))
    assert (
        failed(watch=watch).message
        == "aws:cloudformation/stack:Stack backend: waiting for it: UPDATE_ROLLBACK_COMPLETE"
    )


def test_what_the_program_says_stands_alone() -> None:
    watch = Watch()
    watch(said(PROGRAM, "account is missing\n  -> `pulumi config set account VALUE`"))
    error = failed(watch=watch)
    assert error.message.startswith("account is missing")
    assert "rolled back" not in error.remedy


def test_anything_else_is_told_as_the_engine_says_it() -> None:
    error = failed("error: something new\n")
    assert error.message == "something new"
    assert "`--debug`" in error.remedy
    assert failed().message == "the engine ended without a message"


def test_a_replacement_of_the_root_stack_is_noticed() -> None:
    watch = Watch()
    for op in ("replace", "create-replacement"):
        metadata = {"op": op, "urn": URN, "type": ROOT_STACK, "provider": "p", "keys": ["onFailure"]}
        watch(EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}}))
    assert watch.replaced[0] == "aws:cloudformation/stack:Stack backend (onFailure)"


def begins(op: str, urn: str) -> EngineEvent:
    state = {"type": ROOT_STACK, "urn": urn, "custom": True, "id": "", "parent": "", "inputs": {}, "outputs": {}}
    state["provider"] = "p"
    metadata = {"op": op, "urn": urn, "type": ROOT_STACK, "provider": "p", "keys": ["onFailure"], "old": state}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resourcePreEvent": {"metadata": metadata}})


def test_a_stack_of_a_teams_own_beside_the_backend_may_be_replaced_and_its_plan_says_so() -> None:
    """It is no root: what it loses is asked for like that of any other resource of the program."""
    own = "urn:pulumi:dev::app::app:index:Stage$aws:cloudformation/stack:Stack::reports"
    watch = Watch()
    for op in ("create-replacement", "replace", "delete-replaced", "delete", "update"):
        watch(begins(op, own))
    assert (watch.replaced, watch.root.now, watch.root.begun) == ([], False, 0)
    (step,) = plan_program(watch.steps, backend_changes=True, deployed=True)
    assert (step.operation, step.loss) == ("replace", "everything in the stack")
    with pytest.raises(RefusedError, match="everything in the stack"):
        Guard("dev", (), date(2027, 1, 31)).check([step])
    watch(begins("delete", URN))
    assert watch.replaced == ["aws:cloudformation/stack:Stack backend (the program no longer has it)"]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ('before hook "backend-publish" failed: dev: data would go\n  -> nothing was changed. Put back', False),
        ('before hook "backend-publish" failed: dev: uploading x failed\n  -> repeat the command', True),
        ("UPDATE_ROLLBACK_COMPLETE: nothing was changed", True),
    ],
)
def test_a_change_that_its_hook_has_refused_was_never_begun(words: str, changed: bool) -> None:
    """Such a command ends with 3; beside another change that was begun, with 4."""
    watch = Watch()
    watch(begins("update", URN))
    assert watch.begun
    watch(said(URN, words))
    assert watch.begun is changed
    watch(begins("create", f"{URN}-other"))
    assert watch.begun


@pytest.mark.parametrize("before", ["", "pulumi:index:Stash place: Preview failed: "])
def test_a_refusal_of_a_hook_is_told_as_ours(before: str) -> None:
    """What the engine was about to do when it was asked, helps nobody."""
    watch = Watch()
    watch(said(URN, f'{before}before hook "first-create" failed: AD311 auth.json: no secret\n  -> give one'))
    assert str(failed(watch=watch)) == "dev: AD311 auth.json: no secret\n  -> give one"


def test_a_refusal_of_the_program_is_told_as_ours() -> None:
    """Once, with its own remedy; what the language host adds says nothing."""
    watch = Watch()
    watch(said(PROGRAM, "stack dev: region is 'x' now, but this stack was deployed with 'y'\n  -> put it back"))
    watch(said(PROGRAM, "an unhandled error occurred: Program exited with non-zero exit code: 1"))
    error = failed(watch=watch)
    assert str(error) == "dev: region is 'x' now, but this stack was deployed with 'y'\n  -> put it back"


def test_a_program_that_ends_without_a_word_is_told_all_the_same() -> None:
    watch = Watch()
    watch(said(PROGRAM, "an unhandled error occurred: Program exited with non-zero exit code: 1"))
    assert "Program exited with non-zero exit code: 1" in failed(watch=watch).message
