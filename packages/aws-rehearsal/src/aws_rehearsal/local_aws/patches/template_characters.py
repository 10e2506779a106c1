"""GetTemplate gives a `?` for each character that is not ASCII.

MiniStack gives a template back as it was given.
AWS: what a stack is made from is kept as it is, but GetTemplate answers with `?` in place of every such character
(aws-cdk issue 10523; cloudformation-coverage-roadmap issues 814 and 1220). No page of the documentation says so.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.services.cloudformation import handlers

from ._expect import PatchError, expect, replace

_ACTION = "GetTemplate"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def apply() -> None:
    """Write the answer anew: beside the template there is nothing in it that a person has named."""
    get = expect(handlers, "_get_template", "params")
    if handlers._ACTION_HANDLERS.get(_ACTION) is not get:
        raise PatchError(f"{handlers.__name__} answers {_ACTION} in another way")

    def get_template(params: Any) -> Any:
        status, headers, body = get(params)
        return status, headers, _NOT_ASCII.sub("?", body.decode()).encode()

    replace("_get_template", get_template, handlers)
    handlers._ACTION_HANDLERS[_ACTION] = get_template


def probe(aws: Any) -> bool:
    """A translated text in a template comes back as `?`."""
    name, text = aws.name("characters"), "Gr\u00fc\u00dfe"
    template = json.dumps({"Resources": {"Text": aws.parameter(text)}}, ensure_ascii=False)
    aws.query("cloudformation", Action="CreateStack", StackName=name, TemplateBody=template)
    answer = aws.query("cloudformation", Action="GetTemplate", StackName=name, TemplateStage="Original")
    return "Gr??e" in answer and text not in answer
