"""Connections to repositories: whose right to use one, or to pass it on, is asked for, and with which condition keys.

"Permissions and examples for AWS CodeConnections" in the Developer Tools console user guide; "Actions, resources, and
condition keys for AWS CodeConnections" in the service authorization reference. The older name of the service,
`codestar-connections`, is in the ARN of a connection that was made under it.
"""

from __future__ import annotations

from collections.abc import Mapping

from aws_rehearsal.pipeline_service.gate import Caller, Denied, Gate

CLONE = "GitPull"
"""What CodeBuild calls for a full clone."""
_WRITING = ("Create", "Delete", "GitPush", "Update")


def service_of(connection: str) -> str:
    """`codeconnections` or `codestar-connections`."""
    return connection.split(":")[2]


def use_denied(  # noqa: PLR0917 - who, what, and the condition keys
    gate: Gate,
    caller: Caller,
    connection: str,
    repository: str,
    call: str,
    configuration: Mapping[str, str] | None = None,
) -> Denied | None:
    """Why `caller` may not have the provider called so for a repository (`OWNER/NAME`); None if it may."""
    service = service_of(connection)
    context = {
        f"{service}:FullRepositoryId": repository,
        f"{service}:ProviderAction": call,
        f"{service}:ProviderPermissionsRequired": "read_write" if call.startswith(_WRITING) else "read_only",
    }
    branch = (configuration or {}).get("BranchName")
    if branch:
        context[f"{service}:BranchName"] = branch
    return gate.denied(caller, f"{service}:UseConnection", connection, context)


def require_pass(gate: Gate, caller: Caller, connection: str, to: str) -> None:
    """Raise AWS's refusal unless `caller` may give the connection to the service `to`."""
    service = service_of(connection)
    gate.require(caller, f"{service}:PassConnection", connection, {f"{service}:PassedToService": to})
