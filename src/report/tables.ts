/** Tables as plain text for terminals, as Markdown for reports and as LaTeX for papers. */

import { sum } from "../statistics/descriptive.js";
import { clip, displayWidth, pad } from "./width.js";

export interface Column {
  readonly header: string;
  /** Used instead where space is short. */
  readonly shortHeader?: string;
  /** Numbers read best on the right. Default `left`. */
  readonly align?: "left" | "right";
}

export interface Table {
  readonly columns: readonly Column[];
  /** One cell a column; a row of another length is a bug of the caller. */
  readonly rows: readonly (readonly string[])[];
}

const GAP = "  ";

/**
 * Columns padded to their widest cell, a rule under the header, no trailing spaces. Where lines exceed `maxWidth`
 * cells, short headers are used and then the last left-aligned column is clipped; when even that is not enough, lines
 * stay as long as they are.
 */
export function renderText(table: Table, maxWidth = Number.POSITIVE_INFINITY): string {
  const cells = checked(table);
  let columns = table.columns;
  let widths = columnWidths(columns, cells);
  if (lineWidth(widths) > maxWidth) {
    columns = columns.map((column) => ({ ...column, header: column.shortHeader ?? column.header }));
    widths = columnWidths(columns, cells);
  }
  const excess = lineWidth(widths) - maxWidth;
  const elastic = columns.findLastIndex((column) => column.align !== "right");
  if (excess > 0 && elastic >= 0) {
    widths[elastic] = Math.max(displayWidth(columns[elastic].header), widths[elastic] - excess);
  }
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => pad(clip(cell, widths[i]), widths[i], columns[i].align ?? "left"))
      .join(GAP)
      .trimEnd();
  const header = line(columns.map((column) => column.header));
  const rule = widths.map((width) => "─".repeat(width)).join(GAP);
  return [header, rule, ...cells.map(line)].join("\n");
}

/** A GitHub-flavoured Markdown table; pipes in cells are escaped and line breaks become spaces. */
export function renderMarkdown(table: Table): string {
  const escapePipes = (cell: string) => cell.replace(/\|/g, "\\|");
  const cells = checked(table).map((row) => row.map(escapePipes));
  const columns = table.columns.map((column) => ({ ...column, header: escapePipes(column.header) }));
  const widths = columnWidths(columns, cells).map((width) => Math.max(3, width));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => pad(cell, widths[i], columns[i].align ?? "left")).join(" | ")} |`;
  const rule = columns.map((column, i) => {
    const width = widths[i];
    return column.align === "right" ? `${"-".repeat(width - 1)}:` : "-".repeat(width);
  });
  return [line(columns.map((column) => column.header)), `| ${rule.join(" | ")} |`, ...cells.map(line)].join("\n");
}

/**
 * A LaTeX table with rules of the booktabs package, which the document must load. Everything outside ASCII that tables
 * here use becomes a command, so that any engine and input encoding will do.
 */
export function renderLatex(table: Table, caption: string): string {
  const line = (cells: readonly string[]) => `  ${cells.map(escapeLatex).join(" & ")} \\\\`;
  const alignment = table.columns.map(({ align }) => (align === "right" ? "r" : "l")).join("");
  return [
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\begin{tabular}{${alignment}}`,
    "  \\toprule",
    line(table.columns.map(({ header }) => header)),
    "  \\midrule",
    ...checked(table).map(line),
    "  \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
  ].join("\n");
}

/** What TeX reads as a command, and the symbols of our tables. */
const LATEX: Readonly<Record<string, string | undefined>> = {
  "\\": "\\textbackslash{}",
  "#": "\\#",
  $: "\\$",
  "%": "\\%",
  "&": "\\&",
  _: "\\_",
  "{": "\\{",
  "}": "\\}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "|": "\\textbar{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  α: "$\\alpha$",
  β: "$\\beta$",
  σ: "$\\sigma$",
  "−": "$-$",
  "±": "$\\pm$",
  "×": "$\\times$",
  "·": "$\\cdot$",
  "≤": "$\\leq$",
  "≥": "$\\geq$",
  "–": "--",
  "…": "\\dots{}",
  "₊": "$_+$",
  "²": "$^2$",
  ᵗ: "$^t$",
};

function escapeLatex(text: string): string {
  return text.replace(/./gu, (symbol) => LATEX[symbol] ?? symbol);
}

/** Label and value pairs, values aligned; for facts rather than rows. */
export function renderPairs(pairs: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([label]) => displayWidth(label)));
  return pairs.map(([label, value]) => `${pad(label, width, "left")}${GAP}${value}`).join("\n");
}

function checked(table: Table): string[][] {
  return table.rows.map((row, i) => {
    if (row.length !== table.columns.length)
      throw new Error(`expected ${table.columns.length} cells in table row ${i}, got ${row.length}`);
    return row.map((cell) => cell.replace(/\s*[\r\n]+\s*/g, " "));
  });
}

function lineWidth(widths: readonly number[]): number {
  return sum(widths) + GAP.length * (widths.length - 1);
}

function columnWidths(columns: readonly Column[], cells: readonly (readonly string[])[]): number[] {
  return columns.map((column, i) =>
    cells.reduce((widest, row) => Math.max(widest, displayWidth(row[i])), displayWidth(column.header)),
  );
}
