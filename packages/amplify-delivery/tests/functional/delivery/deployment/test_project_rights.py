"""The commands of the pipeline's projects, each with the rights of its project's role and nothing else.

The account is bootstrapped by the real engine; each command runs in a fresh folder, with the project's own variables.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from amplify_delivery.client_config import PLATFORMS
from amplify_delivery.components.documents.naming import EnvironmentNames
from amplify_delivery.components.documents.pipeline.buildspecs import EXAMINED
from amplify_delivery.delivery.engine.state_bucket import client_config_key, outputs_key, plan_key
from amplify_delivery.export import assemble, read_export, write_assembly
from amplify_delivery_rehearsal.workspace import Finished, Workspace
from aws_rehearsal.local_aws import Credentials, LocalAws, random_account
from aws_rehearsal_tests import initialised_stacks, pulumi_homes
from functional import here
from functional.delivery.environments import allow_loss
from functional.delivery.outcomes import fails, succeeds
from unit.command_line import ROOT, export
from unit.stacks.projects import HELLO_TYPES

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("project-rights")]

APP, REGION, TOOLING = "seriesapp", "eu-central-1", "111111111111"
PIPELINE = f"""config:
  {APP}:program: pipeline
  {APP}:account: "{TOOLING}"
  {APP}:region: us-east-1
  {APP}:source:
    connection: arn:aws:codeconnections:us-east-1:{TOOLING}:connection/5e6f7a8b
    repository: example/app
  {APP}:stages:
    - name: Prod
      post:
        - name: smoke
          commands: ['echo "greeted by $NAME in $PLACE"', 'grep graphqlEndpoint web/src/aws-exports.js']
          envFromOutputs: {{NAME: stackName, PLACE: region}}
          clientConfig: {{platform: javascript, folder: web/src}}
"""


def folder_of(name: str | Path) -> Path:
    """An export's folder: one of those in tests/exports, by its name, or any."""
    return name if isinstance(name, Path) else export(name)


