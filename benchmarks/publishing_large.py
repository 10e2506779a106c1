"""Measure publishing the large export to a staging bucket of the local AWS: requests, concurrency, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.assembling import ABSENT
from benchmarks.exports import PROJECT, large, small

REGION = "us-east-1"
BUCKET = "benchmark-staging"


def publish(work: Path) -> Iterator[tuple[str, str, str]]:
    """First and second publish of `large`, and the memory beside the one of a small export."""
    from amplify_delivery_rehearsal.accounts import DEVELOPER  # noqa: PLC0415
    from aws_rehearsal.local_aws import LocalAws  # noqa: PLC0415

    export = large("large", work)
    if export is None:
        yield "publish `large` to the local AWS", "20 in flight; again: no PUT", ABSENT
        return
    with LocalAws() as aws:
        admin = aws.make_admin(DEVELOPER)
        aws.client("s3", admin, REGION).create_bucket(Bucket=BUCKET)
        env = {**os.environ, **aws.environment(admin, REGION)}
        first = _publish(export, env, DEVELOPER)
        yield (
            "publish `large`, first time",
            "20 or more in flight",
            f"{first['in_flight']} in flight, {first['seconds']:.2f} s, {first['requests']}",
        )
        again = _publish(export, env, DEVELOPER)
        keys = first["requests"].get("PutObject", 0)
        yield (
            "publish `large`, again",
            f"no PUT, {-(-keys // 1000)} LIST, 1 STS call, {keys} HEAD",
            f"{again['seconds']:.2f} s, {again['requests']}",
        )
        aws.client("s3", admin, REGION).create_bucket(Bucket=f"{BUCKET}-small")
        little = _publish(small("todo"), env, DEVELOPER, f"{BUCKET}-small")
        yield (
            "memory of a first publish: `large` / `todo`",
            "independent of the number of objects",
            f"{first['mebibytes']:.0f} / {little['mebibytes']:.0f} MiB",
        )


def _publish(export: Path, env: dict[str, str], account: str, bucket: str = BUCKET) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.publishing_large", str(export), account, bucket]
    done = subprocess.run(command, cwd=PROJECT, env=env, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measured(export: Path, account: str, bucket: str) -> None:
    """Publish in this process and print what it took. Lint results are kept, so they are not part of it."""
    import resource  # noqa: PLC0415
    import time  # noqa: PLC0415

    from amplify_delivery.export import (  # noqa: PLC0415
        EnvironmentValues,
        assemble,
        read_export,
        render_root,
    )
    from amplify_delivery.publishing import Deployment, PublishTarget, examine, publish, upload  # noqa: PLC0415

    assembly = assemble(read_export(export))
    root = render_root(assembly, EnvironmentValues("dev", 2_000_000_000), bucket)
    extra = [(root.object, root.body)]
    examine(assembly, {"": Deployment(extra, bucket, REGION)})
    in_flight, most, lock = 0, 0, threading.Lock()
    put = upload._Connection.put

    def counted(self: object, *args: object) -> bool:
        nonlocal in_flight, most
        with lock:
            in_flight += 1
            most = max(most, in_flight)
        try:
            return put(self, *args)  # type: ignore[arg-type]
        finally:
            with lock:
                in_flight -= 1

    upload._Connection.put = counted  # type: ignore[method-assign, assignment]
    start = time.perf_counter()
    report = publish(assembly, extra, PublishTarget(bucket, account, REGION))
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - start,
                "in_flight": most,
                "requests": dict(report.requests),
                "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    measured(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
