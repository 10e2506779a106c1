"""Service Quotas tells the quotas of CodeBuild's builds and of S3's buckets.

MiniStack has no Service Quotas. What is asked of another service is a `NoSuchResourceException`; no quota is enforced,
and none is raised.
AWS: Service Quotas API reference, "GetServiceQuota", "ListServiceQuotas"; "Quotas for AWS CodeBuild" (60 small Linux
builds at the same time is the default; new accounts may have fewer), "Amazon S3 endpoints and quotas" (10,000 buckets,
a quota of the account: Service Quotas tells it in us-east-1 only). "Actions, resources, and condition keys for Service
Quotas", service authorization reference.
"""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

from ._expect import PatchError, json_body

SERVICE = "servicequotas"
"""Its endpoint, its signing name and its prefix in policies; botocore's model is called `service-quotas`."""
_TARGET = "ServiceQuotasV20190624"
_HOME = "us-east-1"
_SIZES = ("Small", "Medium", "Large", "XLarge", "2XLarge")
_QUOTAS: dict[str, tuple[tuple[str, str, float, bool], ...]] = {
    "codebuild": tuple(
        (f"L-{number:08X}", f"Concurrently running builds for Linux/{size} environment", 60.0, False)
        for number, size in enumerate(_SIZES, start=0x2DC20C30)
    ),
    "s3": (("L-DC2B2D3D", "Buckets", 10000.0, True),),
}
"""By service: code, name, value, and whether it is of the account as a whole."""


def apply() -> None:
    """Have the router know the service."""
    if SERVICE in app.SERVICE_HANDLERS or SERVICE in router.SERVICE_PATTERNS:
        raise PatchError(f"MiniStack has {SERVICE} now")
    router.SERVICE_PATTERNS[SERVICE] = {
        "target_prefixes": [_TARGET],
        "host_patterns": [r"servicequotas\."],
        "credential_scope": SERVICE,
    }
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    app.SERVICE_HANDLERS[SERVICE] = _handle


async def _handle(_method: str, _path: str, headers: Any, body: bytes, _query_params: Any) -> Any:
    operation, given = str(headers.get("x-amz-target", "")).rpartition(".")[2], json_body(body)
    service, code = str(given.get("ServiceCode")), given.get("QuotaCode")
    if operation not in ("GetServiceQuota", "ListServiceQuotas"):
        return error_response_json("NotImplementedException", f"the local AWS plays no {operation}", 501)
    found = [_told(service, quota) for quota in _QUOTAS.get(service, ()) if get_region() == _HOME or not quota[3]]
    if operation == "ListServiceQuotas":
        if service not in _QUOTAS:
            return error_response_json("NoSuchResourceException", f"The request failed because {service} is unknown.")
        return json_response({"Quotas": found})
    for quota in found:
        if quota["QuotaCode"] == code:
            return json_response({"Quota": quota})
    return error_response_json("NoSuchResourceException", "The request failed because the specified quota is unknown.")


def _told(service: str, quota: tuple[str, str, float, bool]) -> dict[str, Any]:
    code, name, value, everywhere = quota
    region = "" if everywhere else get_region()
    return {
        "ServiceCode": service,
        "QuotaArn": f"arn:aws:servicequotas:{region}:{get_account_id()}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": everywhere,
    }


def probe(aws: Any) -> bool:
    """A quota is told to whoever may ask, and to nobody else."""

    def ask(who: Any, code: str) -> Any:
        return aws.json(who, SERVICE, f"{_TARGET}.GetServiceQuota", ServiceCode="s3", QuotaCode=code)

    session = aws.assume(aws.role(aws.owner, "quotas-nobody"), aws.owner)
    return (
        aws.succeeds(lambda: ask(aws.owner, "L-DC2B2D3D"))
        and not aws.succeeds(lambda: ask(aws.owner, "L-00000000"))
        and not aws.succeeds(lambda: ask(session, "L-DC2B2D3D"))
    )
