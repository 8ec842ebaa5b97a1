// Template variables: their values, and their places in texts and queries, as Grafana documents them.
import { rangeUtil, stringToJsRegex, type TimeRange } from "@grafana/data";
import { instant, labelValues } from "./prometheus";
import type { Variable } from "./model";

const ALL = "$__all";
const PLACE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}/g;
const LABEL_VALUES = /^label_values\((?:(.+),\s*)?([a-zA-Z_$][a-zA-Z0-9_]*)\s*\)\s*$/s;
const QUERY_RESULT = /^query_result\((.+)\)\s*$/s;

/** How values stand in a text: by the format that is named, else as the text needs it. */
export type Purpose = "query" | "text";

interface Chosen {
  variable: Variable;
  values: string[];
  all: boolean;
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\\\\\").replace(/[$^*{}[\]'+?.()|]/g, "\\\\$&");
}

function pattern(value: string): string {
  return value.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
}

function joined(values: string[]): string {
  return values.length === 1 ? values[0] : `(${values.join("|")})`;
}

/** The values of a dashboard's variables; `extra` are Grafana's own ($__interval and so on). */
export class Variables {
  private readonly chosen = new Map<string, Chosen>();

  constructor(private readonly extra: Record<string, string> = {}) {}

  /** The same variables with more of Grafana's own. */
  with(more: Record<string, string>): Variables {
    const made = new Variables({ ...this.extra, ...more });
    this.chosen.forEach((each, name) => made.chosen.set(name, each));
    return made;
  }

  /** Find the values of every variable, in their order; what the address of the page says (var-NAME) goes before what is saved. */
  async read(list: Variable[], over: TimeRange, wanted: URLSearchParams): Promise<void> {
    for (const variable of list) {
      const options = await this.options(variable, over, wanted);
      if (!options.length) {
        throw new Error(`the variable ${variable.name} has no values`);
      }
      const asked = wanted.getAll(`var-${variable.name}`);
      const saved = ([] as string[]).concat(variable.current?.value ?? []);
      const wish = asked.length ? asked : saved;
      const all =
        Boolean(variable.includeAll) && (wish.includes(ALL) || wish.includes("All") || !wish.some((each) => options.includes(each)));
      const found = wish.filter((each) => options.includes(each));
      if (asked.length && !all && found.length < asked.length) {
        throw new Error(`the variable ${variable.name} has no value ${asked.join(", ")}, only ${options.join(", ")}`);
      }
      const values = all ? options : found.length ? found : options.slice(0, 1);
      this.chosen.set(variable.name, { variable, values: variable.multi || all ? values : values.slice(0, 1), all });
    }
  }

  /** Chosen values, for what is shown above the panels. */
  shown(): [Variable, string][] {
    return [...this.chosen.values()]
      .filter(({ variable }) => !variable.hide)
      .map(({ variable, values, all }) => [variable, all ? "All" : values.join(" + ")]);
  }

  /** Name and values. */
  facts(): Record<string, string[]> {
    return Object.fromEntries([...this.chosen.values()].map(({ variable, values }) => [variable.name, values]));
  }

  private async options(variable: Variable, over: TimeRange, wanted: URLSearchParams): Promise<string[]> {
    const text = typeof variable.query === "string" ? variable.query : (variable.query?.query ?? "");
    switch (variable.type) {
      case "query":
        return this.sorted(variable, this.filtered(variable, await this.queried(this.replace(text, "query"), over)));
      case "custom":
      case "interval":
        return text
          .split(",")
          .map((each) => each.trim().replace(/^.+ : /, ""))
          .filter(Boolean);
      case "constant":
        return [text];
      case "textbox":
        return [wanted.get(`var-${variable.name}`) ?? ([] as string[]).concat(variable.current?.value ?? text)[0]];
      case "datasource":
        if (text !== "prometheus") {
          throw new Error(`the variable ${variable.name} asks for data sources of type ${text}; there is only a Prometheus`);
        }
        return ([] as string[]).concat(variable.current?.value || "prometheus");
      default:
        throw new Error(`the variable ${variable.name} is of type ${variable.type}, which is not drawn here`);
    }
  }

