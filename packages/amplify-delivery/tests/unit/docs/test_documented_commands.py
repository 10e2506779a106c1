"""Every command that a page shows is one that its program takes, with these words and options; and of what is typed,
with all that it requires. Pulumi's are asked of the engine, in `functional/docs`."""

from __future__ import annotations

from collections import Counter

from unit.docs import documented
from unit.docs.accepted import Command, check, each_command
from unit.docs.shell_lines import as_given
from unit.docs.tool_lists import NotTakenError
from unit.rows import each

PLANTED = """
amplify-delivery deploy --plan DIGEST
amplify-delivery client-config prod --platform javascipt
amplify-delivery destroy prod preprod --delete-data
amplify-delivery preview op --pull-request 3
amplify-delivery deploy prod --paln X
amplify-delivery deplyo prod
amplify-delivery preview up --pull-request three
amplify-delivery client-config prod --out
amplify-delivery check --list --explain AD305
amplify-delivery init --ci jenkins
amplify-delivery setup --account 111111111111
amplify-delivry plan prod
(cd web && amplify-delivery chek)
amplify-delivery plan "$(amplify-delivery outptus prod)"
. job.sh; amplify-delivery start prod publsh --digest DIGEST
amplify-delivery plan prod > plan.json | jq -X . plan.json
python -m amplify_delivery plann prod
python -m amplify_delivery.referense > docs/commands.md
python -m pytset tests
python -m pytest -q tests --nope
make rehearze
make tests
make test ARG=-q
make rehearse ARGS=--pauze
make rehearse EXPORTS=app ARGS="--stack"
make bench ARGS=growht
aws s3 snyc a s3://b
aws s3 sync --delte web/dist s3://b
aws s3 cp web/dist s3://b s3://c
aws s3 sync web/dist dist
aws s3 rb
aws cloudfromation describe-stacks
aws cloudformation describe-stack --stack-name NAME
aws cloudformation describe-stacks --stack NAME
aws cloudformation update-stack --use-previous-template
aws cloudformation describe-stacks --stack-name NAME --query "Stacks[0.RoleARN"
aws cloudformation describe-stacks --stack-name NAME --output txt
aws cloudformation update-stack --stack-name NAME --capabilities CAPABILITY_NAMED_IMA
aws cloudformation update-stack --stack-name NAME --use-previous-template yes
aws cloudformation wait stack-update-completed --stack-name NAME
aws codepipeline put-approval-result --pipeline-name P --stage-name S --action-name A --token T --result state=A
aws codepipeline put-approval-result --pipeline-name P --stage-name S --action-name A --token T --result status=Ok
aws dynamodb scan --max-items --table-name TABLE
aws cognito-idp list-users --limit one --user-pool-id POOL
aws sso logon
git comit -m "A stage Staging"
git add --al
git commit --mesage "First delivery"
git push origin main now
git -c user.nam=Ann commit -m "First"
gh api repos/a --jqq x
gh ap repos/octo/shop
glab api
amplify exprot --out ../todo-delivery
amplify export --oot ../todo-delivery
amplify export pull --frontend react --out ./config
amplify add storrage
amplify env checkout
npm cii
npm run biuld
pip install --no-complie dist/amplify_delivery-*.whl
pip install dist/amplify-delivery-*.whl
pip install ~/amplify-delivery/dist/aws_rehearsl-*.whl
cp -R ~/amplify-delivery/webb .
cp -R web
curl --fial https://get.pulumi.com
docker biuld .
export PULUMI_BACKEND_URI=s3://state
PULUMI_BACKEND_URI=s3://state pulumi up
export PULUMI_BACKEND_URL
git commit -m "A stage Staging
(cd web && npm ci
amplify-delivery plan prod >
amplify-delivery bootstrap stagign
amplify-delivery bootstrap --al
amplify-delivery docs operatoins drift
amplify-delivery docs operations dirft
amplify-delivery check amplify-export-seriesap
git push orign main
amplify-delivery rollback prod --list --keep 3
amplify-delivery setup --account 11111 --region eu-west-1
amplify-delivery setup --account 111111111111 --region eu-west1
amplify-delivery gc prod --keep twenty
amplify-delivery init --environment prod
amplify-delivery init --personal ann=123456789012
amplify-delivery init --tooling 111111111111
amplify-delivery init --ids one
amplify-delivery preview up
amplify-delivery start prod plan
amplify-delivery step preprod
aws iam create-role --role-name r
make test ARGS
npm install --savedev x
aws configure expotr-credentials
frobnicate prod
"""
"""Mistakes of writers: each line has one."""
IN_A_SENTENCE = """
amplify-delivery deplyo
amplify-delivery deploy --paln
amplify-delivery preview op
amplify-delivery client-config --platform javascipt
amplify-delivery init --ci github|gitlbb
amplify-delivery destroy prod preprod
make rehearze
aws codepipeline retry-stage-exec
aws cloudformation continue-update-rollback --resource-to-skip
aws s3 snyc
git comit
amplify exprot
"""
"""What a sentence names without all that it takes: the others of it are seen as well."""
TYPED = """
amplify-delivery bootstrap ENV ...
amplify-delivery deploy prod --plan DIGEST [--plan-file plan.json] [--audit audit.jsonl]
(cd "$DIR" && amplify-delivery client-config dev --out "$OLDPWD/web/src") | tee told.txt 2>&1 &
amplify-delivery docs operations  # "a page
aws cloudformation describe-stacks --query "Stacks[].join('', [StackName])"
aws dynamodb update-table --no-deletion-protection-enabled --table-name TABLE
git -c user.name=Ann commit -qm "a; b && c"
"""
"""What stands on pages or may, and is right."""


@each(documented.shown())
def test_a_command_on_a_page_is_taken_by_its_program(_: str, command: Command, whole: bool) -> None:
    check(command, whole=whole)


def test_there_are_commands_to_look_at() -> None:
    typed, named = (
        Counter(command[0] for _, command, whole in documented.shown() if whole is kind) for kind in (True, False)
    )
    assert typed["amplify-delivery"] > 120
    assert named["amplify-delivery"] > 150
    assert typed["aws"] > 20
    assert named["aws"] > 20
    assert typed["pulumi"] > 35
    assert {"make", "git", "amplify", "curl", "npm", "pip", "python", "python3", "jq"} <= typed.keys()


def refused(text: str, *, whole: bool) -> bool:
    lines = [as_given(text)] if whole else documented.as_named(text)
    try:
        for command in (command for line in lines for command in each_command(line)):
            check(command, whole=whole)
    except NotTakenError:
        return True
    return False


@each((line, True) for line in PLANTED.strip().splitlines())
def test_a_mistake_in_a_line_is_seen(line: str, whole: bool) -> None:
    assert refused(line, whole=whole)


@each((line, False) for line in IN_A_SENTENCE.strip().splitlines())
def test_a_mistake_in_a_sentence_is_seen(line: str, whole: bool) -> None:
    assert refused(line, whole=whole)


@each((line, True) for line in TYPED.strip().splitlines())
def test_what_is_right_is_taken(line: str, whole: bool) -> None:
    assert not refused(line, whole=whole)
