"""A report as an HTML page, and as JSON: what can be said without a browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from amplify_delivery.delivery.reporting.page.rendering import (
    encoded,
    groups,
    prose,
    rendered,
    seconds,
    shortened,
    written,
)
from amplify_delivery.delivery.reporting.page.report_model import Line, Report, parsed
from unit.delivery.reporting.page.example_reports import HOSTILE, everything

EMPTY = Report("nothing", "", "2026-11-29T18:55:02+00:00", "0.2.0")


class Page(HTMLParser):
    """Tags with their attributes, and the text of elements that have no children, as a browser's parser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self._now = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._now = f"{tag} {dict(attrs).get('type') or ''}".strip()
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self._now = ""

    def handle_data(self, data: str) -> None:
        self.inside.setdefault(self._now, []).append(data)


def test_the_json_document_is_the_report() -> None:
    report = everything()
    document = json.loads(json.dumps(report.document()))
    assert document["format"] == 1
    assert parsed(document) == report


@pytest.mark.parametrize(
    "document", [{}, {"format": 2}, {**everything().document(), "lines": [{"stack": 1}]}, {"format": 1, "title": "t"}]
)
def test_a_document_of_another_shape_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"format|fields are wrong"):
        parsed(document)


def test_the_data_stands_in_the_page_once_more() -> None:
    report = everything()
    page = Page(rendered(report))
    assert json.loads("".join(page.inside["script application/json"])) == json.loads(json.dumps(report.document()))


def test_what_somebody_called_a_model_stays_a_name() -> None:
    text = rendered(everything())
    page = Page(text)
    assert HOSTILE not in text
    assert text.count("</script") == 2
    assert [attributes for tag, attributes in page.tags if tag == "img" or "onerror" in attributes] == []
    assert html.escape(HOSTILE, quote=False) in text.replace("&#39;", "'")


def test_the_policy_lets_this_style_and_this_script_run_and_nothing_else() -> None:
    page = Page(rendered(everything()))
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv")) or ""
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    hashed = {
        name: base64.b64encode(hashlib.sha256("".join(page.inside[name]).encode()).digest()).decode()
        for name in ("style", "script")
    }
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashed['style']}'",
        "script-src": f"'sha256-{hashed['script']}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    # An attribute would need 'unsafe-inline'.
    assert [a for _, a in page.tags if "style" in a or any(name.startswith("on") for name in a)] == []


def test_nothing_is_named_that_would_be_loaded() -> None:
    page = Page(rendered(everything()))
    loading = [value for _, a in page.tags for name, value in a.items() if name in ("src", "href", "srcset", "action")]
    assert {value for value in loading if not str(value).startswith("#")} == {"data:,"}
    assert "url(" not in rendered(everything())


def test_what_a_report_does_not_have_is_not_shown() -> None:
    sections = re.findall(r'<section id="([a-z]+)"', rendered(EMPTY))
    assert sections == []
    every = re.findall(r'<section id="([a-z]+)"', rendered(everything()))
    assert every == [
        "unread", "board", "plan", "stacks", "resources", "timings", "deployments", "findings", "rights",
    ]  # fmt: skip


def test_every_link_leads_somewhere() -> None:
    page = Page(rendered(everything()))
    ids = {a["id"] for _, a in page.tags if "id" in a}
    targets = {str(a["href"])[1:] for tag, a in page.tags if tag == "a"}
    assert len(targets) >= 10
    assert targets <= ids


def test_half_a_letter_is_written_as_a_question_mark(tmp_path: Path) -> None:
    report = replace(EMPTY, lines=(Line((), "Todo\ud800", "AWS::S3::Bucket"),))
    written(report, tmp_path / "page.html")
    assert "Todo?" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert encoded("ä\u2028") == "ä\u2028".encode()


def test_lines_are_grouped_by_update_part_and_stack() -> None:
    lines = [
        Line(("api", "Todo"), "T", "t", "~", run=2),
        Line(("api", "Todo"), "R", "t", "+", run=1),
        Line((), "out", "output", "+", part="outputs"),
        Line((), "fn", "aws", "~", part="program"),
        Line(("api",), "A", "t"),
        Line((), "Z", "t", "-"),
    ]
    found = [(g.run, g.title, [line.name for line in g.lines], g.counts) for g in groups(lines)]
    assert found == [
        (0, "Root stack", ["Z"], (("-", 1),)),
        (0, "api", ["A"], ()),
        (0, "Beside the backend", ["fn"], (("~", 1),)),
        (0, "Outputs of the program", ["out"], (("+", 1),)),
        (1, "api / Todo", ["R"], (("+", 1),)),
        (2, "api / Todo", ["T"], (("~", 1),)),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run `plan <ENV>` first", "run <code>plan &lt;ENV&gt;</code> first"),
        ("<b> & `", "&lt;b&gt; &amp; `"),
        ("`a``b`", "<code>a</code><code>b</code>"),
        ("", ""),
    ],
)
def test_code_in_a_sentence_is_shown_as_code_and_nothing_as_markup(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (61, "61 s"), (120, "2 min"), (187.4, "3 min 7 s"), (4000, "1 h 6 min")],
)
def test_a_duration_is_written_shortly(number: float, text: str) -> None:
    assert seconds(number) == text


def test_a_name_keeps_its_ends() -> None:
    assert [shortened(name, 9) for name in ("CommentLikes", "Comment", "CommentPostsById")] == [
        "Comm…ikes", "Comment", "Comm…ById",
    ]  # fmt: skip


GROUNDS = ("ground", "panel", "raised")
SOFT = {"add": "add-soft", "change": "change-soft", "bad": "bad-soft", "text": "change-soft"}
"""Texts on a ground of their own, in the graph."""


def colours(scheme: str) -> dict[str, str]:
    style = next(iter(Page(rendered(EMPTY)).inside["style"]))
    light, dark, _ = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", part)) for part in style.split("@media", 2))
    assert set(dark) < set(light) | {"hit"}
    return light if scheme == "light" else {**light, **dark}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(scheme: str) -> None:
    """Contrast as WCAG 2.2 counts it: of text 4.5 at least, of what has a meaning beside it 3."""
    found = colours(scheme)
    texts = ("text", "muted", "link", "add", "change", "replace", "remove", "move", "good", "warn", "bad")
    pairs = [(name, ground, 4.5) for name in texts for ground in GROUNDS]
    pairs += [(name, ground, 4.5) for name, ground in SOFT.items()]
    pairs += [(name, ground, 3.0) for name in ("strong", "focus") for ground in GROUNDS]
    measured = {(name, ground): contrast(found[name], found[ground]) for name, ground, _ in pairs}
    assert {(name, ground) for name, ground, least in pairs if measured[name, ground] < least} == set()


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, "contrast ratio" and "relative luminance")."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
