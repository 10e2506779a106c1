"""Check of search domains: what OpenSearch Service refuses of their instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amplify_delivery.export.templates.literals import text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

DOMAIN = Rule(
    "AD714",
    "refused",
    "A search domain (`@searchable`) with instances that cannot do what it asks of them: T2 and M3 encrypt nothing at "
    "rest, T2 and T3 tune nothing by themselves; or one with zones for its instances and too few of them.",
    "https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html",
    "`Autotune is not supported in t2/t3 instance types`, `Encryption at rest is not supported with t2.small`",
    remedy="set OpenSearchInstanceType of the API in the environment's stack file (`m5.large.elasticsearch`; of an "
    "AWS::OpenSearchService::Domain `m5.large.search`), or take the override away and export again",
)
_CLUSTER = {
    "AWS::Elasticsearch::Domain": "ElasticsearchClusterConfig",
    "AWS::OpenSearchService::Domain": "ClusterConfig",
}

_REMEDIES = {
    "AWS::Elasticsearch::Domain": "set OpenSearchInstanceType of the API in the environment's stack file "
    "(`m5.large.elasticsearch`), or take the override away and export again",
    "AWS::OpenSearchService::Domain": "give the domain another ClusterConfig.InstanceType (`m5.large.search`: the "
    "names of OpenSearch end with `.search`) where its template comes from, and export again",
}


def impossible_domains(tree: Tree) -> Iterator[Finding]:
    """AD714: the service refuses the domain, after the rest of the API was made."""
    for path, resource in tree.resolved.resources.items():
        if resource.type in _CLUSTER:
            for problem in _problems(resource.type, as_mapping(resource.properties)):
                yield DOMAIN.at(tree.file(path[:-1]), f"{path[-1]} {problem}", _REMEDIES[resource.type])


def _problems(kind: str, properties: Mapping[str, Any]) -> Iterator[str]:
    cluster = as_mapping(properties.get(_CLUSTER[kind]))
    instance = cluster.get("InstanceType", "")
    if not isinstance(instance, str):
        return
    family = instance.partition(".")[0]
    if family in ("t2", "m3") and _is_on(as_mapping(properties.get("EncryptionAtRestOptions")).get("Enabled")):
        yield f"encrypts at rest, and has instances of {instance}, which do not"
    if family in ("t2", "t3") and as_mapping(properties.get("AutoTuneOptions")).get("DesiredState") == "ENABLED":
        yield f"tunes itself (Auto-Tune), and has instances of {instance}, which do not"
    count = text(cluster.get("InstanceCount", 1))
    if _is_on(cluster.get("ZoneAwarenessEnabled")) and count.isdecimal() and int(count) < 2:
        yield f"spreads its instances over zones, and has {count}"


def _is_on(value: Any) -> bool:
    return isinstance(value, (bool, str)) and text(value).lower() == "true"
