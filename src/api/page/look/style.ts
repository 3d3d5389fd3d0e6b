/**
 * api: how the page looks, by day and by night, on a phone and on a wall. Text alone.
 */
export const style = /* css */ `
:root {
  color-scheme: light dark;
  --paper: #f7f7f5; --card: #ffffff; --ink: #1c2321; --quiet: #59635f; --line: #dcdfdb; --field: #868f8b;
  --link: #0b5c8a; --deed: #1f5f4a; --deed-ink: #ffffff; --focus: #0b5c8a;
  --good: #17633f; --good-back: #e5f3ea; --warn: #7a4a00; --warn-back: #fdf1d9; --bad: #a3201d; --bad-back: #fdebe9;
  --live: #0b5c8a; --live-back: #e5f1f8; --calm: #4a5551; --calm-back: #eceeec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #141817; --card: #1c2120; --ink: #e7ebe9; --quiet: #a3aeaa; --line: #333b38; --field: #7d8984;
    --link: #7cc4ee; --deed: #8fd7b6; --deed-ink: #0f2019; --focus: #7cc4ee;
    --good: #8fd7b6; --good-back: #17332a; --warn: #f0c674; --warn-back: #382d14; --bad: #ff9f97; --bad-back: #421f1d;
    --live: #7cc4ee; --live-back: #14303f; --calm: #b6c0bc; --calm-back: #2a3130;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.wide { max-width: 76rem; margin-inline: auto; padding-inline: clamp(1rem, 3vw, 2rem); }
.narrow { max-width: 34rem; }
h1 { font-size: 1.625rem; line-height: 1.25; margin: 0 0 .75rem; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 1.0625rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0 0 .75rem; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: from-font; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
code, pre { font: .875em/1.5 ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, monospace; }
code { background: var(--calm-back); border-radius: 4px; padding: .1em .35em; }
pre { background: var(--calm-back); border-radius: 8px; padding: .75rem 1rem; margin: 0 0 .75rem; white-space: pre-wrap; }
pre code { background: none; padding: 0; }
.quiet { color: var(--quiet); font-size: .875rem; font-weight: 400; letter-spacing: 0; }
.aside { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; padding: .5rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { left: .5rem; top: .5rem; }

.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top > div { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem; padding-block: .5rem; }
.brand { font-weight: 650; color: var(--ink); text-decoration: none; letter-spacing: -.01em; padding-block: .375rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .125rem; margin: 0; padding: 0; list-style: none; }
nav a { display: block; padding: .375rem .625rem; border-radius: 6px; color: var(--quiet); text-decoration: none; }
nav a:hover { background: var(--calm-back); color: var(--ink); }
nav a[aria-current] { color: var(--ink); font-weight: 600; box-shadow: inset 0 -2px var(--deed); border-radius: 6px 6px 0 0; }
.account { margin-inline-start: auto; display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; font-size: .875rem; }
main { padding-block: 1.5rem 1rem; }
footer { border-top: 1px solid var(--line); margin-top: 2rem; padding-block: 1rem; display: flex; flex-wrap: wrap; gap: 0 2rem; }
footer p { margin: 0; }

.icon { width: 1.05em; height: 1.05em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; vertical-align: -.14em; }
.badge { display: inline-flex; align-items: center; gap: .35em; padding: .1em .6em .1em .45em; border-radius: 99px; font-size: .8125rem; font-weight: 600; letter-spacing: 0; white-space: nowrap; vertical-align: .1em; }
.good { --tone: var(--good); --back: var(--good-back); } .warn { --tone: var(--warn); --back: var(--warn-back); }
.bad { --tone: var(--bad); --back: var(--bad-back); } .live { --tone: var(--live); --back: var(--live-back); } .calm { --tone: var(--calm); --back: var(--calm-back); }
.badge { color: var(--tone); background: var(--back); }

.answer { display: flex; gap: clamp(.75rem, 2vw, 1.25rem); align-items: center; padding: clamp(1rem, 2.5vw, 1.5rem); border-radius: 12px; background: var(--back); border: 1px solid color-mix(in srgb, var(--tone) 35%, transparent); }
.answer > .icon { width: clamp(2.25rem, 6vw, 3.25rem); height: clamp(2.25rem, 6vw, 3.25rem); color: var(--tone); stroke-width: 1.2; }
.answer p { margin: 0; } .answer .quiet { color: var(--ink); }
.answer h1 { font-size: clamp(1.75rem, 4vw, 2.25rem); line-height: 1.15; margin: 0; color: var(--tone); }
.answer .detail { font-size: 1.0625rem; text-wrap: pretty; }

.database, .storage, .run, .todo, .notice { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .875rem 1rem; }
.databases { display: grid; gap: .5rem; }
.database { display: grid; grid-template-columns: minmax(9.5rem, 1fr) minmax(0, 4fr) auto; gap: .5rem 1.5rem; align-items: start; border-inline-start: 4px solid var(--tone); }
.database .name h3 { display: inline; margin-inline-end: .5rem; font-size: 1.0625rem; }
.database .name p { margin: .25rem 0 0; }
.database .facts { grid-template-columns: 1fr 1fr 1fr minmax(9rem, 1.15fr); }
.database .facts dd { line-height: 1.4; }
.database .act { margin: 0; }
.facts { display: grid; gap: .5rem 1.25rem; margin: 0; }
.facts dt { color: var(--quiet); font-size: .8125rem; }
.facts dd { margin: 0; }
main > .facts, section > .facts { grid-template-columns: minmax(0, 1fr); gap: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .25rem 1rem; }
main > .facts > div, section > .facts > div { display: grid; grid-template-columns: minmax(6rem, 11rem) 1fr; gap: 1rem; padding-block: .4rem; border-top: 1px solid var(--line); }
main > .facts > div:first-child, section > .facts > div:first-child { border-top: 0; }
main > .facts dt, section > .facts dt { font-size: .875rem; padding-top: .08rem; }
.trend { display: flex; align-items: flex-end; gap: .5rem; white-space: nowrap; min-width: 0; }
.trend + .trend { margin-top: .375rem; }
.spark { min-width: 0; flex: 0 1 auto; fill: var(--field); overflow: visible; }
.spark .last { fill: var(--deed); }
.storages { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .5rem; }
.storage h3 { display: inline; margin-inline-end: .5rem; }
.storage .facts { grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); margin-top: .5rem; }
.run + .run { margin-top: .5rem; }

.run { border-inline-start: 4px solid var(--live); }
.run p { margin: 0; }
.progress { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .75rem; }
progress { width: 12rem; max-width: 100%; height: .5rem; accent-color: var(--deed); vertical-align: middle; }
.todos { margin: 0; padding: 0; list-style: none; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; background: var(--card); }
.todos .todo { border: 0; border-inline-start: 4px solid var(--tone); border-radius: 0; padding-block: .625rem; }
.todos .todo + .todo { border-top: 1px solid var(--line); }
.todo, .notice { border-inline-start: 4px solid var(--tone); }
.todo p:last-child, .notice:last-child, .notice p:last-child { margin-bottom: 0; }
.todo h3 { margin-bottom: .125rem; font-size: .9375rem; }
.todo p { margin-bottom: .25rem; }
.error { white-space: pre-line; }
.next::before { content: '→ '; color: var(--quiet); }
.todo:empty { display: none; }

.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-bottom: .75rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; overflow-wrap: normal; }
th, td { text-align: start; padding: .45rem .75rem; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--quiet); font-size: .8125rem; font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 400; white-space: nowrap; }
td:last-child { overflow-wrap: anywhere; min-width: 12rem; }
.clip { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.long { font-size: .75rem; overflow-wrap: anywhere; }
.number { display: block; text-align: end; }
.filters { margin-bottom: .75rem; }

.timeline { list-style: none; margin: 0; padding: 0 0 0 .25rem; }
.timeline li { position: relative; padding: .25rem 0 .25rem 1.25rem; border-inline-start: 2px solid var(--line); display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; }
.timeline li::before { content: ''; position: absolute; inset-inline-start: -.375rem; top: .7rem; width: .625rem; height: .625rem; border-radius: 50%; background: var(--field); }

.stack { display: grid; gap: .5rem; justify-items: start; }
.stack label { font-weight: 600; }
.stack button { margin-top: .75rem; }
.stack + p { margin-top: 1.25rem; }
.nowrap { white-space: nowrap; }
.inline, .act { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-block: .75rem; }
fieldset { border: 1px solid var(--line); border-radius: 10px; padding: .5rem 1rem .75rem; width: 100%; margin: .5rem 0 0; }
legend { font-weight: 600; padding-inline: .25rem; }
.stack .choice { display: flex; gap: .5rem; align-items: baseline; font-weight: 400; padding-block: .25rem; }
input:not([type=radio]), select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--field); border-radius: 8px; padding: .5rem .75rem; max-width: 100%; }
.stack input:not([type=radio]), .stack select { width: 100%; }
input[type=radio] { accent-color: var(--deed); width: 1.125rem; height: 1.125rem; flex: none; transform: translateY(.15rem); }
button, .button { font: inherit; font-weight: 600; display: inline-block; color: var(--deed-ink); background: var(--deed); border: 1px solid var(--deed); border-radius: 8px; padding: .4375rem .875rem; cursor: pointer; text-decoration: none; white-space: nowrap; }
button.plain, .database .button, .plain { color: var(--ink); background: var(--card); border-color: var(--field); font-weight: 500; }
button:hover, .button:hover { filter: brightness(.95); }
summary { cursor: pointer; padding-block: .25rem; color: var(--link); }

@media (max-width: 60rem) { .database { grid-template-columns: minmax(0, 1fr) auto; } .database .facts { grid-column: 1 / -1; grid-row: 2; } }
@media (max-width: 40rem) {
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: .5rem .875rem; border-top: 1px solid var(--line); }
  tr:first-child { border-top: 0; }
  th, td, td:last-child { border: 0; padding: .125rem 0; min-width: 0; white-space: normal; overflow-wrap: anywhere; }
  tbody th { font-weight: 600; }
  td { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .5rem; justify-items: start; }
  td::before { content: attr(data-head); color: var(--quiet); font-size: .8125rem; }
  td:empty { display: none; }
  .number { text-align: start; }
}
@media (max-width: 30rem) {
  .database .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .database { grid-template-columns: minmax(0, 1fr); } .database .facts { grid-row: auto; }
  .top .account { margin-inline-start: 0; width: 100%; justify-content: space-between; }
  nav a { padding-inline: .5rem; }
}
@media (prefers-reduced-motion: no-preference) { button, .button, nav a { transition: background-color .12s, filter .12s; } }
@media (forced-colors: active) { .badge, .answer { border: 1px solid; } }
@media print { .top nav, .account, .act, .skip { display: none; } }
`;
