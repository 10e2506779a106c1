"""Publishing from inside a deployment: what `AmplifyBackend` calls before its stack is created or updated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from amplify_export.assembly import Assembly, AssemblyObject
from components.providers import Access


class Publisher(Protocol):
    """Brings an assembly's objects, and `extra` ones with their bytes, to where CloudFormation reads them.

    It runs in a thread of its own, may take as long as it needs, and reports to `progress`. It raises
    `DeliveryError`, whose text the user sees.
    """

    def __call__(
        self, assembly: Assembly, extra: Sequence[tuple[AssemblyObject, bytes]], progress: Callable[[str], None]
    ) -> object: ...


@dataclass(frozen=True)
class BucketPublisher:
    """Publishes into `bucket` with `access`, which is the very access of the stack's provider."""

    bucket: str
    access: Access

    def __call__(
        self, assembly: Assembly, extra: Sequence[tuple[AssemblyObject, bytes]], progress: Callable[[str], None]
    ) -> object:
        # boto3 and the linter are only loaded when something is published: not in a preview, nor when nothing changed.
        from publishing import PublishTarget, publish  # noqa: PLC0415

        access = self.access
        target = PublishTarget(self.bucket, access.account, access.region, access.profile, access.role_arn)
        return publish(assembly, extra, target, progress)
