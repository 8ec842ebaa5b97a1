// The large chart: one series of each side, of the run and of its branches, and below it how far the branches are from the run.
// Drawn here as SVG, since the library of the chapters would take longer to load than the first screen may take.
"use strict";

const SVG = "http://www.w3.org/2000/svg", DAY_MS = 864e5;
const DASHES = ["7 4", "2 3", "10 3 2 3", "14 4", "4 2 1 2"];
const TICK_DAYS = [1, 2, 7, 14, 28, 91, 182, 365, 730];
const SIDES = ["producer", "consumer"];
const MOST_NAMED = 3; // marks with names; more are numbered as in the list below
let painted = false, drawn = null, picks = ["", ""], asking = null, again = false;

function draw_(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- which series
function offer(choices, first) {
  SIDES.forEach((side, place) => {
    const pick = byId(`pick-${side}`);
    pick.replaceChildren(make("option", {value: "none", text: "none"}), ...choices[side].map(({group, series}) => {
      const box = make("optgroup", {label: group});
      box.append(...series.map(({key, title}) => make("option", {value: key, text: title})));
      return box;
    }));
    picks[place] = pick.value = first[place];
    pick.addEventListener("change", () => choose(side, pick.value));
  });
}

function choose(side, key) {
  picks[SIDES.indexOf(side)] = byId(`pick-${side}`).value = key;
  face(true, true);
}

function step(side, by) { // through the series of a side, by the keyboard
  const options = [...byId(`pick-${side}`).options], at = options.findIndex((option) => option.value === picks[SIDES.indexOf(side)]);
  if (options.length) choose(side, options[(at + by + options.length) % options.length].value); // none before the run has said which
}

// ---- the numbers
async function face(still, now = false) { // as soon as it is its turn, or now
  if (left || !now && drawn && drawn.edition === news.face && (drawn.taken === news.taken && drawn.grown === news.grown || !(still || faces.due()))) return;
  if (asking) {
    again ||= now;
    return asking;
  }
  asking = numbersCame();
  await asking;
  asking = null;
  if (again) {
    again = false;
    await face(true, true);
  }
}

async function numbersCame() {
  try {
    const grown = news.grown ?? 0, [creators, consumers] = picks.map(encodeURIComponent);
    const made = await (await ask(`/face?creators=${creators}&consumers=${consumers}`)).json();
    const began = performance.now();
    drawn = {...made, grown};
    paint();
    await faces.painted(began);
  } catch (error) {
    if (error instanceof Refused) refused(error); else faces.took(0);
  }
}

// ---- the picture
function spread(low, high, most) { // round values between two numbers
  const rough = (high - low) / most, size = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 2.5, 5, 10].find((one) => one * size >= rough) * size;
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high + 1e-9 * step; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

function dates(first, last, most) { // days that are named on the axis
  const days = TICK_DAYS.find((one) => (last - first) / DAY_MS / one <= most) || 1460, found = [];
  const long = (last - first) / DAY_MS > 500;
  if (days >= 28) {
    const start = new Date(first), months = Math.round(days / 30.4);
    for (let when = new Date(Date.UTC(start.getUTCFullYear(), 0, 1)); when <= last; when.setUTCMonth(when.getUTCMonth() + months)) if (when >= first) found.push(+when);
  } else for (let when = Math.ceil(first / DAY_MS) * DAY_MS; when <= last; when += days * DAY_MS) found.push(when);
  return found.map((when) => [when, new Intl.DateTimeFormat("en-GB", {timeZone: "UTC", day: long ? undefined : "numeric", month: "short", year: long ? "numeric" : undefined}).format(when)]);
}

const short = (value) => Math.abs(value) >= 1e4 ? new Intl.NumberFormat("en", {notation: "compact", maximumSignificantDigits: 4}).format(value) : String(Number(value.toPrecision(4))).replace("-", "−");

function frame(svg, [first, last], [low, high], wanted) { // axes; returns where things are
  const width = Math.max(240, svg.clientWidth), height = Math.max(90, svg.clientHeight), left = 46, right = width - 10, top = 16, bottom = height - 22;
  const x = (t) => left + (t - first) / (last - first) * (right - left), y = (v) => bottom - (v - low) / (high - low) * (bottom - top);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const parts = [];
  for (const value of spread(low, high, height > 200 ? 6 : 3)) {
    parts.push(draw_("line", {class: value === wanted ? "zero" : "rule", x1: left, x2: right, y1: y(value), y2: y(value)}), draw_("text", {x: left - 7, y: y(value) + 4, "text-anchor": "end"}, short(value)));
  }
  for (const [when, words] of dates(first, last, (right - left) / 90)) {
    parts.push(draw_("line", {class: "tick", x1: x(when), x2: x(when), y1: bottom, y2: bottom + 4}), draw_("text", {x: x(when), y: bottom + 17, "text-anchor": x(when) > right - 24 ? "end" : "middle"}, words));
  }
  return {parts, x, y, left, right, top, bottom, width};
}

function path({t, y: values}, at) {
  let text = "", pen = false;
  t.forEach((when, k) => {
    if (values[k] === null) { pen = false; return; }
    text += `${pen ? "L" : "M"}${at.x(when).toFixed(1)} ${Math.max(at.top - 14, Math.min(at.bottom, at.y(values[k]))).toFixed(1)}`;
    pen = true;
  });
  return text;
}

const dash = (branch) => DASHES[Math.max(0, branchNames().indexOf(branch)) % DASHES.length];
const stroke = (line) => draw_("path", {class: `course ${SIDES[line.place]}${line.branch ? " branch" : ""}`, "data-place": line.place, "data-branch": line.branch, ...line.branch ? {"stroke-dasharray": dash(line.branch)} : {}});

function signs(at) { // what took effect, and where branches left
  const named = drawn.marks.length <= MOST_NAMED, parts = [], names = [], mid = (at.left + at.right) / 2;
  const sign = (t, words, kind, level) => {
    const x = at.x(t), late = x > mid;
    if (x < at.left - 1 || x > at.right + 1) return;
    parts.push(draw_("line", {class: kind, x1: x, x2: x, y1: at.top, y2: at.bottom}));
    if (words) names.push(draw_("text", {class: `${kind}-name`, x: x + (late ? -4 : 4), y: at.top + 10 + 14 * level, "text-anchor": late ? "end" : "start"}, words.length > 26 ? `${words.slice(0, 25)}…` : words));
  };
  drawn.marks.forEach(({t, text, number}, k) => sign(t, named ? text : String(number), "mark", k % 2));
  const leaves = new Map();
  for (const {t, name} of drawn.forks) leaves.set(t, [...leaves.get(t) || [], name]);
  [...leaves].forEach(([t, all], k) => sign(t, all.length > 1 ? `${all.length} branches` : all[0], "fork", 2 + k % 2));
  return [parts, names]; // names go over the lines
}

function paint() {
  const svg = byId("chart"), empty = !drawn.lines.some((line) => line.t.length > 1);
  byId("face").dataset.empty = String(empty);
  const {baseline} = drawn;
  const unit = drawn.normal ? `in % of ${baseline}` : drawn.unit;
  const at = frame(svg, drawn.span, drawn.range, drawn.normal ? 100 : 0), lines = [];
  for (const line of drawn.lines) {
    const one = stroke(line);
    one.setAttribute("d", path(line, at));
    lines.push(one);
  }
  const [rules, names] = signs(at), title = drawn.series.map((one) => one.title).join(" and ");
  svg.replaceChildren(draw_("title", {}, `${title}${unit ? `, ${unit}` : ""}`), ...at.parts, ...rules, ...lines, ...names);
  svg.at = at;
  set("face-unit", unit);
  set("face-note", [drawn.normal ? `100 is the mean of ${baseline}.` : "", drawn.lines.some((line) => line.branch) ? "Solid: this run. Dashed: branches." : "", ...drawn.series.map((one) => one.note)].filter(Boolean).join(" "));
  byId("gap-box").hidden = !drawn.differences.some((line) => line.t.length > 1);
  if (!byId("gap-box").hidden) {
    const gap = byId("gap"), below = frame(gap, drawn.span, [-drawn.gap, drawn.gap], 0);
    gap.replaceChildren(draw_("title", {}, `Difference of branches from this run: ${title}`), ...below.parts, ...drawn.differences.map((line) => {
      const one = stroke(line);
      one.setAttribute("d", path(line, below));
      return one;
    }));
    set("gap-unit", drawn.normal ? "points of the same percent" : drawn.unit);
  }
  showEffects(drawn.says);
  for (const [key, {box}] of cards) box.setAttribute("aria-pressed", String(drawn.keys.includes(key)));
  if (!empty && !painted) {
    painted = true;
    performance.mark("first-screen");
    setTimeout(() => bokeh().catch(() => {}), 2000); // the chapters will need it
  }
}
new ResizeObserver(() => { if (drawn) paint(); }).observe(byId("chart"));

// ---- what is under the pointer
function point(event) {
  const svg = byId("chart"), at = svg.at;
  if (!drawn || !at) return;
  for (const old of svg.querySelectorAll(".pointer")) old.remove();
  const t = drawn.span[0] + (event.offsetX - at.left) / (at.right - at.left) * (drawn.span[1] - drawn.span[0]), rows = [];
  let when = null;
  for (const line of drawn.lines) {
    if (!line.t.length || t < line.t[0] - DAY_MS) continue;
    const k = line.t.reduce((best, one, i) => Math.abs(one - t) < Math.abs(line.t[best] - t) ? i : best, 0);
    when ??= line.t[k];
    if (line.y[k] === null || line.t[k] !== when) continue; // a branch is not there yet, or was read at other times
    const {title} = drawn.series.find((one) => one.side === SIDES[line.place]);
    rows.push([SIDES[line.place], `${title}${line.branch ? `, ${line.branch}` : ""}: ${short(line.y[k])}${drawn.normal ? " %" : ` ${drawn.unit}`}`]);
  }
  if (when === null) return;
  const x = at.x(when), late = x > (at.left + at.right) / 2;
  svg.append(draw_("line", {class: "pointer", x1: x, x2: x, y1: at.top, y2: at.bottom}), draw_("text", {class: "pointer date", x: x + (late ? -6 : 6), y: at.bottom - 8 - 15 * rows.length, "text-anchor": late ? "end" : "start"}, new Date(when).toISOString().slice(0, 10)),
    ...rows.map(([side, words], k) => draw_("text", {class: `pointer ${side}`, x: x + (late ? -6 : 6), y: at.bottom - 8 - 15 * (rows.length - 1 - k), "text-anchor": late ? "end" : "start"}, words)));
}
byId("chart").addEventListener("pointermove", point);
byId("chart").addEventListener("pointerleave", () => { for (const old of byId("chart").querySelectorAll(".pointer")) old.remove(); });
