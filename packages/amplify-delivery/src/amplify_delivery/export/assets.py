"""Which files of the export belong to which nested stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from amplify_delivery.export.model import AmplifyResource, Export, ExportedStack
from amplify_delivery.export.templates.expressions import Ref, flatten

AUXILIARY_FOLDER = "amplify-auxiliary-files"
APPSYNC_FOLDER = "amplify-appsync-files"
BUILDS_FOLDER = "amplify-builds"
AUTH_ASSETS_FOLDER = "amplify-auth-assets"

BUCKET_PARAMETER = "deploymentBucketName"
KEY_PARAMETER = "s3Key"
CONTAINER_KEY_PARAMETER = "ParamZipPath"
AWAITER_PARAMETER = "awaiterS3Key"
APPSYNC_BUCKET = "S3DeploymentBucket"
APPSYNC_ROOT_KEY = "S3DeploymentRootKey"
CDK_ASSET_PARAMETER = "AssetParameters"
"""What the parameters begin with by which a template of CDK 1 takes its assets."""
VERIFICATION_BUCKET = "verificationBucketName"

_WITH_ARCHIVE = ("function", "interactions", "api")
"""Categories whose templates take a zip; in others a parameter of that name is the user's own."""

_CONTENT_TYPES = {
    ".css": "text/css",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Types of what a page is made of. Python's own table depends on its version and on the machine."""


def content_type(path: str) -> str:
    """The type as which a web page's file is served."""
    dot = path.rfind(".")
    return _CONTENT_TYPES.get(path[dot:].lower(), "application/octet-stream")


@dataclass(frozen=True)
class Assets:
    """The export's files by their use; every path is relative to the export's folder."""

    export: Export

    @cached_property
    def resources(self) -> Mapping[str, AmplifyResource]:
        """Amplify resources by the logical id of their nested stack."""
        return {r.logical_id: r for r in self.export.resources}

    @cached_property
    def _by_folder(self) -> Mapping[str, list[str]]:
        """Files by their first three folders: enough to find a resource's own."""
        folders: dict[str, list[str]] = {}
        for file in self.export.files:
            parts = file.split("/", 3)
            folders.setdefault("/".join(parts[:3]) if len(parts) > 3 else file.rpartition("/")[0], []).append(file)
        return folders

    def builds(self, logical_id: str) -> list[str]:
        """The files in a resource's `amplify-builds`, sorted."""
        resource = self.resources.get(logical_id)
        if resource is None:
            return []
        return sorted(self._by_folder.get(f"{resource.category}/{resource.name}/{BUILDS_FOLDER}", []))

    def needs_archive(self, stack: ExportedStack) -> str | None:
        """The parameter by which a stack's template takes the key of its zip, or None."""
        resource = self.resources.get(stack.logical_id)
        if resource is None or not (resource.category in _WITH_ARCHIVE or self.builds(stack.logical_id)):
            return None
        return next((name for name in (KEY_PARAMETER, CONTAINER_KEY_PARAMETER) if name in stack.declared), None)

    def layer_files(self, stack: ExportedStack) -> tuple[str, ...]:
        """The zips that a Lambda layer's template names itself, one per version: `${s3Key}/FILE`.

        An export of a layer that was pushed before holds its older versions too.
        """
        if self.needs_archive(stack) != KEY_PARAMETER:
            return ()
        resource = self.resources[stack.logical_id]
        found = []
        for item in stack.resources.values():
            if item["Type"] == "AWS::Lambda::LayerVersion":
                content = item.get("Properties", {}).get("Content")
                segments = flatten(content.get("S3Key")) if isinstance(content, dict) else []
                if len(segments) == 2 and segments[0] == Ref(KEY_PARAMETER) and isinstance(segments[1], str):
                    name = segments[1].removeprefix("/")
                    found.append(f"{resource.category}/{resource.name}/{BUILDS_FOLDER}/{name}")
        return tuple(found)

    def archive(self, stack: ExportedStack) -> str | None:
        """The one zip that belongs to the stack, if its template needs one and there is exactly one."""
        if not self.needs_archive(stack) or self.layer_files(stack):
            return None
        files = self.builds(stack.logical_id)
        return files[0] if len(files) == 1 and files[0].endswith(".zip") else None

    def appsync_folder(self, stack: ExportedStack) -> str | None:
        """The folder of an AppSync API's files, with a slash at its end."""
        resource = self.resources.get(stack.logical_id)
        if resource is None or APPSYNC_ROOT_KEY not in stack.declared:
            return None
        return f"{resource.category}/{resource.name}/{APPSYNC_FOLDER}/"

    def has_appsync_files(self, stack: ExportedStack) -> bool:
        folder = self.appsync_folder(stack)
        return folder is not None and folder.rstrip("/") in self._by_folder

    @cached_property
    def auxiliary(self) -> Mapping[str, str]:
        """Auxiliary files (container APIs) by their bare name, as templates know them."""
        prefix = f"{AUXILIARY_FOLDER}/"
        return {f.removeprefix(prefix): f for f in sorted(self.export.files) if f.startswith(prefix)}

    def verification_files(self, stack: ExportedStack) -> list[str]:
        """Files for the bucket of Cognito's verification pages, sorted."""
        resource = self.resources.get(stack.logical_id)
        if resource is None or VERIFICATION_BUCKET not in stack.parameters:
            return []
        prefix = f"{resource.category}/{resource.name}/{AUTH_ASSETS_FOLDER}/"
        return sorted(f for f in self.export.files if f.startswith(prefix))
