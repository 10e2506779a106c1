"""One resource as one CloudFormation stack.

What Cloud Control's CreateResource, UpdateResource, DeleteResource and GetResource are to the real provider. The
stack's outputs are the resource's attributes; one that the local AWS does not know is left out, by the name its error
gives.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_rehearsal.providers.errors import ProviderError, aws_error, error_code, error_message
from aws_rehearsal.providers.native.outcomes import operation_failed
from aws_rehearsal.providers.native.schemas import TypeSchema
from aws_rehearsal.providers.wire import Properties

STACK_PREFIX = "aws-native-"
"""How the stacks are called; not stacks of anybody's program."""
LOGICAL_ID = "Resource"
_LISTS = {"AWS::IAM::Role": ("ManagedPolicyArns", "Policies")}
_POLL_SECONDS = 0.02
_UNKNOWN_ATTRIBUTE = re.compile(r"Requested attribute (\w+) does not exist in schema")
_DRIFT_UNSUPPORTED = "Drift detection is not supported"
_FAILED = re.compile(r"(?:ROLLBACK_COMPLETE|FAILED|DELETE_COMPLETE)$")


@dataclass
class SingleStack:
    """Acts on stacks of one account and region; `unknown` collects, by type, attributes the local AWS does not have."""

    client: Any
    unknown: dict[str, set[str]]

    def create(self, kind: TypeSchema, name: str, properties: Properties, deadline: float) -> tuple[str, Properties]:
        """The stack's ARN and the resource's attributes.

        Raises ProviderError when the resource cannot be made; nothing is left of it then.
        """
        stack_name = _stack_name(kind, name, properties)
        before = self._describe(stack_name)
        if before is not None and before["StackStatus"] != "DELETE_COMPLETE":  # as good as this one: AWS makes two
            stack_name += f"-{uuid.uuid4().hex[:8]}"

        def start(template: str, token: str) -> str:
            answer = self.client.create_stack(
                StackName=stack_name,
                TemplateBody=template,
                Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
                ClientRequestToken=token,
                OnFailure="DELETE",
            )
            return str(answer["StackId"])

        return self._try("CREATE", kind, properties, start, deadline)

    def find(self, kind: TypeSchema, name: str, properties: Properties, identifier: str) -> str | None:
        """The stack of what was made of these properties, else of what has this identifier, by which the real provider
        finds a resource; None if there is none. The answer to a create may have been lost, or the whole state."""
        stack = self._describe(_stack_name(kind, name, properties))
        if stack is None:
            begins, ref = _stack_name(kind, name, {})[:-8], identifier.rpartition("|")[2]
            pages = self.client.get_paginator("describe_stacks").paginate()
            named = (s for page in pages for s in page["Stacks"] if s["StackName"].startswith(begins))
            stack = next((s for s in named if _attributes(s).get("Ref") == ref), None)
        return str(stack["StackId"]) if stack and not _FAILED.search(stack["StackStatus"]) else None

    def update(
        self, kind: TypeSchema, stack_id: str, olds: Properties, properties: Properties, deadline: float
    ) -> Properties:
        """Bring the resource from `olds`, which a read may have found, to `properties`: its attributes after it.

        A stack compares templates. So what was changed by hand goes into its template first, else it would find
        nothing to do.
        """
        if self._properties(stack_id) != _explicit(kind, olds):
            self._update(kind, stack_id, olds, deadline)
        return self._update(kind, stack_id, properties, deadline)

    def _properties(self, stack_id: str) -> Properties:
        try:
            body = self.client.get_template(StackName=stack_id, TemplateStage="Original")["TemplateBody"]
        except self.client.exceptions.ClientError as error:
            raise operation_failed("UPDATE", [error_message(error)]) from error
        template = json.loads(body) if isinstance(body, str) else body
        properties: Properties = template["Resources"][LOGICAL_ID]["Properties"]
        return properties

    def _update(self, kind: TypeSchema, stack_id: str, properties: Properties, deadline: float) -> Properties:
        def start(template: str, token: str) -> str:
            try:
                self.client.update_stack(
                    StackName=stack_id,
                    TemplateBody=template,
                    Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
                    ClientRequestToken=token,
                )
            except self.client.exceptions.ClientError as error:
                if "No updates are to be performed" not in error_message(error):
                    raise
            return stack_id

        return self._try("UPDATE", kind, properties, start, deadline)[1]

    def delete(self, stack_id: str, deadline: float) -> None:
        token = uuid.uuid4().hex
        try:
            self.client.delete_stack(StackName=stack_id, ClientRequestToken=token)
        except self.client.exceptions.ClientError as error:
            raise aws_error("deleting resource", error) from error
        stack = self._settle(stack_id, deadline)
        if stack and stack["StackStatus"] != "DELETE_COMPLETE":
            raise operation_failed("DELETE", self._reasons(stack_id, token))

    def read(self, stack_id: str, declared: Properties) -> tuple[Properties, Properties] | None:
        """Attributes, and the properties that differ from what the stack was asked for; None when it is gone."""
        del declared
        stack = self._describe(stack_id)
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return None
        try:
            drift = self.client.detect_stack_resource_drift(StackName=stack_id, LogicalResourceId=LOGICAL_ID)
        except self.client.exceptions.ClientError as error:
            if _DRIFT_UNSUPPORTED in error_message(error):
                return _attributes(stack), {}
            raise aws_error("reading resource", error) from error
        found = drift["StackResourceDrift"]
        if found["StackResourceDriftStatus"] == "DELETED":
            return None
        changed: Properties = {}
        if found["StackResourceDriftStatus"] == "MODIFIED":
            names = {difference["PropertyPath"].split("/")[1] for difference in found.get("PropertyDifferences", [])}
            actual = json.loads(found.get("ActualProperties") or "{}")
            changed = {name: actual.get(name) for name in names}
        return _attributes(stack), changed

    def _try(
        self,
        operation: str,
        kind: TypeSchema,
        properties: Properties,
        start: Callable[[str, str], str],
        deadline: float,
    ) -> tuple[str, Properties]:
        """Starts and waits, once more for each attribute that turns out to be unknown."""
        missing = self.unknown.setdefault(kind.name, set())
        while True:
            token = uuid.uuid4().hex
            template = _template(kind, properties, [name for name in kind.read_only if name not in missing])
            try:
                stack_id = start(template, token)
            except self.client.exceptions.ClientError as error:
                attribute = _UNKNOWN_ATTRIBUTE.search(error_message(error))
                if attribute and attribute[1] not in missing:
                    missing.add(attribute[1])
                    continue
                raise operation_failed(operation, [error_message(error)]) from error
            stack = self._settle(stack_id, deadline)
            if stack and not _FAILED.search(stack["StackStatus"]):
                return stack_id, _attributes(stack)
            reasons = self._reasons(stack_id, token) or [str((stack or {}).get("StackStatusReason") or "")]
            attribute = next(filter(None, map(_UNKNOWN_ATTRIBUTE.search, reasons)), None)
            if attribute is None or attribute[1] in missing:
                raise operation_failed(operation, reasons)
            missing.add(attribute[1])

    def _describe(self, stack_id: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.client.describe_stacks(StackName=stack_id)["Stacks"][0]
        except self.client.exceptions.ClientError as error:
            if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
                return None
            raise aws_error("reading resource", error) from error
        return found

    def _settle(self, stack_id: str, deadline: float) -> dict[str, Any] | None:
        while True:
            stack = self._describe(stack_id)
            if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            if time.monotonic() >= deadline:
                raise ProviderError(f"timeout while waiting for {stack_id} (last state: {stack['StackStatus']})")
            time.sleep(_POLL_SECONDS)

    def _reasons(self, stack_id: str, token: str) -> list[str]:
        try:
            events = self.client.describe_stack_events(StackName=stack_id)["StackEvents"]
        except self.client.exceptions.ClientError:
            return []
        return [
            event["ResourceStatusReason"]
            for event in events
            if event.get("ClientRequestToken") == token
            and event["ResourceStatus"].endswith("_FAILED")
            and event.get("ResourceStatusReason")
        ]


def _stack_name(kind: TypeSchema, name: str, properties: Properties) -> str:
    made_of = json.dumps([kind.name, properties], sort_keys=True).encode()
    readable = re.sub(r"[^A-Za-z0-9-]", "-", name)[:80]
    return f"{STACK_PREFIX}{readable}-{hashlib.sha256(made_of).hexdigest()[:8]}"


def _explicit(kind: TypeSchema, properties: Properties) -> Properties:
    """Drift is told of what a template sets: a list with nothing in it is set too, so that what is added shows."""
    return {**{name: [] for name in _LISTS.get(kind.name, ())}, **properties}


def _template(kind: TypeSchema, properties: Properties, attributes: list[str]) -> str:
    outputs: Properties = {"Ref": {"Value": {"Ref": LOGICAL_ID}}}
    outputs |= {f"Att{name}": {"Value": {"Fn::GetAtt": [LOGICAL_ID, name]}} for name in attributes}
    resource = {"Type": kind.name, "Properties": _explicit(kind, properties)}
    return json.dumps({"Resources": {LOGICAL_ID: resource}, "Outputs": outputs})


def _attributes(stack: dict[str, Any]) -> Properties:
    """The physical id under `Ref`, and the attributes under their names."""
    found = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    return {key.removeprefix("Att") if key != "Ref" else key: value for key, value in found.items()}
