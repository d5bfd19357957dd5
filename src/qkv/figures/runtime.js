// What figures with a model share: the runtime, loaded on the first question, and the form in which the reader asks.
import { h, newId } from "./shared.js";

// A classic script knows where it lies, and the runtime lies beside it; a notebook's script knows no such place.
const SCRIPT = globalThis.document?.currentScript?.src;
export const HOME = SCRIPT && new URL("../vendor/", SCRIPT).href;
const SERVE = "A page opened from a file cannot load the model. In the folder of the course, run “make serve” and open the address that it prints. The example below stays.";

export const whole = (ort, numbers, shape) => new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), shape);
export const rowsOf = (numbers, count) => Array.from({ length: count }, (_, r) => numbers.slice((r * numbers.length) / count, ((r + 1) * numbers.length) / count));

/** The runtime and the models at these paths, all from the folder `home`: [ort, session, …]. */
export async function openSessions(home, ...paths) {
  const at = (path) => new URL(path, home).href;
  const ort = await import(at("onnxruntime-web/ort.wasm.bundle.min.mjs"));
  ort.env.wasm.numThreads = 1; // more would need headers that a plain server does not send
  ort.env.wasm.wasmPaths = { wasm: at("onnxruntime-web/ort-wasm-simd-threaded.wasm") };
  const found = [ort];
  for (const path of paths) found.push(await ort.InferenceSession.create(at(path)));
  return found;
}

export const FORM = `
form{display:grid;gap:4px}
.ask{display:flex;gap:8px;flex-wrap:wrap}
input[type=text]{font:inherit;color:inherit;background:var(--_page);border:1px solid var(--_muted);border-radius:4px;min-height:44px;padding:0 12px;flex:1 1 10rem;min-width:0}
.trouble{border-left:3px double var(--_ink);padding-left:12px;font-weight:600}
.trouble:empty{border:0}
`;

/**
 * A line to type in, its button, a place for what is in the way, and a note on loading.
 *
 * `open(HOME)` loads the model, with the first question that needs it.  `before` and `after` are the note until then
 * and from then on; `elsewhere` is said where there is no site to load from.
 */
export function askForm({ label, value, press, onpress, open, before, after, elsewhere }) {
  const trouble = h("p", { class: "trouble", id: newId(), role: "alert" });
  const note = h("p", { class: "muted", role: "status" }, before);
  const input = h("input", { type: "text", id: newId(), value, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": trouble.id });
  const submit = (event) => { event.preventDefault(); onpress(); };
  const form = h("form", { onsubmit: submit, novalidate: "" }, h("label", { for: input.id }, label),
    h("div", { class: "ask" }, input, h("button", { type: "submit", class: "main" }, press)), trouble, note);
  let model;
  let latest = 0;
  const load = () => (model ??= open(HOME).catch((error) => { model = undefined; throw error; }));
  function complain(text) {
    trouble.textContent = text;
    input.setAttribute("aria-invalid", String(text !== ""));
  }

  /** Hands what `answer` makes of the model to `show`, unless something is in the way or a later question came. */
  async function ask(why, answer, show) {
    const mine = ++latest;
    complain(why ?? (!HOME ? elsewhere : HOME.startsWith("file:") ? SERVE : ""));
    if (trouble.textContent) return;
    if (!model) note.textContent = "Loading the model …";
    try {
      const found = await answer(await load());
      note.textContent = after;
      if (mine === latest) show(found);
    } catch (error) {
      note.textContent = "";
      const [what, advice] = model ? ["did not finish", "Try another text."] : ["could not be loaded", "Check the connection, then try again."];
      if (mine === latest) complain(`The model ${what}: ${error.message}. ${advice}`);
    }
  }
  function reset(text) {
    latest++;
    input.value = text;
    complain("");
  }
  return { form, input, trouble, ask, complain, reset };
}
