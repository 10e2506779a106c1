"""A report's page in a real headless Chromium: that it works, for whom, and that it asks nobody anything."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from amplify_delivery.delivery.reporting.page.rendering import written
from aws_rehearsal_tests.absent import IN_CI
from functional.report.browsers import EXCUSED, binary, chromium
from unit.delivery.reporting.page.example_reports import HOSTILE, everything

MODELS = 157
"""With the root, auth, api and the one with a hostile name more than 160 stacks, and 2,500 resources."""
FEW = 3
"""Of a small page: to open the large one takes a second of a processor."""
# One process, one browser: each that is started takes three seconds of a processor.
pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("page_in_browser")]


@dataclass
class Seen:
    """What a page has done beside being shown."""

    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(os.environ) as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    for name, models in (("small", FEW), ("large", MODELS)):
        written(everything(models), folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in ("small", "large")}


@contextmanager
def opened(browser: Browser, file: Path, *, complains: bool = False, **how: object) -> Iterator[tuple[Page, Seen]]:
    """The page, opened in a window of its own. Whatever it logs or lacks is a problem, and no page of these tests has
    one, or asks anybody for anything, unless it `complains`."""
    context = browser.new_context(**how)  # type: ignore[arg-type]
    page, seen = context.new_page(), Seen()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.problems.append(message.text))
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    try:
        page.goto(file.as_uri())
        yield page, seen
        if not complains:
            asked = [request for request in seen.requests if not request.startswith("blob:")]  # what it has itself
            assert Seen(asked, seen.problems) == Seen([file.as_uri()], [])
    finally:
        context.close()


def shown(page: Page) -> list[str]:
    """The names of the resources that can be seen."""
    names: list[str] = page.evaluate(
        "[...document.querySelectorAll('.lines li')].filter(line => line.checkVisibility())"
        ".map(line => line.querySelector('.mono').textContent)"
    )
    return names


def test_it_asks_nobody_and_complains_of_nothing(browser: Browser, files: dict[str, Path]) -> None:
    """Neither with everything unfolded, nor in whatever the other tests do, with the large one as well."""
    with opened(browser, files["small"]) as (page, seen):
        page.get_by_role("button", name="Unfold all").click()
        page.evaluate("document.fonts.ready")
        assert seen == Seen([files["small"].as_uri()], [])


def test_what_got_into_it_could_load_and_run_nothing(browser: Browser, files: dict[str, Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, opened(browser, files["small"], complains=True) as (page, _):
        page.evaluate(
            """port => {
              window.refused = [];
              addEventListener('securitypolicyviolation', event => refused.push(event.effectiveDirective));
              const frame = document.createElement('div');
              frame.innerHTML = '<p style="color:red"></p>'
                + `<img src="http://127.0.0.1:${port}/x.png" onerror="window.hit = 3">`;
              document.body.append(frame);
              const script = document.createElement('script');
              script.textContent = 'window.hit = 4';
              document.body.append(script);
            }""",
            server.getsockname()[1],
        )
        page.wait_for_function("refused.length >= 4")
        found = set(page.evaluate("refused"))
        assert found == {"img-src", "style-src-attr", "script-src-elem", "script-src-attr"}
        assert page.evaluate("window.hit") is None
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_models_name_stays_text(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["small"]) as (page, _):
        page.locator("#search").fill("<script>")
        assert shown(page) == [HOSTILE]
        assert page.locator(f".node[data-stack={json.dumps('api/' + HOSTILE)}]").count() == 1
        assert page.locator("#findings").get_by_text(HOSTILE).count() == 1
        assert page.evaluate("window.hit") is None
        assert page.locator("script").count() == 2


def test_resources_are_searched(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["large"]) as (page, _):
        told = page.locator("#found")
        changed = 2 * MODELS + 4
        assert told.text_content() == f"{changed} lines in {MODELS + 4} groups"
        page.keyboard.press("/")
        page.keyboard.type("model007 role")
        assert shown(page) == ["Role007"]
        assert told.text_content() == "1 line in 1 group"
        page.get_by_label("unchanged too").check()
        page.locator("#search").fill("x12")
        assert len(shown(page)) == MODELS
        page.locator("#search").fill("nothing has this name")
        assert (shown(page), told.text_content()) == ([], "Nothing like that")
        page.keyboard.press("Escape")
        assert told.text_content() == f"2,{13 * MODELS + changed + 2 - 2000} lines in {MODELS + 5} groups"
        page.get_by_role("button", name="Only removed").click()
        assert shown(page) == ["OldTable"]
        page.get_by_role("button", name="Only removed").click()
        page.get_by_role("button", name="data loss").click()
        assert shown(page) == ["OldTable"]


def test_stacks_are_folded_by_mouse_and_keys(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["small"]) as (page, _):
        everyone = shown(page)
        assert len(everyone) == FEW * 2 + 4
        page.get_by_role("button", name="Fold all", exact=True).click()
        assert shown(page) == []
        page.locator("summary", has_text="api / Model001").focus()
        page.keyboard.press("Enter")
        assert shown(page) == ["Role001", "Table001"]
        page.get_by_role("button", name="Unfold all").click()
        assert shown(page) == everyone


def test_the_graph_is_walked_with_keys(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["small"]) as (page, _):

        def here() -> str:
            return str(page.evaluate("document.activeElement.dataset.stack"))

        nodes = page.locator(".node")
        assert page.locator(".node[tabindex='0']").count() == 1
        nodes.first.focus()
        assert here() == ""
        page.keyboard.press("End")
        assert here() == f"api/Model{FEW - 1:03}"
        page.keyboard.press("ArrowLeft")
        assert here() == "api"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        assert here() == "api/Model000"
        assert page.locator(".node[tabindex='0']").count() == 1
        page.keyboard.press("Enter")
        assert sorted(shown(page))[-2:] == ["Role000", "Table000"]
        assert len(shown(page)) == 15
        assert page.evaluate("document.activeElement.id") == "resources-title"
        page.get_by_role("button", name="show all stacks").click()
        assert page.locator("#found").text_content() == f"{2 * FEW + 4} lines in {FEW + 4} groups"


def test_a_stack_that_is_clicked_shows_its_resources_and_one_that_is_dragged_does_not(
    browser: Browser, files: dict[str, Path]
) -> None:
    with opened(browser, files["large"], viewport={"width": 900, "height": 700}) as (page, _):
        page.locator("#stacks").scroll_into_view_if_needed()
        node = page.locator(".node[data-stack='api/Model001']")
        node.scroll_into_view_if_needed()
        box = node.bounding_box()
        assert box
        x, y = box["x"] + 20, box["y"] + 10
        before = page.evaluate("document.querySelector('.graph').scrollLeft")
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 90, y, steps=4)
        page.mouse.up()
        assert page.evaluate("document.querySelector('.graph').scrollLeft") == before + 90
        assert page.locator("#only").is_hidden()
        node.click()
        assert page.locator("#only-name").text_content() == "api/Model001"


def test_160_stacks_can_be_read(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["large"], viewport={"width": 1440, "height": 1000}) as (page, _):
        measured = page.evaluate(
            """() => [...document.querySelectorAll('.node')].map(node => {
              const [name, numbers] = [...node.querySelectorAll('text')].map(text => text.getBoundingClientRect());
              const box = node.querySelector('rect').getBoundingClientRect();
              return { fits: box.left < name.left && name.right < numbers.left && numbers.right < box.right,
                       size: parseFloat(getComputedStyle(node.querySelector('text')).fontSize) * box.height / 26 };
            })"""
        )
        assert len(measured) == MODELS + 4
        assert all(node["fits"] for node in measured)
        assert min(node["size"] for node in measured) >= 11.9
        width = page.evaluate(
            "[document.querySelector('.graph').scrollWidth, document.querySelector('.graph').clientWidth]"
        )
        assert width[0] == width[1]
        page.get_by_role("button", name="Larger").click()
        assert page.locator("#zoomed").text_content() == "125 %"
        page.get_by_role("button", name="Fit").click()
        assert page.locator(".graph svg").bounding_box()["width"] <= width[1]  # type: ignore[index]


@pytest.mark.parametrize("how", ["light", "dark", "phone"])
def test_everybody_can_use_it(browser: Browser, files: dict[str, Path], how: str) -> None:
    """axe-core's rules, contrast among them, with everything unfolded."""
    size = {"width": 390, "height": 844} if how == "phone" else {"width": 1280, "height": 900}
    scheme = "dark" if how == "dark" else "light"
    with opened(browser, files["small"], viewport=size, color_scheme=scheme, reduced_motion="reduce") as (page, _):
        page.evaluate("for (const element of document.querySelectorAll('details')) element.open = true")
        page.get_by_label("unchanged too").check()
        found = Axe().run(page).response
        assert [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found["violations"]] == []
        assert {"color-contrast", "aria-required-parent", "scrollable-region-focusable"} <= {
            rule["id"] for rule in [*found["passes"], *found["inapplicable"], *found["incomplete"]]
        }
        across = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert across[0] <= across[1]


