/**
 * test: the documentation says only what is so. `npx vitest run test/docs.test.ts -u` writes the generated pages anew.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CommanderError, type Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { routes } from '../src/api/routes/index.js';
import { createProgram } from '../src/cli/main.js';
import { failures } from '../src/model/errors.js';
import { anchorsOf, linksOf } from './docs/page.js';

const root = resolve(import.meta.dirname, '..');
const pages = [
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`),
  ...readdirSync(root),
]
  .filter((file) => file.endsWith('.md'))
  .map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);

/** Made from the code: as long as they are. */
const generated = ['docs/commands.md', 'docs/exit-codes.md', 'docs/reference/configuration.md', 'docs/performance.md', 'CHANGELOG.md'];

/** The contract's meaning of each exit code, and whether repeating is safe and useful. */
const exits: Readonly<Record<number, readonly [meaning: string, repeat: string]>> = {
  0: ['good', ''],
  1: ['failed for a reason with no code of its own, or a bug of ours', 'no'],
  2: ['wrong usage', 'no'],
  3: ['some databases of several failed, or something beside a good backup', 'look'],
  10: ['configuration', 'no'],
  20: ['engine or database', 'as the class says'],
  21: ['storage', 'as the class says'],
  22: ['verification', 'no'],
  23: ['restore', 'no'],
  74: ['the ledger cannot be written', 'no'],
  75: ['not now', 'yes'],
  129: ['interrupted by SIGHUP', 'yes'],
  130: ['interrupted by SIGINT', 'yes'],
  143: ['interrupted by SIGTERM', 'yes'],
};

function exitCodesPage(): string {
  const codes = Object.entries(exits).map(([exit, [meaning, repeat]]) => `| ${exit} | ${meaning} | ${repeat} |`);
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.entries(failures).map(([code, row]) => `| \`${code}\` | ${row.exit} | ${row.class} | ${cell(row.hint)} |`);
  return `# Exit codes

Made from the table of failures in \`src/model/errors.ts\`.

| code | meaning | repeat? |
|---|---|---|
${codes.join('\n')}

\`backup-automation health\` alone follows the monitoring plugins: 0 healthy, 1 warning, 2 critical, 3 unknown.

## Failures

With \`--json\` a command that fails has \`"error": { "code", "message", "hint", "class" }\` in its document. The class says whether repeating helps:
\`transient\` soon, \`busy\` later, \`resource\` once room was made, \`permanent\` never.

| code | exit | class | hint |
|---|---|---|---|
${rows.join('\n')}
`;
}

/** Help as it is shown 100 columns wide, without the options that all commands have. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100, getOutHasColors: () => false });
  command.outputHelp();
  return text.trim();
}
const globalOptions = /\n\nGlobal options:\n(?: .*\n?)+/;
const visible = (command: Command) => command.createHelp().visibleCommands(command).filter((one) => one.name() !== 'help'); // prettier-ignore

function commandsPage(): string {
  const program = createProgram();
  const section = (command: Command, path: string): string[] => [
    `## ${path}\n\n\`\`\`\n${helpOf(command).replace(globalOptions, '\n')}\n\`\`\`\n`,
    ...visible(command).flatMap((one) => section(one, `${path} ${one.name()}`)),
  ];
  const all = visible(program).flatMap((command) => section(command, command.name()));
  const shared = globalOptions.exec(helpOf(program))?.[0].trim().split('\n').slice(1).join('\n') ?? '';
  return `# Commands

Made from the commands themselves. All of them take these options, before or behind the command:

\`\`\`
${shared}
\`\`\`

${all.join('\n')}`;
}

function requestsPage(): string {
  const rows = routes.map(({ method, path, role, summary }) => `| \`${method} ${path.slice(1)}\` | ${role} | ${summary} |`);
  return `# Every request

Made from the routes of the server. All paths lie under \`/api/backup-automation\`; [the REST API](../api.md) says how to ask.

| request | role | what it does |
|---|---|---|
${rows.join('\n')}

Beside them \`/metrics\` (role read), \`/healthz\`, \`/openapi.json\`, \`/docs\`, and the page for people.
`;
}

test('docs/reference/api.md is the list of routes', async () => {
  await expect(requestsPage()).toMatchFileSnapshot('../docs/reference/api.md');
});

test('docs/exit-codes.md is the table of failures', async () => {
  const codes = new Set(Object.values(failures).map((row) => row.exit));
  expect([...codes].filter((code) => !(code in exits))).toEqual([]);
  await expect(exitCodesPage()).toMatchFileSnapshot('../docs/exit-codes.md');
});

test('docs/commands.md is the tree of commands', async () => {
  await expect(commandsPage()).toMatchFileSnapshot('../docs/commands.md');
});

/** A program that knows every command and does nothing. */
function idleProgram(): Command {
  const still = (command: Command): Command => {
    for (const one of command.commands) still(one).action(() => {});
    return command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  };
  return still(createProgram());
}

