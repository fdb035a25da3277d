"""The page in a real browser: Chromium, without a network."""

import math
import re
from pathlib import Path

import pandas as pd
import pytest
from fake_page import DATASET, METHOD, fake_notebook, fake_page, fake_rows, in_int8
from open_page import PATIENCE, choose, count, drawn, needs_chromium

from recprune.evaluation.intervals import lower_among

pytestmark = [pytest.mark.slow, needs_chromium]


@pytest.fixture
def page(opened):
    page = opened[0]
    page.locator("#plot-form button[type=reset]").click()
    drawn(page)
    assert page.input_value("#plot-form select[name=unit]") == "sizes"
    return page


# -- the plot


def test_filters_change_what_is_plotted(page):
    rows = fake_rows().query("protocol == 'ratio' and model not in ('popularity', 'random')")
    keys = ["model", "side", "unit", "criterion", "recovery", "kept"]
    points = rows.groupby(keys, as_index=False)["test_ndcg@10"].mean()
    floor = fake_rows().query("protocol == 'ratio' and model == 'popularity'")["test_ndcg@10"].mean()
    of_size = points[points["side"] != "samples"]
    assert count(page) == (sum(of_size["test_ndcg@10"] >= floor),) * 2
    page.check("#plot-form [name=floor]")
    drawn(page)
    assert count(page)[0] == len(of_size[of_size["kept"] > 0]) + 3  # what is reset to zero has a size, if no share
    choose(page, "plot-form", unit="everything")
    assert count(page)[0] == len(points)
    choose(page, "plot-form", model="ease", unit="parameters neighbour")
    mine = points.query("model == 'ease' and (side == 'dense' or unit == 'neighbour')")
    assert count(page) == (len(mine), len(mine))
    choose(page, "plot-form", model="", family="deep", unit="parameters weight", method="random")
    mine = points.query("model == 'mult-vae' and (side == 'dense' or (criterion == 'random' and side == 'parameters'))")
    assert count(page)[0] == len(mine)
    choose(page, "plot-form", protocol="strong")
    assert page.evaluate("[...new Set(plotted.flat().map((point) => point.model))]") == ["ease"]


def test_families_axes_and_the_front(page):
    legend = page.evaluate(
        "[...document.querySelectorAll('#legend button')].map((entry) => [entry.textContent,"
        " DATA.models[entry.dataset.model].symbol, entry.querySelector('.mark').classList.contains('hollow')])"
    )
    assert legend == [["iALS", "square", False], ["EASE", "circle", False], ["Mult-VAE", "cross", True]]
    marks = "[...document.querySelectorAll('#plot .marks > ROLE > path:first-child')]"
    sizes = f"{marks}.map((mark) => mark.getBoundingClientRect().width)"
    assert min(page.evaluate(sizes.replace("ROLE", ".dense"))) > 1.5 * max(
        page.evaluate(sizes.replace("ROLE", ".control"))
    )
    fronts = page.evaluate("scene.fronts.map((points) => points.map((point) => [point.bytes, point.val]))")
    assert len(fronts) == page.locator("#plot .front").count() == 2
    for steps, family in zip(fronts, ("cf", "deep"), strict=True):
        for values in zip(*steps, strict=True):
            assert list(values) == sorted(set(values)), "each dearer and better than the one before"
        best = f"Math.max(...plotted.flat().filter((p) => p.family === '{family}').map((p) => p.val))"
        assert steps[-1][1] == page.evaluate(best)
    lucky = "[{bytes: 1, val: .5, ndcg: .4}, {bytes: 2, val: .4, ndcg: .6}, {bytes: 3, val: null, ndcg: .9}]"
    assert page.evaluate(f"front({lucky}, 'bytes').map((p) => p.ndcg)") == [0.4], "validation chooses, not test"
    for cost, column in (("ms", "p50_ms"), ("kept", "kept"), ("bytes", "bytes_disk")):
        choose(page, "plot-form", cost=cost)
        values = page.evaluate("(cost) => spots.map(([point, x]) => [point[cost], x])", cost)
        smallest = min(value for value, _ in values)
        steps = [(math.log(value / smallest), x) for value, x in values if value > smallest]
        left = min(x for _, x in values)
        scale = [(x - left) / step for step, x in steps]
        assert max(scale) == pytest.approx(min(scale), rel=1e-3), "equal steps for equal factors"
        rows = fake_rows().query("protocol == 'ratio' and side != 'samples'")
        assert smallest >= rows.loc[rows[column] > 0, column].min() * 0.99


