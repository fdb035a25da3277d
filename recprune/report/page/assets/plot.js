// The plot to explore: quality against cost of every curve point, filtered by a form.
"use strict";

const COSTS = {
  bytes: { title: "bytes on disk", format: "~s", suffix: "B", step: 1, write: bytes },
  ms: { title: "milliseconds for one user (median)", format: "~g", suffix: "", write: (value) => `${digits(value, 3)} ms` },
  kept: { title: "share kept", format: "~%", suffix: "", step: "D2", write: percent },
};
const ALL_FORMATS = "all";
const ALL_SIZES = "sizes", EVERYTHING = "everything", SAMPLES = "samples";
const plotForm = document.getElementById("plot-form");
const plot = document.getElementById("plot");
// by name: Plotly's own choice has a button that uploads the plot
const MODE_BAR = [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]];
let plotted = []; // the points of each trace, for hover and click

const removed = {
  [ALL_SIZES]: (point) => point.side !== "samples",
  [EVERYTHING]: () => true,
  [SAMPLES]: (point) => point.side === "samples",
};
const isRemoved = (point, choice) => (removed[choice] ? removed[choice](point) : `${point.side} ${point.unit}` === choice);

// fill the lists of names from the data; each depends on those before it
function plotPoints() {
  const study = chooseStudy(plotForm);
  const measured = POINTS.filter((point) => point.study === study && !point.isFloor && known(point.ndcg));
  const formats = DATA.lists.values.filter((values) => measured.some((point) => point.values === values));
  fill(plotForm.elements.values, [...formats.map((values) => [values, values]), ...(formats.length > 1 ? [[ALL_FORMATS, "all formats"]] : [])]);
  const chosen = plotForm.elements.values.value;
  const all = measured.filter((point) => chosen === ALL_FORMATS || point.values === chosen || asTrained(point));
  chooseModels(plotForm, all);
  const ours = all.filter(ofModels(plotForm));
  const pruned = ours.filter((point) => point.side !== "dense");
  const names = { parameters: (unit) => DATA.units[unit] || unit, control: () => "whole models (controls)", samples: (unit) => `samples: ${DATA.units[unit] || unit}` };
  const kinds = new Map(pruned.filter((point) => !(point.side === "control" && point.unit !== "model")).map((point) => [`${point.side} ${point.unit}`, names[point.side](point.unit)]));
  const samples = pruned.some((point) => point.side === "samples");
  fill(plotForm.elements.unit, [[ALL_SIZES, "parameters, all units"], ...[...kinds].sort((a, b) => a[0].localeCompare(b[0])),
    ...(samples ? [[SAMPLES, "training samples, all"], [EVERYTHING, "everything"]] : [])]);
  const ofUnit = pruned.filter((point) => isRemoved(point, plotForm.elements.unit.value));
  const methods = [...new Set(ofUnit.map((point) => point.method))].sort((a, b) => a.localeCompare(b));
  fill(plotForm.elements.method, [["", "all"], ...methods.map((method) => [method, method])]);
  const method = plotForm.elements.method.value;
  // dense models stay: they are what everything is read against
  return ours.filter((point) => point.side === "dense" || (isRemoved(point, plotForm.elements.unit.value) && (!method || point.method === method)));
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
function hover(point) {
  const lines = [`<b>${escaped(modelLabel(point))}</b>`];
  if (point.side !== "dense") lines[0] += `, ${escaped(point.method)}`;
  lines.push(escaped(keptWords(point)), `test nDCG@10 ${digits(point.ndcg, 4)}${between(point.lo, point.hi, 4)}`);
  if (!asTrained(point)) lines.push(`relative to dense ${digits(point.ratio, 3)}${between(point.ratioLo, point.ratioHi, 3)}`);
  lines.push(`${bytes(point.bytes)}${known(point.ms) ? ` · ${digits(point.ms, 3)} ms` : ""} · ${point.seeds} seed${point.seeds > 1 ? "s" : ""}`);
  lines.push(point.notebook ? "<i>click: its notebook</i>" : "<i>no notebook here</i>");
  return lines.join("<br>");
}

const SIZE = { dense: 15, smaller: 8, pruned: 7.5, control: 6 };
function trace(model, points, cost, best) {
  const look = DATA.models[model];
  const pale = (point) => point.role === "control";
  return {
    type: "scatter", mode: "markers", x: points.map((point) => point[cost]), y: points.map((point) => point.ndcg),
    text: points.map(hover), hoverinfo: "text", legendgroup: model, showlegend: false,
    marker: {
      symbol: look.symbol, size: points.map((point) => SIZE[point.role]),
      opacity: points.map((point) => (point.role === "dense" || best.has(point) ? 1 : 0.55)),
      color: points.map((point) => (look.hollow ? "#ffffff" : pale(point) ? "#cfcfcf" : look.colour)),
      line: {
        color: points.map((point) => (pale(point) ? "#b5b5b5" : point.role === "smaller" || (point.role === "dense" && !look.hollow) ? "#000000" : look.colour)),
        width: points.map((point) => (point.role === "dense" && look.hollow ? 3 : look.hollow ? 1.6 : 1)),
      },
    },
  };
}

// the legend's marks: points that are nowhere
function legendTrace(model) {
  const look = DATA.models[model];
  const marker = { symbol: look.symbol, size: 9, color: look.hollow ? "#ffffff" : look.colour, line: { color: look.colour, width: look.hollow ? 1.8 : 1 } };
  return { type: "scatter", mode: "markers", name: look.label, legendgroup: model, x: [null], y: [null], marker };
}

// no other point is both cheaper and better
function front(points, cost) {
  const steps = [];
  for (const point of [...points].sort((a, b) => a[cost] - b[cost] || b.ndcg - a.ndcg)) {
    if (!steps.length || point.ndcg > steps[steps.length - 1].ndcg) steps.push(point);
  }
  return steps;
}

function frontTrace(family, points, cost, right) {
  const x = [...points.map((point) => point[cost]), right], last = points[points.length - 1].ndcg;
  return {
    type: "scatter", mode: "lines", x, y: [...points.map((point) => point.ndcg), last], hoverinfo: "skip", showlegend: false,
    line: { shape: "hv", color: DATA.families[family] ? DATA.families[family].colour : "#808080", width: 1.6, dash: family === "deep" ? "dash" : "solid" },
  };
}

// data-drawn says which choices of the form the plot shows: Plotly draws, and a form is reset, a moment after the event
const chosenNow = () => new URLSearchParams(new FormData(plotForm)).toString();

function draw() {
  const choice = plotForm.elements, cost = choice.cost.value;
  const ours = plotPoints();
  const floor = (DATA.studies[chooseStudy(plotForm)] || {}).floor;
  const able = ours.filter((point) => point[cost] > 0);
  const above = able.filter((point) => choice.floor.checked || !known(floor) || point.ndcg >= floor);
  const models = Object.keys(DATA.models).filter((model) => above.some((point) => point.model === model));
  // controls lie below everything, dense models on top
  const groups = [true, false].flatMap((control) => models.map((model) =>
    above.filter((point) => point.model === model && (point.role === "control") === control).sort((a, b) => SIZE[a.role] - SIZE[b.role])));
  const right = Math.max(...above.map((point) => point[cost]));
  const all = [...new Set(models.map((model) => DATA.models[model].family))], compared = all.filter((family) => family !== "other");
  const families = compared.length ? compared : all;
  const fronts = families.map((family) => front(above.filter((point) => point.family === family), cost));
  const best = new Set(fronts.flat());
  plotted = groups;
  const traces = [...groups.map((points, i) => trace(models[i % models.length], points, cost, best)), ...fronts.map((points, i) => frontTrace(families[i], points, cost, right)),
    ...models.map(legendTrace)];
  const choices = chosenNow();
  Plotly.react(plot, traces, layout(COSTS[cost], floor), { responsive: true, displaylogo: false, displayModeBar: plot.clientWidth < 620 ? false : "hover", modeBarButtons: MODE_BAR })
    .then(() => { plot.dataset.drawn = choices; });
  const hidden = able.length - above.length;
  document.getElementById("shown").textContent =
    `${above.length} point${above.length === 1 ? "" : "s"} shown${hidden ? `; ${hidden} below popularity hidden` : ""}.`;
  showFront(families, fronts, cost);
}

function layout(axis, floor) {
  const narrow = plot.clientWidth < 620;
  const font = { family: "system-ui, sans-serif", size: narrow ? 12 : 13, color: "#1f2328" };
  const line = { showline: true, linecolor: "#57534a", gridcolor: "#ece8dd", zeroline: false, ticks: "outside", tickcolor: "#57534a" };
  const popularity = known(floor) ? { shapes: [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: floor, y1: floor, line: { color: "#808080", width: 1, dash: "dot" } }],
    annotations: [{ xref: "paper", x: 1, y: floor, text: "popularity", showarrow: false, xanchor: "right", yanchor: "bottom", font: { ...font, size: 11, color: "#57534a" } }] } : {};
  return {
    font, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "#ffffff", hovermode: "closest", dragmode: narrow ? false : "zoom",
    margin: { l: narrow ? 58 : 64, r: 12, t: 28, b: 48 }, uirevision: `${axis.title}`,
    xaxis: { ...line, type: "log", title: { text: axis.title, standoff: 8 }, tickformat: axis.format, ticksuffix: axis.suffix, nticks: narrow ? 5 : 10, tickangle: 0, dtick: axis.step },
    yaxis: { ...line, title: { text: "nDCG@10 on test", standoff: 8 }, tickformat: ".2f" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: "#a39c8c", activecolor: "#1f2328" },
    legend: { orientation: "h", tracegroupgap: 0, y: -0.14, yanchor: "top", x: 0, itemsizing: "constant" },
    hoverlabel: { bgcolor: "#ffffff", bordercolor: "#57534a", align: "left", font: { ...font, size: 12.5 } }, ...popularity,
  };
}

