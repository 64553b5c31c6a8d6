// The live panel of one model: requests, queue, batches, kept answers, and the accuracy window with its reason.
import { element } from "./dom.js";

const MOST_POINTS = 60, SVG = "http://www.w3.org/2000/svg";

export class LivePanel {
  #target;
  #model = "";
  #rates = [];
  #before = null;

  constructor(target) { this.#target = target; }

  /** `model` is one of the state's, `version` the one that is looked at, `window` where answers are kept. */
  show(model, version, window, now) {
    if (model.name !== this.#model) [this.#model, this.#rates, this.#before] = [model.name, [], null];
    const counts = Object.entries(model.requests);
    const total = sum(counts.map(([, count]) => count));
    const failed = sum(counts.filter(([code]) => code !== "200" && code !== "OK").map(([, count]) => count));
    if (this.#before !== null && now > this.#before.now) {
      this.#rates.push(Math.max(0, total - this.#before.total) / ((now - this.#before.now) / 1000));
      this.#rates = this.#rates.slice(-MOST_POINTS);
    }
    this.#before = { now, total };
    this.#target.replaceChildren(
      element("dl", {},
        ...row("Requests", `${total}, of which ${failed} refused or failed; ${(this.#rates.at(-1) ?? 0).toFixed(1)} a second`),
        ...row("Waiting", queue(version?.queue)),
        ...row("Kept answers", cache(version?.output_cache)),
        ...row("Accuracy window", accuracy(version, window))),
      trend(this.#rates), batches(model.batches));
  }
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
const row = (name, text) => [element("dt", {}, name), element("dd", { "data-figure": name }, text)];

function queue(waiting) {
  if (!waiting) return "no version answers";
  const classes = Object.entries(waiting.by_class ?? {}).map(([name, count]) => `${name} ${count}`).join(", ");
  return `${waiting.requests} requests with ${waiting.rows} rows${classes ? ` (${classes})` : ""}`;
}

function cache(kept) {
  if (!kept) return "no version answers";
  const lookups = kept.hits + kept.misses;
  return `${kept.hits} of ${lookups} questions answered from memory${lookups ? ` (${Math.round(kept.hits / lookups * 100)} %)` : ""}`;
}

function accuracy(version, window) {
  if (!version?.output_cache) return "no version answers";
  const measured = version.accuracy === null ? "not measured" : version.accuracy.toFixed(3);
  const bounds = `from ${window.start}${window.stop === null ? "" : ` up to ${window.stop}`}`;
  return `accuracy ${measured}, answers are kept ${bounds}; now: ${version.output_cache.state} (${version.output_cache.reason})`;
}

function trend(rates) {
  const most = Math.max(1, ...rates);
  const points = rates.map((rate, index) => `${index * 100 / (MOST_POINTS - 1)},${30 - rate / most * 28}`).join(" ");
  const drawing = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "polyline");
  for (const [name, value] of Object.entries({ class: "trend", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": `Requests a second, at most ${most.toFixed(0)} in the last minute` })) drawing.setAttribute(name, value);
  line.setAttribute("points", points);
  drawing.append(line);
  return drawing;
}

function batches(sizes) {
  const entries = Object.entries(sizes);
  if (entries.length === 0) return element("p", { class: "hint" }, "No batch has been run yet.");
  const most = Math.max(...entries.map(([, calls]) => calls));
  return element("table", {}, element("caption", { class: "hint" }, "Batches by their rows, at most"),
    element("thead", {}, element("tr", {}, ...["Rows", "Calls", "Bar"].map((title) => element("th", { scope: "col" }, title)))),
    element("tbody", {}, ...entries.map(([rows, calls]) => {
      const bar = element("span", { "aria-hidden": "true" });
      bar.style.width = `${calls / most * 100}%`;
      return element("tr", {}, element("td", {}, rows), element("td", { class: "number" }, String(calls)), element("td", { class: "bar" }, bar));
    })));
}
