// One trap of the WebGPU runtime in a process of its own, since some of them end the process.
// Arguments: the trap's name, a model (base64) and the names of its outputs y = a + 1 and z = 10 · a.
import { Buffer } from "node:buffer";
import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";

const [trap, encoded, y, z] = isMainThread ? process.argv.slice(2) : workerData;
const model = Buffer.from(encoded, "base64");
const SIZE = 8;

const open = (provider = "webgpu", options = {}) =>
  InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 4, ...options });
const resident = (provider = "webgpu") => open(provider, { preferredOutputLocation: "gpu-buffer" });
const host = (value) => new Tensor("float32", new Float32Array(SIZE).fill(value), [SIZE]);
const onDevice = async (value) => (await (await resident()).run({ a: host(value - 1) }))[y];
const valueIn = async (tensor) => (await (await open()).run({ a: tensor }))[z].data[0] / 10;
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const TRAPS = {
  async download() {
    const tensor = await onDevice(5);
    say(tensor.location);
    await tensor.getData();
    say("survived");
  },
  async data() {
    const tensor = await onDevice(5);
    try {
      say(tensor.data);
    } catch {
      say("threw");
    }
  },
  async "cpu session"() {
    const tensor = await onDevice(5);
    say((await (await open("cpu")).run({ a: tensor }))[y].data[0]);
  },
  async fetch() {
    const [input, target, ignored] = [await onDevice(5), await onDevice(100), await onDevice(100)];
    await (await open()).run({ a: input }, { [y]: target, [z]: null });
    await (await resident()).run({ a: input }, { [y]: ignored, [z]: null });
    say([await valueIn(target), await valueIn(ignored)]);
  },
  async options() {
    const outcome = (options) =>
      open("webgpu", options).then(
        () => "accepted",
        () => "refused",
      );
    const direct = (option) =>
      open({ name: "webgpu", ...option }).then(
        () => "accepted",
        () => "refused",
      );
    say([
      await direct({ validationMode: "nonsense" }),
      await outcome({ extra: { ep: { webgpuexecutionprovider: { validationMode: "nonsense" } } } }),
      await direct({ powerPreference: "high-performance" }),
      await direct({ deviceId: 0 }),
    ]);
  },
  async disposed() {
    const tensor = await onDevice(5);
    tensor.dispose();
    say(
      await valueIn(tensor).then(
        () => "accepted",
        () => "threw",
      ),
    );
  },
  async threads() {
    const threads = [0, 1].map(() => new Worker(new URL(import.meta.url), { workerData: ["work", encoded, y, z] }));
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.on("exit", resolve))));
    say("survived");
  },
  async work() {
    const session = await open();
    for (let i = 0; i < 2000; i++) await session.run({ a: host(i) });
  },
};

await TRAPS[trap]();
