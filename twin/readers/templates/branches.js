// Branches that run beside the run, what they do to the series that are drawn, and the report at the end.
"use strict";

const STATES = {queued: "waits for a processor", running: "running", stopping: "stopping", stopped: "stopped", done: "done", failed: "failed"};
const boxes = new Map();
let listed = [], report = null;
const branchNames = () => listed.map((branch) => branch.name);

// ---- what runs beside the run, branches and comparisons alike: a line with its name and state, and one with how far it is
function jobBox(name, kind, called, {swatch = [], before = [], after = []}) {
  const mine = {called, box: make("li", {[`data-${kind}`]: name}), says: make("span", {class: "soft"}), state: make("span", {class: "chip", role: "status"}), bar: make("div", {class: "bar-done"}), far: make("span", {class: "soft date"}), act: make("button", {type: "button"}),
    report: make("a", {target: "_blank", rel: "noopener", text: "Report", "aria-label": `Report of ${called}`}), error: make("p", {class: "bad"})};
  mine.progress = make("div", {class: "progress", role: "progressbar", "aria-label": `Part of ${called} that is done`, "aria-valuemin": 0, "aria-valuemax": 100}, mine.bar);
  mine.act.addEventListener("click", () => mine.act.dataset.do && command({do: mine.act.dataset.do, [kind]: name}, `${kind}-said`));
  mine.box.append(make("div", {class: "line"}, ...swatch, make("b", {text: name}), mine.says, mine.state), make("div", {class: "line"}, mine.progress, mine.far, mine.act, mine.report), ...before, mine.error, ...after);
  byId(`${kind}-list`).append(mine.box);
  return mine;
}

function showJob(mine, job, says, far) {
  mine.box.dataset.state = job.state;
  mine.says.textContent = says;
  mine.state.textContent = job.state === "queued" && job.before ? `${STATES.queued}, ${job.before} before it` : STATES[job.state];
  mine.bar.style.width = `${100 * job.share}%`;
  mine.progress.setAttribute("aria-valuenow", Math.floor(100 * job.share));
  mine.far.textContent = far;
  const alive = ["queued", "running"].includes(job.state), resumable = ["stopped", "failed"].includes(job.state);
  const stops = job.state === "stopping"; // the button stays, and with it the focus of a keyboard
  mine.act.hidden = !alive && !stops && !(resumable && !(over() && news.leaves));
  mine.act.dataset.do = alive ? "stop" : stops ? "" : "go";
  mine.act.setAttribute("aria-disabled", String(stops));
  mine.act.textContent = alive ? "Stop" : stops ? "Stopping" : "Continue";
  mine.act.setAttribute("aria-label", `${mine.act.textContent} ${mine.called}`);
  mine.report.hidden = job.state !== "done" || (over() && news.leaves);
  mine.report.href = `${news.reports}/${job.name}`;
  mine.error.textContent = job.error;
}

function branchBox(name) {
  if (boxes.has(name)) return boxes.get(name);
  const swatch = draw_("svg", {viewBox: "0 0 34 8", class: "swatch", "aria-hidden": "true"}), effects = make("ul", {class: "effects"});
  swatch.append(draw_("line", {x1: 0, x2: 34, y1: 4, y2: 4, "stroke-dasharray": dash(name)}));
  boxes.set(name, {...jobBox(name, "branch", `branch ${name}`, {swatch: [swatch], before: [effects]}), effects});
  return boxes.get(name);
}

function showBranches(list) {
  listed = list;
  byId("branches").hidden = !list.length;
  for (const branch of list) {
    const says = branch.says.replace(/[^A-Za-z0-9]+/g, "-") === branch.name ? "" : branch.says;
    showJob(branchBox(branch.name), branch, says, `${branch.date}, ${Math.floor(100 * branch.share)} %`);
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
