"use strict";
// What the page does besides being read: charts to point at, and a table to sort and filter. Names
// and values of a study reach the page as text only, never as markup, and nothing is loaded.
(() => {
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
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  }

  const short = (text, most = 14) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  // Which trials are kept: each filter is a set of numbers, or null for all.

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

  // Which trial is pointed at.

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
    const last = curve.length ? ` after ${curve[curve.length - 1][0]} iterations` : "";
    const values = study.objectives.map((each, index) => `${each.metric} ${shown(trial.values[index])}`);
    html("div", "", `${values.join(", ")}${last}`, tip);
    const list = html("dl", "", undefined, tip);
    study.axes.forEach((axis, index) => {
      if (trial.params[index] === null) return;
      html("dt", "", axis.name, list);
      html("dd", "", short(trial.params[index], 60), list);
    });
  }

  // Scales.

  function scale(values, from, to) {
    let low = Math.min(...values);
    let high = Math.max(...values);
    if (!values.length) [low, high] = [0, 1];
    const isLog = low > 0 && high / low > 1000;
    if (low === high) [low, high] = [low - (Math.abs(low) || 1) * 0.5, high + (Math.abs(high) || 1) * 0.5];
    const into = isLog ? Math.log10 : (value) => value;
    const [first, last] = [into(low), into(high)];
    // Halves, because the distance of the ends can be more than a number holds.
    const place = (value) => from + ((into(value) / 2 - first / 2) / (last / 2 - first / 2)) * (to - from);
    return { place, ticks: isLog ? powers(low, high) : steps(low, high) };
  }

  function powers(low, high) {
    const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
    const every = Math.max(1, Math.ceil((last - first) / 5));
    const ticks = [];
    for (let power = first; power <= last; power += every) ticks.push(10 ** power);
    return ticks;
  }

  function steps(low, high) {
    const rough = high / 5 - low / 5;
    const size = 10 ** Math.floor(Math.log10(rough));
    const step = size * [1, 2, 5, 10].find((factor) => factor * size >= rough);
    const ticks = [];
    for (let tick = Math.ceil(low / step) * step; tick <= high && ticks.length < 12; tick += step) ticks.push(tick);
    return ticks;
  }

  // Charts. Each has a mark per trial, and for pointing the places that the mark goes through.

  function frame(chart, xs, ys, labels, isMeasured = false) {
    const { root, width, height } = chart;
    const box = { left: 58, right: width - 14, top: 28, bottom: height - 42 };
    const x = scale(xs, box.left + 8, box.right - 8);
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

  function drawHistory(chart) {
    const valued = trials.filter((trial) => valueBy(trial) !== null);
    const numbers = trials.map((trial) => trial.n);
    const { x, y, box } = frame(chart, numbers, valued.map(valueBy), ["trial", better()]);
    const path = objective().steps.map(([number, value], index) =>
      index ? `H${x.place(number)}V${y.place(value)}` : `M${x.place(number)} ${y.place(value)}`);
    if (path.length) svg("path", { class: "steps", d: `${path.join("")}H${box.right - 8}` }, chart.root);
    for (const trial of trials) {
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
    const order = (trial) => (trial.best ? 2 : trial.default ? 1 : 0);
    for (const trial of [...drawn].sort((one, other) => order(one) - order(other))) {
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

  // Pointing, brushing and keys.

  function distance([px, py], [ax, ay], [bx, by]) {
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy;
    const share = length ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length)) : 0;
    return Math.hypot(px - ax - share * dx, py - ay - share * dy);
  }

  function nearest(chart, at) {
    let [found, least] = [null, 24];
    for (const [number, places] of chart.places) {
      if (!isKept(number)) continue;
      const away = places.length === 1
        ? distance(at, places[0], places[0])
        : Math.min(...places.slice(1).map((place, index) => distance(at, places[index], place)));
      if (away < least) [found, least] = [number, away];
    }
    return found;
  }

  function inside(places, [x1, x2, y1, y2]) {
    return places.some(([x, y]) => x >= x1 && x <= x2 && y >= y1 && y <= y2);
  }

  function brush(chart, [fromX, fromY], [toX, toY]) {
    const [y1, y2] = [Math.min(fromY, toY), Math.max(fromY, toY)];
    let [x1, x2] = [Math.min(fromX, toX), Math.max(fromX, toX)];
    if (chart.axes) {
      const axis = chart.axes.reduce((one, other) => (Math.abs(other - fromX) < Math.abs(one - fromX) ? other : one));
      [x1, x2] = [axis - 8, axis + 8];
      chart.ranges.set(axis, [x1, x2, y1, y2]);
    } else {
      chart.ranges.set(0, [x1, x2, y1, y2]);
    }
    for (const old of chart.root.querySelectorAll(".brush")) old.remove();
    for (const [left, right, top, bottom] of chart.ranges.values()) {
      svg("rect", { class: "brush", x: left, y: top, width: right - left, height: bottom - top }, chart.root);
    }
    const ranges = [...chart.ranges.values()];
    const kept = [...chart.places].filter(([, places]) => ranges.every((range) => inside(places, range)));
    keep(chart.name, new Set(kept.map(([number]) => number)));
  }

  function clear(chart) {
    for (const old of chart.root.querySelectorAll(".brush")) old.remove();
    chart.ranges.clear();
    keep(chart.name, null);
  }

  function listen(chart) {
    const { root } = chart;
    const at = (event) => {
      const box = root.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let from = null;
    let isDragged = false;
    root.addEventListener("pointerdown", (event) => {
      from = at(event);
      isDragged = false;
      root.setPointerCapture(event.pointerId);
    });
    root.addEventListener("pointermove", (event) => {
      const to = at(event);
      if (from && Math.hypot(to[0] - from[0], to[1] - from[1]) > 5) isDragged = true;
      if (from && isDragged) {
        point(null);
        brush(chart, from, to);
      } else {
        point(nearest(chart, to), event.clientX, event.clientY);
      }
    });
    root.addEventListener("pointerup", (event) => {
      if (!isDragged && nearest(chart, at(event)) === null) clear(chart);
      from = null;
    });
    root.addEventListener("pointercancel", () => (from = null));
    root.addEventListener("pointerleave", () => point(null));
    root.addEventListener("blur", () => point(null));
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        clear(chart);
        point(null);
      }
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const numbers = [...chart.places.keys()].filter(isKept).sort((one, other) => one - other);
      if (!numbers.length) return;
      const place = numbers.indexOf(hot);
      const next = numbers[(place + step + numbers.length + (place < 0 && step < 0 ? 1 : 0)) % numbers.length];
      const box = root.getBoundingClientRect();
      const [x, y] = chart.places.get(next)[chart.places.get(next).length - 1];
      point(next, box.left + x, box.top + y);
    });
  }

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

  // The table.

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

  // Commands.

  async function copy(text, source) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // A page from disk may not be trusted with the clipboard: what is selected can be copied.
      getSelection().selectAllChildren(source);
      return document.execCommand("copy");
    }
  }

  function startCopying() {
    for (const source of document.querySelectorAll("pre.command")) {
      const button = html("button", "copy", "Copy");
      button.type = "button";
      button.addEventListener("click", async () => {
        const isCopied = await copy(source.textContent, source);
        button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
        setTimeout(() => (button.textContent = "Copy"), 2000);
      });
      source.before(button);
    }
  }

  if (table) startTable();
  if (study) startCharts();
  startCopying();
})();
