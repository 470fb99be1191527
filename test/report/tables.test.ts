import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderLatex, renderMarkdown, renderPairs, renderText, type Table } from "../../src/report/tables.js";
import { clip, displayWidth } from "../../src/report/width.js";

const table: Table = {
  columns: [{ header: "method" }, { header: "α", align: "right" }, { header: "note" }],
  rows: [
    ["adastar", "0.62", "short"],
    ["star", "0.5", "a | b"],
  ],
};

describe("displayWidth", () => {
  test.each([
    ["abc", 3],
    ["α |D₊|", 6],
    ["日本語", 6],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    ["👍🏽", 2],
    ["👩‍👩‍👧", 2],
    ["✔", 1],
    ["✔️", 2],
    ["한국", 4],
    ["", 0],
  ])("%s takes %i cells", (text, cells) => expect(displayWidth(text)).toBe(cells));
});

test("clip never exceeds the width and keeps whole graphemes", () => {
  expect(clip("accuracy", 5)).toBe("accu…");
  expect(clip("日本語", 4)).toBe("日…");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, width) => {
      const clipped = clip(text, width);
      expect(displayWidth(clipped)).toBeLessThanOrEqual(width);
      if (displayWidth(text) <= width) expect(clipped).toBe(text);
    }),
  );
});

describe("renderText", () => {
  test("aligns by cells and leaves no trailing space", () => {
    expect(renderText(table)).toBe(
      ["method      α  note", "───────  ────  ─────", "adastar  0.62  short", "star      0.5  a | b"].join("\n"),
    );
  });

  test("clips the last left-aligned column to the given width", () => {
    const long = { ...table, rows: [["adastar", "0.62", "a note that goes on and on"]] };
    const lines = renderText(long, 24).split("\n");
    expect(Math.max(...lines.map(displayWidth))).toBe(24);
    expect(lines[2]).toBe("adastar  0.62  a note t…");
  });

  test("prefers short headers to clipping", () => {
    const columns = [{ header: "iteration", shortHeader: "iter", align: "right" }, { header: "note" }] as const;
    const rows = [["1", "long enough"]];
    expect(renderText({ columns, rows }, 22)).toContain("iteration");
    expect(renderText({ columns, rows }, 21)).toBe("iter  note\n────  ───────────\n   1  long enough");
    expect(renderText({ columns, rows }, 12)).toBe("iter  note\n────  ──────\n   1  long …");
  });

  test("every line of a table with wide characters is as wide as its rule", () => {
    const wide: Table = {
      columns: [{ header: "問" }, { header: "n", align: "right" }],
      rows: [
        ["日本", "1"],
        ["a", "10"],
      ],
    };
    const [, rule = "", ...rows] = renderText(wide).split("\n");
    for (const row of rows) expect(displayWidth(row)).toBe(displayWidth(rule));
  });

  test("line breaks in cells become spaces; a row of the wrong length is refused", () => {
    expect(renderText({ columns: [{ header: "q" }], rows: [["a\r\nb"]] })).toContain("a b");
    expect(() => renderText({ columns: [{ header: "q" }], rows: [["a", "b"]] })).toThrow(
      "expected 1 cells in table row 0, got 2",
    );
  });
});

test("renderMarkdown marks alignment and escapes pipes", () => {
  expect(renderMarkdown(table)).toBe(
    [
      "| method  |    α | note   |",
      "| ------- | ---: | ------ |",
      "| adastar | 0.62 | short  |",
      "| star    |  0.5 | a \\| b |",
    ].join("\n"),
  );
});

test("renderLatex escapes what TeX would read, and needs nothing but booktabs", () => {
  const symbols: Table = {
    columns: [{ header: "method_x" }, { header: "α ≥ 5 %", align: "right" }],
    rows: [
      ["a & b\\{#$}", "−0.5 – |D₊|"],
      ["~^<>", "1 ± 2 × 3² · βᵗ…"],
    ],
  };
  const text = renderLatex(symbols, "50 % of it");
  expect(text).toBe(
    String.raw`\begin{table}
  \centering
  \caption{50 \% of it}
  \begin{tabular}{lr}
  \toprule
  method\_x & $\alpha$ $\geq$ 5 \% \\
  \midrule
  a \& b\textbackslash{}\{\#\$\} & $-$0.5 -- \textbar{}D$_+$\textbar{} \\
  \textasciitilde{}\textasciicircum{}\textless{}\textgreater{} & 1 $\pm$ 2 $\times$ 3$^2$ $\cdot$ $\beta$$^t$\dots{} \\
  \bottomrule
  \end{tabular}
\end{table}`,
  );
});

test("renderPairs aligns the values", () => {
  expect(
    renderPairs([
      ["time", "2 s"],
      ["run directory", "runs/a"],
    ]),
  ).toBe("time           2 s\nrun directory  runs/a");
});
