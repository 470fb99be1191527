/** Student's t distribution with a whole number of degrees of freedom. */

/**
 * P(|T| > t) by the closed forms for whole degrees of freedom (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
 *
 * @param t not negative; ∞ gives 0
 * @param degrees a whole number of at least 1
 */
export function twoSidedTail(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const cos2 = Math.cos(angle) ** 2;
  const odd = degrees % 2 === 1;
  // Term k of the series is the last one times (k − 1) / k · cos² θ, with k of the parity of the degrees.
  let term = odd ? Math.cos(angle) : 1;
  let series = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= ((k - 1) / k) * cos2;
    series += term;
  }
  const inside = Math.sin(angle) * series;
  return Math.max(0, 1 - (odd ? (2 / Math.PI) * (angle + inside) : inside));
}

/** The t with P(|T| > t) = `tail`, by bisection. */
export function twoSidedQuantile(tail: number, degrees: number): number {
  let low = 0;
  let high = 1;
  while (twoSidedTail(high, degrees) > tail) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (twoSidedTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
}
