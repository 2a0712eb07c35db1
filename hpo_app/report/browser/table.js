// The table of the trials: sorted by a click on a head, filtered by words and conditions.

const table = byId("trials-table");
const heads = table ? [...table.querySelectorAll("th")] : [];
const names = heads.map((head) => head.textContent);

function valueOf(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.sort ?? cell.textContent;
  if (text === "" || text === "-") return null;
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}

function compared(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}

function sort(column) {
  const isUp = heads[column].getAttribute("aria-sort") === "ascending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", isUp ? "descending" : "ascending");
  const keyed = rows.map((row) => [valueOf(row, column), row]);
  keyed.sort(([one], [other]) => {
    // What has no value stands last, whichever way.
    if (one === null || other === null) return (one === null) - (other === null);
    return isUp ? compared(other, one) : compared(one, other);
  });
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

const tests = {
  "<": (one, other) => one < other,
  ">": (one, other) => one > other,
  "<=": (one, other) => one <= other,
  ">=": (one, other) => one >= other,
  "=": (one, other) => String(one) === String(other),
};

function matches(row, word) {
  const parts = /^(.+?)(<=|>=|<|>|=)(.+)$/.exec(word);
  const column = parts ? names.findIndex((name) => name.toLowerCase() === parts[1]) : -1;
  if (column < 0) return row.textContent.toLowerCase().includes(word);
  const value = valueOf(row, column);
  const wanted = Number.isNaN(Number(parts[3])) ? parts[3] : Number(parts[3]);
  return value !== null && tests[parts[2]](typeof value === "string" ? value.toLowerCase() : value, wanted);
}

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = rows.filter((row) => words.every((word) => matches(row, word)));
  const shownNumbers = new Set(kept.map(numberOf));
  // Trials below the last row are drawn, too.
  const others = trials.filter((trial) => !words.length && !rowOf.has(trial.n));
  others.forEach((trial) => shownNumbers.add(trial.n));
  keep("text", words.length ? shownNumbers : null);
}

function startTable() {
  heads.forEach((head, column) => {
    const button = html("button", "sort", head.textContent);
    button.type = "button";
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(column));
  });
  const controls = byId("trials-controls");
  const label = html("label", "", "Filter ", controls);
  const input = html("input", "", undefined, label);
  input.type = "search";
  input.placeholder = `finished ${names[2]}<0.5`;
  input.addEventListener("input", () => filter(input.value));
  const all = html("button", "", "Show all", controls);
  all.type = "button";
  all.addEventListener("click", () => {
    input.value = "";
    charts.forEach(clear);
    filter("");
  });
  const count = html("span", "quiet", "", controls);
  count.id = "trials-count";
  count.setAttribute("role", "status");
  for (const row of rows) {
    row.addEventListener("pointerenter", () => point(numberOf(row)));
    row.addEventListener("pointerleave", () => point(null));
  }
  keep("text", null);
}
