/** Style of the report: light or dark as the reader's system is, and narrow enough for a phone. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5c6675; --line: #d9dee6;
  --paper: #fbfcfd; --box: #fff; --s0: #0b6bcb; --s1: #c2410c; --s2: #15803d; --s3: #7c3aed;
  --s4: #a16207; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #9aa5b5; --line: #313a48; --paper: #12161d; --box: #1a202a;
    --s0: #62b0ff; --s1: #ff9a5c; --s2: #5fd38d; --s3: #c4a5ff; --s4: #e6c65c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 16px; max-width: 1180px; background: var(--paper);
  color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 28px 0 8px; }
h3 { font-size: 1rem; margin: 18px 0 6px; }
p { color: var(--soft); margin: 6px 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr));
  gap: 10px; }
.pictures svg { width: 100%; background: var(--box); border: 1px solid var(--line);
  border-radius: 6px; padding: 6px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg text.t { font-weight: 600; fill: var(--ink); }
svg text.e { text-anchor: end; }
svg line { stroke: var(--line); }
svg path, svg polyline { fill: none; stroke-width: 1.5; }
svg .s0 { stroke: var(--s0); }
svg .s1 { stroke: var(--s1); }
svg .s2 { stroke: var(--s2); }
svg .s3 { stroke: var(--s3); }
svg .s4 { stroke: var(--s4); }
svg text.m { text-anchor: middle; }
svg line.dash { stroke: var(--soft); stroke-dasharray: 4 3; }
svg line.zero { stroke: var(--s0); stroke-width: 1.5; }
svg circle.p0 { fill: var(--s0); opacity: 0.75; }
svg circle.p1 { fill: var(--soft); opacity: 0.5; }
svg text.l0 { fill: var(--s0); }
svg text.l1 { fill: var(--s1); }
svg text.l2 { fill: var(--s2); }
svg text.l3 { fill: var(--s3); }
svg text.l4 { fill: var(--s4); }
svg.spark { display: block; width: 100px; height: 20px; }
.wide { overflow-x: auto; margin-top: 8px; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
td:last-child { white-space: normal; min-width: 12em; }
th { color: var(--soft); font-weight: 600; }
table.figures td:not(:first-child), table.figures th:not(:first-child) { text-align: right; }
table.figures td:last-child { min-width: 0; white-space: nowrap; }
td.yes { color: var(--s2); font-weight: 600; }
td.no { color: var(--s1); font-weight: 600; }
`;