def test_commands_are_copied_as_they_are_typed(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["small"]) as (page, _):
        page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        for number, text in enumerate([command.text for command in everything().commands] + ["git push"]):
            page.locator(".typed button").nth(number).click()
            page.wait_for_function("text => window.copied === text", arg=text)
        assert page.locator("#live").text_content() == "Copied"


def test_its_data_is_saved(browser: Browser, files: dict[str, Path], tmp_path: Path) -> None:
    with opened(browser, files["small"]) as (page, seen):
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as JSON").click()
        download.value.save_as(tmp_path / "report.json")
        saved = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
        assert saved == json.loads(json.dumps(everything(FEW).document()))
        assert seen.problems == []


def test_it_is_printed_without_what_only_a_screen_needs(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["small"], color_scheme="dark") as (page, _):
        page.get_by_role("button", name="Fold all", exact=True).click()
        page.emulate_media(media="print", color_scheme="dark")
        for hidden in ("nav", "#search", ".typed button", "#save", "#found"):
            assert page.locator(hidden).first.is_hidden(), hidden
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert "Table001" in shown(page)
        assert not page.evaluate(
            "document.querySelector('#rights dl').checkVisibility()"
        )  # 200 lines that nobody reads
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert shown(page) == []


def test_it_can_be_read_where_no_script_runs(browser: Browser, files: dict[str, Path]) -> None:
    with opened(browser, files["small"], java_script_enabled=False) as (page, _):
        assert page.locator(".tools").first.is_hidden()
        assert page.get_by_text("Table001", exact=True).is_visible()
        assert page.get_by_text("Resolver001x00").is_visible()


