"""What a stack was first deployed as, kept in the engine's own state, so that a change can be refused."""

from collections.abc import Mapping

import pulumi

from amplify_delivery.errors import ConfigError

ROOT_STACK_NAME = "the root stack's name"
"""The fact by which a backend's stack knows its root stack."""
STAGING, STAGING_OWNER = "staging", "staging-owner"
"""Names in a backend's program: a personal stack's own staging area, and what remembers whose the area is."""
WHOSE_STAGING, ITS_OWN, ITS_ACCOUNTS = "staging area (`bootstrapped`)", "its own", "its account's"
"""That fact, and what it may be."""
MOVED, THEN = "moved", "then"
"""Facts that no program declares: a command has written them into a state that is, or was, moved to another backend.
The former says so, to end a sentence that begins with the stack; the latter says what to do."""


def unchanged(
    name: str, facts: Mapping[str, str], remedy: str, opts: pulumi.ResourceOptions | None = None
) -> pulumi.Output[dict[str, str]]:
    """`facts`, once it is sure that they are those of the first deployment.

    Whatever takes the result as an input, or in `depends_on`, is not even planned when a fact has changed: the program
    ends with an error that names the fact and tells `remedy`. It does so in a preview as well, because a `pulumi.Stash`
    lives in the state, needs no provider, and its output is known before anything runs.
    """
    # Its input is ignored after the first time: else each refused change would be written into the state.
    keep = pulumi.ResourceOptions(ignore_changes=["input"])
    stash = pulumi.Stash(name, input=dict(facts), opts=pulumi.ResourceOptions.merge(opts, keep))

    def check(remembered: Mapping[str, str]) -> dict[str, str]:
        if MOVED in remembered:
            error = ConfigError(
                f"it {remembered[MOVED]}: this is its former state, and nothing is done with that any more",
                where=f"stack {pulumi.get_stack()}",
                remedy=remembered.get(THEN, ""),
            )
            raise pulumi.RunError(str(error))
        for fact, value in facts.items():
            first = remembered.get(fact, value)
            if first != value:
                error = ConfigError(
                    f"{fact} is {value!r} now, but this stack was deployed with {first!r}",
                    where=f"stack {pulumi.get_stack()}",
                    remedy=remedy,
                )
                raise pulumi.RunError(str(error))
        return dict(facts)

    return stash.output.apply(check)
