// The plot, drawn: axes, popularity's level, fronts and marks, and the point that a mouse, a finger or a key is at.
"use strict";

const plot = document.getElementById("plot");
const picture = plot.querySelector("svg"), hint = plot.querySelector(".hint");
const MARGIN = { left: 58, right: 14, top: 30, bottom: 48 };
const NEAR = 18; // pixels from which a mark is pointed at
const line = (x1, y1, x2, y2, name) => draws("line", { x1: short(x1), y1: short(y1), x2: short(x2), y2: short(y2), class: name });
const words = (x, y, text, name, anchor = "middle") => draws("text", { x: short(x), y: short(y), class: name, "text-anchor": anchor }, text);

let scene = null; // what is drawn: groups of points, fronts, cost, floor, and the box of values that is shown
let spots = []; // [point, x, y] of every mark in sight, in the order in which they lie on each other
let active = null; // the point that is pointed at

// the values that the axes reach over: all that is there, quality from 0 unless the form says otherwise
function wholeBox(points, cost, floor, fromZero) {
  const x = points.map((point) => point[cost]), y = points.map((point) => point.ndcg);
  const top = Math.max(...y, known(floor) ? floor : 0), bottom = fromZero ? 0 : Math.min(...y), room = 0.05 * (top - bottom || top);
  return [Math.min(...x) / 1.25, Math.max(...x) * 1.25, fromZero ? 0 : Math.max(0, bottom - room), top + room];
}

function paint(what) {
  scene = what;
  const width = plot.clientWidth, height = plot.clientHeight, [x0, x1, y0, y1] = scene.box;
  const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
  scene.x = logScale(x0, x1, MARGIN.left, right);
  scene.y = linearScale(y0, y1, bottom, MARGIN.top);
  const seen = ([low, high]) => (value) => value >= low && value <= high, inX = seen([x0, x1]), inY = seen([y0, y1]);
  spots = scene.groups.flat().filter((point) => inX(point[scene.cost]) && inY(point.ndcg)).map((point) => [point, scene.x(point[scene.cost]), scene.y(point.ndcg)]);
  const frame = draws("rect", { x: MARGIN.left, y: MARGIN.top, width: Math.max(0, right - MARGIN.left), height: Math.max(0, bottom - MARGIN.top) });
  const marks = spots.map(([point, x, y]) => placed(mark(point.model, point.role, { faint: point.role !== "dense" && !scene.best.has(point), below: point.below }), x, y, RADIUS[point.role]));
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.replaceChildren(
    draws("defs", {}, draws("clipPath", { id: "inside" }, frame.cloneNode())), Object.assign(frame, { id: "ground" }), ...axes(right, bottom),
    ...level(right, bottom), draws("g", { "clip-path": "url(#inside)" }, ...scene.fronts.map((points, i) => step(points, scene.families[i], right))),
    draws("g", { class: "marks" }, ...marks), draws("circle", { class: "ring", r: 11, visibility: "hidden" }), draws("rect", { class: "drag", visibility: "hidden" }),
  );
  pointAt(spots.some(([one]) => one === active) ? active : null);
}

function axes(right, bottom) {
  const [x0, x1, y0, y1] = scene.box, { title, tick } = COSTS[scene.cost];
  const { ticks, small } = logTicks(x0, x1, Math.floor((right - MARGIN.left) / 68)), upright = linearTicks(y0, y1, Math.floor((bottom - MARGIN.top) / 56));
  return [
    ...upright.ticks.flatMap((value) => [line(MARGIN.left, scene.y(value), right, scene.y(value), "grid"), words(MARGIN.left - 8, scene.y(value) + 4, value.toFixed(upright.decimals), "tick", "end")]),
    ...small.map((value) => line(scene.x(value), bottom, scene.x(value), bottom + 4, "axis")),
    ...ticks.flatMap((value) => [line(scene.x(value), MARGIN.top, scene.x(value), bottom, "grid"), line(scene.x(value), bottom, scene.x(value), bottom + 7, "axis"), words(scene.x(value), bottom + 21, tick(value), "tick")]),
    line(MARGIN.left, bottom, right, bottom, "axis"), line(MARGIN.left, MARGIN.top, MARGIN.left, bottom, "axis"),
    words((MARGIN.left + right) / 2, bottom + 41, `${title} (each step the same factor)`, "title"), words(4, 16, `nDCG@10 on test${y0 > 0 ? `: begins at ${digits(y0, 3)}, not at 0` : ""}`, y0 > 0 ? "title begins" : "title", "start"),
    ...(y0 > 0 ? [draws("path", { class: "broken", d: `M${MARGIN.left} ${bottom - 16}l-6 3l12 4l-12 4l12 4l-6 3` })] : []),
  ];
}

