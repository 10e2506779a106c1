"""Rules of stage conditions: `VariableCheck` and `CloudWatchAlarm` ("Rule structure reference")."""

from __future__ import annotations

import re
import time

from botocore.exceptions import ClientError

from aws_rehearsal.pipeline_service.clients import Clients, failure_of
from aws_rehearsal.pipeline_service.definitions import Rule
from aws_rehearsal.pipeline_service.errors import ActionError
from aws_rehearsal.pipeline_service.pipelines import variables
from aws_rehearsal.pipeline_service.roles import Roles
from aws_rehearsal.pipeline_service.state import Execution


def variable_check(configuration: dict[str, str]) -> tuple[bool, str]:
    """Whether a resolved VariableCheck passes, and why. Raises `ActionError` for an operator there is not."""
    found, wanted, operator = configuration["Variable"], configuration["Value"], configuration["Operator"]
    checks = {
        "EQ": lambda: found == wanted,
        "NE": lambda: found != wanted,
        "CONTAINS": lambda: wanted in found,
        # Java's Matcher.matches: the whole value.
        "MATCHES": lambda: re.fullmatch(wanted, found) is not None,
    }
    if operator not in checks:
        raise ActionError("InvalidRuleConfiguration", f"Operator {operator} is not one of {', '.join(checks)}")
    passed = checks[operator]()
    return passed, f"Variable check {'succeeded' if passed else 'failed'}: '{found}' {operator} '{wanted}'"


class Rules:
    """Checks rules for executions."""

    def __init__(self, roles: Roles, clients: Clients, minute: float) -> None:
        self._roles = roles
        self._clients = clients
        self._minute = minute

    def check(self, execution: Execution, rule: Rule) -> tuple[bool, str]:
        """Whether a rule passes, and why. Raises `ActionError` if it can't be checked."""
        configuration = variables.resolve_all(rule.configuration, execution.namespaces())
        if rule.provider == "VariableCheck":
            return variable_check(configuration)
        return self._alarm(execution, rule, configuration)

    def _alarm(self, execution: Execution, rule: Rule, configuration: dict[str, str]) -> tuple[bool, str]:
        """Fails as soon as the alarm is in one of the states within the wait time (minutes)."""
        name = configuration["AlarmName"]
        states = [state.strip() for state in configuration.get("AlarmStates", "ALARM").split(",")]
        pipeline = execution.pipeline
        credentials = self._roles.of_role(pipeline, rule.role, execution.id)
        client = self._clients.get("cloudwatch", credentials, rule.region or pipeline.region)
        deadline = time.monotonic() + float(configuration.get("WaitTime", "0")) * self._minute
        while True:
            try:
                alarms = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
            except ClientError as error:
                raise failure_of(error, f"Describing the alarm {name}") from error
            if not alarms:
                raise ActionError("AlarmNotFound", f"There is no alarm {name}")
            if alarms[0]["StateValue"] in states:
                return False, f"Alarm {name} is in state {alarms[0]['StateValue']}"
            if time.monotonic() >= deadline or not execution.running:
                return True, f"Alarm {name} was not in any of the states {', '.join(states)}"
            time.sleep(min(1.0, max(0.02, self._minute / 60)))
