"""Patches: where MiniStack differs from AWS in a way that would make a rehearsal lie.

One module each. Its docstring says what differs, how AWS behaves and where AWS documents it. Each has

- `apply()`: wraps functions of MiniStack; raises `PatchError` when one is not what it expects;
- `probe(aws) -> bool`: True if the server at hand behaves as AWS does. The self-test asks it before and
  after `apply`, so that a patch that MiniStack no longer needs is noticed.

They run inside MiniStack's own virtualenv: standard library and MiniStack only.
"""

from __future__ import annotations

from collections.abc import Collection
from types import ModuleType

from . import (
    _metadata,
    account_limits,
    account_reads,
    api_hosts,
    appsync_execution,
    appsync_files,
    appsync_functions,
    boundary_tags,
    bucket_deletion,
    bucket_lifecycles,
    bucket_namespace,
    bucket_owner,
    bucket_tags,
    build_projects,
    cloud_control,
    composite_alarms,
    conditional_writes,
    container_services,
    cross_account_bucket,
    cross_account_key,
    custom_resources,
    data_protection,
    default_policy_version,
    disabled_keys,
    event_ids,
    event_rules,
    execution_role,
    exports_in_use,
    face_collections,
    foreign_zones,
    graphql_hosts,
    host_prefixes,
    identity_providers,
    image_registry,
    image_scans,
    impossible_changes,
    index_backfill,
    key_aliases,
    lambda_code,
    location_resources,
    log_resources,
    machine_names,
    managed_policies,
    native_reads,
    nested_stacks,
    parameter_lists,
    passed_roles,
    pending_subscriptions,
    pinpoint_apps,
    policy_simulation,
    principal_arn,
    recorded_types,
    refused_forms,
    refused_pairs,
    refused_settings,
    repository_connections,
    request_tokens,
    resource_owners,
    rest_api_body,
    role_boundary,
    role_drift,
    role_paths,
    secret_keys,
    secure_transport,
    service_quotas,
    sign_in_owner,
    stack_deletion,
    stack_drift,
    stack_names,
    stack_policy,
    stack_records,
    stack_recovery,
    stack_role,
    table_policies,
    tags_at_creation,
    taken_names,
    template_characters,
    template_format,
    template_url,
    topic_requests,
    unchanged_resources,
    user_pool_update,
    user_pool_values,
    web_identity,
)
from ._expect import PatchError

__all__ = ["ALL", "PatchError", "apply", "name_of"]

ALL: tuple[ModuleType, ...] = (
    cross_account_key,
    cross_account_bucket,
    bucket_owner,
    bucket_tags,
    key_aliases,
    disabled_keys,
    log_resources,
    principal_arn,
    role_paths,
    secure_transport,
    conditional_writes,
    bucket_namespace,
    template_url,
    template_format,
    parameter_lists,
    template_characters,
    recorded_types,
    nested_stacks,
    unchanged_resources,
    stack_records,
    stack_policy,
    stack_deletion,
    stack_recovery,
    stack_role,
    passed_roles,
    role_boundary,
    role_drift,
    taken_names,
    impossible_changes,
    refused_forms,
    refused_pairs,
    refused_settings,
    bucket_lifecycles,
    managed_policies,
    index_backfill,
    foreign_zones,
    lambda_code,
    api_hosts,
    graphql_hosts,
    appsync_execution,
    appsync_files,
    appsync_functions,
    boundary_tags,
    bucket_deletion,
    build_projects,
    cloud_control,
    default_policy_version,
    event_rules,
    pending_subscriptions,
    rest_api_body,
    user_pool_update,
    user_pool_values,
    sign_in_owner,
    web_identity,
    data_protection,
    table_policies,
    identity_providers,
    topic_requests,
    machine_names,
    stack_names,
    container_services,
    image_registry,
    image_scans,
    host_prefixes,
    pinpoint_apps,
    location_resources,
    face_collections,
    account_limits,
    account_reads,
    policy_simulation,
    composite_alarms,
    secret_keys,
    repository_connections,
    service_quotas,
    event_ids,
    tags_at_creation,
    custom_resources,
    request_tokens,
    resource_owners,
    # Last: what is not allowed is not tried.
    execution_role,
    exports_in_use,
    native_reads,
    stack_drift,
)


def name_of(patch: ModuleType) -> str:
    """The patch's name, as the self-test and `--without` use it: its module's."""
    return patch.__name__.rpartition(".")[2]


def apply(without: Collection[str] = ()) -> None:
    """Apply all patches but those named in `without`; refuses a name that is no patch."""
    unknown = set(without) - {name_of(patch) for patch in ALL}
    if unknown:
        raise SystemExit(f"no such patch: {', '.join(sorted(unknown))}")
    _metadata.apply()
    for patch in ALL:
        if name_of(patch) not in without:
            patch.apply()