def test_without_a_browser_a_test_is_skipped_and_in_ci_it_fails() -> None:
    assert (
        binary(lambda name: "/usr/bin/chromium-browser" if name == "chromium-browser" else None, {})
        == "/usr/bin/chromium-browser"
    )
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        binary(lambda _: None, {})
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        binary(lambda _: None, {IN_CI: "true"})
    with pytest.raises(pytest.skip.Exception, match="Debian cannot be reached"):
        binary(lambda _: None, {IN_CI: "true", EXCUSED: "Debian cannot be reached"})


def test_the_page_is_as_long_as_it_is_before_all_of_it_was_seen(browser: Browser, files: dict[str, Path]) -> None:
    """What is not on the screen is not laid out; a guess that is far off makes the page jump under whoever reads."""
    for name in ("small", "large"):
        with opened(browser, files[name], viewport={"width": 1280, "height": 900}) as (page, _):

            def guessed_and_real(page: Page = page) -> tuple[int, int]:
                found = [
                    page.evaluate(
                        """shown => {
                          for (const list of document.querySelectorAll('.lines')) list.style.contentVisibility = shown;
                          return document.documentElement.scrollHeight;
                        }""",
                        shown,
                    )
                    for shown in ("", "visible")
                ]
                return found[0], found[1]

            for words in ("", "role"):
                page.locator("#search").fill(words)
                guessed, real = guessed_and_real()
                assert abs(guessed - real) < 0.1 * real, (name, words, guessed, real)
