// Comparisons with replicates that the page began: how far each is, and what it found, in the words of the comparison itself.
"use strict";

const STANDINGS = ["established", "suggestive", "not distinguishable from noise", "untouched, to the last bit"];
const WHOSE = {producer: "Creators", consumer: "Consumers", platform: "Platform", chatbot: "Chatbots"};
const compareBoxes = new Map();
let compared = [];

function compareBox(name) {
  if (compareBoxes.has(name)) return compareBoxes.get(name);
  const remark = make("p", {class: "soft"}), found = make("div");
  compareBoxes.set(name, {...jobBox(name, "comparison", name, {before: [remark], after: [found]}), remark, found, shown: ""});
  return compareBoxes.get(name);
}

function showComparisons(list) {
  compared = list;
  byId("comparisons").hidden = !list.length;
  for (const one of list) {
    const mine = compareBox(one.name), done = one.state === "done";
    showJob(mine, one, `${one.says}, from ${one.from} on, in ${one.worlds} worlds`, done ? "" : one.state === "running" && one.progress || `${Math.floor(100 * one.share)} %`);
    mine.progress.hidden = done;
    mine.remark.textContent = one.remark;
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
