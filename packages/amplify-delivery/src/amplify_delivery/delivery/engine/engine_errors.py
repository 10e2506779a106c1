"""The engine's errors in our words: what failed, why, and what to do."""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path

from pulumi.automation import CommandError
from pulumi.automation.errors import ConcurrentUpdateError, StackNotFoundError

from amplify_delivery.components.documents.rights.pulumi_types import ROOT_STACK
from amplify_delivery.delivery.engine import state_faults
from amplify_delivery.delivery.engine.watch import Watch, plain, resource_name
from amplify_delivery.errors import (
    DeliveryError,
    EngineKilledError,
    FailedError,
    LockedError,
    NoStackError,
    RefusedError,
    StateError,
)
from amplify_delivery.stacks.access import environment_names, pipeline_names
from amplify_delivery.stacks.config import Project


def home_of(folder: Path, stack: str) -> str:
    """The backend that `bootstrap` or `setup` has made for a stack, as its file says; empty for any other."""
    project = Project(folder)
    try:
        if stack in project.stacks("pipeline"):
            return pipeline_names(project.app, stack, project.pipeline(stack)).state_backend
        config = project.environment(stack) if stack in project.stacks("backend") else None
    except DeliveryError:  # what is wrong with a file, is told by whoever reads it for its own sake
        return ""
    return environment_names(project.app, config).state_backend if config and config.bootstrapped else ""


def explain(
    error: CommandError, watch: Watch, stack: str, place: str = "", home: str = "", *, variables: str = ""
) -> DeliveryError:
    """The engine's error in our words: what failed, why, and what to do, as if nothing had been changed. `place` is
    where its state was looked for, `home` the backend that the stack file tells; empty if it tells none. `variables` is
    what has to stand before a `pulumi` command of the stack."""
    text, said = plain(str(error)), stderr(error)
    if home and home.partition("?")[0] != place.rstrip("/") and _looked_in_vain(error, text):
        return _elsewhere(error, stack, place, home)
    return (
        _of_stack(error, text, stack)
        or _killed(text, stack)
        or _of_saving(_reasons(watch), stack, place)
        or _of_credentials(_reasons(watch), stack, variables)
        or _of_resources(_reasons(watch), watch, said, stack, text)
        or state_faults.fault(said, stack, place)
        or _unknown(said, stack)
    )


def _of_stack(error: CommandError, text: str, stack: str) -> DeliveryError | None:
    """What hinders every command of a stack: it is locked, there is none, its secrets cannot be read."""
    if isinstance(error, ConcurrentUpdateError):
        if "[409]" in text:
            return going_on(stack)
        holder = re.search(r"(?m)^\s*(\S+: created by .*)$", text)
        return LockedError(
            f"another update of this stack is running{': ' + holder[1] if holder else ''}",
            where=stack,
            remedy=unlock(stack),
        )
    if isinstance(error, StackNotFoundError):
        return NoStackError(
            "there is no such stack in this backend of Pulumi",
            where=stack,
            remedy="`pulumi whoami -v` says which backend is used. If it is the right one, `amplify-delivery up "
            f"{stack} --create` makes the stack, with the key that its file names; plain `pulumi stack init` takes "
            "another one",
        )
    for pattern, message, remedy in _KNOWN:
        if re.search(pattern, text):
            return StateError(message, where=stack, remedy=remedy)
    return None


def _killed(text: str, stack: str) -> DeliveryError | None:
    killed = re.search(r"^\s*code: -(\d+)$", text, re.MULTILINE)
    if not killed:
        return None
    kind = EngineKilledError if int(killed[1]) == signal.SIGKILL else FailedError
    return kind(
        f"the engine was killed (signal {killed[1]})",
        where=stack,
        remedy="run the same command again: it finds out what has become of what was begun. If nobody has killed "
        "it, the machine had too little memory",
    )


