// Moving about in the plot: pointing, dragging a box to enlarge it, and the same by keys.
"use strict";

const place = (event) => { const { left, top } = picture.getBoundingClientRect(); return [event.clientX - left, event.clientY - top]; };
const zoomInput = plotForm.elements.zoom;
let dragged = null; // where a drag began, and whether it went far enough to be one

// what the axes show: four numbers in the form (and so in the address), or all there is
function zoom(box) {
  zoomInput.value = box ? box.map((value) => Number(value.toPrecision(4))).join(",") : "";
  showPlot();
}

// closer to, or further from, the point that is pointed at, or the middle
function scale(factor) {
  const [x0, x1, y0, y1] = scene.box, logs = [Math.log(x0), Math.log(x1)];
  const middle = active ? [Math.log(active[scene.cost]), active.ndcg] : [(logs[0] + logs[1]) / 2, (y0 + y1) / 2];
  const around = (low, high, at) => [at - (at - low) * factor, at + (high - at) * factor];
  const x = around(...logs, middle[0]).map(Math.exp), y = around(y0, y1, middle[1]);
  const whole = scene.whole, held = [Math.max(x[0], whole[0]), Math.min(x[1], whole[1]), Math.max(y[0], whole[2]), Math.min(y[1], whole[3])];
  const near = [whole[0], whole[1], whole[3], whole[3]]; // the form has four digits of each
  zoom(held.every((value, i) => Math.abs(value - whole[i]) < 1e-3 * near[i]) ? null : held);
}

function drag(event) {
  const [x, y] = place(event), [fromX, fromY] = dragged.from;
  dragged.far ||= Math.hypot(x - fromX, y - fromY) > 8;
  if (!dragged.far) return;
  const box = picture.querySelector(".drag");
  const shape = { x: Math.min(x, fromX), y: Math.min(y, fromY), width: Math.abs(x - fromX), height: Math.abs(y - fromY), visibility: "visible" };
  for (const [name, value] of Object.entries(shape)) box.setAttribute(name, value);
  dragged.to = [x, y];
}

function endDrag() {
  const { from, to } = dragged, [x0, x1, y0, y1] = scene.box;
  const right = plot.clientWidth - MARGIN.right, bottom = plot.clientHeight - MARGIN.bottom;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const across = [from[0], to[0]].map((x) => clamp((x - MARGIN.left) / (right - MARGIN.left), 0, 1)).sort((a, b) => a - b);
  const up = [from[1], to[1]].map((y) => clamp((bottom - y) / (bottom - MARGIN.top), 0, 1)).sort((a, b) => a - b);
  if (across[1] - across[0] > 0.01 && up[1] - up[0] > 0.01) zoom([...across.map((share) => x0 * (x1 / x0) ** share), ...up.map((share) => y0 + share * (y1 - y0))]);
  else showPlot();
}

picture.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse" && event.button === 0) dragged = { from: place(event) };
});
picture.addEventListener("pointermove", (event) => {
  if (dragged) drag(event);
  else if (event.pointerType === "mouse") pointAt(nearest(...place(event)));
});
picture.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && document.activeElement !== picture) pointAt(null); });
window.addEventListener("pointerup", () => { if (dragged && !dragged.far) dragged = null; });
picture.addEventListener("click", (event) => {
  if (dragged) return;
  const one = nearest(...place(event));
  pointAt(one);
  if (!one) return;
  pick(one);
  // where a finger points there is no hover: a tap reads first, and the link is below
  if (one.notebook && window.matchMedia("(hover: hover)").matches) window.open(pageOf(one.notebook), "_blank", "noopener");
});
// a drag ends wherever the button is let go, and the click that follows is not one
window.addEventListener("mouseup", () => { if (dragged && dragged.far) { endDrag(); setTimeout(() => { dragged = null; }); } });

// left and right: the points of one model by cost; up and down: the model above and below in the legend
function walk(key) {
  const models = [...new Set(scene.models)].filter((model) => spots.some(([one]) => one.model === model));
  const of = (model) => spots.filter(([one]) => one.model === model).sort((a, b) => a[1] - b[1] || b[2] - a[2]);
  if (!models.length) return;
  if (!active) return pointAt(spots.reduce((best, spot) => (spot[0].ndcg > best[0].ndcg ? spot : best))[0]);
  const own = of(active.model), at = own.findIndex(([one]) => one === active), [, x] = own[at];
  const turns = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: own.length - 1 };
  if (key in turns) return pointAt(own[Math.min(own.length - 1, Math.max(0, turns[key]))][0]);
  const next = models[(models.indexOf(active.model) + (key === "ArrowUp" ? models.length - 1 : 1)) % models.length];
  return pointAt(of(next).reduce((best, spot) => (Math.abs(spot[1] - x) < Math.abs(best[1] - x) ? spot : best))[0]);
}

const KEYS = {
  ...Object.fromEntries(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].map((key) => [key, walk])),
  Enter: () => active && pick(active), " ": () => active && pick(active), Escape: () => pointAt(null),
  "+": () => scale(0.5), "=": () => scale(0.5), "-": () => scale(2), 0: () => zoom(null),
};
picture.addEventListener("keydown", (event) => {
  if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey || !scene) return;
  event.preventDefault();
  KEYS[event.key](event.key);
});
picture.addEventListener("focus", () => { if (!active && scene && picture.matches(":focus-visible")) walk("Home"); });
picture.addEventListener("blur", () => pointAt(null));
for (const [name, act] of Object.entries({ closer: () => scale(0.5), further: () => scale(2), whole: () => zoom(null) })) {
  document.getElementById(name).addEventListener("click", act);
}
