/** Values of Parquet columns as the numbers and texts that a person would write for them. */

import type { SchemaTree } from "hyparquet";
import { UserError } from "../../../errors.js";

/**
 * The value of a column, or of a whole row under the schema's root. 64-bit integers become numbers where those are
 * exact, else their digits; 32-bit floats become their shortest decimal (0.1, not 0.10000000149011612); decimals keep
 * their scale. Everything else stays as it is. Throws UserError naming `where` for a decimal whose digits the reader
 * has lost.
 */
export function exactValue(value: unknown, column: SchemaTree, where: string): unknown {
  if (Array.isArray(value)) return value.map((item) => exactValue(item, column, where));
  if (typeof value === "bigint") return exactInteger(value);
  if (typeof value === "number") return exactNumber(value, leafOf(column), where);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, exactValue(item, childOf(column, name), where)]),
  );
}

function exactInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function exactNumber(value: number, { element, path }: SchemaTree, where: string): number {
  if (element.type === "FLOAT") return shortestFloat(value);
  if (element.converted_type !== "DECIMAL") return value;
  const scale = element.scale ?? 0;
  if (!Number.isSafeInteger(Math.round(value * 10 ** scale))) {
    throw new UserError(
      `${where}: expected a decimal of at most 15 digits in ${path.join(".")}, got one of about ${value}, whose last digits are not read; write the column as text`,
    );
  }
  return Number(value.toFixed(scale));
}

/** The decimal of the fewest digits that is nearest to this 32-bit float and no other. */
function shortestFloat(value: number): number {
  // Any two of them differ in their first nine digits.
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number.isFinite(value) ? Number(value.toPrecision(9)) : value;
}

/** The column within `column` that holds its numbers: a list has its elements two levels down. */
function leafOf(column: SchemaTree): SchemaTree {
  const [only] = column.children;
  return only === undefined ? column : leafOf(only);
}

/** The field `name` of a group, or of the groups that a list holds; of a map the column of its values. */
function childOf(column: SchemaTree, name: string): SchemaTree {
  if (column.element.converted_type === "MAP" || column.element.logical_type?.type === "MAP") {
    return column.children[0].children.at(-1) ?? column;
  }
  const child = column.children.find(({ element }) => element.name === name);
  if (child !== undefined) return child;
  return column.children.length === 1 ? childOf(column.children[0], name) : column;
}
