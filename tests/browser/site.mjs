// The built site behind a server on this machine, and the system's browser.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";

export const PATIENCE = 300_000; // milliseconds: a busy machine is slow, not broken

const TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
    ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2", ".wasm": "application/wasm",
};
const ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Serves `folder`; `modules` is where the packages of package.json are installed. */
export async function openSite(folder, executablePath, modules) {
    const server = createServer((request, response) => {
        const file = join(folder, normalize(decodeURIComponent(new URL(request.url, "http://site").pathname)));
        if (!existsSync(file) || statSync(file).isDirectory()) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
        createReadStream(file).pipe(response);
    });
    await new Promise(done => server.listen(0, "127.0.0.1", done));
    const require = createRequire(join(modules, "package.json"));
    const browser = await require("playwright-core").chromium.launch({ executablePath, args: ARGS });
    const close = async () => {
        await browser.close();
        server.close();
    };
    return { site: `http://127.0.0.1:${server.address().port}/`, browser, require, close };
}
