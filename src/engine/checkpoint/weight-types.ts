/** How weights are kept in files; in memory they are float32. */
export const WEIGHT_TYPES = ["float32", "bfloat16", "float16"] as const;
export type WeightType = (typeof WEIGHT_TYPES)[number];
