// What the page knows about itself, for the test that drives the browser: window.drawing.

/** One query of a panel: how much came back. A sample that is not a finite number counts for nothing. */
export interface QueryFacts {
  refId: string;
  expr: string;
  series: number;
  samples: number;
}

/** One panel: what was asked, what was drawn (pixels of canvases, values, rows), and everything wrong with it. */
export interface PanelFacts {
  id: number;
  title: string;
  type: string;
  queries: QueryFacts[];
  drawn: number;
  problems: string[];
}

/** The whole page. `done` once every panel said what it drew. */
export interface Drawing {
  done: boolean;
  problems: string[];
  panels: PanelFacts[];
  marks: { time: number; text: string }[];
  variables: Record<string, string | string[]>;
}

export const drawing: Drawing = { done: false, problems: [], panels: [], marks: [], variables: {} };

declare global {
  interface Window {
    drawing: Drawing;
  }
}
window.drawing = drawing;

/** The words of whatever was thrown. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
