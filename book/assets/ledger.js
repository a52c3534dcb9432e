// The table of all claims: choose by verdict, paper, chapter, source and words, sort by a column. What is chosen
// stands in the address, after #?, so that it can be linked to; the sections below the table follow it.
"use strict";

const FIELDS = { verdict: "Verdict", paper: "Paper", chapter: "Chapter", source: "Source" };
const VERDICTS = ["does not hold as printed", "holds with a correction", "holds", "open", "assumed", "definition"];

const box = document.querySelector(".claim-table");
const table = box.querySelector("table");
const facts = new Map(JSON.parse(document.getElementById("claim-facts").textContent).map(fact => [fact.id, fact]));

const claims = [...table.tBodies[0].rows].map((row, order) => {
  const link = row.querySelector("a");
  const section = document.getElementById(link.hash.slice(1));
  const names = [...table.tHead.rows[0].cells].map(cell => cell.textContent.trim());
  [...row.cells].forEach((cell, column) => (cell.dataset.name = names[column]));
  return { ...facts.get(link.textContent.trim()), order, row, section, words: section.textContent.toLowerCase() };
});

// ---- the form

const form = document.createElement("form");
form.className = "claim-filter";
form.setAttribute("role", "search");
form.setAttribute("aria-label", "Choose claims");

function labelled(text, field) {
  const label = document.createElement("label");
  label.append(text, field);
  form.append(label);
  return field;
}

for (const [name, text] of Object.entries(FIELDS)) {
  const values = [...new Set(claims.map(claim => String(claim[name])))];
  if (name === "verdict") values.sort((a, b) => VERDICTS.indexOf(a) - VERDICTS.indexOf(b));
  if (name === "chapter") values.sort((a, b) => a - b);
  const select = labelled(text, document.createElement("select"));
  select.name = name;
  select.append(new Option("all", ""), ...values.map(value => new Option(value, value)));
}
const words = labelled("Words", document.createElement("input"));
words.name = "q";
words.type = "search";
const clear = form.appendChild(document.createElement("button"));
clear.type = "button";
clear.textContent = "Show all";
const count = form.appendChild(document.createElement("output"));
box.prepend(form);

// ---- what is shown

let sort = ""; // name of a column, "-" before it for the reverse order

const columns = [...table.tHead.rows[0].cells].map(cell => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = cell.textContent.trim();
  cell.replaceChildren(button);
  button.addEventListener("click", () => {
    const name = button.textContent.toLowerCase();
    sort = sort === name ? `-${name}` : sort === `-${name}` ? "" : name;
    save();
    show();
  });
  return { cell, name: button.textContent.toLowerCase() };
});

function key(claim, column) {
  const name = columns[column].name;
  if (name === "chapter") return claim.chapter;
  if (name === "verdict") return VERDICTS.indexOf(claim.verdict);
  return claim.row.cells[column].textContent.trim();
}

function compare(a, b) {
  const column = columns.findIndex(({ name }) => name === sort.replace("-", ""));
  if (column < 0) return a.order - b.order;
  const [one, two] = [key(a, column), key(b, column)];
  const order = typeof one === "number" ? one - two : one.localeCompare(two, "en", { numeric: true });
  return (sort.startsWith("-") ? -order : order) || a.order - b.order;
}

function show() {
  const chosen = Object.keys(FIELDS).filter(name => form.elements[name].value);
  const terms = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const claim of claims) {
    const fits =
      chosen.every(name => String(claim[name]) === form.elements[name].value) &&
      terms.every(term => claim.words.includes(term));
    claim.row.hidden = claim.section.hidden = !fits;
    shown += fits;
  }
  table.tBodies[0].append(...[...claims].sort(compare).map(claim => claim.row));
  for (const { cell, name } of columns) {
    const order = { [name]: "ascending", [`-${name}`]: "descending" }[sort] ?? "none";
    cell.setAttribute("aria-sort", order);
  }
  count.textContent = `${shown} of ${claims.length} claims`;
}

// ---- the address

function save() {
  const state = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  if (sort) state.set("sort", sort);
  const text = String(state);
  history.replaceState(null, "", text ? `#?${text}` : location.href.split("#")[0]);
}

function restore() {
  if (location.hash && !location.hash.startsWith("#?")) {
    // A link to a claim that the choice hides shows everything again.
    if (document.getElementById(location.hash.slice(1))?.closest("[hidden]")) reset();
    return;
  }
  const state = new URLSearchParams(location.hash.slice(2));
  for (const name of Object.keys(FIELDS)) form.elements[name].value = state.get(name) ?? "";
  words.value = state.get("q") ?? "";
  sort = state.get("sort") ?? "";
  show();
}

function reset() {
  form.reset();
  sort = "";
  show();
}

form.addEventListener("input", () => (save(), show()));
form.addEventListener("submit", event => event.preventDefault());
clear.addEventListener("click", () => (reset(), save()));
addEventListener("hashchange", restore);
show();
restore();