class Bootstrapped:
    """The environment `prod` in an account that its administrator has bootstrapped."""

    def __init__(self, folder: Path, aws: LocalAws, examined: Path) -> None:
        self.folder, self.aws, self.account = folder, aws, random_account()
        self.admin = aws.make_admin(self.account)
        self.names = EnvironmentNames(APP, self.account, REGION, "prod")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
        home = pulumi_homes.warm_home(folder / "home")
        cache = {"AMPLIFY_DELIVERY_CACHE": str(examined)}
        self.environment = {**clean, **home, **pulumi_homes.SAVED_ONCE, **pulumi_homes.UNHEARD, **cache}
        self.workspace = Workspace.make(folder, ROOT, {**self.environment, **aws.environment(self.admin, REGION)})
        self.workspace.rename(APP, self.account, REGION)
        project = self.workspace.project
        (project / "Pulumi.dev.yaml").unlink()
        self.suffix = secrets.token_hex(3)[:5]
        (project / "Pulumi.prod.yaml").write_text(
            f'config:\n  {APP}:account: "{self.account}"\n  {APP}:region: {REGION}\n'
            f'  {APP}:bootstrapped: "true"\n  {APP}:suffix: "{self.suffix}"\n'
        )
        (project / "Pulumi.prod-account.yaml").write_text(f"config:\n  {APP}:program: account\n")
        (project / "Pulumi.pipeline.yaml").write_text(PIPELINE)
        self.prepared = ""
        self.allowed: set[str] = set()
        """Exports whose every right the account gives, whatever else it gives."""
        self.delivered = ""
        """What a test has left deployed, for one that needs the same."""
        self.bootstrap()

    def bootstrap(self) -> None:
        initialised_stacks.init_with_key(self.client("kms"), self.workspace.succeed, "prod-account")
        self.prepare("todo-series/v1")
        there = {k: v for k, v in self.workspace.environment.items() if not k.startswith("PULUMI_CONFIG_PASSPHRASE")}
        in_account = Workspace(self.workspace.project, {**there, "PULUMI_BACKEND_URL": self.names.state_backend})
        in_account.succeed("stack", "init", "prod", f"--secrets-provider={self.names.secrets_provider}")

    def prepare(self, name: str | Path, **keys: str) -> None:
        """The administrator runs the account's stack with that export, and these keys in its file."""
        if self.prepared == f"{name} {keys}":
            return
        self.prepared, self.allowed = f"{name} {keys}", {str(name)}
        self.workspace.put_export(folder_of(name))
        lines = "".join(f"  {APP}:{key}: {value}\n" for key, value in {"program": "account", **keys}.items())
        # The engine may have written into the file what it encrypts with; that stays.
        file = self.workspace.project / "Pulumi.prod-account.yaml"
        own = re.sub(rf"(?m)^(config:|  {APP}:.*)\n", "", file.read_text())
        file.write_text(f"{own}config:\n{lines}")
        self.workspace.succeed("up", "-s", "prod-account", "--yes", "--skip-preview")
        self.trust_administrator()

    def trust_administrator(self) -> None:
        """Have the administrator take the projects' roles, too."""
        # The roles are CodeBuild's; here the administrator takes them for a moment.
        iam = self.client("iam")
        for what in ("publish", "plan", "deploy", "check"):
            role = self.names.project_role(what)
            trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            if "root" in str(trust):
                continue
            principal = {"Effect": "Allow", "Principal": {"AWS": self.names.root_arn}, "Action": "sts:AssumeRole"}
            document = {**trust, "Statement": [*trust["Statement"], principal]}
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))

    def allow(self, name: str) -> None:
        """As `prepare`, unless the account has every right for that export already."""
        if name not in self.allowed:
            self.prepare(name)

    def client(self, service: str) -> Any:
        return self.aws.client(service, self.admin, REGION)

    def build(self, name: str | Path) -> Path:
        """What Build makes of an export: the program, the assembly, and what was found of its templates; the export is
        no more looked at."""
        checkout = self.folder / f"build-{len(list(self.folder.glob('build-*')))}"
        shutil.copytree(self.workspace.project, checkout, symlinks=True)
        (checkout / EXAMINED).symlink_to(self.workspace.environment["AMPLIFY_DELIVERY_CACHE"])
        write_assembly(assemble(read_export(folder_of(name))), checkout / "assembly")
        for folder in checkout.glob("amplify-export-*"):
            shutil.rmtree(folder)
        return checkout

    def run(self, build: Path, what: str, *arguments: str, command: str = "", **variables: str) -> Finished:
        """The project's command, or another one, as the project `what` runs it."""
        project = self.client("codebuild").batch_get_projects(names=[self.names.project(what)])["projects"][0]
        declared = {v["name"]: v["value"] for v in project["environment"]["environmentVariables"]}
        spec = json.loads(project["source"]["buildspec"])
        session = self.aws.assume_role(self.admin, self.names.project_role_arn(what))
        clean = {
            k: v for k, v in self.environment.items() if k not in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL")
        }
        environment = {**clean, **self.aws.environment(session, REGION), **spec["env"]["variables"], **declared}
        environment |= {"CODEBUILD_BUILD_ID": f"{project['name']}:{secrets.token_hex(8)}", **variables}
        command = command or {"check": "step"}.get(what, what)
        fresh = self.folder / f"{what}-{secrets.token_hex(4)}"
        shutil.copytree(build, fresh, symlinks=True)
        return here.delivery(Workspace(fresh, environment), command, self.names.environment, *arguments)

    def plan(self, build: Path) -> str:
        """Plan, and the digest that the pipeline hands on."""
        variables = self.folder / "variables"
        succeeds(self.run(build, "plan", "--variables", str(variables), COMMIT_ID="c0ffee", EXECUTION_ID="e-1"))
        return variables.read_text().partition("PLAN_DIGEST=")[2].strip()

    def events(self) -> list[dict[str, Any]]:
        """The audit log's events, in their order."""
        found = self.client("logs").filter_log_events(logGroupName=self.names.audit_log_group)["events"]
        return [json.loads(event["message"]) for event in sorted(found, key=lambda event: event["timestamp"])]

    def kept(self, key: str) -> Any:
        body = self.client("s3").get_object(Bucket=self.names.state_bucket, Key=key)["Body"].read()
        return json.loads(body)


