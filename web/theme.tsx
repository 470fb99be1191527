import { useEffect, useState } from "preact/hooks";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "adastar-theme";

/** Light, dark, or as the system is; kept in the browser. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(THEMES.find((one) => one === localStorage.getItem(KEY)) ?? "auto");
  useEffect(() => {
    localStorage.setItem(KEY, theme);
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  return (
    <button type="button" class="quiet" onClick={() => setTheme(next)} title={`Change to ${next}`}>
      Theme: {theme}
    </button>
  );
}
