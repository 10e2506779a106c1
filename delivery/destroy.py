"""`delivery destroy STACK`: delete an environment; refuses while data would be lost, unless it is told to.

An account's or a pipeline's stack is taken down by `dismantle`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from amplify_export.errors import ConfigError, DeployError
from changes.stateful import BUCKET
from delivery import emptying, output, stack_files
from delivery.account import Account
from delivery.engine import ROOT_STACK, Engine
from delivery.stateful import Held, in_stack, in_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stack", metavar="STACK", help="name of the Pulumi stack: of an environment, account, pipeline")
    parser.add_argument(
        "--delete-data",
        action="store_true",
        help="destroy what cannot be made again, with its data: tables, user pools and buckets of an environment; "
        "state, key, audit log and images of an account",
    )
    parser.add_argument(
        "--region", metavar="REGION", help="of a pipeline only the artifact store of a region that it left"
    )


def run(args: argparse.Namespace) -> int:
    program = stack_files.program(args.stack)
    if args.region and program != "pipeline":
        raise ConfigError(
            "--region is for a pipeline's artifact stores", where=args.stack, remedy="leave it out, or name a pipeline"
        )
    if program != "backend":
        from delivery import dismantle  # noqa: PLC0415 - an environment does without

        return dismantle.run(args, program)
    config = stack_files.load(args.stack)
    engine = Engine(args.stack, Path.cwd(), output.progress if args.json else print)
    resources = engine.resources()
    held = list(in_state(resources))
    account = Account.of(config)
    roots = [str(r["id"]) for r in resources if r.get("type") == ROOT_STACK and r.get("id")]
    for root in roots:
        held += stack_holds(account, root)
    lost = sorted(h for h in held if not h.kept)
    if lost and not args.delete_data:
        raise DeployError(
            f"this would delete data:\n{_listed(lost)}",
            where=args.stack,
            remedy=f"nothing was changed; to delete it all, `python -m delivery destroy {args.stack} --delete-data`",
        )
    buckets = [h.physical_id for h in lost if h.type == BUCKET]
    if buckets:
        engine.refresh()  # takes the engine's lock: whoever holds it is met before anything is emptied
        for root in roots:
            stack_holds(account, root)  # the refresh took its time
    for bucket in buckets:
        emptying.bucket(account, bucket)
    changes = engine.destroy().changes
    check_gone(account, roots)
    kept = still_there(account, (h for h in held if h.kept))
    if args.json:
        document = {
            "environment": args.stack,
            "changes": changes,
            "deleted": [h.to_json() for h in lost],
            "kept": [h.to_json() for h in kept],
        }
        output.document(document)
        return 0
    print(f"{args.stack}: {output.counted(changes.get('delete', 0), 'resource')} deleted")
    if kept:
        print("\nKept, as their templates say (DeletionPolicy). A new environment of this name needs their names:")
        output.table(
            ("resource", "physical id", "to remove it"), [(h.path, h.physical_id, _removal(h, config)) for h in kept]
        )
    return 0


def _listed(held: Iterable[Held]) -> str:
    return "\n".join(f"  {h.path} ({h.type}, {h.data}): {h.physical_id}" for h in held)


def _removal(held: Held, config: Any) -> str:
    if held.type != BUCKET:
        return "in the AWS console"
    profile = f" --profile {config.profile}" if config.profile else ""
    return f"aws s3 rb s3://{held.physical_id} --force --region {config.region}{profile}"


def stack_holds(account: Account, stack: str) -> list[Held]:
    """What a root stack holds; nothing when the stack is gone.

    Refuses a stack that is termination-protected or that an operation changes: the provider would report
    success, and the engine would forget a stack that is still there (pulumi-aws issue 6422).
    """
    found = _standing(account, stack)
    if found is None:
        return []
    status = str(found["StackStatus"])
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise DeployError(
            f"its state is {status}: CloudFormation would refuse to delete it",
            where=found["StackName"],
            remedy="wait until that has ended, then run this again",
        )
    if found.get("EnableTerminationProtection"):
        raise DeployError(
            "the stack is protected against termination",
            where=found["StackName"],
            remedy="if it shall go: `aws cloudformation update-termination-protection "
            f"--no-enable-termination-protection --stack-name {found['StackName']} --region {account.region}`",
        )
    try:
        return list(in_stack(account.client("cloudformation"), stack))
    except (BotoCoreError, ClientError) as error:
        raise account.refused(error, f"listing what stack {found['StackName']} holds") from None


def check_gone(account: Account, stacks: Iterable[str]) -> None:
    """Raise `DeployError` for a root stack that lives on after the engine has destroyed it: the provider takes a
    DeleteStack that was refused for success."""
    for stack in stacks:
        found = _standing(account, stack)
        if found is not None:
            raise DeployError(
                f"the stack is still there, in state {found['StackStatus']}, and the engine has forgotten it",
                where=f"{found['StackName']} (account {account.account}, {account.region})",
                remedy="wait until no operation changes it, then `aws cloudformation delete-stack --stack-name "
                f"{found['StackName']} --region {account.region}`",
            )


def _standing(account: Account, stack: str) -> dict[str, Any] | None:
    """CloudFormation's description of a stack; None when it is gone."""
    try:
        found: dict[str, Any] = account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise account.refused(error, f"describing stack {stack}") from None
    except BotoCoreError as error:
        raise account.refused(error, f"describing stack {stack}") from None
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def still_there(account: Account, held: Iterable[Held]) -> list[Held]:
    """Those that are there; of anything but buckets it is taken for granted."""
    s3 = account.client("s3")
    return sorted(h for h in held if h.type != BUCKET or _exists(account, s3, h.physical_id))


def _exists(account: Account, s3: Any, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account.account)
    except ClientError as error:
        return str(error.response["Error"]["Code"]) not in ("404", "NoSuchBucket")
    except BotoCoreError:
        return True
    return True
