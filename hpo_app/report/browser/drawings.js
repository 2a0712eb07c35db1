// The charts. Each has a mark per trial, and for pointing the places that the mark goes through.

function frame(chart, xs, ys, labels, isMeasured = false) {
  const { root, width, height } = chart;
  const box = { left: 58, right: width - 14, top: 28, bottom: height - 42 };
  const x = scale(xs, box.left + 8, box.right - 8, isMeasured);
  const y = scale(ys, box.bottom - 14, box.top + 8);
  for (const tick of y.ticks) {
    const at = y.place(tick);
    svg("line", { class: "grid", x1: box.left, x2: box.right, y1: at, y2: at }, root);
    svg("text", { x: box.left - 6, y: at + 4, "text-anchor": "end" }, root, shown(tick));
  }
  for (const tick of x.ticks.filter((each) => isMeasured || Number.isInteger(each))) {
    svg("text", { x: x.place(tick), y: box.bottom + 18, "text-anchor": "middle" }, root, shown(tick));
  }
  svg("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }, root);
  svg("text", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" }, root, labels[0]);
  svg("text", { x: box.left, y: box.top - 12, class: "label" }, root, labels[1]);
  return { x, y, box };
}

const better = (of = objective()) => `${short(of.metric, 40)} (${of.sign > 0 ? "higher" : "lower"} is better)`;
const classes = (trial, kind) =>
  `mark ${kind} ${trial.state}${trial.best ? " best" : ""}${trial.default ? " default" : ""}`;

function drawMark(trial, x, y, parent) {
  const looks = { class: classes(trial, "dot") };
  if (trial.state === "failed") return svg("path", { ...looks, d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` }, parent);
  if (trial.best) {
    const spike = (index) => {
      const [angle, size] = [(index * Math.PI) / 5, index % 2 ? 4 : 10];
      return `${x + size * Math.sin(angle)},${y - size * Math.cos(angle)}`;
    };
    return svg("polygon", { ...looks, points: [...Array(10).keys()].map(spike).join(" ") }, parent);
  }
  if (trial.default) return svg("path", { ...looks, d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` }, parent);
  return svg("circle", { ...looks, cx: x, cy: y, r: 4.5 }, parent);
}

// The default configuration and the best trial lie on top of all others.
function inOrder(some) {
  const weight = (trial) => (trial.best ? 2 : trial.default ? 1 : 0);
  return [...some].sort((one, other) => weight(one) - weight(other));
}

function drawHistory(chart) {
  const valued = trials.filter((trial) => valueBy(trial) !== null);
  // Of very many trials, the line also passes some that are not drawn.
  const { steps } = objective();
  const numbers = [...trials.map((trial) => trial.n), ...steps.map(([number]) => number)];
  const values = [...valued.map(valueBy), ...steps.map(([, value]) => value)];
  const { x, y, box } = frame(chart, numbers, values, ["trial", better()]);
  const path = steps.map(([number, value], index) =>
    index ? `H${x.place(number)}V${y.place(value)}` : `M${x.place(number)} ${y.place(value)}`);
  if (path.length) svg("path", { class: "steps", d: `${path.join("")}H${box.right - 8}` }, chart.root);
  for (const trial of inOrder(trials)) {
    const at = [x.place(trial.n), valueBy(trial) === null ? box.bottom - 5 : y.place(valueBy(trial))];
    chart.marks.set(trial.n, drawMark(trial, ...at, chart.root));
    chart.places.set(trial.n, [at]);
  }
}

function drawCurves(chart) {
  const drawn = trials.filter((trial) => curveBy(trial).length);
  const reports = drawn.flatMap(curveBy);
  const ys = reports.map((report) => report[1]);
  const { x, y } = frame(chart, reports.map((report) => report[0]), ys, ["iteration", better()]);
  for (const trial of inOrder(drawn)) {
    const places = curveBy(trial).map(([at, value]) => [x.place(at), y.place(value)]);
    const group = svg("g", { class: classes(trial, "curve") }, chart.root);
    svg("polyline", { points: places.join(" ") }, group);
    const [lastX, lastY] = places[places.length - 1];
    svg("circle", { cx: lastX, cy: lastY, r: 2.5 }, group);
    chart.marks.set(trial.n, group);
    chart.places.set(trial.n, places);
  }
}

function drawFront(chart) {
  const other = (shownAt + 1) % study.objectives.length;
  const valued = trials.filter((trial) => valueBy(trial) !== null && trial.values[other] !== null);
  const xs = valued.map((trial) => trial.values[other]);
  const labels = [better(study.objectives[other]), better()];
  const { x, y } = frame(chart, xs, valued.map(valueBy), labels, true);
  for (const trial of [...valued].sort((one, another) => one.front - another.front)) {
    const at = [x.place(trial.values[other]), y.place(valueBy(trial))];
    const group = svg("g", { class: trial.front ? "mark" : "mark behind" }, chart.root);
    if (trial.front) svg("circle", { class: "ring", cx: at[0], cy: at[1], r: 9 }, group);
    drawMark(trial, ...at, group);
    chart.marks.set(trial.n, group);
    chart.places.set(trial.n, [at]);
  }
}

const tickPlaces = (axis) => axis.ticks.map((tick) => [axis.place(tick), shown(tick)]);

function drawParallel(chart) {
  const { root, width, height } = chart;
  const [top, bottom, left, right] = [44, height - 16, 24, width - 64];
  const ys = study.objectives.map((_, index) =>
    scale(trials.map((trial) => trial.values[index]).filter((value) => value !== null), bottom, top));
  const names = [...study.axes, ...study.objectives].map((axis) => axis.name ?? axis.metric);
  const at = (index) => left + ((right - left) * index) / Math.max(names.length - 1, 1);
  const order = trials.filter((trial) => trial.values.every((value) => value !== null));
  order.sort((one, other) => objective().sign * (valueBy(one) - valueBy(other)));
  order.forEach((trial, index) => {
    const shares = [...trial.at.map((share) => (share === null ? null : bottom - share * (bottom - top)))];
    const places = [...shares, ...trial.values.map((value, index) => ys[index].place(value))]
      .map((place, axis) => [at(axis), place])
      .filter((place) => place[1] !== null);
    const fifth = Math.floor((5 * index) / order.length);
    const looks = { class: `${classes(trial, "line")} fifth-${fifth}`, points: places.join(" ") };
    chart.marks.set(trial.n, svg("polyline", looks, root));
    chart.places.set(trial.n, places);
  });
  chart.axes = names.map((name, index) => {
    const axis = svg("g", { class: "parallel-axis" }, root);
    svg("line", { class: "axis", x1: at(index), x2: at(index), y1: top, y2: bottom }, axis);
    const room = Math.max(6, Math.floor((right - left) / Math.max(names.length - 1, 1) / 7.5));
    const anchor = index ? (index === names.length - 1 ? "end" : "middle") : "start";
    const nameAt = { start: at(index) - 16, middle: at(index), end: width - 4 }[anchor];
    const row = index % 2 ? 13 : 28;
    svg("text", { class: "label", x: nameAt, y: row, "text-anchor": anchor }, axis, short(name, 2 * room));
    const ticks = index < study.axes.length
      ? study.axes[index].ticks.map(([share, text]) => [bottom - share * (bottom - top), text])
      : tickPlaces(ys[index - study.axes.length]);
    for (const [place, text] of ticks) {
      svg("text", { class: "tick", x: at(index) + 5, y: place + 4 }, axis, short(text, room));
    }
    return at(index);
  });
}
