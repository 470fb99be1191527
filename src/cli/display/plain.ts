import type { Listener, RunEvent } from "../../run/events.js";
import type { DisplayStream, RunDisplay } from "./run-display.js";
import { advance, initialState, type ProgressState } from "./state.js";
import { iterationLine, phaseLine, startLine } from "./text.js";

export interface PlainDisplayOptions {
  /** Milliseconds between two lines about the same phase. */
  readonly interval?: number;
  readonly clock?: () => number;
}

/**
 * One line for every finished step, and one about the present phase from time to time. For logs, pipes and terminals
 * that cannot redraw.
 */
export class PlainDisplay implements RunDisplay {
  readonly listener: Listener = (event) => this.#take(event);
  state: ProgressState;
  readonly #stream: DisplayStream;
  readonly #interval: number;
  readonly #clock: () => number;
  #lastLineAt: number;

  constructor(stream: DisplayStream, options: PlainDisplayOptions = {}) {
    this.#stream = stream;
    this.#interval = options.interval ?? 10_000;
    this.#clock = options.clock ?? (() => performance.now());
    this.#lastLineAt = this.#clock();
    this.state = initialState(this.#lastLineAt);
  }

  note(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  close(): void {}

  #take(event: RunEvent): void {
    const now = this.#clock();
    this.state = advance(this.state, event, now);
    const line = this.#lineFor(event, now);
    if (line === null) return;
    this.#lastLineAt = now;
    this.note(line);
  }

  #lineFor(event: RunEvent, now: number): string | null {
    switch (event.kind) {
      case "started":
        return startLine(event);
      case "visiting":
      case "training":
      case "evaluating":
        return now - this.#lastLineAt >= this.#interval ? phaseLine(this.state, now) : null;
      case "base":
      case "iteration":
        return iterationLine(this.state, event);
      case "notice":
        return event.text;
      case "samples":
      case "finished":
        return null;
    }
  }
}
