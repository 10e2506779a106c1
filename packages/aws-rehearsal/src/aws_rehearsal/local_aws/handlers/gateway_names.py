"""ARNs of API Gateway, whose resources are paths of its own API ("Resource types defined by Amazon API Gateway
Management")."""

from __future__ import annotations

from collections.abc import Mapping

from .subject import NEW, PARTITION, Subject


def _apigateway(verb: str, subject: Subject) -> list[str]:
    kind = subject.resource_type.rpartition("::")[2]
    path = _GATEWAY_PATHS.get(kind)
    if path is None:
        return [f"arn:{PARTITION}:apigateway:{subject.region}::/{kind.lower()}s"]
    collection, own = path
    base = collection.format_map(_Ids(subject))
    if own and verb != "POST":
        base += f"/{subject.physical_id.rpartition('/')[2].rpartition('|')[2] or _gateway_id(kind, subject)}"
    return [f"arn:{PARTITION}:apigateway:{subject.region}::{base}"]


class _Ids(dict[str, str]):
    """Properties by name, for a path; what is not there yet is new."""

    def __init__(self, subject: Subject) -> None:
        super().__init__({name: str(value) for name, value in subject.properties.items() if isinstance(value, str)})

    def __missing__(self, name: str) -> str:
        return NEW


def _gateway_id(kind: str, subject: Subject) -> str:
    return {"GatewayResponse": subject.text("ResponseType"), "Stage": subject.text("StageName")}.get(kind) or NEW


_GATEWAY_PATHS: Mapping[str, tuple[str, bool]] = {
    "Account": ("/account", False),
    "Api": ("/apis", True),
    "ApiKey": ("/apikeys", True),
    "Authorizer": ("/restapis/{RestApiId}/authorizers", True),
    "BasePathMapping": ("/domainnames/{DomainName}/basepathmappings", True),
    "Deployment": ("/restapis/{RestApiId}/deployments", True),
    "DomainName": ("/domainnames", True),
    "GatewayResponse": ("/restapis/{RestApiId}/gatewayresponses", True),
    "Integration": ("/apis/{ApiId}/integrations", True),
    "Method": ("/restapis/{RestApiId}/resources/{ResourceId}/methods/{HttpMethod}", False),
    "Model": ("/restapis/{RestApiId}/models", True),
    "RequestValidator": ("/restapis/{RestApiId}/requestvalidators", True),
    "Resource": ("/restapis/{RestApiId}/resources", True),
    "RestApi": ("/restapis", True),
    "Route": ("/apis/{ApiId}/routes", True),
    "Stage": ("/restapis/{RestApiId}/stages", True),
    "UsagePlan": ("/usageplans", True),
    "VpcLink": ("/vpclinks", True),
}
_V2_PATHS: Mapping[str, tuple[str, bool]] = {
    "Authorizer": ("/apis/{ApiId}/authorizers", True),
    "Model": ("/apis/{ApiId}/models", True),
    "Stage": ("/apis/{ApiId}/stages", True),
}


def gateway(verb: str, subject: Subject) -> list[str]:
    """The ARN of what a call of API Gateway is about, of either version."""
    kind = subject.resource_type.rpartition("::")[2]
    if subject.resource_type.startswith("AWS::ApiGatewayV2::") and kind in _V2_PATHS:
        collection, _ = _V2_PATHS[kind]
        base = collection.format_map(_Ids(subject))
        own = "" if verb == "POST" else f"/{subject.physical_id.rpartition('/')[2] or _gateway_id(kind, subject)}"
        return [f"arn:{PARTITION}:apigateway:{subject.region}::{base}{own}"]
    return _apigateway(verb, subject)
