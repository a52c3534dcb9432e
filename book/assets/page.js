// What every page does once it stands: formulas are typeset as they come near the screen, links land where they
// point to, what scrolls can be reached with the keyboard, and paper shows what folds hide.
"use strict";

// ---- formulas: MathJax typesets those near the screen, a few at a time, so that the page answers in between

const FEW = 20;
const waiting = new Set(document.querySelectorAll(".math"));
let drawing = window.MathJax?.startup?.promise;

/** Typesets what is still waiting of these formulas; resolves when they, and all asked for before, are drawn. */
function draw(formulas) {
  const step = async () => {
    for (let at = 0; at < formulas.length; at += FEW) {
      const few = formulas.slice(at, at + FEW).filter(formula => waiting.delete(formula));
      for (const formula of few) near.unobserve(formula);
      if (few.length) MathJax.typeset(few);
      await new Promise(done => setTimeout(done));
    }
  };
  drawing = Promise.resolve(drawing).then(step, step);
  return drawing;
}

const near = new IntersectionObserver(
  entries => draw(entries.filter(entry => entry.isIntersecting).map(entry => entry.target)),
  { rootMargin: "600px" },
);
for (const formula of waiting) near.observe(formula);

// ---- links: what is drawn around a target moves it, so that its place is looked up until it stays

let acts = 0; // of the reader: who scrolls or types goes on from where they are
for (const act of ["wheel", "touchstart", "pointerdown", "keydown"]) {
  addEventListener(act, () => acts++, { capture: true, passive: true });
}

async function land() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.closest("details:not([open])")?.setAttribute("open", "");
  const begun = acts;
  for (let look = 0, place; target && acts === begun && look < 20; look++) {
    if (target.getBoundingClientRect().top === place) return;
    target.scrollIntoView();
    place = target.getBoundingClientRect().top;
    for (let frame = 0; frame < 2; frame++) { // sections near are laid out after one, their formulas asked for after two
      await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    }
    await drawing;
  }
}

addEventListener("load", land);
addEventListener("hashchange", land);

// The folds of code cells are named "Toggle hidden content", whatever they show: their own words are a better name.
for (const fold of document.querySelectorAll("article summary[aria-label]")) fold.removeAttribute("aria-label");

// ---- a formula that no break makes fit is drawn smaller, to a point; a printed table keeps its columns;
// ---- where they then scroll, they are stops of the tab key

const SMALLEST = 70; // per cent

/** Shrinks the formula until `room` holds it, or to `smallest` per cent of its size. */
function fit(box, room, smallest) {
  box.style.fontSize = "";
  let size = 100;
  // The number of a formula does not shrink in step with it: a second and a third look may be needed.
  for (let look = 0; look < 3 && box.scrollWidth > room + 2 && size > smallest; look++) {
    size = Math.max(smallest, Math.floor((size * room) / box.scrollWidth) - 1);
    box.style.fontSize = `${size}%`;
  }
}

const widths = new WeakMap();
const scrolling = new ResizeObserver(entries => {
  for (const { target } of entries) {
    if (target.clientWidth !== widths.get(target)) requestAnimationFrame(() => reach(target));
  }
});

function reach(box) {
  const what = box.matches("pre") ? "table" : "formula";
  widths.set(box, box.clientWidth);
  if (what === "formula") fit(box, box.clientWidth, SMALLEST);
  if (box.scrollWidth <= box.clientWidth + 2) {
    box.removeAttribute("tabindex");
    return;
  }
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${what}, scrolls`);
}

const COLUMNS = /\S {2,}\S/;
for (const printed of document.querySelectorAll("article div.cell_output pre")) {
  if (printed.textContent.split("\n").filter(row => COLUMNS.test(row)).length > 2) {
    printed.classList.add("printed-table");
    scrolling.observe(printed);
  }
}

const typeset = new MutationObserver(changes => {
  for (const change of changes) {
    for (const node of change.addedNodes) {
      const box = node.nodeType === 1 && (node.matches("mjx-container") ? node : node.closest("mjx-container"));
      if (box && box.getAttribute("display") === "true") {
        reach(box);
        scrolling.observe(box);
      }
    }
  }
});
typeset.observe(document.querySelector("article") ?? document.body, { childList: true, subtree: true });

// ---- paper

const PAPER = 680; // pixels between the margins of a sheet
const opened = [];

addEventListener("beforeprint", () => {
  if (waiting.size) window.MathJax?.typeset?.([...waiting]);
  waiting.clear();
  for (const fold of document.querySelectorAll("article details:not([open])")) {
    fold.open = true;
    opened.push(fold);
  }
  for (const box of document.querySelectorAll('article mjx-container[display="true"]')) {
    fit(box, Math.min(PAPER, box.clientWidth), 1);
  }
});

addEventListener("afterprint", () => {
  for (const fold of opened.splice(0)) fold.open = false;
  for (const box of document.querySelectorAll('article mjx-container[display="true"]')) reach(box);
});
