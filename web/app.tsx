import { useEffect } from "preact/hooks";
import { usePalettes } from "./chart.js";
import { ComparePage } from "./compare-page.js";
import { RunPage } from "./run-page.js";
import { RunsPage } from "./runs-page.js";
import { ThemeButton } from "./theme.js";
import { followLinks, useAddress } from "./url.js";

export function App() {
  const url = useAddress();
  usePalettes();
  useEffect(() => {
    document.addEventListener("click", followLinks);
    return () => document.removeEventListener("click", followLinks);
  }, []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href="/">
          <span aria-hidden="true">✦</span> adastar
        </a>
        <nav aria-label="Pages">
          <a href="/" aria-current={url.pathname === "/" ? "page" : undefined}>
            Runs
          </a>
        </nav>
        <ThemeButton />
      </header>
      <main id="main" tabIndex={-1}>
        <Page url={url} />
      </main>
    </>
  );
}

function Page({ url }: { url: URL }) {
  const id = url.searchParams.get("run");
  if (url.pathname === "/run" && id !== null) return <RunPage key={id} id={id} url={url} />;
  if (url.pathname === "/compare") return <ComparePage ids={url.searchParams.getAll("run")} />;
  return <RunsPage url={url} />;
}
