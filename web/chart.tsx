import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { DARK, drawFigure, LIGHT, type Palette } from "../src/report/charts/draw.js";
import { type Figure, figureCsv, figureTable, pointText } from "../src/report/charts/figure.js";
import { DataTable } from "./parts.js";

/** On the page colours are those of the theme (style.css takes them from the same palettes; see `installPalettes`). */
const PAGE: Palette = {
  ink: "var(--ink)",
  muted: "var(--muted)",
  grid: "var(--grid)",
  surface: "var(--surface)",
  series: LIGHT.series.map((_, i) => `var(--series-${i})`),
  heat: LIGHT.heat.map((_, i) => `var(--heat-${i})`),
};
const EXPORT_SIZE = { width: 900, height: 420 };

/** A figure with its legend, a readout under the pointer or the arrow keys, its data as a table, and exports. */
export function Chart({ figure, height = 220 }: { figure: Figure; height?: number }) {
  const [asTable, setAsTable] = useState(false);
  return (
    <section class="card chart" aria-label={figure.title}>
      <header>
        <h3>{figure.title}</h3>
        <details class="menu">
          <summary aria-label={`Options of ${figure.title}`}>⋯</summary>
          <div>
            <button type="button" onClick={() => setAsTable(!asTable)}>
              {asTable ? "Show the chart" : "Show as a table"}
            </button>
            <button type="button" onClick={() => exportSvg(figure)}>
              Save SVG
            </button>
            <button type="button" onClick={() => exportPng(figure)}>
              Save PNG
            </button>
            <button
              type="button"
              onClick={() => save(figure, "csv", new Blob([figureCsv(figure)], { type: "text/csv" }))}
            >
              Save CSV
            </button>
          </div>
        </details>
      </header>
      {figure.kind === "bars" && figure.note !== undefined && <p class="note">{figure.note}</p>}
      {asTable ? (
        <DataTable table={figureTable(figure)} caption={figure.title} />
      ) : (
        <Drawn figure={figure} height={height} />
      )}
      <Legend figure={figure} />
    </section>
  );
}

function Drawn({ figure, height }: { figure: Figure; height: number }) {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  const [stop, setStop] = useState<number | null>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setWidth(Math.round(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const drawing = useMemo(
    () => (width === 0 ? null : drawFigure(figure, { width, height }, PAGE)),
    [figure, width, height],
  );
  const stops = drawing?.stops ?? [];
  const move = (event: PointerEvent) => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    setStop(nearest(stops, event.clientX - left));
  };
  const step = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") setStop(null);
    if (by === undefined || stops.length === 0) return;
    event.preventDefault();
    setStop(Math.min(stops.length - 1, Math.max(0, (stop ?? (by > 0 ? -1 : stops.length)) + by)));
  };
  const at = stop === null ? undefined : stops[stop];
  return (
    <figure
      ref={box}
      class="plot"
      aria-label={`${figure.title}: read values with the arrow keys`}
      tabIndex={stops.length > 0 ? 0 : -1}
      style={{ height }}
      onPointerMove={move}
      onPointerLeave={() => setStop(null)}
      onBlur={() => setStop(null)}
      onKeyDown={step}
    >
      {drawing !== null && (
        // drawFigure escapes every text.
        <div dangerouslySetInnerHTML={{ __html: drawing.svg }} />
      )}
      {drawing !== null && at !== undefined && (
        <>
          <div class="cursor" style={{ left: at.place, top: drawing.top, height: drawing.bottom - drawing.top }} />
          <div class={at.place > width / 2 ? "readout left" : "readout"} style={{ left: at.place }} aria-live="polite">
            <Readout figure={figure} x={at.x} />
          </div>
        </>
      )}
    </figure>
  );
}

function Readout({ figure, x }: { figure: Figure; x: number }) {
  if (figure.kind === "heat") return null;
  if (figure.kind === "bars") {
    return (
      <>
        <b>
          {figure.x.label} {figure.categories[x]}
        </b>
        {figure.series.map(({ name, values }, i) => (
          <span key={name} class={`mark series-${i}`}>
            {name}: {figure.y.format(values[x])}
          </span>
        ))}
      </>
    );
  }
  return (
    <>
      <b>
        {figure.x.label} {figure.x.format(x)}
      </b>
      {figure.series.map(({ name, points }, i) => {
        const point = points.find((one) => one.x === x);
        return (
          point !== undefined && (
            <span key={name} class={`mark series-${i}`}>
              {name}: {pointText(point, figure.y)}
            </span>
          )
        );
      })}
    </>
  );
}

function Legend({ figure }: { figure: Figure }) {
  if (figure.kind === "heat") {
    return (
      <p class="legend" aria-hidden="true">
        <span>few</span>
        {LIGHT.heat.map((colour, i) => (
          <span key={colour} class={`swatch heat-${i}`} />
        ))}
        <span>many (logarithmic)</span>
      </p>
    );
  }
  if (figure.series.length < 2) return null;
  return (
    <p class="legend">
      {figure.series.map(({ name }, i) => (
        <span key={name} class={`mark series-${i}`}>
          {name}
        </span>
      ))}
    </p>
  );
}

function nearest(stops: readonly { readonly place: number }[], place: number): number | null {
  let best: number | null = null;
  for (const [i, stop] of stops.entries()) {
    if (best === null || Math.abs(stop.place - place) < Math.abs(stops[best].place - place)) best = i;
  }
  return best;
}

function exportSvg(figure: Figure): void {
  const { svg } = drawFigure(figure, EXPORT_SIZE, LIGHT, true);
  save(figure, "svg", new Blob([svg], { type: "image/svg+xml" }));
}

function exportPng(figure: Figure): void {
  const { svg } = drawFigure(figure, EXPORT_SIZE, LIGHT, true);
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = EXPORT_SIZE.width * 2;
    canvas.height = EXPORT_SIZE.height * 2;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      if (blob !== null) save(figure, "png", blob);
    });
  };
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function save({ title }: Figure, extension: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

/** Puts the palettes of drawn figures into the page's style, so that they stand in one place. */
export function usePalettes(): void {
  useEffect(() => {
    const sheet = new CSSStyleSheet();
    const variables = ({ series, heat }: Palette) =>
      [
        ...series.map((colour, i) => `--series-${i}:${colour}`),
        ...heat.map((colour, i) => `--heat-${i}:${colour}`),
      ].join(";");
    const marks = LIGHT.series.map((_, i) => `.series-${i}::before{background:var(--series-${i})}`);
    const swatches = LIGHT.heat.map((_, i) => `.heat-${i}{background:var(--heat-${i})}`);
    sheet.replaceSync(
      `:root{${variables(LIGHT)}}
       @media (prefers-color-scheme: dark){:root:not([data-theme="light"]){${variables(DARK)}}}
       :root[data-theme="dark"]{${variables(DARK)}}${marks.join("")}${swatches.join("")}`,
    );
    document.adoptedStyleSheets = [sheet];
  }, []);
}
