// The marks of a plot: a shape for each model as in the paper's figures, drawn around 0 with radius 1.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

// an element of a drawing, with attributes and children
function draws(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const short = (number) => Number(number.toFixed(3));
const closed = (points) => `M${points.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}Z`;
// n corners, the first straight up but for `turn` of a corner's angle; every other one at `inner` of the radius
function corners(n, radius = 1, turn = 0, inner = 1) {
  return Array.from({ length: n }, (_, i) => {
    const angle = (2 * Math.PI * (i + turn)) / n - Math.PI / 2, r = radius * (i % 2 ? inner : 1);
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });
}
const turned = (points, angle) => points.map(([x, y]) => [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)]);
const PLUS = [[-0.38, -1.1], [0.38, -1.1], [0.38, -0.38], [1.1, -0.38], [1.1, 0.38], [0.38, 0.38], [0.38, 1.1], [-0.38, 1.1], [-0.38, 0.38], [-1.1, 0.38], [-1.1, -0.38], [-0.38, -0.38]];
const SHAPES = {
  circle: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
  square: closed(corners(4, 1.25, 0.5)),
  diamond: closed(corners(4, 1.25)),
  "diamond-tall": closed(corners(4, 1.35).map(([x, y]) => [0.6 * x, y])),
  "triangle-up": closed(corners(3, 1.3)),
  "triangle-down": closed(turned(corners(3, 1.3), Math.PI)),
  "triangle-left": closed(turned(corners(3, 1.3), -Math.PI / 2)),
  "triangle-right": closed(turned(corners(3, 1.3), Math.PI / 2)),
  cross: closed(PLUS),
  x: closed(turned(PLUS, Math.PI / 4)),
  pentagon: closed(corners(5, 1.15)),
  hexagon: closed(corners(6, 1.12)),
  hexagon2: closed(corners(6, 1.12, 0.5)),
  octagon: closed(corners(8, 1.08, 0.5)),
  star: closed(corners(10, 1.35, 0, 0.45)),
};
const UNDERLINE = "M-1.7 2H1.7"; // below a point that is not shown to beat popularity

const RADIUS = { dense: 7.5, smaller: 4.2, pruned: 3.9, control: 3 };

// the mark of a point, or of a model in the legend, at the middle of its own place
function mark(model, role, { faint = false, below = false } = {}) {
  const look = DATA.models[model], classes = ["mark", role, ...(look.hollow ? ["hollow"] : []), ...(faint ? ["faint"] : [])];
  const shape = draws("path", { d: SHAPES[look.symbol] || SHAPES.circle });
  return draws("g", { class: classes.join(" "), style: `--own: ${look.colour}` }, shape, ...(below ? [draws("path", { class: "underline", d: UNDERLINE })] : []));
}
const placed = (element, x, y, radius) => { element.setAttribute("transform", `translate(${short(x)} ${short(y)}) scale(${radius})`); return element; };