@pytest.fixture(scope="module")
def bootstrapped(local_aws: LocalAws, examined: Path, tmp_path_factory: pytest.TempPathFactory) -> Bootstrapped:
    return Bootstrapped(tmp_path_factory.mktemp("bootstrapped"), local_aws, examined)


def test_a_first_deployment_a_second_and_the_way_back(bootstrapped: Bootstrapped) -> None:
    """One test, because each step begins where the one before has left the environment."""
    first = bootstrapped.build("todo-series/v2")
    succeeds(bootstrapped.run(first, "publish"))
    approved = bootstrapped.plan(first)
    assert bootstrapped.kept(plan_key(approved))["digest"] == approved
    done = succeeds(bootstrapped.run(first, "deploy", "--plan", approved, COMMIT_ID="c0ffee", EXECUTION_ID="e-1"))
    assert "linting" not in done.output
    assert "the account's roles" not in done.output, "this version has made them"
    outputs = bootstrapped.kept(outputs_key("prod"))
    assert outputs["stackName"]["value"] == f"amplify-{APP}-prod-{bootstrapped.suffix}"
    smoke = succeeds(bootstrapped.run(first, "check", "smoke"))
    assert f"greeted by amplify-{APP}-prod-{bootstrapped.suffix} in {REGION}" in smoke.output
    a_front_end_is_configured(bootstrapped, first, outputs["graphqlEndpoint"]["value"], smoke.output)
    item = an_item_is_written(bootstrapped)

    planned, deployed = bootstrapped.events()
    assert (planned["command"], planned["result"], planned["plan"]) == ("plan", "planned", approved)
    assert (deployed["command"], deployed["result"], deployed["approved"]) == ("deploy", "deployed", approved)
    assert (deployed["commit"], deployed["execution"]) == ("c0ffee", "e-1")
    assert f":assumed-role/{bootstrapped.names.project_role('deploy')}/" in deployed["who"]
    assert deployed["assembly"] == planned["assembly"]

    # The outputs are written again if they are not there, though nothing changes; so is what configures front ends.
    left = bootstrapped.kept(client_config_key("prod"))
    bootstrapped.client("s3").delete_object(Bucket=bootstrapped.names.state_bucket, Key=client_config_key("prod"))
    nothing = bootstrapped.run(first, "check", "smoke")
    fails(nothing, "no deployment has left a client's configuration", "deploy the environment with this commit")
    bootstrapped.client("s3").delete_object(Bucket=bootstrapped.names.state_bucket, Key=outputs_key("prod"))
    assert "nothing to change" in succeeds(bootstrapped.run(first, "deploy", "--plan", approved)).output
    assert (bootstrapped.kept(outputs_key("prod")), bootstrapped.kept(client_config_key("prod"))) == (outputs, left)

    second = bootstrapped.build("todo-series/v3")
    succeeds(bootstrapped.run(second, "publish"))
    newer = bootstrapped.plan(second)
    fails(
        bootstrapped.run(second, "deploy", "--plan", approved), "another export or configuration", "nothing was changed"
    )
    succeeds(bootstrapped.run(second, "deploy", "--plan", newer))
    the_item_is_there(bootstrapped, item)

    # A stage's rollback brings the first execution's artifact and variables. It would lose the new table.
    back = bootstrapped.run(first, "deploy", "--plan", approved)
    fails(back, "this would delete data", "TodoListTable")
    allow_loss(first / "Pulumi.prod.yaml", APP, ["apiseriesapp/TodoList/TodoListTable"])
    succeeds(bootstrapped.run(first, "deploy", "--plan", approved))
    assert [event["result"] for event in bootstrapped.events()][-2:] == ["refused", "deployed"]


