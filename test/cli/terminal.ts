import type { DisplayStream } from "../../src/cli/display/run-display.js";
import { displayWidth } from "../../src/report/width.js";

/**
 * A terminal as small as the live display needs: it wraps at its width, knows carriage return, line feed, cursor up,
 * erase below and colours, and refuses every other control, so that a display cannot write what a real terminal would
 * not understand.
 */
export class Terminal implements DisplayStream {
  readonly isTTY = true;
  columns: number;
  /** All that was written, escape codes included. */
  raw = "";
  readonly #rows: string[] = [""];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  /** What a person sees, scrolled-off rows included, without the empty row the cursor is on. */
  get screen(): string[] {
    const rows = [...this.#rows];
    while (rows.at(-1) === "") rows.pop();
    return rows;
  }

  write(text: string): void {
    this.raw += text;
    const control = new RegExp(`${String.fromCharCode(27)}\\[(\\d*)([A-Za-z])|[\\s\\S]`, "gu");
    for (const match of text.matchAll(control)) {
      const [piece, count, command] = match;
      if (command === undefined) this.#put(piece);
      else if (command === "A") this.#row = Math.max(0, this.#row - Number(count || 1));
      else if (command === "J") this.#eraseBelow();
      else if (command !== "m") throw new Error(`unexpected control ${JSON.stringify(piece)}`);
    }
  }

  #put(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#newLine();
    else if (character < " ") throw new Error(`unexpected control ${JSON.stringify(character)}`);
    else {
      const width = displayWidth(character);
      if (this.#column + width > this.columns) this.#newLine();
      const row = this.#rows[this.#row] ?? "";
      this.#rows[this.#row] = row.slice(0, this.#column).padEnd(this.#column) + character + row.slice(this.#column + 1);
      this.#column += width;
    }
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.#row === this.#rows.length) this.#rows.push("");
  }

  #eraseBelow(): void {
    this.#rows[this.#row] = (this.#rows[this.#row] ?? "").slice(0, this.#column);
    this.#rows.splice(this.#row + 1);
  }
}
