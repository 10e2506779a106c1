"""`python -m amplify_delivery_rehearsal.conformance PLUGIN`: does the plugin what the stand-in does? Type by type."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from amplify_delivery.errors import SetupError
from amplify_delivery_rehearsal.conformance.compare import Result, compare
from amplify_delivery_rehearsal.conformance.plugin import Plugin
from amplify_delivery_rehearsal.conformance.proxy import Proxy
from aws_rehearsal.local_aws import LocalAws
from aws_rehearsal.local_aws.credentials import without_aws
from aws_rehearsal.providers.classic.provider import ClassicProvider
from aws_rehearsal.providers.config import ProviderConfig
from aws_rehearsal.providers.errors import ProviderError
from aws_rehearsal.providers.session import AwsSession

REGION = "eu-central-1"


class StandIn:
    """The stand-in, asked in this process. It is asked for nothing but answers: no call of it reaches AWS."""

    def __init__(self) -> None:
        self._provider = ClassicProvider("0.0.0")
        self._provider._session = AwsSession(ProviderConfig({"region": REGION}))

    def call(self, name: str, request: Any) -> Any:
        """Raises ProviderError."""
        return getattr(self._provider, name)(request, _Context())


class _Context:
    """As much of a gRPC context as a servicer uses."""

    def set_trailing_metadata(self, metadata: Any) -> None:
        del metadata

    def abort(self, code: Any, message: str) -> None:
        raise ProviderError(f"{code.name}: {message}")


def main(arguments: list[str] | None = None) -> int:
    args = _arguments(arguments)
    if not args.plugin.is_file() or not os.access(args.plugin, os.X_OK):
        raise SetupError(
            "is not a program", where=str(args.plugin),
            remedy="give the plugin's binary: `pulumi plugin install resource aws VERSION` puts it into "
            "~/.pulumi/plugins/resource-aws-vVERSION/pulumi-resource-aws",
        )  # fmt: skip
    found = []
    with LocalAws() as aws, Proxy(aws.port or 0) as proxy:

        def connect(account: str) -> Plugin:
            own = aws.environment(aws.make_admin(account), REGION) | {"AWS_ENDPOINT_URL": proxy.endpoint}
            environment = {**without_aws(dict(os.environ)), **own}
            settings = {"region": REGION, "s3UsePathStyle": "true", "skipMetadataApiCheck": "true"}
            return Plugin(args.plugin.resolve(), environment, settings)

        for result in compare(connect, StandIn(), proxy, frozenset(args.only)):
            found.append(result)
            print(f"{'differs' if result.differences else 'same   '}  {result.token}", flush=True)
            for line in result.differences:
                print(f"         {line}", flush=True)
    if args.write:
        args.write.write_text(_text(found), encoding="utf-8")
    differing = sum(bool(result.differences) for result in found)
    print(f"{len(found)} types, {differing} differ")
    return 1 if differing or not found else 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m amplify_delivery_rehearsal.conformance", description=__doc__)
    parser.add_argument("plugin", type=Path, metavar="PLUGIN", help="the binary pulumi-resource-aws")
    parser.add_argument("--only", action="append", default=[], metavar="TYPE", help="of this type; may be repeated")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the calls by type and operation, as JSON")
    return parser.parse_args(arguments)


def _text(found: list[Result]) -> str:
    return json.dumps({result.token: result.calls for result in found}, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (SetupError, ProviderError) as error:
        sys.exit(str(error))
