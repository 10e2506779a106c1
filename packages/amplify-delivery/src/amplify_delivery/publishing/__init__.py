"""Lint an assembly and bring its objects into a staging bucket.

Names are loaded when first used: boto3 and the linter cost half a second, and a deployment that changes nothing
needs neither. Whoever publishes from a Pulumi hook must have imported this package while the program ran: Pulumi's
language host (like `python DIRECTORY`) takes the program's folder off `sys.path` when the program's end is reached,
and hooks run after that. Submodules are found through the package's own path.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amplify_delivery.publishing.credentials import clients, provider_session
    from amplify_delivery.publishing.examination.preflight import Deployment, examine, refusing
    from amplify_delivery.publishing.failures import failed_resources, first_causes
    from amplify_delivery.publishing.images import push
    from amplify_delivery.publishing.stack_state import check_names, check_stack, stack_is_there
    from amplify_delivery.publishing.target import PublishTarget
    from amplify_delivery.publishing.termination import try_to_set
    from amplify_delivery.publishing.upload import PublishReport, lacking, publish, publish_templates

__all__ = [
    "Deployment",
    "PublishReport",
    "PublishTarget",
    "check_names",
    "check_stack",
    "clients",
    "examine",
    "failed_resources",
    "first_causes",
    "lacking",
    "provider_session",
    "publish",
    "publish_templates",
    "push",
    "refusing",
    "stack_is_there",
    "try_to_set",
]

_HOME = {
    "Deployment": "examination.preflight",
    "PublishReport": "upload",
    "PublishTarget": "target",
    "check_names": "stack_state",
    "check_stack": "stack_state",
    "clients": "credentials",
    "examine": "examination.preflight",
    "refusing": "examination.preflight",
    "failed_resources": "failures",
    "first_causes": "failures",
    "lacking": "upload",
    "provider_session": "credentials",
    "publish": "upload",
    "publish_templates": "upload",
    "push": "images",
    "stack_is_there": "stack_state",
    "try_to_set": "termination",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