def _of_saving(reasons: list[str], stack: str, place: str) -> StateError | None:
    """What has kept the engine from writing its state in the middle of an update: that it tells of a resource. What has
    failed beside it comes after."""
    saving = [reason for reason in reasons if "failed to save snapshot" in reason]
    found = state_faults.fault("\n".join(saving), stack, place) if saving else None
    if found is None:
        return None
    others = (reason for reason in reasons if reason not in saving)
    return StateError("\n".join([found.message, *others]), where=found.where, remedy=found.remedy)


def _of_credentials(reasons: list[str], stack: str, variables: str) -> RefusedError | None:
    """Where a provider has no credentials, or another account's: it is told of each of its resources. Before an update
    the engine refreshes with the provider as its state has it, so another profile in the stack file alone helps
    nobody."""
    why = {found[0]: None for found in map(_NO_CREDENTIALS.search, reasons) if found}
    if not why:
        return None
    others = [reason for reason in reasons if not _NO_CREDENTIALS.search(reason)]
    return RefusedError(
        "\n".join([f"a provider cannot work with the credentials that it was told to use: {', '.join(why)}", *others]),
        where=stack,
        remedy="if the stack file (`profile`, `roleArn`) names them, correct it, or the configuration of AWS on this "
        "machine. If it does not name these any more: the engine's state does, of the last deployment, until "
        f"`{variables}pulumi refresh -s {stack} --run-program --yes` takes over what the file says, which changes "
        "nothing in AWS. Then repeat the command",
    )


def _of_resources(reasons: list[str], watch: Watch, said: str, stack: str, text: str) -> DeliveryError | None:
    """What has failed with single resources, or because a plugin was lost."""
    gone = state_faults.plugin_lost(reasons or _lines(said), stack, text)
    if gone or not reasons:
        return gone
    ours, told, remedy = reasons[0].partition(_REMEDY)
    if told and len(reasons) == 1:
        ours = ours.removeprefix(f"stack {stack}: ").removeprefix(f"{stack}: ")
        return RefusedError(ours, where=stack, remedy=remedy)
    rolled_back = any(ROOT_STACK in urn and _ROLLED_BACK.search(text) for urn, text in watch.errors)
    return RefusedError(
        "\n".join(reasons),
        where=stack,
        remedy="correct the cause and repeat"
        + ("; what CloudFormation had begun, it has rolled back" if rolled_back else ""),
    )


def _unknown(said: str, stack: str) -> RefusedError:
    lines = [line for line in said.splitlines() if line.strip()][-15:]
    return RefusedError(
        "\n".join(lines).removeprefix("error: ") or "the engine ended without a message",
        where=stack,
        remedy="this program does not know what the engine means by that: repeat the command with `--debug`; "
        f"`pulumi preview -s {stack}` shows it without us",
    )


def _elsewhere(error: CommandError, stack: str, place: str, home: str) -> StateError:
    """Of a stack that was looked for elsewhere than where bootstrap or setup makes it. Whether it is there nobody has
    asked. Made again wherever somebody is logged in, it would know nothing of what runs."""
    here = f"its state is not in {place or 'the backend of this login'}"
    return StateError(
        here if isinstance(error, StackNotFoundError) else "Pulumi is not logged in to any backend",
        where=stack,
        remedy=f"`export PULUMI_BACKEND_URL={shlex.quote(home)}`, with credentials of that account, and repeat the "
        "command: bootstrap or setup makes it there. If it is not there either, neither has been called yet, or it was "
        "made in another backend (`pulumi login URL`)",
    )


def _looked_in_vain(error: CommandError, text: str) -> bool:
    """Whether there is no such stack, or no backend at all."""
    return isinstance(error, StackNotFoundError) or re.search(_NO_LOGIN, text) is not None


def stderr(error: CommandError) -> str:
    """What the engine has written to its standard error, without colours."""
    return plain(str(error)).rpartition(" stderr:")[2].strip()


def unlock(stack: str) -> str:
    """What to do about a stack that somebody holds."""
    again = f"if nothing runs any more, `amplify-delivery unlock {stack}`"
    return f"wait until it has ended, or give `--wait MINUTES`; {again}"


