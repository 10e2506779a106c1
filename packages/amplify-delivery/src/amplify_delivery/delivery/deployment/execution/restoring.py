"""Bringing back what somebody has updated by hand: one update of the root stack, with the template that it has.

For the engine the root is unchanged, so it calls nobody. CloudFormation looks into every nested stack when the root is
updated ("Changes to a nested stack's template aren't visible to CloudFormation until you run an update on the parent
stack", `ResourceChangeDetail` in its API reference). Nested stacks are never updated by themselves: "certain stack
operations, such as stack updates, should be initiated from the root stack" (user guide, "Nested stacks").
"""

from __future__ import annotations

from amplify_delivery.changes import deployed
from amplify_delivery.changes.by_hand import by_hand, named
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.impossible import check as refuse
from amplify_delivery.changes.impossible import impossible
from amplify_delivery.components.names import object_url
from amplify_delivery.delivery import output
from amplify_delivery.delivery.environment.planned import Backend
from amplify_delivery.delivery.environment.wanted import Wanted
from amplify_delivery.errors import FailedError, RefusedError
from amplify_delivery.export.assembling.root import TEMPLATE_KEY
from amplify_delivery.publishing import check_stack
from amplify_delivery.publishing.aws_errors import Refusal, suppressing_all
from amplify_delivery.publishing.failures import failed_resources
from amplify_delivery.publishing.stack_state import described
from amplify_delivery.publishing.target import PublishTarget

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def needed(here: Backend) -> bool:
    """Whether something of `here` differs because of a stack that was updated by hand. The engine does not see that: as
    far as it knows, the root has this release's template."""
    stacks = here.found.stacks
    if stacks is None or stacks.parameters.get(TEMPLATE_KEY) != here.wanted.parameters.get(TEMPLATE_KEY):
        return False
    return bool(here.steps and by_hand(stacks))


def check(here: Backend, guard: Guard) -> None:
    """Raise `RefusedError` for what AWS cannot bring back, and for data that would be lost with it."""
    refuse(
        impossible(here.steps, here.found.stacks, here.wanted, guard.today, guard.ignored),
        guard.environment,
    )
    guard.check(here.steps)


def restore(target: Wanted, here: Backend) -> None:
    """Update the root stack with its own template and parameters, and wait.

    Raises `RefusedError` if the stack cannot take it, `FailedError` if it did not go well."""
    account, stack = target.account, target.root.stack_name
    place = PublishTarget(target.bucket, account.account, account.region, target.config.profile, target.config.role_arn)
    check_stack(place, stack, creating=False)
    stacks = here.found.stacks
    have = stacks.parameters if stacks else {}
    wanted = target.root.template["Parameters"]
    cloudformation = account.client("cloudformation")
    told = f"updated by hand: {named(by_hand(stacks)) if stacks else stack}"
    output.progress(f"{told}. {stack} is updated with the template that it was delivered with, which brings it back")
    with account.asking(f"reading stack {stack}"):
        # What differs from the state would be a change of the next plan's.
        capabilities = (described(cloudformation, stack) or {}).get("Capabilities") or _CAPABILITIES
    with suppressing_all() as refusal:
        # Without RoleARN CloudFormation uses the role that the stack has; without Tags it leaves them.
        answer = cloudformation.update_stack(
            StackName=stack,
            TemplateURL=object_url(target.bucket, target.root.object.key, account.region),
            Parameters=[{"ParameterKey": n, "UsePreviousValue": True} for n in sorted(wanted.keys() & have.keys())]
            + [
                {"ParameterKey": n, "ParameterValue": target.root.parameters[n]}
                for n in sorted((wanted.keys() - have.keys()) & target.root.parameters.keys())
            ],
            Capabilities=capabilities,
        )
    if refusal:
        raise _refused(refusal, target, told)
    with account.changing(f"waiting for {stack}"):
        deployed.settle(cloudformation, stack, deployed.LONGEST_UPDATE, output.progress)
        status = str((described(cloudformation, stack) or {}).get("StackStatus"))
    if status != "UPDATE_COMPLETE":
        reasons = failed_resources(cloudformation, answer["StackId"])
        raise FailedError(
            "\n".join([f"{told} could not be brought back: {stack} is {status}", *reasons]),
            where=target.config.environment,
            remedy="fix what CloudFormation names, then run the same command again",
        )


def _refused(refusal: Refusal, target: Wanted, told: str) -> RefusedError:
    stack, account = target.root.stack_name, target.account
    if refusal.code == "ValidationError" and "No updates are to be performed" in refusal.said:
        remedy = (
            f"update the nested stack itself with the template that its parent names: `aws cloudformation "
            f"describe-stack-resources --stack-name {stack} {account.options}` tells its id"
        )
        return RefusedError(f"{told}; CloudFormation does not look there", where=stack, remedy=remedy)
    return RefusedError(
        f"{told}; bringing it back was refused: {refusal.said}",
        where=f"{stack} (account {account.account}, {account.region})",
        remedy="these credentials need cloudformation:UpdateStack on the root stack, as for any deployment",
    )
