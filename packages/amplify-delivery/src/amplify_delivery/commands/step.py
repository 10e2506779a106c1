"""`amplify-delivery step ENV NAME`: run a pre or post step of the pipeline for an environment, or its bake time."""

from __future__ import annotations

import argparse
from pathlib import Path

from amplify_delivery.delivery import output
from amplify_delivery.delivery.about import About
from amplify_delivery.delivery.account import bootstrap_version
from amplify_delivery.delivery.account.aws_account import Account
from amplify_delivery.delivery.context import Context
from amplify_delivery.delivery.engine import stack_outputs
from amplify_delivery.delivery.environment.front_end import configuration_files, left_for_steps
from amplify_delivery.delivery.pipeline import bake, step_runs
from amplify_delivery.delivery.project import shell, stack_files
from amplify_delivery.errors import ConfigError
from amplify_delivery.stacks.config import EnvironmentConfig, Project

ABOUT = About(
    needs="AWS where the step does",
    text="""
Runs the step's `commands` in one `sh -eu`, with `env` and `envFromOutputs` of the pipeline's stack file in the
environment. After the step's `timeout`, and when the command is interrupted, its whole process group gets SIGTERM,
and SIGKILL 10 seconds later. Background processes end with the commands. The error shows the last 20 lines.

Outputs come from `--outputs`, else from what the last deployment has left in the environment's state bucket, else
from the root stack. The last one knows no outputs of the Pulumi program (`helloUrl`), but those of the nested stacks
(`outputs.NESTED_STACK.OUTPUT`). FILE holds `{"NAME": {"value": ..., "secret": false}}`; a secret's value reaches the
process, and is replaced by `***` where it stands in a line of output as it is, or as JSON writes it.

With `clientConfig` the files of that platform are written into its folder before the commands run: as the last
deployment has left them in a bootstrapped environment, else of the stacks that run. What these have no place for is
told.

`step ENV bake` waits as long as the stage's `bake` says, and looks at the alarm every 30 seconds, the first time at
once: an alarm that goes off ends the command with 4. One without data has not gone off.
""",
    examples=(
        ("amplify-delivery step preprod smoke", "the step `smoke`, as the pipeline runs it"),
        ("amplify-delivery step prod bake --minutes 10 --alarm errors", "watch an alarm for ten minutes"),
    ),
    changes="commands of the step had run, or the alarm went off",
    pages=(
        "pipeline",
        "front-end#in-the-pipeline",
    ),
)

BAKE = "bake"
"""The step that only waits."""
MAX_MINUTES = 420
"""Longest bake time, as in the pipeline's stack file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="name of the environment")
    parser.add_argument("name", metavar="NAME", help="a step of the pipeline's stack file, or `bake`")
    parser.add_argument(
        "--outputs",
        type=Path,
        metavar="FILE",
        help="the environment's outputs, as a deployment writes them; default: asked from its account",
    )
    parser.add_argument(
        "--minutes", type=_minutes, metavar="N", help="bake: wait this long; default: as the pipeline's stack file says"
    )
    parser.add_argument("--alarm", metavar="NAME", help="bake: fail as soon as this CloudWatch alarm goes off")


def run(args: argparse.Namespace, context: Context) -> int:
    project = context.project
    config = stack_files.load(context.folder, args.environment)
    if args.name == BAKE:
        return _bake(args, config, project)
    if args.minutes is not None or args.alarm:
        raise ConfigError(
            "--minutes and --alarm belong to the step `bake`",
            where=f"step {args.name}",
            remedy="leave them out, or name `bake`",
        )
    return _run_step(args, config, context)


def _run_step(args: argparse.Namespace, config: EnvironmentConfig, context: Context) -> int:
    project = context.project
    step = project.step(args.environment, args.name)
    where = f"step {step.name} of {args.environment}"
    bootstrap_version.check_account(config, project)
    outputs: stack_outputs.Outputs = {}
    told = output.progress if args.json else output.line
    if args.outputs:
        outputs = stack_outputs.read_file(args.outputs)
    elif step.env_from_outputs:
        outputs = stack_outputs.read_account(config, project)
    if step.client_config:
        wanted = step.client_config
        left = left_for_steps.read(config, context, wanted.platform)
        configuration_files.write(context.folder / wanted.folder, left.files, replace=True)
        for note in left.notes:
            told(f"note: {note}")
    given, secrets = step_runs.variables(step, outputs, where)
    ended = shell.run(step.commands, given, step.timeout * 60, told, secrets)
    failed = step_runs.failure(step, ended, where)
    if failed:
        raise failed
    seconds = round(ended.seconds, 1)
    _done(args, {"seconds": seconds}, f"{where}: done in {seconds} s")
    return 0


def _bake(args: argparse.Namespace, config: EnvironmentConfig, project: Project) -> int:
    if args.outputs:
        raise ConfigError("--outputs does not belong to the step `bake`", where="step bake", remedy="leave it out")
    minutes, alarm = _bake_time(args, project)
    bootstrap_version.check_account(config, project)

    def look() -> bake.AlarmState:
        # New credentials each time: those of an assumed role last an hour, bake time up to seven.
        account = Account.of(config)
        with account.asking(f"asking for the alarm {alarm}"):
            return bake.alarm_state(account.client("cloudwatch"), str(alarm))

    where = f"{args.environment}, alarm {alarm}" if alarm else args.environment
    output.progress(f"{where}: waiting {output.counted(minutes, 'minute')}")
    bake.wait(minutes, look if alarm else None, where)
    _done(args, {"minutes": minutes, "alarm": alarm}, f"{where}: quiet for {output.counted(minutes, 'minute')}")
    return 0


def _bake_time(args: argparse.Namespace, project: Project) -> tuple[int, str | None]:
    """Minutes and alarm: those of the command line, else those of the environment's stage."""
    if args.minutes is not None:
        return args.minutes, args.alarm
    pipeline, config = project.pipeline_of(args.environment)
    stage = config.stage_of(args.environment)
    if stage is None or stage.bake is None:
        raise ConfigError(
            f"the stage of {args.environment} has no bake time",
            where=str(project.file(pipeline)),
            remedy="give the stage `bake`, or the command --minutes",
        )
    return stage.bake.time, args.alarm or stage.bake.alarm


def _minutes(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= MAX_MINUTES:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number of minutes from 1 to {MAX_MINUTES}")
    return int(value)


def _done(args: argparse.Namespace, result: dict[str, object], sentence: str) -> None:
    if args.json:
        output.document({"environment": args.environment, "step": args.name, **result})
    else:
        print(sentence)
