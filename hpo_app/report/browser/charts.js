// The charts as they stand on the page: drawn for its width, with a legend and a choice of
// objectives.

function show(chart) {
  const width = Math.round(chart.root.clientWidth);
  if (!width || width === chart.width) return;
  Object.assign(chart, { width, height: chart.root.clientHeight, marks: new Map(), places: new Map() });
  chart.root.replaceChildren();
  chart.root.setAttribute("viewBox", `0 0 ${width} ${chart.height}`);
  chart.draw(chart);
  clear(chart);
}

function startCharts() {
  const drawings = { front: drawFront, history: drawHistory, parallel: drawParallel, curves: drawCurves };
  if (study.objectives.length === 1) delete drawings.front;
  byId("charts").hidden = false;
  for (const [name, draw] of Object.entries(drawings)) {
    const chart = { name, draw, root: byId(`chart-${name}`), marks: new Map(), places: new Map() };
    Object.assign(chart, { ranges: new Map(), raises: name !== "history" });
    if (name === "parallel") {
      const axes = study.axes.length + study.objectives.length;
      chart.root.style.minWidth = `${axes * 56 + 64}px`;
    }
    charts.push(chart);
    show(chart);
    listen(chart);
  }
  addLegend();
  addChoice();
  window.addEventListener("resize", () => charts.forEach(show));
  // A run that goes on has none yet.
  if (byId("images")) byId("images").open = false;
}

function addChoice() {
  if (study.objectives.length === 1) return;
  const place = byId("charts-objective");
  const select = html("select", "", undefined, html("label", "", "Objective shown ", place));
  study.objectives.forEach((each, index) => (html("option", "", short(each.metric, 40), select).value = index));
  select.addEventListener("change", () => {
    shownAt = Number(select.value);
    for (const chart of charts) chart.width = 0;
    charts.forEach(show);
  });
  place.hidden = false;
}

function addLegend() {
  const legend = html("p", "legend quiet");
  const present = (state) => trials.some((trial) => trial.state === state && !trial.best);
  const entries = ["finished", "stopped", "interrupted", "running", "failed"].filter(present);
  const looks = entries.map((state) => [state, { state }]);
  if (trials.some((trial) => trial.default)) looks.push(["default configuration", { state: "finished", default: true }]);
  if (trials.some((trial) => trial.front)) looks.push(["on the Pareto front", { front: true }]);
  looks.push([study.objectives.length > 1 ? "most balanced" : "best", { state: "finished", best: true }]);
  for (const [text, trial] of looks) {
    const entry = html("span", "", undefined, legend);
    const sign = svg("svg", { width: 20, height: 20, "aria-hidden": "true" }, entry);
    if (trial.front) svg("circle", { class: "ring", cx: 10, cy: 10, r: 8 }, sign);
    else drawMark(trial, 10, 10, sign);
    html("span", "", text, entry);
  }
  charts[0].root.parentNode.before(legend);
}
