"""An update of a user pool takes back whatever it does not send: triggers above all.

MiniStack keeps it. So a pool's triggers survive an update that on AWS has cleared them without a word: CloudFormation
sends what the template holds, and what a custom resource has set beside it is gone.
AWS: Amazon Cognito API reference, UpdateUserPool: "If you don't provide a value for an attribute, Amazon Cognito sets
it to its default value." The tier of features stays, and what UpdateUserPool does not take at all.
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.services import cognito
from ministack.services.cloudformation import provisioners

from ._expect import PatchError, expect, replace


def apply() -> None:
    """Complete every update with the defaults."""
    update = expect(cognito, "_update_user_pool", "data")
    defaults = getattr(provisioners, "_COGNITO_USER_POOL_UPDATABLE", None)
    if not isinstance(defaults, dict) or "LambdaConfig" not in defaults:
        raise PatchError(f"{provisioners.__name__} has no defaults of a user pool any more")

    def update_user_pool(data: dict[str, Any]) -> Any:
        return update({**copy.deepcopy(defaults), **data})

    replace("_update_user_pool", update_user_pool, cognito)


def probe(aws: Any) -> bool:
    """Triggers go with an update that says nothing of them, what it sends stays."""
    target = "AWSCognitoIdentityProviderService."
    trigger = f"arn:aws:lambda:us-east-1:{aws.owner.account}:function:probe"
    made = aws.json(
        aws.owner,
        "cognito-idp",
        f"{target}CreateUserPool",
        PoolName=aws.name("user-pool-update"),
        LambdaConfig={"PreSignUp": trigger},
    )
    pool = made["UserPool"]["Id"]
    message = "Your code is {####}"
    aws.json(aws.owner, "cognito-idp", f"{target}UpdateUserPool", UserPoolId=pool, EmailVerificationMessage=message)
    found = aws.json(aws.owner, "cognito-idp", f"{target}DescribeUserPool", UserPoolId=pool)["UserPool"]
    return not found.get("LambdaConfig") and found["EmailVerificationMessage"] == message
