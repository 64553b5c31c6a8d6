// The page: looks at the server's state once a second, offers a form for the chosen signature, and asks.
import { element, fillSelect, find } from "./dom.js";
import { showAnswer, showProblem } from "./answer.js";
import { fieldFor, jsonField, shapeText } from "./fields.js";
import { Identity } from "./identity.js";
import { LivePanel } from "./live.js";

const NEWEST = "newest", LOOK_MS = 1000, LONGEST_WAIT_MS = 10_000;
const EXAMPLE_VERBS = { "tensorflow/serving/classify": "classify", "tensorflow/serving/regress": "regress" };
const [modelChoice, versionChoice, signatureChoice] = ["model", "version", "signature"].map(find);
const live = new LivePanel(find("live"));
const identity = new Identity(() => look(LOOK_MS));
let state = null, form = { key: "", fields: [], signature: null };

const chosenModel = () => state?.models.find(({ name }) => name === modelChoice.value);
const answering = (model) => model?.versions.filter(({ state }) => state === "AVAILABLE") ?? [];
const chosenVersion = () => {
  const versions = answering(chosenModel());
  return versionChoice.value === NEWEST ? versions[0] : versions.find(({ version }) => version === versionChoice.value);
};

function show(next) {
  const before = state;
  state = next;
  announce(before, next);
  find("server").textContent = next.obstacles.length === 0 ? "The server is ready." : `Not ready: ${next.obstacles.join("; ")}`;
  find("versions").replaceChildren(...next.models.flatMap((model) => model.versions.map((version) => versionRow(model, version))));
  choose();
}

function choose() {
  fillSelect(modelChoice, state.models.map(({ name }) => ({ value: name, text: name })));
  const versions = answering(chosenModel());
  const newest = { value: NEWEST, text: versions.length ? `newest (${versions[0].version})` : "none answers" };
  fillSelect(versionChoice, [newest, ...versions.map(({ version }) => ({ value: version, text: version }))]);
  const signatures = chosenVersion()?.signatures ?? [];
  const ordered = [...signatures].sort((one, other) => Number(other.is_default) - Number(one.is_default));
  fillSelect(signatureChoice, ordered.map(({ name, is_default }) => ({ value: name, text: is_default ? `${name} (default)` : name })));
  showForm(signatures.find(({ name }) => name === signatureChoice.value));
  const model = chosenModel();
  find("live-model").textContent = model?.name ?? "no model";
  if (model) live.show(model, chosenVersion(), state.window, performance.now());
}

/** The form stays as it is, with what was entered, for as long as the signature is the same. */
function showForm(signature) {
  const key = JSON.stringify([modelChoice.value, signature ?? null]);
  find("submit").disabled = signature === undefined;
  find("docs").hidden = identity.hasToken; // a link shows no token
  find("docs").href = `/v1/models/${encodeURIComponent(modelChoice.value)}/docs`;
  if (key === form.key) return;
  form = { key, signature, fields: signature ? fieldsOf(signature) : [] };
  find("fields").replaceChildren(...form.fields.map(({ field }) => field.node));
  find("description").textContent = signature ? `${tensors(signature.inputs)} → ${tensors(signature.outputs)}` : "No version of this model answers; see its state below.";
}

const tensors = (specs) => specs.map(({ name, dtype, shape }) => `${name}: ${dtype}${shapeText(shape)}`).join(", ");
const isRowWise = ({ inputs }) => inputs.every(({ shape }) => shape?.length > 0 && shape[0] === null);

function fieldsOf(signature) {
  if (signature.method in EXAMPLE_VERBS) {
    return [{ name: "example", field: jsonField("example", "{}", "Features of one tf.Example by name, as a JSON object") }];
  }
  return signature.inputs.map((input) => ({ name: input.name, field: fieldFor(input, isRowWise(signature)) }));
}

function question() {
  const { signature, fields } = form;
  const named = JSON.stringify(signature.name);
  if (signature.method in EXAMPLE_VERBS) {
    return { verb: EXAMPLE_VERBS[signature.method], body: `{"signature_name": ${named}, "examples": [${fields[0].field.json()}]}` };
  }
  const values = `{${fields.map(({ name, field }) => `${JSON.stringify(name)}: ${field.json()}`).join(", ")}}`;
  const content = isRowWise(signature) ? `"instances": [${values}]` : `"inputs": ${values}`;
  return { verb: "predict", body: `{"signature_name": ${named}, ${content}}` };
}

async function ask(event) {
  event.preventDefault();
  const answer = find("answer"), button = find("submit");
  let asked;
  try { asked = question(); } catch (error) { showProblem(answer, error.message); return; }
  const version = versionChoice.value === NEWEST ? "" : `/versions/${versionChoice.value}`;
  button.disabled = true;
  const started = performance.now();
  try {
    const response = await identity.fetch(`/v1/models/${encodeURIComponent(modelChoice.value)}${version}:${asked.verb}`, { method: "POST", body: asked.body });
    await showAnswer(answer, response, (performance.now() - started) / 1000);
  } catch (error) {
    showProblem(answer, `The server did not answer (${error.message}); is it still running?`);
  } finally {
    button.disabled = false;
  }
}

function versionRow(model, version) {
  const isWell = version.state === "AVAILABLE";
  const accuracy = isWell ? version.accuracy?.toFixed(3) ?? "not measured" : "";
  const kept = version.output_cache;
  return element("tr", {},
    element("td", {}, model.name), element("td", {}, version.version),
    element("td", { class: isWell ? "good" : version.error ? "error" : "" }, version.state),
    element("td", {}, accuracy), element("td", {}, kept?.state ?? ""), element("td", { class: "reason" }, version.error || kept?.reason || ""));
}

/** Say which versions came and went; a person who looks at the form would not see it otherwise. */
function announce(before, after) {
  if (before === null) return;
  const serving = (document) => document.models.flatMap((model) => answering(model).map(({ version }) => `${model.name} version ${version}`));
  const [old, now] = [serving(before), serving(after)];
  const news = [
    ...now.filter((each) => !old.includes(each)).map((each) => `${each} answers now`),
    ...old.filter((each) => !now.includes(each)).map((each) => `${each} has gone`),
  ];
  if (news.length > 0) find("news").textContent = `${news.join("; ")}.`;
}

async function look(waitMs) {
  let nextMs = LOOK_MS;
  if (!document.hidden) {
    try {
      const response = await identity.fetch("/state.json", { cache: "no-store" });
      if (await identity.isRefused(response)) {
        find("server").textContent = "The server asks who you are.";
        return; // it is looked at again once somebody has logged in
      }
      if (!response.ok) throw new Error(`status ${response.status}`);
      show(await response.json());
    } catch (error) {
      nextMs = Math.min(LONGEST_WAIT_MS, waitMs * 2) * (0.75 + Math.random() / 2);
      find("server").textContent = `The server does not answer (${error.message}); trying again.`;
    }
  }
  setTimeout(look, nextMs, nextMs);
}

find("form").addEventListener("submit", ask);
find("clear").addEventListener("click", () => form.fields.forEach(({ field }) => field.clear()));
for (const choice of [modelChoice, versionChoice, signatureChoice]) choice.addEventListener("change", choose);
look(LOOK_MS);
