// Axes: from values to pixels, and ticks that a reader can say aloud (10 kB, 1 MB, 5 %).
"use strict";

const logScale = (low, high, from, to) => (value) => from + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (to - from);
const linearScale = (low, high, from, to) => (value) => from + ((value - low) / (high - low)) * (to - from);
const within = (value, [low, high]) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);

// 1, 2 or 5 times a power of ten, so that at most `room` steps fit between the two
function roundStep(low, high, room) {
  const least = (high - low) / Math.max(1, room), power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least * (1 - 1e-9));
}

function linearTicks(low, high, room) {
  const step = roundStep(low, high, room), first = Math.ceil(low / step - 1e-9);
  const ticks = [];
  for (let i = first; i * step <= high * (1 + 1e-9); i += 1) ticks.push(Number((i * step).toPrecision(12)));
  return { ticks, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

// ticks with words and, between them, ticks without: powers of ten, or 1-2-5 where there is room for so many
function logTicks(low, high, room) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const at = (digits, every = 1) => {
    const found = [];
    for (let power = first; power <= last; power += 1) {
      if (power % every === 0) found.push(...digits.map((digit) => Number(`${digit}e${power}`)));
    }
    return found.filter((value) => within(value, [low, high]));
  };
  const sets = [at([1, 2, 5]), at([1, 3]), at([1]), at([1], 2), at([1], 3)];
  let worded = sets.find((ticks) => ticks.length <= room) || sets[4];
  if (worded.length < 3) worded = [...new Set([...worded, ...linearTicks(low, high, Math.min(room, 5)).ticks])].filter((value) => value > 0);
  return { ticks: worded, small: last - first > 8 ? [] : at([1, 2, 3, 4, 5, 6, 7, 8, 9]) };
}
