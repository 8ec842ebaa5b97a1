// Comparisons with replicates that the page began: how far each is, and what it found, in the words of the comparison itself.
"use strict";

const STANDINGS = ["established", "suggestive", "not distinguishable from noise", "untouched, to the last bit"];
const WHOSE = {producer: "Creators", consumer: "Consumers", platform: "Platform", chatbot: "Chatbots"};
const compareBoxes = new Map();
let compared = [];

function compareBox(name) {
  if (compareBoxes.has(name)) return compareBoxes.get(name);
  const mine = {box: make("li", {"data-comparison": name}), says: make("span", {class: "soft"}), state: make("span", {class: "chip", role: "status"}), bar: make("div", {class: "bar-done"}), far: make("span", {class: "soft date"}), act: make("button", {type: "button"}),
    report: make("a", {target: "_blank", rel: "noopener", text: "Report", "aria-label": `Report of ${name}`}), found: make("div"), remark: make("p", {class: "soft"}), error: make("p", {class: "bad"}), shown: ""};
  mine.progress = make("div", {class: "progress", role: "progressbar", "aria-label": `Part of ${name} that is done`, "aria-valuemin": 0, "aria-valuemax": 100}, mine.bar);
  mine.act.addEventListener("click", () => mine.act.dataset.do && command({do: mine.act.dataset.do, comparison: name}, "comparison-said"));
  mine.box.append(make("div", {class: "line"}, make("b", {text: name}), mine.says, mine.state), make("div", {class: "line"}, mine.progress, mine.far, mine.act, mine.report), mine.remark, mine.error, mine.found);
  byId("comparison-list").append(mine.box);
  compareBoxes.set(name, mine);
  return mine;
}

function showComparisons(list) {
  compared = list;
  byId("comparisons").hidden = !list.length;
  for (const one of list) {
    const mine = compareBox(one.name), percent = Math.floor(100 * one.share);
    mine.box.dataset.state = one.state;
    mine.says.textContent = `${one.says}, from ${one.from} on, in ${one.worlds} worlds`;
    mine.state.textContent = one.state === "queued" && one.before ? `${STATES.queued}, ${one.before} before it` : STATES[one.state];
    mine.bar.style.width = `${100 * one.share}%`;
    mine.progress.setAttribute("aria-valuenow", percent);
    mine.progress.hidden = one.state === "done";
    mine.far.textContent = one.state === "done" ? "" : one.state === "running" && one.progress || `${percent} %`;
    const alive = ["queued", "running"].includes(one.state), resumable = ["stopped", "failed"].includes(one.state);
    const stops = one.state === "stopping"; // the button stays, and with it the focus of a keyboard
    mine.act.hidden = !alive && !stops && !(resumable && !(over() && news.leaves));
    mine.act.dataset.do = alive ? "stop" : stops ? "" : "go";
    mine.act.setAttribute("aria-disabled", String(stops));
    mine.act.textContent = alive ? "Stop" : stops ? "Stopping" : "Continue";
    mine.act.setAttribute("aria-label", `${mine.act.textContent} ${one.name}`);
    mine.report.hidden = one.state !== "done" || (over() && news.leaves);
    mine.report.href = `${news.reports}/${one.name}`;
    mine.remark.textContent = one.remark;
    mine.error.textContent = one.error;
    const found = JSON.stringify(one.found);
    if (found !== mine.shown) { // else whoever reads it would lose the place
      mine.shown = found;
      mine.found.replaceChildren(...one.found.map((each) => result(each, one)));
    }
  }
}

function result({lead, note, rows}, one) { // by how sure it is, surest first
  const table = make("table", {class: "found"}, make("caption", {class: "aside", text: `What ${one.says} does`}));
  for (const standing of STANDINGS) {
    const mine = rows.filter((row) => row.standing === standing);
    if (!mine.length) continue;
    table.append(make("tbody", {"data-standing": standing}, make("tr", {}, make("th", {colspan: 3, scope: "rowgroup", text: `${standing[0].toUpperCase()}${standing.slice(1)}`})), ...mine.map((row) => make("tr", {},
      make("th", {scope: "row"}, make("span", {class: `dot ${row.side}`, "aria-hidden": "true"}), make("span", {class: "aside", text: `${WHOSE[row.side]}: `}), row.title),
      make("td", {text: `${row.before} → ${row.after}`}),
      make("td", {}, make("span", {class: "change"}, make("b", {class: row.tone, text: row.change}), ` ${row.interval}`), row.note ? ` (${row.note})` : "")))));
  }
  const box = make("details", {}, make("summary", {text: lead}), table, make("p", {class: "soft", text: note}), make("p", {class: "soft"}, "The same in a terminal: ", make("code", {text: one.command})));
  box.open = true;
  return box;
}
