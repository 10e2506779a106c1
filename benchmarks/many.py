"""Measure five hundred environments: their accounts, asked by `bootstrap` while AWS throttles, and their pipelines."""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse

from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.delivery.bootstrap import bootstrapping
from amplify_delivery.delivery.bootstrap.account_stacks import AccountStack, account_stacks
from amplify_delivery.delivery.context import Context
from amplify_delivery.export import assemble, read_export
from amplify_delivery.stacks.config import Project
from benchmarks import projects
from benchmarks.exports import small

ENVIRONMENTS = 500
THROTTLED = 0.1
"""Of all calls."""
PARALLEL = 16
MOST_SECONDS, MOST_MEBIBYTES = 60, 1024
PER_PIPELINE = 90
"""Environments of a pipeline; six follow one another."""
VERSION = 1
"""Of every parameter: the one that is written last names that of the one that is written first."""
Row = tuple[str, str, str]


class ThrottlingAws:
    """AWS's answers to what an unchanged account is asked, below botocore's retries: every tenth is a throttling.

    It takes the place of botocore's HTTP session, so that signing, parsing, retries and pauses are botocore's own.
    """

    def __init__(self, values: dict[str, str], seed: int = 7) -> None:
        self._values, self._random = values, random.Random(seed)  # noqa: S311 - nothing secret
        self.calls: Counter[str] = Counter()
        self.throttled = 0

    def send(self, request: Any) -> AWSResponse:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        is_sts = "sts." in request.url
        self.calls["GetCallerIdentity" if is_sts else "GetParameters"] += 1
        if self._random.random() < THROTTLED:
            self.throttled += 1
            return self._throttled(request.url, xml=is_sts)
        return self._identity(request) if is_sts else self._parameters(request.url, body)

    def _throttled(self, url: str, *, xml: bool) -> AWSResponse:
        if xml:
            text = (
                "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
            )
            return _answer(url, 400, text)
        return _answer(url, 400, '{"__type": "ThrottlingException", "message": "Rate exceeded"}')

    def _identity(self, request: Any) -> AWSResponse:
        # The account is told by the access key, as the profiles below have it.
        credential = (
            request.headers["Authorization"].decode()
            if isinstance(request.headers["Authorization"], bytes)
            else request.headers["Authorization"]
        )
        account = credential.partition("Credential=AKIA")[2][:12]
        inner = f"<Arn>arn:aws:iam::{account}:user/admin</Arn><UserId>A</UserId><Account>{account}</Account>"
        text = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<GetCallerIdentityResult>{inner}</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        return _answer(request.url, 200, text)

    def _parameters(self, url: str, body: str) -> AWSResponse:
        import json  # noqa: PLC0415

        found = [{"Name": name, "Value": self._values[name], "Version": VERSION} for name in json.loads(body)["Names"]]
        return _answer(url, 200, json.dumps({"Parameters": found, "InvalidParameters": []}))


class _Raw:
    def __init__(self, text: str) -> None:
        self._content = text.encode()

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def _answer(url: str, status: int, text: str) -> AWSResponse:
    return AWSResponse(url, status, {"x-amzn-RequestId": "r"}, _Raw(text))


def accounts(work: Path) -> Iterator[Row]:
    """`bootstrap --all` of 500 unchanged accounts while every tenth call is throttled; a sample of engine runs is not
    part of it: on two cores 500 of them take hours, here and there alike."""
    directory, stacks, context = _project(work)
    made, before = _stamped(directory, stacks, context), time.monotonic()
    aws = ThrottlingAws(made)
    with _throttling(aws):
        done = bootstrapping.bootstrap(stacks, context, lambda _: None, parallel=PARALLEL)
    seconds = time.monotonic() - before
    unchanged = sum(one.changes is None for one in done.stacks.values())
    served = aws.calls.total() - aws.throttled
    yield (
        f"`bootstrap --all` of {ENVIRONMENTS} unchanged accounts, {THROTTLED:.0%} of all calls throttled",
        "0 failures, at most 3 calls each",
        f"{len(done.failed)} failures, {unchanged} unchanged, {served / ENVIRONMENTS:.1f} calls each answered, "
        f"{aws.throttled} throttled and tried again, {seconds:.1f} s, {PARALLEL} at the same time",
    )


