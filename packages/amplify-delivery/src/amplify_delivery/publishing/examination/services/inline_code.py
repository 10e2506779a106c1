"""Check of functions whose code stands in a template: what Lambda's runtime does not bring, they cannot load."""

from __future__ import annotations

from collections.abc import Iterator

from amplify_delivery.export.javascript import brings_no_former_sdk, loads_former_sdk
from amplify_delivery.export.templates.literals import every_text
from amplify_delivery.findings import Finding, Rule
from amplify_delivery.publishing.examination.services.resolved import target
from amplify_delivery.publishing.examination.tree import Tree, as_mapping

FORMER_SDK = Rule(
    "AD722",
    "refused",
    "A custom resource whose function, with its code in the template, loads the AWS SDK for JavaScript of version 2: "
    "runtimes from nodejs18.x on have version 3 only. A runtime that was raised without the code (functions of "
    "predictions and analytics that older versions of the CLI wrote).",
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html",
    "`Cannot find module 'aws-sdk'` in the function's log; CloudFormation waits an hour for its answer",
    remedy="run `amplify update` of the resource with a current CLI, which writes the code anew, or change the code to "
    "`@aws-sdk/client-...` (`amplify override`), and export again",
)


def former_sdk(tree: Tree) -> Iterator[Finding]:
    """AD722: the function ends without an answer when it is loaded."""
    resources = tree.resolved.resources
    asked = {
        target(as_mapping(resource.properties).get("ServiceToken"))
        for resource in resources.values()
        if resource.type.startswith("Custom::") or resource.type == "AWS::CloudFormation::CustomResource"
    }
    for path, resource in resources.items():
        properties = as_mapping(resource.properties)
        if resource.type != "AWS::Lambda::Function" or path not in asked or properties.get("Layers"):
            continue
        runtime, code = properties.get("Runtime"), as_mapping(properties.get("Code")).get("ZipFile")
        if brings_no_former_sdk(runtime) and loads_former_sdk("\n".join(every_text(code))):
            what = f"{path[-1]} loads aws-sdk, which {runtime} does not bring"
            yield FORMER_SDK.at(tree.file(path[:-1]), what, FORMER_SDK.remedy)
