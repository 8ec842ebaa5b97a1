// What Grafana's core panels know: their options and field options, with their defaults, so that a dashboard's JSON may leave them out
// as it may in Grafana. @grafana/data holds the machinery; the panels themselves are not published as packages.
import {
  displayNameOverrideProcessor,
  FieldConfigProperty,
  FieldType,
  identityOverrideProcessor,
  numberOverrideProcessor,
  PanelPlugin,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  standardTransformersRegistry,
  stringOverrideProcessor,
  thresholdsOverrideProcessor,
  ThresholdsMode,
  valueMappingsOverrideProcessor,
  type Field,
  type FieldConfigPropertyItem,
  type PanelPluginMeta,
} from "@grafana/data";

const none = () => null;

type Process = FieldConfigPropertyItem["process"];

function standard(id: string, process: Process = identityOverrideProcessor as Process, defaultValue?: unknown): FieldConfigPropertyItem {
  return {
    id,
    path: id,
    name: id,
    editor: none,
    override: none,
    process,
    shouldApply: () => true,
    defaultValue,
  } as FieldConfigPropertyItem;
}

const THRESHOLDS = {
  mode: ThresholdsMode.Absolute,
  steps: [
    { value: -Infinity, color: "green" },
    { value: 80, color: "red" },
  ],
};

standardEditorsRegistry.setInit(() => []);
standardFieldConfigEditorRegistry.setInit(() => [
  standard("unit"),
  standard("min", numberOverrideProcessor as Process),
  standard("max", numberOverrideProcessor as Process),
  standard("fieldMinMax"),
  standard("decimals", numberOverrideProcessor as Process),
  standard("displayName", displayNameOverrideProcessor as Process),
  standard("color"),
  standard("noValue", stringOverrideProcessor as Process),
  standard("links"),
  standard("actions"),
  standard("mappings", valueMappingsOverrideProcessor as Process, []),
  standard("thresholds", thresholdsOverrideProcessor as Process, THRESHOLDS),
  standard("filterable"),
  standard("description"),
]);
standardTransformersRegistry.setInit(() =>
  Object.values(standardTransformers).map(
    (each) =>
      ({ id: each.id, name: each.name, editor: none, transformation: () => Promise.resolve(each), imageDark: "", imageLight: "" }) as never,
  ),
);

const HIDE = { tooltip: false, viz: false, legend: false };
const GRAPH = {
  drawStyle: "line",
  lineInterpolation: "linear",
  lineWidth: 1,
  lineColor: undefined,
  lineStyle: undefined,
  fillOpacity: 0,
  fillColor: undefined,
  gradientMode: "none",
  spanNulls: false,
  insertNulls: false,
  showPoints: "auto",
  showValues: false,
  pointSize: 5,
  pointColor: undefined,
  pointSymbol: undefined,
  barAlignment: 0,
  barWidthFactor: 0.6,
  barMaxWidth: undefined,
  stacking: { mode: "none", group: "A" },
  axisPlacement: "auto",
  axisLabel: "",
  axisWidth: undefined,
  axisColorMode: "text",
  axisBorderShow: false,
  axisCenteredZero: false,
  axisGridShow: undefined,
  axisSoftMin: undefined,
  axisSoftMax: undefined,
  scaleDistribution: { type: "linear" },
  hideFrom: HIDE,
  thresholdsStyle: { mode: "off" },
  transform: undefined,
  fillBelowTo: undefined,
};
const TABLE = {
  width: undefined,
  minWidth: 150,
  align: "auto",
  cellOptions: { type: "auto" },
  inspect: false,
  filterable: undefined,
  hidden: undefined,
  hideFrom: HIDE,
  footer: undefined,
  wrapHeaderText: undefined,
  wrapText: undefined,
};
const REDUCE = { values: false, calcs: ["lastNotNull"], fields: "" };

function plugin(id: string, custom: Record<string, unknown>, mode: string, defaults: Record<string, unknown>): PanelPlugin {
  const made = new PanelPlugin(none).useFieldConfig({
    standardOptions: {
      [FieldConfigProperty.Color]: { settings: { byValueSupport: true, bySeriesSupport: true }, defaultValue: { mode } } as never,
    },
    useCustomConfig: (builder) =>
      Object.entries(custom).forEach(([name, defaultValue]) =>
        builder.addCustomEditor({
          id: name,
          path: name,
          name,
          editor: none,
          override: none,
          process: identityOverrideProcessor as Process,
          shouldApply: ({ type }: Field) => id !== "timeseries" || type === FieldType.number,
          defaultValue,
        } as never),
      ),
  });
  made.meta = { id, name: id } as PanelPluginMeta;
  return made.setPanelOptions((builder) =>
    Object.entries(defaults).forEach(([path, defaultValue]) =>
      builder.addCustomEditor({
        id: path,
        path,
        name: path,
        editor: none,
        defaultValue,
      }),
    ),
  );
}

/** The panels that are drawn here, by the type in the JSON. */
export const PLUGINS: Record<string, PanelPlugin> = {
  timeseries: plugin("timeseries", GRAPH, "palette-classic", {
    legend: { showLegend: true, displayMode: "list", placement: "bottom", calcs: [] },
    tooltip: { mode: "single", sort: "none" },
  }),
  stat: plugin("stat", {}, "thresholds", {
    reduceOptions: REDUCE,
    orientation: "auto",
    textMode: "auto",
    wideLayout: true,
    colorMode: "value",
    graphMode: "area",
    justifyMode: "auto",
    showPercentChange: false,
    percentChangeColorMode: "standard",
    text: {},
  }),
  bargauge: plugin("bargauge", {}, "thresholds", {
    reduceOptions: REDUCE,
    orientation: "auto",
    displayMode: "gradient",
    valueMode: "color",
    namePlacement: "auto",
    showUnfilled: true,
    sizing: "auto",
    minVizWidth: 8,
    minVizHeight: 16,
    maxVizHeight: 300,
    text: {},
  }),
  table: plugin("table", TABLE, "thresholds", { frameIndex: 0, showHeader: true, showTypeIcons: false, cellHeight: "sm" }),
  text: plugin("text", {}, "thresholds", { mode: "markdown", content: "" }),
};
