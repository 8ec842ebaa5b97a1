// Branches that run beside the run, what they do to the series that are drawn, and the report at the end.
"use strict";

const STATES = {queued: "waits for a processor", running: "running", stopping: "stopping", stopped: "stopped", done: "done", failed: "failed"};
const boxes = new Map();
let listed = [], report = null;
const branchNames = () => listed.map((branch) => branch.name);

function branchBox(name) {
  if (boxes.has(name)) return boxes.get(name);
  const mine = {box: make("li", {"data-branch": name}), says: make("span", {class: "soft"}), state: make("span", {class: "chip", role: "status"}), bar: make("div", {class: "bar-done"}), date: make("span", {class: "soft date"}), effects: make("ul", {class: "effects"}), error: make("p", {class: "bad"}),
    act: make("button", {type: "button"}), report: make("a", {target: "_blank", rel: "noopener", text: "Report"})};
  const swatch = draw_("svg", {viewBox: "0 0 34 8", class: "swatch", "aria-hidden": "true"});
  swatch.append(draw_("line", {x1: 0, x2: 34, y1: 4, y2: 4, "stroke-dasharray": dash(name)}));
  mine.progress = make("div", {class: "progress", role: "progressbar", "aria-label": `Part of branch ${name} that is done`, "aria-valuemin": 0, "aria-valuemax": 100}, mine.bar);
  mine.act.addEventListener("click", () => mine.act.dataset.do && command({do: mine.act.dataset.do, branch: name}, "branch-said"));
  mine.box.append(make("div", {class: "line"}, swatch, make("b", {text: name}), mine.says, mine.state), make("div", {class: "line"}, mine.progress, mine.date, mine.act, mine.report), mine.effects, mine.error);
  byId("branch-list").append(mine.box);
  boxes.set(name, mine);
  return mine;
}

function showBranches(list) {
  listed = list;
  byId("branches").hidden = !list.length;
  for (const branch of list) {
    const mine = branchBox(branch.name), percent = Math.floor(100 * branch.share);
    mine.box.dataset.state = branch.state;
    mine.says.textContent = branch.says.replace(/[^A-Za-z0-9]+/g, "-") === branch.name ? "" : branch.says;
    mine.state.textContent = branch.state === "queued" && branch.before ? `${STATES.queued}, ${branch.before} before it` : STATES[branch.state];
    mine.bar.style.width = `${100 * branch.share}%`;
    mine.progress.setAttribute("aria-valuenow", percent);
    mine.date.textContent = `${branch.date}, ${percent} %`;
    const alive = ["queued", "running"].includes(branch.state), resumable = ["stopped", "failed"].includes(branch.state);
    const stops = branch.state === "stopping"; // the button stays, and with it the focus of a keyboard
    mine.act.hidden = !alive && !stops && !(resumable && !(over() && news.leaves));
    mine.act.dataset.do = alive ? "stop" : stops ? "" : "go";
    mine.act.setAttribute("aria-disabled", String(stops));
    mine.act.textContent = alive ? "Stop" : stops ? "Stopping" : "Continue";
    mine.act.setAttribute("aria-label", `${mine.act.textContent} branch ${branch.name}`);
    mine.report.hidden = branch.state !== "done" || (over() && news.leaves);
    mine.report.href = `${news.reports}/${branch.name}`;
    mine.report.setAttribute("aria-label", `Report of branch ${branch.name}`);
    mine.error.textContent = branch.error;
  }
  if (drawn) showEffects(drawn.says);
}

function showEffects(says) { // what each branch does to what is drawn
  for (const name of branchNames()) {
    const mine = says.filter((one) => one.branch === name);
    boxes.get(name).effects.replaceChildren(...mine.map((one) => make("li", {},
      make("span", {class: `dot ${SIDES[one.place]}`, "aria-hidden": "true"}), `${one.title}: ${one.branch_value}, in this run ${one.run_value} `, make("b", {text: `(${one.change})`}))));
  }
}

// ---- the report
function ended() {
  showBranches(listed);
  showComparisons(compared);
  const there = news.state === "done" && news.report;
  byId("report-box").hidden = !there;
  if (!there) return;
  byId("open-report").hidden = news.leaves;
  byId("open-report").href = news.report;
  if (!left && !keeping) keepReport(); // while branches go on: at their end there may be little time
}

let keeping = null;
async function keepReport() { // before the server goes: it can be saved then, too
  if (!news.report || report) return;
  keeping ??= fetch(news.report, {cache: "no-store"}).then((answer) => answer.ok ? answer.blob() : null).catch(() => null);
  report = await keeping;
  keeping = null;
}

byId("save-report").addEventListener("click", async () => {
  await keepReport();
  if (!report) return notice("The report cannot be had from here any more: it is report.html in the run's folder.");
  const link = make("a", {href: URL.createObjectURL(report), download: `${byId("name").textContent.replace(/[^\w-]+/g, "-")}-report.html`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
