// What a user does: commands to the run, the panel of levers, and the keyboard. Last, the page begins.
"use strict";

// ---- commands to the run
async function command(body, where) {
  const out = byId(where);
  out.className = "";
  out.textContent = "…";
  try {
    const reply = await (await ask("/command", body)).json();
    if (reply.error) throw new Error(reply.error);
    out.textContent = reply.date ? `${reply.date}: ${reply.ok}` : reply.ok;
  } catch (error) {
    out.className = "bad";
    out.textContent = error.message;
  }
}

byId("pause").addEventListener("click", () => command({do: state === "paused" ? "continue" : "pause"}, "said"));
for (const button of document.querySelectorAll("#pace button")) {
  button.addEventListener("click", () => command({do: "pace", days_per_second: button.dataset.pace === "max" ? null : Number(button.dataset.pace)}, "said"));
}
const wide = matchMedia("(min-width: 861px)"); // there is room for the panel beside the charts
function panel(open) {
  byId("commands").hidden = !open;
  document.body.classList.toggle("panelled", open);
  byId("open-commands").setAttribute("aria-expanded", String(open));
  if (open && !wide.matches) scrollTo({top: byId("chart").getBoundingClientRect().top + scrollY - document.querySelector("header").offsetHeight - 4});
}
byId("open-commands").addEventListener("click", () => panel(byId("commands").hidden));
byId("close-commands").addEventListener("click", () => { panel(false); byId("open-commands").focus(); });
panel(wide.matches);

function show_(button) {
  tab = button.dataset.tab;
  for (const one of document.querySelectorAll("[data-tab]")) { one.setAttribute("aria-selected", String(one === button)); one.tabIndex = one === button ? 0 : -1; }
  for (const one of document.querySelectorAll("[data-panel]")) one.hidden = one.dataset.panel !== tab;
  byId("apply").hidden = byId("when-box").hidden = byId("compare-box").hidden = tab === "none";
}
const tabs = () => [...document.querySelectorAll("[data-tab]")].filter((one) => !one.hidden);
for (const button of document.querySelectorAll("[data-tab]")) button.addEventListener("click", () => show_(button));
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const by = {ArrowRight: 1, ArrowLeft: -1}[event.key], all = tabs();
  if (!by) return;
  event.preventDefault();
  event.stopPropagation(); // or the chart would take the step, too
  const next = all[(all.indexOf(event.target) + by + all.length) % all.length];
  next.focus();
  show_(next);
});

async function loadLevers() {
  const found = await (await ask("/levers")).json().catch(() => ({levers: [], ready: []}));
  const chosen = byId("lever").value;
  levers = found.levers;
  const groups = new Map();
  for (const lever of levers) {
    if (!groups.has(lever.mechanism)) groups.set(lever.mechanism, make("optgroup", {label: lever.mechanism}));
    groups.get(lever.mechanism).append(make("option", {value: lever.path, "data-value": lever.value, text: lever.path.slice(lever.mechanism.length + 1)}));
  }
  byId("lever").replaceChildren(...groups.values());
  if (levers.some((lever) => lever.path === chosen)) byId("lever").value = chosen;
  const file = byId("ready").value;
  ready = found.ready;
  byId("ready").replaceChildren(...ready.map(({name}) => make("option", {value: name, text: name.replaceAll("_", " ")})));
  if (ready.some(({name}) => name === file)) byId("ready").value = file;
  document.querySelector('[data-tab="ready"]').hidden = !ready.length;
  describeReady();
  if (byId("lever").value !== chosen || !byId("about").textContent) chooseLever(); else describeLever();
}

function describeReady() {
  const one = ready.find(({name}) => name === byId("ready").value);
  set("ready-says", one ? `${one.says}.` : "");
  byId("ready-sets").replaceChildren(...(one ? one.sets : []).map((text) => make("li", {text})));
  warnReady();
}
function warnReady() {
  const one = ready.find(({name}) => name === byId("ready").value);
  set("ready-idle", !one ? "" : one.idle ? "All of that is in force: applying it changes nothing." : tooLate(one.late));
}
byId("ready").addEventListener("change", describeReady);

function describeLever() {
  const lever = levers.find((one) => one.path === byId("lever").value);
  if (!lever) return;
  const range = lever.kind === "choice" ? "" : [lever.low && `from ${lever.low}`, lever.high && `to ${lever.high}`].filter(Boolean).join(" ");
  set("about", [`${lever.help[0].toUpperCase()}${lever.help.slice(1)}.`, `Now ${lever.value}${lever.unit ? ` ${lever.unit}` : ""}.`, range && `Range: ${range}.`].filter(Boolean).join(" "));
}

