"""Reports as tests want them: everything in it that a page can show, and as many resources as they like."""

from __future__ import annotations

from amplify_delivery.delivery.reporting.page.report_model import (
    Action,
    Chapter,
    Deployment,
    Drifted,
    Execution,
    Fact,
    Found,
    Line,
    Need,
    Plan,
    Report,
    Right,
    Role,
    Span,
    Stack,
    Stage,
    Timings,
    Trouble,
    Typed,
    Unread,
)

HOSTILE = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"
"""What somebody may have called a model, and what must stay a name."""
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def backend(models: int, each: int = 15) -> tuple[tuple[Stack, ...], tuple[Line, ...]]:
    """An API with so many models, each a nested stack with resources of which the first two change."""
    stacks = [Stack((), "amplify-blog-prod-a1b2c", 4), Stack(("auth",), "auth", 6), Stack(("api",), "api", 3)]
    lines = [Line((), "DeploymentBucket", "AWS::S3::Bucket"), Line(("api",), "GraphQLAPI", "AWS::AppSync::GraphQLApi")]
    for number in range(models):
        path = ("api", f"Model{number:03}")
        stacks.append(Stack(path, path[-1], each, "UPDATE_COMPLETE"))
        lines += [Line(path, f"Table{number:03}", "AWS::DynamoDB::Table", "~", "StreamSpecification")]
        lines += [Line(path, f"Role{number:03}", "AWS::IAM::Role", "+")]
        lines += [Line(path, f"Resolver{number:03}x{n:02}", "AWS::AppSync::Resolver") for n in range(each - 2)]
    return tuple(stacks), tuple(lines)


def everything(models: int = 3) -> Report:
    """A report with all its sections.

    Long: one of each thing that a report can show.
    """
    stacks, lines = backend(models)
    hostile = Stack(("api", HOSTILE), HOSTILE, 1)
    said = ("test_answers FAILED", f"  {HOSTILE}")
    execution = Execution(
        "A stage added",
        "a1b2c3d",
        "Failed",
        "Push",
        187.2,
        (
            Stage("Source", "Succeeded", (Action("Source", "Succeeded", 1.2),)),
            Stage("PreProd", "Failed", (Action("Test-preprod", "Failed", 31.0, "exit 1", said),)),
            Stage("Prod", ""),
        ),
    )
    return Report(
        title="blog / prod",
        lead="Account 222222222222, eu-central-1.",
        made="2026-11-29T18:55:02+00:00",
        version="0.2.0",
        app="blog",
        environment="prod",
        account="222222222222",
        region="eu-central-1",
        facts=(
            Fact("Root stack", "UPDATE_COMPLETE", "good", "stacks"),
            Fact("Plan", "7 changes, 1 loses data", "bad", "plan"),
            Fact("Findings", "1 warning", "warn", "findings"),
            Fact("Drift", "not looked for"),
        ),
        commands=(Typed(f"amplify-delivery deploy prod --plan {DIGEST}", "deploy what is planned here"),),
        chapters=(
            Chapter(
                "A failing test", "It stops the release.", "as expected", "good", 190.0,
                (Typed("git push", who="developer"),), ("Prod was not reached",), (execution,),
            ),
        ),
        plan=Plan(
            True, 3 + 2 * models, DIGEST, ("the first index", "what is left"),
            (Right("api/GraphQLAPI", "public access", True), Right("api/Role", "dynamodb:Query")),
            ("a note",), (Trouble("an index cannot change", "change one after the other"),),
            (Drifted("api/Fn", "AWS::Lambda::Function", "Timeout 3, delivered with 30"),),
            (Trouble("what runs is not what was delivered:\n  api/Fn (AWS::Lambda::Function): x", "set it back"),),
        ),
        lines=(
            *lines,
            Line(("api",), "OldTable", "AWS::DynamoDB::Table", "-", "", "items of the table"),
            Line(("api", HOSTILE), HOSTILE, "AWS::DynamoDB::Table", "+"),
            Line((), "hello", "aws-native:lambda:Function", "~", "code", part="program"),
            Line((), "helloUrl", "output", "+", part="outputs"),
        ),
        stacks=(*stacks, hostile),
        timings=(
            Timings("Last update", 64.0, (
                Span("api", 0, 60, "UPDATE_COMPLETE", "good"), Span("auth", 2, 4.5, "UPDATE_FAILED", "bad"),
                *(Span(f"api/Model{n:03}", 5 + n / 10, 10, "UPDATE_COMPLETE", "good") for n in range(models)),
            )),
        ),
        deployments=(Deployment("2026-11-28 09:12 UTC", "deployed", "arn:aws:sts::222222222222:assumed-role/d/b", 12),),
        findings=(Found("AD303", "repaired", "api/t.json", "strings"), Found("AD112", "warning", "b", HOSTILE, "r")),
        roles=(
            Role("blog-prod-cloudformation", "CloudFormation's role", (
                Need("appsync:CreateResolver", ("AWS::AppSync::Resolver",), True),
                Need("iam:PassRole", ("AWS::IAM::Role",), False),
            )),
            Role("blog-prod-deploy", "the role that deploys", (Need("lambda:GetFunction", ("AWS::Lambda",)),)),
        ),
        unread=(Unread("The audit log", "AccessDenied", "ask with the role that deploys"),),
    )  # fmt: skip
