"""What an account and a pipeline are made of in the classic stand-in, one type after the other, in the local AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_rehearsal.providers.classic import propagation
from aws_rehearsal.providers.wire import Secret
from aws_rehearsal_tests.live_calls import live
from aws_rehearsal_tests.local_account import LocalAccount
from aws_rehearsal_tests.provider_calls import Aborted

POLICY = "aws:iam/policy:Policy"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
REPOSITORY = "aws:ecr/repository:Repository"
REPOSITORY_POLICY = "aws:ecr/repositoryPolicy:RepositoryPolicy"
LIFECYCLE = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
NOTIFICATIONS = "aws:codestarnotifications/notificationRule:NotificationRule"


def document(*actions: str, resource: str = "*", **more: Any) -> str:
    action = list(actions) if len(actions) > 1 else actions[0]
    statement = {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried a second time."""
    monkeypatch.setattr(propagation, "PROPAGATION_SECONDS", 0)


# -- IAM policies


def test_a_policy_keeps_five_versions_and_loses_the_oldest(developer: LocalAccount) -> None:
    iam = developer.client("iam")
    life = live(POLICY, developer)
    arguments = {"name": "app", "path": "/delivery/", "description": "Of the app", "tags": {"a": "1"}}
    arn = life.create(**arguments, policy=document("s3:GetObject"))["arn"]
    assert arn == f"arn:aws:iam::{developer.account}:policy/delivery/app"
    for number in range(2, 8):
        life.update(**arguments, policy=document(f"s3:Action{number}"))
        assert life.differences(**arguments, policy=document(f"s3:Action{number}")) == {}
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert sorted(version["VersionId"] for version in versions) == ["v3", "v4", "v5", "v6", "v7"]
    (default,) = (version["VersionId"] for version in versions if version["IsDefaultVersion"])
    assert iam.get_policy_version(PolicyArn=arn, VersionId=default)["PolicyVersion"]["Document"] == json.loads(
        document("s3:Action7")
    )
    found = life.refresh()
    assert found is not None
    assert (found["description"], found["path"], found["tagsAll"]) == ("Of the app", "/delivery/", {"a": "1"})


def test_the_default_version_stays_though_it_is_the_oldest(developer: LocalAccount) -> None:
    iam = developer.client("iam")
    life = live(POLICY, developer)
    arn = life.create(name="app", policy=document("s3:GetObject"))["arn"]
    for number in range(2, 6):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(f"s3:Theirs{number}"))
    life.update(name="app", policy=document("s3:Ours"))
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert sorted(version["VersionId"] for version in versions) == ["v1", "v3", "v4", "v5", "v6"]


def test_a_policy_that_is_attached_elsewhere_is_not_deleted(developer: LocalAccount) -> None:
    iam = developer.client("iam")
    life = live(POLICY, developer)
    arn = life.create(name="app", policy=document("s3:GetObject"))["arn"]
    life.update(name="app", policy=document("s3:PutObject"))
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=document("sts:AssumeRole"))
    iam.attach_role_policy(RoleName="role", PolicyArn=arn)
    with pytest.raises(Aborted, match=r"deleting IAM Policy .*DeleteConflict"):
        life.delete()
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 1  # these have gone before
    iam.detach_role_policy(RoleName="role", PolicyArn=arn)
    life.delete()
    assert life.refresh() is None
    life.delete()


def test_what_replaces_a_policy_and_what_says_the_same(developer: LocalAccount) -> None:
    life = live(POLICY, developer)
    arguments = {"name": "app", "path": "/a/", "description": "One"}
    life.create(**arguments, policy=document("s3:GetObject", "s3:PutObject"))
    same = document("s3:PutObject", "s3:GetObject")
    assert life.differences(**arguments, policy=same) == {}
    for key, value in (("name", "other"), ("path", "/b/"), ("description", "Two")):
        assert life.differences(**{**arguments, key: value}, policy=same) == {key: True}
    assert life.differences(**arguments, policy=document("s3:*")) == {"policy": False}
    resource_id, inputs = life.imported(life.resource_id)
    assert resource_id == life.resource_id
    assert json.loads(inputs.pop("policy"))["Statement"][0]["Action"] == ["s3:GetObject", "s3:PutObject"]
    assert inputs == arguments


