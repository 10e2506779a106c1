"""What teams have done to a running environment beside the Amplify CLI, before it is adopted. Of `fitness-tracker`."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from functional.adoption.adoptable import Adoptable

CODE = "functionadmin/LambdaFunction"
POOL = "authfitnesstracker6b0fc1196b0fc119/UserPool"
TAG = {"Key": "cost-center", "Value": "4711"}


@dataclass(frozen=True)
class Edited:
    """A tag and a topic of whoever runs the account's platform, other code in a function, a trigger of the user pool,
    both set in the console."""

    app: Adoptable
    topic: str

    @classmethod
    def make(cls, app: Adoptable) -> Edited:
        cloudformation, name = app.there.client("cloudformation"), app.app.stack_name
        edited = cls(app, app.there.client("sns").create_topic(Name="platform")["TopicArn"])
        stack, runs = app.there.stack(name), app.running
        cloudformation.update_stack(
            StackName=name,
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
            Tags=[*stack["Tags"], TAG],
            NotificationARNs=[edited.topic],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        cloudformation.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        # The tag reaches the auth roles, with the template's trust, which denies everybody: that was put right since.
        for role, document in runs.trust.items():
            app.there.client("iam").update_assume_role_policy(
                RoleName=runs.resources[role], PolicyDocument=json.dumps(document)
            )
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as mended:
            mended.writestr("index.js", "exports.handler = async () => 'mended'")
        function = app.there.client("lambda").update_function_code(
            FunctionName=runs.resources[CODE], ZipFile=archive.getvalue()
        )
        app.there.client("cognito-idp").update_user_pool(
            UserPoolId=runs.resources[POOL], LambdaConfig={"PostConfirmation": function["FunctionArn"]}
        )
        return edited

    def is_told(self, plan: dict[str, Any]) -> None:
        """A plan says what of it the deployment takes away, and the file keeps what it need not take."""
        assert CODE not in plan["sameBytes"]
        (code,) = [note for note in plan["notes"] if "other code runs than was delivered" in note]
        assert f"(1: {CODE})" in code
        (trigger,) = [note for note in plan["notes"] if "triggers that no template has" in note]
        assert f"{POOL} runs with triggers that no template has (PostConfirmation: arn:" in trigger
        assert 'cost-center: "4711"' in self.app.file.read_text()

    def is_kept(self) -> None:
        """The stack has what was the platform's."""
        stack = self.app.there.stack(self.app.app.stack_name)
        assert TAG in stack["Tags"]
        assert stack["NotificationARNs"] == [self.topic]
