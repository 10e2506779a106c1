"""Publishing from inside a deployment: what `AmplifyBackend` calls before its stack is created or updated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pulumi

from amplify_delivery import publishing
from amplify_delivery.changes.guard import Guard
from amplify_delivery.changes.ordered.handed import Handed
from amplify_delivery.components import kept_secrets
from amplify_delivery.components.providers import Access
from amplify_delivery.export import Assembly, ExportRefused, RootStack


class Publisher(Protocol):
    """Makes ready for a deployment of `root`: brings the objects of `assembly` and the root template to where
    CloudFormation reads them.

    It runs in a thread of its own, may take as long as it needs, and
    reports to `progress`. It raises `DeliveryError`, whose text the user sees.
    """

    def __call__(self, assembly: Assembly, root: RootStack, progress: Callable[[str], None]) -> object: ...


@dataclass(frozen=True)
class BucketPublisher:
    """Refuses a deployment that would lose data, and publishes into `bucket`; with `access`, which is the very access
    of the stack's provider."""

    bucket: str
    access: Access
    guard: Guard
    """What data may be lost, and which findings do not count."""
    update: Handed | None = None
    """What is deployed on the way, instead of the release itself."""
    copied: frozenset[str] = frozenset()
    """Tables whose items are in their successors (`amplify_delivery.changes.ordered.handed.copied`)."""
    recovered: str | None = None
    """The state that the root stack is brought out of before the program's changes are made; None: none."""
    repository: str | None = None
    """The ECR repository of the environment's container images."""
    _free: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Root stacks whose names were looked for, and found to be nobody's."""
    _examined: set[str] = field(default_factory=set, init=False, repr=False, compare=False)
    """Keys of roots that were examined with all below them, and found to be good."""

    def __call__(self, assembly: Assembly, root: RootStack, progress: Callable[[str], None]) -> object:
        # boto3 and the linter are loaded now: not when nothing changed.
        from amplify_delivery.changes import guarded  # noqa: PLC0415

        guarded.check(self._target, assembly, root, self.guard, progress, self.update, self.copied)
        if self.update:
            return self._publish_update(self.update, assembly, root, progress)
        return self._publish(assembly, root, progress)

    def _publish(self, assembly: Assembly, root: RootStack, progress: Callable[[str], None]) -> object:
        return publishing.publish(
            assembly,
            [(root.object, root.body)],
            self._target,
            progress,
            self.guard.ignored,
            stack=root.stack_name,
            examined=root.object.key in self._examined,
        )

    def push(self, assembly: Assembly, progress: Callable[[str], None]) -> object:
        """Push the container images of `assembly` that are not in the repository. Raises `DeliveryError`."""
        return publishing.push(assembly, self._target, progress)

    def instead(self, root: RootStack) -> RootStack | None:
        """What is deployed on the way to `root`, if that is asked for."""
        return self.update.root(root) if self.update else None

    def _publish_update(
        self, update: Handed, assembly: Assembly, root: RootStack, progress: Callable[[str], None]
    ) -> object:
        """What an update on the way needs: it is made of templates that are deployed, or, `released`, of `root`'s."""
        if update.released:
            self._publish(assembly, root, progress)
        return publishing.publish_templates(update.objects, self._target, progress)

    def check(self, assembly: Assembly, root: RootStack, creating: bool) -> None:
        """Raise `DeliveryError` for a deployment of `root` that the stack cannot take: it is there already, locked,
        stuck or busy, or names are taken. `creating` tells a first create from an update."""
        target = self._target
        recovered = publishing.check_stack(
            target,
            root.stack_name,
            creating=creating,
            recovered=self.recovered,
            environment=self.guard.environment,
        )
        if creating and root.against_creating:
            raise ExportRefused(root.against_creating)
        if creating and not recovered and root.stack_name not in self._free:
            self._check_names(assembly, root)

    def check_first(
        self, assembly: Assembly, root: RootStack, progress: Callable[[str], None], *, examine: bool
    ) -> None:
        """Raise `DeliveryError` before the very first thing is made, for all that can be known of the create then:
        names that are taken, what AWS makes no more, and (`examine`, where no pipeline has done it) what CloudFormation
        would refuse in the templates. Where a root stack of ours is there already, `check` and the publication say it;
        anybody else's has to be adopted first, so that nothing is made beside it that nobody uses."""
        from amplify_delivery.changes import deployed, guarded  # noqa: PLC0415 - as above

        target = self._target
        if publishing.stack_is_there(target, root.stack_name, self.guard.environment, deployed.template):
            return
        if root.against_creating:
            raise ExportRefused(root.against_creating)
        self._check_names(assembly, root)
        guarded.check_create(target, assembly, root, self.guard, progress)
        if not examine:
            return
        rendered = publishing.Deployment(
            [(root.object, root.body)], self.bucket, target.region, self.guard.ignored, root.stack_name
        )
        findings = publishing.refusing(publishing.examine(assembly, {self.bucket: rendered})[self.bucket])
        if findings:
            raise ExportRefused(findings)
        self._examined.add(root.object.key)

    def _check_names(self, assembly: Assembly, root: RootStack) -> None:
        from amplify_delivery.changes import deployed  # noqa: PLC0415 - as above
        from amplify_delivery.changes.names import names  # noqa: PLC0415
        from amplify_delivery.changes.stacks import Stacks  # noqa: PLC0415

        target = self._target
        pseudo = {"AWS::AccountId": target.account, "AWS::Region": target.region, "AWS::StackName": root.stack_name}
        publishing.check_names(target, names(Stacks.of(assembly, root, deployed.known(root)), pseudo))
        self._free.add(root.stack_name)

    def first_causes(self, error: str) -> Sequence[str]:
        """`NESTED/RESOURCE (TYPE): REASON` of what failed in the stack that `error` names; empty if nobody can tell."""
        return publishing.first_causes(self._target, error)

    def free_secret(self, name: str, description: str) -> None:
        """Make the name free of a secret that is about to be made: AWS keeps a deleted one for a while. Raises
        `DeliveryError`."""
        kept_secrets.free(self._target, name, description, pulumi.log.info, preview=pulumi.runtime.is_dry_run())

    def keep_trust(self, root: RootStack, progress: Callable[[str], None]) -> Callable[[], object]:
        """Look at the trust of the root's auth roles; gives what puts back what an update has taken of it. Raises
        `DeliveryError`."""
        from amplify_delivery.changes.amplify import auth_trust  # noqa: PLC0415 - as above

        target = self._target
        place = f"account {target.account}, {target.region}"
        reach = auth_trust.Reach(publishing.clients(target), place, target.options, progress)
        return auth_trust.look(reach, root).put_back

    def set_termination(self, stack: str, on: bool) -> None:
        """Turn the termination protection of `stack` on, or off. What AWS refuses is a warning: the stack is deployed,
        and our commands plan what is left."""
        publishing.try_to_set(self._target, stack, pulumi.log.warn, on=on)

    @property
    def _target(self) -> "publishing.PublishTarget":
        access = self.access
        return publishing.PublishTarget(
            self.bucket, access.account, access.region, access.profile, access.role_arn, self.repository
        )
