/** The benchmarks. A further one is a file here that describes its data set, and a row below. */

import type { Dataset } from "../datasets/dataset.js";
import { anliR1 } from "./anli-r1.js";
import { arcChallenge } from "./arc-challenge.js";
import { cladder } from "./cladder.js";
import { commonsenseQa } from "./commonsense-qa.js";
import { gsm8k } from "./gsm8k.js";
import { svamp } from "./svamp.js";

/** The paper's six, in the order in which `adastar tasks` lists them. */
export const BENCHMARKS: readonly Dataset[] = [svamp, gsm8k, arcChallenge, commonsenseQa, cladder, anliR1];
