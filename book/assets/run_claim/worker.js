// Runs Python in a worker: Pyodide and mpmath from the folder beside this one, nothing from elsewhere.
const folder = new URL("../pyodide/", import.meta.url).href;

async function load() {
  const {loadPyodide} = await import(`${folder}pyodide.mjs`);
  const python = await loadPyodide({indexURL: folder});
  python.unpackArchive(await (await fetch(`${folder}mpmath.zip`)).arrayBuffer(), "zip");
  return python;
}

const loading = load();

onmessage = async ({data: source}) => {
  let output = "", error = "";
  try {
    const python = await loading;
    python.setStdout({batched: (line) => { output += `${line}\n`; }});
    const globals = python.toPy({__name__: "check"});
    await python.runPythonAsync(`${source}\ncheck()\n`, {globals});
  } catch (problem) {
    // the last lines say which line of the check failed
    error = String(problem.message ?? problem).trim().split("\n").slice(-4).join("\n");
  }
  postMessage({output, error});
};
