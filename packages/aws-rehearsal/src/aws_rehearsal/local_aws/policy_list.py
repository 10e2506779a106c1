"""Which managed policies AWS has, by path and name (`service-role/AWSLambdaRole`), and the making of the list.

What `aws iam list-policies --scope AWS` answers, as moto carries it (`moto/iam/aws_managed_policies.py`, Apache-2.0).
`policy_list.json` is written again from another version, because AWS adds to them and retires some:

    pip download --no-deps moto==VERSION && unzip moto-VERSION-*.whl moto/iam/aws_managed_policies.py
    python -m aws_rehearsal.local_aws.policy_list moto-VERSION-*.whl moto/iam/aws_managed_policies.py
"""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

LIST = Path(__file__).with_name("policy_list.json")
SERVICE_LINKED = "aws-service-role/"
"""The path of policies that nobody but AWS attaches, to the roles of its services."""


@functools.cache
def names() -> frozenset[str]:
    """All of them."""
    found: list[str] = json.loads(LIST.read_text(encoding="utf-8"))["policies"]
    return frozenset(found)


def main(wheel: Path, module: Path) -> None:
    """Write the list from moto's `module`, which is of the release `wheel`."""
    _, text, _ = module.read_text(encoding="utf-8").split('"""')
    policies: dict[str, Any] = json.loads(text)
    content = {
        "package": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "policies": sorted(f"{policy['Path'].removeprefix('/')}{name}" for name, policy in policies.items()),
    }
    LIST.write_text(json.dumps(content, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
