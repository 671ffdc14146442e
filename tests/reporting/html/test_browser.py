"""The pages in a real browser: the charts answer, nothing complains, nothing is wider than a phone."""

import json

import pandas as pd
import pytest

from tests.reporting.html.browser import Browser, find_chromium
from tests.reporting.html.conftest import HOSTILE

SHOWN = "document.querySelectorAll('#chart-1 path.line').length"
TIP = "document.querySelector('#chart-1 .tip').innerText"


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests of this file."""
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with Browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(forecast_run, image_run, comparison):
    """The three kinds of page by name."""
    return {
        "forecast": forecast_run.folder / "report.html",
        "image": image_run.folder / "report.html",
        "comparison": comparison,
    }


@pytest.mark.parametrize("name", ["forecast", "image", "comparison"])
def test_no_complaint_and_nothing_wider_than_a_phone(browser, pages, name):
    browser.complaints.clear()
    browser.open(pages[name], width=360, height=740)
    assert browser.value("document.documentElement.scrollWidth") == 360
    assert browser.value("document.querySelectorAll('figure.chart').length") > 0
    assert browser.value("[...document.querySelectorAll('figure.chart')].every(f => f.querySelector('.line, .dot'))")
    assert browser.value("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert browser.complaints == []
    assert browser.value("document.title") != "1", "a name has done something"
    dark = browser.value("getComputedStyle(document.body).backgroundColor")
    browser.look(dark=True)
    assert browser.value("getComputedStyle(document.body).backgroundColor") != dark
    light_on_dark = [
        sum(map(int, browser.value(f"getComputedStyle(document.body).{what}")[4:-1].split(",")))
        for what in ("color", "backgroundColor")
    ]
    assert light_on_dark[0] > 500 > 200 > light_on_dark[1]
    browser.look(dark=False)


PLACE = """(() => {
  const svg = document.querySelector('#chart-1 .plot > svg');
  svg.scrollIntoView({block: 'center'});
  const outer = svg.getBoundingClientRect(), axes = svg.querySelector('clipPath rect');
  const scale = outer.width / svg.viewBox.baseVal.width;
  const [x, width] = [axes.x.baseVal.value * scale, axes.width.baseVal.value * scale];
  return {x: outer.x + x, width, y: outer.y + outer.height / 2};
})()"""


def place(browser, share):
    """Return where in the window a share of the width of the first chart's axes lies."""
    box = browser.value(PLACE)
    return box["x"] + share * box["width"], box["y"]


def test_the_cursor_names_the_values_of_its_row(browser, pages, forecast_run):
    table = pd.read_csv(forecast_run.folder / "predictions.csv")
    table = table[table["step"] == 1].reset_index(drop=True)
    days = pd.to_datetime(table["date"])
    browser.open(pages["forecast"], width=1000)
    for row in (0, 7, len(table) - 1):
        share = (days[row] - days[0]) / (days.iloc[-1] - days[0])
        browser.mouse("mouseMoved", *place(browser, share))
        told = browser.value(TIP).split("\n")
        assert told[0] == str(days[row].date())
        named = dict(zip(told[1::2], told[2::2], strict=True))
        assert float(named["truth"]) == pytest.approx(table["truth"][row], rel=1e-5)
        assert float(named["mlp"]) == pytest.approx(table["mlp (mean of 2 seeds)"][row], rel=1e-5)
        low, high = named["mlp, 80 % interval"].split(" to ")
        assert float(low) == pytest.approx(table["mlp (mean of 2 seeds) lower 80"][row], rel=1e-5)
        assert float(high) == pytest.approx(table["mlp (mean of 2 seeds) upper 80"][row], rel=1e-5)
    browser.mouse("mouseMoved", 5, 5)
    assert browser.value("document.querySelector('#chart-1 .tip').hidden")


def test_drag_zooms_and_lines_are_switched(browser, pages):
    browser.open(pages["forecast"], width=1000)
    ticks = "[...document.querySelectorAll('#chart-1 .plot > svg > text')].map(t => t.textContent).join('|')"
    reset = "document.querySelector('#chart-1 [data-do=reset]')"
    whole, at_first = browser.value(ticks), browser.value(SHOWN)
    assert browser.value(f"{reset}.disabled")
    browser.mouse("mousePressed", *place(browser, 0.25))
    browser.mouse("mouseMoved", *place(browser, 0.5))
    browser.mouse("mouseReleased", *place(browser, 0.6))
    assert browser.value(ticks) != whole
    assert not browser.value(f"{reset}.disabled")
    browser.value(f"{reset}.click()")
    assert browser.value(ticks) == whole
    browser.value("document.querySelector('#chart-1 [data-do=in]').click()")
    assert browser.value(ticks) != whole
    browser.value("document.querySelector('#chart-1 .plot > svg').focus()")
    browser.key("Escape")
    assert browser.value(ticks) == whole
    browser.key("Home")
    browser.key("ArrowRight")
    said = browser.value("document.querySelector('#chart-1 .said').textContent")
    assert said.split(": ")[0] == browser.value(TIP).split("\n")[0]
    button = "[...document.querySelectorAll('#chart-1 .legend button')].find(b => b.textContent === 'mlp')"
    browser.value(f"{button}.click()")
    assert browser.value(SHOWN) == at_first - 1
    assert browser.value(f"{button}.getAttribute('aria-pressed')") == "false"
    areas = "document.querySelectorAll('#chart-1 .plot .band').length"
    assert browser.value(areas) == 1
    browser.value(f"{button.replace('mlp', 'intervals of mlp')}.click()")
    assert browser.value(areas) == 0


ON_PAPER = """({
  wide: document.documentElement.scrollWidth,
  open: [...document.querySelectorAll('details')].every(d => d.open),
  cut: [...document.querySelectorAll('.scroll')].filter(s => s.scrollWidth > s.clientWidth).length,
  tools: getComputedStyle(document.querySelector('.tools')).display,
  page: getComputedStyle(document.body).backgroundColor,
})"""


def test_on_paper_everything_is_there(browser, pages):
    browser.open(pages["forecast"], width=690, media="print")
    browser.value("dispatchEvent(new Event('beforeprint'))")
    state = browser.value(ON_PAPER)
    assert state == {"wide": 690, "open": True, "cut": 0, "tools": "none", "page": "rgb(255, 255, 255)"}
    assert browser.value(f"document.body.innerText.includes({json.dumps(HOSTILE)})")
    printed = browser.send("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert printed.startswith("JVBER")  # %PDF
