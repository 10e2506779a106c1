"""Runs inside the local AWS's own environment: its IAM evaluator answers a batch of cases from standard input.

One correction: it takes the caller's account for `aws:ResourceAccount` where an ARN names none, as a bucket's does.
Here the case says whose the resource is.
"""

import json
import sys
from typing import Any


def answer(case: dict[str, Any]) -> bool:
    from ministack.core import iam_evaluator as iam

    resolve = iam._resolve_condition_key
    owner = case["context"].get("aws:ResourceAccount", None if case["resource"] == "*" else case["owner"])

    def resolve_with_owner(key: str, ctx: Any) -> Any:
        return owner if key.lower() == "aws:resourceaccount" else resolve(key, ctx)

    iam._resolve_condition_key = resolve_with_owner
    try:
        return _decide(iam, case)
    finally:
        iam._resolve_condition_key = resolve


def _decide(iam: Any, case: dict[str, Any]) -> bool:
    context = {key.lower(): value for key, value in case["context"].items()}
    ctx = iam.EvalContext(
        principal_arn=case["principal"],
        principal_type="AssumedRole",
        principal_account=case["principal"].split(":")[4],
        action=case["action"],
        resource_arn=case["resource"],
        region=context.pop("aws:requestedregion", ""),
        source_ip="127.0.0.1",
        secure_transport=context.pop("aws:securetransport", "true") == "true",
        service_context=context,
    )
    policies = [iam.parse_policy_document(policy) for policy in case["policies"]]
    limits = [[iam.parse_policy_document(case["boundary"])]] if case["boundary"] else []
    identity = iam.evaluate(ctx, policies, *limits)
    if case["trust"] is not None:
        return identity.decision == "Allow" and bool(iam.evaluate_trust_policy(case["trust"], case["principal"], ctx))
    required = case["action"].startswith("kms:") and ":key/" in case["resource"]
    combined = iam.combine_resource_policy(
        identity, ctx, case["resource_policy"], case["owner"], required=required, limits=tuple(limits)
    )
    return bool(combined.decision == "Allow")


if __name__ == "__main__":
    json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