  private async queried(text: string, over: TimeRange): Promise<string[]> {
    const label = LABEL_VALUES.exec(text);
    if (label) {
      return labelValues(label[2], label[1] ?? "", over);
    }
    const result = QUERY_RESULT.exec(text);
    if (result) {
      return (await instant(result[1], over)).map(({ metric, values: [[at, value]] }) => {
        const { __name__: name = "", ...labels } = metric;
        return `${name}{${Object.entries(labels)
          .map(([key, is]) => `${key}="${is}"`)
          .join(",")}} ${value} ${at * 1000}`;
      });
    }
    throw new Error(`the query of a variable cannot be read: ${text}`);
  }

  private filtered(variable: Variable, found: string[]): string[] {
    if (!variable.regex) {
      return [...new Set(found)];
    }
    const regex = stringToJsRegex(this.replace(variable.regex, "text"));
    return [
      ...new Set(
        found.flatMap((each) => {
          regex.lastIndex = 0;
          const match = regex.exec(each);
          return match ? [match.groups?.value ?? match[1] ?? each] : [];
        }),
      ),
    ];
  }

  private sorted(variable: Variable, found: string[]): string[] {
    const sort = variable.sort ?? 0;
    const kind = Math.ceil(sort / 2);
    const number = (text: string) => Number(/.*?(\d+).*/.exec(text)?.[1] ?? -1);
    const by =
      [
        () => 0,
        (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0),
        (a: string, b: string) => number(a) - number(b),
        (a: string, b: string) => a.toLowerCase().localeCompare(b.toLowerCase()),
      ][kind] ?? (() => 0);
    const ordered = [...found].sort(by);
    return sort && sort % 2 === 0 ? ordered.reverse() : ordered;
  }

  /** A text with the values in their places; what is no variable of ours stays as it is. */
  replace(text: string, purpose: Purpose): string {
    return text.replace(PLACE, (place, bare?: string, square?: string, squareFormat?: string, braced?: string, format?: string) => {
      const name = bare ?? square ?? braced ?? "";
      const own = this.extra[name];
      if (own !== undefined) {
        return own;
      }
      const chosen = this.chosen.get(name);
      return chosen ? this.formatted(chosen, squareFormat ?? format, purpose) : place;
    });
  }

  private formatted({ variable, values, all }: Chosen, format: string | undefined, purpose: Purpose): string {
    if (all && variable.allValue && format !== "text") {
      return variable.allValue;
    }
    switch (format ?? (purpose === "query" ? "prometheus" : "text")) {
      case "prometheus":
        return variable.multi || variable.includeAll ? joined(values.map(escaped)) : values[0].replace(/\\/g, "\\\\").replace(/"/g, '\\"');
      case "regex":
        return joined(values.map(pattern));
      case "pipe":
        return values.join("|");
      case "csv":
        return values.join(",");
      case "raw":
        return values.join(",");
      case "glob":
        return values.length > 1 ? `{${values.join(",")}}` : values[0];
      case "doublequote":
        return values.map((each) => `"${each}"`).join(",");
      case "text":
        return all ? "All" : values.join(" + ");
      default:
        throw new Error(`the format ${format} of the variable ${variable.name} is not known here`);
    }
  }
}

/** Grafana's own variables for a range and a step. */
export function builtin(over: TimeRange, ms: number, least: string): Record<string, string> {
  const seconds = Math.round((over.to.valueOf() - over.from.valueOf()) / 1000);
  const rate = Math.max(ms / 1000 + rangeUtil.intervalToSeconds(least), 4 * rangeUtil.intervalToSeconds(least));
  return {
    __interval: rangeUtil.secondsToHms(ms / 1000),
    __interval_ms: String(ms),
    __rate_interval: rangeUtil.secondsToHms(rate),
    __range: `${seconds}s`,
    __range_s: String(seconds),
    __range_ms: String(seconds * 1000),
    __from: String(over.from.valueOf()),
    __to: String(over.to.valueOf()),
  };
}
