// Python for one exercises page: loads once, then judges one answer per message.  The page ends it when it takes too long.
// A module worker: Pyodide runs in no other kind.

let python;

async function load({ pyodide, archive }) {
  const { loadPyodide } = await import(pyodide);
  const [runtime, modules] = await Promise.all([
    loadPyodide({ indexURL: pyodide.slice(0, pyodide.lastIndexOf("/") + 1), env: { HOME: "/home/pyodide" } }),
    fetch(archive).then((answer) => {
      if (!answer.ok) throw new Error(`${archive} answers ${answer.status}`);
      return answer.arrayBuffer();
    }),
  ]);
  runtime.FS.writeFile("/exercises.zip", new Uint8Array(modules));
  runtime.runPython("import sys; sys.path.insert(0, '/exercises.zip')");
  return runtime.pyimport("page_judge");
}

// A message is { load: {...} } or { call: "check_source", values: [...] }.
onmessage = async ({ data }) => {
  try {
    if (data.load) {
      python = await load(data.load);
      postMessage({ ready: true });
    } else {
      postMessage({ report: JSON.parse(python[data.call](...data.values)) });
    }
  } catch (error) {
    postMessage({ problem: String(error.message || error) });
  }
};