def _project(work: Path) -> tuple[Path, tuple[AccountStack, ...], Context]:
    export = small("full")
    app = assemble(read_export(export)).project
    directory = work / "many"
    if not directory.exists():
        projects.make(directory, app, ENVIRONMENTS)
        shutil.copytree(export, directory / export.name)
        for number in range(ENVIRONMENTS):
            name = projects.name_of(number)
            account = directory / f"Pulumi.{name}-account.yaml"
            account.write_text(account.read_text() + f"  {app}:profile: {name}\n")
            environment = directory / f"Pulumi.{name}.yaml"
            state = EnvironmentNames(app, projects.account_of(number), projects.REGION, name).secrets_provider
            environment.write_text(f"secretsprovider: {state}\nencryptedkey: e\n{environment.read_text()}")
        profiles = (
            f"[{projects.name_of(n)}]\naws_access_key_id = AKIA{projects.account_of(n)}\naws_secret_access_key = s\n"
            for n in range(ENVIRONMENTS)
        )
        (work / "credentials").write_text("".join(profiles))
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(work / "credentials")
    os.environ["AWS_CONFIG_FILE"] = str(work / "no-config")
    context = Context(directory, {"CI": "true"})
    names = [projects.name_of(number) for number in range(ENVIRONMENTS)]
    return directory, account_stacks(Project(directory), names), context


def _stamped(directory: Path, stacks: tuple[AccountStack, ...], context: Context) -> dict[str, str]:
    """The parameters of accounts in which everything is as it should be."""
    from amplify_delivery.delivery.bootstrap.progress import Progress  # noqa: PLC0415

    one = bootstrapping.StackUpdater(context, Progress(1, sys.stderr, plain=True), refresh=False, alone=True)
    app, found = Project(directory).app, dict[str, str]()
    for stack in stacks:
        digest = one._digest(stack)
        for environment in stack.environments:
            names = EnvironmentNames(app, environment.account, environment.region, environment.environment)
            found |= {names.digest_parameter: digest, names.done_parameter: f"{digest}:{VERSION}"}
    return found


@contextmanager
def _throttling(aws: ThrottlingAws) -> Iterator[None]:
    with patch("botocore.httpsession.URLLib3Session.send", lambda _, request: aws.send(request)):
        yield


_DECLARING = """
import sys
from pathlib import Path
from benchmarks.many import declared
print(declared(Path(sys.argv[1])))
"""


def pipelines(work: Path) -> Iterator[Row]:
    """The pipelines of 500 environments, declared as their programs declare them, in one process after the other."""
    directory, _, _ = _project(work)
    _chain(directory)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _DECLARING, str(directory)], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    seconds = time.monotonic() - began
    number, mebibytes = done.stdout.split()
    yield (
        f"{ENVIRONMENTS} environments declared, in {number} pipelines that follow one another",
        f"at most {MOST_SECONDS} s, {MOST_MEBIBYTES} MiB",
        f"{seconds:.1f} s, {float(mebibytes):.0f} MiB",
    )


def _chain(directory: Path) -> None:
    """The waves of the one pipeline as pipelines that follow one another."""
    import yaml  # noqa: PLC0415

    file = directory / f"Pulumi.{projects.PIPELINE}.yaml"
    content = yaml.safe_load(file.read_text())["config"]
    app = next(iter(content)).partition(":")[0]
    stages, per = content[f"{app}:stages"], PER_PIPELINE // projects.WAVE
    before = None
    for number, at in enumerate(range(0, len(stages), per)):
        name = projects.PIPELINE if before is None else f"{projects.PIPELINE}{number + 1}"
        own = {**content, f"{app}:stages": stages[at : at + per]}
        if before:
            own[f"{app}:source"] = {"type": "pipeline", "pipeline": before}
            for environment in (e for stage in stages[at : at + per] for e in stage["environments"]):
                account = directory / f"Pulumi.{environment}-account.yaml"
                account.write_text(f"{account.read_text()}  {app}:pipeline: {name}\n")
        (directory / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": own}, sort_keys=False))
        before = name


def declared(directory: Path) -> str:
    """Declare all pipelines; how many, and the memory that it took, in MiB."""
    from amplify_delivery.components.documents.pipeline.definition import pipeline_properties  # noqa: PLC0415
    from amplify_delivery.components.documents.pipeline.pipeline_documents import pipeline_documents  # noqa: PLC0415
    from amplify_delivery.stacks.model import pipeline_model  # noqa: PLC0415
    from benchmarks.pipelines import check_pipeline, with_stores  # noqa: PLC0415

    project = Project(directory).once()
    names = project.stacks("pipeline")
    for name in names:
        model = with_stores(pipeline_model(project, project.app, name, project.pipeline(name)))
        check_pipeline(model, pipeline_properties(model), pipeline_documents(model))
    return f"{len(names)} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"


def five_hundred(work: Path) -> Iterator[Row]:
    """All of it."""
    yield from accounts(work)
    yield from pipelines(work)
