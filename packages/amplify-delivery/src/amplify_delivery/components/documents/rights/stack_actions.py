"""CloudFormation's actions: those that look at a stack, those that look for drift, those that make something happen."""

STACK_READS = (
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:GetStackPolicy",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
)

DRIFT_DETECTIONS = (
    "cloudformation:DescribeStackResourceDrifts",
    "cloudformation:DetectStackDrift",
    "cloudformation:DetectStackResourceDrift",
)
"""To look for drift of a stack: it changes nothing, and reads the resources with the rights of whoever asks. AWS asks
for DetectStackResourceDrift where DetectStackDrift is called, too."""
DRIFT_STATUS = "cloudformation:DescribeStackDriftDetectionStatus"
"""Knows no resource."""

EXECUTIONS = (
    "cloudformation:CancelUpdateStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CreateChangeSet",
    "cloudformation:CreateResource",
    "cloudformation:CreateStack",
    "cloudformation:CreateStackSet",
    "cloudformation:DeleteResource",
    "cloudformation:DeleteStack",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:ExecuteStackRefactor",
    "cloudformation:RollbackStack",
    "cloudformation:SetStackPolicy",
    "cloudformation:UpdateResource",
    "cloudformation:UpdateStack",
    "cloudformation:UpdateStackSet",
    "cloudformation:UpdateTerminationProtection",
)
"""Whatever makes CloudFormation act. `plan` is denied all of it."""
