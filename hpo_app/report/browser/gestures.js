// Pointing at a chart, brushing it, and going through it with keys.

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