function chooseLever() {
  const lever = levers.find((one) => one.path === byId("lever").value);
  if (!lever) return;
  describeLever();
  const field = lever.kind === "choice" ? make("select", {id: "value"}, ...lever.choices.map((choice) => make("option", {value: choice, text: choice}))) :
    make("input", {id: "value", inputmode: lever.kind === "int" || lever.kind === "number" ? "decimal" : "text"});
  field.value = lever.kind === "choice" ? lever.choices.find((choice) => choice !== lever.value) || lever.value : lever.value;
  byId("value-box").replaceChildren(field);
  set("of", lever.of || "people");
  byId("share-of").disabled = !lever.of;
  if (!lever.of) byId("share-of").value = "";
  field.addEventListener("input", warnLever);
  warnLever();
}
// said before it is applied: what would change nothing
function warnLever() {
  const lever = levers.find((one) => one.path === byId("lever").value), given = byId("value").value.trim();
  const same = lever && (given === lever.value || (given !== "" && !isNaN(given) && Number(given) === Number(lever.value)));
  set("idle", !lever ? "" : lever.idle ? `It ${lever.idle}.` : same ? "This is its value now: applying it changes nothing." : tooLate(lever.late));
}
// a model that would take over after the last day
function tooLate(late) {
  const at = byId("when").value === "date" ? Date.parse(byId("at").value) : news.now;
  return late && at >= late.from ? late.words : "";
}
function warnAll() { warnLever(); warnReady(); }
byId("at").addEventListener("input", warnAll);
byId("lever").addEventListener("change", chooseLever);
// a hidden field does not count: a browser refuses to send a form with a wrong one, and cannot say so
byId("when").addEventListener("change", () => { byId("at-box").hidden = byId("at").disabled = byId("when").value === "now"; warnAll(); });

function policy() {
  if (tab === "lever") return {form: {lever: byId("lever").value, value: byId("value").value, name: byId("policy-name").value, share: byId("share-of").value}};
  if (tab === "ready") return {file: byId("ready").value};
  return tab === "yaml" ? {yaml: byId("yaml").value} : {};
}
const when = () => tab !== "none" && byId("when").value === "date" ? {at: byId("at").value} : {};
byId("form").addEventListener("submit", (event) => { event.preventDefault(); if (tab !== "none") command({do: "intervene", ...policy(), ...when()}, "reply"); });
byId("fork").addEventListener("click", () => command({do: "fork", branch: byId("branch").value, ...policy(), ...when()}, "reply"));
byId("compare").addEventListener("click", () => command({do: "compare", branch: byId("branch").value, worlds: byId("worlds").value, ...policy(), ...when()}, "reply"));

// ---- the keyboard
const help = byId("help");
byId("open-help").addEventListener("click", () => help.showModal());
byId("close-help").addEventListener("click", () => help.close());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return; // an open dialog closes by itself at Escape
  if (event.key === "Escape" && !byId("commands").hidden) {
    panel(false);
    byId("open-commands").focus();
    return;
  }
  const where = event.target.closest("input, select, textarea, button, summary, a");
  if (where && (event.key === " " || !where.matches("button, summary, a"))) return; // they have a meaning of their own for it
  const does = {" ": () => { if (!byId("pause").disabled) byId("pause").click(); }, "?": () => help.showModal(),
    ArrowRight: () => step(event.shiftKey ? "producer" : "consumer", 1), ArrowLeft: () => step(event.shiftKey ? "producer" : "consumer", -1)}[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

// ---- begin
async function begin() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname); // others may see the address bar
  }
  token = given || sessionStorage.getItem("token") || "";
  try {
    face(true, true); // does not wait for the rest
    const run = await (await ask("/run")).json();
    offer(run.choices, run.first);
    set("name", run.name);
    const days = (Date.parse(run.end) - Date.parse(run.start)) / 864e5;
    Object.assign(byId("ticks").dataset, {start: run.start, days});
    byId("at").max = run.end;
    for (const {side, title, lead, chapters: list} of run.sides) {
      const main = side === "producer" || side === "consumer";
      const empty = make("section", {class: "side"}, make("h2", {text: title}), ...main ? [make("p", {class: "soft", text: lead})] : [], make("div", {class: main ? "cards main" : "cards", id: `cards-${side}`}));
      empty.hidden = true;
      byId("glance").append(empty);
      if (!list.length) continue;
      const column = make("section", {class: "side"}, make("h3", {text: title}));
      byId("chapters").append(column);
      list.forEach((one, number) => addChapter(column, one, number === 0 && main));
    }
  } catch (error) {
    if (error instanceof Refused) return refused(error);
    show("lost");
    notice("The run cannot be reached; trying again.");
    setTimeout(begin, 1500);
    return;
  }
  await follow();
}
addEventListener("hashchange", () => { if (location.hash.includes("token=")) location.reload(); });
begin();