def test_a_point_says_what_it_is_and_leads_to_its_notebook(page):
    choose(page, "plot-form", model="ease", unit="parameters weight", method="magnitude (global) + refit")
    words = page.evaluate("plotted.flat().map((p) => describe(p).map((line) => line.textContent).join(' | '))")
    assert all(re.search(r"test nDCG@10 0\.\d{4}", text) and "seeds" in text for text in words)
    assert any("relative to dense" in text and "5 % of weights kept" in text for text in words)
    # a real hover and a real click on the mark of the dense model's neighbour
    page.locator("#plot").scroll_into_view_if_needed()
    marks = page.locator("#plot .marks > .mark")
    mark = marks.nth(page.evaluate("spots.findIndex(([point]) => point.side !== 'dense')")).bounding_box()
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    page.wait_for_selector("#plot .hint:visible")
    assert "EASE" in page.text_content("#plot .hint")
    with page.context.expect_page() as notebook:
        page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    notebook.value.wait_for_selector("body:has-text('One weight')")
    notebook.value.close()
    page.bring_to_front()
    href = page.get_attribute("#picked a.notebook", "href")
    assert METHOD.replace(" ", "%20") in href
    assert page.text_content("#picked pre").startswith(".venv/bin/python -m recprune prune RATINGS.csv --model ease")
    page.evaluate("pick(POINTS.find((point) => point.model === 'ials' && point.side === 'dense'))")
    assert "no executed notebook" in page.text_content("#picked")


# -- which should I use?


def candidates(rows):
    """Made anew from the rows, without the report's own code: points that may be chosen, and their bounds."""
    keys = ["model", "side", "unit", "criterion", "schedule", "recovery"]
    values = {
        "val": ("val_ndcg@10", "mean"),
        "bytes": ("bytes_disk", "mean"),
        "bound": ("val_ratio_lower", "mean"),
        "ratio": ("val_ratio", "mean"),
        "hi": ("val_ratio_hi", "mean"),
        "seeds": ("seed", list),
    }
    points = rows.groupby([*keys, "kept"], as_index=False).agg(**values)
    for _, mine in points[points["side"].isin(["parameters", "samples"])].groupby(["model", "side"]):
        methods = mine.loc[mine["criterion"] != "random", keys].drop_duplicates()  # bounds hold for all of them at once
        points.loc[mine.index, "bound"] = lower_among(mine["ratio"], mine["bound"], mine["hi"], max(1, len(methods)))
    dense = rows[rows["side"] == "dense"].pivot_table(index="seed", columns="model", values="val_ndcg@10")
    best = dense.mean().idxmax()
    for i, point in points.iterrows():
        above = points[(points[keys] == point[keys]).all(axis=1) & (points["kept"] >= point["kept"])]
        mine, reference = (dense.loc[sorted(point["seeds"]), name].mean() for name in (point["model"], best))
        points.loc[i, ["own", "best", "level"]] = (
            above["bound"].min(),
            above["bound"].min() * mine / reference,
            point["val"] / reference,
        )
    usable = points["side"].isin(["dense", "parameters"]) | (points["criterion"] == "smaller-dense")
    return points[usable & ~points["criterion"].isin(["random"]) & (points["model"] != "random")]


def chosen(page):
    return page.evaluate(
        "(({model, side, unit, kept, bytes, recipe}) => ({model, side, unit, kept, bytes, recipe}))"
        "(POINTS[Number(document.getElementById('answer').dataset.point)])"
    )


