"""The first notification rule of an account, which AWS refuses until its service has a role of its own there.

"Using service-linked roles for AWS CodeStar Notifications" in the Developer Tools console user guide: the first rule
has the role made. It is refused meanwhile, for up to 15 minutes, and neither the provider nor CloudFormation tries
again (aws-cdk issue 34406, terraform-provider-aws pull request 30483).
"""

import asyncio

import pulumi

PATIENCE = 20 * 60
"""Seconds; AWS's own sentence says 15 minutes."""
_LONGEST_PAUSE = 60
_NOT_YET = "service-linked role for AWS CodeStar Notifications might not yet exist"


class UntilServiceHasItsRole:
    """Has the engine try again what is refused for want of the service's role, with growing pauses."""

    def __init__(self, name: str) -> None:
        self.waited = 0
        self.hook = pulumi.ErrorHook(f"{name}-first-notification", self._again)

    async def _again(self, event: pulumi.ErrorHookArgs) -> bool:
        if not event.errors or _NOT_YET not in event.errors[0] or self.waited >= PATIENCE:
            return False
        pause = min(max(self.waited, 1), _LONGEST_PAUSE)
        pulumi.log.info(
            "this is the account's first notification rule: AWS makes the role of its notifications there, which may "
            f"take 15 minutes; tried again in {pause} s"
        )
        await _sleep(pause)
        self.waited += pause
        return True


async def _sleep(seconds: int) -> None:
    await asyncio.sleep(seconds)
