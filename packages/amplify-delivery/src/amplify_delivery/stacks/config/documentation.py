"""docs/configuration.md and the JSON schemas for editors, made from the models.

python -m amplify_delivery.stacks.config
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amplify_delivery.components.documents.fields import Model
from amplify_delivery.stacks.config.account import AccountConfig
from amplify_delivery.stacks.config.environment import EnvironmentConfig
from amplify_delivery.stacks.config.pipeline import PipelineConfig

PROGRAMS: Mapping[str, type[Model]] = {
    "environment": EnvironmentConfig,
    "account": AccountConfig,
    "pipeline": PipelineConfig,
}
"""The kinds of stack files, by the name of their schema."""
PAGE = "configuration.md"
SCHEMAS = "schema"

Schema = dict[str, Any]

_INTRODUCTION = """# Configuration

<!-- Made by `python -m amplify_delivery.stacks.config` from the models in stacks/config: change it there. -->

Each stack has a file, `Pulumi.STACK.yaml`. Its keys stand below `config:` with the project's name in front, as in
`myapp:account`. An unknown key is an error.

Keys of your own, which your `components/stage.py` reads with `pulumi.Config()`, are declared in `Pulumi.yaml`, with
their `type`: environments' files may have them then, secret or not. Keys with another name in front (`dns:zone`,
`pulumi.Config("dns")`) are yours without that.

```yaml
config:
  helloService:
    type: boolean
    default: false
```

| kind | file | made by |
|---|---|---|
| [environment](#environment) | `Pulumi.dev.yaml`, `Pulumi.prod.yaml` | its developer, or the pipeline |
| [account](#account) | `Pulumi.prod-account.yaml` | an administrator of the account, once |
| [pipeline](#pipeline) | `Pulumi.pipeline.yaml` | `pulumi up -s pipeline` once, then the pipeline itself |

Account and region of an environment stand in its own file only: the others name it. So one more environment is one file
and one word. Values are read as they are written; put accounts in quotes, because YAML makes another number of
`012345678901`. `true` and `false` may stand in quotes as well: Pulumi writes them so whenever it writes a file. Lengths
of time are written as `30m`, `24h`, `7d`. Nothing but `parameters` of an environment and keys of your own may be a
secret (`pulumi config set --secret`): other stacks and tools read the files, and nobody decrypts another's values.

For completion and checks in an editor, put the schema into the file's first line:
`# yaml-language-server: $schema=docs/schema/pipeline.json`.

The smallest useful pipeline, with a test after PreProd and an approval before Prod:

```yaml
config:
  myapp:program: pipeline
  myapp:account: "111111111111"
  myapp:region: us-east-1
  myapp:source:
    connection: arn:aws:codeconnections:us-east-1:111111111111:connection/5e6f7a8b
    repository: example/myapp
  myapp:stages:
    - name: PreProd
    - name: Prod
      approval: true
```

What is to be so in all environments stands once, as a key's `default` in `Pulumi.yaml`; a stack file that has the key
itself has the last word, for the whole key. For instance a rule of the linter that is wrong for this app everywhere:

```yaml
config:
  lint:
    type: object
    default: {ignore: [{id: E3012, reason: "our custom resource takes numbers as text"}]}
```
"""


def page() -> str:
    """The text of docs/configuration.md."""
    parts = [_INTRODUCTION]
    told: set[str] = set()
    for program, model in PROGRAMS.items():
        schema = _schema(model)
        parts.append(f"## {program.capitalize()}\n\n{_sentence(schema)}\n\n{_table(schema, model)}\n")
        for name, definition in _in_order(schema):
            if name in told:
                continue
            told.add(name)
            parts.append(f"### {_title(name)}\n\n{_sentence(definition)}\n\n{_table(definition)}\n")
    return "\n".join(parts)


def schemas() -> dict[str, str]:
    """A JSON schema for each kind of stack file, by its file's name."""
    return {f"{name}.json": json.dumps(_of_file(name, model), indent=1) + "\n" for name, model in PROGRAMS.items()}


def write(docs: Path) -> None:
    """Write page and schemas into the folder `docs`."""
    (docs / SCHEMAS).mkdir(exist_ok=True)
    (docs / PAGE).write_text(page(), encoding="utf-8")
    for name, text in schemas().items():
        (docs / SCHEMAS / name).write_text(text, encoding="utf-8")


def _of_file(name: str, model: type[Model]) -> Schema:
    schema = _schema(model)
    properties = _own_properties(schema, model)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Pulumi stack file of {'an' if name[0] in 'ae' else 'a'} {name}",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                # The project's name is in front, which a schema cannot know.
                "patternProperties": {f"^[A-Za-z0-9_.-]+:{key}$": value for key, value in properties.items()},
            },
            "secretsprovider": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "encryptionsalt": {"type": "string"},
        },
        "$defs": schema.get("$defs", {}),
    }


