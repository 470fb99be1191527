import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { UserError } from "../../../src/errors.js";
import { type DownloadProgress, showDownloads } from "../../../src/hub/progress.js";
import { parseHubReference } from "../../../src/hub/reference.js";
import { openTask } from "../../../src/tasks/registry.js";
import { filesBelow, type HubServer, refuse, startHub } from "../../hub/hub-server.js";

const FIXTURES = fileURLToPath(new URL("../../fixtures/data/", import.meta.url));
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OLDER = "fedcba9876543210fedcba9876543210fedcba98";
const TRAIN = "main/train-00000-of-00001.parquet";

let hub: HubServer;
let home: string;

beforeEach(async () => {
  const revisions = { main: COMMIT, v1: OLDER, "refs/convert/parquet": OLDER };
  const served = (folder: string) => ({ revisions, files: filesBelow(join(FIXTURES, folder)) });
  hub = await startHub({
    "openai/gsm8k": served("gsm8k"),
    "ChilleD/SVAMP": served("svamp"),
    "allenai/ai2_arc": served("arc"),
    "tau/commonsense_qa": served("commonsense_qa"),
    "facebook/anli": served("anli"),
  });
  home = await mkdtemp(join(tmpdir(), "adastar-hub-"));
  vi.stubEnv("HF_ENDPOINT", `${hub.url}/`);
  vi.stubEnv("HF_HOME", home);
  for (const name of ["HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"]) vi.stubEnv(name, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  await rm(home, { recursive: true });
});

const snapshot = () => join(home, "hub", "datasets--openai--gsm8k", "snapshots", COMMIT);
const gsm8k = (data?: string) => openTask({ task: "gsm8k", data });

async function refusal(opened: Promise<unknown>): Promise<string> {
  const error: unknown = await opened.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

/** What lies in the cache that is not a whole file. */
async function leftovers(): Promise<string[]> {
  const names = existsSync(home) ? await readdir(home, { recursive: true }) : [];
  return names.filter((name) => name.endsWith(".incomplete"));
}

describe("references", () => {
  it.each([
    ["hub:openai/gsm8k", "openai/gsm8k", "main", ""],
    ["hub:openai/gsm8k/main/", "openai/gsm8k", "main", "main"],
    ["hub:a-b/c.d@v1.5", "a-b/c.d", "v1.5", ""],
    ["hub:a/b@refs/convert/parquet/default/train", "a/b", "refs/convert/parquet", "default/train"],
    ["hub:a/b@refs/pr/12", "a/b", "refs/pr/12", ""],
    ["hub:a/b@feature%2Fx/data", "a/b", "feature/x", "data"],
  ])("%s", (text, name, revision, path) => {
    expect(parseHubReference(text)).toEqual({ name, revision, path });
  });

  it.each([
    "hub:",
    "hub:gsm8k",
    "hub:../gsm8k",
    "hub:a/..",
    "hub:a/b@",
    "hub:a/b@..",
    "hub:a/b@x%2F..%2Fy",
    "hub:a//b",
    "hub:a/b c",
  ])("%s is none", (text) => {
    expect(() => parseHubReference(text)).toThrow(/expected hub:owner\/name/);
  });
});

describe("a data set on the hub", () => {
  it("is the default of a benchmark, found by its layout, and pinned", async () => {
    const task = await gsm8k();
    expect([task.train.map(({ answer }) => answer), task.test.map(({ answer }) => answer)]).toEqual([
      ["6", "80", "1400"],
      ["2200"],
    ]);
    expect(task.source?.pinned).toEqual({ data: `hub:openai/gsm8k@${COMMIT}` });
    expect(task.source?.where("train", 2)).toBe(`${join(snapshot(), TRAIN)}, row 3`);
    const read = new Set(hub.requests.flatMap((one) => one.split("/resolve/")[1] ?? []));
    expect([...read].sort()).toEqual([`${COMMIT}/main/test-00000-of-00001.parquet`, `${COMMIT}/${TRAIN}`]);
  });

  it.each([
    ["svamp", "ChilleD/SVAMP", ["30", "30"], ["30"]],
    ["arc_challenge", "allenai/ai2_arc", ["A", "B"], ["E"]],
    ["commonsense_qa", "tau/commonsense_qa", ["B"], ["D"]],
    [
      "anli_r1",
      "facebook/anli",
      ["entailment", "neutral", "contradiction"],
      ["entailment", "neutral", "contradiction"],
    ],
  ])("%s is read from %s", async (name, dataset, train, test) => {
    const task = await openTask({ task: name });
    expect(task.source?.pinned.data).toBe(`hub:${dataset}@${COMMIT}`);
    expect([task.train.map(({ answer }) => answer), task.test.map(({ answer }) => answer)]).toEqual([train, test]);
  });

  it("is downloaded once, and read without any request when pinned", async () => {
    const { source } = await gsm8k("hub:openai/gsm8k@v1");
    expect(source?.pinned.data).toBe(`hub:openai/gsm8k@${OLDER}`);
    hub.requests.length = 0;
    await gsm8k("hub:openai/gsm8k@v1");
    expect(hub.requests).toEqual(["GET /api/datasets/openai/gsm8k/revision/v1"]);
    await gsm8k(source?.pinned.data);
    expect(hub.requests.length).toBe(1);
    await hub.close();
    expect((await gsm8k(source?.pinned.data)).train.length).toBe(3);
  });

  it("goes by folder and by file", async () => {
    expect((await gsm8k("hub:openai/gsm8k@main/main")).source?.pinned.data).toBe(`hub:openai/gsm8k@${COMMIT}/main`);
    const file = await openTask({
      task: "gsm8k",
      data: `hub:openai/gsm8k/socratic/train-00000-of-00001.parquet`,
      eval: "hub:openai/gsm8k@v1/main",
    });
    expect([file.train.length, file.test.length]).toEqual([1, 1]);
    expect(file.source?.pinned.eval).toBe(`hub:openai/gsm8k@${OLDER}/main`);
    expect(await refusal(gsm8k("hub:openai/gsm8k/mian"))).toMatch(/got "mian"; it has the folders main, socratic/);
  });

  it("whose branch moves on is read anew, and as it was when pinned", async () => {
    const first = await gsm8k();
    const { files } = hub.datasets["openai/gsm8k"] ?? { files: {} };
    const shorter = Buffer.from('{"question": "q", "answer": "#### 5"}');
    hub.datasets["openai/gsm8k"] = {
      revisions: { main: OLDER },
      files: { "main/train.jsonl": shorter, "main/test.jsonl": shorter, "README.md": files["main/x"] ?? shorter },
    };
    expect((await gsm8k()).train.map(({ answer }) => answer)).toEqual(["5"]);
    expect((await gsm8k(first.source?.pinned.data)).train.length).toBe(3);
  });

  it("sends the token, which must look like one", async () => {
    vi.stubEnv("HF_TOKEN", "hf_secret");
    const seen = new Set<string | undefined>();
    hub.fault = (request) => {
      seen.add(request.headers.authorization);
      return false;
    };
    await gsm8k();
    expect([...seen]).toEqual(["Bearer hf_secret"]);
    vi.stubEnv("HF_TOKEN", "secret");
    const message = await refusal(gsm8k());
    expect(message).toMatch(/HF_TOKEN: expected an access token/);
    expect(message).not.toContain("secret");
  });
});

describe("refusals of the hub", () => {
  it("a name that is wrong, private or gated", async () => {
    const message = await refusal(gsm8k("hub:openai/gsm9k"));
    expect(message).toMatch(/the data set openai\/gsm9k .*status 401 \(Repository not found/);
    expect(message).toMatch(/private or gated.*\/datasets\/openai\/gsm9k and set HF_TOKEN/);
  });

  it("a gated data set with a token that may not read it", async () => {
    vi.stubEnv("HF_TOKEN", "hf_x");
    hub.fault = (_, response) => {
      refuse(response, 403, "Access to dataset openai/gsm8k is restricted");
      return true;
    };
    expect(await refusal(gsm8k())).toMatch(
      /status 403 \(Access .* is restricted.*use a token \(HF_TOKEN\) of an account/,
    );
  });

  it("an unknown revision", async () => {
    expect(await refusal(gsm8k("hub:openai/gsm8k@nowhere"))).toMatch(/revision nowhere .*status 404 \(Invalid rev id/);
  });

  it("a hub in trouble", async () => {
    hub.fault = (_, response) => {
      refuse(response, 503, "busy");
      return true;
    };
    expect(await refusal(gsm8k())).toMatch(/status 503 \(busy.*Try again later, or give a local folder/);
  });

  it("a hub that does not answer", async () => {
    vi.stubEnv("HF_HUB_ETAG_TIMEOUT", "0.1");
    hub.fault = () => true;
    expect(await refusal(gsm8k())).toMatch(/or on the hub, got neither: http.*: no answer within 0\.1 s/);
  });

  it("an answer that is no commit", async () => {
    hub.datasets["openai/gsm8k"] = { revisions: { main: "../.." }, files: {} };
    expect(await refusal(gsm8k())).toMatch(/expected a commit of openai\/gsm8k, got "\.\.\/\.\."/);
  });

  it("files that would lie outside the cache are no part of the data set", async () => {
    const row = Buffer.from('{"question": "q", "answer": "#### 5"}');
    hub.datasets["openai/gsm8k"] = {
      revisions: { main: COMMIT },
      files: { "../train.jsonl": row, "/test.jsonl": row, "a/../../train.jsonl": row },
    };
    expect(await refusal(gsm8k())).toMatch(
      /expected train\* and test\* .* got an empty folder|expected a folder or file/,
    );
    expect(hub.requests.filter((one) => one.includes("resolve"))).toEqual([]);
  });
});

describe("downloads", () => {
  /** Answers downloads of whole files with `answer`. */
  const tamper = (answer: (response: ServerResponse, content: Buffer) => void) => {
    hub.fault = (request, response) => {
      if (!request.url?.includes("/resolve/") || request.headers.range !== undefined) return false;
      const path = decodeURIComponent(request.url.split(`${COMMIT}/`)[1] ?? "");
      answer(response, hub.datasets["openai/gsm8k"]?.files[path] ?? Buffer.alloc(0));
      return true;
    };
  };

  it.each<[string, (response: ServerResponse, content: Buffer) => void, RegExp]>([
    [
      "a changed byte",
      (response, content) => response.end(Buffer.concat([content.subarray(1), Buffer.from("x")])),
      /sha256 digest [0-9a-f]{64} from the hub, got \d+ bytes with [0-9a-f]{64}: it was damaged/,
    ],
    ["a missing end", (response, content) => response.end(content.subarray(0, 100)), /got 100 bytes/],
  ])("%s is noticed, leaves nothing behind, and the next attempt succeeds", async (_, answer, message) => {
    tamper(answer);
    expect(await refusal(gsm8k())).toMatch(message);
    expect(await leftovers()).toEqual([]);
    expect(existsSync(join(snapshot(), TRAIN))).toBe(false);
    hub.fault = null;
    expect((await gsm8k()).train.length).toBe(3);
  });

  /** Breaks the connection after the first 100 bytes of a file; `again`: at once where the client asks for the rest. */
  const breakOff = (again: boolean) => {
    const ranges: string[] = [];
    hub.fault = (request, response) => {
      const { range } = request.headers;
      if (!request.url?.includes(TRAIN) || range === "bytes=0-0") return false;
      if (range !== undefined) {
        ranges.push(range);
        if (again) response.destroy();
        return again;
      }
      const content = hub.datasets["openai/gsm8k"]?.files[TRAIN] ?? Buffer.alloc(0);
      response.setHeader("Content-Length", content.length);
      response.write(content.subarray(0, 100), () => response.destroy());
      return true;
    };
    return ranges;
  };
  const size = () => hub.datasets["openai/gsm8k"]?.files[TRAIN]?.length ?? 0;

  it("a connection that breaks once is taken up again where it broke", async () => {
    const ranges = breakOff(false);
    expect((await gsm8k()).train.length).toBe(3);
    expect(ranges).toEqual([`bytes=100-${size() - 1}`]);
    expect(await leftovers()).toEqual([]);
  });

  it("a connection that breaks for good is reported, and the next attempt continues from what arrived", async () => {
    breakOff(true);
    expect(await refusal(gsm8k())).toMatch(/expected main\/.*parquet in the cache .* or from the hub, got neither/);
    expect((await leftovers()).length).toBe(1);
    expect(existsSync(join(snapshot(), TRAIN))).toBe(false);
    const ranges = breakOff(false);
    expect((await gsm8k()).train.length).toBe(3);
    expect(ranges).toEqual([`bytes=100-${size() - 1}`]);
    expect(await leftovers()).toEqual([]);
  });

  it("what an earlier attempt left is not trusted: a download that does not fit together starts over", async () => {
    breakOff(true);
    await refusal(gsm8k());
    const [partial = ""] = await leftovers();
    await writeFile(join(home, partial), "x".repeat(100));
    hub.fault = null;
    expect((await gsm8k()).train.length).toBe(3);
    expect(await leftovers()).toEqual([]);
  });

  it("are shown as they go on", async () => {
    const shown: DownloadProgress[] = [];
    showDownloads((progress) => shown.push(progress));
    onTestFinished(() => showDownloads(() => {}));
    await gsm8k();
    const train = shown.filter(({ path }) => path === TRAIN);
    expect([train[0]?.received, train.at(-1)]).toEqual([
      0,
      { name: "openai/gsm8k", path: TRAIN, received: size(), size: size() },
    ]);
  });

  it("git's digest guards small files", async () => {
    const row = Buffer.from('{"question": "q", "answer": "#### 5"}');
    hub.datasets["openai/gsm8k"] = { revisions: { main: COMMIT }, files: { "train.jsonl": row, "test.jsonl": row } };
    tamper((response, content) => response.end(Buffer.from(content.toString().replace("5", "6"))));
    expect(await refusal(gsm8k())).toMatch(/git digest [0-9a-f]{40} from the hub, got 37 bytes with [0-9a-f]{40}/);
    hub.fault = null;
    expect((await gsm8k()).train[0]?.answer).toBe("5");
  });

  it("a damaged file in the cache is replaced", async () => {
    await gsm8k();
    await truncate(join(snapshot(), TRAIN), 50);
    expect((await gsm8k()).train.length).toBe(3);
    await writeFile(join(home, "hub", "datasets--openai--gsm8k", "adastar", `${COMMIT}.json`), "{");
    expect((await gsm8k()).train.length).toBe(3);
  });

  it("two at once do not disturb each other", async () => {
    const tasks = await Promise.all([gsm8k(), gsm8k(), gsm8k()]);
    expect(tasks.map((task) => task.train.length)).toEqual([3, 3, 3]);
    expect(await leftovers()).toEqual([]);
  });

  it("a cache that cannot be written is named", async () => {
    await writeFile(join(home, "file"), "");
    vi.stubEnv("HF_HUB_CACHE", join(home, "file", "cache"));
    expect(await refusal(gsm8k())).toMatch(/expected a cache folder that can be written \(HF_HOME\), got: ENOTDIR/);
  });
});

describe("offline", () => {
  it("without a cached copy: says so, and what to do", async () => {
    await hub.close();
    const message = await refusal(gsm8k());
    expect(message).toMatch(
      /data set openai\/gsm8k at main in the cache \(.*hub\) or on the hub, got neither: .*ECONNREFUSED/,
    );
    expect(message).toMatch(/download the data set's files elsewhere and give their folder/);
  });

  it("with a cached copy: a branch is what it was last time", async () => {
    await gsm8k();
    await hub.close();
    const task = await gsm8k();
    expect([task.train.length, task.source?.pinned.data]).toEqual([3, `hub:openai/gsm8k@${COMMIT}`]);
  });

  it("with a part of it: names the file that is missing", async () => {
    await gsm8k();
    await rm(join(snapshot(), TRAIN));
    await hub.close();
    expect(await refusal(gsm8k())).toMatch(/expected main\/train-00000-of-00001\.parquet in the cache/);
  });

  it("HF_HUB_OFFLINE asks nobody", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await refusal(gsm8k())).toMatch(/got neither: HF_HUB_OFFLINE is set/);
    expect(await refusal(gsm8k(`hub:openai/gsm8k@${COMMIT}`))).toMatch(/HF_HUB_OFFLINE is set/);
    expect(hub.requests).toEqual([]);
    vi.stubEnv("HF_HUB_OFFLINE", undefined);
    await gsm8k();
    hub.requests.length = 0;
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect((await gsm8k()).train.length).toBe(3);
    expect(hub.requests).toEqual([]);
  });

  it("files lie where Python's client looks for them", async () => {
    await gsm8k();
    expect((await stat(join(snapshot(), TRAIN))).isFile()).toBe(true);
  });
});
