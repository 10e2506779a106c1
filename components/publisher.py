"""Publishing from inside a deployment: what `AmplifyBackend` calls before its stack is created or updated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import publishing
from amplify_export import Assembly, AssemblyObject
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
        # `publishing` loads boto3 and the linter now: not in a preview, nor when nothing changed.
        access = self.access
        target = publishing.PublishTarget(self.bucket, access.account, access.region, access.profile, access.role_arn)
        return publishing.publish(assembly, extra, target, progress)
