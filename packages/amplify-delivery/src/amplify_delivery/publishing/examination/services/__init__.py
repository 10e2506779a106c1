"""What services refuse and no schema of theirs says: found in the templates as an environment resolves them."""

from amplify_delivery.publishing.examination.services.apis import (
    long_pipelines,
    second_resolvers,
    undeployable_apis,
    unknown_sign_in,
    variable_siblings,
)
from amplify_delivery.publishing.examination.services.assertions import failed_assertions
from amplify_delivery.publishing.examination.services.buckets import refused_buckets
from amplify_delivery.publishing.examination.services.cognito import impossible_sign_in
from amplify_delivery.publishing.examination.services.dynamodb import impossible_tables
from amplify_delivery.publishing.examination.services.events import refused_events
from amplify_delivery.publishing.examination.services.exclusive import exclusive_settings
from amplify_delivery.publishing.examination.services.functions import former_sdk, refused_functions
from amplify_delivery.publishing.examination.services.iam import attached_policies, large_policies, malformed_policies
from amplify_delivery.publishing.examination.services.roles import locked_keys, unassumable_roles
from amplify_delivery.publishing.examination.services.s3 import impossible_lifecycles
from amplify_delivery.publishing.examination.services.search import impossible_domains
from amplify_delivery.publishing.examination.services.triggers import powerless_triggers
from amplify_delivery.publishing.examination.services.twice import given_twice
from amplify_delivery.publishing.examination.services.user_pools import refused_pools

SERVICE_CHECKS = (
    second_resolvers,
    variable_siblings,
    long_pipelines,
    undeployable_apis,
    unknown_sign_in,
    large_policies,
    malformed_policies,
    attached_policies,
    impossible_lifecycles,
    impossible_tables,
    impossible_sign_in,
    impossible_domains,
    powerless_triggers,
    refused_functions,
    unassumable_roles,
    locked_keys,
    refused_pools,
    refused_buckets,
    refused_events,
    exclusive_settings,
    former_sdk,
    given_twice,
    failed_assertions,
)

__all__ = ["SERVICE_CHECKS"]