/** The words of a command line as a shell parts them: enough for what stands in documentation. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare ?? '');
}

/** Every `backup-automation ...` in code, up to what a shell would take for itself. */
function commandLines(page: string): string[] {
  const fenced = [...page.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const inline = [...page.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...fenced, ...inline]
    .flatMap((line) =>
      [...line.matchAll(/(?:^|[\s;&|/(])backup-automation ((?:'[^']*'|"[^"]*"|[^|\\;&#()'"])*)/g)].map((match) => match[1] ?? ''),
    )
    .map((line) => line.replace(/\s\d?>.*$/, '').trim())
    .filter((line) => /^[a-z-]/.test(line));
}

describe('every command that is written down is known', () => {
  const typed = pages.flatMap(([file, page]) =>
    file === 'docs/commands.md' ? [] : commandLines(page).map((line) => [file, line] as const),
  );
  // the examples of --help are command lines too
  const examples = commandLines(pages.find(([file]) => file === 'docs/commands.md')?.[1].replaceAll('Usage: backup-automation', '') ?? '');

  test.each([...new Set([...typed.map(([, line]) => line), ...examples])])('backup-automation %s', async (line) => {
    try {
      await idleProgram().parseAsync(['node', 'backup-automation', ...words(line)]);
    } catch (error) {
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
    }
  });

  test('and there are many', () => {
    expect(typed.length).toBeGreaterThan(40);
    expect(examples.length).toBeGreaterThan(20);
  });

  test.each([
    ['```sh\n$ A=b backup-automation execute --force >x 2>&1 | tee y\n```', ['execute --force']],
    ['say `backup-automation verify --all` now', ['verify --all']],
    ['```\n0 2 * * * /usr/bin/backup-automation execute x --wait 2h # later\n```', ['execute x --wait 2h']],
    ['```sh\nbackup-automation config update a \'{"b":1}\'\n```', ['config update a \'{"b":1}\'']],
    ['`backup-automation` alone is none', []],
  ])('found in %j', (page, lines) => {
    expect(commandLines(page)).toEqual(lines);
  });

  test.each(['exceute', 'execute --forse', 'verify --level deep', 'config update a'])('but not %s', async (line) => {
    await expect(idleProgram().parseAsync(['node', 'backup-automation', ...words(line)])).rejects.toThrow(CommanderError);
  });
});

/** Files and anchors of a page's links that lead inside the project; of a link to a folder of pages none. */
const inside = (file: string, page: string) =>
  linksOf(page)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = '', anchor] = link.split('#');
      return { link, target: path === '' ? file : relative(root, resolve(root, dirname(file), path)), anchor };
    });

test('every page is reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const file of reached) {
    const page = pages.find(([name]) => name === file)?.[1];
    for (const { target } of page === undefined ? [] : inside(file, page)) reached.add(target);
  }
  expect(pages.map(([file]) => file).filter((file) => !reached.has(file))).toEqual([]);
});

test('no page is longer than one reads at a time, its tables aside', () => {
  const read = (page: string) => page.split('\n').filter((line) => !line.startsWith('|')).length;
  const long = pages.filter(([file]) => !generated.includes(file)).map(([file, page]) => [file, read(page)] as const);
  expect(long.filter(([, lines]) => lines > 250)).toEqual([]);
  expect(long.find(([file]) => file === 'README.md')?.[1]).toBeLessThanOrEqual(110);
});

describe.each(pages)('%s', (file, page) => {
  test('links to what is there', () => {
    const dead = inside(file, page).filter(({ target, anchor }) => {
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(join(root, target), 'utf8')).includes(anchor);
    });
    expect(dead.map(({ link }) => link)).toEqual([]);
    const outside = linksOf(page).filter((link) => /^[a-z]+:/.test(link));
    expect(outside.filter((link) => !/^https:\/\/[\w.-]+\.[a-z]+(\/[\w./#-]*)?$/.test(link))).toEqual([]);
  });

  test('names scripts and files of the tests that are there', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const run = [...page.matchAll(/npm run (?:-s )?([a-z:-]+)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
    const paths = [...page.matchAll(/`((?:test|src|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(paths.filter((path) => !path.includes('NAME') && !existsSync(join(root, path)))).toEqual([]);
  });
});
