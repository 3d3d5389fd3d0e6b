#!/usr/bin/env node
// What must answer at once is one file that is required; all else is imported in pieces.
const words = process.argv.slice(2);
const listings = ['events', 'active', 'statistics', '--help', '-h', '--version', '-V'];
const isLight = listings.includes(words[0]) || (words.length === 2 && words[1] === '--help');

/** What lies in memory and environment while it runs, passwords and keys among it, comes into no file when it dies. */
function leaveNoImage() {
  // its children have it from us
  const { writeFileSync } = require('node:fs');
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // not Linux, or nobody may know of its processes here
  }
  // asked for in NODE_OPTIONS, for other programs too
  if (process.env.NODE_OPTIONS?.includes('report'))
    for (const when of ['reportOnFatalError', 'reportOnSignal', 'reportOnUncaughtException']) process.report[when] = false;
}

async function start() {
  leaveNoImage();
  if (isLight) return require('../dist/cli/light.cjs').main(process.argv);
  if (words.includes('--due') && (await require('../dist/cli/quick.cjs').answer(process.argv))) return;
  const [{ setFlagsFromString }, { main }] = await Promise.all([import('node:v8'), import('../dist/cli/main.js')]);
  // a young generation that does not grow frees the buffers of streams sooner: below 100 MB in a backup instead of 125 (Node 20)
  setFlagsFromString('--semi-space-growth-factor=1');
  await main(process.argv);
}

start();
