// Exercises on the page: choose, order, or write plain Python and have it judged here.
// Without this script, and on paper, every question and every explanation stands as it is.
"use strict";

(() => {
  const DATA = JSON.parse(document.getElementById("exercise-data").textContent);
  const HERE = document.currentScript.src;
  const FROM_FILE = "Python cannot start on a page that was opened from a file. Run <code>make serve</code> in the folder of the "
    + "course and open <code>http://127.0.0.1:8000/</code>, or work in the notebook.";
  let count = 0;

  const el = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const button = (text, act, properties = {}) => {
    const made = el("button", { type: "button", textContent: text, ...properties });
    made.addEventListener("click", act);
    return made;
  };
  const keep = {  // private windows and files may refuse storage
    read(id) { try { return localStorage.getItem(`qkv:${id}`); } catch { return null; } },
    write(id, text) { try { localStorage.setItem(`qkv:${id}`, text); } catch { /* kept until the page closes */ } },
    drop(id) { try { localStorage.removeItem(`qkv:${id}`); } catch { /* nothing was kept */ } },
  };

  // ---------------------------------------------------------------- Python, in a worker of its own
  const python = {
    worker: null,
    last: Promise.resolve(),

    // One answer at a time: a second one waits for the first.
    check(...request) {
      const turn = this.last.then(() => this.run(...request));
      this.last = turn.catch(() => {});
      return turn;
    },

    // Resolves to a report; `say` hears what is being waited for.
    async run(call, values, say) {
      if (!this.worker) {
        say(`Loading Python: ${DATA.megabytes} MB, once.`);
        await this.start();
      }
      say("Checking.");
      return this.ask({ call, values }, DATA.seconds * 1000);
    },

    async start() {
      const near = (name) => new URL(name, HERE).href;
      this.worker = new Worker(near("exercise-worker.js"), { type: "module" });
      const answer = await this.ask({ load: { pyodide: near("vendor/pyodide/pyodide.mjs"), archive: near("exercises.zip") } });
      if (answer.problem) throw this.stop(new Error(answer.problem));
    },

    stop(reason) {
      this.worker?.terminate();
      this.worker = null;
      return reason;
    },

    ask(message, limit) {
      const { worker } = this;
      return new Promise((resolve, reject) => {
        const timer = limit && setTimeout(() => resolve(this.stop({ status: "failed", html: DATA.stopped })), limit);
        worker.onmessage = ({ data }) => { clearTimeout(timer); resolve(data.report || data); };
        worker.onerror = (event) => { clearTimeout(timer); reject(this.stop(new Error(event.message || "its files are missing"))); };
        worker.postMessage(message);
      });
    },
  };

  async function judgeByPython(call, values, say) {
    try {
      const report = await python.check(call, values, say);
      return report.problem ? { status: "not attempted", html: "", problem: report.problem } : report;
    } catch (error) {
      python.stop();
      const html = location.protocol === "file:" ? FROM_FILE : "";
      return { status: "not attempted", html, problem: html ? "" : `Python could not be loaded (${error.message}). Check the connection and try again.` };
    }
  }

  // ---------------------------------------------------------------- one panel: report, hints, solution
  class Panel {
    constructor(id, { check, reset, explain, each = "option" }) {
      this.exercise = DATA.exercises[id];
      this.report = el("div", { className: "verdict" });
      this.report.setAttribute("role", "status");
      this.hints = el("ol", { className: "hints", hidden: true });
      this.hints.setAttribute("aria-live", "polite");
      this.hints.setAttribute("aria-label", "Hints");
      this.answer = el("pre", { className: "answer", hidden: true, id: `solution-${++count}`, textContent: this.exercise.solution ?? "" });
      this.tools = el("div", { className: "tools" });
      this.judge = check;
      this.tried = false;
      if (check) this.tools.append(button("Check", () => this.check(), { className: "main" }));
      this.tools.append(this.hintButton());
      if (check) this.tools.append(this.solutionButton());
      if (explain) this.tools.append(this.explainButton(explain, each));
      if (reset) this.tools.append(button("Reset", () => { reset(); this.clear(); }));
      this.parts = [this.tools, this.report, this.hints, this.answer];
    }

    clear() { this.report.replaceChildren(); delete this.report.dataset.status; }

    say(text) { delete this.report.dataset.status; this.report.replaceChildren(el("p", { textContent: text })); }

    async check() {
      if (this.busy) return;
      this.busy = true;
      this.say("Checking.");
      this.show(await this.judge((text) => this.say(text)));
      this.busy = false;
    }

    show({ status, html, problem, inputs, printed }) {
      if (status !== "not attempted") this.tried = true;
      const head = `${this.exercise.title}: ${DATA.icons[status]} ${status}`;
      const body = el("p", { innerHTML: html });
      if (problem) body.append(problem);
      this.report.dataset.status = status;
      this.report.replaceChildren(el("p", {}, el("strong", { textContent: head })), body);
      if (inputs) this.report.append(folded("report.inputs", inputs));
      if (printed) this.report.append(folded("Printed", printed, true));
    }

    hintButton() {
      const { hints } = this.exercise;
      const next = button(`Hint 1 of ${hints.length}`, () => {
        const shown = this.hints.childElementCount;
        if (shown < hints.length) this.hints.append(el("li", { innerHTML: hints[shown] }));
        this.hints.hidden = false;
        next.textContent = shown + 1 < hints.length ? `Hint ${shown + 2} of ${hints.length}` : "All hints shown";
        next.setAttribute("aria-disabled", shown + 1 >= hints.length);
      });
      return next;
    }

    solutionButton() {
      const toggle = button("Solution", () => {
        if (!this.tried) { this.say("The solution opens after your first check."); return; }
        this.answer.hidden = !this.answer.hidden;
        toggle.setAttribute("aria-expanded", !this.answer.hidden);
        toggle.textContent = this.answer.hidden ? "Solution" : "Hide the solution";
      });
      toggle.setAttribute("aria-expanded", false);
      toggle.setAttribute("aria-controls", this.answer.id);
      return toggle;
    }

    explainButton(explain, each) {
      const toggle = button(`Explain every ${each}`, () => {
        if (!this.tried) { this.say("The explanations open after your first check."); return; }
        const open = toggle.getAttribute("aria-pressed") !== "true";
        toggle.setAttribute("aria-pressed", open);
        explain(open);
      });
      toggle.setAttribute("aria-pressed", false);
      return toggle;
    }
  }

  function folded(title, text, open = false) {
    return el("details", { open }, el("summary", { textContent: title }), el("pre", { textContent: text }));
  }

  // ---------------------------------------------------------------- an editor for plain Python
  function insert(area, text) {  // execCommand keeps the browser's undo
    if (!document.execCommand("insertText", false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  }

  // Tab indents, Enter keeps the indent; after Escape the Tab key leaves, so that nobody is trapped.
  function helpTyping(area, check) {
    let leaving = false;
    area.addEventListener("blur", () => { leaving = false; });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { leaving = true; return; }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); check(); return; }
      if (event.key === "Tab" && !event.shiftKey && !leaving) { event.preventDefault(); insert(area, "    "); }
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
        insert(area, `\n${line.match(/^ */)[0]}${line.trimEnd().endsWith(":") ? "    " : ""}`);
      }
      if (event.key !== "Shift") leaving = false;
    });
  }

  function editorFor(id) {
    const { number, stub, module } = DATA.exercises[id];
    const area = el("textarea", { id: `code-${number}`, value: keep.read(id) ?? stub, spellcheck: false, wrap: "off", autocapitalize: "off", autocomplete: "off" });
    const help = el("p", { className: "quiet", id: `keys-${number}`, textContent: "Tab indents; Esc, then Tab leaves the editor. Ctrl+Enter checks." });
    const label = el("label", { htmlFor: area.id, textContent: `Cell ${number}: your code` });
    const fit = () => { area.rows = Math.max(8, area.value.split("\n").length + 1); };
    area.setAttribute("aria-describedby", help.id);
    const panel = new Panel(id, {
      check: (say) => judgeByPython("check_source", [module, id, area.value], say),
      reset: () => { area.value = stub; keep.drop(id); fit(); },
    });
    area.addEventListener("input", () => { keep.write(id, area.value); fit(); });
    helpTyping(area, () => panel.check());
    fit();
    return { area, box: el("div", { className: "exercise" }, label, area, help, ...panel.parts) };
  }

  function offerEditor(cell, id) {
    const open = button("Try it here", () => {
      const { area, box } = editorFor(id);
      cell.hidden = true;
      open.replaceWith(box);
      area.focus({ preventScroll: true });
    }, { className: "main try" });
    cell.after(open);
  }

  // ---------------------------------------------------------------- questions with options, or with numbers
  function optionFor(details, name, field) {
    const radio = el("input", { type: "radio", name, value: details.dataset.option });
    const reply = el("div", { className: "reply", hidden: true }, ...[...details.children].slice(1));
    const label = el("label", {}, radio, el("span", {}, ...details.querySelector("summary").childNodes));
    details.replaceWith(el("div", { className: "option" }, label, reply));
    return { radio, reply, letter: details.dataset.option, field };
  }

  function fieldset(section) {
    const box = el("fieldset", {}, el("legend", {}, ...section.querySelector("h3").childNodes));
    box.append(...[...section.childNodes].filter((node) => node.tagName !== "H3"));
    section.replaceWith(box);
    return box;
  }

  function optionsIn(box, field) {
    const name = `field-${++count}`;
    const options = [...box.querySelectorAll("details")].map((details) => optionFor(details, name, field));
    return {
      value: () => options.find((option) => option.radio.checked)?.letter ?? null,
      fill: (letter) => options.forEach((option) => { option.radio.checked = option.letter === letter; }),
      explain: (which) => options.forEach((option) => {
        option.reply.hidden = !(which === "all" || (which === "chosen" && option.radio.checked));
      }),
    };
  }

  function numbersIn(box, { length, name }) {
    const example = box.querySelector("details");
    example.hidden = true;
    const inputs = Array.from({ length }, (_, index) => {
      const input = el("input", { type: "number", step: "any" });
      input.setAttribute("aria-label", `${name}, entry ${index + 1} of ${length}`);
      return input;
    });
    example.before(el("div", { className: "numbers" }, ...inputs));
    return {
      value: () => (inputs.some((input) => input.value === "") ? null : inputs.map((input) => Number(input.value))),
      fill: (values) => inputs.forEach((input, index) => { input.value = values?.[index] ?? ""; }),
      explain: (which) => { example.hidden = which !== "all"; },
    };
  }

  // The place of an answer in the table of reports: mixed digits, blank is 0, the last field changes fastest.
  function lookUp({ fields, table, reports }, values) {
    const place = fields.reduce((sum, { letters }, index) => sum * (letters.length + 1) + letters.indexOf(values[index]) + 1, 0);
    return reports[table[place]];
  }

  function enhanceChoice(root, id) {
    const exercise = DATA.exercises[id];
    const boxes = [...root.querySelectorAll("section")].map(fieldset);
    const parts = exercise.fields.map((field, index) => (field.letters ? optionsIn : numbersIn)(boxes[index], field));
    const values = () => parts.map((part) => part.value());
    const explain = (which) => parts.forEach((part) => part.explain(which));
    const judge = (say) => {
      if (exercise.way === "choice") return lookUp(exercise, values());
      const answer = Object.fromEntries(exercise.fields.map(({ name }, index) => [name, values()[index]]));
      return judgeByPython("check_answer", [exercise.module, id, JSON.stringify(answer)], say);
    };
    const panel = new Panel(id, {
      check: async (say) => {
        const report = await judge(say);
        explain(report.status === "not attempted" ? "none" : "chosen");
        return report;
      },
      reset: () => { parts.forEach((part) => part.fill(null)); explain("none"); keep.drop(id); },
      explain: (open) => explain(open ? "all" : "chosen"),
    });
    remember(id, (text) => JSON.parse(text).forEach((value, index) => parts[index].fill(value)));
    root.addEventListener("change", () => { explain("none"); panel.clear(); keep.write(id, JSON.stringify(values())); });
    root.append(...panel.parts);
  }

  function remember(id, fill) {
    const kept = keep.read(id);
    try { if (kept) fill(kept); } catch { keep.drop(id); }  // kept by an older version of the exercise
  }

  // ---------------------------------------------------------------- lines to put into order
  function enhanceParsons(root, id) {
    const exercise = DATA.exercises[id];
    const [lines, orders] = root.querySelectorAll("section");
    const codes = new Map([...lines.querySelectorAll("details")].map((details) => [details.dataset.line, details]));
    const chosen = el("ol", { className: "order" });
    const note = el("p", { className: "visually-hidden" });
    note.setAttribute("role", "status");
    chosen.setAttribute("aria-label", "Your order");
    let order = "";

    const change = (next, said) => {
      order = next;
      note.textContent = said;
      keep.write(id, order);
      panel.clear();
      draw();
    };
    const move = (from, by) => {
      const letters = [...order];
      letters.splice(from + by, 0, ...letters.splice(from, 1));
      change(letters.join(""), `Line ${letters[from + by]} is now number ${from + by + 1}.`);
      const after = chosen.children[from + by];
      (after.querySelector(by < 0 ? ".up:not([disabled])" : ".down:not([disabled])") ?? after.querySelector("button:not([disabled])")).focus();
    };
    const remove = (at) => {
      change(order.slice(0, at) + order.slice(at + 1), `Line ${order[at]} is out.`);
      (chosen.children[Math.min(at, order.length - 1)]?.querySelector(".remove") ?? lines.querySelector("button")).focus();
    };
    const lineOf = (letter) => el("span", { className: "text" }, ...codes.get(letter).querySelector("summary").cloneNode(true).childNodes);
    const draw = () => {
      chosen.replaceChildren(...[...order].map((letter, at) => {
        const tool = (className, sign, label, act, disabled) => {
          const made = button(sign, act, { className, disabled });
          made.setAttribute("aria-label", label);
          return made;
        };
        return el("li", {}, lineOf(letter), el("span", { className: "moves" },
          tool("up", "↑", `Move line ${letter} up`, () => move(at, -1), at === 0),
          tool("down", "↓", `Move line ${letter} down`, () => move(at, 1), at === order.length - 1),
          tool("remove", "✕", `Take line ${letter} out`, () => remove(at), false)));
      }));
      empty.hidden = order !== "";
    };
    const add = (letter) => {
      if (order.length >= exercise.most) { panel.say(`There is room for ${exercise.most} lines. Take one out first.`); return; }
      change(order + letter, `Line ${letter} is number ${order.length + 1}.`);
    };
    codes.forEach((details, letter) => {
      const reply = el("div", { className: "reply", hidden: true }, ...[...details.children].slice(1));
      const made = button("Add", () => add(letter));
      made.setAttribute("aria-label", `Add line ${letter}`);
      details.replaceWith(el("div", { className: "option line" }, lineOf(letter), made, reply));
      details.reply = reply;
    });
    const panel = new Panel(id, {
      check: () => {
        const place = [...order].reduce((sum, letter) => sum * exercise.letters.length + exercise.letters.indexOf(letter) + 1, 0);
        return exercise.reports[exercise.table[place]];
      },
      reset: () => { order = ""; draw(); keep.drop(id); codes.forEach(({ reply }) => { reply.hidden = true; }); orders.hidden = true; },
      explain: (open) => { codes.forEach(({ reply }) => { reply.hidden = !open; }); orders.hidden = !open; },
      each: "line",
    });
    const empty = el("p", { className: "quiet", textContent: "No line yet. A line may be added twice." });
    orders.hidden = true;
    remember(id, (text) => { if ([...text].every((letter) => codes.has(letter)) && text.length <= exercise.most) order = text; });
    draw();
    root.append(el("section", {}, el("h3", { textContent: "Your order" }), empty, chosen, note), ...panel.parts, orders);
  }

  class Choice extends HTMLElement {
    connectedCallback() {
      const id = this.dataset.exercise;
      if (this.enhanced || !DATA.exercises[id]) return;
      this.enhanced = true;
      (DATA.exercises[id].way === "parsons" ? enhanceParsons : enhanceChoice)(this, id);
    }
  }

  // ---------------------------------------------------------------- the cells of the notebook around them
  const called = (cell, name) => cell.querySelector(".cell_input")?.textContent.match(new RegExp(`\\b${name}\\("([\\w.]+)"`))?.[1];

  function arrange(cell) {
    const asked = called(cell, "ask");
    if (asked) { cell.querySelector(".cell_input").hidden = true; cell.classList.add("asks"); }
    const id = called(cell, "check");
    const exercise = DATA.exercises[id];
    if (!exercise) return;
    if (exercise.way === "code") offerEditor(cell, id);
    else if (exercise.way) {
      const fold = el("details", { className: "in-notebook" }, el("summary", { textContent: "The same in the notebook" }));
      cell.replaceWith(fold);
      fold.append(cell);
    } else {
      const panel = new Panel(id, {});
      cell.after(el("div", { className: "exercise" }, el("p", { className: "quiet", textContent: "Needs PyTorch: work on it in the notebook." }), ...panel.parts));
    }
  }

  function introduce() {
    const all = Object.values(DATA.exercises);
    const here = all.filter(({ way }) => way).length;
    const text = `${here} of these ${all.length} exercises can be done on this page. The others need PyTorch: work on them in the notebook.`;
    document.querySelector("article h1").after(el("p", { textContent: text }));
  }

  introduce();
  customElements.define("qkv-choice", Choice);
  document.querySelectorAll("article .cell").forEach(arrange);
})();
