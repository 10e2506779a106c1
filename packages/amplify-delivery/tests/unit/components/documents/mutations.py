"""Loosened documents: each declared statement with one thing taken away that keeps somebody out."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amplify_delivery.components.documents.statements import Document, Statement


@dataclass(frozen=True)
class Mutation:
    """One document, loosened in one place."""

    document: str
    what: str
    loosened: Document

    @property
    def id(self) -> str:
        return f"{self.document}: {self.what}"


def loosened(name: str, doc: Document) -> Iterator[Mutation]:
    """Every way to loosen a document that this module knows."""
    for index, statement in enumerate(doc["Statement"]):
        for what, changed in _loosened(statement):
            statements = copy.deepcopy(doc["Statement"])
            if changed is None:
                del statements[index]
            else:
                statements[index] = changed
            yield Mutation(name, f"{statement['Sid']} {what}", {**doc, "Statement": statements})


def _loosened(statement: Statement) -> Iterator[tuple[str, Statement | None]]:
    if statement["Effect"] == "Deny":
        yield "without the denial", None
        for element in ("Action", "Resource"):
            # Half of what is denied.
            if isinstance(statement.get(element), list):
                yield f"with half of {element}", {**statement, element: statement[element][::2]}
        return
    if statement.get("Resource", "*") != "*":
        yield "on every resource", {**statement, "Resource": "*"}
    if "Principal" not in statement and "*" not in "".join(listed(statement["Action"])):
        services = sorted({a.split(":")[0] for a in listed(statement["Action"])})
        yield "with whole services", {**statement, "Action": [f"{service}:*" for service in services]}
    if "Principal" in statement and statement["Principal"] not in ("*", {"AWS": "*"}):
        kind = "Service" if "Service" in statement["Principal"] else "AWS"
        wider: Any = {"Service": ["codebuild.amazonaws.com", "lambda.amazonaws.com"]} if kind == "Service" else "*"
        if kind == "Service":
            wider["Service"].append(statement["Principal"]["Service"])
        yield "for everybody", {**statement, "Principal": wider}
    for operator, keys in statement.get("Condition", {}).items():
        for key in keys:
            conditions = copy.deepcopy(statement["Condition"])
            del conditions[operator][key]
            if not conditions[operator]:
                del conditions[operator]
            yield f"without {operator} {key}", {**statement, "Condition": conditions}


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
