"""An account of the local AWS as a test's own: its administrator, clients, and stacks to deploy."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from aws_rehearsal.local_aws import Credentials, LocalAws

REGION = "eu-central-1"
_PATIENCE = 300
Template = dict[str, Any]

SOON = {"Delay": 0.1, "MaxAttempts": 600}
"""How a waiter of botocore looks at what the local AWS does in a moment."""


@dataclass(frozen=True)
class LocalAccount:
    """What a developer has: an account, an administrator in it, and a region."""

    aws: LocalAws
    account: str
    credentials: Credentials
    region: str = REGION
    _clients: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def client(self, service: str) -> Any:
        """A boto3 client as the administrator; the same one when asked again."""
        if service not in self._clients:
            self._clients[service] = self.aws.client(service, self.credentials, self.region)
        return self._clients[service]

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a process that acts as the administrator."""
        return self.aws.environment(self.credentials, self.region)

    def bucket(self, name: str = "files") -> str:
        """A bucket of this account; made when first asked for."""
        name = f"{name}-{self.account}"
        s3 = self.client("s3")
        if name not in {b["Name"] for b in s3.list_buckets()["Buckets"]}:
            place = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
            s3.create_bucket(Bucket=name, **({} if self.region == "us-east-1" else place))
        return name

    def upload(self, key: str, body: bytes | str | Template) -> str:
        """Put a file or template into the bucket; its path-style URL."""
        content = json.dumps(body) if isinstance(body, dict) else body
        self.client("s3").put_object(Bucket=self.bucket(), Key=key, Body=content)
        return f"https://s3.{self.region}.amazonaws.com/{self.bucket()}/{key}"

    def create(self, template: Template | str, name: str = "stack", **more: Any) -> dict[str, Any]:
        """Create a stack from a template or a template's URL, and wait: the stack as it is then."""
        stack = self._call("create_stack", template, name, more)
        return self.wait(stack)

    def update(self, template: Template | str, name: str = "stack", **more: Any) -> dict[str, Any]:
        """Update a stack and wait: the stack as it is then."""
        return self.wait(self._call("update_stack", template, name, more))

    def delete(self, name: str = "stack", **more: Any) -> dict[str, Any]:
        """Delete a stack and wait: the stack as it is then."""
        stack = self.stack(name)["StackId"]
        self.client("cloudformation").delete_stack(StackName=name, **more)
        return self.wait(stack)

    def stack(self, name: str = "stack") -> dict[str, Any]:
        """A stack as DescribeStacks has it."""
        return dict(self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])

    def outputs(self, name: str = "stack") -> dict[str, str]:
        """A stack's outputs by key."""
        return {o["OutputKey"]: o["OutputValue"] for o in self.stack(name).get("Outputs", [])}

    def reasons(self, name: str = "stack") -> dict[str, str]:
        """Why resources failed, by logical id: from the events of this stack and of all nested in it."""
        found = {}
        for event in self.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]:
            if event["ResourceStatus"].endswith("_FAILED"):
                found[event["LogicalResourceId"]] = event.get("ResourceStatusReason", "")
        return found

    def children(self) -> list[dict[str, Any]]:
        """All stacks of the account that are nested in another, deleted ones included."""
        stacks = self.client("cloudformation").list_stacks()["StackSummaries"]
        return [self.stack(s["StackId"]) for s in stacks if "ParentId" in self.stack(s["StackId"])]

    def wait(self, stack: str) -> dict[str, Any]:
        """Wait until nothing is in progress any more; `stack` is an id, so that a deleted one is found."""
        deadline, pause = time.monotonic() + _PATIENCE, 0.01
        while time.monotonic() < deadline:
            found = self.stack(stack)
            if not found["StackStatus"].endswith("_IN_PROGRESS") or found["StackStatus"] == "REVIEW_IN_PROGRESS":
                return found
            time.sleep(pause)
            pause = min(0.1, pause * 1.5)  # asking takes processor time from what is waited for
        raise TimeoutError(f"{stack} is still {found['StackStatus']}")

    def _call(self, operation: str, template: Template | str, name: str, more: dict[str, Any]) -> str:
        source = {"TemplateURL": template} if isinstance(template, str) else {"TemplateBody": json.dumps(template)}
        capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
        call = getattr(self.client("cloudformation"), operation)
        return str(call(StackName=name, Capabilities=capabilities, **source, **more)["StackId"])
