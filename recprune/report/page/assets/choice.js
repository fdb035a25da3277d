// "Which should I use?": the choice, on validation alone, among the points that the data mark as candidates.
"use strict";

const choiceForm = document.getElementById("choice-form");
// what is to be small, and which points are candidates
const QUESTIONS = {
  size: { least: "bytes", flag: "sized" },
  speed: { least: "ms", flag: "sized" },
  data: { least: "kept", flag: "data" },
  budget: { flag: "sized" },
};

// the candidates that answer the question, the best first
function answers(question, points) {
  const { least, flag } = QUESTIONS[question.kind];
  const candidates = points.filter((point) => point[flag]);
  if (question.kind === "budget") {
    return candidates.filter((point) => point.bytes <= question.bytes && known(point.level)).sort((a, b) => b.level - a.level || a.bytes - b.bytes);
  }
  const floor = 1 - question.loss - 1e-9; // a share typed in per cent is not exact in binary
  return candidates.filter((point) => known(point[question.against]) && point[question.against] >= floor && known(point[least]))
    .sort((a, b) => a[least] - b[least] || b[question.against] - a[question.against]);
}

// up to three more: the best of other models, then other methods of the same one
function others(ranked) {
  const seen = new Set(), firsts = (name, points) => points.filter((point) => !seen.has(name(point)) && seen.add(name(point)));
  const models = firsts((point) => point.model, ranked).slice(1);
  const methods = firsts((point) => `${point.model} ${point.method}`, ranked.filter((point) => point.model === ranked[0].model)).slice(1);
  return [...models, ...methods].slice(0, 3);
}

function readQuestion() {
  const form = choiceForm.elements, kind = form.question.value;
  return { kind, against: form.against.value, loss: Number(form.loss.value) / 100, bytes: Number(form.budget.value) * 1000 };
}

// what the answer is where it is a dense model: nothing is held against itself
function itself(question, point, study) {
  if (question.kind === "budget") return `${modelLabel(point)} itself, dense: of all that fits, none is better on validation.`;
  const best = point.model === study.best ? ", the best on validation" : "";
  const small = { size: "No smaller file", speed: "Nothing faster", data: "No smaller share of the training data" }[question.kind];
  return `${modelLabel(point)} itself, dense and as trained${best}. ${small} that was measured here is safe at that loss.`;
}
const isOwnYardstick = (question, point, study) => asTrained(point) && (question.kind === "budget" || question.against === "own" || point.model === study.best);

function verdict(question, point, study) {
  if (isOwnYardstick(question, point, study)) return make("p", { class: "itself" }, itself(question, point, study));
  if (question.kind === "budget") return "";
  const bound = point[question.against === "best" ? "testBest" : "testOwn"];
  if (!known(bound)) return "";
  const holds = bound >= 1 - question.loss - 1e-9;
  const than = question.against === "best" ? `${DATA.models[study.best].label}, dense` : "its own dense model";
  return make("p", {}, make("b", { class: holds ? "good" : "bad" }, holds ? "Confirmed on test." : "Not confirmed on test."),
    `${holds ? "" : " So it is no result."} Chosen because its lower bound on validation is ${digits(point[question.against], 3)} of ${than}; on test the bound is ${digits(bound, 3)}.`);
}

// whatever it keeps of its dense model: below popularity it is of no use
const useless = (point) => (point.below
  ? make("p", {}, make("b", { class: "bad" }, "Not shown to beat popularity."),
    ` On test it reaches ${digits(point.ndcg, 4)}${between(point.lo, point.hi, 4)}, popularity ${digits(point.popularity, 4)} over the same seeds.`)
  : "");

function nothing(question, points) {
  if (question.kind === "budget") {
    const least = Math.min(...points.filter((point) => point.sized).map((point) => point.bytes));
    return `Nothing measured here is that small${Number.isFinite(least) ? `; the smallest takes ${bytes(least)}` : ""}.`;
  }
  return "Nothing measured here is safe at that loss. Accept more, or ask among more models.";
}

function answer() {
  const form = choiceForm.elements, number = chooseStudy(choiceForm), study = DATA.studies[number];
  const all = POINTS.filter((point) => point.study === number && (point.sized || point.data));
  chooseModels(choiceForm, all);
  const question = readQuestion(), budget = question.kind === "budget";
  form.against.options[0].textContent = study.best ? `best dense: ${DATA.models[study.best].label}` : "the best dense model";
  form.budget.closest("label").hidden = !budget;
  for (const name of ["loss", "against"]) form[name].closest("label").hidden = budget;
  const points = all.filter(ofModels(choiceForm)), ranked = answers(question, points);
  const card = document.getElementById("answer");
  if (!ranked.length) {
    card.replaceChildren(make("p", {}, nothing(question, points)));
    card.dataset.point = "";
    return;
  }
  const [first] = ranked, more = others(ranked);
  card.dataset.point = String(POINTS.indexOf(first));
  const by = (point) => (question.kind === "data" ? percent(point.kept) : question.kind === "speed" ? `${digits(point.ms, 3)} ms` : bytes(point.bytes));
  const line = (point) => `${title(point)}: ${by(point)}, nDCG@10 ${digits(point.val, 4)} on validation, ${digits(point.ndcg, 4)} on test${point.below ? ", not shown to beat popularity" : ""}`;
  card.replaceChildren(
    make("p", { class: "title" }, title(first)), verdict(question, first, study), useless(first), facts(first), make("p", {}, notebookLink(first)),
    make("p", {}, "On your own ratings (with the model's default hyper-parameters; ", make("code", {}, "make tune"), " searches better ones):"),
    recipeBox(first),
    ...(more.length ? [make("p", {}, "Next in line, other models first:"), make("ol", { start: "2" }, ...more.map((point) => make("li", {}, line(point))))] : []),
  );
}

if (POINTS.length) {
  VIEWS.choice = { form: choiceForm, show: answer };
  choiceForm.addEventListener("input", () => { answer(); remember(); });
  choiceForm.addEventListener("submit", (event) => event.preventDefault());
}
