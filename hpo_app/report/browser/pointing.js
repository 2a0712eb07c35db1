// Which trials are kept, and which one is pointed at: the same in all charts and in the table.

// Each filter is a set of numbers, or null for all.
const filters = new Map();
const charts = [];
const isKept = (number) => [...filters.values()].every((kept) => !kept || kept.has(number));

function keep(name, kept) {
  filters.set(name, kept);
  let count = 0;
  for (const row of rows) {
    row.hidden = !isKept(numberOf(row));
    count += row.hidden ? 0 : 1;
  }
  for (const chart of charts) {
    for (const [number, mark] of chart.marks) mark.classList.toggle("out", !isKept(number));
  }
  const counter = byId("trials-count");
  if (counter) counter.textContent = `${count} of ${rows.length} trials`;
}

const tip = byId("tip");
let hot = null;

function point(number, x, y) {
  if (hot !== number) {
    for (const chart of charts) {
      for (const each of [hot, number]) {
        const mark = chart.marks.get(each);
        if (mark) mark.classList.toggle("hot", each === number);
        if (mark && each === number && chart.raises) mark.parentNode.append(mark);
      }
    }
    if (rowOf.has(hot)) rowOf.get(hot).classList.remove("hot");
    if (rowOf.has(number)) rowOf.get(number).classList.add("hot");
    hot = number;
    if (tip) tell(number);
  }
  if (!tip || number === null || x === undefined) {
    if (tip) tip.hidden = true;
    return;
  }
  tip.hidden = false;
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const below = y + 18 + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(8, Math.min(x + 14, room))}px`;
  tip.style.top = `${below ? y + 18 : Math.max(8, y - 12 - tip.offsetHeight)}px`;
}

function tell(number) {
  tip.replaceChildren();
  const trial = byNumber.get(number);
  if (!trial) return;
  const marks = [trial.best && "best", trial.front && "on the Pareto front", trial.default && "default", trial.beyond && "beyond a constraint"];
  const also = marks.filter(Boolean).join(", ");
  html("strong", "", `Trial ${number}${also ? ` (${also})` : ""}, ${trial.state}`, tip);
  const [curve] = trial.curves;
  const count = curve.length ? curve[curve.length - 1][0] : 0;
  const last = count ? ` after ${count} iteration${count === 1 ? "" : "s"}` : "";
  const values = study.objectives.map((each, index) => `${each.metric} ${shown(trial.values[index])}`);
  html("div", "", `${values.join(", ")}${last}`, tip);
  const list = html("dl", "", undefined, tip);
  study.axes.forEach((axis, index) => {
    if (trial.params[index] === null) return;
    html("dt", "", axis.name, list);
    html("dd", "", short(trial.params[index], 60), list);
  });
}
