// Tables that sort by the column whose head is pressed, and lists that show only what holds a word.
"use strict";

const collator = new Intl.Collator("en", { numeric: true });

function keyOf(row, column) {
  const cell = row.cells[column];
  return "number" in cell.dataset ? Number(cell.dataset.number) : cell.textContent.trim();
}

// what is missing stays last, whichever way the rest is turned
function compare(a, b, turn) {
  const gone = (key) => key === "" || Number.isNaN(key);
  if (gone(a) || gone(b)) return gone(a) - gone(b);
  return turn * (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));
}

function sortTable(head) {
  const descending = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = head.closest("table").tBodies[0], turn = descending ? -1 : 1;
  const rows = [...body.rows].map((row) => [keyOf(row, head.cellIndex), row]);
  body.append(...rows.sort(([a], [b]) => compare(a, b, turn)).map(([, row]) => row));
}

document.addEventListener("click", (event) => {
  const head = event.target.closest("table.sortable thead th");
  if (head) sortTable(head);
});

for (const input of document.querySelectorAll("input[data-filter]")) {
  const output = input.closest(".filter").querySelector("output"), whole = output.textContent;
  const items = [...document.getElementById(input.dataset.filter).querySelectorAll("tbody tr, .group li")];
  const words = items.map((item) => `${item.closest(".group") ? item.closest(".group").firstChild.textContent : ""} ${[...(item.cells || [item])].map((cell) => cell.textContent).join(" ")}`.toLowerCase());
  input.addEventListener("input", () => {
    const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = words.map((text) => wanted.every((word) => text.includes(word)));
    items.forEach((item, i) => { item.hidden = !fits[i]; });
    for (const group of document.querySelectorAll(`#${CSS.escape(input.dataset.filter)} .group`)) group.hidden = !group.querySelector("li:not([hidden])");
    remember();
    output.textContent = wanted.length ? `${fits.filter(Boolean).length} of ${whole}` : whole;
  });
}