def test_a_policy_changed_by_somebody_else_is_found(developer: LocalAccount) -> None:
    life = live(POLICY, developer)
    arn = life.create(name="app", policy=document("s3:GetObject"))["arn"]
    developer.client("iam").create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:*"), SetAsDefault=True)
    life.refresh()
    assert life.differences(name="app", policy=document("s3:GetObject")) == {"policy": False}


def test_no_json_is_no_policy() -> None:
    for text in ("{", "[]"):
        _, failures = live(POLICY).calls.check({"name": "a b", "policy": text})
        assert len(failures) == 2


# -- IAM roles


def test_life_of_a_role_and_a_policy_of_its_own(developer: LocalAccount, impatient: None) -> None:
    iam = developer.client("iam")
    trust, other = (
        document("sts:AssumeRole", Principal={"Service": f"{service}.amazonaws.com"}).replace('"Resource": "*", ', "")
        for service in ("codebuild", "lambda")
    )
    role, policy = live(ROLE, developer), live(ROLE_POLICY, developer)
    arguments = {"name": "build", "path": "/delivery/", "description": "Builds", "assumeRolePolicy": trust}
    made = role.create(**arguments, tags={"team": "a"})
    assert made["arn"] == f"arn:aws:iam::{developer.account}:role/delivery/build"
    assert role.resource_id == "build"
    policy.create(role="build", name="own", policy=document("s3:GetObject", "s3:PutObject"))
    assert policy.resource_id == "build:own"
    # What was put beside the role is no difference of the role's, also after a refresh.
    role.refresh()
    assert role.differences(**arguments, tags={"team": "a"}) == {}
    assert policy.differences(role="build", name="own", policy=document("s3:PutObject", "s3:GetObject")) == {}
    assert policy.differences(role="build", name="own", policy=document("s3:*")) == {"policy": False}
    for key in ("role", "name"):
        given = {"role": "build", "name": "own", key: "another", "policy": document("s3:GetObject", "s3:PutObject")}
        assert policy.differences(**given) == {key: True}
    for key, value in (("name", "other"), ("path", "/x/")):
        assert role.differences(**{**arguments, key: value}, tags={"team": "a"})[key]
    policy.update(role="build", name="own", policy=document("s3:*"))
    boundary = live(POLICY, developer).create(name="boundary", policy=document("s3:*"))["arn"]
    role.update(**{**arguments, "assumeRolePolicy": other}, permissionsBoundary=boundary, tags={"costs": "7"})
    found = iam.get_role(RoleName="build")["Role"]
    assert found["AssumeRolePolicyDocument"] == json.loads(other)
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert found["Tags"] == [{"Key": "costs", "Value": "7"}]
    role.update(**{**arguments, "assumeRolePolicy": other, "description": "More"}, maxSessionDuration=7200)
    found = iam.get_role(RoleName="build")["Role"]
    assert "PermissionsBoundary" not in found
    assert (found["Description"], found["MaxSessionDuration"]) == ("More", 7200)
    assert iam.get_role_policy(RoleName="build", PolicyName="own")["PolicyDocument"] == json.loads(document("s3:*"))
    _, inputs = policy.imported("build:own")
    assert json.loads(inputs.pop("policy")) == json.loads(document("s3:*"))
    assert inputs == {"name": "own", "role": "build"}

    policy.delete()
    assert policy.refresh() is None
    policy.delete()
    iam.put_role_policy(RoleName="build", PolicyName="theirs", PolicyDocument=document("s3:*"))
    with pytest.raises(Aborted, match=r"deleting IAM Role .*DeleteConflict"):
        role.delete()  # it knows of none
    role.refresh()
    role.delete()
    assert role.refresh() is None
    role.delete()


def test_a_role_with_something_attached_stays(developer: LocalAccount) -> None:
    trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]})
    role, attached = live(ROLE, developer), live(POLICY, developer).create(name="app", policy=document("s3:*"))["arn"]
    role.create(name="held", assumeRolePolicy=trust)
    developer.client("iam").attach_role_policy(RoleName="held", PolicyArn=attached)
    with pytest.raises(Aborted, match=r"deleting IAM Role .*DeleteConflict"):
        role.delete()
    role.update(name="held", assumeRolePolicy=trust, forceDetachPolicies=True)
    role.delete()
    assert role.refresh() is None