def going_on(stack: str, what: str = "") -> LockedError:
    """Of a stack that Pulumi Cloud says is being updated, by `what` if it says that. It knows of no process, and takes
    nobody for gone until it has heard nothing for five minutes (the lease of an update: `newUpdate` in
    pkg/backend/httpstate/state.go of pulumi/pulumi)."""
    return LockedError(
        f"another update of this stack is running{': ' + what if what else ''}",
        where=stack,
        remedy=f"{unlock(stack)}. Of a run that was killed Pulumi Cloud ends it by itself, five minutes after that",
    )


_NO_CREDENTIALS = re.compile(
    r"failed to get shared config profile, \S+|(?:AWS )?account ID not allowed\S* ?\S*|Cannot assume IAM Role.*"
)
"""Words of the AWS SDK for Go and of both providers, with the profile, account or role."""
_ROLLED_BACK = re.compile(r"\b(?:UPDATE_ROLLBACK_COMPLETE|ROLLBACK_COMPLETE|DELETE_COMPLETE)\b")
"""What a stack says of itself that is as it was, or gone. What AWS has refused was never begun."""


_NO_LOGIN = r"PULUMI_ACCESS_TOKEN must be set|not logged in|no credentials found"
_KNOWN = (
    (
        r"incorrect passphrase",
        "the passphrase is not the one that the stack was made with",
        "set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the stack's own",
    ),
    (
        r"passphrase must be set",
        "the stack's secrets are encrypted with a passphrase, and none is given",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    ),
    (
        _NO_LOGIN,
        "Pulumi is not logged in to any backend",
        "`pulumi login`, `pulumi login --local`, or set PULUMI_BACKEND_URL",
    ),
    (
        r"No credentials provided or are invalid|this command requires logging in|invalid access token",
        "Pulumi Cloud does not take this login: its token is not valid, or has ended",
        "`pulumi login`, or set PULUMI_ACCESS_TOKEN to a token that is valid; `pulumi whoami -v` says where this is",
    ),
    (
        r"message authentication failed",
        "the stack's secrets are encrypted with another key",
        "restore `secretsprovider`, `encryptedkey` and `encryptionsalt` of the stack file from git",
    ),
    (
        r"\[400\].*invalid ciphertext",
        "Pulumi Cloud has encrypted the stack's secrets for another stack: of another organisation, or one that was "
        "removed, with whose key they are lost",
        "`pulumi whoami -v` and `pulumi org get-default` say where this one is. If it was removed, and made anew: take "
        "the `secure:` values out of the stack file, and give each again (`pulumi config set --secret --path`)",
    ),
)
"""What the engine says about its state, and what it means."""


_SUMMARIES = ("update failed", "preview failed", "destroy failed", "refresh failed")
"""What the engine adds for the stack: no reason."""
_ENDED = re.compile(r"an unhandled error occurred: Program exited with non-zero exit code: \d+")
"""What the language host adds when the program has ended with an error: no reason beside the program's own."""
_REMEDY = "\n  -> "
"""What is to be done, behind what is wrong: an error of ours that the program has ended with."""
_HOOK = re.compile(r'(?:\S+ \S+: )?(?:Preview failed: )?before hook "[^"]*" failed: ')
"""What the engine puts before the words of a hook."""


def _lines(said: str) -> list[str]:
    """The errors on its stderr."""
    found = [line.removeprefix("error: ") for line in said.splitlines() if line.startswith("error: ")]
    return [line for line in found if line not in _SUMMARIES]


def _reasons(watch: Watch) -> list[str]:
    """Why it failed, resource by resource; without "update failed", which the engine adds for the stack. What a hook of
    ours has refused, names its place itself, and no resource: the one that the engine was at is chance."""
    own = [(urn, text) for urn, text in watch.errors if text not in _SUMMARIES]
    own = [(urn, text) for urn, text in own if not _ENDED.fullmatch(text.strip())] or own
    told = dict.fromkeys(_reason(urn, text) for urn, text in own)
    return list(told)


def _reason(urn: str, text: str) -> str:
    refused = _HOOK.match(text)
    if refused:
        return text[refused.end() :]
    return f"{resource_name(urn)}: {text}" if urn and "pulumi:pulumi:Stack" not in urn else text