// popularity's level is in every plot: a line, or words at the edge beyond which it lies
function level(right, bottom) {
  if (!known(scene.floor)) return [];
  const [, , y0, y1] = scene.box, named = `popularity ${digits(scene.floor, 4)}`;
  if (scene.floor < y0) return [words(right - 6, bottom - 8, `${named}, below ↓`, "level", "end")];
  if (scene.floor > y1) return [words(right - 6, MARGIN.top + 16, `${named}, above ↑`, "level", "end")];
  const y = scene.y(scene.floor);
  return [line(MARGIN.left, y, right, y, "popularity"), words(right - 6, y + (y > bottom - 20 ? -6 : 16), named, "level", "end")];
}

// a front as steps, on to the right edge
function step(points, family, right) {
  const [first, ...rest] = points.map((point) => [short(scene.x(point[scene.cost])), short(scene.y(point.ndcg))]);
  const colour = DATA.families[family] ? DATA.families[family].colour : "#808080";
  return draws("path", { class: `front ${family}`, style: `--own: ${colour}`, d: `M${first.join(" ")}${rest.map(([x, y]) => `H${x}V${y}`).join("")}H${right}` });
}

// the point is ringed and described, or nothing is
function pointAt(one) {
  active = one;
  const ring = picture.querySelector(".ring"), spot = spots.find(([candidate]) => candidate === one);
  ring.setAttribute("visibility", spot ? "visible" : "hidden");
  hint.hidden = !spot;
  if (!spot) return;
  const [, x, y] = spot;
  ring.setAttribute("cx", short(x));
  ring.setAttribute("cy", short(y));
  hint.replaceChildren(...describe(one));
  const left = x > plot.clientWidth / 2 ? x - hint.offsetWidth - 14 : x + 14;
  hint.style.left = `${Math.max(2, Math.min(left, plot.clientWidth - hint.offsetWidth - 2))}px`;
  hint.style.top = `${Math.max(2, Math.min(y - hint.offsetHeight / 2, plot.clientHeight - hint.offsetHeight - 2))}px`;
}

function describe(one) {
  const lines = [
    one.side === "dense" ? make("b", {}, modelLabel(one)) : make("span", {}, make("b", {}, modelLabel(one)), `, ${one.method}`),
    keptWords(one), `test nDCG@10 ${digits(one.ndcg, 4)}${between(one.lo, one.hi, 4)}`,
    ...(asTrained(one) ? [] : [`relative to dense ${digits(one.ratio, 3)}${between(one.ratioLo, one.ratioHi, 3)}`]),
    ...(one.below ? ["not shown to beat popularity"] : []),
    `${bytes(one.bytes)}${known(one.ms) ? ` · ${digits(one.ms, 3)} ms` : ""} · ${one.seeds} seed${one.seeds > 1 ? "s" : ""}`,
    make("i", {}, one.notebook ? "click: its notebook" : "no notebook here"),
  ];
  return lines.map((text) => make("div", {}, text));
}

function nearest(x, y) {
  let found = null, least = NEAR;
  for (const [one, px, py] of spots) { // of two as near, the one on top
    const distance = Math.hypot(px - x, py - y);
    if (distance <= least) [found, least] = [one, distance];
  }
  return found;
}
