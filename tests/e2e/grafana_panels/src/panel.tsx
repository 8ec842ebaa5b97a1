// A panel: its queries asked, its field options applied, its view inside Grafana's frame, and all that goes wrong written down.
import {
  applyFieldOverrides,
  getPanelOptionsWithDefaults,
  transformDataFrame,
  type DataFrame,
  type FieldConfigSource,
  type GrafanaTheme2,
  type TimeRange,
} from "@grafana/data";
import { PanelChrome } from "@grafana/ui";
import { Component, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { firstValueFrom } from "rxjs";
import { words, type PanelFacts } from "./facts";
import { seriesFrames, tableFrame } from "./frames";
import type { Mark } from "./marks";
import type { Panel, Target } from "./model";
import { PLUGINS } from "./plugins";
import { instant, range as asked, stepOf } from "./prometheus";
import { builtin, type Variables } from "./variables";
import { VIEWS } from "./views";

/** A panel is done when nothing was drawn anew for so long; */
const SETTLED_MS = 150;
/** one without a line as yet gets longer, for on a busy machine the first strokes of a chart may come late. */
const EMPTY_MS = 3000;

/** What all panels of a dashboard share. */
export interface Around {
  range: TimeRange;
  timeZone: string;
  least: string;
  theme: GrafanaTheme2;
  variables: Variables;
  marks: Mark[];
}

/** Catches what a view throws while it draws. */
class Guard extends Component<{ children: ReactNode; caught: (error: unknown) => void }, { failed: boolean }> {
  state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  componentDidCatch(error: unknown) {
    this.props.caught(error);
  }

  render() {
    return this.state.failed ? null : this.props.children;
  }
}

/** Options that the panel's type does not know are misspelt: Grafana drops them without a word. */
function unknownOptions(panel: Panel): string[] {
  const registry = PLUGINS[panel.type].fieldConfigRegistry;
  const { custom, ...plain } = panel.fieldConfig?.defaults ?? {};
  const names = [
    ...Object.keys(plain),
    ...Object.keys(custom ?? {}).map((name) => `custom.${name}`),
    ...(panel.fieldConfig?.overrides ?? []).flatMap(({ properties }) => properties.map(({ id }) => id)),
  ];
  return [...new Set(names)].filter((name) => !registry.getIfExists(name)).map((name) => `${panel.type} knows no field option ${name}`);
}

async function answered(
  panel: Panel,
  target: Target,
  around: Around,
  width: number,
  several: boolean,
  facts: PanelFacts,
): Promise<DataFrame[]> {
  const { range, variables, least } = around;
  const finest = variables.replace(target.interval || panel.interval || least, "text");
  const step = stepOf(range, panel.maxDataPoints ?? Math.round(width), finest, target.intervalFactor);
  const expr = variables.with(builtin(range, step.ms, least)).replace(target.expr, "query");
  const report = { refId: target.refId, expr, series: 0, samples: 0 };
  facts.queries.push(report);
  const frames: DataFrame[] = [];
  for (const once of [true, false]) {
    if (once ? target.instant : (target.range ?? !target.instant)) {
      const found = once ? await instant(expr, range) : await asked(expr, range, step.seconds);
      report.series += found.length;
      report.samples += found.flatMap(({ values }) => values).filter(([, value]) => Number.isFinite(Number(value))).length;
      frames.push(
        ...(target.format === "table" ? [tableFrame(target, found, several)] : seriesFrames(target, found, once ? undefined : step.ms)),
      );
    }
  }
  if (!report.samples) {
    facts.problems.push(`query ${target.refId} gave no data: ${expr}`);
  }
  return frames;
}

async function readFrames(panel: Panel, around: Around, width: number, facts: PanelFacts): Promise<DataFrame[]> {
  const targets = (panel.targets ?? []).filter(({ hide }) => !hide);
  const tables = targets.filter(({ format }) => format === "table");
  const frames = (
    await Promise.all(
      targets.map(async (target) => {
        try {
          return await answered(panel, target, around, width, tables.length > 1, facts);
        } catch (error) {
          facts.problems.push(`query ${target.refId} failed: ${words(error)}: ${target.expr}`);
          return [];
        }
      }),
    )
  ).flat();
  const transformations = (panel.transformations ?? []).filter(({ disabled }) => !disabled);
  const context = { interpolate: (text: string) => around.variables.replace(text, "text") };
  return transformations.length ? firstValueFrom(transformDataFrame(transformations, frames, context)) : frames;
}

/** A panel of the given size; `done` is called once, with all that is known of it. */
export function PanelView({
  panel,
  width,
  height,
  around,
  done,
}: {
  panel: Panel;
  width: number;
  height: number;
  around: Around;
  done: (facts: PanelFacts) => void;
}) {
  const title = around.variables.replace(panel.title ?? "", "text");
  const facts = useRef<PanelFacts>({ id: panel.id, title, type: panel.type, queries: [], drawn: 0, problems: [] }).current;
  const [data, setData] = useState<{ frames: DataFrame[]; fieldConfig: FieldConfigSource; options: Record<string, unknown> }>();
  const [trouble, setTrouble] = useState<string>();
  const settle = useRef<ReturnType<typeof setTimeout>>(undefined);
  const replace = useMemo(
    () => (text: string) => around.variables.with(builtin(around.range, 0, around.least)).replace(text, "text"),
    [around],
  );
  const View = VIEWS[panel.type];

  const finish = (amount: number) => {
    facts.drawn = amount;
    clearTimeout(settle.current);
    settle.current = setTimeout(() => {
      if (!facts.drawn) {
        facts.problems.push("nothing was drawn");
      }
      if (facts.problems.length) {
        setTrouble(facts.problems.join("; "));
      }
      done(facts);
    }, amount ? SETTLED_MS : EMPTY_MS);
  };

  useEffect(() => {
    if (!View) {
      facts.problems.push(`panels of type ${panel.type} are not drawn here`);
      finish(0);
      return;
    }
    if (panel.repeat || panel.timeFrom || panel.timeShift) {
      facts.problems.push("repeat, timeFrom and timeShift are not drawn here");
    }
    facts.problems.push(...unknownOptions(panel));
    readFrames(panel, around, width, facts)
      .then((raw) => {
        const plugin = PLUGINS[panel.type];
        const { options, fieldConfig } = getPanelOptionsWithDefaults({
          plugin,
          currentOptions: (panel.options ?? {}) as never,
          currentFieldConfig: (panel.fieldConfig ?? { defaults: {}, overrides: [] }) as FieldConfigSource,
          isAfterPluginChange: false,
        });
        const frames = applyFieldOverrides({
          data: raw,
          fieldConfig,
          fieldConfigRegistry: plugin.fieldConfigRegistry,
          replaceVariables: replace,
          theme: around.theme,
          timeZone: around.timeZone,
        });
        setData({ frames, fieldConfig, options: options as Record<string, unknown> });
        if (!frames.length && panel.type !== "text") {
          finish(0);
        }
      })
      .catch((error) => {
        facts.problems.push(words(error));
        finish(0);
      });
  }, []);

  return (
    <PanelChrome
      title={title}
      description={panel.description ? replace(panel.description) : undefined}
      width={width}
      height={height}
      displayMode={panel.transparent ? "transparent" : "default"}
      statusMessage={trouble}
    >
      {(innerWidth, innerHeight) =>
        data && (data.frames.length || panel.type === "text") ? (
          <Guard
            caught={(error) => {
              facts.problems.push(`drawing failed: ${words(error)}`);
              finish(0);
            }}
          >
            <View
              {...data}
              width={innerWidth}
              height={innerHeight}
              range={around.range}
              timeZone={around.timeZone}
              theme={around.theme}
              marks={around.marks}
              replace={replace}
              drawn={finish}
            />
          </Guard>
        ) : data || trouble ? (
          <div style={{ height: innerHeight, display: "grid", placeItems: "center" }}>No data</div>
        ) : (
          <></>
        )
      }
    </PanelChrome>
  );
}
