"""What has happened to the engine's state, by the engine's own words: the state's place, its key, its credentials, its
objects; and how a state that is lost is had back.

The words are those of Pulumi's backend in a bucket or a folder (`backend/diy` of pulumi/pulumi, gocloud.dev/blob) and
of AWS's SDK for Go, as they were seen, and of Pulumi Cloud's client (`pulumiAPICall` in `backend/httpstate/client`,
`ErrorResponse` in `apitype`: `[CODE] TEXT`). They stand on the engine's stderr; what failed of a resource its events
tell.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from amplify_delivery.components.documents.pipeline.buildspecs import INSTALLING
from amplify_delivery.delivery.engine.state_store import BUCKET_BACK, KEY_BACK, Store, is_pulumi_cloud
from amplify_delivery.errors import PluginLostError, StateError
from amplify_delivery.publishing.aws_errors import LOG_IN

_BUCKET, _CLOUD, _FOLDER = "bucket", "cloud", "folder"
_ANYWHERE = frozenset({_BUCKET, _CLOUD, _FOLDER})
_AGAIN = "then repeat the command: it goes on with what is left"


@dataclass(frozen=True)
class _Fault:
    pattern: str
    message: str
    remedy: str
    of: frozenset[str] = _ANYWHERE
    """The kinds of backend (`_kind`) of which the words mean that."""


_LOST_ON_THE_WAY = (
    r"rpc error: code = Unavailable|error reading from server: |transport is closing|"
    r"desc = \"?(?:transport|connection error)|^Detected that \S+ exited prematurely"
)
"""The engine and its plugins speak gRPC over this machine's loopback: what its client says of a server that is gone,
and what the engine says of it beside (once for all resources)."""
_NOT_STARTED = (
    r"(?:could not read|failure reading) plugin \[|plugin \[[^\]]*\] did not (?:begin responding|come alive)|"
    r"could not dial plugin \["
)
"""What the engine says of one that never came up (`newPlugin` in sdk/go/common/resource/plugin/plugin.go)."""
_NEVER_SENT = re.compile(f"while dialing|connection refused|{_NOT_STARTED}", re.IGNORECASE)
"""Said of a call for which there was no connection any more, or not yet."""
_LOST = re.compile(f"{_LOST_ON_THE_WAY}|{_NOT_STARTED}", re.IGNORECASE)
_INCOMPLETE = re.compile(
    r"ModuleNotFoundError|No module named|doesn't appear to be a virtual environment|failed to find python"
)

_FAULTS = (
    _Fault(
        r"NoSuchBucket",
        "the state bucket {place} is not there: it was deleted, or its name is wrong",
        f"look whether the name is right. {BUCKET_BACK}",
        of=frozenset({_BUCKET}),
    ),
    _Fault(
        r"KMS\.\w+Exception|DisabledException|KMSInvalidStateException|is pending deletion|\bkey .* is disabled",
        "the key of the state in {place} is disabled, or waits for its deletion",
        f"an administrator of its account {KEY_BACK} (`secretsprovider` in the stack file names the alias), {_AGAIN}",
    ),
    _Fault(
        r"update token has expired",
        "Pulumi Cloud has ended this update, whose state lies in {place}: it was not heard of for five minutes, or "
        "somebody has cancelled it (`unlock`, `pulumi cancel`)",
        "repeat the command, once nobody else changes the stack: what this one had begun is looked for",
        of=frozenset({_CLOUD}),
    ),
    _Fault(
        r"ExpiredToken|TokenRefreshRequired|RequestExpired|token included in the request is expired|token has expired",
        "the credentials for the state in {place} have expired",
        f"{LOG_IN}; {_AGAIN}",
    ),
    _Fault(
        r"InvalidAccessKeyId|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClientException|"
        r"failed to (?:refresh cached|retrieve) credentials|no EC2 IMDS role found|get credentials",
        "there are no credentials for the state in {place}, or AWS does not know them",
        "log in, or set AWS_PROFILE to one of the account that the state is in, then repeat the command",
    ),
    _Fault(
        r"\[403\]",
        "Pulumi Cloud does not let this login read or write the state in {place}",
        "`pulumi whoami -v` says whose login it is; an administrator of the organisation gives it the stack",
        of=frozenset({_CLOUD}),
    ),
    _Fault(
        r"pulumi service: request rate-limit exceeded|\[50[0-9]\]",
        "Pulumi Cloud throttles, or does not answer as it should, for the state in {place}",
        f"wait a few minutes, {_AGAIN}",
        of=frozenset({_CLOUD}),
    ),
    _Fault(
        r"SlowDown|Throttling|TooManyRequests|RequestLimitExceeded|ServiceUnavailable|InternalError",
        "AWS throttles, or does not answer as it should, for the state in {place}",
        f"wait a few minutes, {_AGAIN}",
    ),
    _Fault(
        r"dial tcp|request send failed|connection (?:refused|reset)|no such host|i/o timeout|TLS handshake|: EOF$",
        "the state in {place} cannot be reached",
        f"check the network, the proxy and the region in PULUMI_BACKEND_URL, {_AGAIN}",
        of=_ANYWHERE - {_FOLDER},  # which is reached without a network
    ),
    _Fault(
        r"operation error KMS: .*AccessDenied|not authorized to perform: kms:",
        "these credentials may not use the key of the state in {place}",
        "use a profile or role (AWS_PROFILE) that may use the key that `secretsprovider` of the stack file names "
        "(kms:Decrypt, kms:Encrypt), then repeat the command",
    ),
    _Fault(
        r"AccessDenied|Forbidden|StatusCode: 403",
        "these credentials may not read or write the state in {place}",
        "use a profile or role of the account that the state is in (AWS_PROFILE), then repeat the command",
        of=frozenset({_BUCKET}),
    ),
    _Fault(
        r"permission denied",
        "this user may not read or write the state in {place}",
        "`ls -l` there says whose files they are; take the state's rights back, then repeat the command",
        of=frozenset({_FOLDER}),
    ),
    _Fault(
        r"no space left on device|disk quota exceeded",
        "the disk is full",
        f"make room (`df -h`, and the folder of temporary files), {_AGAIN}",
    ),
    _Fault(
        r"no (?:resource|language|analyzer) plugin|could not (?:find|install|download) plugin|failed to install plugin|"
        r"download and install \w+ plugin|HTTP error fetching plugin",
        "a plugin of Pulumi is missing, and it cannot be had",
        "`pulumi plugin install` where there is a network, then repeat the command. GitHub answers 403 to whoever asks "
        "too often without a name: GITHUB_TOKEN is one",
    ),
    _Fault(
        _INCOMPLETE.pattern,
        "the project's Python environment is not complete",
        f"install what requirements.lock names into the virtualenv of Pulumi.yaml (`{INSTALLING}`), then repeat the "
        "command",
    ),
    _Fault(
        r"(?:update|preview|refresh|destroy) (?:was )?cancell?ed|context canceled",
        "it was interrupted",
        "repeat the command: it goes on with what is left",
    ),
)
"""Which words mean what, the narrower ones first."""


def _kind(place: str) -> str:
    """The kind of a backend, by its address; empty for what nobody has told, of which any words may be."""
    if place.startswith("file://"):
        return _FOLDER
    return _CLOUD if is_pulumi_cloud(place) else _BUCKET if place else ""


_DAMAGED = re.compile(
    r"(?:failed to load checkpoint|checkpoint).*(?:unexpected end of JSON input|invalid character|cannot unmarshal)"
)

_CUT_OFF = re.compile(r"^error: (?:.*: )?EOF$", re.MULTILINE)
"""What the engine says of an attribute file that is empty (`cut_off`): in a folder nothing else ends so."""
_NEWEST = 4
"""Of a stack's history the files of two updates, by the times in their names: an update asks for the last one alone."""
_BEING_WRITTEN = re.compile(r"^error: list bucket: blob \(code=NotFound\): lstat ", re.MULTILINE)
"""What it says of a file that was renamed, or deleted, while it went through the folder that holds it: each file of a
state is written beside its name, as `NAME.NUMBER.tmp` (`blob/fileblob` of gocloud.dev)."""


