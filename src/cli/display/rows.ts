/** Rows of finished iterations, which a live display prints above the lines that it redraws. */

import { formatCount, formatDuration, formatFixed, formatFlops, formatPercent } from "../../report/format.js";
import { displayWidth } from "../../report/width.js";
import type { IterationRecord, RunEvent } from "../../run/events.js";

type EventOf<K extends RunEvent["kind"]> = Extract<RunEvent, { kind: K }>;

/** Most important first: a narrow terminal shows only the first ones. */
const COLUMNS: readonly {
  readonly header: string;
  readonly width: number;
  readonly cell: (record: IterationRecord) => string;
}[] = [
  { header: "iter", width: 4, cell: (r) => String(r.iteration) },
  { header: "test", width: 7, cell: (r) => formatPercent(r.testAccuracy) },
  { header: "m", width: 7, cell: (r) => formatCount(r.visited) },
  { header: "α", width: 5, cell: (r) => formatFixed(r.alpha, 3) },
  { header: "FLOPs", width: 11, cell: (r) => formatFlops(r.cumulativeFlops.total) },
  { header: "|D₊|", width: 6, cell: (r) => formatCount(r.kept) },
  { header: "loss", width: 6, cell: (r) => formatFixed(r.loss, 4) },
  { header: "popped", width: 6, cell: (r) => formatCount(r.popped) },
  {
    header: "time",
    width: 11,
    cell: ({ seconds }) => formatDuration(seconds.visit + seconds.train + seconds.evaluate),
  },
];
const GAP = "  ";

/** Headings of `rowOf`, as many as fit `width` cells. */
export function rowHeader(width: number): string {
  return joined(fitting(width).map(({ header, width: cells }) => padded(header, cells)));
}

/** A finished iteration, or the base model's evaluation, as a row below `rowHeader`. */
export function rowOf(event: EventOf<"base"> | EventOf<"iteration">, width: number): string {
  const columns = fitting(width);
  if (event.kind === "iteration")
    return joined(columns.map(({ cell, width: cells }) => padded(cell(event.record), cells)));
  const known = ["base", formatPercent(event.testAccuracy)];
  return joined(columns.slice(0, known.length).map(({ width: cells }, i) => padded(known[i], cells)));
}

/** The first columns that fit `width` cells, at least one. */
function fitting(width: number): typeof COLUMNS {
  let used = -GAP.length;
  const tooWide = COLUMNS.findIndex(({ width: cells }) => {
    used += GAP.length + cells;
    return used > width;
  });
  return tooWide < 0 ? COLUMNS : COLUMNS.slice(0, Math.max(1, tooWide));
}

function padded(text: string, cells: number): string {
  return " ".repeat(Math.max(0, cells - displayWidth(text))) + text;
}

function joined(cells: readonly string[]): string {
  return cells.join(GAP);
}
