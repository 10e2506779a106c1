"""The process `pulumi-resource-aws-native`."""

from __future__ import annotations

from aws_rehearsal.providers.messages import load_without_sdk
from aws_rehearsal.providers.serve import serve


def main(version: str) -> None:
    """Serves as the plugin of this version until the engine interrupts or goes away."""
    load_without_sdk()
    from pulumi.runtime.proto import provider_pb2_grpc

    from aws_rehearsal.providers.native.provider import NativeProvider

    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(NativeProvider(version), server))