def being_written(said: str) -> bool:
    """Whether the engine has met what another one was writing in the same folder, as far as its words tell: a file cut
    off for good looks the same as one of this moment. All stacks of a project are listed together, so that is anybody's
    who works on one of them."""
    return bool(_BEING_WRITTEN.search(said) or _CUT_OFF.search(said))


def fault(said: str, stack: str, place: str) -> StateError | None:
    """What the words on the engine's stderr mean; None for what is not known. `place` is where the state lies."""
    kind = _kind(place)
    for known in _FAULTS:
        if kind and kind not in known.of:
            continue
        if re.search(known.pattern, said, re.MULTILINE):
            return StateError(known.message.format(place=place or "its backend"), where=stack, remedy=known.remedy)
    return None


def may_be_sent(said: Sequence[str]) -> bool:
    """Whether a call whose plugin is gone (`is_lost`) may have reached it: not where nobody was there to take it. What
    is in AWS under its name then, that call has not made."""
    return is_lost(said) and not any(_NEVER_SENT.search(text) for text in said)


def is_lost(said: Sequence[str]) -> bool:
    """Whether all that was said is that a plugin is gone."""
    return bool(said) and all(_LOST.search(text) for text in said)


def plugin_lost(said: Sequence[str], stack: str, whole: str) -> PluginLostError | None:
    """Where all that was `said` is that a plugin of the engine is gone, or never came up; None otherwise.

    Whatever else is said beside it is the reason. A program's host that never comes up for a package that it misses
    would not come up the second time either: the `whole` output of the engine has that.
    """
    if not is_lost(said) or _INCOMPLETE.search(whole):
        return None
    return PluginLostError(
        f"a plugin of the engine has ended, or did not answer: {said[0]}",
        where=stack,
        remedy=f"if the machine is short of memory, give more of it, or run less beside this; {_AGAIN}",
    )


