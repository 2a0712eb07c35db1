// From values to places along an axis, and to the round numbers that are written beside it.

function scale(values, from, to, isMeasured = true) {
  // One by one: a call takes fewer arguments than a thousand curves have points.
  let [low, high] = values.length ? [Infinity, -Infinity] : [0, 1];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  // Trials and iterations are counted, and stand at even steps however many there are.
  const isLog = isMeasured && low > 0 && high / low > 1000;
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
