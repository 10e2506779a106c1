"""The plan of a deployment: what would change, resource by resource. Pure: no AWS, no engine, no clock."""

from amplify_delivery.changes.backend import plan_backend
from amplify_delivery.changes.stacks import Stacks
from amplify_delivery.changes.steps import (
    AddResource,
    ChangeOutput,
    ChangeProgram,
    ChangeResource,
    MoveStack,
    ProtectStack,
    RemoveResource,
    ReplaceResource,
    Step,
    UpdateRoot,
    UpdateStack,
    digest,
)
from amplify_delivery.delivery.planning.in_order import InOrder, in_order
from amplify_delivery.delivery.planning.needs import (
    Identity,
    Lacking,
    Needs,
    beyond_boundary,
    lacking,
    named_policies,
    nameless,
    page_buckets,
    program_needs,
    unread_policies,
    without_boundary,
)
from amplify_delivery.delivery.planning.notes import (
    boundary_comes,
    bytes_unread,
    closed_tables,
    ignored,
    losses,
    trust_gap,
    unread,
    updated_by_hand,
)
from amplify_delivery.delivery.planning.output_steps import plan_outputs
from amplify_delivery.delivery.planning.plan import Plan, Run, Start, Target, document_digest, number_of, runs_of
from amplify_delivery.delivery.planning.production import protection
from amplify_delivery.delivery.planning.program import ProgramStep, plan_program
from amplify_delivery.delivery.planning.program_rights import program_rights

__all__ = [
    "AddResource",
    "ChangeOutput",
    "ChangeProgram",
    "ChangeResource",
    "Identity",
    "InOrder",
    "Lacking",
    "MoveStack",
    "Needs",
    "Plan",
    "ProgramStep",
    "ProtectStack",
    "RemoveResource",
    "ReplaceResource",
    "Run",
    "Stacks",
    "Start",
    "Step",
    "Target",
    "UpdateRoot",
    "UpdateStack",
    "beyond_boundary",
    "boundary_comes",
    "bytes_unread",
    "closed_tables",
    "digest",
    "document_digest",
    "ignored",
    "in_order",
    "lacking",
    "losses",
    "named_policies",
    "nameless",
    "number_of",
    "page_buckets",
    "plan_backend",
    "plan_outputs",
    "plan_program",
    "program_needs",
    "program_rights",
    "protection",
    "runs_of",
    "trust_gap",
    "unread",
    "unread_policies",
    "updated_by_hand",
    "without_boundary",
]
