// The address says what is shown: #part?plot.cost=ms&choice.loss=5. A link, or a reload, shows the same view.
"use strict";

const filters = () => [...document.querySelectorAll("input[data-filter]")];

// what a control is when nothing was chosen
function initial(control) {
  if (control.tagName === "SELECT") return control.options.length ? control.options[0].value : "";
  if (control.type === "checkbox") return control.defaultChecked;
  return control.type === "hidden" ? "" : control.defaultValue;
}
const valueOf = (control) => (control.type === "checkbox" ? control.checked : control.value);
const controlsOf = (form) => [...form.elements].filter((control) => control.name && control.tagName !== "OUTPUT");

// all that was chosen, and nothing that was not
function chosen() {
  const view = new URLSearchParams();
  for (const [name, { form }] of Object.entries(VIEWS)) {
    for (const control of controlsOf(form)) {
      if (!control.closest("[hidden]") && valueOf(control) !== initial(control)) view.set(`${name}.${control.name}`, String(valueOf(control)));
    }
  }
  for (const input of filters()) if (input.value) view.set(`rows.${input.dataset.filter}`, input.value);
  return view.toString();
}

const [partNow, viewNow] = [() => location.hash.slice(1).split("?")[0], () => location.hash.split("?").slice(1).join("?")];
let isRestoring = false; // what is half restored is not to be remembered
function remember() {
  const view = chosen();
  if (!isRestoring && view !== viewNow()) history.replaceState(null, "", `#${partNow()}${view ? `?${view}` : ""}`);
}

// a list of names may not be filled yet: what it is to be waits for that, and what it cannot be is forgotten
function set(control, value) {
  const isThere = control.tagName === "SELECT" ? [...control.options].some((option) => option.value === value)
    : control.type !== "number" || Number.isFinite(Number(value || NaN));
  if (control.type === "checkbox") control.checked = value === "true";
  else control.value = isThere ? value : initial(control);
  if (!isThere) control.dataset.wanted = value; // which only lists look at
}

function restore() {
  isRestoring = true;
  const view = new URLSearchParams(viewNow());
  for (const [name, { form }] of Object.entries(VIEWS)) {
    for (const control of controlsOf(form)) {
      const asked = view.get(`${name}.${control.name}`);
      set(control, asked === null ? String(initial(control)) : asked);
    }
  }
  for (const input of filters()) {
    input.value = view.get(`rows.${input.dataset.filter}`) || "";
    if (input.value) input.closest("details")?.setAttribute("open", "");
    input.dispatchEvent(new Event("input"));
  }
  for (const { show } of Object.values(VIEWS)) show();
  isRestoring = false;
  if (viewNow()) remember();
}

// the part may lie in what is folded, and the browser does not know the part of an address with a view
function goTo(part) {
  const target = part && document.getElementById(decodeURIComponent(part));
  if (!target) return;
  for (let folded = target.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
  target.scrollIntoView();
}

window.addEventListener("hashchange", () => {
  if (viewNow()) restore(); // an address with a view is followed; one without leaves all as it is
  remember();
  goTo(partNow());
});
restore();
if (viewNow()) goTo(partNow());
