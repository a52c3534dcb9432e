// Checks of claims that run in the page. A fold that is opened becomes an editor with buttons, and runs once.
// Python comes from the site itself, in a worker, and only then.
"use strict";

(() => {
  const here = document.currentScript.src;
  let worker = null, waiting = null, printing = false;

  function node(parent, name, attributes = {}, text = "") {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  function obstacle(fold) {
    if (location.protocol === "file:") {
      return "A page opened from a file cannot load Python: browsers do not allow it. Serve the folder of the book, "
        + "“python -m http.server” does, and open it from there. The check is a file: book/checks/ in the repository.";
    }
    if (!fold.dataset.runtime) {
      return "This copy of the book was built without Python for the browser: there was no network. "
        + "The check is a file: book/checks/ in the repository.";
    }
    return null;
  }

  // Runs the source; the answer is {output, error}, error "" if the check passes.
  function run(source) {
    stop();
    if (!worker) {
      worker = new Worker(new URL("worker.js", here), {type: "module"});
      worker.onmessage = ({data}) => { waiting?.(data); waiting = null; };
      worker.onerror = (event) => { waiting?.({output: "", error: `Python did not load: ${event.message}`}); waiting = null; };
    }
    return new Promise((done) => {
      waiting = done;
      worker.postMessage(source);
    });
  }

  function stop() { // what runs is ended, and the worker with it
    if (!waiting) return;
    worker.terminate();
    worker = null;
    waiting({output: "", error: "stopped"});
    waiting = null;
  }

  // The source with the wrong constant of its line WRONG = ... in place of the right one.
  function broken(source) {
    const wrong = source.match(/^WRONG = ([^#\n]+)/m)?.[1].trim();
    return source.replace(/^(def check\(\w+=)[^()]+(\):)$/m, (_, before, after) => before + wrong + after);
  }

  function start(fold) {
    const pre = fold.querySelector("pre"), source = pre.textContent.trimEnd() + "\n", problem = obstacle(fold);
    if (problem) {
      node(fold, "p", {class: "run-result", role: "status"}, problem);
      return;
    }
    pre.remove();
    const label = node(fold, "label", {}, "The check; you may change it");
    const text = node(label, "textarea", {spellcheck: "false", autocapitalize: "off", rows: source.split("\n").length + 1});
    text.value = source;
    const row = node(fold, "div", {class: "run-buttons"});
    const result = node(fold, "p", {class: "run-result", role: "status", "aria-live": "polite"});
    const output = node(fold, "pre", {class: "run-output"});
    async function go() {
      fold.dataset.state = "running";
      result.textContent = worker ? "Running ..." : "Loading Python, 13 MB, once ...";
      output.textContent = "";
      const answer = await run(text.value);
      const stopped = answer.error === "stopped";
      fold.dataset.state = answer.error ? (stopped ? "stopped" : "failed") : "passed";
      result.textContent = answer.error ? (stopped ? "Stopped." : "The check fails.") : "The check passes.";
      output.textContent = answer.output + (stopped ? "" : answer.error);
    }
    const button = (words, action) => node(row, "button", {type: "button"}, words).addEventListener("click", action);
    button("Run", go);
    button("Break it", () => { text.value = broken(source); go(); });
    button("Restore", () => { text.value = source; go(); });
    button("Stop", stop);
    go();
  }

  for (const fold of document.querySelectorAll("details.run-claim")) {
    fold.addEventListener("toggle", () => {
      if (fold.open && !fold.dataset.started && !printing) {
        fold.dataset.started = "yes";
        start(fold);
      }
    });
  }
  // paper opens all folds
  addEventListener("beforeprint", () => { printing = true; });
  addEventListener("afterprint", () => setTimeout(() => { printing = false; }, 1000));
})();
