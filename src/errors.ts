/**
 * An error the user can fix: bad input, bad configuration, a file that is not what it should be. The command line
 * prints its message and exits with 2; every other error is a bug and exits with 1.
 *
 * Write messages as "expected …, got …", then where, then what to do.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** Shortens a value for an error message, so that a message never carries a whole file. */
export function shown(value: unknown, limit = 80): string {
  const text = typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
