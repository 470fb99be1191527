/** A page's state is its address: links can be kept and shared, and the browser's buttons work. */

import { useEffect, useState } from "preact/hooks";

type Change = Readonly<Record<string, string | readonly string[] | null>>;

/** The address as of now; the component is drawn again when it changes. */
export function useAddress(): URL {
  const [href, setHref] = useState(location.href);
  useEffect(() => {
    const follow = () => setHref(location.href);
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, []);
  return new URL(href);
}

/** Goes to another address. @param replace does not add a step to the history: for typing and scrubbing */
export function go(href: string, replace = false): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  dispatchEvent(new PopStateEvent("popstate"));
  if (!replace) scrollTo(0, 0);
}

/** The present address with other values in its query; null takes one away. */
export function withQuery(change: Change): string {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(change)) {
    url.searchParams.delete(name);
    for (const one of value === null ? [] : [value].flat()) url.searchParams.append(name, one);
  }
  return `${url.pathname}${url.search}`;
}

export function runLink(id: string): string {
  return `/run?${new URLSearchParams({ run: id })}`;
}

/** Follows links within the pages without loading them anew. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = (event.target as Element).closest("a");
  if (link === null || link.origin !== location.origin || link.hasAttribute("download") || link.hash !== "") return;
  event.preventDefault();
  go(link.href);
}
