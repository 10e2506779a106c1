"""What an Amplify backend is made of: the arguments of `AmplifyBackend`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi

from amplify_delivery.components.backend import hooks
from amplify_delivery.components.backend.secrets import SecretKey
from amplify_delivery.components.publisher import Publisher
from amplify_delivery.export import Assembly, RootStack


@dataclass(frozen=True)
class Terminable:
    """The root stack's termination protection. `wanted` is asked with whether the templates have something that holds
    data, and says None for: as it is. `set_to` is given the stack's name, reports what AWS refuses, and raises
    nothing."""

    wanted: Callable[[bool], bool | None]
    set_to: hooks.SetTermination


@dataclass(frozen=True)
class AmplifyBackendArgs:
    """Arguments of `AmplifyBackend`."""

    assembly: Assembly
    root: RootStack
    """The root of `assembly`, rendered for this environment and for `staging_bucket`."""
    staging_bucket: str
    """Name of the bucket from which CloudFormation reads the templates."""
    region: str
    publisher: Publisher
    """Brings the objects into `staging_bucket`, before the stack is created or updated."""
    secrets: Mapping[SecretKey, pulumi.Input[str]] = field(default_factory=dict)
    """A value for each of `root.secrets`."""
    instead: RootStack | None = None
    """What the root stack is updated to now, on the way to `root`, where AWS does not take that in one update. What
    `root` has more is not there yet."""
    may_change: hooks.MayChange | None = None
    """Refuses, with a `DeliveryError`, a change that the root stack cannot take; told whether it is a first create.
    Asked in previews too; without it nothing keeps a replacement from deleting the stack but `protect`."""
    free_secret: hooks.FreeSecret | None = None
    """Makes a secret's name free before the secret is made, told its name and description: AWS keeps a deleted one, and
    its name, for a while. May raise a `DeliveryError`; asked in previews too, where it changes nothing. Without it a
    secret that was deleted cannot be made again before AWS has let go of it."""
    keep_trust: hooks.Keep | None = None
    """Looks, before the stack is updated, at what an update may take that the template does not hold: the trust of the
    auth roles. Gives what puts it back, which is called when the update has ended, well or not; both may raise a
    `DeliveryError`. It reports to the second argument."""
    explain: hooks.Explain | None = None
    """Says which resources of nested stacks failed, and why, when asked with the provider's error, which knows the
    root stack's own events only."""
    execution_role_arn: pulumi.Input[str] | None = None
    """The role that CloudFormation uses; without it, the deploying credentials."""
    protect: bool = True
    """Refuse to destroy the root stack while a nested stack holds data."""
    keep_api_key_expiry: bool = True
    """Leave the expiry of API keys at the date of the first deployment, whatever `root` says now."""
    terminable: Terminable | None = None
    """Whether CloudFormation refuses to delete the root stack; without it that stays as it is."""
    adopted: str | None = None
    """ARN of a root stack that runs and is to become this one: it is taken into the engine's state as it is, protected,
    and nothing of it is changed or made (`amplify-delivery adopt`). Its parameters are completed afterwards."""
    timeout: str = "3h"
    """How long CloudFormation may take to create, update or delete. The provider's own 30 minutes are too short for a
    large schema: each model is a nested stack with a table."""