def _schema(model: type[Model]) -> Schema:
    """Pydantic's schema, as far as a file goes: what has a default that depends on a name need not be there."""
    schema = model.model_json_schema(by_alias=True)
    for part in (schema, *schema.get("$defs", {}).values()):
        for key in ("environment", "environments"):
            if key in part.get("required", ()):
                part["required"].remove(key)
    return schema


def _own_properties(schema: Schema, model: type[Model] | None) -> Schema:
    properties: Schema = schema.get("properties", {})
    return {key: value for key, value in properties.items() if model is None or key in model.written_names()}


def _in_order(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The parts of a file, in the order in which the file's keys come to them."""
    definitions: Schema = schema.get("$defs", {})
    seen: list[str] = []

    def visit(value: Any) -> None:
        if isinstance(value, Mapping):
            if "$ref" in value:
                name = str(value["$ref"]).rsplit("/", 1)[-1]
                if name not in seen:
                    seen.append(name)
                    visit(definitions[name])
            for key, item in value.items():
                if key not in ("$ref", "$defs", "discriminator"):
                    visit(item)
        elif isinstance(value, list):
            for item in value:
                visit(item)

    visit(schema.get("properties", {}))
    return ((name, definitions[name]) for name in seen)


def _sentence(schema: Schema) -> str:
    return str(schema.get("description", "")).strip()


def _table(schema: Schema, model: type[Model] | None = None) -> str:
    required = set(schema.get("required", ()))
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    for key, value in _own_properties(schema, model).items():
        default = "**required**" if key in required else _default(value)
        description = str(value.get("description", "")).replace("|", "\\|")
        rows.append(f"| `{key}` | {_kind(value)} | {default} | {description} |")
    return "\n".join(rows)


def _default(value: Schema) -> str:
    default = value.get("default")
    if default in (None, "", [], {}):
        return ""
    kinds = [value, *value.get("anyOf", ())]
    if isinstance(default, int) and any("(m|h|d)" in str(kind.get("pattern")) for kind in kinds):
        return f"`{default // 60}h`" if default % 60 == 0 else f"`{default}m`"
    return f"`{json.dumps(default)}`" if isinstance(default, bool) else f"`{default}`"


def _kind(value: Schema) -> str:
    if "$ref" in value:
        return _link(value["$ref"])
    options = [option for key in ("anyOf", "oneOf") for option in value.get(key, ()) if option.get("type") != "null"]
    if options:
        return " or ".join(dict.fromkeys(_kind(option) for option in options))
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if value.get("type") == "object":
        return "mapping"
    if "(m|h|d)" in str(value.get("pattern")):
        return "time"
    if value.get("format") == "date":
        return "date"
    return {"boolean": "`true`, `false`", "string": "text"}.get(str(value.get("type")), "text")


def _link(reference: str) -> str:
    title = _title(reference.rsplit("/", 1)[-1])
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _title(name: str) -> str:
    words = re.findall("GitHub|GitLab|CodeCommit|S3|[A-Z][a-z]+", name)
    return " ".join([words[0], *map(str.lower, words[1:])])
