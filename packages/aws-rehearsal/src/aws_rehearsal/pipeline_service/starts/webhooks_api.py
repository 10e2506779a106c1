"""The operations on webhooks, and the tags of webhooks, of CodePipeline's API."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from aws_rehearsal.pipeline_service.errors import ServiceError
from aws_rehearsal.pipeline_service.gate import Caller, Gate
from aws_rehearsal.pipeline_service.pipelines.engine import Engine
from aws_rehearsal.pipeline_service.starts.webhooks import Webhook, Webhooks, is_filter

Answer = dict[str, Any]
Operation = Callable[[dict[str, Any], Caller], Answer]
_AUTHENTICATION = {"GITHUB_HMAC": "SecretToken", "IP": "AllowedIPRange"}
"""What each kind of authentication needs in its configuration."""
_SIZE = 100


class WebhooksApi:
    """Webhooks over the pipelines of one engine; `otherwise` answers for what is no webhook."""

    def __init__(
        self, engine: Engine, webhooks: Webhooks, gate: Gate, otherwise: Callable[[str], Operation | None]
    ) -> None:
        self._engine, self._gate, self._otherwise = engine, gate, otherwise
        self._webhooks = webhooks.by_key

    def handler(self, operation: str) -> Operation | None:
        """What carries an operation out, None if the service does not offer it."""
        found = _OPERATIONS.get(operation)
        other = self._otherwise(operation)
        if found is None:
            return other
        own = functools.partial(found, self)
        if other is None:
            return own
        # The tags' operations: the ARN says what is meant.
        return lambda params, caller: (own if ":webhook:" in params["resourceArn"] else other)(params, caller)

    def put_webhook(self, params: Answer, caller: Caller) -> Answer:
        definition = params["webhook"]
        tags = {tag["key"]: tag["value"] for tag in params.get("tags", ())}
        made = Webhook(definition, caller.account, caller.region, tags=tags)
        pipeline = f"arn:aws:codepipeline:{caller.region}:{caller.account}:{definition['targetPipeline']}"
        for resource in (made.arn, pipeline):
            self._gate.require(caller, "codepipeline:PutWebhook", resource)
        with self._engine.lock:
            if (caller.account, caller.region, definition["targetPipeline"]) not in self._engine.pipelines:
                raise ServiceError(
                    "PipelineNotFoundException",
                    f"Account '{caller.account}' does not have a pipeline with name '{definition['targetPipeline']}'",
                )
            _check(definition)
            known = self._webhooks.setdefault((caller.account, caller.region, definition["name"]), made)
            known.definition = definition
            known.tags |= tags
        return {"webhook": _item(known)}

    def list_webhooks(self, params: Answer, caller: Caller) -> Answer:
        everything = f"arn:aws:codepipeline:{caller.region}:{caller.account}:webhook:*"
        self._gate.require(caller, "codepipeline:ListWebhooks", everything)
        found = [
            _item(webhook)
            for (account, region, _), webhook in sorted(self._webhooks.items())
            if (account, region) == (caller.account, caller.region)
        ]
        # Other than the rest of the API, this operation writes its page's words with a capital.
        token, size = str(params.get("NextToken", "0")), params.get("MaxResults", _SIZE)
        start = int(token) if token.isdigit() else 0
        more = {"NextToken": str(start + size)} if start + size < len(found) else {}
        return {"webhooks": found[start : start + size], **more}

    def delete_webhook(self, params: Answer, caller: Caller) -> Answer:
        self._require(caller, "DeleteWebhook", params["name"])
        self._webhooks.pop((caller.account, caller.region, params["name"]), None)
        return {}

    def register(self, params: Answer, caller: Caller) -> Answer:
        self._named(params, caller, "RegisterWebhookWithThirdParty").registered = True
        return {}

    def deregister(self, params: Answer, caller: Caller) -> Answer:
        self._named(params, caller, "DeregisterWebhookWithThirdParty").registered = False
        return {}

    def list_tags(self, params: Answer, caller: Caller) -> Answer:
        found = self._by_arn(params, caller, "ListTagsForResource")
        return {"tags": [{"key": key, "value": value} for key, value in found.tags.items()]}

    def tag(self, params: Answer, caller: Caller) -> Answer:
        found = self._by_arn(params, caller, "TagResource")
        found.tags |= {tag["key"]: tag["value"] for tag in params["tags"]}
        return {}

    def untag(self, params: Answer, caller: Caller) -> Answer:
        found = self._by_arn(params, caller, "UntagResource")
        found.tags = {key: value for key, value in found.tags.items() if key not in params["tagKeys"]}
        return {}

    def _require(self, caller: Caller, operation: str, name: str) -> None:
        arn = f"arn:aws:codepipeline:{caller.region}:{caller.account}:webhook:{name}"
        self._gate.require(caller, f"codepipeline:{operation}", arn)

    def _named(self, params: Answer, caller: Caller, operation: str) -> Webhook:
        name = params.get("webhookName", "")
        self._require(caller, operation, name)
        found = self._webhooks.get((caller.account, caller.region, name))
        if found is None:
            raise ServiceError("WebhookNotFoundException", f"Webhook with name [{name}] was not found")
        return found

    def _by_arn(self, params: Answer, caller: Caller, operation: str) -> Webhook:
        arn = params["resourceArn"]
        self._gate.require(caller, f"codepipeline:{operation}", arn)
        for found in list(self._webhooks.values()):
            if found.arn == arn and found.account == caller.account:
                return found
        raise ServiceError("ResourceNotFoundException", f"There is no resource {arn}")


def _check(definition: Answer) -> None:
    needed = _AUTHENTICATION.get(definition["authentication"])
    if set(definition["authenticationConfiguration"]) != ({needed} if needed else set()):
        raise ServiceError(
            "InvalidWebhookAuthenticationParametersException",
            f"The authentication {definition['authentication']} takes {needed or 'no configuration'}",
        )
    for rule in definition["filters"]:
        if not is_filter(rule):
            raise ServiceError("InvalidWebhookFilterPatternException", f"The JSON path {rule['jsonPath']} is not valid")


def _item(webhook: Webhook) -> Answer:
    """A webhook as it is answered: its secret is masked."""
    masked = {
        key: "****" if key == "SecretToken" else value
        for key, value in webhook.definition["authenticationConfiguration"].items()
    }
    return {
        "definition": {**webhook.definition, "authenticationConfiguration": masked},
        "url": webhook.url,
        "arn": webhook.arn,
        "tags": [{"key": key, "value": value} for key, value in webhook.tags.items()],
    }


_OPERATIONS: dict[str, Callable[[WebhooksApi, Answer, Caller], Answer]] = {
    "PutWebhook": WebhooksApi.put_webhook,
    "ListWebhooks": WebhooksApi.list_webhooks,
    "DeleteWebhook": WebhooksApi.delete_webhook,
    "RegisterWebhookWithThirdParty": WebhooksApi.register,
    "DeregisterWebhookWithThirdParty": WebhooksApi.deregister,
    "ListTagsForResource": WebhooksApi.list_tags,
    "TagResource": WebhooksApi.tag,
    "UntagResource": WebhooksApi.untag,
}
