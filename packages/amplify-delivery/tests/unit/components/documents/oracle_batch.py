"""Runs inside the local AWS's own environment: its IAM evaluator answers a batch of cases from standard input: the
documents, each once, and the cases, which name them by their numbers.

One correction: it takes the caller's account for `aws:ResourceAccount` where an ARN names none, as a bucket's does.
Here the case says whose the resource is.
"""

import json
import sys
from typing import Any


class Documents:
    """The documents of a batch; each is parsed once, as the evaluator only reads what it has parsed."""

    def __init__(self, documents: list[Any]) -> None:
        self._documents = documents
        self._parsed: dict[int, Any] = {}

    def plain(self, number: int | None) -> Any:
        return None if number is None else self._documents[number]

    def parsed(self, number: int) -> Any:
        from ministack.core import iam_evaluator as iam

        if number not in self._parsed:
            self._parsed[number] = iam.parse_policy_document(self._documents[number])
        return self._parsed[number]


def answer(case: dict[str, Any], documents: Documents) -> bool:
    from ministack.core import iam_evaluator as iam

    resolve = iam._resolve_condition_key
    owner = case["context"].get("aws:ResourceAccount", None if case["resource"] == "*" else case["owner"])

    def resolve_with_owner(key: str, ctx: Any) -> Any:
        return owner if key.lower() == "aws:resourceaccount" else resolve(key, ctx)

    iam._resolve_condition_key = resolve_with_owner
    try:
        return _decide(iam, case, documents)
    finally:
        iam._resolve_condition_key = resolve


def _decide(iam: Any, case: dict[str, Any], documents: Documents) -> bool:
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
    policies = [documents.parsed(policy) for policy in case["policies"]]
    limits = [[documents.parsed(case["boundary"])]] if case["boundary"] is not None else []
    identity = iam.evaluate(ctx, policies, *limits)
    if case["trust"] is not None:
        trust = documents.plain(case["trust"])
        return identity.decision == "Allow" and bool(iam.evaluate_trust_policy(trust, case["principal"], ctx))
    required = case["action"].startswith("kms:") and ":key/" in case["resource"]
    policy = documents.plain(case["resource_policy"])
    combined = iam.combine_resource_policy(
        identity, ctx, policy, case["owner"], required=required, limits=tuple(limits)
    )
    return bool(combined.decision == "Allow")


if __name__ == "__main__":
    given = json.load(sys.stdin)
    shared = Documents(given["documents"])
    json.dump([answer(case, shared) for case in given["cases"]], sys.stdout)
