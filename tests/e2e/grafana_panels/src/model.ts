// The part of Grafana's dashboard JSON (schema version 36 and later) that is drawn here.
import type { ConfigOverrideRule, DataTransformerConfig, FieldConfig } from "@grafana/data";

export interface Reference {
  type?: string;
  uid?: string;
}

export interface Target {
  refId: string;
  expr: string;
  datasource?: Reference;
  legendFormat?: string;
  format?: "time_series" | "table" | "heatmap";
  instant?: boolean;
  range?: boolean;
  interval?: string;
  intervalFactor?: number;
  hide?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: Reference;
  targets?: Target[];
  options?: Record<string, unknown>;
  fieldConfig?: { defaults: FieldConfig; overrides: ConfigOverrideRule[] };
  transformations?: DataTransformerConfig[];
  interval?: string;
  maxDataPoints?: number;
  timeFrom?: string;
  timeShift?: string;
  repeat?: string;
  transparent?: boolean;
  collapsed?: boolean;
  panels?: Panel[];
}

export interface Variable {
  name: string;
  type: string;
  label?: string;
  query?: string | { query?: string };
  regex?: string;
  sort?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  current?: { value?: string | string[] };
  options?: { value?: string | string[]; selected?: boolean }[];
  hide?: number;
}

export interface Annotation {
  name: string;
  enable?: boolean;
  hide?: boolean;
  iconColor?: string;
  builtIn?: number;
  datasource?: Reference;
  expr?: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  useValueForTime?: boolean | string;
  target?: { expr?: string; type?: string; tags?: string[]; matchAny?: boolean; limit?: number };
  tags?: string[];
  type?: string;
}

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  timezone?: string;
  time?: { from: string; to: string };
  panels: Panel[];
  templating?: { list: Variable[] };
  annotations?: { list: Annotation[] };
}
