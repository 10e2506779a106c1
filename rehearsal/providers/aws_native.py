"""The process `pulumi-resource-aws-native`."""

from __future__ import annotations

from typing import Any

from rehearsal.providers.messages import load_without_sdk
from rehearsal.providers.serve import serve


def main() -> None:
    load_without_sdk()
    from pulumi.runtime.proto import provider_pb2_grpc

    from rehearsal.providers.native.provider import NativeProvider

    def register(server: Any) -> None:
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(NativeProvider(), server)

    serve(register, warm_up)


def warm_up() -> None:
    """Loads what the first calls need while the engine is still reading its state."""
    from rehearsal.providers.session import warm_up as load_clients

    load_clients("sts", "cloudformation")
