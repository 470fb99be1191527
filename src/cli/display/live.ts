import { clip, displayWidth } from "../../report/width.js";
import type { Listener, RunEvent } from "../../run/events.js";
import { rowHeader, rowOf } from "./rows.js";
import type { DisplayStream, RunDisplay } from "./run-display.js";
import { advance, initialState, type ProgressState, phaseShare } from "./state.js";
import { accuracyFigure, phaseCount, phaseFigures, phaseLabel, runFigures, startLine, timeFigure } from "./text.js";

export interface LiveDisplayOptions {
  readonly colour: boolean;
  /** Milliseconds between two redraws. Without any event, too, so that the time moves. */
  readonly interval?: number;
  readonly clock?: () => number;
  /** Runs `write` soon; see `LiveDisplay`. */
  readonly schedule?: (write: () => void) => void;
}

const ESC = "\u001b[";
const STYLES = { plain: "", bold: "1", dim: "2", green: "32", cyan: "36" } as const;

/** A stretch of a line in one style. */
interface Span {
  readonly text: string;
  readonly style: keyof typeof STYLES;
}

/**
 * A few lines at the bottom of the terminal, redrawn in place. Lines that stay (start, notices, a row for each
 * iteration) scroll away above them.
 *
 * A line that was drawn on a wider terminal takes several rows on a narrower one, so erasing needs the present width.
 * Node learns of a new width from a signal, which waits while the run computes. Therefore writing is delayed
 * (`setImmediate`) until signals were handled.
 */
export class LiveDisplay implements RunDisplay {
  readonly listener: Listener = (event) => this.#take(event);
  state: ProgressState;
  readonly #stream: DisplayStream;
  readonly #colour: boolean;
  readonly #interval: number;
  readonly #clock: () => number;
  readonly #schedule: (write: () => void) => void;
  readonly #timer: NodeJS.Timeout;
  /** Lines that stay and are not written yet. */
  #notes: string[] = [];
  #scheduled = false;
  #closed = false;
  /** Widths, in cells, of the lines now on the terminal; the cursor is on the line below them. */
  #drawn: readonly number[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(stream: DisplayStream, options: LiveDisplayOptions) {
    this.#stream = stream;
    this.#colour = options.colour;
    this.#interval = options.interval ?? 100;
    this.#clock = options.clock ?? (() => performance.now());
    this.#schedule = options.schedule ?? setImmediate;
    this.state = initialState(this.#clock());
    this.#timer = setInterval(() => this.#draw(), Math.max(this.#interval, 250));
    this.#timer.unref();
  }

  note(text: string): void {
    if (this.#closed) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#notes.push(text);
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#draw();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    const text = this.#erase() + this.#takeNotes();
    this.#drawn = [];
    if (text !== "") this.#stream.write(text);
  }

  #take(event: RunEvent): void {
    this.state = advance(this.state, event, this.#clock());
    if (event.kind === "started") this.note(startLine(event));
    else if (event.kind === "notice") this.note(event.text);
    else if (event.kind === "base") this.note(`${rowHeader(this.#width())}\n${rowOf(event, this.#width())}`);
    else if (event.kind === "iteration") this.note(rowOf(event, this.#width()));
    else if (event.kind === "finished") this.close();
    else this.#draw();
  }

  #draw(): void {
    if (this.#scheduled || this.#clock() - this.#drawnAt < this.#interval) return;
    this.#scheduled = true;
    this.#schedule(() => this.#write());
  }

  #write(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    const now = this.#clock();
    const nothing = this.state.started === null && this.state.phase === null;
    const lines = nothing ? [] : this.#lines(now);
    const text = lines.map((spans) => `${spans.map((span) => this.#styled(span)).join("")}\n`).join("");
    this.#stream.write(this.#erase() + this.#takeNotes() + text);
    this.#drawn = lines.map((spans) => spans.reduce((sum, span) => sum + displayWidth(span.text), 0));
    this.#drawnAt = now;
  }

  /** The lines to redraw, as many as fit above the cursor: lines that scrolled away could not be erased. */
  #lines(now: number): Span[][] {
    const width = this.#width();
    const lines = liveLines(this.state, now, width).map((spans) => clipSpans(spans, width));
    const rows = this.#stream.rows ?? Number.POSITIVE_INFINITY;
    return lines.slice(0, Math.max(1, rows - 1));
  }

  #takeNotes(): string {
    const text = this.#notes.map((note) => `${note}\n`).join("");
    this.#notes = [];
    return text;
  }

  /** Moves to the first line drawn and clears from there. */
  #erase(): string {
    if (this.#drawn.length === 0) return "";
    const columns = this.#columns();
    const rows = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return `\r${ESC}${rows}A${ESC}J`;
  }

  /** Cells of a line to fill. One stays free: writing in the last column makes some terminals wrap at once. */
  #width(): number {
    return Math.max(1, this.#columns() - 1);
  }

  #columns(): number {
    return this.#stream.columns !== undefined && this.#stream.columns > 0 ? this.#stream.columns : 80;
  }

  #styled({ text, style }: Span): string {
    return this.#colour && style !== "plain" ? `${ESC}${STYLES[style]}m${text}${ESC}0m` : text;
  }
}

/** The lines to show, not yet clipped; `width` decides how much is put on them. */
function liveLines(state: ProgressState, now: number, width: number): Span[][] {
  const { phase } = state;
  const lines: Span[][] = [];
  if (phase === null) {
    lines.push([bold(state.baseAccuracy === null ? "starting" : "saving")]);
  } else {
    const figures = phaseFigures(phase);
    lines.push([bold(phaseLabel(state, phase)), ...dotted(figures)]);
    const count = phaseCount(phase);
    const share = phaseShare(phase, state.started?.observations ?? 0);
    const room = Math.min(30, width - displayWidth(count) - 1);
    lines.push(share === null || room < 5 ? [plain(count)] : [...bar(share, room), plain(` ${count}`)]);
  }
  lines.push([plain([...runFigures(state), timeFigure(state, now)].join(" · "))]);
  const accuracy = accuracyFigure(state, Math.max(0, width - 55));
  if (accuracy !== "") lines.push([dim("test accuracy "), { text: accuracy, style: "green" }]);
  return lines;
}

function bar(share: number, cells: number): Span[] {
  const full = Math.round(share * cells);
  return [{ text: "█".repeat(full), style: "cyan" }, dim("░".repeat(cells - full))];
}

function dotted(figures: readonly string[]): Span[] {
  return figures.map((figure) => plain(` · ${figure}`));
}

function clipSpans(spans: readonly Span[], width: number): Span[] {
  const clipped: Span[] = [];
  let left = width;
  for (const span of spans) {
    if (left <= 0) break;
    const text = clip(span.text, left);
    clipped.push({ text, style: span.style });
    left -= displayWidth(text);
    if (text !== span.text) break;
  }
  return clipped;
}

function plain(text: string): Span {
  return { text, style: "plain" };
}

function bold(text: string): Span {
  return { text, style: "bold" };
}

function dim(text: string): Span {
  return { text, style: "dim" };
}