@pytest.mark.parametrize("protocol", ["ratio", "strong"])
def test_the_answer_is_what_validation_says(page, protocol):
    choose(page, "choice-form", dataset=DATASET, protocol=protocol, family="", model="")
    points = candidates(fake_rows().query("protocol == @protocol"))
    for against in ("best", "own"):
        choose(page, "choice-form", question="size", against=against)
        for loss in (1, 5, 20):
            page.fill("#choice-form [name=loss]", str(loss))
            fit = points[points[against] >= 1 - loss / 100]
            expected = fit.sort_values(["bytes", against], ascending=[True, False]).iloc[0]
            agree(page, expected)
    choose(page, "choice-form", question="budget")
    for budget in (100, 600, 5000):
        page.fill("#choice-form [name=budget]", str(budget))
        fit = points[points["bytes"] <= 1000 * budget]
        agree(page, fit.sort_values(["level", "bytes"], ascending=[False, True]).iloc[0])


def agree(page, expected: pd.Series):
    found = chosen(page)
    assert found["bytes"] == pytest.approx(expected["bytes"], rel=1e-5)
    assert [found[name] for name in ("model", "side", "unit")] == [expected[name] for name in ("model", "side", "unit")]
    assert found["kept"] == pytest.approx(expected["kept"])
    kept = float(f"{found['kept']:.3g}") if "smaller" in found["recipe"] else found["kept"]
    assert page.text_content("#answer pre") == found["recipe"].replace("{kept}", f"{kept:g}")


def test_an_answer_is_confirmed_on_test_and_has_a_command_and_others(page):
    choose(
        page,
        "choice-form",
        dataset=DATASET,
        protocol="ratio",
        question="size",
        against="own",
        family="cf",
        model="ease",
    )
    page.fill("#choice-form [name=loss]", "2")
    text = page.text_content("#answer")
    assert re.search(r"(Confirmed|Not confirmed) on test\.", text)
    assert "test nDCG@10" in text
    assert "python -m recprune prune" in text
    assert 1 <= page.locator("#answer ol li").count() <= 3
    assert all(item.startswith("EASE") for item in page.locator("#answer ol li").all_text_contents())
    choose(page, "choice-form", question="data", model="ials")
    page.fill("#choice-form [name=loss]", "50")
    assert "rp.prune_samples(" in page.text_content("#answer pre")
    choose(page, "choice-form", question="budget")
    page.fill("#choice-form [name=budget]", "0.001")
    assert "Nothing measured here is that small" in page.text_content("#answer")


def test_value_formats_are_drawn_when_asked_for_and_chosen_where_they_fit(browser, tmp_path):
    fake_page(tmp_path, in_int8(fake_rows(), loss=0.004))
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((tmp_path / "report" / "index.html").as_uri())
    drawn(page)
    shown = "[...new Set(plotted.flat().map((point) => point.values))].sort()"
    assert page.evaluate(shown) == ["float32"]
    whole = count(page)[0]
    choose(page, "plot-form", values="all")
    assert page.evaluate(shown) == ["float32", "int8"]
    assert count(page)[0] > whole
    choose(page, "choice-form", question="size", against="own", family="", model="ials")
    page.fill("#choice-form [name=loss]", "1")
    assert chosen(page)["recipe"].endswith("--values int8 --keep {kept} --out small/")
    assert ", int8" in page.text_content("#answer .title")
    page.fill("#choice-form [name=loss]", "0.1")  # int8 loses more than that
    assert "int8" not in page.text_content("#answer .title")
    page.close()


@pytest.mark.parametrize(("quality", "warned"), [(0.05, False), (0.9, True)])
def test_an_answer_that_popularity_beats_says_so(browser, tmp_path, quality, warned):
    rows = fake_rows()
    rows.loc[rows["model"] == "popularity", "test_ndcg@10"] = quality
    fake_page(tmp_path, rows)
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((tmp_path / "report" / "index.html").as_uri())
    page.select_option("#choice-form select[name=model]", "ease")
    words = page.text_content("#answer")
    assert f"popularity's, same seeds{quality:.4f}" in words
    said = re.search(r"Not shown to beat popularity\. On test it reaches 0\.2\d{3}.*, popularity 0\.9000 over", words)
    assert bool(said) == warned == ("popularity." in words)
    page.close()


# -- tables and lists


