"""A plan of a real re-export: where it starts, what it is for, its steps."""

from __future__ import annotations

from amplify_delivery.delivery.planning import (
    Plan,
    Start,
    Target,
    plan_backend,
)
from unit.delivery.planning.stacks_of import stacks_of

START = Start("amplify-app-dev-12345", "CREATE_COMPLETE", "1", "2", "3", "4")
TARGET = Target("dev", "444444444444", "eu-central-1", "a", "r", "p", "c")
STEPS = plan_backend(stacks_of("todo-series/v2"), stacks_of("todo-series/v3"))
PLAN = Plan(START, TARGET, STEPS)
