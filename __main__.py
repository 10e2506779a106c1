"""The Pulumi program: runs the one of `stacks/` that the stack's configuration names with `program`."""

import pulumi

from amplify_delivery.components.errors import as_run_error
from amplify_delivery.stacks import programs

with as_run_error():
    programs.find(pulumi.Config().get("program") or "backend")()
