// Policy marks: the dashboard's annotations, found as Grafana finds them, drawn over a graph as vertical lines with numbers.
import type { GrafanaTheme2, TimeRange } from "@grafana/data";
import { rangeUtil } from "@grafana/data";
import type { UPlotConfigBuilder } from "@grafana/ui";
import type { Annotation } from "./model";
import { range, stepOf } from "./prometheus";
import { builtin, type Variables } from "./variables";

export interface Mark {
  time: number;
  end: number;
  text: string;
  color: string;
}

interface Stored {
  time: number;
  timeEnd?: number;
  text: string;
  title?: string;
}

function filled(text: string, labels: Record<string, string>): string {
  return text.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? "").trim();
}

/** What a query finds: every series, wherever it is above zero; neighbouring points are one mark. */
async function queried(
  annotation: Annotation,
  expr: string,
  over: TimeRange,
  least: string,
  variables: Variables,
  color: string,
): Promise<Mark[]> {
  const step = stepOf(over, 10000, annotation.step || least);
  const found = await range(variables.with(builtin(over, step.ms, least)).replace(expr, "query"), over, step.seconds);
  return found.flatMap(({ metric, values }) => {
    const texts = [annotation.titleFormat, annotation.textFormat].map((each) => filled(each ?? "", metric));
    const text = texts.filter(Boolean).join(": ") || annotation.name;
    const byValue = annotation.useValueForTime === true || annotation.useValueForTime === "on";
    const times = byValue
      ? [...new Set(values.map(([, value]) => Math.floor(Number(value))))]
      : values.filter(([, value]) => Number(value) > 0).map(([at]) => at * 1000);
    const marks: Mark[] = [];
    for (const time of times) {
      const last = marks.at(-1);
      if (last && !byValue && time - last.end <= step.ms) {
        last.end = time;
      } else {
        marks.push({ time, end: time, text, color });
      }
    }
    return marks;
  });
}

/** What is stored in Grafana itself under tags: `twin grafana annotate` puts it there; the server of this page answers for it. */
async function stored(tags: string[], any: boolean, over: TimeRange, color: string): Promise<Mark[]> {
  const query = new URLSearchParams([
    ["from", String(over.from.valueOf())],
    ["to", String(over.to.valueOf())],
    ["matchAny", String(any)],
    ...tags.map((tag) => ["tags", tag]),
  ]);
  const response = await fetch(`api/annotations?${query}`);
  if (!response.ok) {
    throw new Error(`annotations: ${response.status}`);
  }
  return ((await response.json()) as Stored[]).map((each) => ({
    time: each.time,
    end: each.timeEnd || each.time,
    text: [each.title, each.text].filter(Boolean).join(": "),
    color,
  }));
}

/** All marks of a dashboard within the range, in order of time. */
export async function readMarks(
  list: Annotation[],
  over: TimeRange,
  least: string,
  variables: Variables,
  theme: GrafanaTheme2,
): Promise<Mark[]> {
  const found = await Promise.all(
    list
      .filter((each) => each.enable !== false)
      .map((annotation) => {
        const color = theme.visualization.getColorByName(annotation.iconColor ?? "rgba(0, 211, 255, 1)");
        const expr = annotation.expr ?? annotation.target?.expr;
        const tags = annotation.target?.tags ?? annotation.tags ?? [];
        if (expr) {
          return queried(annotation, expr, over, least, variables, color);
        }
        return tags.length
          ? stored(
              tags.map((tag) => variables.replace(tag, "text")),
              Boolean(annotation.target?.matchAny),
              over,
              color,
            )
          : [];
      }),
  );
  return found
    .flat()
    .filter(({ time }) => time >= over.from.valueOf() && time <= over.to.valueOf())
    .sort((a, b) => a.time - b.time);
}

/** Marks of one moment share a number, from 1. */
export function numbered(marks: Mark[]): { time: number; color: string; marks: Mark[] }[] {
  const groups: { time: number; color: string; marks: Mark[] }[] = [];
  for (const mark of marks) {
    const last = groups.at(-1);
    if (last && last.time === mark.time) {
      last.marks.push(mark);
    } else {
      groups.push({ time: mark.time, color: mark.color, marks: [mark] });
    }
  }
  return groups;
}

/** Have a graph draw the marks: a dashed line each, and its number at the top, one row lower where the one before is too near. */
export function drawMarks(builder: UPlotConfigBuilder, marks: Mark[], theme: GrafanaTheme2): void {
  const groups = numbered(marks);
  builder.addHook("draw", (u) => {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.font = `500 ${Math.round(10 * ratio)}px ${theme.typography.fontFamily}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    let right: number[] = [];
    groups.forEach(({ time, color, marks: at }, index) => {
      const x = Math.round(u.valToPos(time, "x", true));
      ctx.strokeStyle = color;
      ctx.fillStyle = color;
      const end = Math.max(...at.map((each) => each.end));
      if (end > time) {
        ctx.globalAlpha = 0.1;
        ctx.fillRect(x, bbox.top, u.valToPos(end, "x", true) - x, bbox.height);
        ctx.globalAlpha = 1;
      }
      ctx.lineWidth = ratio;
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      const text = String(index + 1);
      const half = ctx.measureText(text).width / 2 + 3 * ratio;
      let row = right.findIndex((edge) => edge < x - half);
      row = row < 0 ? right.length : row;
      right[row] = x + half;
      right = right.slice(0, 3);
      const y = bbox.top + (7 + 14 * row) * ratio;
      ctx.beginPath();
      ctx.roundRect(x - half, y - 6 * ratio, 2 * half, 12 * ratio, 3 * ratio);
      ctx.fill();
      ctx.fillStyle = theme.colors.getContrastText(color);
      ctx.fillText(text, x, y + ratio / 2);
    });
    ctx.restore();
  });
}

const LONGEST = 72;

/** A mark's text in a list: Grafana takes it for HTML and shows it whole beside the pointer. */
function short(text: string): string {
  const plain = new DOMParser().parseFromString(text, "text/html").body.textContent.replace(/\s+/g, " ");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST - 1)}…` : plain;
}

/** What the numbers mean, under the dashboard's title. */
export function MarkList({ marks, theme, timeZone }: { marks: Mark[]; theme: GrafanaTheme2; timeZone: string }) {
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: timeZone === "browser" ? undefined : "UTC" });
  return (
    <div
      style={{
        display: "flex",
        flexWrap: "wrap",
        gap: "4px 16px",
        padding: "2px 0 10px",
        fontSize: 12,
        color: theme.colors.text.secondary,
      }}
    >
      {numbered(marks).map(({ time, color, marks: at }, index) => (
        <span key={time}>
          <span
            style={{
              background: color,
              color: theme.colors.getContrastText(color),
              borderRadius: 3,
              padding: "0 4px",
              marginRight: 5,
              fontWeight: 500,
              fontSize: 10,
            }}
          >
            {index + 1}
          </span>
          {day.format(time)} {at.map(({ text }) => short(text)).join(" · ")}
        </span>
      ))}
    </div>
  );
}

/** How far apart points may lie, from the data source's setting. */
export function leastInterval(text: string | null): string {
  const interval = text || "15s";
  rangeUtil.intervalToSeconds(interval);
  return interval;
}
