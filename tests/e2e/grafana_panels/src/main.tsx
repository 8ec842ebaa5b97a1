// Draws one dashboard: ?dashboard=UID, theme=light|dark, interval=LEAST, var-NAME=VALUE, from=, to=.
import {
  createTheme,
  dateTimeParse,
  rangeUtil,
  setTimeZoneResolver,
  ThemeContext,
  type GrafanaTheme2,
  type TimeRange,
} from "@grafana/data";
import { GlobalStyles } from "@grafana/ui";
import { useCallback, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";
import { drawing, words, type PanelFacts } from "./facts";
import { leastInterval, MarkList, readMarks } from "./marks";
import type { Dashboard, Panel } from "./model";
import { PanelView, type Around } from "./panel";
import { builtin, Variables } from "./variables";

const CELL = 30;
const GAP = 8;
const COLUMNS = 24;
const EDGE = 16;

/** Panels in the order of the page; a collapsed row is opened, and what is below moves down. */
function unfolded(panels: Panel[]): Panel[] {
  let below = 0;
  return [...panels]
    .sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)
    .flatMap((panel) => {
      const moved = { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + below } };
      if (panel.type !== "row" || !panel.collapsed || !panel.panels?.length) {
        return [moved];
      }
      const first = Math.min(...panel.panels.map(({ gridPos }) => gridPos.y));
      const height = Math.max(...panel.panels.map(({ gridPos }) => gridPos.y + gridPos.h)) - first;
      const inside = panel.panels.map((each) => ({
        ...each,
        gridPos: { ...each.gridPos, y: each.gridPos.y - first + moved.gridPos.y + 1 },
      }));
      below += height;
      return [moved, ...inside];
    });
}

function place({ x, y, w, h }: Panel["gridPos"], width: number) {
  const column = (width - GAP * (COLUMNS - 1)) / COLUMNS;
  return {
    left: Math.round(x * (column + GAP)),
    top: y * (CELL + GAP),
    width: Math.round(w * column + (w - 1) * GAP),
    height: h * CELL + (h - 1) * GAP,
  };
}

function Page({ dashboard, around, width }: { dashboard: Dashboard; around: Around; width: number }) {
  const { theme, variables } = around;
  const panels = unfolded(dashboard.panels);
  const drawable = panels.filter(({ type }) => type !== "row");
  const bottom = Math.max(...panels.map(({ gridPos: { y, h } }) => (y + h) * (CELL + GAP)));
  const done = useCallback((facts: PanelFacts) => {
    if (!drawing.panels.includes(facts)) {
      drawing.panels.push(facts);
    }
    drawing.done = drawing.panels.length === drawable.length;
  }, []);
  return (
    <div style={{ padding: EDGE, background: theme.colors.background.canvas, minHeight: "100vh" }}>
      <h1 style={{ fontSize: 22, margin: "0 0 4px" }}>{dashboard.title}</h1>
      {dashboard.description && (
        <p style={{ color: theme.colors.text.secondary, margin: "0 0 8px", maxWidth: 1100 }}>{dashboard.description}</p>
      )}
      <div style={{ display: "flex", flexWrap: "wrap", gap: 12, paddingBottom: 8, fontSize: 12 }}>
        {variables.shown().map(([variable, value]) => (
          <span key={variable.name} style={{ display: "flex", border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2 }}>
            <span style={{ background: theme.colors.background.secondary, padding: "2px 8px", color: theme.colors.text.secondary }}>
              {variable.label || variable.name}
            </span>
            <span style={{ padding: "2px 8px" }}>{value}</span>
          </span>
        ))}
      </div>
      <MarkList marks={around.marks} theme={theme} timeZone={around.timeZone} />
      <div style={{ position: "relative", height: bottom }}>
        {panels.map((panel) => {
          const at = place(panel.gridPos, width);
          return (
            <div key={`${panel.type}-${panel.id}`} style={{ position: "absolute", ...at }} data-panel={panel.id}>
              {panel.type === "row" ? (
                <h2 style={{ fontSize: 16, margin: 0, lineHeight: `${CELL}px` }}>{variables.replace(panel.title ?? "", "text")}</h2>
              ) : (
                <PanelView panel={panel} width={at.width} height={at.height} around={around} done={done} />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function moment(text: string) {
  return /^\d+$/.test(text) ? dateTimeParse(Number(text), { timeZone: "utc" }) : text;
}

async function prepared(query: URLSearchParams, theme: GrafanaTheme2): Promise<{ dashboard: Dashboard; around: Around }> {
  const response = await fetch(`api/dashboards/uid/${encodeURIComponent(query.get("dashboard") ?? "")}`);
  if (!response.ok) {
    throw new Error(`no dashboard ${query.get("dashboard")}`);
  }
  const { dashboard } = (await response.json()) as { dashboard: Dashboard };
  const timeZone = dashboard.timezone === "browser" || !dashboard.timezone ? "browser" : dashboard.timezone;
  setTimeZoneResolver(() => timeZone);
  const range: TimeRange = rangeUtil.convertRawToRange(
    { from: moment(query.get("from") ?? dashboard.time?.from ?? "now-6h"), to: moment(query.get("to") ?? dashboard.time?.to ?? "now") },
    timeZone,
  );
  const least = leastInterval(query.get("interval"));
  const variables = new Variables(builtin(range, 0, least));
  await variables.read(dashboard.templating?.list ?? [], range, query);
  drawing.variables = variables.facts();
  const marks = await readMarks(dashboard.annotations?.list ?? [], range, least, variables, theme);
  drawing.marks = marks.map(({ time, text }) => ({ time, text }));
  return { dashboard, around: { range, timeZone, least, theme, variables, marks } };
}

function App({ query, theme }: { query: URLSearchParams; theme: GrafanaTheme2 }) {
  const [ready, setReady] = useState<{ dashboard: Dashboard; around: Around }>();
  useEffect(() => {
    prepared(query, theme)
      .then(setReady)
      .catch((error) => {
        drawing.problems.push(words(error));
        drawing.done = true;
      });
  }, []);
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {ready && <Page {...ready} width={document.documentElement.clientWidth - 2 * EDGE} />}
    </ThemeContext.Provider>
  );
}

window.addEventListener("error", (event) => drawing.problems.push(event.message));
window.addEventListener("unhandledrejection", (event) => drawing.problems.push(words(event.reason)));
const query = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: query.get("theme") === "dark" ? "dark" : "light" } });
createRoot(document.getElementById("root")!).render(<App query={query} theme={theme} />);
