"""Webhooks of version 1 GitHub actions: which pushes a registered one tells of. State, and pure rules.

"PutWebhook" in the CodePipeline API reference: a filter is a JSONPath into the event's payload and the value it must
have, in which `{Branch}` stands for the target action's own configuration; all filters must match. Who calls a webhook
is the third party it is registered with: one that is not registered hears of nothing.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.pipeline_service.definitions import Action, Pipeline
from aws_rehearsal.pipeline_service.sources.triggers import Push

_PATH = re.compile(r"\$(\.\w+)+")


@dataclass
class Webhook:
    """A webhook as PutWebhook defined it."""

    definition: dict[str, Any]
    account: str
    region: str
    registered: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def arn(self) -> str:
        return f"arn:aws:codepipeline:{self.region}:{self.account}:webhook:{self.definition['name']}"

    @property
    def url(self) -> str:
        """Where the third party would call."""
        return f"https://{self.region}.webhooks.aws/trigger?t={self.token}&v=1"

    def starts(self, pipeline: Pipeline, source: Action, push: Push) -> bool:
        """Whether a push to the source's repository starts the pipeline through this webhook."""
        target = (self.account, self.region, self.definition["targetPipeline"], self.definition["targetAction"])
        return (
            self.registered
            and target == (pipeline.account, pipeline.region, pipeline.name, source.name)
            and all(_matches(rule, source.configuration, push) for rule in self.definition["filters"])
        )


class Webhooks:
    """All webhooks, by account, region and name."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[str, str, str], Webhook] = {}

    def starting(self, pipeline: Pipeline, source: Action, push: Push) -> Webhook | None:
        """The webhook that starts the pipeline because of a push."""
        return next((found for found in list(self.by_key.values()) if found.starts(pipeline, source, push)), None)


def is_filter(rule: dict[str, Any]) -> bool:
    """Whether a filter's path is one that can be looked up here: names, one below the other."""
    return _PATH.fullmatch(rule["jsonPath"]) is not None


def _matches(rule: dict[str, Any], configuration: dict[str, str], push: Push) -> bool:
    payload: Any = {"ref": f"refs/tags/{push.tag}" if push.tag else f"refs/heads/{push.branch}"}
    for step in rule["jsonPath"].split(".")[1:]:
        payload = payload.get(step) if isinstance(payload, dict) else None
    if payload is None:
        return False
    wanted = rule.get("matchEquals")
    if wanted is None:
        return True
    return bool(payload == re.sub(r"\{(\w+)\}", lambda found: configuration.get(found[1], found[0]), wanted))