def damaged(said: str, store: Store | None, project: str, stack: str) -> StateError | None:
    """A state that was read and is none, by the engine's words. What kept it from being read is another matter."""
    if store is not None and store.local and _CUT_OFF.search(said):
        return StateError(
            f"a file that the engine keeps beside its state in {store.place} is cut off (`.attrs`), as a run that is "
            "killed leaves it; the state is whole",
            where=stack,
            remedy=f"`amplify-delivery unlock {stack}` removes it, then repeat the command",
        )
    if not _DAMAGED.search(said) or store is None or fault(said, stack, store.place):
        return None
    key = _key(project, stack)
    return StateError(
        f"its state cannot be read: {store.place}/{key} is cut off, or no state at all",
        where=stack,
        remedy=_whole_copy(store, project, stack) if store.local else _VERSION_BACK.format(_back(store, key, 1)),
    )


_VERSION_BACK = "bring back what it was before: `{}`, then repeat the command: what was made since is looked for in AWS"


def _whole_copy(store: Store, project: str, stack: str) -> str:
    """What to do about a state in a folder: the copy before, unless it is gone, or a full disk has cut that off, too;
    else the one that was kept with the last update."""
    key = _key(project, stack)
    kept = [k for k in store.keys(f".pulumi/history/{project}/{stack}/") if k.endswith(".checkpoint.json")]
    for copy in (f"{key}.bak", *reversed(kept)):
        stored = store.read(copy)
        if stored is None or not _whole(stored.body):
            continue
        bring = f"cp {shlex.quote(f'{store.place}/{copy}')} {shlex.quote(f'{store.place}/{key}')}"
        if copy.endswith(".bak"):
            return _VERSION_BACK.format(bring)
        return (
            f"the copy before it {_without(store, key)}. Bring back what it was after the last update that ended: "
            f"`{bring}`, then `amplify-delivery adopt {stack} --state-lost`, which takes in what was made since; then "
            "repeat the command"
        )
    there = [key] if store.read(key) is not None else []
    names = " ".join(shlex.quote(f"{store.place}/{part}") for part in (*there, f".pulumi/history/{project}/{stack}"))
    away = shlex.quote(f"{store.place}/cut-off-{stack}")
    return (
        f"no whole copy of it is left. Move away what tells of it: `mkdir {away} && mv {names} {away}`, then "
        f"`amplify-delivery adopt {stack} --state-lost` takes in what runs; if nothing does, `amplify-delivery up "
        f"{stack} --create`"
    )


