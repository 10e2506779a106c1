"""Names of secrets that AWS still keeps: a deleted secret can be restored for a while, and its name is taken so long.

"DeleteSecret" in the Secrets Manager API reference: a secret can be restored within its recovery window, and one that
is deleted with `ForceDeleteWithoutRecovery` cannot. CreateSecret is refused meanwhile ("a secret with this name is
already scheduled for deletion"); the provider asks again for two minutes, since the end of a secret takes AWS a moment.
"""

from collections.abc import Callable

from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import suppressing, suppressing_all
from amplify_delivery.publishing.credentials import client_config, target_session
from amplify_delivery.publishing.target import PublishTarget


def free(target: PublishTarget, name: str, description: str, progress: Callable[[str], None], *, preview: bool) -> None:
    """Make the name of a secret free that is about to be made, with this description.

    One of that description was this environment's, and gets its value anew: it is deleted for good, but in a preview.
    Raises `RefusedError` where somebody else's waits for its deletion. What AWS does not let us see or do is left for
    CreateSecret to say.
    """
    found = None
    with suppressing_all():
        secrets = target_session(target).client("secretsmanager", config=client_config())
        with suppressing("ResourceNotFoundException"):
            found = secrets.describe_secret(SecretId=name)
    if found is None or not found.get("DeletedDate"):
        return
    if found.get("Description") != description:
        raise RefusedError(
            f"AWS keeps a deleted secret of this name, {found.get('Description') or 'without a description'!r}: it is "
            "not this environment's, and until it is gone nobody can make another one",
            where=f"secret {name} (account {target.account}, {target.region})",
            remedy=f"nothing was changed. If nobody needs it: `aws secretsmanager delete-secret --secret-id {name} "
            f"--force-delete-without-recovery {target.options}`; `aws secretsmanager restore-secret --secret-id {name} "
            f"{target.options}` brings it back",
        )
    if preview:
        return
    progress(
        f"the secret {name} was deleted, and AWS keeps it: that ends now, and it is made with the value it has here"
    )
    with suppressing_all():
        secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
