"""What AWS cannot do, by id, with what it answers and the page that says so."""

from __future__ import annotations

from amplify_delivery.findings import Rule

INDEXES = Rule(
    "AD741",
    "refused",
    "More than one change of a table's global secondary indexes, where they cannot be delivered one after the other.",
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html",
    "`Cannot perform more than one GSI creation or deletion in a single update`",
    remedy="export and deliver with one of them after the other",
)

POOL = Rule(
    "AD742",
    "refused",
    "Another required attribute, another sign-in of a deployed user pool.",
    "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html",
    "`Invalid AttributeDataType input`, `Updates are not allowed for property`",
    remedy="put it back; another pool is another auth resource in the Amplify project, with its users moved",
)

NAMED = Rule(
    "AD743",
    "refused",
    "The replacement of a resource that keeps a name of its own.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html",
    "`CloudFormation cannot update a stack when a custom-named resource requires replacing`",
    remedy="a table gets a successor under another name, with its items (`replacedTables` in the stack file); anything "
    "else is delivered twice: first without the resource (its data goes), then with it, or gets another name",
)

OPERATION = Rule(
    "AD744",
    "refused",
    "More than 2,500 resources in one operation.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html",
    "`Limit on the number of resources in a single stack operation exceeded`",
    remedy="deliver in parts: first an export with some of the models, then with all",
)

RUNTIME = Rule(
    "AD745",
    "refused",
    "A new function with a runtime that is out of support; deployed ones stay deliverable.",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    "Lambda: the runtime parameter is no longer supported for creating functions",
    remedy="raise the function's runtime in the Amplify project, and export again",
)

TYPE = Rule(
    "AD746",
    "refused",
    "Another type under the same logical id.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
    "`Update of resource type is not permitted`",
    remedy="give the new resource another logical id",
)

EXPORT = Rule(
    "AD748",
    "refused",
    "An export that goes, or gets another value, though another stack of the backend imports it, where it cannot stay "
    "for one update more.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html",
    "`Export X cannot be deleted as it is in use by Y`, `Export X cannot be updated as it is in use by Y`",
    remedy="deliver twice: first an export in which nothing imports it, then this one",
)

UNFILLED = Rule(
    "AD749",
    "refused",
    "A release that would use a table's successor without the table's items in it.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html",
    "nothing: CloudFormation would do it, and the app find an empty table",
    remedy="`amplify-delivery up ENV`, or `plan` and `deploy`, copy the items; with `replacedTables` as they were",
)

EXPIRY = Rule(
    "AD750",
    "refused",
    "Another attribute by which a table's items expire, while the old one is in use.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-timetolivespecification.html",
    "`TimeToLive is active on a different AttributeName: current AttributeName is X`",
    remedy="deliver twice: first with `Enabled: false` for the old attribute, then, an hour later, with the new one",
)

BOT = Rule(
    "AD751",
    "refused",
    "A bot of Amazon Lex V1 (`amplify add interactions`) that is new, or changes: its function calls a service that "
    "ended on September 15, 2025. One that is deployed may stay as it is.",
    "https://docs.aws.amazon.com/lex/latest/dg/API_Operations.html",
    "`Received response status [FAILED] from custom resource`",
    remedy="take the interactions out of the Amplify project (`amplify remove interactions`), or put back what changed",
)

ANALYTICS = Rule(
    "AD752",
    "refused",
    "Another property of the custom resource that has made a Pinpoint app: its function answers an update with "
    "nothing, and the template reads the app's id from the answer.",
    "https://github.com/aws-amplify/amplify-cli/issues/6602",
    "`CustomResource attribute error: Vendor response doesn't contain Id key in object`, after which CloudFormation "
    "has the function delete the app",
    remedy="put the property back; another app is another resource of the category analytics in the Amplify project",
)
CLIENT = Rule(
    "AD754",
    "refused",
    "A change of an app client whose callback addresses and identity providers a custom resource has set (Amplify's "
    "CLI before version 12): an update takes back what it does not send, and the custom resource does not run again.",
    "https://github.com/aws-amplify/amplify-cli/issues/12079",
    "nothing: CloudFormation would do it, and the hosted UI then answers `redirect_mismatch` to everybody",
    remedy="export with version 12 of Amplify's CLI or a later one, which writes them into the client itself; or "
    "change `oAuthMetadata` in the same delivery",
)
MOVED = Rule(
    "AD753",
    "refused",
    "A resource under another logical id, or in another stack, that keeps its name: CloudFormation makes the new one "
    "before it deletes the old one. A resolver is one of its field, a group and a provider are of their pool, a "
    "mapping is one of its source and its function.",
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
    "`X already exists in stack Y`, `Only one resolver is allowed per field`, `The event source arn and function "
    "provided mapping already exists`, in the middle of the deployment",
    remedy="put the logical id back (`amplify override`); give the new resource another name; or deliver twice: first "
    "without the resource (its data goes), then with the new one",
)
IN_SEVERAL = frozenset({INDEXES.id, NAMED.id, EXPORT.id, UNFILLED.id})
"""What several updates may do where one cannot."""
ALWAYS = frozenset({UNFILLED.id})
"""What no stack file overrules: not AWS refuses it."""
