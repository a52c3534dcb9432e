// The search page: ranks the entries of search-index.js (BOOK_INDEX) and shows the best with the words around a hit.
"use strict";

const MOST = 60; // results shown
const KINDS = { page: 8, section: 6, box: 5, assertion: 3 }; // what comes first among equals

const fold = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

const entries = BOOK_INDEX.flatMap(([url, found]) =>
  found.map(([kind, anchor, title, words]) => ({
    url: anchor ? `${url}#${anchor}` : url,
    page: found[0][2],
    kind,
    title,
    words,
    head: fold(title),
    text: fold(words),
  })),
);

/** How well an entry answers; 0 where a word is missing. Titles count most, the whole phrase more than its words. */
function score(entry, phrase, terms) {
  const inHead = terms.filter(term => hasWord(entry.head, term)).length;
  const somewhere = terms.filter(term => entry.head.includes(term) || entry.text.includes(term)).length;
  if (somewhere < terms.length) return 0;
  const name = entry.head.replace(/^(\d+(\.\d+)*|[a-z]+ \d+\.\d+) ·? ?/, "");
  const id = entry.head.split(" · ")[0].replace(/^assertion /, "");
  let value = KINDS[entry.kind] + (40 * inHead) / terms.length;
  if (id === phrase) value += 300;
  if (name === phrase || name === `on ${phrase}` || name === `the ${phrase}`) value += 200;
  if (entry.head.includes(phrase)) value += 100 + (30 * phrase.length) / entry.head.length;
  if (inHead === terms.length && entry.kind === "page") value += 60;
  if (entry.text.includes(phrase)) value += 10;
  return value + Math.min(5, entry.text.split(phrase).length - 1);
}

function hasWord(text, term) {
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1])) return true;
  }
  return false;
}

/** The entries that hold every word of the query, the best first. */
function search(query) {
  const phrase = fold(query).trim().replace(/\s+/g, " ");
  const terms = phrase.split(" ").filter(Boolean);
  if (!terms.length) return [];
  return entries
    .map(entry => ({ entry, value: score(entry, phrase, terms) }))
    .filter(found => found.value > 0)
    .sort((a, b) => b.value - a.value)
    .map(found => found.entry);
}

/** `text` in `parent`, the words of the query marked. */
function mark(parent, text, terms) {
  const pattern = terms.map(term => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  for (const part of text.split(new RegExp(`(${pattern})`, "giu"))) {
    const child = terms.includes(fold(part)) ? document.createElement("mark") : document.createTextNode("");
    child.textContent = part;
    parent.append(child);
  }
}

/** The words around the first hit, about two lines. */
function around(entry, terms) {
  const hits = terms.map(term => entry.text.indexOf(term)).filter(at => at >= 0);
  const at = Math.max(0, (hits.length ? Math.min(...hits) : 0) - 60);
  const from = at ? entry.words.indexOf(" ", at) + 1 : 0;
  const piece = entry.words.slice(from, from + 220);
  return (from ? "... " : "") + piece + (from + 220 < entry.words.length ? " ..." : "");
}

function show(query) {
  const terms = fold(query).split(/\s+/).filter(Boolean);
  const found = search(query);
  document.getElementById("found").textContent = terms.length
    ? `${found.length || "No"} place${found.length === 1 ? "" : "s"} found${found.length > MOST ? `, the best ${MOST} shown` : ""}`
    : "";
  document.getElementById("results").replaceChildren(
    ...found.slice(0, MOST).map(entry => {
      const item = document.createElement("li");
      const link = item.appendChild(document.createElement("a"));
      link.href = entry.url;
      mark(link, entry.title, terms);
      if (entry.kind !== "page") item.append(` in ${entry.page}`);
      mark(item.appendChild(document.createElement("p")), around(entry, terms), terms);
      return item;
    }),
  );
}

const field = document.getElementById("find");
field.value = new URLSearchParams(location.search).get("q") ?? "";
field.addEventListener("input", () => {
  show(field.value);
  // A page opened as a file may not change its address.
  if (location.protocol !== "file:") history.replaceState(null, "", `?${new URLSearchParams({ q: field.value })}`);
});
field.form.addEventListener("submit", event => event.preventDefault());
field.focus();
show(field.value);
