/** Conversions between float32 and the two 16-bit types, on raw bits. */

/** float32 bits of every float16, made on first use: 256 KiB. */
let halfTable: Uint32Array | undefined;

function halfBitsToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal: shift the leading 1 up to the implicit position; each shift costs one from the exponent.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

function tableOfHalves(): Uint32Array {
  halfTable ??= Uint32Array.from({ length: 1 << 16 }, (_, half) => halfBitsToFloatBits(half));
  return halfTable;
}

/**
 * Widens in place: the upper half of the memory of `values` holds its elements as 16-bit floats, in order. Going
 * upwards, element i is written to bytes [4i, 4i + 4), which end at or before 2n + 2i + 2, where the first unread
 * 16-bit element begins.
 */
export function widenInPlace(values: Float32Array, from: "F16" | "BF16"): void {
  const { buffer, byteOffset, length } = values;
  const bits = new Uint32Array(buffer, byteOffset, length);
  const halves = new Uint16Array(buffer, byteOffset + 2 * length, length);
  if (from === "BF16") {
    for (let i = 0; i < length; i++) bits[i] = halves[i] << 16;
  } else {
    const table = tableOfHalves();
    for (let i = 0; i < length; i++) bits[i] = table[halves[i]];
  }
}

/**
 * Rounds float32 values to bfloat16 bits, to nearest and ties to even; NaN stays NaN (quiet), overflow becomes
 * infinity.
 */
export function toBfloat16(values: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i];
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    // Adding half a unit less one, plus the bit that will be last, carries exactly when rounding goes up.
    target[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

/**
 * Rounds float32 values to float16 bits, to nearest and ties to even; NaN stays NaN (quiet), overflow becomes infinity.
 */
export function toFloat16(values: Float32Array, target: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) target[i] = halfBits(bits[i]);
}

function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65520 on, halfway between the largest float16 and the next power of two.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // From 2^-14 on: the exponent moves from bias 127 to 15; as above, the addition rounds.
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Subnormal: multiples of 2^-24, rounded by hand as the number of dropped bits varies.
  const dropped = 126 - (magnitude >>> 23);
  if (dropped > 24) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const kept = fraction >>> dropped;
  const rest = fraction & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  return sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
}