def a_front_end_is_configured(bootstrapped: Bootstrapped, build: Path, endpoint: str, said: str) -> None:
    """A step has what the deployment left. The command asks the stacks: Plan's role may, a step's may not."""
    assert f'"aws_appsync_graphqlEndpoint": "{endpoint}"' in said
    out = bootstrapped.folder / "front-end"
    asked = bootstrapped.run(build, "plan", "--out", str(out), command="client-config")
    assert "aws-exports.js: written" in succeeds(asked).output
    left = bootstrapped.kept(client_config_key("prod"))["files"]
    assert {path.name: path.read_text() for path in out.iterdir()} == left["javascript"]
    assert left.keys() == set(PLATFORMS)
    refused = bootstrapped.run(build, "check", "--out", str(out), command="client-config")
    fails(refused, "cloudformation:DescribeStacks", "a step of the pipeline asks for it with `clientConfig`")


def an_item_is_written(bootstrapped: Bootstrapped) -> str:
    """As a visitor's front end does, with what the deployment left for it; the item's id."""
    left = json.loads(bootstrapped.kept(client_config_key("prod"))["files"]["javascript"]["amplifyconfiguration.json"])
    return str(asked(left, 'mutation { createTodo(input: {name: "<b>Milk</b>"}) { id } }')["createTodo"]["id"])


def asked(web: dict[str, Any], query: str) -> Any:
    """The data that a client which is configured so is answered."""
    place = urlsplit(web["aws_appsync_graphqlEndpoint"])
    connection = http.client.HTTPConnection("127.0.0.1", place.port)
    headers = {"Host": place.netloc, "x-api-key": web["aws_appsync_apiKey"], "Content-Type": "application/json"}
    connection.request("POST", place.path, json.dumps({"query": query}), headers)
    return json.loads(connection.getresponse().read())["data"]


def the_item_is_there(bootstrapped: Bootstrapped, item: str) -> None:
    """With the files that the newer deployment left: its model is there too. On a page it is seen in the story of a
    project of one's own (amplify_delivery_rehearsal_tests/test_own_story.py)."""
    left = json.loads(bootstrapped.kept(client_config_key("prod"))["files"]["javascript"]["amplifyconfiguration.json"])
    found = asked(left, "{ listTodos { items { id name } } listTodoLists { items { id } } }")
    assert found == {"listTodos": {"items": [{"id": item, "name": "<b>Milk</b>"}]}, "listTodoLists": {"items": []}}


def test_what_the_account_has_no_rights_for_is_told_before_anything_runs(bootstrapped: Bootstrapped) -> None:
    """On AWS the deployment would fail in the middle; the local one makes what stands in a stack as root."""
    bootstrapped.prepare("todo-series/v1")
    with_auth = bootstrapped.build("todo-series/v4")
    before = bootstrapped.client("cloudformation").describe_stacks()["Stacks"]
    told = (
        "the account has not given the rights for",
        "AWS::Cognito::UserPool (auth",
        "AWS::Cognito::IdentityPoolRoleAttachment (auth",
        f"an administrator of account {bootstrapped.account} runs `pulumi up -s prod-account`",
        "nothing was changed",
    )
    refused = bootstrapped.run(with_auth, "plan")
    fails(refused, *told)
    assert "AWS::DynamoDB::Table" not in refused.output
    # A plan from before does not help: its own is made once more.
    fails(bootstrapped.run(with_auth, "deploy", "--plan", "0" * 64), *told)
    assert [event["result"] for event in bootstrapped.events()][-2:] == ["refused", "refused"]

    # A service beside the backend, which the account's owner does not know of.
    file = with_auth / "Pulumi.prod.yaml"
    file.write_text(file.read_text().replace("config:\n", f'config:\n  {APP}:helloService: "true"\n'))
    fails(bootstrapped.run(with_auth, "plan"), *told, "aws-native:lambda:Function (hello), of what the program adds")
    assert bootstrapped.client("cloudformation").describe_stacks()["Stacks"] == before

    bootstrapped.prepare("todo-series/v4")
    refused = bootstrapped.run(with_auth, "plan")
    fails(refused, "aws-native:lambda:Function (hello)", "aws-native:iam:Role (hello)")
    assert "Cognito" not in refused.output
    bootstrapped.prepare("todo-series/v4", **WITH_HELLO)
    bootstrapped.plan(with_auth)
    a_role_without_the_accounts_boundary_is_not_planned(bootstrapped, with_auth)


