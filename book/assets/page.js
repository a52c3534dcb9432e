// What every page does once it stands: links land where they point to, and paper shows what folds hide.
"use strict";

addEventListener("load", async () => {
  await window.MathJax?.startup?.promise; // formulas change the height of the page: only now is the place known
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.scrollIntoView();
});

const opened = [];

addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("article details:not([open])")) {
    fold.open = true;
    opened.push(fold);
  }
});

addEventListener("afterprint", () => {
  for (const fold of opened.splice(0)) fold.open = false;
});
