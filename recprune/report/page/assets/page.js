// What all parts of the page share: the points, and how numbers and names are written.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);

// one object for each curve point; words that are numbers of list entries are looked up once, here
const POINTS = DATA.points.study.map((_, i) => {
  const point = {};
  for (const column in DATA.points) {
    const value = DATA.points[column][i];
    point[column] = DATA.lists[column] ? DATA.lists[column][value] : value;
  }
  point.family = DATA.models[point.model].family;
  point.isFloor = DATA.models[point.model].floor;
  return point;
});

const known = (value) => value !== null && value !== undefined;
const digits = (value, n) => (known(value) ? value.toFixed(n) : "–");
const between = (low, high, n) => (known(low) && known(high) ? ` [${digits(low, n)}, ${digits(high, n)}]` : "");
const percent = (share) => `${Number((100 * share).toPrecision(3))} %`;
const times = (ratio) => (known(ratio) ? `${Number(ratio.toPrecision(3))} of dense` : "");

function bytes(size) {
  for (const unit of ["B", "kB", "MB"]) {
    if (size < 999.5) return `${Number(size.toPrecision(3))} ${unit}`;
    size /= 1000;
  }
  return `${Number(size.toPrecision(3))} GB`;
}

const modelLabel = (point) => DATA.models[point.model].label;
const AS_TRAINED = "float32";
const formatWords = (point) => (point.values === AS_TRAINED ? "" : `, ${point.values}`);
function keptWords(point) {
  if (point.side === "dense") return `dense${formatWords(point)}`;
  const what = point.side === "samples" ? "training interactions" : point.role === "smaller" ? "parameters" : DATA.units[point.unit] || "units";
  const unit = point.side === "samples" && point.unit !== "interaction" ? DATA.units[point.unit] : what;
  return `${percent(point.kept)} of ${unit} kept${formatWords(point)}`;
}
const title = (point) => `${modelLabel(point)}, ${point.side === "dense" ? keptWords(point) : `${point.method}, ${keptWords(point)}`}`;
// what a smaller dense model has left was counted: three digits of it are what was asked for
const recipe = (point) => point.recipe.replaceAll("{kept}", String(point.role === "smaller" ? Number(point.kept.toPrecision(3)) : point.kept));
const recipeBox = (point) => make("pre", { tabindex: "0", class: point.recipe.includes("\n") ? "lines" : "command" }, recipe(point));
const pageOf = (address) => address.split("/").map(encodeURIComponent).join("/");

// an element with attributes and children; text is text, whatever a data set is called
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function notebookLink(point) {
  if (!point.notebook) return make("span", { class: "nolink" }, "There is no executed notebook here; ", make("code", {}, "make reproduce"), " makes it.");
  return make("a", { href: pageOf(point.notebook), class: "notebook" }, "its executed notebook");
}

// the dense model that all else is held against
const asTrained = (point) => point.side === "dense" && point.values === AS_TRAINED;

function facts(point) {
  const ofDense = (ratio) => (known(ratio) && !asTrained(point) ? `, ${times(ratio)}` : ""); // never of itself
  const rows = [
    ["test nDCG@10", digits(point.ndcg, 4) + between(point.lo, point.hi, 4)],
    ["test, of its dense model", asTrained(point) ? "" : digits(point.ratio, 3) + between(point.ratioLo, point.ratioHi, 3)],
    ["validation nDCG@10", digits(point.val, 4)],
    ["popularity's, same seeds", known(point.popularity) ? digits(point.popularity, 4) : "not measured"],
    ["coverage@20", digits(point.coverage, 2)],
    ["on disk", bytes(point.bytes) + ofDense(point.bytesRatio)],
    ["ms for one user", known(point.ms) ? digits(point.ms, 3) + ofDense(point.msRatio) : ""],
    ["seeds", String(point.seeds)],
  ];
  return make("dl", {}, ...rows.filter(([, value]) => value).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

// name -> the form of a part of the page, and what shows what it asks for; the address has them all
const VIEWS = {};

// fill a <select>; what was chosen, here or by the address, stays chosen where it still exists
function fill(select, options) {
  const before = select.dataset.wanted ?? select.value;
  delete select.dataset.wanted;
  select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
  select.value = options.some(([value]) => value === before) ? before : options.length ? options[0][0] : "";
}

// the data sets and protocols of a form, the most measured first; returns the number of the study
const MEASURED = DATA.studies.map((_, number) => DATA.points.study.filter((of) => of === number).length);
const LARGEST_FIRST = [...DATA.studies.keys()].sort((a, b) => MEASURED[b] - MEASURED[a]).map((number) => DATA.studies[number]);
function chooseStudy(form) {
  const names = new Map(LARGEST_FIRST.map((study) => [study.dataset, study.name]));
  const twice = new Set([...names.values()].filter((name, i, all) => all.indexOf(name) !== i));
  fill(form.elements.dataset, [...names].map(([dataset, name]) => [dataset, twice.has(name) ? dataset : name]));
  const ours = LARGEST_FIRST.filter((study) => study.dataset === form.elements.dataset.value);
  fill(form.elements.protocol, ours.map((study) => [study.protocol, study.protocol || "–"]));
  return DATA.studies.findIndex((study) => study.dataset === form.elements.dataset.value && study.protocol === form.elements.protocol.value);
}

function chooseModels(form, points) {
  const families = [...new Set(points.map((point) => point.family))].filter((family) => family in DATA.families);
  fill(form.elements.family, [["", "all"], ...families.map((family) => [family, DATA.families[family].label])]);
  const family = form.elements.family.value;
  const there = new Set(points.filter((point) => !family || point.family === family).map((point) => point.model));
  fill(form.elements.model, [["", "all"], ...Object.keys(DATA.models).filter((model) => there.has(model)).map((model) => [model, DATA.models[model].label])]);
}
const ofModels = (form) => (point) =>
  (!form.elements.family.value || point.family === form.elements.family.value) && (!form.elements.model.value || point.model === form.elements.model.value);
