"""A call about an ECS service is authorised for the service, not for its cluster.

MiniStack evaluates every call that names a cluster for that cluster's ARN, so that a right on a service allows nothing.
AWS: `arn:...:service/CLUSTER/NAME` for CreateService, UpdateService, DeleteService and DescribeServices ("Actions,
resources, and condition keys for Amazon Elastic Container Service", service authorization reference); the cluster is
`default` where none is named (ECS API reference).
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from ._expect import expect, json_body, replace

_NAMED_BY = {
    "CreateService": "serviceName",
    "DeleteService": "service",
    "DescribeServices": "services",
    "UpdateService": "service",
}


def apply() -> None:
    """Name the service; of several that are described the first."""
    extract = expect(
        iam_actions, "extract_resource_arn", "service", "method", "path", "headers", "body", "query_params"
    )

    def extract_resource_arn(service: str, *rest: Any, **more: Any) -> Any:
        named = _service_arn(rest) if service == "ecs" else None
        return named or extract(service, *rest, **more)

    replace("extract_resource_arn", extract_resource_arn, iam_actions)


def _service_arn(request: tuple[Any, ...]) -> str | None:
    """The service that a call names; None if it names none."""
    _, _, headers, body, _, region, account = request[:7]
    target = next((str(value) for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    field = _NAMED_BY.get(target.rpartition(".")[2])
    given = json_body(body)
    named = given.get(field) if field else None
    name = str(named[0] if isinstance(named, list) and named else named or "")
    if not name or name.startswith("arn:"):
        return name or None
    cluster = str(given.get("cluster") or "default").rpartition("/")[2]
    return f"arn:aws:ecs:{region}:{account}:service/{cluster}/{name}"


def probe(aws: Any) -> bool:
    """A role with a right on one service may ask for it, and for no other."""
    role = aws.role(aws.owner, "service-reader")
    mine = f"arn:aws:ecs:us-east-1:{aws.owner.account}:service/probe/mine"
    aws.put_policy(aws.owner, "service-reader", {"Effect": "Allow", "Action": "ecs:DescribeServices", "Resource": mine})
    session, target = aws.assume(role, aws.owner), "AmazonEC2ContainerServiceV20141113"
    aws.json(aws.owner, "ecs", f"{target}.CreateCluster", clusterName="probe")

    def asks(name: str) -> bool:
        call = {"cluster": "probe", "services": [name]}
        return bool(aws.succeeds(lambda: aws.json(session, "ecs", f"{target}.DescribeServices", **call)))

    return asks("mine") and not asks("other")
