// Looks at every slide of decks and of their printed pages, and says in JSON what is cut.
//
//     node slides.mjs FOLDER --decks slides/session_1.html,... [--shots DIR] [--browser PATH] [--modules DIR]
//
// FOLDER is the root from which the decks find MathJax. A deck without reveal.js is a page to print.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openSite, PATIENCE } from "./site.mjs";

const WIDTH = 1280, HEIGHT = 720;
const { values: options, positionals: [folder] } = parseArgs({
    allowPositionals: true,
    options: {
        browser: { type: "string", default: "/usr/bin/chromium" },
        decks: { type: "string" },
        modules: { type: "string", default: import.meta.dirname },
        shots: { type: "string" },
    },
});

/** What leaves the box of a slide, or is cut inside of it. */
function look(slide) {
    const frame = document.querySelector(".reveal .slides").getBoundingClientRect();
    const own = slide.getBoundingClientRect();
    const [left, right, top] = [own.left, own.right, window.Reveal ? frame.top : own.top];
    const bottom = top + (window.Reveal ? frame.height : own.height);
    const cut = [], formulas = slide.querySelectorAll("mjx-container");
    const name = node => `${node.localName}.${node.className?.baseVal ?? node.className}`;
    const said = (node, why) => cut.push(`${name(node)} ${why}: ${node.textContent.trim().slice(0, 60)}`);
    for (const node of slide.querySelectorAll("h1, h2, p, li, blockquote, pre, img, figure, div, mjx-container > svg")) {
        if (node.closest("aside, mjx-assistive-mml")) continue;
        const box = node.getBoundingClientRect();
        if (!box.width && !box.height) continue;
        if (box.right > right + 1 || box.left < left - 1) said(node, `is ${Math.round(box.width)} wide`);
        if (box.bottom > bottom + 1 || box.top < top - 1) said(node, `ends at ${Math.round(box.bottom - top)}`);
        if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth) said(node, "scrolls sideways");
    }
    for (const formula of formulas) {
        const around = formula.closest("p, li, blockquote, div.small, section"), padding = getComputedStyle(around).paddingRight;
        const end = around.getBoundingClientRect().right - parseFloat(padding) * own.width / slide.offsetWidth;
        if (formula.querySelector("svg")?.getBoundingClientRect().right > end + 2) said(formula, "leaves its column");
    }
    for (const picture of slide.querySelectorAll("img")) if (!picture.naturalWidth) said(picture, "is not there");
    const prose = slide.cloneNode(true);
    for (const node of prose.querySelectorAll("aside, code, mjx-container")) node.remove();
    const raw = prose.textContent.match(/\\\(|\\\[|\$|\*\*/g); // Markdown and TeX that nobody has read
    return {
        cut, raw: raw ?? [], formulas: formulas.length,
        errors: slide.querySelectorAll("mjx-merror").length, size: parseFloat(getComputedStyle(slide).fontSize),
    };
}

const { site, browser, close } = await openSite(folder, options.browser, options.modules);
const seen = {};
for (const deck of options.decks.split(",")) {
    const tab = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
    tab.setDefaultTimeout(PATIENCE);
    const said = seen[deck] = { slides: [], complaints: [] };
    tab.on("pageerror", error => said.complaints.push(String(error)));
    tab.on("requestfailed", request => said.complaints.push(`no answer from ${request.url()}`));
    tab.on("request", request => request.url().startsWith(site) || request.url().startsWith("data:")
        || said.complaints.push(`asks ${request.url()}`));
    await tab.goto(site + deck, { waitUntil: "load" });
    await tab.waitForFunction(() => document.body.dataset.fitted === "yes");
    const slides = await tab.locator(".slides > section").all();
    for (const [i, slide] of slides.entries()) {
        await tab.evaluate(i => window.Reveal?.slide(i), i);
        said.slides.push(await slide.evaluate(look));
        if (options.shots) await slide.screenshot({ path: join(options.shots, `${deck.replaceAll("/", "_")}_${i}.png`) });
    }
    await tab.close();
}
await close();
console.log(JSON.stringify(seen));
