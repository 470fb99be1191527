import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunReader } from "../../src/run/directory/reader.js";
import { startRun } from "../../src/run/loop/runner.js";
import { crc32c, eventFile } from "../../src/trackers/event-file.js";
import { adastar } from "../cli/in-process.js";
import { freshDir, smallConfig, smallTask } from "../run/small-run.js";

test("CRC-32C of RFC 3720's examples", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

test("an event is laid out as Protocol Buffers lay it out", () => {
  const file = eventFile([{ tag: "a", time: 1, step: 300, value: 0.5 }]);
  // After the version's record of 12 + 24 + 4 bytes and the length with its checksum.
  expect(file.subarray(40 + 12, -4).toString("hex")).toBe(
    `09000000000000f03f${"10ac02"}${"2a0a"}${"0a08"}${"0a0161"}${"150000003f"}`,
  );
});

test("a run becomes one file, the same each time", async () => {
  const { runDir } = await startRun(smallConfig(), [], { task: smallTask });
  const out = freshDir();
  const path = join(out, "run", "events.out.tfevents.0.adastar");
  expect((await adastar(["track", runDir, "--out", out])).code).toBe(0);
  const first = readFileSync(path);
  let records = 0;
  for (let at = 0; at < first.length; records++) at += 16 + Number(first.readBigUInt64LE(at));
  expect(records).toBe(1 + 1 + 11 * RunReader.open(runDir).records.length);
  await adastar(["track", runDir, "--out", out]);
  expect(readFileSync(path).equals(first)).toBe(true);
});
