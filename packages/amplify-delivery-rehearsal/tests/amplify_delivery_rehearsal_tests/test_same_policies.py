"""The product and the local AWS know the same managed policies of AWS: what is not found beforehand is refused here."""

from __future__ import annotations

import json

from amplify_delivery.export.templates import aws_policies
from aws_rehearsal.local_aws import policy_list


def test_both_lists_are_of_one_release() -> None:
    ours, theirs = (json.loads(list_.read_text()) for list_ in (aws_policies.LIST, policy_list.LIST))
    assert (ours["package"], ours["sha256"]) == (theirs["package"], theirs["sha256"])
    assert aws_policies.policies().keys() == policy_list.names()
