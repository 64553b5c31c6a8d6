// What came back: names and scores as bars where there are any, the whole answer as JSON, the time, and whether it had been kept.
import { element } from "./dom.js";

const MOST_ROWS = 10, LONGEST_TEXT = 20_000;

export async function showAnswer(target, response, seconds) {
  const text = await response.text();
  target.replaceChildren(...(response.ok ? answer(text) : refusal(response.status, text)), facts(response, seconds), whole(text));
}

export function showProblem(target, message) {
  target.replaceChildren(element("p", { class: "error", role: "alert" }, message));
}

function refusal(status, text) {
  let message = text;
  try { message = JSON.parse(text).error ?? text; } catch { /* not JSON: shown as it is */ }
  return [element("p", { class: "error", role: "alert" }, `${status}: ${message}`)];
}

function answer(text) {
  let document;
  try { document = JSON.parse(text); } catch { return []; } // NaN and Infinity: shown as text below
  const value = document.predictions?.[0] ?? document.results?.[0] ?? document.outputs;
  const scores = scoresOf(value);
  if (scores === null) return [element("p", { class: "best" }, single(value) ?? "See the whole answer below")];
  const best = [...scores].sort((one, other) => other.score - one.score).slice(0, MOST_ROWS);
  return [element("p", { class: "best" }, best[0].name), table(best, scores)];
}

/** The one value of an answer that holds no more, or null. */
function single(value) {
  while (Array.isArray(value) && value.length === 1) [value] = value;
  return typeof value === "object" ? null : String(value);
}

/** `[{name, score}]` from what models answer, or null: pairs, parallel lists of names and numbers, or numbers by their position. */
function scoresOf(value) {
  const areNumbers = (list) => Array.isArray(list) && list.length > 1 && list.every((each) => typeof each === "number");
  if (areNumbers(value)) return value.map((score, index) => ({ name: String(index), score }));
  if (Array.isArray(value) && value.length > 0 && value.every((pair) => Array.isArray(pair) && pair.length === 2 && typeof pair[1] === "number")) {
    return value.map(([name, score], index) => ({ name: String(name || index), score }));
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const numbers = Object.values(value).find(areNumbers);
  if (numbers === undefined) return null;
  const names = Object.values(value).find((list) => Array.isArray(list) && list.length === numbers.length && list.every((each) => typeof each === "string"));
  return numbers.map((score, index) => ({ name: names?.[index] ?? String(index), score }));
}

function table(rows, all) {
  const scores = all.map(({ score }) => score);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  const areShares = least >= 0 && most <= 1;
  const share = (score) => areShares ? score : most === least ? 1 : (score - least) / (most - least);
  return element("table", {},
    element("caption", { class: "hint" }, rows.length < all.length ? `The ${rows.length} best of ${all.length}` : `${all.length} scores, best first`),
    element("thead", {}, element("tr", {}, ...["Name", "Score", "Bar"].map((title) => element("th", { scope: "col" }, title)))),
    element("tbody", {}, ...rows.map(({ name, score }) => {
      const bar = element("span", { "aria-hidden": "true" });
      bar.style.width = `${Math.max(0, share(score) * 100).toFixed(1)}%`;
      return element("tr", {}, element("td", {}, name), element("td", { class: "number" }, score.toPrecision(4)), element("td", { class: "bar" }, bar));
    })));
}

function facts(response, seconds) {
  const server = /dur=([\d.]+)/.exec(response.headers.get("server-timing") ?? "")?.[1];
  const isKept = response.headers.get("x-answer-kept") === "yes";
  return element("dl", { id: "facts" },
    element("dt", {}, "Time"), element("dd", {}, `${server ? `${Number(server).toFixed(2)} ms in the server, ` : ""}${(seconds * 1000).toFixed(1)} ms in all`),
    element("dt", {}, "From"), element("dd", { id: "from" }, isKept ? "the kept answers: the model was not asked" : "the model"));
}

function whole(text) {
  const shown = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}… (${text.length} characters)` : text;
  return element("details", {}, element("summary", {}, "The whole answer"), element("pre", { tabindex: "0" }, shown));
}
