/** Comma-separated values (RFC 4180, but with a bare newline at the end of a row). */

export type CsvCell = string | number | boolean | null;

/**
 * A header and its rows. A value that does not exist, null or NaN, is left empty; texts are quoted where they must be.
 */
export function csvText(header: readonly string[], rows: Iterable<readonly CsvCell[]>): string {
  return [header, ...rows].map((row) => `${csvRow(row)}\n`).join("");
}

/** One row, without its end. */
export function csvRow(row: readonly CsvCell[]): string {
  return row.map(csvCell).join(",");
}

function csvCell(value: CsvCell): string {
  if (value === null || Number.isNaN(value)) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