def test_a_table_sorts_by_number_both_ways_with_the_keyboard(page):
    def column(n):
        return page.locator(f"#table-claims tbody tr td:nth-child({n})").all_text_contents()

    head = page.locator("#table-claims thead th").nth(1)
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert column(2) == ["300 kB", "2 MB", "none"]
    assert head.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Space")
    assert column(2) == ["2 MB", "300 kB", "none"]
    assert head.get_attribute("aria-sort") == "descending"
    page.locator("#table-claims thead button").nth(0).click()
    assert column(1) == ["<i>one</i>", "three", "two"]
    assert head.get_attribute("aria-sort") == "none"


def test_lists_show_only_what_holds_the_word(page):
    table = page.locator("[id^='table-safe-sparsity']").first
    box = page.locator(f"[data-filter='{table.get_attribute('id')}']")
    total = table.locator("tbody tr").count()
    box.fill("ease refit")
    shown = table.locator("tbody tr:visible").all_text_contents()
    assert 0 < len(shown) < total
    assert all("EASE" in text and "refit" in text for text in shown)
    box.fill("")
    assert table.locator("tbody tr:visible").count() == total
    search = page.locator("[data-filter=notebook-list]")
    search.fill("no such thing")
    assert page.locator("#notebook-list li:visible").count() == 0
    search.fill("ease magnitude")
    assert page.locator("#notebook-list li:visible").count() == 1


def test_every_control_has_a_name(page):
    nameless = (
        "[...document.querySelectorAll('select, input:not([type=hidden]), button')]"
        ".filter((e) => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.ariaLabel)"
        ".map((e) => e.outerHTML.slice(0, 200))"
    )
    assert page.evaluate(nameless) == []


# -- the whole


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_nothing_sticks_out(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(address.replace("index.html", f"notebooks/main/odd/ratio/ease/{METHOD}.html".replace(" ", "%20")))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_links_lead_to_files(page, address):
    folder = Path(page.evaluate("decodeURIComponent(location.pathname)")).parent
    made = {"cells.csv", "figures", "tables"}  # written by other parts of the report
    links = page.evaluate(
        "[...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href')).filter((h) => !h.startsWith('#'))"
    )
    pages = {
        page.evaluate("(name) => decodeURIComponent(name)", name) for name in links if not made & set(name.split("/"))
    }
    assert pages
    assert all((folder / name).exists() for name in pages)


HOSTILE = (
    "<img src=x onerror=\"document.title='caught'\"><script>document.title='caught'</script>"
    '<svg onload="document.title=1"></svg><a id="bait" href="javascript:document.title=1">bait</a>'
    '<img src="https://example.invalid/pixel.png"><link rel="stylesheet" href="https://example.invalid/style.css">'
)


def test_html_that_slipped_into_a_notebook_runs_nothing_and_fetches_nothing(browser, tmp_path):
    fake_notebook(tmp_path, text=HOSTILE)
    fake_page(tmp_path)
    (written,) = (tmp_path / "report" / "notebooks").rglob("*.html")
    page, refused = browser.new_page(), {}
    page.set_default_timeout(PATIENCE)
    page.on("requestfailed", lambda request: refused.update({request.url: request.failure}))
    page.goto(written.as_uri())
    title = page.title()
    page.locator("#bait").click()
    page.locator("nav").click()
    assert page.title() == title != "caught"
    remote = [f"https://example.invalid/{name}" for name in ("pixel.png", "style.css")]
    assert {address: refused[address] for address in remote} == dict.fromkeys(remote, "csp")
    page.close()


@pytest.mark.parametrize("name", [HOSTILE.replace("/", "|") + ".csv", "{{ 7 * 7 }}$x$_%\\\u202efdp|`a`.csv"])
def test_a_data_set_may_be_called_anything(browser, tmp_path, name):
    fake_page(tmp_path, fake_rows(name))
    page, complaints = browser.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "report" / "index.html").as_uri())
    drawn(page)
    assert page.title() == "recprune: report"
    assert complaints == []
    assert page.locator("#bait").count() == 0
    page.close()


def test_no_complaint_and_no_request(opened, address):
    _, complaints, requests = opened
    assert complaints == []
    folder = address.removesuffix("report/index.html")
    assert requests[0] == address
    assert all(re.fullmatch(r"figures/.*\.png", url.removeprefix(folder)) for url in requests[1:]), requests
