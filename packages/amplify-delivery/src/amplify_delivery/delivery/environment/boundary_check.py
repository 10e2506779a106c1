"""What a bootstrapped environment's boundary denies to the roles of an export, as its account's file says: without
AWS."""

from __future__ import annotations

from amplify_delivery.delivery.account import rights_check
from amplify_delivery.delivery.planning import Stacks, beyond_boundary, unread_policies
from amplify_delivery.delivery.project import stack_files
from amplify_delivery.export import Assembly, render_root
from amplify_delivery.stacks.access import resource_types, staging_bucket
from amplify_delivery.stacks.config import Project


def notes(assembly: Assembly, environment: str, project: Project) -> tuple[str, ...]:
    """A line with the way out, and one about policies that nobody can look into; or none. Raises `ConfigError`."""
    config = stack_files.load(project.directory, environment)
    if not config.bootstrapped:
        return ()
    bucket = staging_bucket(assembly.project, config)
    root = render_root(assembly, stack_files.values(project.directory, config), bucket)
    allowed = rights_check.declared_boundary(config, project, resource_types(assembly))
    wanted = Stacks.of(assembly, root, root.parameters)
    denied = rights_check.denied_at_run_time(beyond_boundary(allowed, wanted), config, project)
    return (*denied, *rights_check.not_compared(unread_policies(wanted)))
