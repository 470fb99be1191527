/**
 * Which of several comparisons stand when all of them may err together in at most `rate` of all tables (Holm 1979): the
 * smallest p value is held against rate / n, the next one against rate / (n − 1), and so on; the first that fails ends
 * it.
 *
 * @param ps p values; NaN, where there is none, never stands and does not count
 * @returns in the order of `ps`
 */
export function holm(ps: readonly number[], rate = 0.05): boolean[] {
  const ranked = ps.flatMap((p, i) => (Number.isNaN(p) ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const failed = ranked.findIndex(({ p }, rank) => p > rate / (ranked.length - rank));
  const standing = new Set((failed === -1 ? ranked : ranked.slice(0, failed)).map(({ i }) => i));
  return ps.map((_, i) => standing.has(i));
}
