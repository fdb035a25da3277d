"""How the page is read: light and dark, by keys, from an address, and with axes that say where they begin."""

import re
from contextlib import contextmanager

import pytest
from fake_page import DATASET, fake_page, fake_rows
from open_page import PATIENCE, choose, count, drawn, needs_chromium

pytestmark = [pytest.mark.slow, needs_chromium]

# every element with words of its own that is seen, its colour, and the ground below it
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgba(colour).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const drawn = at.tagName === "svg" && at.querySelector("#ground");
      if (drawn) return getComputedStyle(drawn).fill;
      const { backgroundColor } = getComputedStyle(at);
      if (rgba(backgroundColor)[3] === 255) return backgroundColor;
    }
    return "white";
  };
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
  const isWord = (node) => node.nodeType === 3 && node.textContent.trim();
  const worded = [...document.querySelectorAll("body *:not(script, style, option)")]
    .filter((element) => element.checkVisibility() && [...element.childNodes].some(isWord));
  const seen = new Map();
  for (const element of worded) {
    const { fill, color } = getComputedStyle(element), below = ground(element);
    const colour = element instanceof SVGElement ? fill : color;
    const [one, other] = [light(colour), light(below)].sort((a, b) => b - a);
    const name = `${colour} on ${below}: ${element.tagName}.${element.getAttribute("class")}`;
    seen.set(name, (one + 0.05) / (other + 0.05));
  }
  return [...seen];
}"""


@contextmanager
def at(browser, address, **context):
    """A page of its own at an address, in a context of its own."""
    of = browser.new_context(**context)
    page, complaints = of.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    drawn(page)
    yield page
    assert complaints == []
    of.close()


def address_of(page):
    """As the page has it now; what the driver knows of it comes a moment later."""
    return page.evaluate("location.href")


@pytest.fixture(scope="module")
def page(browser, address):
    with at(browser, address, viewport={"width": 1280, "height": 900}) as page:
        yield page


@pytest.fixture(autouse=True)
def as_it_was(page):
    """Nothing that a test chose is chosen in the next."""
    page.evaluate("history.replaceState(null, '', location.pathname); restore(); pointAt(null)")
    drawn(page)


# -- light and dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_words_have_contrast_and_nothing_sticks_out(browser, address, scheme, width):
    with at(browser, address, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        page.evaluate("pick(POINTS.find((point) => point.model === 'ease' && point.side !== 'dense' && point.recipe))")
        found = dict(page.evaluate(CONTRASTS))
        assert len(found) > 20
        assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ink, paper = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        bright = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
        assert (bright[0] > bright[1]) == (scheme == "dark")
        # a figure keeps the white that it was drawn on
        assert (
            page.evaluate("getComputedStyle(document.querySelector('figure img')).backgroundColor")
            == "rgb(255, 255, 255)"
        )


def test_the_colours_that_a_reader_chose_are_remembered(browser, address):
    ground = "getComputedStyle(document.body).backgroundColor"
    with at(browser, address, color_scheme="light") as page:
        light = page.evaluate(ground)
        page.select_option("#theme", "dark")
        dark = page.evaluate(ground)
        assert dark != light
        page.reload()
        assert (page.evaluate(ground), page.input_value("#theme")) == (dark, "dark")
        page.select_option("#theme", "")
        page.reload()
        assert (page.evaluate(ground), page.input_value("#theme")) == (light, "")


def test_where_storage_is_refused_the_switch_works_for_this_page(browser, address):
    refused = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    of = browser.new_context(color_scheme="light")
    of.add_init_script(refused)
    page, complaints = of.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    drawn(page)
    page.select_option("#theme", "dark")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"
    assert complaints == []
    of.close()


# -- the address


def test_a_link_shows_the_same_view(browser, address, page):
    choose(page, "plot-form", cost="ms", family="cf", model="ease", unit="everything", begins="lowest")
    page.check("#plot-form [name=floor]")
    choose(page, "choice-form", question="data", against="own", model="ials")
    page.fill("#choice-form [name=loss]", "7.5")
    table = page.locator("[data-filter^='table-safe']").first
    table.fill("refit & more")
    link = address_of(page)
    asked = "new URLSearchParams(new FormData(choiceForm)).toString()"
    view = f"[chosenNow(), {asked}, document.getElementById('answer').textContent]"
    with at(browser, link) as other:
        assert other.evaluate(view) == page.evaluate(view)
        assert other.input_value(f"[data-filter='{table.get_attribute('data-filter')}']") == "refit & more"
        other.locator("#plot-form button[type=reset]").click()
        drawn(other)
        assert "plot." not in address_of(other) and "choice.loss=7.5" in address_of(other)
    follow = "location.hash = '#choose?plot.cost=kept'"
    followed = "addEventListener('hashchange', () => done(true), { once: true })"
    page.evaluate(f"new Promise((done) => {{ {followed}; {follow}; }})")
    drawn(page)
    assert page.input_value("#plot-form [name=cost]") == "kept"
    assert page.input_value("#choice-form [name=loss]") == "1"
    assert address_of(page).endswith("#choose?plot.cost=kept")


def test_an_address_without_a_view_leaves_it_and_one_that_makes_no_sense_shows_what_there_is(browser, address, page):
    from playwright.sync_api import expect

    choose(page, "plot-form", cost="ms")
    page.locator("nav a[href='#claims']").click()
    expect(page).to_have_url(re.compile(r"#claims\?plot\.cost=ms$"), timeout=PATIENCE)
    assert page.input_value("#plot-form [name=cost]") == "ms"
    with at(
        browser, f"{address}#explore?plot.model=nobody&plot.zoom=1,0,x&choice.loss=many&plot.cost=&rows.none=x"
    ) as page:
        assert page.input_value("#plot-form [name=model]") == ""
        assert count(page)[0] > 10
        assert page.locator("#answer .title").count() == 1


# -- keys


def test_the_plot_is_read_with_arrow_keys(page):
    seen = "document.querySelector('#plot .hint').textContent"
    page.locator("#plot-form button[type=reset]").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === picture"), "next to the form is the plot"
    assert page.evaluate("getComputedStyle(picture).outlineStyle") != "none"
    page.wait_for_selector("#plot .hint:visible")
    best = "spots.reduce((best, spot) => (spot[0].ndcg > best[0].ndcg ? spot : best))[0] === active"
    assert page.evaluate(best), "first of all the best"
    page.keyboard.press("Home")
    walked = []
    for _ in range(page.evaluate("spots.filter(([one]) => one.model === active.model).length")):
        walked.append(page.evaluate("[active.bytes, spots.findIndex(([one]) => one === active)]"))
        page.keyboard.press("ArrowRight")
    assert walked == sorted(walked, key=lambda step: step[0]), "by cost"
    assert len({place for _, place in walked}) == len(walked), "each point once"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("active.bytes") == walked[-2][0]
    model, words = page.evaluate("active.model"), page.evaluate(seen)
    page.keyboard.press("ArrowDown")
    assert page.evaluate("active.model") != model and page.evaluate(seen) != words
    page.keyboard.press("ArrowUp")
    assert page.evaluate("active.model") == model
    assert page.evaluate("document.querySelector('.ring').getAttribute('visibility')") == "visible"
    page.keyboard.press("Enter")
    assert page.text_content("#picked .title") == page.evaluate("title(active)")
    page.keyboard.press("Escape")
    assert page.locator("#plot .hint:visible").count() == 0


def test_closer_and_whole_again_by_key_button_and_mouse(page):
    whole, total = page.evaluate("scene.box"), page.evaluate("spots.length")
    page.locator("#plot svg").focus()
    page.keyboard.press("+")
    box = page.evaluate("scene.box")
    assert (box[3] - box[2]) < (whole[3] - whole[2]) and page.evaluate("spots.length") < total
    assert "plot.zoom=" in address_of(page)
    page.keyboard.press("0")
    assert page.evaluate("scene.box") == whole
    page.locator("#closer").click()
    page.locator("#further").click()
    assert page.evaluate("scene.box") == whole
    page.locator("#plot").scroll_into_view_if_needed()
    place = page.locator("#plot").bounding_box()
    page.mouse.move(place["x"] + 300, place["y"] + 60)
    page.mouse.down()
    page.mouse.move(place["x"] + 700, place["y"] + 260, steps=3)
    page.mouse.up()
    drawn(page)
    assert page.evaluate("scene.box[2]") > 0
    page.locator("#whole").click()
    assert page.evaluate("scene.box") == whole


def test_the_legend_hides_a_model_and_shows_it_again(page):
    total = count(page)[0]
    entry = page.locator("#legend button", has_text="EASE")
    entry.focus()
    page.keyboard.press("Enter")
    assert entry.get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.activeElement.dataset.model") == "ease"
    assert "ease" not in page.evaluate("plotted.flat().map((point) => point.model)")
    assert "plot.hide=ease" in address_of(page)
    page.keyboard.press("Enter")
    assert count(page)[0] == total


# -- axes


def test_ticks_are_round_and_in_units(page):
    ticks = "[...document.querySelectorAll('#plot text.tick[text-anchor=middle]')].map((tick) => tick.textContent)"
    units = {"bytes": r"(1|2|3|5)0{0,2} (B|kB|MB|GB)", "ms": r"(\d+|0\.0*[1235]) ms", "kept": r"(\d+|0\.[1235]) %"}
    for cost, known in units.items():
        choose(page, "plot-form", cost=cost)
        found = page.evaluate(ticks)
        assert 3 <= len(found) <= 16
        assert all(re.fullmatch(known, tick) for tick in found), found


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(8e3, 3e6, [10e3, 100e3, 1e6]), (1e2, 1e3, [100, 1000]), (20, 60, [20, 50]), (0.9, 1.1, [1])],
)
def test_logarithmic_ticks_lie_on_the_axis(page, low, high, expected):
    ticks = page.evaluate("([low, high]) => logTicks(low, high, 6).ticks", [low, high])
    assert set(expected) <= set(ticks)
    assert len(ticks) == len(set(ticks)) and all(low <= tick <= high * (1 + 1e-9) for tick in ticks)
    assert len(ticks) >= 2


def test_the_axis_of_quality_begins_at_zero_or_says_where(page):
    title = "document.querySelector('#plot .title[text-anchor=start]').textContent"
    assert page.evaluate("scene.box[2]") == 0
    assert page.evaluate(title) == "nDCG@10 on test"
    choose(page, "plot-form", begins="lowest")
    begin = page.evaluate("scene.box[2]")
    assert 0 < begin < page.evaluate("Math.min(...spots.map(([point]) => point.ndcg))")
    assert page.evaluate(title) == f"nDCG@10 on test: begins at {begin:.3f}, not at 0"
    assert page.locator("#plot .broken").count() == 1


# -- popularity


def test_popularity_is_in_every_plot_and_what_does_not_beat_it_is_marked(browser, page, tmp_path):
    level = fake_rows().query("protocol == 'ratio' and model == 'popularity'")["test_ndcg@10"].mean()
    for cost in ("bytes", "ms", "kept"):
        choose(page, "plot-form", cost=cost)
        assert page.text_content("#plot .level") == f"popularity {level:.4f}"
        y = float(page.get_attribute("#plot .popularity", "y1"))
        assert y == pytest.approx(page.evaluate("scene.y(scene.floor)"), abs=0.01)
    page.evaluate("zoom([1e3, 1e7, 0.2, 0.3])")
    assert page.text_content("#plot .level").endswith("below ↓")
    page.evaluate("zoom(null)")
    page.check("#plot-form [name=floor]")
    drawn(page)
    marked = page.evaluate(
        "[spots.filter(([p]) => p.below).length, document.querySelectorAll('#plot .marks .underline').length]"
    )
    assert marked[0] == marked[1] > 0
    rows = fake_rows()
    rows.loc[rows["model"] == "popularity", "test_ndcg@10"] = 0.26
    fake_page(tmp_path, rows)
    with at(browser, (tmp_path / "report" / "index.html").as_uri()) as weak:
        said = weak.text_content("#shown")
        assert "Not shown to beat popularity when dense:" in said and "Mult-VAE" in said
        assert "mult-vae" in weak.evaluate("plotted.flat().map((p) => p.model)"), "seen to be below it"


# -- which should I use?


def test_a_model_is_never_held_against_itself(page):
    choose(page, "choice-form", dataset=DATASET, protocol="ratio", question="data", against="own", model="ials")
    page.fill("#choice-form [name=loss]", "0")
    words = page.text_content("#answer")
    assert page.text_content("#answer .title") == "iALS, dense"
    assert "iALS itself, dense and as trained" in page.text_content("#answer .itself")
    assert "of dense" not in words and "its dense model" not in words and "lower bound" not in words
    choose(page, "choice-form", model="", against="best")
    assert page.text_content("#answer .title") == "EASE, dense"
    assert "EASE itself, dense and as trained, the best on validation." in page.text_content("#answer .itself")
    own = "POINTS.filter(asTrained).every((point) => !facts(point).textContent.includes('of dense'))"
    assert page.evaluate(own)
    choose(page, "choice-form", question="size", model="ials", against="best")
    page.fill("#choice-form [name=loss]", "20")
    assert page.locator("#answer .itself").count() == 0, "a pruned model, beside another's dense one"
