"""`amplify-delivery setup`: where the tooling account keeps the engine's state: a bucket and a key, as one small stack.

`--remove` takes all of it away, once no Pulumi stack's state is in the bucket any more.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable

from amplify_delivery.components.documents import fields
from amplify_delivery.components.documents.account.storage import KEY_DAYS
from amplify_delivery.components.documents.naming import PipelineNames
from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.pipeline import state_stack
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import Project

ABOUT = About(
    needs="AWS",
    text="""
Creates or updates the stack `APP-tooling-state`: a bucket for Pulumi's state (versioned, TLS only, closed to the
public, earlier states expire after 90 days; its name is in the account-regional namespace,
`APP-tooling-state-ACCOUNT-REGION-an`) and a KMS key with rotation and an alias. Bucket and key outlive the stack.
Running it again changes nothing. Credentials of another account are refused.

On stdout are the two lines to paste, and nothing else: the first for everybody who works with the tooling account's
stacks, the second once per stack, with the stack's name (of the project's pipeline, if there is just one). The second
one's `pulumi stack init` writes `secretsprovider` and `encryptedkey` into the stack file: commit it, and leave
PULUMI_CONFIG_PASSPHRASE unset.

`--remove` deletes all of it, in spite of the stack's termination protection: the bucket with everything in it, the
key in 30 days. It is refused while the state of any Pulumi stack lies there. It can be repeated.
""",
    examples=(
        ("amplify-delivery setup --account 123456789012 --region eu-west-1", "once, in the tooling account"),
        (
            "amplify-delivery setup --account 123456789012 --region eu-west-1 --remove",
            "when no stack's state is there any more",
        ),
    ),
    changes="the stack, its bucket or its key",
    pages=("pipeline",),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--account", required=True, metavar="ACCOUNT", help="the tooling account, 12 digits")
    parser.add_argument("--region", required=True, metavar="REGION", help="where the pipeline runs, as in eu-west-1")
    parser.add_argument("--profile", metavar="NAME", help="profile of the AWS configuration to use")
    parser.add_argument(
        "--remove",
        action="store_true",
        help="remove stack, bucket and key; refused while the state of a Pulumi stack lies there",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    project = context.project
    names = PipelineNames(project.app, _checked(fields.account, args.account), _checked(fields.region, args.region))
    pipeline = _pipeline(project)
    tooling = Account(args.account, args.region, args.profile)
    stack = f"{names.app}-tooling-state"
    if args.remove:
        key = state_stack.remove(tooling, stack, names)
        _say_removed(stack, names.state_bucket, key, as_json=args.json)
        return 0
    change = state_stack.deploy(tooling, stack, names)
    backend, secrets = names.state_backend, names.secrets_provider
    if args.json:
        output.document({"stack": stack, "change": change, "backend": backend, "secretsProvider": secrets})
        return 0
    output.progress(f"stack {stack}: {change}")
    # Quoted: `?` is a shell's pattern. A shell gets just these lines, whatever it is started with.
    print(f"export PULUMI_BACKEND_URL={shlex.quote(backend)}")
    print(f"pulumi stack init {pipeline} --secrets-provider={shlex.quote(secrets)}")
    return 0


def _checked(check: Callable[[str], str], value: str) -> str:
    """An argument's value. Raises `ConfigError` for one that a stack file would be refused for."""
    try:
        return check(value)
    except fields.BadValueError as error:
        raise ConfigError(str(error), where=f"--{check.__name__}", remedy=error.remedy) from None


def _pipeline(project: Project) -> str:
    """The stack that the state is made for: the project's only pipeline, else the one that docs speak of."""
    stacks = project.stacks("pipeline")
    return stacks[0] if len(stacks) == 1 else "pipeline"


def _say_removed(stack: str, bucket: str, key: str | None, *, as_json: bool) -> None:
    if as_json:
        output.document({"stack": stack, "change": "removed", "bucket": bucket, "key": key})
        return
    print(f"stack {stack} and bucket {bucket}: removed")
    if key:
        print(f"key {key}: scheduled for deletion, in {KEY_DAYS} days; until then `aws kms cancel-key-deletion`")
