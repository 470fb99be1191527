import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { TEST_IDS } from "../../../src/tasks/benchmarks/cladder-split.js";
import { openTask } from "../../../src/tasks/registry.js";
import { selfCheck } from "../../../src/tasks/verifiers/self-check.js";

const DATA = fileURLToPath(new URL("../../../../shared/data/", import.meta.url));

/** Rows of the public files: [train, test]. Partial where the full file is not to be had. */
const SETS: Readonly<Record<string, readonly [number, number]>> = {
  svamp: [800, 200],
  gsm8k: [7473, 1319],
  arc_challenge: [1418, 1172],
  commonsense_qa: [9741, 1221],
  cladder: [3924, 2023],
  anli_r1: [1000, 1000],
};

describe("the six public sets", () => {
  for (const [task, [train, test]] of Object.entries(SETS)) {
    const folder = `${DATA}${task}`;
    it.skipIf(!existsSync(folder))(
      `${task}: every gold answer verifies and no other does (needs ${folder})`,
      async () => {
        const opened = await openTask({ task, data: folder });
        expect([opened.train.length, opened.test.length]).toEqual([train, test]);
        const report = selfCheck(opened);
        expect(report.failures).toEqual([]);
        expect(report).toMatchObject({ task, rows: train + test, goldVerified: train + test, wrongAccepted: 0 });
      },
    );
  }

  it.skipIf(!existsSync(`${DATA}cladder`))(
    `cladder: the split of the release in one piece is the paper's (needs ${DATA}cladder)`,
    async () => {
      const { train, test } = await openTask({ task: "cladder", data: `${DATA}cladder` });
      expect(new Set(test.map(({ id }) => Number(id)))).toEqual(TEST_IDS);
      expect(train.filter(({ id }) => TEST_IDS.has(Number(id)))).toEqual([]);
    },
  );
});
