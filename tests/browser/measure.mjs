// Looks at built pages in a real browser, and says in JSON what it saw.
//
//     node measure.mjs FOLDER [--pages a.html,b.html] [--widths 1400,1100,390] [--axe] [--print] [--modules DIR]
//
// FOLDER holds the built site; it is served from this machine, and a request to any other is refused and noted.
// The answer is {page: {width: what a screen of that width shows, ..., axe: ..., print: ...}}.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openSite, PATIENCE } from "./site.mjs";

const { values: options, positionals: [folder] } = parseArgs({
    allowPositionals: true,
    options: {
        pages: { type: "string" },
        widths: { type: "string", default: "1400,1100,390" },
        axe: { type: "boolean", default: false },
        print: { type: "boolean", default: false },
        browser: { type: "string", default: "/usr/bin/chromium" },
        modules: { type: "string", default: import.meta.dirname },
    },
});
const { site, browser, require, close } = await openSite(folder, options.browser, options.modules);
const axeSource = options.axe ? readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") : "";

// ---- in the page

/** Resolves when the page can be read and used: MathJax stands, each formula on the screen is drawn, the page answers. */
const standing = async () => {
    await window.MathJax?.startup?.promise;
    const formulas = document.querySelectorAll(".math");
    /** The formulas on the screen, without a look at those that the browser has not laid out. */
    const onScreen = () => new Promise(done => {
        const eye = new IntersectionObserver(entries => {
            eye.disconnect();
            done(entries.filter(entry => entry.isIntersecting).map(entry => entry.target));
        });
        for (const formula of formulas) eye.observe(formula);
    });
    do {
        await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
    } while (formulas.length && !(await onScreen()).every(formula => formula.querySelector("mjx-container")));
};

const typesetAll = async () => {
    await draw([...waiting]); // of page.js
    await new Promise(done => setTimeout(done, 500)); // the theme looks again 300 ms after the last change
};

/** Formulas, outputs and boxes of the page, as a screen of this width shows them. */
const look = () => {
    const name = box => `${box.closest("[id]")?.id ?? ""}: ${box.textContent.trim().slice(0, 50)}`;
    const style = box => getComputedStyle(box);
    const wide = box => box.scrollWidth > box.clientWidth + 2;
    const shown = selector => [...document.querySelectorAll(selector)].filter(box => box.checkVisibility());
    const formulas = shown("article mjx-container");
    const scrolls = box => ["auto", "scroll"].includes(style(box).overflowX);
    /** Whether what is right of `box` is out of reach: hidden by an ancestor, or outside of the page. */
    const lost = box => {
        const right = box.getBoundingClientRect().right;
        for (let around = box; around && around.tagName != "MAIN"; around = around.parentElement) {
            if (around.tagName != "MJX-CONTAINER" && scrolls(around)) return false;
            const cuts = ["hidden", "clip"].includes(style(around).overflowX) || style(around).contentVisibility == "auto";
            if (cuts && around != box &&
                right > around.getBoundingClientRect().right + 2) return true;
        }
        return right > innerWidth + 2;
    };
    const display = formulas.filter(box => box.getAttribute("display") == "true");
    const inline = formulas.filter(box => box.getAttribute("display") != "true");
    const beyond = box => {
        const column = box.closest("p, li, td, th, dd, summary, figcaption, div");
        return box.getBoundingClientRect().right > column.getBoundingClientRect().right + 2 && !box.closest("table");
    };
    const acts = "a[href], button, input, select, textarea, summary, [contenteditable], iframe, audio, video";
    const reaches = box => box.matches(acts) || scrolls(box) && (wide(box) || box.scrollHeight > box.clientHeight + 2);
    const linked = box => box.querySelector("a.headerlink, a[href^='#assertion-']");
    const boxes = shown("article div.admonition.box");
    return {
        formulas: formulas.length,
        displays: display.length,
        clipped: display.filter(box => wide(box) && !scrolls(box) || lost(box)).map(name),
        cramped: [...window.MathJax?.startup?.document?.math ?? []].filter(({ display, metrics, typesetRoot: box }) =>
            display && box.checkVisibility() && metrics.containerWidth < 0.9 * box.parentElement.clientWidth,
        ).map(({ typesetRoot: box }) => name(box)),
        scrolling: display.filter(box => wide(box) && scrolls(box)).map(name),
        inline: inline.filter(box => beyond(box) || lost(box)).map(name),
        outputs: shown("article div.cell_output pre, p.verdict-line").filter(box => wide(box) && !scrolls(box)).map(name),
        verdicts: shown("p.verdict-line").length,
        overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
        idle: shown("article [tabindex='0']").filter(box => !reaches(box)).map(name),
        unreachable: shown("article :not(mjx-container *)").filter(box => style(box).overflowX == "auto" && wide(box) && box.tabIndex < 0 &&
            !box.querySelector(acts)).map(box => `${box.tagName}.${box.className} ${name(box)}`),
        bare: {
            boxes: boxes.filter(box => !linked(box)).map(name),
            sections: shown("article section > :is(h1, h2, h3, h4, h5, h6)").filter(box => !linked(box)).map(name),
            figures: shown("article p.caption-text").filter(box => !linked(box)).map(name),
            assertions: shown("article [id^='assertion-']").filter(
                cell => !document.querySelector(`a[href="#${CSS.escape(cell.id)}"]`)).map(name),
        },
        counts: { boxes: boxes.length, figures: shown("article p.caption-text").length },
    };
};

