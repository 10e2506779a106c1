"""What Amplify's own CLI does to an account: `amplify init`, `amplify push`, for a backend whose files are at hand.

The calls and keys are those of the public CLI (amplify-cli, packages/amplify-provider-awscloudformation:
initializer.ts, push-resources.ts, aws-cfn.js, upload-current-cloud-backend.ts): the root stack is made with its bucket
and two roles only, and a push updates it from an object of that bucket whose nested stacks are objects of that bucket
too. Addresses are not made from contents: the next push writes the same keys again.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from amplify_delivery.errors import FailedError

Template = Mapping[str, Any]
Clients = Callable[[str], Any]
"""A boto3 client by the name of its service, with the rights of whoever pushes."""

ROOT_KEY = "nested-cloudformation-stack.yml"
"""Key of the root template that the CLI pushes; it holds JSON."""
TEMPLATES = "amplify-cfn-templates"
BACKEND_ARCHIVE = "#current-cloud-backend.zip"
STUDIO = "studio-backend"
"""Folder of copies that Amplify Studio reads."""

_OWN = ("DeploymentBucket", "DeploymentBucketBlockHTTP", "AuthRole", "UnauthRole")
"""What `amplify init` makes; all else comes with the first push."""
_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_PATIENCE = 120


@dataclass(frozen=True)
class CloudBackend:
    """A backend as the CLI has it after its build.

    `root` is the root template with the addresses of its nested stacks, `objects` all that a push uploads, by key;
    `meta` is what amplify-meta.json says of the resources, by category and resource.
    """

    stack_name: str
    root: Template
    objects: Mapping[str, bytes]
    tags: Mapping[str, str]
    meta: Mapping[str, Any]

    @property
    def bucket(self) -> str:
        """The deployment bucket."""
        return f"{self.stack_name}-deployment"

    @property
    def parameters(self) -> dict[str, str]:
        """The root stack's, as `amplify init` has chosen them."""
        name = self.stack_name
        return {
            "DeploymentBucketName": self.bucket,
            "AuthRoleName": f"{name}-authRole",
            "UnauthRoleName": f"{name}-unauthRole",
        }

    def initial(self) -> dict[str, Any]:
        """The root template that `amplify init` makes the stack with."""
        return {**self.root, "Resources": {name: self.root["Resources"][name] for name in _OWN}}


def template_url(bucket: str, category: str, file: str) -> str:
    """Where a nested stack's template lies, in the CLI's form: without a region."""
    return f"https://s3.amazonaws.com/{bucket}/{TEMPLATES}/{category}/{file}"


def init(clients: Clients, backend: CloudBackend) -> None:
    """`amplify init`. Raises `FailedError` when the stack does not become what it should."""
    cloudformation = clients("cloudformation")
    cloudformation.create_stack(
        StackName=backend.stack_name,
        TemplateBody=json.dumps(backend.initial()),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=_parameters(backend),
        Tags=_tags(backend),
    )
    _wait(cloudformation, backend.stack_name, "CREATE_COMPLETE")


def push(clients: Clients, backend: CloudBackend) -> None:
    """`amplify push --yes`. Raises `FailedError` when the update does not end well."""
    cloudformation, s3 = clients("cloudformation"), clients("s3")
    root = json.dumps(backend.root).encode()
    for key, body in {**backend.objects, ROOT_KEY: root}.items():
        s3.put_object(Bucket=backend.bucket, Key=key, Body=body)
    cloudformation.update_stack(
        StackName=backend.stack_name,
        TemplateURL=f"https://s3.amazonaws.com/{backend.bucket}/{ROOT_KEY}",
        Capabilities=_CAPABILITIES,
        Parameters=_parameters(backend),
        Tags=_tags(backend),
    )
    _wait(cloudformation, backend.stack_name, "UPDATE_COMPLETE")
    _store_current_cloud_backend(s3, backend)


def _store_current_cloud_backend(s3: Any, backend: CloudBackend) -> None:
    """What the next `amplify pull` reads: the backend's folder, zipped, and Studio's copies beside it."""
    documents = {
        "amplify-meta.json": json.dumps({"providers": {"awscloudformation": _provider(backend)}, **backend.meta}),
        "backend-config.json": json.dumps(backend.meta),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, text in documents.items():
            file.writestr(name, text)
    s3.put_object(Bucket=backend.bucket, Key=BACKEND_ARCHIVE, Body=archive.getvalue())
    for name, text in documents.items():
        s3.put_object(Bucket=backend.bucket, Key=f"{STUDIO}/{name}", Body=text.encode())


def _provider(backend: CloudBackend) -> dict[str, str]:
    return {**backend.parameters, "StackName": backend.stack_name}


def _parameters(backend: CloudBackend) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in backend.parameters.items()]


def _tags(backend: CloudBackend) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in backend.tags.items()]


def _wait(cloudformation: Any, stack: str, wanted: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        status = str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        if status == wanted:
            return
        if not status.endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            raise FailedError(
                f"state {status}:\n{_reasons(cloudformation, stack)}", where=stack, remedy="see its events"
            )
        time.sleep(0.02)


def _reasons(cloudformation: Any, stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
    return "\n".join(f"  {e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed)
