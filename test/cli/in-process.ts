import { vi } from "vitest";
import { runCommandLine } from "../../src/cli/program.js";

/** Runs a command line in this process; what it writes is caught. */
export async function adastar(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += text;
      return true;
    });
  }
  try {
    return { code: await runCommandLine(args), ...written };
  } finally {
    vi.restoreAllMocks();
  }
}
