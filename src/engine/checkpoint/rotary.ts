/** Rotary positions (Su et al. 2021) and the ways in which families stretch them to longer contexts. */

/** Every position divided by one factor (Chen et al. 2023, position interpolation). */
interface LinearScaling {
  readonly kind: "linear";
  readonly factor: number;
}

/** Frequencies stretched by wavelength, as Llama 3.1 and later do. */
interface Llama3Scaling {
  readonly kind: "llama3";
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  /** The context length before scaling, in tokens. */
  readonly originalContextLength: number;
}

/** Low frequencies interpolated, high ones kept, a ramp between (Peng et al. 2023, YaRN). */
interface YarnScaling {
  readonly kind: "yarn";
  readonly factor: number;
  /** Turns within the original context above which a frequency is kept, and below which it is fully interpolated. */
  readonly betaFast: number;
  readonly betaSlow: number;
  readonly originalContextLength: number;
  /** Whether the ramp begins and ends at whole dimensions. */
  readonly truncate: boolean;
  /** Factor on cosines and sines. */
  readonly attentionFactor: number;
}

/**
 * Each frequency divided by a factor of its own, for sequences within the original context (Ding et al. 2024,
 * LongRoPE).
 */
interface LongRopeScaling {
  readonly kind: "longrope";
  /** [dimensions / 2] */
  readonly shortFactors: readonly number[];
  /** For longer sequences, which this engine does not take; kept to be written. */
  readonly longFactors: readonly number[];
  readonly originalContextLength: number;
  readonly attentionFactor: number;
}

/** Frequencies that change once a sequence exceeds the context length, which this engine does not let happen. */
interface DynamicScaling {
  readonly kind: "dynamic";
  readonly factor: number;
}

export type RotaryScaling = LinearScaling | Llama3Scaling | YarnScaling | LongRopeScaling | DynamicScaling;

export interface Rotary {
  readonly theta: number;
  /** The leading dimensions of each head that turn, an even number; the rest passes unchanged. */
  readonly dimensions: number;
  readonly scaling: RotaryScaling | null;
}

/** Cosines and sines of rotary angles. */
export interface RotaryTables {
  /**
   * [positions, dimensions / 2], row-major: entry (p, i) belongs to position p and the dimensions i, i + dimensions /
   * 2.
   */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

const round = Math.fround;

/**
 * Tables for positions 0 .. positions − 1. Frequencies and angles are rounded to float32 where transformers does so: at
 * position 8000 the rounding of an angle is far larger than that of its cosine.
 */
export function rotaryTables(rotary: Rotary, positions: number): RotaryTables {
  const frequencies = scaledFrequencies(rotary);
  const { scaling } = rotary;
  const factor = scaling !== null && "attentionFactor" in scaling ? scaling.attentionFactor : 1;
  const pairs = frequencies.length;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = round(position * frequencies[pair]);
      cos[position * pairs + pair] = Math.cos(angle) * factor;
      sin[position * pairs + pair] = Math.sin(angle) * factor;
    }
  }
  return { cos, sin };
}

/** Radians per position of each pair of dimensions, [dimensions / 2]. */
function scaledFrequencies(rotary: Rotary): Float32Array {
  const { scaling } = rotary;
  const wavelengths = plainWavelengths(rotary);
  const frequencies = wavelengths.map((wavelength) => 1 / wavelength);
  switch (scaling?.kind) {
    case undefined:
    case "dynamic":
      return frequencies;
    case "linear":
      return frequencies.map((frequency) => frequency / scaling.factor);
    case "llama3":
      return frequencies.map((frequency) => llama3Frequency(frequency, scaling));
    case "longrope":
      return wavelengths.map((wavelength, pair) => 1 / round(round(scaling.shortFactors[pair]) * wavelength));
    case "yarn":
      return yarnFrequencies(wavelengths, rotary.theta, rotary.dimensions, scaling);
  }
}

/** Positions per radian, θ^(2i/d). */
function plainWavelengths({ theta, dimensions }: Rotary): Float32Array {
  return Float32Array.from({ length: dimensions / 2 }, (_, pair) => theta ** round((2 * pair) / dimensions));
}

/** Long wavelengths are stretched by `factor`, short ones stay, those between are blended. */
function llama3Frequency(frequency: number, scaling: Llama3Scaling): number {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength } = scaling;
  const wavelength = round((2 * Math.PI) / frequency);
  if (wavelength > originalContextLength / low) return frequency / factor;
  if (wavelength < originalContextLength / high) return frequency;
  const kept = round(round(round(originalContextLength / wavelength) - low) / (high - low));
  return round(round(round(1 - kept) * frequency) / factor) + round(kept * frequency);
}

function yarnFrequencies(
  wavelengths: Float32Array,
  theta: number,
  dimensions: number,
  { factor, betaFast, betaSlow, originalContextLength, truncate }: YarnScaling,
): Float32Array {
  /** The dimension whose frequency turns so many times within the original context. */
  const dimensionOf = (turns: number) =>
    (dimensions * Math.log(originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [first, last] = [dimensionOf(betaFast), dimensionOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const end = Math.min(truncate ? Math.ceil(last) : last, dimensions - 1);
  const high = end === low ? end + 0.001 : end;
  return wavelengths.map((wavelength, pair) => {
    const interpolated = round(1 / round(factor * wavelength));
    const ramp = Math.min(1, Math.max(0, round(round(pair - round(low)) / round(high - low))));
    const kept = round(1 - ramp);
    return round(interpolated * round(1 - kept)) + round(round(1 / wavelength) * kept);
  });
}
