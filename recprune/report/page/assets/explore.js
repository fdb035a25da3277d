// What the plot shows of the points: those that its form asks for, and the front of each family, which validation chooses.
"use strict";

const COSTS = {
  bytes: { title: "bytes on disk", tick: bytes, write: bytes },
  ms: { title: "milliseconds for one user (median)", tick: (value) => `${Number(value.toPrecision(3))} ms`, write: (value) => `${digits(value, 3)} ms` },
  kept: { title: "share kept", tick: percent, write: percent },
};
const ALL_FORMATS = "all";
const ALL_SIZES = "sizes", EVERYTHING = "everything", SAMPLES = "samples";
const plotForm = document.getElementById("plot-form");
let plotted = []; // the points that are drawn, group by group

const removed = {
  [ALL_SIZES]: (point) => point.side !== "samples",
  [EVERYTHING]: () => true,
  [SAMPLES]: (point) => point.side === "samples",
};
const isRemoved = (point, choice) => (removed[choice] ? removed[choice](point) : `${point.side} ${point.unit}` === choice);

// fill the lists of names from the data; each depends on those before it
function plotPoints(study) {
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

// no other point is both cheaper and better on validation: of hundreds, the best on test would be the luckiest
function front(points, cost) {
  const steps = [];
  for (const point of points.filter((each) => known(each.val)).sort((a, b) => a[cost] - b[cost] || b.val - a.val)) {
    if (!steps.length || point.val > steps[steps.length - 1].val) steps.push(point);
  }
  return steps;
}

// data-drawn says which choices of the form the plot shows: a form is reset a moment after the event
const chosenNow = () => new URLSearchParams(new FormData(plotForm)).toString();

function draw() {
  const choice = plotForm.elements, cost = choice.cost.value, study = chooseStudy(plotForm);
  const ours = plotPoints(study), { floor = null } = DATA.studies[study] || {};
  const able = ours.filter((point) => point[cost] > 0);
  // a dense model is shown wherever it is: what is below popularity when dense is to be seen to be so
  const above = able.filter((point) => choice.floor.checked || !known(floor) || point.ndcg >= floor || point.side === "dense");
  const models = Object.keys(DATA.models).filter((model) => above.some((point) => point.model === model));
  const hidden = new Set(choice.hide.value.split(",").filter((model) => models.includes(model)));
  const shown = above.filter((point) => !hidden.has(point.model)), inSight = models.filter((model) => !hidden.has(model));
  // controls lie below everything, dense models on top
  const groups = [true, false].flatMap((control) => inSight.map((model) =>
    shown.filter((point) => point.model === model && (point.role === "control") === control).sort((a, b) => RADIUS[a.role] - RADIUS[b.role])));
  const all = [...new Set(inSight.map((model) => DATA.models[model].family))], compared = all.filter((family) => family !== "other");
  const families = (compared.length ? compared : all).filter((family) => shown.some((point) => point.family === family));
  const fronts = families.map((family) => front(shown.filter((point) => point.family === family), cost));
  plotted = groups;
  showLegend(models, hidden);
  showFront(families, fronts, cost);
  const whole = shown.length ? wholeBox(shown, cost, floor, choice.begins.value === "0") : [1, 10, 0, 1];
  paint({ groups, models: inSight, fronts, families, best: new Set(fronts.flat()), cost, floor, whole, box: zoomed() || whole });
  showCount(shown, able.length - above.length, able);
  plot.dataset.drawn = chosenNow();
}

// the box that the form's field asks for, where it is one
function zoomed() {
  const [x0, x1, y0, y1, ...more] = plotForm.elements.zoom.value.split(",").map(Number);
  return !more.length && x0 > 0 && x1 > x0 && y1 > y0 ? [x0, x1, y0, y1] : null;
}

function showCount(shown, hidden, able) {
  const weak = [...new Set(able.filter((point) => asTrained(point) && point.below).map(modelLabel))];
  const counted = `${shown.length} point${shown.length === 1 ? "" : "s"} shown${hidden ? `; ${hidden} below popularity hidden` : ""}.`;
  document.getElementById("shown").textContent = counted + (weak.length ? ` Not shown to beat popularity when dense: ${weak.join(", ")}.` : "");
}

// the legend's entries hide a model and show it again
function showLegend(models, hidden) {
  const focused = document.activeElement && document.activeElement.dataset.model;
  document.getElementById("legend").replaceChildren(...models.map((model) => {
    const sign = draws("svg", { viewBox: "-12 -12 24 24", "aria-hidden": "true" }, placed(mark(model, "pruned"), 0, 0, 7));
    return make("li", {}, make("button", { type: "button", "data-model": model, "aria-pressed": String(!hidden.has(model)) }, sign, DATA.models[model].label));
  }));
  if (focused) document.querySelector(`#legend [data-model="${CSS.escape(focused)}"]`)?.focus();
}

document.getElementById("legend").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const field = plotForm.elements.hide, hidden = new Set(field.value.split(",").filter(Boolean)), { model } = button.dataset;
  if (!hidden.delete(model)) hidden.add(model);
  field.value = [...hidden].join(",");
  showPlot();
});

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
  const parts = [make("p", { class: "title" }, title(point)), useless(point), facts(point), make("p", {}, notebookLink(point))];
  if (point.recipe) parts.push(make("p", {}, "The same from your own ratings:"), recipeBox(point));
  document.getElementById("picked").replaceChildren(...parts);
}

const showPlot = () => { draw(); remember(); };

if (POINTS.length) {
  VIEWS.plot = { form: plotForm, show: draw };
  plotForm.addEventListener("change", (event) => {
    if (["dataset", "protocol", "cost", "begins"].includes(event.target.name)) plotForm.elements.zoom.value = ""; // other axes
    showPlot();
  });
  plotForm.addEventListener("reset", () => {
    for (const name of ["hide", "zoom"]) plotForm.elements[name].value = ""; // hidden fields keep theirs
    delete plot.dataset.drawn;
    setTimeout(showPlot);
  });
  plotForm.addEventListener("submit", (event) => event.preventDefault());
  new ResizeObserver(() => { if (scene) paint(scene); }).observe(plot);
}
