"""The process `pulumi-resource-aws`."""

from __future__ import annotations

from rehearsal.providers.messages import load_without_sdk
from rehearsal.providers.serve import serve


def main(version: str) -> None:
    """Serves as the plugin of this version until the engine interrupts or goes away."""
    load_without_sdk()
    from pulumi.runtime.proto import provider_pb2_grpc

    from rehearsal.providers.classic.provider import ClassicProvider

    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(ClassicProvider(version), server))