function showFront(families, fronts, cost) {
  const rows = fronts.flatMap((points, i) => points.map((point) => [DATA.families[families[i]] ? DATA.families[families[i]].label : "", point]));
  const heads = ["family", "model", "method", "kept", "values", COSTS[cost].title, "nDCG@10 on test", "notebook"];
  const body = rows.map(([family, point]) => make("tr", {}, make("td", { class: "word" }, family), make("td", { class: "word" }, modelLabel(point)), make("td", { class: "word" }, point.method),
    make("td", { "data-number": point.kept }, percent(point.kept)), make("td", { class: "word" }, point.values), make("td", { "data-number": point[cost] }, COSTS[cost].write(point[cost])),
    make("td", { "data-number": point.ndcg }, digits(point.ndcg, 4) + between(point.lo, point.hi, 4)), make("td", { class: "word" }, point.notebook ? notebookLink(point) : "–")));
  const table = make("table", { class: "sortable" },
    make("thead", {}, make("tr", {}, ...heads.map((head, i) => make("th", { scope: "col", "aria-sort": "none", ...(i < 3 || i === 4 || i === 7 ? { class: "word" } : {}) }, make("button", { type: "button" }, head))))),
    make("tbody", {}, ...body));
  document.querySelector("#front > div").replaceChildren(table);
}

function pick(point) {
  const parts = [make("p", { class: "title" }, title(point)), facts(point), make("p", {}, notebookLink(point))];
  if (point.recipe) parts.push(make("p", {}, "The same from your own ratings:"), recipeBox(point));
  document.getElementById("picked").replaceChildren(...parts);
}

if (window.Plotly && POINTS.length) {
  plotForm.addEventListener("change", draw);
  plotForm.addEventListener("reset", () => { delete plot.dataset.drawn; setTimeout(draw); });
  plotForm.addEventListener("submit", (event) => event.preventDefault());
  draw();
  plot.on("plotly_click", ({ points: [{ curveNumber, pointNumber }] }) => {
    const point = plotted[curveNumber] && plotted[curveNumber][pointNumber];
    if (!point) return;
    pick(point);
    // where a finger points there is no hover: a tap reads first, and the link is below
    if (point.notebook && window.matchMedia("(hover: hover)").matches) window.open(pageOf(point.notebook), "_blank", "noopener");
  });
}