/** What axe finds, outside of the drawings of formulas; in the second theme only what depends on colours. */
const axeRun = async theme => {
    const rules = theme == "dark" ? { runOnly: ["color-contrast", "link-in-text-block"] } : {};
    const { violations } = await axe.run({ exclude: ["mjx-container"] }, { resultTypes: ["violations"], ...rules });
    return violations.flatMap(rule => rule.nodes.map(node => ({
        rule: rule.id,
        impact: node.impact ?? rule.impact,
        target: node.target.join(" "),
        html: node.html.slice(0, 160),
        why: (node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? "",
        article: Boolean(document.querySelector(node.target[0])?.closest("article")),
    })));
};

/** What paper of the page's width would lose. */
const onPaper = () => {
    const wide = box => box.scrollWidth > box.clientWidth + 2;
    const name = box => `${box.closest("[id]")?.id ?? ""}: ${box.textContent.trim().slice(0, 50)}`;
    const shown = selector => [...document.querySelectorAll(selector)].filter(box => box.checkVisibility());
    const edge = document.querySelector("article").getBoundingClientRect().right + 2;
    return {
        closed: shown("article details:not([open])").length,
        code: shown("article pre").filter(wide).map(name),
        raw: shown("article .math").filter(box => !box.querySelector("mjx-container")).map(name),
        formulas: shown("article mjx-container").filter(box => wide(box) || box.getBoundingClientRect().right > edge ||
            box.querySelector("svg")?.getBoundingClientRect().right > edge).map(name),
        bars: shown("article :not(mjx-container *)").filter(box => ["auto", "scroll"].includes(getComputedStyle(box).overflowX) && wide(box))
            .map(box => `${box.tagName}.${box.className}`),
        furniture: shown(".bd-sidebar, .bd-header, .headerlink, .copybtn, .prev-next-footer").length,
    };
};

// ---- one page after the other

const seen = {};
for (const page of options.pages.split(",")) {
    const said = seen[page] = { errors: [], requests: [], failed: [] };
    for (const width of options.widths.split(",").map(Number)) {
        const context = await browser.newContext({ viewport: { width, height: 900 } });
        const tab = await context.newPage();
        tab.setDefaultTimeout(PATIENCE);
        tab.on("console", message => {
            const known = message.text().includes('Invalid option "menuOptions"'); // of MathJax's own component
            if (["error", "warning"].includes(message.type()) && !known) said.errors.push(message.text());
        });
        tab.on("pageerror", error => said.errors.push(String(error)));
        await tab.route("**", route => {
            const url = route.request().url();
            if (url.startsWith(site) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
            said.requests.push(url);
            return route.abort();
        });
        tab.on("response", response => response.status() >= 400 && said.failed.push(response.url().slice(site.length)));
        const session = await context.newCDPSession(tab);
        await session.send("Performance.enable", { timeDomain: "threadTicks" });
        const start = performance.now();
        await tab.goto(site + page, { waitUntil: "load" });
        await tab.evaluate(`(${standing})()`);
        const ready = (performance.now() - start) / 1000;
        const { metrics } = await session.send("Performance.getMetrics");
        const busy = metrics.find(metric => metric.name == "TaskDuration").value; // of the page's main thread
        const drawn = await tab.evaluate(() => document.querySelectorAll("mjx-container").length);
        await tab.evaluate(`(${typesetAll})()`);
        said[width] = { ready, busy, drawn, ...await tab.evaluate(`(${look})()`) };
        if (options.axe && width == 1400) {
            said.axe = {};
            // A drawing of a formula has a hundred nodes, which axe is not asked about: its text stands in.
            await tab.evaluate(() => {
                document.head.insertAdjacentHTML("beforeend", "<style>* { content-visibility: visible !important }</style>");
                for (const box of document.querySelectorAll("mjx-container")) box.textContent = box.textContent || "formula";
            });
            for (const theme of ["light", "dark"]) {
                await tab.evaluate(theme => {
                    document.documentElement.dataset.theme = theme;
                    document.documentElement.dataset.mode = theme;
                }, theme);
                await tab.waitForTimeout(400); // colours fade over
                if (theme == "light") await tab.evaluate(axeSource);
                said.axe[theme] = await tab.evaluate(`(${axeRun})("${theme}")`);
            }
        }
        await context.close();
    }
    if (options.print) {
        const tab = await browser.newPage({ viewport: { width: 718, height: 1000 } });
        tab.setDefaultTimeout(PATIENCE);
        await tab.goto(site + page, { waitUntil: "load" });
        await tab.emulateMedia({ media: "print" });
        await tab.evaluate(async () => {
            await window.MathJax?.startup?.promise;
            dispatchEvent(new Event("beforeprint"));
        });
        await tab.waitForTimeout(300);
        said.print = await tab.evaluate(`(${onPaper})()`);
        await tab.close();
    }
}
await close();
console.log(JSON.stringify(seen));
