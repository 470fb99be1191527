/**
 * The style of a report. Series have Okabe and Ito's colours, which most people with colour-blindness can tell apart;
 * those too pale for a light page or too dark for a dark one are adjusted in its theme.
 */

const LIGHT = ["#0072b2", "#c77800", "#00805f", "#c24e00", "#b0568a", "#3a8fc4", "#7a6d00", "#555555"];
const DARK = ["#56b4e9", "#e69f00", "#2fc296", "#f07b3a", "#dd8fbb", "#8fcdf2", "#d6c735", "#a8a8a8"];

const variables = (colours: readonly string[]) => colours.map((colour, i) => `--c${i}:${colour}`).join(";");
const series = LIGHT.map(
  (_, i) => `.s${i}{stroke:var(--c${i})}.f${i}{fill:var(--c${i})}.b${i}{background:var(--c${i})}`,
).join("\n");

const light = `--page:#fff;--ink:#1b1f24;--soft:#59626d;--rule:#d9dee4;--panel:#f6f8fa;${variables(LIGHT)}`;
const dark = `--page:#14171b;--ink:#e6e9ed;--soft:#a2abb6;--rule:#333a43;--panel:#1c2127;${variables(DARK)}`;

export const STYLE = `:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1360px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:20px;margin:40px 0 12px;padding-top:16px;border-top:1px solid var(--rule);overflow-wrap:anywhere}
h3{font-size:15px;margin:0 0 2px}
p{margin:0 0 10px;max-width:80ch}
.soft,figcaption p{color:var(--soft);font-size:13px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:20px}
figure{margin:0;padding:14px 16px;border:1px solid var(--rule);border-radius:8px;min-width:0;break-inside:avoid}
svg{display:block;width:100%;height:auto;max-height:440px}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.dashed{stroke-dasharray:6 4}
.band{opacity:.16}
.grid{stroke:var(--rule)}
.frame{fill:var(--panel);stroke:var(--rule)}
.tick,.panel,.axis{font-size:12px;fill:var(--soft)}
.panel,.axis{fill:var(--ink)}
${series}
.legend{display:flex;flex-wrap:wrap;gap:2px 16px;list-style:none;margin:4px 0 0;padding:0;font-size:13px}
.key{display:inline-block;width:16px;height:4px;border-radius:2px;margin-right:6px;vertical-align:middle}
.wide{overflow-x:auto}
caption{text-align:left;padding:14px 0 4px}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:4px 10px 4px 0;text-align:left;border-bottom:1px solid var(--rule);white-space:nowrap}
th{font-weight:600;vertical-align:bottom}
.right{text-align:right}
details{margin-top:8px;font-size:13px}
summary{cursor:pointer;color:var(--soft)}
details .wide{max-height:340px;overflow:auto}
:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
.choice{position:absolute;opacity:0}
.tabs{display:flex;gap:6px;margin-bottom:10px;font-size:13px}
.tabs label{padding:4px 12px;border:1px solid var(--rule);border-radius:999px;cursor:pointer}
.curve{display:none}
#x0:checked~.curves .curve:nth-child(1),#x1:checked~.curves .curve:nth-child(2),#x2:checked~.curves .curve:nth-child(3){display:block}
#x0:checked~.tabs label:nth-child(1),#x1:checked~.tabs label:nth-child(2),#x2:checked~.tabs label:nth-child(3){background:var(--ink);color:var(--page)}
#x0:focus-visible~.tabs label:nth-child(1),#x1:focus-visible~.tabs label:nth-child(2),#x2:focus-visible~.tabs label:nth-child(3){outline:2px solid var(--c0);outline-offset:2px}
@media print{:root{color-scheme:light;${light}}main{padding:0;max-width:none}body{font-size:11px}details,.tabs{display:none}
.figures{grid-template-columns:1fr 1fr;gap:10px}h2{break-after:avoid}tr{break-inside:avoid}th,td{font-size:9px;padding-right:6px;white-space:normal}
.line,.band,rect,circle,.key{print-color-adjust:exact}}
`;
