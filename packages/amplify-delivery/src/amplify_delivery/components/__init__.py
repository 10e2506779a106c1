"""The Pulumi components, and what a program of one's own needs beside them.

    from amplify_delivery.components import AmplifyBackend

Names are loaded when first used: tools that read stack files import from below this package, and start no Pulumi.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amplify_delivery.components.amplify_backend import AmplifyBackend
    from amplify_delivery.components.backend.arguments import AmplifyBackendArgs
    from amplify_delivery.components.delivery_pipeline import DeliveryPipeline, DeliveryPipelineArgs
    from amplify_delivery.components.documents.naming import EnvironmentNames
    from amplify_delivery.components.providers import Access, aws_native_provider, aws_provider
    from amplify_delivery.components.publisher import BucketPublisher
    from amplify_delivery.components.staging_area import StagingArea, StagingAreaArgs
    from amplify_delivery.components.target_account import TargetAccount, TargetAccountArgs

__all__ = [
    "Access",
    "AmplifyBackend",
    "AmplifyBackendArgs",
    "BucketPublisher",
    "DeliveryPipeline",
    "DeliveryPipelineArgs",
    "EnvironmentNames",
    "StagingArea",
    "StagingAreaArgs",
    "TargetAccount",
    "TargetAccountArgs",
    "aws_native_provider",
    "aws_provider",
]

_HOME = {
    "Access": "providers",
    "AmplifyBackend": "amplify_backend",
    "AmplifyBackendArgs": "backend.arguments",
    "BucketPublisher": "publisher",
    "DeliveryPipeline": "delivery_pipeline",
    "DeliveryPipelineArgs": "delivery_pipeline",
    "EnvironmentNames": "documents.naming",
    "StagingArea": "staging_area",
    "StagingAreaArgs": "staging_area",
    "TargetAccount": "target_account",
    "TargetAccountArgs": "target_account",
    "aws_native_provider": "providers",
    "aws_provider": "providers",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
