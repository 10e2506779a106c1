"""Whether a build can be put into its VPC: it runs on this machine all the same, but the rights are asked for.

"Allow CodeBuild access to AWS services required to create a VPC network interface" in CodeBuild's user guide: it makes
the interface with the project's role. Subnets and security groups are not looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_rehearsal.local_aws import Credentials
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.gate import Caller, Gate

_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeVpcs",
)


def check_network(gate: Gate, role: Credentials, network: Mapping[str, Any], region: str) -> None:
    """Raise `ActionError` as CodeBuild fails PROVISIONING."""
    if not network.get("vpcId"):
        return
    caller = Caller(role.access_key_id, "", role.account, region)
    asked: list[tuple[str, str, dict[str, Any]]] = [
        (action, "*", {"aws:RequestedRegion": region}) for action in _ACTIONS
    ]
    interface = f"arn:aws:ec2:{region}:{role.account}:network-interface/*"
    for subnet in network.get("subnets", ()):
        context = {
            "ec2:Subnet": f"arn:aws:ec2:{region}:{role.account}:subnet/{subnet}",
            "ec2:AuthorizedService": "codebuild.amazonaws.com",
        }
        asked.append(("ec2:CreateNetworkInterfacePermission", interface, context))
    for action, resource, context in asked:
        denied = gate.denied(caller, action, resource, context)
        if denied:
            raise ActionError("VPC_CLIENT_ERROR", f"Unexpected EC2 error: UnauthorizedOperation: {denied.message}")
