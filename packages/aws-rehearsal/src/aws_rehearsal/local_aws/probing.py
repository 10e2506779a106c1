"""A very small AWS client for the patches' probes: signed requests, no models, nothing but MiniStack's own virtualenv.

Each self-test phase (before the patches, after them) has accounts of its own, so that the two don't meet.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION = "us-east-1"
_NESTED = "AWS::CloudFormation::Stack"


class RefusedError(Exception):
    """The server answered with an error; the text is its answer."""


@dataclass(frozen=True)
class Identity:
    """Whom a request is signed by: an account's root, or an assumed role's session."""

    account: str
    key: Credentials

    @property
    def root_arn(self) -> str:
        """The ARN that stands for the whole account in a policy."""
        return f"arn:aws:iam::{self.account}:root"


class Probing:
    """`owner` and `guest` are two accounts; what a stack does happens in the owner's.

    `patience` is how many seconds a stack may take; one that takes longer is not what the probe hopes for.
    """

    def __init__(self, port: int, phase: int, patience: float) -> None:
        self._port = port
        self._phase = phase
        self._patience = patience
        self.owner = _root(f"{phase}11111111111")
        self.guest = _root(f"{phase}22222222222")

    def name(self, name: str) -> str:
        """A name of this phase's own, where names are global."""
        return f"probe-{name}-{self._phase}"

    def succeeds(self, call: Callable[[], Any]) -> bool:
        """Whether the server accepts the call."""
        return not self.refusal(call)

    def refusal(self, call: Callable[[], Any]) -> str:
        """What the server says instead of accepting the call; empty if it accepts it."""
        try:
            call()
        except RefusedError as refused:
            return str(refused) or "refused"
        return ""

    # Requests

    def json(self, by: Identity, service: str, target: str, **body: Any) -> Any:
        """A call of a service that speaks JSON."""
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return json.loads(self._send(by, service, "POST", "/", json.dumps(body).encode(), headers))

    def query(self, service: str, by: Identity | None = None, **parameters: str) -> str:
        """A call of a service that speaks the query protocol."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send(by or self.owner, service, "POST", "/", urlencode(parameters).encode(), headers)

    def s3(self, by: Identity, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> str:
        """A call of S3, path-style."""
        return self._send(by, "s3", method, path, body, headers or {})

    def get(self, service: str, path: str) -> str:
        """A read of a service that speaks REST."""
        return self._send(self.owner, service, "GET", path, b"", {})

    def rest(self, by: Identity, service: str, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        """A call of a service that speaks REST and JSON."""
        sent = b"" if body is None else json.dumps(body).encode()
        return self._send(by, service, method, path, sent, {"Content-Type": "application/json"})

    @property
    def endpoint(self) -> str:
        """The server's own address."""
        return f"http://127.0.0.1:{self._port}"

    def unsigned(self, host: str, path: str) -> str:
        """What a GET request without a signature is answered at a host."""
        return self._request("GET", path, b"", {"Host": host})

    def posted(self, path: str, headers: dict[str, str], body: bytes = b"") -> str:
        """What a POST request with no other headers is answered."""
        return self._request("POST", path, body, headers)

    def _send(  # noqa: PLR0917 - what a request consists of
        self, by: Identity, service: str, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> str:
        request = AWSRequest(method, f"{self.endpoint}{path}", headers, body)
        sign = S3SigV4Auth if service == "s3" else SigV4Auth
        sign(by.key, service, REGION).add_auth(request)
        return self._request(method, path, body, dict(request.headers.items()))

    def _request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
        if answer.status >= 300:
            raise RefusedError(text)
        return text

    # Identities

    def role(
        self,
        owner: Identity,
        name: str,
        *,
        allow: str = "",
        path: str = "/",
        trusted: str = "",
        condition: dict[str, Any] | None = None,
    ) -> str:
        """The ARN of a new role, allowed one action on everything and trusted by its account unless said otherwise."""
        trust = self.trust(trusted or owner.root_arn)
        if condition:
            trust["Statement"][0]["Condition"] = condition
        document = json.dumps(trust)
        self.query("iam", owner, Action="CreateRole", RoleName=name, Path=path, AssumeRolePolicyDocument=document)
        if allow:
            self.put_policy(owner, name, {"Effect": "Allow", "Action": allow, "Resource": "*"})
        return f"arn:aws:iam::{owner.account}:role{path}{name}"

    def put_policy(self, owner: Identity, role: str, *statements: dict[str, Any]) -> None:
        """Give a role its inline policy."""
        policy = json.dumps(self.document(*statements))
        self.query("iam", owner, Action="PutRolePolicy", RoleName=role, PolicyName="probe", PolicyDocument=policy)

    def trust(self, trusted: str) -> dict[str, Any]:
        """A trust policy for a service's or a principal's name."""
        kind = "AWS" if trusted.startswith("arn:") else "Service"
        return self.document({"Effect": "Allow", "Principal": {kind: trusted}, "Action": "sts:AssumeRole"})

    def document(self, *statements: dict[str, Any]) -> dict[str, Any]:
        """A policy document."""
        return {"Version": "2012-10-17", "Statement": list(statements)}

    def assume(self, role_arn: str, by: Identity) -> Identity:
        """A session of the role."""
        answer = self.query("sts", by, Action="AssumeRole", RoleArn=role_arn, RoleSessionName="probe")
        key, secret, token = (_member(answer, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        return Identity(role_arn.split(":")[4], Credentials(key, secret, token))

    # Stacks

    def bucket(self) -> str:
        """The owner's bucket for templates and files; made when first asked for."""
        name = self.name("files")
        self.s3(self.owner, "PUT", f"/{name}")
        return name

    def template(self, resources: dict[str, Any], *, virtual_hosted: bool = False, **sections: Any) -> str:
        """The URL of a template that was put into the bucket."""
        body = self.body(resources, **sections).encode()
        bucket, key = self.bucket(), f"template-{abs(hash(body))}.json"
        self.s3(self.owner, "PUT", f"/{bucket}/{key}", body)
        return f"https://{bucket}.s3.{REGION}.amazonaws.com/{key}" if virtual_hosted else self._url(bucket, key)

    def _url(self, bucket: str, key: str) -> str:
        return f"https://s3.{REGION}.amazonaws.com/{bucket}/{quote(key)}"

    def body(self, resources: dict[str, Any], **sections: Any) -> str:
        """A template as text."""
        return json.dumps({"Resources": resources, **sections})

    def nested(self, url: str) -> dict[str, Any]:
        """A nested stack."""
        return {"Type": _NESTED, "Properties": {"TemplateURL": url}}

    def parameter(self, value: str, **properties: str) -> dict[str, Any]:
        """An SSM parameter, the cheapest resource there is."""
        return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value, **properties}}

    def create_stack(self, resources: dict[str, Any], name: str = "probe", **more: Any) -> str:
        """Start a create; `Outputs` and other sections start with a capital, parameters of the call as well."""
        return self._change("CreateStack", resources, name, more)

    def stack(self, resources: dict[str, Any], name: str | None = None, **more: Any) -> str:
        """Create and wait: the status it ends in."""
        name = name or self.name(f"stack-{abs(hash(json.dumps(resources)))}")
        self.create_stack(resources, name, **more)
        return self.settled(name)

    def update_stack(self, name: str, resources: dict[str, Any], **more: Any) -> str:
        """Update and wait: the status it ends in."""
        self._change("UpdateStack", resources, name, more)
        return self.settled(name)

    def delete_stack(self, name: str) -> str:
        """Delete and wait: the status it ends in."""
        self.query("cloudformation", Action="DeleteStack", StackName=name)
        return self.settled(name)

    def custom_resource(self, code: str) -> str:
        """Create a stack with a custom resource of inline Node.js code: the status it ends in."""
        role = self.role(self.owner, "probe-custom-resource", trusted="lambda.amazonaws.com")
        function = {"Code": {"ZipFile": code}, "Handler": "index.handler", "Role": role, "Runtime": "nodejs20.x"}
        token = {"ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]}}
        return self.stack(
            {
                "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
                "Custom": {"Type": "Custom::Probe", "Properties": token},
            }
        )

    def _change(self, action: str, resources: dict[str, Any], name: str, more: dict[str, Any]) -> str:
        sections = {key: more.pop(key) for key in ("Outputs", "Parameters") if key in more}
        body = self.body(resources, **sections)
        given = {"StackName": name, "TemplateBody": body, "Capabilities.member.1": "CAPABILITY_NAMED_IAM", **more}
        return self.query("cloudformation", None, Action=action, **given)

    def settled(self, name: str) -> str:
        """Wait until nothing is in progress any more: the stack's status."""
        self.within(lambda: not self._status(name).endswith("_IN_PROGRESS"))
        return self._status(name)

    def _status(self, name: str) -> str:
        try:
            return _member(self.query("cloudformation", Action="DescribeStacks", StackName=name), "StackStatus")
        except RefusedError:
            return "DELETE_COMPLETE"

    def signal(self, stack: str, status: str) -> bool:
        """Signal what a stack waits for as `Wait`, as soon as it does: its event, or the stack's status, is there a
        moment before. Whether it could be."""
        signal = {"LogicalResourceId": "Wait", "UniqueId": "probe", "Status": status}
        return self.within(
            lambda: self.succeeds(
                lambda: self.query("cloudformation", None, Action="SignalResource", StackName=stack, **signal)
            )
        )

    def within(self, condition: Callable[[], bool]) -> bool:
        """Wait until the condition holds, as long as a stack may take: whether it does."""
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.01)
        return False


def _root(account: str) -> Identity:
    return Identity(account, Credentials(account, "root"))


def _member(xml: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", xml)
    return found.group(1) if found else ""
