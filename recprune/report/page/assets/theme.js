// Light or dark: as the system has it, unless the reader chose; the choice is kept where the browser keeps anything.
"use strict";

const THEME = "recprune-colours";
const THEMES = ["light", "dark"];

// a browser may refuse storage altogether, and says so by an exception
function remembered() {
  try { return localStorage.getItem(THEME); } catch { return null; }
}

function rememberTheme(theme) {
  try {
    if (theme) localStorage.setItem(THEME, theme);
    else localStorage.removeItem(THEME);
  } catch { /* it holds for this page alone */ }
}

function applyTheme(theme) {
  if (THEMES.includes(theme)) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

applyTheme(remembered()); // before anything is painted
document.addEventListener("DOMContentLoaded", () => {
  const choice = document.getElementById("theme");
  choice.value = document.documentElement.dataset.theme || "";
  choice.closest("label").hidden = false; // without a script there is nothing to choose
  choice.addEventListener("change", () => { applyTheme(choice.value); rememberTheme(choice.value); });
});
