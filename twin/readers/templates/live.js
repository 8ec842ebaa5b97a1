// The live page. It lays out what the server says, always as text, hands readings to Bokeh's data sources, and sends commands.
"use strict";

const byId = (id) => document.getElementById(id);
const WORDS = {building: "building the world", running: "running", paused: "paused", done: "done", ended: "ended", lost: "connection lost", refused: "refused"};
const REDRAW_MS = 1500; // between two redrawings of a chapter, at least
const HURRY_MS = 10000; // for this long after a policy took effect, pictures are drawn again at once
const AHEAD = 0.02; // a picture is widened by this part of its span, since each time all of its chapter are drawn again
const chapters = [];
const cards = new Map();
let left = false, token = null, news = {}, state = "building", levers = [], ready = [], tab = "lever", inForceBefore = "";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) name === "text" ? element.textContent = value : element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function set(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

class Refused extends Error {}

async function ask(path, body) {
  const headers = {Authorization: `Bearer ${token}`};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {headers, method: body ? "POST" : "GET", body: body && JSON.stringify(body), cache: "no-store", referrerPolicy: "no-referrer"});
  if (answer.ok) return answer;
  const {error} = await answer.json().catch(() => ({error: `the server answered ${answer.status}`}));
  throw answer.status === 401 || answer.status === 403 ? new Refused(error) : new Error(error);
}

// ---- what drawing costs: a run without a pace limit grants all open pages together SHARE of a processor's time, of which each
// takes OPEN for being open, drawn or not; a run that is paused or paced has time to spare
const SHARE = 1 / 30, OPEN = 1 / 400, LEAST = SHARE / 4, SPARE = 8;
const FRAME_MS = 3000; // a frame that has not come by then does not come: the page was hidden meanwhile
const BESIDE = 2; // of the time measured here: collection of garbage, raster and compositing go on in threads of their own
class Turn { // one kind of work: it waits in proportion to how long it took the last time and to how many pages are open
  constructor(part, leastMs, mostMs) { Object.assign(this, {part, leastMs, mostMs, cost: 0, ended: -Infinity}); }
  period() {
    const spare = news.state !== "running" || news.pace !== null ? SPARE : 1, pages = news.pages || 1;
    const share = Math.max(LEAST, SHARE - OPEN * pages) * this.part * spare;
    return Math.min(this.mostMs, Math.max(this.leastMs, BESIDE * this.cost * (pages / share - 1)));
  }
  wait() { return this.ended + this.period() - performance.now(); }
  due() { return this.wait() <= 0; }
  took(ms) { this.cost = this.cost ? (this.cost + ms) / 2 : ms; this.ended = performance.now(); }
  async painted(began) { // with what the browser does after the script
    const script = performance.now() - began;
    this.took(script);
    if (document.hidden) return; // no frame comes
    const frame = await new Promise((resolve) => {
      const come = () => { clearTimeout(late); resolve(performance.now()); }, late = setTimeout(come, FRAME_MS);
      requestAnimationFrame(come);
    });
    await new Promise((resolve) => setTimeout(resolve));
    this.cost = Math.max(this.cost, script + performance.now() - frame);
    this.ended = performance.now();
  }
}
const numbers = new Turn(0.2, 250, 12000), faces = new Turn(0.15, 250, 20000), lines = new Turn(0.4, 250, 90000), redraws = new Turn(0.25, REDRAW_MS, 240000), looks = new Turn(0.15, 1000, 240000);
let alarm = 0, shown = null, waiting = {}, hurried = -Infinity, marked = 0;

// ---- theme
const wanted = matchMedia("(prefers-color-scheme: dark)");
const theme = () => document.documentElement.dataset.theme || (wanted.matches ? "dark" : "light");
function redress() { // the library's pictures have their colours in them
  paintWorld();
  hurried = performance.now(); for (const chapter of chapters) { chapter.edition = -1; chapter.loaded = -Infinity; }
  refresh();
}
if (["light", "dark"].includes(localStorage.getItem("theme"))) document.documentElement.dataset.theme = localStorage.getItem("theme");
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme());
  redress();
});
wanted.addEventListener("change", redress);

