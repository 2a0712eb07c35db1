// What the page knows of the study, and how it makes elements. Names and values of a study reach
// the page as text only, never as markup.

const byId = (id) => document.getElementById(id);
const block = byId("study");
const study = block ? JSON.parse(block.textContent) : null;
const trials = study ? study.trials : [];
const byNumber = new Map(trials.map((trial) => [trial.n, trial]));
const namespace = block ? byId("chart-history").namespaceURI : "";
// Which of several objectives the charts show; of one, that one.
let shownAt = 0;
const objective = () => study.objectives[shownAt];
const valueBy = (trial) => trial.values[shownAt];
const curveBy = (trial) => trial.curves[shownAt];
const rows = [...document.querySelectorAll("#trials-table tbody tr")];
const numberOf = (row) => Number(row.dataset.trial);
const rowOf = new Map(rows.map((row) => [numberOf(row), row]));

function html(tag, className, text, parent) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function svg(tag, attributes, parent, text) {
  const made = document.createElementNS(namespace, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function shown(value) {
  if (value === null) return "none";
  const size = Math.abs(value);
  // As in the tables of the page: four digits, and thousands are not cut.
  if (size >= 1e3 && size < 1e6) return value.toFixed(0);
  const rounded = Number(value.toPrecision(4));
  return size !== 0 && (size < 1e-4 || size >= 1e6) ? rounded.toExponential() : String(rounded);
}

const short = (text, most = 14) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
