// One component per panel type, around Grafana's own: each says through `drawn` how much it put on the screen.
import {
  dateTimeFormat,
  FieldType,
  formattedValueToString,
  getDisplayValueAlignmentFactors,
  getFieldDisplayName,
  getFieldDisplayValues,
  renderTextPanelMarkdown,
  VizOrientation,
  type DataFrame,
  type FieldConfigSource,
  type FieldDisplay,
  type GrafanaTheme2,
  type TimeRange,
} from "@grafana/data";
import {
  BarGauge,
  BigValue,
  TimeSeries,
  TooltipPlugin2,
  VizRepeater,
  VizTooltipContent,
  VizTooltipHeader,
  VizTooltipWrapper,
  type UPlotConfigBuilder,
} from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { useEffect, useMemo } from "react";
import { drawMarks, type Mark } from "./marks";

export interface ViewProps {
  frames: DataFrame[];
  options: Record<string, any>;
  fieldConfig: FieldConfigSource;
  width: number;
  height: number;
  range: TimeRange;
  timeZone: string;
  theme: GrafanaTheme2;
  marks: Mark[];
  replace: (text: string) => string;
  /** How much was drawn: pixels, values, rows or letters; zero is an empty panel. */
  drawn: (amount: number) => void;
}

/** Opaque pixels where the series are: grid lines are nearly transparent, axes lie outside. */
function ink(u: uPlot): number {
  const { left, top, width, height } = u.bbox;
  const { data } = u.ctx.getImageData(left, top, Math.max(1, width), Math.max(1, height));
  let found = 0;
  for (let i = 3; i < data.length; i += 4) {
    found += Number(data[i] > 128);
  }
  return found;
}

/** What the pointer is over: the date, and every series there. */
function tooltip(aligned: DataFrame, frames: DataFrame[], timeZone: string, indices: (number | null)[], hovered: number | null) {
  const at = aligned.fields[0].values[indices[0] ?? 0] as number;
  const items = aligned.fields.slice(1).flatMap((field, i) => {
    const index = indices[i + 1];
    if (index == null || field.type !== FieldType.number || field.config.custom?.hideFrom?.tooltip) {
      return [];
    }
    const display = field.display!(field.values[index]);
    return [
      {
        label: getFieldDisplayName(field, aligned, frames),
        value: formattedValueToString(display),
        color: display.color,
        isActive: hovered === i + 1,
        numeric: display.numeric,
      },
    ];
  });
  return (
    <VizTooltipWrapper>
      <VizTooltipHeader item={{ label: "", value: dateTimeFormat(at, { timeZone }) }} />
      <VizTooltipContent items={items} scrollable maxHeight={300} />
    </VizTooltipWrapper>
  );
}

function TimeSeriesView({ frames, options, width, height, range, timeZone, theme, marks, drawn }: ViewProps) {
  const seen = useMemo(() => new WeakSet<UPlotConfigBuilder>(), []);
  return (
    <TimeSeries
      frames={frames}
      width={width}
      height={height}
      timeRange={range}
      timeZone={timeZone}
      legend={options.legend}
      options={options}
    >
      {(builder, aligned) => {
        if (!seen.has(builder)) {
          seen.add(builder);
          builder.addHook("draw", (u) => drawn(ink(u)));
          drawMarks(builder, marks, theme);
        }
        return (
          <TooltipPlugin2
            config={builder}
            hoverMode={options.tooltip.mode === "single" ? 2 : 1}
            render={(_u, indices, hovered) => tooltip(aligned, frames, timeZone, indices, hovered)}
          />
        );
      }}
    </TimeSeries>
  );
}

/** Values of a stat or bar gauge. */
function values({ frames, options, fieldConfig, theme, timeZone, replace }: ViewProps, sparkline: boolean): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig,
    reduceOptions: options.reduceOptions,
    replaceVariables: replace,
    theme,
    data: frames,
    sparkline,
    timeZone,
    percentChange: options.showPercentChange,
  });
}

function counted(found: FieldDisplay[]): number {
  return found.filter(({ display }) => Number.isFinite(display.numeric) && display.text !== "").length;
}

function orientation(options: Record<string, any>, width: number, height: number): VizOrientation {
  return options.orientation === VizOrientation.Auto
    ? width > height
      ? VizOrientation.Vertical
      : VizOrientation.Horizontal
    : options.orientation;
}

function StatView(props: ViewProps) {
  const { options, width, height, theme, drawn } = props;
  const found = useMemo(() => values(props, options.graphMode !== "none"), [props.frames]);
  useEffect(() => drawn(counted(found)), [found]);
  return (
    <VizRepeater
      getValues={() => found}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      width={width}
      height={height}
      source={props.frames}
      renderCounter={0}
      itemSpacing={3}
      autoGrid
      orientation={options.orientation}
      renderValue={({ value, width: w, height: h, count, alignmentFactors }) => (
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          text={options.text}
          alignmentFactors={alignmentFactors}
          width={w}
          height={h}
          theme={theme}
          percentChangeColorMode={options.percentChangeColorMode}
          disableWideLayout={!options.wideLayout}
        />
      )}
    />
  );
}

function BarGaugeView(props: ViewProps) {
  const { options, width, height, theme, drawn } = props;
  const found = useMemo(() => values(props, false), [props.frames]);
  useEffect(() => drawn(counted(found)), [found]);
  const manual = options.sizing === "manual";
  return (
    <VizRepeater
      getValues={() => found}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      width={width}
      height={height}
      source={props.frames}
      renderCounter={0}
      itemSpacing={options.displayMode === "lcd" ? 2 : 10}
      minVizWidth={manual ? options.minVizWidth : 8}
      minVizHeight={manual ? options.minVizHeight : 16}
      maxVizHeight={manual ? options.maxVizHeight : 300}
      orientation={orientation(options, width, height)}
      renderValue={({ value, width: w, height: h, count, orientation: way, alignmentFactors }) => (
        <BarGauge
          value={value.display}
          width={w}
          height={h}
          orientation={way}
          field={value.field}
          text={options.text}
          display={value.view?.getFieldDisplayProcessor(value.colIndex!)}
          theme={theme}
          itemSpacing={10}
          lcdCellWidth={12}
          displayMode={options.displayMode}
          alignmentFactors={count > 1 ? alignmentFactors : undefined}
          showUnfilled={options.showUnfilled}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
        />
      )}
    />
  );
}

function TableView({ frames, options, fieldConfig, width, height, range, drawn }: ViewProps) {
  const frame = frames[options.frameIndex] ?? frames[0];
  useEffect(() => drawn(frame?.length ?? 0), [frame]);
  return frame ? (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={!options.showHeader}
      showTypeIcons={options.showTypeIcons}
      sortBy={options.sortBy}
      cellHeight={options.cellHeight}
      timeRange={range}
      fieldConfig={fieldConfig}
      enableVirtualization={false}
    />
  ) : null;
}

function TextView({ options, replace, drawn }: ViewProps) {
  const html = useMemo(() => (options.mode === "html" ? "" : renderTextPanelMarkdown(replace(options.content))), [options]);
  useEffect(() => drawn(html.length), [html]);
  return <div className="markdown-html" style={{ height: "100%", overflow: "auto" }} dangerouslySetInnerHTML={{ __html: html }} />;
}

/** By the type in the JSON. */
export const VIEWS: Record<string, (props: ViewProps) => React.ReactNode> = {
  timeseries: TimeSeriesView,
  stat: StatView,
  bargauge: BarGaugeView,
  table: TableView,
  text: TextView,
};
