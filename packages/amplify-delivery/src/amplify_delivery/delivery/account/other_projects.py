"""Other projects of the same account, whose names may go on where one of ours ends.

`app-x` with a pipeline `deploy` and `app` with an environment `x` both make a role `app-x-deploy`. Within a project
the files tell (`amplify_delivery.stacks.collisions`); of another one only the account does: roles of ours stand below a
path that holds project and stack.
"""

from __future__ import annotations

from collections.abc import Iterable

from amplify_delivery.components.documents.naming import ROOT_PATH, EnvironmentNames, PipelineNames
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.errors import RefusedError
from amplify_delivery.publishing.aws_errors import ACCESS_DENIED, suppressing


def check(account: Account, names: Iterable[EnvironmentNames | PipelineNames]) -> None:
    """Raise `RefusedError` if a role of another project, or of another stack of this one, has the name of one that the
    stack of `names` makes. Who may not list roles is told by AWS when the role is made."""
    roles = _roles(account)
    for own in names:
        for kind, name in sorted(own.taken()):
            path = roles.get(name, own.path)
            if kind == "role" and not path.startswith(own.path):
                raise RefusedError(
                    f"the role {name} is there already, and another's: it stands below {path}, ours below {own.path}",
                    where=account.place,
                    remedy="two stacks that make the same names cannot share an account. Give one of them another name "
                    "(of the project, environment or pipeline) or another account; nothing was changed",
                )


def _roles(account: Account) -> dict[str, str]:
    """The paths of all roles of ours in the account, by name."""
    with account.asking("listing the roles of other projects"), suppressing(*ACCESS_DENIED):
        pages = account.client("iam").get_paginator("list_roles").paginate(PathPrefix=ROOT_PATH)
        return {str(role["RoleName"]): str(role["Path"]) for page in pages for role in page["Roles"]}
    return {}
