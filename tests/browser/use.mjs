// Uses the built site as a reader does, and says in JSON what happened.
//
//     node use.mjs FOLDER [--browser PATH] [--modules DIR]
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { openSite, PATIENCE } from "./site.mjs";

const { values: options, positionals: [folder] } = parseArgs({
    allowPositionals: true,
    options: {
        browser: { type: "string", default: "/usr/bin/chromium" },
        modules: { type: "string", default: import.meta.dirname },
    },
});
const { site, browser, close } = await openSite(folder, options.browser, options.modules);
const files = `${pathToFileURL(resolve(folder))}/`;
const seen = { errors: [] };

async function tabAt(url, width = 1400) {
    const tab = await browser.newPage({ viewport: { width, height: 900 } });
    tab.setDefaultTimeout(PATIENCE);
    tab.on("pageerror", error => seen.errors.push(String(error)));
    tab.on("console", message => message.type() === "error" && seen.errors.push(message.text()));
    await tab.goto(url, { waitUntil: "load" });
    return tab;
}

// ---- the ledger

const rows = tab => tab.locator(".claim-table tbody tr:visible").count();
const sections = tab => tab.locator("section[id^='claim-']:visible").count();

const ledger = await tabAt(`${site}book/claims.html`);
seen.ledger = { all: await rows(ledger) };
await ledger.selectOption("select[name=verdict]", "open");
await ledger.fill(".claim-filter input[name=q]", "figure");
await ledger.click(".claim-table th:nth-child(1) button");
await ledger.click(".claim-table th:nth-child(1) button");
Object.assign(seen.ledger, {
    chosen: await rows(ledger),
    sections: await sections(ledger),
    count: await ledger.textContent(".claim-filter output"),
    address: new URL(ledger.url()).hash,
    ids: await ledger.locator(".claim-table tbody tr:visible td:first-child").allTextContents(),
});
const address = ledger.url();
await ledger.close();
const again = await tabAt(address, 390);
Object.assign(seen.ledger, {
    restored: await again.locator(".claim-table tbody tr:visible td:first-child").allTextContents(),
    phone: await again.evaluate(() => document.documentElement.scrollWidth - innerWidth),
});
await again.evaluate(() => { location.hash = "#claim-S-Lemma1"; });
await again.waitForTimeout(100);
seen.ledger.afterLink = await rows(again);
await again.close();

// ---- previews

const preview = tab => tab.evaluate(() => {
    const popup = document.getElementById("preview");
    return popup.hidden ? null : popup.textContent.replace(/\s+/g, " ").trim().slice(0, 300);
});

/** Whether a preview is open and, where it holds a formula alone, the formula is typeset. */
const isOpen = () => {
    const popup = document.getElementById("preview");
    return !popup.hidden && popup.textContent.trim() !== "";
};

/** The preview that opens over the link, or null where `opens` is false and none does. */
async function hover(tab, selector, opens = true) {
    // A page that is still being typeset moves the link from under the pointer: point again.
    for (const patience of [10_000, 30_000, PATIENCE]) {
        await tab.mouse.move(2, 2);
        await tab.waitForFunction(() => document.getElementById("preview").hidden);
        await tab.locator(selector).filter({ visible: true }).first().hover();
        if (!opens) await tab.waitForTimeout(3000);
        else if (!await tab.waitForFunction(isOpen, undefined, { timeout: patience }).catch(() => null)) continue;
        await tab.waitForTimeout(500);
        seen.outside ??= [];
        seen.outside.push(...await tab.evaluate(() => {
            const { top, bottom, left, right } = document.getElementById("preview").getBoundingClientRect();
            return [-top, bottom - innerHeight, -left, right - innerWidth].filter(over => over > 1);
        }));
        return preview(tab);
    }
    throw new Error(`no preview opens over ${selector}`);
}

const LINKS = {
    theorem: "article p a[href='#thm-11-2']",
    equation: "article p a[href^='#eq-11-']",
    claim: "article a[href*='claims.html#claim-S-EOC-relu']",
    reference: "article a[href*='references.html#hayou-2019-ntk']",
};
const chapter = await tabAt(`${site}notebooks/11_on_the_edge.html`);
seen.previews = {};
for (const [name, selector] of Object.entries(LINKS)) seen.previews[name] = await hover(chapter, selector);
await chapter.keyboard.press("Escape");
seen.previews.closed = await preview(chapter);
await chapter.close();
const opened = await tabAt(`${files}notebooks/11_on_the_edge.html`);
seen.previews.file = await hover(opened, LINKS.theorem);
seen.previews.fileElsewhere = await hover(opened, LINKS.claim, false);
await opened.close();

// ---- links: how far from its place the target is, where the page is opened at it and where it jumps there

const CHAPTER = "notebooks/11_on_the_edge.html", LEDGER = "book/claims.html";
const PLACES = [
    [CHAPTER, 1400, "eq-11-16"],
    [CHAPTER, 1400, "assertion-S-slow-rates"],
    [CHAPTER, 390, "fig-11-3"],
    [CHAPTER, 390, "the-supremum"],
    [LEDGER, 1400, "claim-S-abstract-kernel"],
    [LEDGER, 390, "claim-S-abstract-kernel"],
];

/** Resolves when neither the height of the page nor where the reader is changes any more. */
async function rest(tab) {
    const place = () => `${scrollY} ${document.documentElement.scrollHeight} ${document.querySelectorAll("mjx-container").length}`;
    for (let last = ""; ; await tab.waitForTimeout(1000)) {
        const now = await tab.evaluate(place);
        if (now === last) return;
        last = now;
    }
}

seen.landings = {};
for (const [page, width, id] of PLACES) {
    const off = tab => tab.evaluate(id => {
        const before = scrollY;
        document.getElementById(id).scrollIntoView();
        return Math.abs(scrollY - before);
    }, id);
    const tab = await tabAt(`${site}${page}#${id}`, width);
    await rest(tab);
    const opened = await off(tab);
    await tab.goto("about:blank");
    await tab.goto(site + page, { waitUntil: "load" });
    await rest(tab);
    await tab.evaluate(id => { location.hash = id; }, id);
    await rest(tab);
    seen.landings[`${id} at ${width}`] = [opened, await off(tab)];
    await tab.close();
}

// ---- search, opened as a file

seen.search = {};
for (const words of ["edge of chaos", "S-Lemma1", "Slepian", "theorem 11.2", "gaussian kernel"]) {
    const tab = await tabAt(`${files}search.html?q=${encodeURIComponent(words)}`);
    const link = tab.locator("#results a").first();
    seen.search[words] = [await link.innerText(), await link.getAttribute("href"), await tab.locator("#results li").count()];
    await tab.close();
}

await close();
console.log(JSON.stringify(seen));
