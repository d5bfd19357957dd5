// Everything here is an extra: without this script, or from file://, every page reads in full.
"use strict";

const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

// ---------------------------------------------------------------- light and dark
function offerTheme(button) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => button.setAttribute("aria-pressed", isDark());
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private browsing: for this page only */ }
    show();
  });
  system.addEventListener("change", show);
  show();
}

// ---------------------------------------------------------------- copy a code block
function offerCopy(block) {
  const pre = block.querySelector("pre");
  const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
  button.addEventListener("click", async () => {
    const code = [...pre.childNodes].filter((node) => !node.classList?.contains("gp")).map((node) => node.textContent).join("");
    await navigator.clipboard.writeText(code.trimEnd());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  block.append(button);
}

// ---------------------------------------------------------------- predictions
// The options become one group of radio buttons; choosing one opens its reply and the output of the next code cell.
function enhancePrediction(box, number) {
  const options = [...box.querySelectorAll("details")];
  const question = box.querySelector("p");
  question.id ||= `prediction-${number}`;
  const choices = options.map((details, index) => choiceFor(details, `predict-${number}`, index));
  const group = make("div", { className: "options" });
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-labelledby", question.id);
  options[0].before(group);
  group.append(...choices.map((choice) => choice.box));
  options.forEach((details) => details.remove());
  const reveal = foldNextOutput(box);
  group.addEventListener("change", () => {
    choices.forEach((choice) => { choice.reply.hidden = !choice.radio.checked; });
    reveal();
  });
}

function choiceFor(details, name, index) {
  const radio = make("input", { type: "radio", name, id: `${name}-${index}` });
  const label = make("label", { htmlFor: radio.id });
  label.append(radio, ...details.querySelector("summary").childNodes);
  const reply = make("div", { className: "reply", hidden: true });
  reply.setAttribute("aria-live", "polite");
  details.querySelector("summary").remove();
  reply.append(...details.childNodes);
  const box = make("div", { className: "option" });
  box.append(label, reply);
  return { box, radio, reply };
}

// The first output after the box; a cell that prints nothing, such as a setup, is passed over.
function nextOutput(box) {
  for (let start = box; start && start.matches("article *"); start = start.parentElement) {
    for (let next = start.nextElementSibling; next; next = next.nextElementSibling) {
      if (next.matches(".predict") || next.querySelector(".predict")) return null;
      const output = next.querySelector(".cell_output");
      if (output) return output;
    }
  }
  return null;
}

function foldNextOutput(box) {
  const output = nextOutput(box);
  if (!output) return () => {};
  const note = make("div", { className: "waits", textContent: "The output opens with your prediction." });
  const show = make("button", { type: "button", textContent: "Show" });
  const reveal = () => { output.hidden = false; note.remove(); };
  show.addEventListener("click", () => { reveal(); output.tabIndex = -1; output.focus(); });
  note.append(show);
  output.before(note);
  output.hidden = true;
  return reveal;
}

// ---------------------------------------------------------------- where am I, and wide things
function markSection(entries, links) {
  const seen = entries.filter((entry) => entry.isIntersecting).at(-1);
  if (!seen) return;
  links.forEach((link, id) => link.toggleAttribute("aria-current", id === seen.target.id));
  links.get(seen.target.id)?.setAttribute("aria-current", "location");
}

function followSections() {
  const links = new Map([...document.querySelectorAll("#contents a[href^='#']")].map((link) => [link.hash.slice(1), link]));
  links.delete("");
  const observer = new IntersectionObserver((entries) => markSection(entries, links), { rootMargin: "0px 0px -75% 0px" });
  links.forEach((link, id) => {
    const section = document.getElementById(id);
    if (section) observer.observe(section);
    link.addEventListener("click", () => document.getElementById("contents").hidePopover?.());
  });
}

// What scrolls sideways must be reachable by keyboard.
function reachWide(element) {
  if (element.scrollWidth <= element.clientWidth + 1 || element.tabIndex >= 0) return;
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", element.matches("pre") ? "Code, scrolls sideways" : "Wide content, scrolls sideways");
}

document.querySelectorAll(".theme").forEach(offerTheme);
if (navigator.clipboard) document.querySelectorAll("div.highlight").forEach(offerCopy);
document.querySelectorAll(".predict").forEach(enhancePrediction);
followSections();
const reachAll = () => document.querySelectorAll("pre, .pst-scrollable-table-container, .cell_output, .katex-display").forEach(reachWide);
reachAll();
addEventListener("resize", reachAll);
