import { describe, expect, test } from "vitest";
import { downloadDisplay } from "../../src/cli/download-display.js";

/** What the display writes for a file of this size, reported at each hundredth. */
function shown(size: number, terminal: { readonly isTTY: boolean; readonly columns?: number }): string {
  let written = "";
  const stream = { ...terminal, write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
  const display = downloadDisplay(stream);
  for (let percent = 0; percent <= 100; percent++) {
    display({ name: "owner/name", path: "model.safetensors", received: Math.floor((size * percent) / 100), size });
  }
  return written;
}

describe("a download", () => {
  test("is a line each tenth in a log", () => {
    const lines = shown(5e8, { isTTY: false }).trimEnd().split("\n");
    expect(lines.length).toBe(11);
    expect(lines[3]).toBe("downloading model.safetensors of owner/name: 30 % (150.0 of 500.0 MB)");
  });

  test("is one line on a terminal, within its width, that stays when it is done", () => {
    const written = shown(5e8, { isTTY: true, columns: 60 });
    expect(written.match(/\n/g)?.length).toBe(1);
    expect(written).toMatch(/100 % .*\n$/);
    for (const line of written.split("\r\x1b[K")) expect(line.trimEnd().length).toBeLessThan(60);
  });

  test("of a small file is not shown", () => {
    expect([shown(1e5, { isTTY: true, columns: 80 }), shown(3e6, { isTTY: false })]).toEqual(["", ""]);
  });
});