def _without(store: Store, key: str) -> str:
    return "is cut off, too" if store.read(f"{key}.bak") else "is gone, too"


def lost(store: Store | None, project: str, stack: str) -> StateError | None:
    """A state that was there, and is not; None if there never was one, or the stack was removed.

    The engine keeps the history of a stack's updates beside it, and takes it away with the stack.
    """
    if store is None or not store.keys(f".pulumi/history/{project}/{stack}/"):
        return None
    key = _key(project, stack)
    back = f"Bring the state back: `{_back(store, key, 0)}`, then repeat the command"
    if store.local and store.read(f"{key}.bak") is None:
        # An engine that is told to keep no copies (`PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS`) has none.
        found = _whole_copy(store, project, stack)
        back = found[0].upper() + found[1:]
    return StateError(
        f"its state is lost: the stack was updated before, and {store.place}/{key} is not there any more",
        where=stack,
        remedy=f"do not make the stack again: what runs would be nobody's. {back}. Only where no version of it is "
        'left: docs/operations.md, "The state is gone"',
    )


def _key(project: str, stack: str) -> str:
    return f".pulumi/stacks/{project}/{stack}.json"


def _back(store: Store, key: str, number: int) -> str:
    """The command that brings an object's version back: 0 is the newest that is no deletion, 1 the one before."""
    if store.local:
        file = shlex.quote(f"{store.place}/{key}")
        return f"cp {shlex.quote(f'{store.place}/{key}.bak')} {file}"
    bucket, _, prefix = store.place.removeprefix("s3://").partition("/")
    whole = f"{prefix}/{key}" if prefix else key
    query = f"Versions[?Key=='{whole}'] | [{number}].VersionId"
    # Not page by page: of more than a thousand versions each page would give one.
    listing = f"aws s3api list-object-versions --no-paginate --bucket {bucket} --prefix {whole}"
    version = f'"$({listing} --query "{query}" --output text)"'
    return f"aws s3api copy-object --bucket {bucket} --key {whole} --copy-source {bucket}/{whole}?versionId={version}"


def cut_off(store: Store, project: str, stack: str) -> dict[str, str]:
    """Files `NAME.attrs` of the stack, and of the whole state, that are cut off: the tag by key. Raises `StateError` as
    the store does.

    The engine's library keeps one beside each file of a state in a folder. They hold a content type and a hash, and the
    library does without one that is missing. It writes them in place, though (`blob/fileblob/attrs.go` of
    gocloud.dev), and the file itself after it: a run that is killed in between leaves an empty one, and the state
    beside it is whole, but every command of Pulumi ends with "EOF". A bucket has no such files.
    """
    if not store.local:
        return {}
    own = _key(project, stack)
    history = sorted(key for key in store.keys(f".pulumi/history/{project}/{stack}/") if key.endswith(".attrs"))
    keys = [".pulumi/meta.yaml.attrs", f"{own}.attrs", f"{own}.bak.attrs", *history[-_NEWEST:]]
    found = {key: store.read(key) for key in keys}
    return {key: stored.tag for key, stored in found.items() if stored is not None and not _whole(stored.body)}


def remove_cut_off(store: Store, project: str, stack: str) -> list[str]:
    """Remove them; which ones. Harmless at any time: whoever writes one at this moment has it open, and the file
    beside it does without."""
    found = cut_off(store, project, stack)
    return [key for key, tag in found.items() if store.remove(key, tag)]


def _whole(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
