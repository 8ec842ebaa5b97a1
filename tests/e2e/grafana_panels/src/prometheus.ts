// Prometheus's HTTP API, behind the address that serves this page, and the steps at which Grafana asks it.
import { rangeUtil, type TimeRange } from "@grafana/data";

/** One series of an answer: its labels, seconds since 1970, and values as text ("NaN", "+Inf"). */
export interface Series {
  metric: Record<string, string>;
  values: [number, string][];
}

interface Answer {
  status: string;
  data: { resultType: string; result: unknown[] };
  error?: string;
  warnings?: string[];
}

async function asked<T>(path: string, parameters: [string, string][], post: boolean): Promise<T> {
  const query = new URLSearchParams(parameters);
  const response = post ? await fetch(`api/v1/${path}`, { method: "POST", body: query }) : await fetch(`api/v1/${path}?${query}`);
  const body = (await response.json()) as Answer;
  if (body.status !== "success") {
    throw new Error(body.error ?? `${path}: ${response.status}`);
  }
  if (body.warnings?.length) {
    throw new Error(`warning: ${body.warnings.join("; ")}`);
  }
  return body.data as T;
}

/** A range query; the ends lie on multiples of the step, as Grafana aligns them. */
export async function range(expr: string, over: TimeRange, step: number): Promise<Series[]> {
  const [from, to] = [over.from.valueOf() / 1000, over.to.valueOf() / 1000].map((at) => Math.floor(at / step) * step);
  const data = await asked<{ result: Series[] }>(
    "query_range",
    [
      ["query", expr],
      ["start", String(from)],
      ["end", String(to)],
      ["step", String(step)],
    ],
    true,
  );
  return data.result;
}

/** An instant query at the end of the range; a scalar is a series without labels. */
export async function instant(expr: string, over: TimeRange): Promise<Series[]> {
  const data = await asked<{ resultType: string; result: unknown }>(
    "query",
    [
      ["query", expr],
      ["time", String(over.to.valueOf() / 1000)],
    ],
    true,
  );
  if (data.resultType === "scalar") {
    return [{ metric: {}, values: [data.result as [number, string]] }];
  }
  if (data.resultType !== "vector") {
    throw new Error(`an instant query gave a ${data.resultType}`);
  }
  return (data.result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
    metric,
    values: [value],
  }));
}

function within(over: TimeRange): [string, string][] {
  return [
    ["start", String(over.from.valueOf() / 1000)],
    ["end", String(over.to.valueOf() / 1000)],
  ];
}

/** Values of a label within the range, of the series that match if any selector is given. */
export async function labelValues(label: string, match: string, over: TimeRange): Promise<string[]> {
  return asked(
    `label/${encodeURIComponent(label)}/values`,
    [...within(over), ...(match ? [["match[]", match] as [string, string]] : [])],
    false,
  );
}

/** Seconds per point: the range over the number of points, rounded as Grafana does, no finer than the least that is asked for. */
export function stepOf(over: TimeRange, points: number, least: string, factor = 1): { seconds: number; ms: number; interval: string } {
  const { intervalMs } = rangeUtil.calculateInterval(over, points, least);
  const ms = intervalMs * factor;
  return { seconds: ms / 1000, ms, interval: rangeUtil.secondsToHms(ms / 1000) };
}