def test_a_policy_that_goes_while_its_role_is_read_takes_no_role_with_it(
    developer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine would forget a role that it takes for gone, and meet it again at the policy that bounds it."""
    trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]})
    role = live(ROLE, developer)
    role.create(name="read", assumeRolePolicy=trust)
    monkeypatch.setattr("aws_rehearsal.providers.classic.iam_role._inline", lambda *_: ["gone"])
    with pytest.raises(Aborted, match=r"reading inline policies for IAM role read.*NoSuchEntity"):
        role.refresh()


def test_life_of_an_attachment(developer: LocalAccount) -> None:
    iam = developer.client("iam")
    trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]})
    role, policy, one = (live(token, developer) for token in (ROLE, POLICY, ATTACHMENT))
    role.create(name="build", assumeRolePolicy=trust)
    arn = policy.create(name="app", policy=document("s3:*"))["arn"]
    with pytest.raises(Aborted, match=r"attaching IAM Policy .*NoSuchEntity"):
        live(ATTACHMENT, developer).create(role="nobody", policyArn=arn)
    assert one.create(role="build", policyArn=arn) == {"role": "build", "policyArn": arn}
    assert str(one.resource_id).startswith("build-")
    assert [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName="build")["AttachedPolicies"]] == [
        arn
    ]
    role.refresh()
    assert role.differences(name="build", assumeRolePolicy=trust) == {}  # what was put beside it is no difference
    assert one.differences(role="other", policyArn=arn) == {"role": True}
    assert one.refresh() is not None
    iam.detach_role_policy(RoleName="build", PolicyArn=arn)
    assert one.refresh() is None
    one.delete()
    role.delete()
    policy.delete()


def test_what_is_no_role(developer: LocalAccount) -> None:
    for token, key in ((ROLE, "assumeRolePolicy"), (ROLE_POLICY, "policy")):
        given = {"name": "a b", key: "[]"} | ({"role": "x"} if token == ROLE_POLICY else {})
        _, failures = live(token).calls.check(given)
        assert len(failures) == 2


# -- EventBridge


def test_life_of_a_rule_and_its_target(developer: LocalAccount, impatient: None) -> None:
    pipeline = f"arn:aws:codepipeline:eu-central-1:{developer.account}:app"
    rule, target = live(RULE, developer), live(TARGET, developer)
    nightly = {"name": "nightly", "description": "Starts app", "scheduleExpression": "rate(1 day)", "tags": {"a": "1"}}
    made = rule.create(**nightly)
    assert rule.resource_id == "nightly"
    assert (made["state"], made["isEnabled"]) == ("ENABLED", True)
    to_app = {"rule": "nightly", "arn": pipeline, "roleArn": f"arn:aws:iam::{developer.account}:role/trigger"}
    target.create(**to_app)
    assert target.resource_id == f"nightly-{target.seen['targetId']}"
    assert rule.refresh()
    assert target.refresh()
    assert rule.differences(**nightly) == target.differences(**to_app) == {}

    without = {"name": "nightly", "scheduleExpression": "rate(2 days)", "state": "DISABLED"}
    assert rule.differences(**without) == {
        "description": False,
        "scheduleExpression": False,
        "state": False,
        "tags": False,
        "tagsAll": False,
    }
    rule.update(**without)
    found = rule.refresh()
    assert found is not None
    assert not found.get("description")
    assert (found["state"], found["isEnabled"], found["tagsAll"]) == ("DISABLED", False, {})
    target.update(**to_app, input='{"a": 1}')
    assert target.refresh()
    assert target.seen["input"] == '{"a": 1}'

    with pytest.raises(Aborted, match="Rule can't be deleted since it has targets"):
        rule.delete()
    target.delete()
    assert target.refresh() is None
    rule.delete()
    assert rule.refresh() is None
    rule.delete()
    target.delete()


def test_rules_are_replaced_by_name_and_bus_and_patterns_compared_by_meaning(developer: LocalAccount) -> None:
    developer.client("events").create_event_bus(Name="own")
    rule = live(RULE, developer)
    pattern = {"source": ["aws.s3"], "detail": {"name": ["<a&b>"]}}
    arguments = {"name": "rule", "eventBusName": "own", "eventPattern": json.dumps(pattern)}
    rule.create(**arguments)
    assert rule.resource_id == "own/rule"
    assert rule.refresh()
    assert rule.differences(**{**arguments, "eventPattern": json.dumps(pattern, indent=2, sort_keys=True)}) == {}
    assert rule.differences(**{**arguments, "name": "other"}) == {"name": True}
    assert rule.differences(name="rule", eventPattern=arguments["eventPattern"]) == {"eventBusName": True}
    assert rule.imported("own/rule")[1]["eventBusName"] == "own"
    target = live(TARGET, developer)
    queue = f"arn:aws:sqs:eu-central-1:{developer.account}:queue"
    target.create(rule="rule", eventBusName="own", targetId="queue", arn=queue)
    assert target.resource_id == "own-rule-queue"
    assert target.imported("own/rule/queue") == (
        "own-rule-queue",
        {"arn": queue, "eventBusName": "own", "region": "eu-central-1", "rule": "rule", "targetId": "queue"},
    )
    with pytest.raises(Aborted, match="expected EVENTBUSNAME/RULENAME/TARGETID or RULENAME/TARGETID"):
        target.imported("own-rule-queue")
    assert target.differences(rule="other", eventBusName="own", targetId="queue", arn=queue) == {"rule": True}


def test_a_rule_needs_something_to_start_by() -> None:
    _, failures = live(RULE).calls.check({"name": "rule"})
    assert "one of `event_pattern,schedule_expression` must be specified" in failures[0]
    _, failures = live(RULE).calls.check({"name": "rule", "eventPattern": "{"})
    assert "contains an invalid JSON" in failures[0]


# -- SNS


def test_life_of_a_topic_and_its_policy(developer: LocalAccount) -> None:
    topic, opened = live(TOPIC, developer), live(TOPIC_POLICY, developer)
    arn = topic.create(name="news", displayName="News", tags={"a": "1"})["arn"]
    assert arn == f"arn:aws:sns:eu-central-1:{developer.account}:news"
    service = {"Service": "codestar-notifications.amazonaws.com"}
    policy = document("sns:Publish", resource=arn, Principal=service)
    opened.create(arn=arn, policy=policy)
    assert topic.refresh()
    assert opened.refresh()
    # The topic's own property follows without being a difference.
    assert json.loads(topic.seen["policy"]) == json.loads(policy)
    assert topic.differences(name="news", displayName="News", tags={"a": "1"}) == {}
    assert opened.differences(arn=arn, policy=json.dumps(json.loads(policy), indent=1)) == {}

    topic.update(name="news", tags={"b": "2"})
    assert topic.refresh()
    assert topic.seen["tagsAll"] == {"b": "2"}
    assert not topic.seen.get("displayName")
    assert topic.differences(name="other", tags={"b": "2"}) == {"name": True}

    opened.delete()  # nobody can take a policy away: SNS's own comes back
    attributes = developer.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    assert json.loads(attributes["Policy"])["Id"] == "__default_policy_ID"
    topic.delete()
    assert topic.refresh() is None
    assert opened.refresh() is None
    topic.delete()
    opened.delete()


def test_an_address_that_nobody_has_confirmed_is_subscribed_and_can_t_be_taken_back(developer: LocalAccount) -> None:
    topic = live(TOPIC, developer).create(name="news")["arn"]
    mail = live(SUBSCRIPTION, developer)
    arguments = {"topic": topic, "protocol": "email", "endpoint": "team@example.com"}
    made = mail.create(**arguments)
    assert made["pendingConfirmation"] is True
    assert made["arn"].startswith(f"{topic}:")
    assert mail.refresh()
    assert mail.differences(**arguments) == {}
    assert mail.differences(**{**arguments, "endpoint": "other@example.com"}) == {"endpoint": True}
    mail.delete()
    assert mail.refresh() is not None  # SNS keeps it for two days
    assert live(SUBSCRIPTION, developer).create(**arguments)["arn"] == made["arn"]


def test_a_queue_confirms_by_itself(developer: LocalAccount) -> None:
    topic = live(TOPIC, developer).create(name="news")["arn"]
    url = developer.client("sqs").create_queue(QueueName="news")["QueueUrl"]
    attributes = developer.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    queue = live(SUBSCRIPTION, developer)
    arguments = {"topic": topic, "protocol": "sqs", "endpoint": attributes["QueueArn"]}
    assert queue.create(**arguments)["pendingConfirmation"] is False
    queue.update(**arguments, rawMessageDelivery=True, filterPolicy='{"a": ["1"]}')
    assert queue.refresh()
    assert queue.seen["rawMessageDelivery"] is True
    assert queue.differences(**arguments, rawMessageDelivery=True, filterPolicy='{"a":["1"]}') == {}
    queue.delete()
    assert queue.refresh() is None
    queue.delete()


# -- ECR


def test_life_of_a_repository_with_its_policies(developer: LocalAccount) -> None:
    ecr = developer.client("ecr")
    arguments = {
        "name": "app/images",
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "tags": {"a": "1"},
    }
    repository = live(REPOSITORY, developer)
    made = repository.create(**arguments)
    assert made["repositoryUrl"].endswith("/app/images")
    assert repository.refresh()
    assert repository.differences(**arguments) == {}
    assert repository.differences(name="app/images", imageTagMutability="IMMUTABLE", tags={"a": "1"}) == {}
    assert repository.differences(**{**arguments, "name": "other"}) == {"name": True}
    encrypted = {**arguments, "encryptionConfigurations": [{"encryptionType": "KMS"}]}
    assert repository.differences(**encrypted) == {"encryptionConfigurations": True}
    repository.update(name="app/images", imageScanningConfiguration={"scanOnPush": False})
    assert repository.refresh()
    assert repository.seen["imageTagMutability"] == "MUTABLE"
    assert repository.seen["imageScanningConfiguration"] == {"scanOnPush": False}
    assert repository.seen["tagsAll"] == {}

    pull = {"repository": "app/images", "policy": document("ecr:BatchGetImage", Principal="*")}
    policy = live(REPOSITORY_POLICY, developer)
    policy.create(**pull)
    assert policy.refresh()
    assert policy.differences(**pull) == {}
    other = {**pull, "policy": document("ecr:*", Principal="*")}
    assert policy.differences(**other) == {"policy": False}
    policy.update(**other)
    assert json.loads(ecr.get_repository_policy(repositoryName="app/images")["policyText"]) == json.loads(
        other["policy"]
    )

    ecr.put_image(repositoryName="app/images", imageManifest="{}", imageTag="one")
    with pytest.raises(Aborted, match=r"ECR Repository \(app/images\) not empty, consider using force_delete"):
        repository.delete()
    repository.update(name="app/images", forceDelete=True)
    repository.delete()
    assert repository.refresh() is None
    assert policy.refresh() is None  # gone with it
    repository.delete()
    policy.delete()


def rules(*priorities: int, tags: tuple[str, ...] = ("a", "b")) -> str:
    return json.dumps(
        {
            "rules": [
                {
                    "rulePriority": priority,
                    "selection": {
                        "tagStatus": "tagged",
                        "tagPrefixList": list(tags),
                        "countType": "imageCountMoreThan",
                        "countNumber": 9,
                    },
                    "action": {"type": "expire"},
                }
                for priority in priorities
            ]
        }
    )


def test_another_lifecycle_policy_is_a_replacement_another_order_is_not(developer: LocalAccount) -> None:
    live(REPOSITORY, developer).create(name="images")
    life = live(LIFECYCLE, developer)
    life.create(repository="images", policy=rules(1, 2))
    assert life.refresh()
    assert life.differences(repository="images", policy=rules(2, 1, tags=("b", "a"))) == {}
    assert life.differences(repository="images", policy=rules(1, 3)) == {"policy": True}
    life.delete()
    assert life.refresh() is None
    life.delete()


# -- notification rules, with a client that keeps one as AWS does


class FakeNotifications:
    """Rules and targets: a target comes with the first rule that names it, and stays when no rule does."""

    class exceptions:  # noqa: N801 - botocore's name
        ClientError = ClientError

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, Any]] = {}
        self.targets: set[str] = set()

    def create_notification_rule(self, **request: Any) -> dict[str, Any]:
        arn = f"arn:aws:codestar-notifications:eu-central-1:111122223333:notificationrule/{len(self.rules)}"
        self.rules[arn] = {"Arn": arn, "Tags": {}, **request}
        self.targets |= {target["TargetAddress"] for target in request["Targets"]}
        return {"Arn": arn}

    def update_notification_rule(self, *, Arn: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        self.rules[Arn] |= request
        self.targets |= {target["TargetAddress"] for target in request["Targets"]}
        return {}

    def delete_notification_rule(self, *, Arn: str) -> dict[str, Any]:  # noqa: N803
        self.rules.pop(Arn, None)
        return {"Arn": Arn}

    def describe_notification_rule(self, *, Arn: str) -> dict[str, Any]:  # noqa: N803
        if Arn not in self.rules:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "Describe")
        rule = dict(self.rules[Arn])
        rule["EventTypes"] = [{"EventTypeId": event} for event in reversed(rule.pop("EventTypeIds"))]
        rule["Targets"] = [{**target, "TargetStatus": "ACTIVE"} for target in rule["Targets"]]
        return rule

    def delete_target(self, *, TargetAddress: str, ForceUnsubscribeAll: bool) -> dict[str, Any]:  # noqa: N803
        assert not ForceUnsubscribeAll
        named = {target["TargetAddress"] for rule in self.rules.values() for target in rule["Targets"]}
        if TargetAddress in named:
            reason = "The target cannot be deleted because it is subscribed to one or more notification rules."
            raise ClientError({"Error": {"Code": "ValidationException", "Message": reason}}, "DeleteTarget")
        self.targets.discard(TargetAddress)
        return {}

    def tag_resource(self, *, Arn: str, Tags: dict[str, str]) -> dict[str, Any]:  # noqa: N803
        self.rules[Arn]["Tags"] |= Tags
        return {}

    def untag_resource(self, *, Arn: str, TagKeys: list[str]) -> dict[str, Any]:  # noqa: N803
        for key in TagKeys:
            del self.rules[Arn]["Tags"][key]
        return {}


def notifications(address: str = "topic", **more: Any) -> dict[str, Any]:
    return {
        "name": "rule",
        "detailType": "BASIC",
        "eventTypeIds": ["failed", "succeeded"],
        "resource": "arn:aws:codepipeline:eu-central-1:111122223333:app",
        "targets": [{"type": "SNS", "address": f"arn:aws:sns:eu-central-1:111122223333:{address}"}],
        **more,
    }


def test_life_of_a_notification_rule(impatient: None) -> None:
    fake = FakeNotifications()
    clients: dict[str, Any] = {"codestar-notifications": fake}
    rule = live(NOTIFICATIONS, **clients)
    rule.create(**notifications(tags={"a": "1"}))
    assert rule.refresh()
    assert rule.seen["targets"][0]["status"] == "ACTIVE"
    assert rule.differences(**notifications(tags={"a": "1"})) == {}
    assert rule.differences(**notifications(eventTypeIds=["succeeded", "failed"], tags={"a": "1"})) == {}
    assert rule.differences(**notifications(resource="arn:aws:other", tags={"a": "1"})) == {"resource": True}

    rule.update(**notifications("other", status="DISABLED", tags={"b": "2"}))
    assert rule.refresh()
    assert (rule.seen["status"], rule.seen["tagsAll"]) == ("DISABLED", {"b": "2"})
    assert fake.targets == {"arn:aws:sns:eu-central-1:111122223333:other"}

    second = live(NOTIFICATIONS, **clients)
    second.create(**notifications("other", name="second"))
    rule.delete()
    assert rule.refresh() is None
    assert fake.targets == {"arn:aws:sns:eu-central-1:111122223333:other"}  # the second one's
    second.delete()
    assert fake.targets == set()


def test_a_notification_rule_is_checked_before_it_is_made() -> None:
    wrong = notifications(name="a/b", detailType="SOME", eventTypeIds=["e"] * 201)
    _, failures = live(NOTIFICATIONS).calls.check(wrong)
    assert "expected detail_type to be one of" in failures[0]
    _, failures = live(NOTIFICATIONS).calls.check({**wrong, "detailType": "FULL"})
    assert [failure.split(":")[0] for failure in failures] == ["name", "eventTypeIds"]


# -- the value of a secret


def test_the_value_of_a_secret_is_a_secret(developer: LocalAccount) -> None:
    client = developer.client("secretsmanager")
    first = client.create_secret(Name="token", SecretString="one")
    client.put_secret_value(SecretId="token", SecretString="two")
    function = live("aws:secretsmanager/getSecretVersion:getSecretVersion", developer).calls
    found = function.invoke({"secretId": "token"})
    assert found["secretString"] == Secret("two")
    assert (found["id"], found["arn"], found["versionStages"]) == ("token|AWSCURRENT", first["ARN"], ["AWSCURRENT"])
    assert function.invoke({"secretId": "token", "versionStage": "AWSPREVIOUS"})["secretString"] == Secret("one")
    assert function.invoke({"secretId": "token", "versionId": first["VersionId"]})["secretString"] == Secret("one")
    with pytest.raises(Aborted, match=r"reading Secrets Manager Secret Version \(none\|AWSCURRENT\): couldn't find"):
        function.invoke({"secretId": "none"})
