/** Where a generation ends by a stop text. */

interface Stop {
  /** Characters [start, end) of the text are the stop text. */
  readonly start: number;
  readonly end: number;
}

/**
 * The stop text that is complete first, as if the text were written one character after the other; of several that end
 * there, the one that begins first. Only those count that end after `from`, up to which the text was searched before.
 */
export function firstStop(text: string, stops: readonly string[], from = 0): Stop | undefined {
  return stops
    .map((stop) => {
      const start = text.indexOf(stop, Math.max(0, from - stop.length + 1));
      return { start, end: start + stop.length };
    })
    .filter(({ start }) => start >= 0)
    .sort((a, b) => a.end - b.end || a.start - b.start)[0];
}