// ---- head
function show(next) {
  state = next;
  document.body.dataset.state = next;
  set("state", WORDS[next] || next);
  const alive = next === "running" || next === "paused";
  for (const button of document.querySelectorAll("#pause, #pace button, #apply, #fork, #compare")) button.disabled = !alive;
  if (over()) ended();
  set("pause", next === "paused" ? "Continue" : "Pause");
}

function notice(text) {
  byId("notice").hidden = !text;
  set("notice", text);
}

function head(message) {
  show(message.state);
  notice(message.ended);
  set("date", message.date);
  set("day", message.day);
  set("sessions", message.sessions);
  set("left", message.left);
  if (message.compared) { set("last", message.compared[0]); set("baseline", message.compared[1]); }
  set("share", `${Math.floor(100 * message.share)} %`);
  const bar = byId("progress");
  bar.style.width = `${100 * message.share}%`;
  bar.setAttribute("aria-valuenow", Math.floor(100 * message.share));
  document.title = `${message.date} · ${byId("name").textContent}`;
  byId("at").min = message.date;
  const pace = message.pace === null ? "max" : String(message.pace);
  for (const button of document.querySelectorAll("#pace button")) button.setAttribute("aria-pressed", String(button.dataset.pace === pace));
  set("pace-now", message.pace === null || [1, 7, 30].includes(message.pace) ? "days/s" : `days/s, now ${pace}`);
  const inForce = JSON.stringify(message.in_force);
  if (inForce !== inForceBefore) { inForceBefore = inForce; loadLevers(); } else warnAll(); // what acts now may be too late tomorrow
}

// ---- both sides at a glance
function glance(list) {
  for (const card of list) {
    let mine = cards.get(card.key);
    if (!mine) {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", "0 0 150 36"); svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("aria-hidden", "true");
      svg.append(line);
      mine = {value: make("span"), change: make("span"), line, box: make("button", {type: "button", class: "card", title: card.help, "data-card": card.key})};
      mine.box.append(make("span", {class: "name", text: card.title}), make("span", {class: "value"}, mine.value), make("span", {class: "change"}, mine.change, " ", make("small", {text: card.unit})), svg);
      mine.box.addEventListener("click", () => { choose(card.side === "producer" ? "producer" : "consumer", card.key); byId("face").scrollIntoView({block: "nearest"}); });
      byId(`cards-${card.side}`).append(mine.box);
      byId(`cards-${card.side}`).parentElement.hidden = false;
      cards.set(card.key, mine);
    }
    mine.value.textContent = card.value;
    mine.change.textContent = card.change;
    mine.change.className = card.tone;
    mine.line.setAttribute("points", card.spark);
  }
}

function happened(list) {
  byId("events").hidden = !list.length;
  const policies = list.filter((event) => event.number), others = list.filter((event) => !event.number);
  byId("policies").replaceChildren(...policies.map((event) => make("li", {}, make("b", {text: event.number}), make("span", {text: event.date}), event.text)));
  byId("others").hidden = !others.length;
  byId("happenings").replaceChildren(...others.reverse().map((event) => make("li", {text: `${event.date}  ${event.kind}: ${event.text}`})));
  const {start, days} = byId("ticks").dataset;
  byId("ticks").replaceChildren(...policies.map((event) => {
    const tick = make("i", {title: event.text});
    tick.style.left = `${Math.min(100, (Date.parse(`${event.date.replace(" ", "T")}Z`) - Date.parse(start)) / 864e5 / days * 100)}%`;
    return tick;
  }));
}

// ---- chapters: figures exist only while they are in view
const watching = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) {
    for (const one of chapters) {
      if (one.details === target) one.seen = isIntersecting;
      const came = one.pictures.find((picture) => picture.box === target);
      if (!came) continue;
      came.seen = isIntersecting;
      if (isIntersecting && one.edition >= 0) grow(one); // a picture that comes into view is brought up to date
    }
  }
  refresh();
}, {rootMargin: "60px"});

function addChapter(column, {id, heading}, open) {
  const box = make("div", {class: "box"}), details = make("details", {class: "chapter", "data-chapter": id}, make("summary", {text: heading}), box);
  details.open = open;
  details.addEventListener("toggle", refresh);
  column.append(details);
  chapters.push({id, box, details, seen: false, edition: -1, loaded: -Infinity, pictures: [], manager: null, busy: false});
  watching.observe(details);
}