WITH_HELLO = {"programTypes": json.dumps(HELLO_TYPES)}


def a_role_without_the_accounts_boundary_is_not_planned(bootstrapped: Bootstrapped, build: Path) -> None:
    """IAM would deny its creation in the middle of the deployment."""
    stage = build / "components" / "stage.py"
    text = stage.read_text()
    assert "boundary_arn=environment.permissions_boundary" in text
    stage.write_text(text.replace("boundary_arn=environment.permissions_boundary", "boundary_arn=None"))
    refused = bootstrapped.run(build, "plan")
    fails(refused, "without the account's permissions boundary", "aws-native:iam:Role (hello)", "permissions_boundary`")


OTHERS = """
        dns = aws.Provider(
            "dns",
            region=environment.names.region,
            assume_roles=[aws.ProviderAssumeRoleArgs(role_arn="{role}", session_name="dns")],
        )
        for name, made_with in (("theirs", dns), ("own", environment.aws)):
            aws.sns.Topic(name, opts=pulumi.ResourceOptions(provider=made_with))
"""


def test_what_is_made_with_another_role_is_not_the_accounts_to_allow(bootstrapped: Bootstrapped) -> None:
    build, iam = bootstrapped.build("todo-series/v1"), bootstrapped.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": bootstrapped.names.root_arn}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    role = iam.create_role(RoleName="dns", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    may = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}}
    planning = bootstrapped.names.project_role("plan")
    iam.put_role_policy(RoleName=planning, PolicyName="dns", PolicyDocument=json.dumps(may))
    stage = build / "components" / "stage.py"
    text = stage.read_text().replace("import pulumi\n", "import pulumi\nimport pulumi_aws as aws\n", 1)
    stage.write_text(text + OTHERS.replace("{role}", role))
    refused = bootstrapped.run(build, "plan")
    iam.delete_role_policy(RoleName=planning, PolicyName="dns")
    fails(refused, "aws:sns/topic:Topic (own), of what the program adds", "`programTypes`: AWS::SNS::Topic")
    assert "theirs" not in refused.output.rpartition("error:")[2]


def test_without_the_export_published_nothing_is_changed(bootstrapped: Bootstrapped) -> None:
    """The deploying role verifies what is in the staging bucket, and may not put it there."""
    bootstrapped.allow("todo-series/v4")
    build = bootstrapped.build("todo-series/v4")
    digest = bootstrapped.plan(build)
    before = bootstrapped.client("cloudformation").describe_stacks()["Stacks"]
    fails(bootstrapped.run(build, "deploy", "--plan", digest), "AccessDenied", "amplify-delivery publish ENV")
    assert bootstrapped.client("cloudformation").describe_stacks()["Stacks"] == before
    succeeds(bootstrapped.run(build, "publish"))
    # A retry: the state has moved on, the plan that was approved is found in the account.
    succeeds(bootstrapped.run(build, "deploy", "--plan", digest))
    bootstrapped.delivered = "todo-series/v4"


def test_what_goes_has_its_rights_until_it_is_gone(bootstrapped: Bootstrapped) -> None:
    """The account's owner runs her stack with an export that has no users any more, before it was deployed."""
    bootstrapped.allow("todo-series/v4")
    if bootstrapped.delivered != "todo-series/v4":  # the test before has left it so
        with_auth = bootstrapped.build("todo-series/v4")
        succeeds(bootstrapped.run(with_auth, "publish"))
        succeeds(bootstrapped.run(with_auth, "deploy", "--plan", bootstrapped.plan(with_auth)))

    without = bootstrapped.build("todo-series/v3")
    bootstrapped.plan(without)  # with the rights from before it could be deployed
    bootstrapped.prepare("todo-series/v3")
    refused = bootstrapped.run(without, "plan")
    fails(refused, "AWS::Cognito::UserPool (auth", "of what the deployment removes", "backendTypes")
    named = re.search(r"`backendTypes`: ([^;]+);", refused.output)
    assert named
    bootstrapped.prepare("todo-series/v3", backendTypes=f"[{', '.join(json.dumps(t) for t in named[1].split(', '))}]")
    bootstrapped.plan(without)
    bootstrapped.allowed.add("todo-series/v4")


