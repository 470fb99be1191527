/**
 * Random numbers as a function of what they are for, never of what was drawn before: their key is (seed, purpose,
 * iteration, observation, try). So a run gets the same numbers whatever the batch size, and whether or not it was
 * killed and resumed.
 *
 * The function is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds of
 * multiplication and exchange turn a 128-bit counter into 128 random bits under a 64-bit key. A key's outputs are a
 * permutation of the counters, so different counters never give the same four words.
 */

/** What random numbers are for; each has its own stream. The codes are part of the format of a run: never renumber. */
const PURPOSE_CODES = {
  /** A try's sample while visiting. */
  sample: 1,
  /** The order in which a method without a queue visits the observations. */
  "visit-order": 2,
  /** Which of too many correct samples are kept. */
  keep: 3,
  /** The order of D₊ in a training pass. */
  "training-order": 4,
  /** Samples of an evaluation. */
  evaluate: 5,
  /** B-STaR's probes of a temperature. */
  probe: 6,
  /** Generated data sets. */
  data: 7,
  /** Initial weights and batches of pretraining. */
  pretrain: 8,
  /** Outcomes that a replay of a run's samples has to make up. */
  replay: 9,
  /** The rank that decides among observations with equal keys in the queue. */
  ties: 10,
  /** Which inputs of an adapter are dropped in an optimizer step. */
  dropout: 11,
  /** First values of an adapter. */
  adapter: 12,
  /** Which samples a language model judges; "judg" in ASCII. */
  "judge-choice": 0x6a756467,
} as const;

export type Purpose = keyof typeof PURPOSE_CODES;

/** Keeps the counters of `uniform` and `gaussian` apart from those of `seedFor`, whose last word is a purpose. */
const STREAM_CODE = 0;

const TWO_32 = 0x1_0000_0000;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const KEY_STEP_0 = 0x9e3779b9;
const KEY_STEP_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the product of two unsigned 32-bit integers, by 16-bit halves; the low 32 bits are `Math.imul`'s. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // Each of these is below 2^33 and exact in a double; only the last one is cut to 32 bits.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
}

/** Philox4x32-10: writes four unsigned 32-bit words to `out` for a counter of four words and a key of two. */
export function philox(
  out: Uint32Array,
  counter0: number,
  counter1: number,
  counter2: number,
  counter3: number,
  key0: number,
  key1: number,
): void {
  let c0 = counter0 >>> 0;
  let c1 = counter1 >>> 0;
  let c2 = counter2 >>> 0;
  let c3 = counter3 >>> 0;
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + KEY_STEP_0) >>> 0;
    k1 = (k1 + KEY_STEP_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Overwritten by every call below before it is read, so calls do not affect each other. */
const words = new Uint32Array(4);

/** The upper 53 bits of two 32-bit words, as an integer in [0, 2^53). */
function integer53(high: number, low: number): number {
  return (high >>> 5) * 0x400_0000 + (low >>> 6);
}

/**
 * The key of one thing's random numbers: an integer in [0, 2^53).
 *
 * @param seed the run's seed, an integer in [0, 2^53)
 * @param iteration t, an integer in [0, 2^32), as are the next two
 * @param observation index of the observation; 0 where the purpose has none
 * @param attempt number of the try, training pass or the like; 0 where the purpose has none
 */
export function seedFor(seed: number, purpose: Purpose, iteration = 0, observation = 0, attempt = 0): number {
  philox(words, observation, attempt, iteration, PURPOSE_CODES[purpose], seed, Math.floor(seed / TWO_32));
  return integer53(words[0], words[1]);
}

/** The random number in [0, 1) at place `counter` (an integer in [0, 2^53)) of the stream of `seed`; 53 random bits. */
export function uniform(seed: number, counter: number): number {
  philox(words, counter, Math.floor(counter / TWO_32), 0, STREAM_CODE, seed, Math.floor(seed / TWO_32));
  return integer53(words[0], words[1]) / 2 ** 53;
}

/** The standard normal number at place `counter` of the stream of `seed` (Box & Muller 1958). */
export function gaussian(seed: number, counter: number): number {
  philox(words, counter, Math.floor(counter / TWO_32), 1, STREAM_CODE, seed, Math.floor(seed / TWO_32));
  // In (0, 1], so that the logarithm is finite.
  const radius = (integer53(words[0], words[1]) + 1) / 2 ** 53;
  const angle = integer53(words[2], words[3]) / 2 ** 53;
  return Math.sqrt(-2 * Math.log(radius)) * Math.cos(2 * Math.PI * angle);
}

/** A random permutation of 0 … n − 1 (Fisher & Yates), n below 2^32. */
export function shuffled(n: number, seed: number): Uint32Array {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, i) * (i + 1));
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
  return order;
}