function forget(chapter) { // Bokeh keeps every document that it was given
  const old = chapter.pictures.length && chapter.pictures[0].figure.document;
  if (!old) return;
  chapter.manager.clear();
  old.clear();
  Bokeh.documents.splice(Bokeh.documents.indexOf(old), 1);
}

let library = null; // the large chart does not need it, so it comes when a chapter is first looked at
function bokeh() {
  library ??= new Promise((resolve, reject) => {
    const script = make("script", {src: "/bokeh.js"});
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => { library = null; reject(new Error("bokeh.js did not come")); });
    document.head.append(script);
  });
  return library;
}

async function draw(chapter) {
  chapter.busy = true;
  try {
    await bokeh();
    const text = await (await ask(`/chapter/${chapter.id}?theme=${theme()}`)).text();
    const began = performance.now(), made = JSON.parse(text);
    const grid = make("div", {class: "grid fresh"});
    const serial = `${chapter.id}-${performance.now()}`, roots = {};
    for (const picture of made.pictures) {
      roots[picture.root] = `${serial}-${picture.key}`;
      grid.append(make("figure", {"data-picture": picture.key}, make("div", {class: "t", text: picture.title}),
        make("div", {class: "plot", id: roots[picture.root]}), make("figcaption", {text: picture.help})));
    }
    chapter.box.append(grid);
    let manager = null;
    if (made.pictures.length) {
      [manager] = await Bokeh.embed.embed_items({[serial]: made.document}, [{docid: serial, roots, root_ids: Object.keys(roots)}]);
    }
    const quiet = make("p", {class: "soft quiet", text: made.quiet ? `Listed, not drawn so far. ${made.quiet}` : ""});
    for (const old of chapter.box.querySelectorAll("figure")) watching.unobserve(old);
    for (const old of [...chapter.box.children]) if (old !== grid) old.remove();
    forget(chapter);
    grid.classList.remove("fresh");
    if (made.quiet) chapter.box.append(quiet);
    Object.assign(chapter, {manager, edition: made.edition, loaded: performance.now(), pictures: made.pictures.map((picture, i) => ({
      ...picture, figure: manager.get_by_id(picture.root).model, taken: made.taken, seen: true, box: grid.children[i]}))});
    chapter.end = (chapter.pictures.find((picture) => picture.lines) || {figure: {x_range: {}}}).figure.x_range.end;
    for (const picture of chapter.pictures) watching.observe(picture.box);
    await redraws.painted(began);
  } catch (error) {
    if (error instanceof Refused) refused(error); else chapter.loaded = performance.now();
    return;
  } finally {
    chapter.busy = false;
  }
  await grow(chapter, true); // by what came since the chapter was made
}

function extend({figure, lines, bins, curves, key, taken}, made) { // a picture, by the readings that came since
  const first = made.numbers.findIndex((number) => number > taken);
  if (first >= 0 && lines) {
    const data = {t: made.times.slice(first)};
    for (const line of lines) {
      const values = made.columns[line.row].slice(first).map((value) => value ?? NaN);
      data[line.column] = values;
      if (line.error !== null) {
        const error = made.columns[line.error].slice(first).map((value) => 2 * (value ?? NaN));
        data[`low${line.place}`] = values.map((value, i) => value - error[i]);
        data[`high${line.place}`] = values.map((value, i) => value + error[i]);
      }
    }
    figure.renderers[0].data_source.stream(data);
  }
  for (const {source, row} of first >= 0 && bins || []) {
    const source_ = figure.renderers.map((drawn) => drawn.data_source).find((one) => one.name === source);
    const counts = made.bins[row].map((value) => value ?? 0), total = counts.reduce((a, b) => a + b, 0) || 1;
    source_.data = {...source_.data, y: counts.map((value) => value / total)};
  }
  for (const name of first >= 0 && curves || []) {
    const source = figure.renderers.map((drawn) => drawn.data_source).find((one) => one.name === name);
    if (made.curves[name]) source.data = {...source.data, y: made.curves[name]};
  }
  if (lines && made.ranges[key]) {
    const [start, end] = made.ranges[key];
    if (figure.y_range.start !== start || figure.y_range.end !== end) figure.y_range.setv({start, end});
  }
}

