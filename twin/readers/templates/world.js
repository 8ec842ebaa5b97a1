// A view of the world that moves: people by community and by where they stand, and above them creators, sized by how far they are
// seen. Drawn on a canvas, since two thousand marks that move are too many for a tree of elements. Nothing is asked for while it is
// folded, hidden or out of sight.
"use strict";

const KINDS_ = ["human", "assisted", "ai"];
const MOVE_MS = 800, FRAME_GAP_MS = 38; // a move between two looks, and the least time between two of its frames
const MOVING = 2; // pages at most on which marks move while the run is at full speed
const PERSON = 2, CREATOR = [1.8, 15]; // radii in pixels
const SCALE = 1000; // positions are given in thousandths
const BINS = 40; // of where people stand, for how wide a community's swarm is there
const still_ = matchMedia("(prefers-reduced-motion: reduce)");
const swarm = {view: null, marks: new Map(), inSight: false, asking: false, makers: [], day: "", moving: 0, colours: null};

const folded = () => !byId("world").open;
function look(still) { // as soon as it is its turn
  if (folded() || !swarm.inSight || swarm.asking || document.hidden || !(swarm.view === null || still || looks.due())) return;
  if (over()) {
    if (!swarm.view) set("world-says", "The view of the world is for worlds that run: it is not kept in the run's folder.");
    return;
  }
  if (news.state === "building" || swarm.day === news.date) return;
  cameWorld(news.date);
}

async function cameWorld(day) {
  swarm.asking = true;
  try {
    const made = await (await ask("/world")).json();
    const began = performance.now();
    if (made.none) throw new Error(made.none);
    swarm.day = day;
    showWorld(made);
    looks.took(performance.now() - began);
  } catch (error) {
    if (error instanceof Refused) refused(error);
    else { looks.took(0); set("world-says", error.message); }
  } finally {
    swarm.asking = false;
  }
}

function showWorld(view) {
  swarm.view = view;
  set("world-says", view.says);
  byId("world-rows").hidden = false;
  byId("world-table").replaceChildren(make("thead", {}, make("tr", {}, ...view.head.map((text) => make("th", {scope: "col", text})))),
    make("tbody", {}, ...view.table.map(([name, ...rest]) => make("tr", {}, make("th", {scope: "row", text: name}), ...rest.map((text) => make("td", {text}))))));
  byId("swarm").setAttribute("aria-label", `People and creators by community and ${view.axis}`);
  placeWorld();
  moveWorld();
}

