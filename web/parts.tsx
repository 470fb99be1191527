import type { ComponentChildren } from "preact";
import type { Table } from "../src/report/tables.js";
import type { RunStatus } from "../src/run/directory/status.js";

/** What stands in for content that is not there (yet), and what to do about it. */
export function Message({ children, kind = "note" }: { children: ComponentChildren; kind?: "note" | "error" }) {
  return (
    <div class={`message ${kind}`} role={kind === "error" ? "alert" : "status"}>
      {children}
    </div>
  );
}

const STATUS: Readonly<Record<RunStatus["kind"], { readonly mark: string; readonly text: string }>> = {
  running: { mark: "●", text: "running" },
  finished: { mark: "✓", text: "finished" },
  interrupted: { mark: "‖", text: "interrupted" },
  failed: { mark: "✕", text: "failed" },
};

export function Status({ status }: { status: RunStatus }) {
  const { mark, text } = STATUS[status.kind];
  return (
    <span class={`status ${status.kind}`}>
      <span aria-hidden="true">{mark}</span> {text}
    </span>
  );
}

export function DataTable({ table, caption }: { table: Table; caption: string }) {
  return (
    <section class="scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {table.columns.map(({ header, align }) => (
              <th key={header} scope="col" class={align === "right" ? "number" : ""}>
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr key={row.join("|")}>
              {row.map((cell, i) => (
                <td key={table.columns[i].header} class={table.columns[i].align === "right" ? "number" : ""}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A choice of one among few, as buttons. */
export function Choice<T extends string>(props: {
  readonly label: string;
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly value: T;
  readonly onChoose: (value: T) => void;
}) {
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{props.label}</legend>
      {props.options.map(([value, text]) => (
        <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.onChoose(value)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}

export function Sparkline({ values }: { values: readonly number[] }) {
  if (values.length < 2) return null;
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const at = (value: number, i: number) => `${(i / (values.length - 1)) * 88 + 2},${22 - ((value - low) / span) * 20}`;
  return (
    <svg class="spark" viewBox="0 0 92 24" width="92" height="24" aria-hidden="true">
      <polyline points={values.map(at).join(" ")} fill="none" stroke="var(--series-0)" stroke-width="1.5" />
    </svg>
  );
}