def with_page(folder: Path, bucket: str, page: str) -> Path:
    """An export with users, and with the page that they see after they have followed the link of their e-mail."""
    source = export("todo-series/v4")
    copy = folder / source.name
    shutil.copytree(source, copy)
    [auth] = (path for path in (copy / "auth").iterdir() if path.name.startswith("seriesapp"))
    file = next(auth.glob("*cloudformation-template.json"))
    template = json.loads(file.read_text())
    template["Parameters"]["verificationBucketName"] = {"Type": "String"}
    made = {"Fn::Join": ["-", [{"Ref": "verificationBucketName"}, {"Ref": "env"}]]}
    template["Resources"]["VerificationBucket"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": made}}
    file.write_text(json.dumps(template))
    file = copy / "amplify-export-manifest.json"
    manifest = json.loads(file.read_text())
    nested = manifest["props"]["loadNestedStacks"][f"auth{auth.name}"]
    nested["parameters"]["verificationBucketName"] = bucket
    file.write_text(json.dumps(manifest))
    (auth / "amplify-auth-assets").mkdir()
    (auth / "amplify-auth-assets" / "index.html").write_text(page)
    return copy


def test_an_environment_with_a_secret_and_verification_pages_is_planned_again_and_again(
    bootstrapped: Bootstrapped, tmp_path: Path
) -> None:
    """`plan` refreshes both: it looks at the secret without reading it, and needs its rights on the pages."""
    bucket = f"verify-{secrets.token_hex(3)}"
    first = with_page(tmp_path / "first", bucket, "<p>Welcome")
    bootstrapped.allow("todo-series/v4")
    file = bootstrapped.workspace.project / "Pulumi.prod.yaml"
    written = file.read_text()
    there = {**bootstrapped.workspace.environment, "PULUMI_BACKEND_URL": bootstrapped.names.state_backend}
    parameter = "parameters.apiseriesapp.AppSyncApiName"
    give = Workspace(bootstrapped.workspace.project, there)
    give.succeed("config", "set", "--secret", "--path", parameter, "first-secret", "-s", "prod")
    try:
        build = bootstrapped.build(first)
        fails(bootstrapped.run(build, "plan"), f"verification pages in the bucket {bucket}-prod", "nothing was changed")
        bootstrapped.prepare(first)
        deliver(bootstrapped, build)
        give.succeed("config", "set", "--secret", "--path", parameter, "second-secret", "-s", "prod")
        second = bootstrapped.build(with_page(tmp_path / "second", bucket, "<p>Welcome back"))
        deliver(bootstrapped, second)
        body = bootstrapped.client("s3").get_object(Bucket=f"{bucket}-prod", Key="index.html")["Body"].read()
        assert body == b"<p>Welcome back"
        names = [a["name"] for a in bootstrapped.client("appsync").list_graphql_apis()["graphqlApis"]]
        assert [name.startswith("second-secret") for name in names] == [True]
        # Nothing has changed, and both are read.
        assert "nothing to change" in succeeds(bootstrapped.run(second, "plan")).output
    finally:
        file.write_text(written)


def test_the_doctor_of_the_account(bootstrapped: Bootstrapped) -> None:
    """All is well; then everything that somebody can break in the account is told; and what one may not ask.

    Long: one account, broken in one way after the other.
    """
    names = bootstrapped.names

    def lines(who: Credentials) -> dict[str, Any]:
        environment = {**bootstrapped.workspace.environment, **bootstrapped.aws.environment(who, REGION)}
        ran = here.delivery(Workspace(bootstrapped.workspace.project, environment), "doctor", "prod", "--json")
        (place,) = json.loads(ran.output)["places"][1:]
        return {line["subject"]: line for line in place["lines"]}

    well = lines(bootstrapped.admin)
    assert {line["state"] for line in well.values()} == {"ok"}, well

    iam, kms, ssm, s3 = (bootstrapped.client(service) for service in ("iam", "kms", "ssm", "s3"))
    key = kms.describe_key(KeyId=names.state_key_alias)["KeyMetadata"]["KeyId"]
    trust = iam.get_role(RoleName=names.action_role)["Role"]["AssumeRolePolicyDocument"]
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    deploy, lock = names.project_role("deploy"), ".pulumi/locks/organization/seriesapp/prod/1.json"
    deny = {"Effect": "Deny", "Action": "cloudformation:UpdateStack", "Resource": "*"}
    version = ssm.get_parameter(Name=names.version_parameter)["Parameter"]["Value"]

    s3.put_object(Bucket=names.state_bucket, Key=lock, Body=b"{}")
    kms.disable_key(KeyId=key)
    ssm.put_parameter(Name=names.version_parameter, Value="1", Overwrite=True)
    opened = {**trust, "Statement": [*trust["Statement"], everybody]}
    iam.update_assume_role_policy(RoleName=names.action_role, PolicyDocument=json.dumps(opened))
    iam.put_role_policy(RoleName=deploy, PolicyName="no", PolicyDocument=json.dumps({"Statement": [deny]}))
    try:
        found = lines(bootstrapped.admin)
        wrong = {subject for subject, line in found.items() if line["state"] != "ok"}
        assert wrong == {"bootstrap", "state", "state key", "trust", "rights"}
        assert f"`aws kms enable-key --key-id {key} --region {REGION}`" in found["state key"]["remedy"]
        assert "trusts arn:aws:iam::111111111111:role" in found["trust"]["message"]
        assert ", *, and should trust" in found["trust"]["message"]
        assert "is denied cloudformation:UpdateStack on" in found["rights"]["message"]
        assert "amplify-delivery unlock prod" in found["state"]["remedy"]
    finally:
        s3.delete_object(Bucket=names.state_bucket, Key=lock)
        kms.enable_key(KeyId=key)
        ssm.put_parameter(Name=names.version_parameter, Value=version, Overwrite=True)
        iam.update_assume_role_policy(RoleName=names.action_role, PolicyDocument=json.dumps(trust))
        iam.delete_role_policy(RoleName=deploy, PolicyName="no")

    principal = {"Effect": "Allow", "Principal": {"AWS": names.root_arn}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    nobody = iam.create_role(RoleName="nobody", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    denied = lines(bootstrapped.aws.assume_role(bootstrapped.admin, nobody))
    known = {subject for subject, line in denied.items() if line["state"] != "not known"}
    assert known == {"credentials", "account", "services", "runtimes"}
    assert {subject: line["right"] for subject, line in denied.items() if line["state"] == "not known"} == {
        "region": "account:GetRegionOptStatus",
        "bootstrap": "ssm:GetParameter",
        "state": "s3:ListBucket",
        "state key": "kms:DescribeKey",
        "root stack": "cloudformation:ListStacks",
        "trust": "iam:GetRole",
        "rights": "iam:SimulatePrincipalPolicy",
        "organization": "iam:SimulatePrincipalPolicy",
        "builds": "servicequotas:ListServiceQuotas",
        "CloudFormation stacks": "cloudformation:DescribeAccountLimits",
        "CloudFormation resources": "cloudformation:DescribeAccountLimits",
        "IAM roles": "iam:GetAccountSummary",
        "IAM policies": "iam:GetAccountSummary",
        "S3 buckets": "servicequotas:GetServiceQuota",
        "Lambda concurrency": "lambda:GetAccountSettings",
        "Lambda storage": "lambda:GetAccountSettings",
    }


def deliver(bootstrapped: Bootstrapped, build: Path) -> None:
    succeeds(bootstrapped.run(build, "publish"))
    succeeds(bootstrapped.run(build, "deploy", "--plan", bootstrapped.plan(build)))
