// A pointer, or the tab key, on a link to a theorem, a formula, a figure, a claim or a reference shows what is there.
// The text is taken from the page that the link leads to. Pages opened as files cannot read each other: there,
// only what stands in the same page is shown.
"use strict";

const DELAY = 250; // milliseconds before a preview opens, and before it closes
const pages = new Map(); // address of a page -> promise of its document, as the server sent it
// A page opened as a file is kept as it was before MathJax drew its formulas.
const own = location.protocol === "file:" ? document.querySelector("article")?.cloneNode(true) : null;
let shown = null; // the link whose preview is open
let timer = 0;

const popup = document.createElement("div");
popup.id = "preview";
popup.setAttribute("role", "tooltip");
popup.hidden = true;

/** The document behind the link, or null where it cannot be read. */
function page(url) {
  const address = url.href.split("#")[0];
  if (!pages.has(address)) {
    pages.set(
      address,
      fetch(address)
        .then(answer => (answer.ok ? answer.text() : ""))
        .then(text => text && new DOMParser().parseFromString(text, "text/html"))
        .catch(() => null),
    );
  }
  return pages.get(address);
}

/** What of `target` is worth a preview: the box, the formula, the figure, or the beginning of a section. */
function excerpt(target) {
  if (target.matches("section, section > span")) {
    const section = target.closest("section");
    const [heading, ...rest] = [...section.children].filter(child => !child.matches("span"));
    return [heading, ...rest.filter(child => child.matches("p, ul, ol, div.math, div.admonition")).slice(0, 3)];
  }
  if (target.matches("div.cell")) {
    const comment = target.querySelector("pre")?.textContent.split("\n")[0] ?? "";
    const line = document.createElement("p");
    line.textContent = comment.replace(/^# /, "");
    return [line, ...target.querySelectorAll("p.verdict-line")];
  }
  if (target.matches("dt")) return [target.nextElementSibling];
  if (target.matches("span, p:empty")) {
    const cell = target.closest("div.cell") ?? target.parentElement;
    const picture = cell.querySelector("img");
    const caption = cell.querySelector("p.caption-text") ?? cell.parentElement.querySelector("p.caption-text");
    return picture ? [picture, caption].filter(Boolean) : [cell];
  }
  return [target];
}

/** Copies without anchors, buttons and permalinks, their pictures and links as seen from `base`. */
function copies(elements, base) {
  return elements.map(element => {
    const copy = document.importNode(element, true);
    for (const box of [copy, ...copy.querySelectorAll("*")]) {
      box.removeAttribute("id");
      for (const name of ["src", "href"]) {
        const value = box.getAttribute(name);
        if (value) box.setAttribute(name, new URL(value, base).href);
      }
    }
    for (const extra of copy.querySelectorAll(".headerlink, button, details, script")) extra.remove();
    return copy;
  });
}

async function open(link) {
  const url = new URL(link.href);
  const here = url.pathname === location.pathname;
  if (!here && location.protocol === "file:") return;
  const source = own ?? (await page(url)) ?? (here ? document : null);
  const target = source?.querySelector(`#${CSS.escape(decodeURIComponent(url.hash.slice(1)))}`);
  if (!target || shown !== link) return;
  popup.replaceChildren(...copies(excerpt(target), url.href.split("#")[0]));
  popup.hidden = false;
  await window.MathJax?.typesetPromise?.([popup]);
  if (shown === link) place(link);
}

/** Below the link, or above it where there is more room, and within the window even if its formulas make it grow. */
function place(link) {
  const line = link.getClientRects()[0] ?? link.getBoundingClientRect();
  popup.style.maxHeight = "";
  const [above, below] = [line.top - 14, innerHeight - line.bottom - 14];
  const up = popup.offsetHeight > below && above > below;
  popup.style.left = `${Math.max(8, Math.min(line.left, innerWidth - popup.offsetWidth - 8))}px`;
  popup.style.top = up ? "auto" : `${line.bottom + 6}px`;
  popup.style.bottom = up ? `${innerHeight - line.top + 6}px` : "auto";
  popup.style.maxHeight = `${Math.min(0.6 * innerHeight, up ? above : below)}px`;
}

function close() {
  shown?.removeAttribute("aria-describedby");
  shown = null;
  popup.hidden = true;
}

function start(link) {
  clearTimeout(timer);
  if (link === shown) return;
  timer = setTimeout(() => {
    close();
    shown = link;
    link.setAttribute("aria-describedby", popup.id);
    open(link);
  }, DELAY);
}

function stop() {
  clearTimeout(timer);
  timer = setTimeout(close, DELAY);
}

/** The link of the text, to a place in the book, that the event is about. */
function linkOf(event) {
  const link = event.target.closest?.('article a[href*="#"]');
  const internal = link && new URL(link.href).origin === location.origin && !link.matches(".headerlink");
  return internal && !link.closest("#preview") ? link : null;
}

if (document.querySelector("article")) {
  document.querySelector(".bd-article-container, main").append(popup);
  document.addEventListener("mouseover", event => {
    if (!matchMedia("(hover: hover)").matches) return;
    const link = linkOf(event);
    if (link) start(link);
    else if (event.target.closest?.("#preview")) clearTimeout(timer);
    else if (shown) stop();
    else clearTimeout(timer);
  });
  document.addEventListener("focusin", event => linkOf(event)?.matches(":focus-visible") && start(linkOf(event)));
  document.addEventListener("focusout", event => linkOf(event) && stop());
  document.addEventListener("keydown", event => event.key === "Escape" && close());
  addEventListener("scroll", () => shown && stop(), { passive: true });
}
