"""One of an environment's four projects, started and followed to its end."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.account.storage import ARTIFACTS_DAYS
from amplify_delivery.components.documents.naming import ARTIFACTS_PREFIX, CHECK, DEPLOY, EnvironmentNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import REFUSED, DeployError, FailedError, RefusedError
from amplify_delivery.publishing.aws_errors import conditionally

_SHORTEST, _LONGEST = 1.0, 10.0
"""Seconds between two questions: more and more, since a build may take hours."""
_COMMIT = ("COMMIT_ID", "GITHUB_SHA", "CI_COMMIT_SHA")
_RUN = ("EXECUTION_ID", "GITHUB_RUN_ID", "CI_PIPELINE_ID")
_STATUS = re.compile(r"exit status (\d+)")


@dataclass(frozen=True)
class Wanted:
    """What is started: a project, the artifact that it works with, and what it is told."""

    project: str
    digest: str
    plan: str = ""
    step: str = ""


@dataclass(frozen=True)
class Ended:
    """A build that has succeeded."""

    id: str
    link: str
    exported: Mapping[str, str]


def artifact_key(digest: str) -> str:
    """Where an artifact lies in the staging bucket."""
    return f"{ARTIFACTS_PREFIX}{digest}.zip"


def put(account: Account, names: EnvironmentNames, digest: str, content: bytes) -> bool:
    """Put an artifact where the projects read it; whether it was not there yet. Raises `RefusedError`."""
    s3, key = account.client("s3"), artifact_key(digest)
    with account.asking(f"putting the artifact {digest[:12]} into {names.staging_bucket}"):
        answer = conditionally(
            lambda: s3.put_object(
                Bucket=names.staging_bucket,
                Key=key,
                Body=content,
                IfNoneMatch="*",
                ContentType="application/zip",
                ExpectedBucketOwner=names.account,
            )
        )
    return answer is not None


def start(account: Account, names: EnvironmentNames, wanted: Wanted, variables: Mapping[str, str]) -> str:
    """Start a build; its id. Raises `RefusedError`."""
    given = {
        "ARTIFACT_DIGEST": wanted.digest,
        "COMMIT_ID": _first(_COMMIT, variables),
        "EXECUTION_ID": _first(_RUN, variables),
        "PLAN_DIGEST": wanted.plan,
        "STEP_NAME": wanted.step,
    }
    project = names.project(wanted.project)
    with account.asking(f"starting {project}"):
        build = account.client("codebuild").start_build(
            projectName=project,
            sourceTypeOverride="S3",
            sourceLocationOverride=f"{names.staging_bucket}/{artifact_key(wanted.digest)}",
            artifactsOverride={"type": "NO_ARTIFACTS"},
            environmentVariablesOverride=[{"name": n, "value": v, "type": "PLAINTEXT"} for n, v in given.items() if v],
        )["build"]
    return str(build["id"])


def follow(
    account: Account,
    wanted: Wanted,
    build_id: str,
    line: Callable[[str], None],
    pause: Callable[[float], None] = time.sleep,
) -> Ended:
    """Wait for a build's end. Raises `RefusedError` if it has changed nothing, `FailedError` if it may have."""
    client, phase, seconds = account.client("codebuild"), "", _SHORTEST
    while True:
        with account.changing(f"asking for the build {build_id}", _GOES_ON):
            build: dict[str, Any] = client.batch_get_builds(ids=[build_id])["builds"][0]
        if build.get("currentPhase") != phase:
            phase = str(build.get("currentPhase"))
            line(f"{build['projectName']}: {phase.lower().replace('_', ' ')}")
        if build["buildComplete"]:
            break
        try:
            pause(seconds)
        except KeyboardInterrupt:
            line(f"{build_id}: goes on in the account; a cancelled job cancels nothing there")
            raise
        seconds = min(seconds * 1.5, _LONGEST)
    link = str((build.get("logs") or {}).get("deepLink") or "")
    if build["buildStatus"] != "SUCCEEDED":
        raise _failed(wanted, build, link)
    exported = {v["name"]: v["value"] for v in build.get("exportedEnvironmentVariables") or ()}
    return Ended(build_id, link, exported)


_BEFORE_COMMANDS = frozenset({"SUBMITTED", "QUEUED", "PROVISIONING", "DOWNLOAD_SOURCE"})
"""Phases of a build in which no command of its buildspec has run ("View build details in AWS CodeBuild")."""


def _failed_phase(build: Mapping[str, Any]) -> str:
    """The first phase that has failed."""
    failed = (p for p in build.get("phases") or () if p.get("phaseStatus") not in (None, "", "SUCCEEDED"))
    return str(next((p.get("phaseType") for p in failed), ""))


_GOES_ON = {"AccessDeniedException": "the build goes on; look at it in the account"}


def _failed(wanted: Wanted, build: Mapping[str, Any], link: str) -> DeployError:
    """In words, by the phase that has failed. A command that refused has ended with 3."""
    messages = [
        str(context.get("message") or "")
        for phase in build.get("phases") or ()
        if phase.get("phaseStatus") not in (None, "", "SUCCEEDED")
        for context in phase.get("contexts") or ()
    ]
    said = next((m for m in reversed(messages) if m), "")
    status = _STATUS.search(said)
    if _failed_phase(build) in _BEFORE_COMMANDS:
        return RefusedError(
            f"the build {build['id']} did not begin: {said.splitlines()[0][:300] if said else build['buildStatus']}",
            where=str(build["projectName"]),
            remedy=f"nothing was changed. An artifact goes {ARTIFACTS_DAYS} days after it was put, whoever waited for "
            "an approval meanwhile: run the job that plans again, which puts it, and approve that; by hand "
            "`amplify-delivery start ENV publish --artifact FILE` puts it into each environment's account. Else "
            f"{link} tells why",
        )
    acts = wanted.project in (DEPLOY, CHECK)
    refused = (status is not None and int(status[1]) == REFUSED) or not acts
    kind = RefusedError if refused else FailedError
    reason = f"exit status {status[1]}" if status else said.splitlines()[0][:300] if said else ""
    return kind(
        f"the build {build['id']} has ended with {build['buildStatus']}" + (f": {reason}" if reason else ""),
        where=str(build["projectName"]),
        remedy=f"its log tells why: {link}" + ("; nothing was changed" if refused else ""),
    )


def _first(names: tuple[str, ...], variables: Mapping[str, str]) -> str:
    return next((variables[name] for name in names if variables.get(name)), "")
