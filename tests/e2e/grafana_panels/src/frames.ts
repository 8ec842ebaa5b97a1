// Prometheus's answers as the data frames that Grafana's data source makes of them.
import { FieldType, type DataFrame, type Field, type Labels } from "@grafana/data";
import type { Series } from "./prometheus";
import type { Target } from "./model";

const NUMBERS: Record<string, number> = { NaN: NaN, "+Inf": Infinity, "-Inf": -Infinity };

function number(text: string): number {
  return NUMBERS[text] ?? Number(text);
}

/** A series in Prometheus's own notation. */
function notation({ __name__: name = "", ...labels }: Labels): string {
  const inside = Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(", ");
  return inside ? `${name}{${inside}}` : name || "{}";
}

/** The name that the data source gives to a series: {{label}} filled in, or nothing where Grafana chooses ("__auto"). */
function named(target: Target, labels: Labels): string | undefined {
  const legend = target.legendFormat ?? "";
  if (legend === "__auto") {
    return Object.keys(labels).length ? undefined : target.expr;
  }
  return legend ? legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => labels[label] ?? "") : notation(labels);
}

/** One frame per series: time and value. `ms` is the step, by which gaps are known. */
export function seriesFrames(target: Target, found: Series[], ms?: number): DataFrame[] {
  return found.map(({ metric, values }) => {
    const time: Field = { name: "Time", type: FieldType.time, config: ms ? { interval: ms } : {}, values: values.map(([at]) => at * 1000) };
    const value: Field = {
      name: "Value",
      type: FieldType.number,
      labels: metric,
      config: { displayNameFromDS: named(target, metric) },
      values: values.map(([, text]) => number(text)),
    };
    return {
      refId: target.refId,
      length: values.length,
      fields: [time, value],
      meta: { custom: { resultType: ms ? "matrix" : "vector" } },
    };
  });
}

/** One table of all series of a query: time, a column per label, the value. */
export function tableFrame(target: Target, found: Series[], several: boolean): DataFrame {
  const labels = [...new Set(found.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const rows = found.flatMap(({ metric, values }) => values.map(([at, text]) => ({ metric, at: at * 1000, value: number(text) })));
  const fields: Field[] = [
    { name: "Time", type: FieldType.time, config: {}, values: rows.map(({ at }) => at) },
    ...labels.map((label): Field => ({
      name: label,
      type: FieldType.string,
      config: { filterable: true },
      values: rows.map(({ metric }) => metric[label] ?? ""),
    })),
    { name: several ? `Value #${target.refId}` : "Value", type: FieldType.number, config: {}, values: rows.map(({ value }) => value) },
  ];
  return { refId: target.refId, length: rows.length, fields };
}
