/**
 * The engine's contract against a real server: `npm run test:tinker -- --url http://127.0.0.1:8000 --model FOLDER`.
 * What stands after `--` goes to vitest, such as `-t "lowers the loss"`.
 */

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { url: { type: "string" }, model: { type: "string" }, rank: { type: "string", default: "8" } },
  allowPositionals: true,
});
if (values.url === undefined || values.model === undefined) {
  console.error("expected --url of a server and --model, a folder with the checkpoint that the server has");
  process.exit(2);
}
const { status } = spawnSync("npx", ["vitest", "run", "test/engine/tinker/real-server.test.ts", ...positionals], {
  stdio: "inherit",
  env: {
    ...process.env,
    ADASTAR_TINKER_URL: values.url,
    ADASTAR_TINKER_MODEL: values.model,
    ADASTAR_TINKER_RANK: values.rank,
  },
});
process.exit(status ?? 1);
