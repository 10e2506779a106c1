"""`getCallerIdentity`, `getRegion` and `getPartition`.

Plays internal/service/sts/caller_identity_data_source.go and internal/service/meta of terraform-provider-aws.
"""

from __future__ import annotations

from aws_rehearsal.providers.resource import Call
from aws_rehearsal.providers.wire import Properties

_DNS_SUFFIXES = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}


def get_caller_identity(call: Call, arguments: Properties) -> Properties:
    identity = call.session.identity
    account = identity["Account"]
    return {"id": account, "accountId": account, "arn": identity["Arn"], "userId": identity["UserId"]}


def get_region(call: Call, arguments: Properties) -> Properties:
    region = arguments.get("name") or call.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": f"ec2.{region}.{_DNS_SUFFIXES[call.session.partition]}",
    }


def get_partition(call: Call, arguments: Properties) -> Properties:
    partition = call.session.partition
    suffix = _DNS_SUFFIXES[partition]
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


INVOKES = {
    "aws:index/getCallerIdentity:getCallerIdentity": get_caller_identity,
    "aws:index/getPartition:getPartition": get_partition,
    "aws:index/getRegion:getRegion": get_region,
}
