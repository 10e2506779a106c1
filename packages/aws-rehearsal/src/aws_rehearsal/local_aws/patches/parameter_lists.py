"""The members of a list parameter are trimmed, and each is compared with the allowed values.

MiniStack takes `a, b` for the members `a` and ` b`, and compares the text as a whole with the allowed values.
AWS: CloudFormation User Guide, "CloudFormation template Parameters syntax", `CommaDelimitedList`: "each member string
is space trimmed"; `AllowedValues`: "An array containing the list of values allowed for the parameter".
"""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers

from ._expect import expect, replace


def apply() -> None:
    """Trim and compare before MiniStack resolves the parameters."""
    resolve = expect(engine, "_resolve_parameters", "template", "provided_params", "previous_params")

    def resolve_parameters(template: dict[str, Any], provided: list[dict[str, Any]], *rest: Any) -> Any:
        declared = template.get("Parameters") or {}
        lists = {name: d for name, d in declared.items() if d.get("Type") in ("CommaDelimitedList", "List<Number>")}
        if not lists:
            return resolve(template, provided, *rest)
        given = [
            {**p, "Value": _trimmed(p["Value"])} if p.get("Key") in lists and "Value" in p else p for p in provided
        ]
        sent = {p["Key"]: p["Value"] for p in given if "Value" in p}
        own = {}
        for name, declaration in lists.items():
            own[name] = {
                k: _trimmed(v) if k == "Default" else v for k, v in declaration.items() if k != "AllowedValues"
            }
            _require_allowed(name, sent.get(name, own[name].get("Default")), declaration.get("AllowedValues"))
        return resolve({**template, "Parameters": {**declared, **own}}, given, *rest)

    replace("_resolve_parameters", resolve_parameters, engine, handlers, changesets)


def _require_allowed(name: str, value: Any, allowed: Any) -> None:
    if allowed and isinstance(value, str) and not set(value.split(",")) <= set(map(str, allowed)):
        raise ValueError(f"Template error: Parameter '{name}' must be one of AllowedValues")


def _trimmed(value: Any) -> Any:
    return ",".join(item.strip() for item in value.split(",")) if isinstance(value, str) else value


def probe(aws: Any) -> bool:
    """A list with blanks holds the values without."""
    parameters = {"Items": {"Type": "CommaDelimitedList", "Default": "a, b", "AllowedValues": ["a", "b"]}}
    chosen = aws.template({"Item": aws.parameter({"Fn::Select": ["1", {"Ref": "Items"}]})}, Parameters=parameters)
    return bool(aws.stack({"Child": aws.nested(chosen)}) == "CREATE_COMPLETE")
