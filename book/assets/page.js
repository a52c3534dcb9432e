// What every page does once it stands: links land where they point to, what scrolls can be reached with the
// keyboard, and paper shows what folds hide.
"use strict";

addEventListener("load", async () => {
  await window.MathJax?.startup?.promise; // formulas change the height of the page: only now is the place known
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.closest("details:not([open])")?.setAttribute("open", "");
  target?.scrollIntoView();
});

// The folds of code cells are named "Toggle hidden content", whatever they show: their own words are a better name.
for (const fold of document.querySelectorAll("article summary[aria-label]")) fold.removeAttribute("aria-label");

// ---- a formula that no break makes fit is drawn smaller, to a point; if it then scrolls, it is a stop of the tab key

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
  widths.set(box, box.clientWidth);
  fit(box, box.clientWidth, SMALLEST);
  if (box.scrollWidth <= box.clientWidth + 2) {
    box.removeAttribute("tabindex");
    return;
  }
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "formula, scrolls");
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