// ---- where everybody is
function part(id) { // the same for one mark at all times, in [0, 1): the last steps of MurmurHash3
  let mixed = Math.imul(id ^ id >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return ((mixed ^ mixed >>> 16) >>> 0) / 2 ** 32;
}
function ground() { // the picture's measures
  const canvas = byId("swarm"), width = canvas.clientWidth || canvas.parentElement.clientWidth, narrow = width < 560;
  const bands = swarm.view.communities.map((one) => one.band), tall = narrow ? 48 : 58, left = narrow ? 26 : 92, right = width - 16, top = 8;
  const low = swarm.view.axis === "opinion" ? -SCALE : 0;
  return {width, narrow, bands, tall, left, right, top, bottom: top + bands.length * tall, low, height: top + bands.length * tall + 46,
    x: (value) => left + 8 + (value - low) / (SCALE - low) * (right - left - 8), y: (band) => top + (bands.indexOf(band) + 0.5) * tall};
}

function placeWorld() { // targets of all marks; who comes begins at its place, who is gone shrinks away
  const at = ground(), {people, creators, axis} = swarm.view, there = new Set();
  swarm.at = at;
  const bin = (x) => Math.max(0, Math.min(BINS - 1, Math.floor((x - at.low) / (SCALE - at.low) * BINS)));
  const crowd = new Map(at.bands.map((band) => [band, new Float64Array(BINS)]));
  people.id.forEach((id, k) => { crowd.get(people.band[k])[bin(people.x[k])] += 1; });
  const most = Math.max(1, ...[...crowd.values()].map((one) => Math.max(...one)));
  const put = (key, to) => {
    there.add(key);
    const old = swarm.marks.get(key), from = old ? {x: old.x, y: old.y, r: old.r} : {x: to.x, y: to.y, r: 0};
    swarm.marks.set(key, {...from, from, to, kind: to.kind});
  };
  people.id.forEach((id, k) => {
    const wide = Math.sqrt(crowd.get(people.band[k])[bin(people.x[k])] / most);
    put(`p${id}`, {x: at.x(people.x[k]), y: at.y(people.band[k]) + (part(id) - 0.5) * at.tall * (0.12 + 0.8 * wide), r: PERSON, kind: -1});
  });
  const seenMost = Math.max(1, ...creators.seen), [least, span] = CREATOR;
  creators.id.forEach((id, k) => put(`c${id}`, {x: at.x(creators.x[k]), y: at.y(creators.band[k]) + (part(id) - 0.5) * at.tall * 0.7, r: Math.max(least, (at.narrow ? 0.7 : 1) * span * Math.sqrt(creators.seen[k] / seenMost)), kind: creators.kind[k]}));
  for (const [key, mark] of swarm.marks) if (!there.has(key)) Object.assign(mark, {from: {x: mark.x, y: mark.y, r: mark.r}, to: {x: mark.x, y: mark.y, r: 0}});
  swarm.makers = [...swarm.marks.values()].filter((mark) => mark.kind >= 0).sort((a, b) => b.to.r - a.to.r); // small ones over large ones
  Object.assign(byId("swarm").dataset, {marks: there.size, axis});
  KINDS_.forEach((name, kind) => { document.querySelector(`#world-key [data-mark="${name}"]`).parentElement.hidden = !creators.kind.includes(kind); });
}

// a move costs twenty times as much as a picture: where many pages share the processor of a run at full speed, marks jump
const jumps = () => still_.matches || document.hidden || news.state === "running" && news.pace === null && news.pages > MOVING;
function moveWorld() { // smoothly, unless somebody wants less motion
  const jump = jumps();
  cancelAnimationFrame(swarm.moving);
  const began = performance.now();
  let last = -Infinity, spent = 0;
  swarm.colours = null;
  const step = (now) => {
    const gone = jump || document.hidden ? 1 : Math.min(1, (now - began) / MOVE_MS), eased = gone * gone * (3 - 2 * gone);
    if (gone === 1 || now - last >= FRAME_GAP_MS) {
      const before = performance.now();
      last = now;
      for (const [key, mark] of swarm.marks) {
        for (const name of ["x", "y", "r"]) mark[name] = mark.from[name] + (mark.to[name] - mark.from[name]) * eased;
        if (gone === 1 && mark.to.r === 0) swarm.marks.delete(key);
      }
      paintWorld(false);
      spent += performance.now() - before;
    }
    if (gone < 1) swarm.moving = requestAnimationFrame(step); else looks.took(spent);
  };
  if (jump) step(began); else swarm.moving = requestAnimationFrame(step);
}

// ---- the picture
function coloursNow() { // read once for a move: it is the dearest part of a frame
  const colour = (name) => getComputedStyle(document.querySelector(`#world-key [data-mark="${name}"]`)).backgroundColor, style = getComputedStyle(byId("swarm"));
  const dot = make("canvas", {width: 16, height: 16}), brush = dot.getContext("2d"); // stamped, since so many discs take longer to fill
  brush.fillStyle = colour("people");
  brush.arc(8, 8, 8, 0, 2 * Math.PI);
  brush.fill();
  return {dot, kinds: KINDS_.map(colour), rim: getComputedStyle(document.querySelector("#world-key [data-mark=human]")).borderTopColor,
    soft: getComputedStyle(byId("world-says")).color, line: style.borderTopColor, font: `12px ${style.fontFamily}`};
}

function paintWorld(fresh = true) { // `fresh`: colours may be others than before
  if (!swarm.view || folded()) return;
  if (fresh || !swarm.colours) swarm.colours = coloursNow();
  const canvas = byId("swarm"), at = swarm.at, ratio = devicePixelRatio || 1, brush = canvas.getContext("2d"), {colours} = swarm;
  if (canvas.width !== Math.round(at.width * ratio) || canvas.height !== Math.round(at.height * ratio)) {
    canvas.style.height = `${at.height}px`;
    [canvas.width, canvas.height] = [Math.round(at.width * ratio), Math.round(at.height * ratio)];
  }
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, at.width, at.height);
  brush.font = colours.font;
  brush.textBaseline = "middle";
  brush.strokeStyle = colours.line;
  brush.fillStyle = colours.soft;
  at.bands.forEach((band, k) => {
    const y = at.top + k * at.tall, name = band === 8 && at.bands.length > 8 ? "further" : String(band + 1);
    if (k) { brush.beginPath(); brush.moveTo(8, y); brush.lineTo(at.right + 8, y); brush.stroke(); }
    brush.fillText(at.narrow ? name.slice(0, 3) : name === "further" ? "Further" : `Community ${name}`, 10, y + at.tall / 2);
  });
  const ends = swarm.view.axis === "opinion" ? ["−1", "0", "+1"] : ["0", "0.5", "1"], middle = (at.low + SCALE) / 2;
  [at.low, middle, SCALE].forEach((value, k) => {
    brush.beginPath(); brush.setLineDash(k === 1 ? [1, 3] : []); brush.moveTo(at.x(value), at.top); brush.lineTo(at.x(value), at.bottom); brush.stroke();
    brush.textAlign = ["left", "center", "right"][k];
    brush.fillText(ends[k], at.x(value), at.bottom + 13);
  });
  brush.textAlign = "center";
  brush.fillText(swarm.view.axis === "opinion" ? "Opinion; of creators, the slant of their posts" : "Satisfaction; of creators, morale", at.x(middle), at.bottom + 31);
  brush.setLineDash([]);
  brush.textAlign = "left";
  for (const mark of swarm.marks.values()) if (mark.kind < 0) brush.drawImage(colours.dot, mark.x - mark.r, mark.y - mark.r, 2 * mark.r, 2 * mark.r);
  brush.strokeStyle = colours.rim;
  brush.lineWidth = 0.8;
  const disc = (mark) => { brush.moveTo(mark.x + mark.r, mark.y); brush.arc(mark.x, mark.y, mark.r, 0, 2 * Math.PI); };
  const inOne = (marks, kind) => { brush.fillStyle = colours.kinds[kind]; brush.beginPath(); marks.forEach(disc); brush.fill(); brush.stroke(); };
  const large = swarm.makers.filter((mark) => mark.to.r > CREATOR[0]);
  brush.globalAlpha = 0.9;
  for (const mark of large) inOne([mark], mark.kind);
  brush.globalAlpha = 1;
  KINDS_.forEach((_, kind) => inOne(swarm.makers.filter((mark) => mark.to.r <= CREATOR[0] && mark.kind === kind), kind)); // over the large ones
  brush.lineWidth = 1;
}

new IntersectionObserver((entries) => { swarm.inSight = entries.at(-1).isIntersecting; refresh(); }).observe(byId("world"));
new ResizeObserver(() => {
  if (!swarm.view || folded() || !swarm.at || swarm.at.width === byId("swarm").clientWidth) return;
  placeWorld();
  for (const mark of swarm.marks.values()) Object.assign(mark, mark.to);
  paintWorld();
}).observe(byId("swarm"));
byId("world").open = localStorage.getItem("world") === "open";
byId("world").addEventListener("toggle", () => {
  localStorage.setItem("world", folded() ? "folded" : "open");
  if (!folded() && swarm.view) { placeWorld(); moveWorld(); }
  refresh();
});
