"""Of all that an account's and a pipeline's program makes it can be told what a killed run has left of it."""

from __future__ import annotations

from pathlib import Path

from amplify_delivery.delivery.engine.killed import existing, pending
from unit.stacks.projects import make, run, write

OF_NOBODY = {
    # Cloud Control names a webhook by an id that it makes up, and what PutWebhook does to one that is there is not
    # written anywhere: a person looks.
    "aws-native:codepipeline:Webhook",
}


def test_every_type_is_looked_for_or_made_again(tmp_path: Path) -> None:
    schedule, emails = "rate(1 day)", {"emails": ["team@example.com"]}
    make(tmp_path, 2, schedule=schedule, notifications=emails)
    write(tmp_path, "preprod-account", {"program": "account", "images": "true", "stagingKey": "true"})
    made = {r.type for stack in ("preprod-account", "pipeline") for r in run(tmp_path, stack).resources}
    assert {"aws:ecr/repository:Repository", "aws:kms/key:Key", "aws-native:codepipeline:Pipeline"} <= made
    in_aws = {type_ for type_ in made if type_.startswith(("aws:", "aws-native:"))}
    assert in_aws - existing.ASKERS.keys() - pending.AGAIN - OF_NOBODY == set()