async function grow(chapter, all = false) { // what is looked at, or all
  const behind = chapter.pictures.filter((picture) => (picture.seen || all) && picture.taken < news.taken);
  if (!behind.length || chapter.busy) return;
  chapter.busy = true;
  try {
    const text = await (await ask(`/readings/${chapter.id}?since=${Math.min(...behind.map((picture) => picture.taken))}`)).text();
    const began = performance.now(), made = JSON.parse(text);
    for (const picture of behind) { extend(picture, made); picture.taken = Math.max(picture.taken, made.numbers.at(-1) ?? 0); }
    const over = chapter.pictures.find((picture) => picture.lines);
    if (over && news.now > chapter.end && over.figure.x_range.end === chapter.end) { // unless somebody has zoomed
      const {start} = over.figure.x_range;
      over.figure.x_range.end = chapter.end = news.now + AHEAD * (news.now - start);
    }
    await lines.painted(began);
  } catch (error) {
    if (error instanceof Refused) refused(error); else lines.took(0);
  } finally {
    chapter.busy = false;
  }
}

function refresh() {
  if (document.hidden || state === "refused" || !news.state) return;
  display();
  if (left) return; // nobody answers any more
  const began = performance.now(), still = news.state !== "running", grows = still || lines.due(), every = Math.round(lines.period() / 1000);
  set("every", !still && every > 5 ? `Pictures are updated about every ${every} s${news.pages > 1 ? `, because ${news.pages} pages are open` : ""}. While the run is paused they are up to date.` : "");
  face(still);
  look(still);
  const soon = still || began - hurried < HURRY_MS;
  for (const chapter of chapters) {
    if (!chapter.details.open || !chapter.seen || chapter.busy) continue;
    const old = chapter.edition !== news.edition, first = !chapter.pictures.length && old;
    if (first ? began - chapter.loaded > REDRAW_MS * (news.pages || 1) : old && began - chapter.loaded > REDRAW_MS && (soon || redraws.due())) draw(chapter);
    else if (chapter.edition >= 0 && grows) grow(chapter);
  }
  clearTimeout(alarm); // what is not due now is later, though no message may come
  alarm = setTimeout(refresh, Math.max(100, Math.min(...[numbers, faces, lines, redraws, looks].map((turn) => turn.wait()).filter((ms) => ms > 0), 5000)));
}
document.addEventListener("visibilitychange", refresh);

// ---- the stream: a message is kept and shown when it is its turn; hidden pages draw nothing
function take(message) {
  if (message.restart) throw new Error("too far behind");
  news = message;
  if (message.cards) waiting.cards = message.cards;
  if (message.events) waiting.events = message.events;
  if (message.branches) waiting.branches = message.branches;
  if (message.comparisons) waiting.comparisons = message.comparisons;
  refresh();
}

function display() { // the head and the cards; a change of state or an event at once
  if (shown === news || document.hidden || !(news.state !== state || waiting.events || waiting.branches || waiting.comparisons || numbers.due())) return;
  const began = performance.now();
  head(shown = news);
  if (waiting.cards) glance(waiting.cards);
  if (waiting.events) {
    happened(waiting.events);
    const policies = waiting.events.filter((event) => event.number).length;
    if (policies !== marked) { marked = policies; hurried = began; }
  }
  if (waiting.branches) showBranches(waiting.branches);
  if (waiting.comparisons) showComparisons(waiting.comparisons);
  waiting = {};
  numbers.painted(began);
}

const over = () => news.state === "done" || news.state === "ended";
async function complete(chapter) { // to the last reading, in view or not
  while (chapter.busy) await new Promise((resolve) => setTimeout(resolve, 20));
  await (chapter.edition === news.edition ? grow(chapter, true) : draw(chapter));
}

function refused(error) {
  show("refused");
  notice(error.message);
}

async function follow() {
  while (true) {
    try {
      const reader = (await ask("/stream")).body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      while (true) {
        const {value, done} = await reader.read();
        if (done) break;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) take(JSON.parse(line));
        if (over() && news.leaves && !news.going) { // the server waits for that
          await Promise.all([keepReport(), face(true, true), ...chapters.filter((chapter) => chapter.details.open).map(complete)]);
          left = true; // nobody answers any more
          await reader.cancel();
          break;
        }
      }
    } catch (error) {
      if (error instanceof Refused) return refused(error);
    }
    if (over()) {
      news = {...news, leaves: true};
      left = true;
      return ended();
    }
    shown = news;
    show("lost");
    notice("The connection to the run is lost; trying again.");
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
}

