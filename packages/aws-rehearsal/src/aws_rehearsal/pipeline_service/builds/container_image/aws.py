"""`aws` as Amplify's buildspec uses it: `aws --version` and `aws ecr get-login-password`."""

from __future__ import annotations

import argparse
import base64
import sys


def main() -> None:
    """Print a version, or the password of Amazon ECR's authorization token."""
    parser = argparse.ArgumentParser(prog="aws")
    parser.add_argument("--version", action="version", version="aws-cli/2 (played by the rehearsal)")
    parser.add_argument("--region")
    parser.add_argument("service", choices=["ecr"])
    parser.add_argument("operation", choices=["get-login-password"])
    arguments = parser.parse_args()
    import boto3  # noqa: PLC0415 - a third of a second, which `--version` need not wait for

    ecr = boto3.client("ecr", region_name=arguments.region)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    sys.stdout.write(base64.b64decode(token).decode().partition(":")[2] + "\n")


if __name__ == "__main__":
    main()
