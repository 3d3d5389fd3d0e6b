/**
 * test: the house rules, read from the sources themselves. `PRINT_BUDGET=1 npx vitest run test/architecture.test.ts` prints the budget.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { budget, counted, folderOf, functionsOf, isAlike, limits, linesOf, mayBeLong } from './fixtures/budget.js';

const root = resolve(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  /** As written: `../model/event.js`, `node:fs`, `zod`. */
  readonly to: string;
  readonly typeOnly: boolean;
}

interface Source {
  /** `core/execute.ts` */
  readonly file: string;
  readonly room: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

function read(file: string): Source {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  const code = withoutComments(text);
  const statements = [...code.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm)];
  const lazy = [...code.matchAll(/\bimport\('([^']+)'\)/g)];
  const imports = [
    ...statements.map(([, type, to = '']) => ({ from: file, to, typeOnly: type !== undefined })),
    ...lazy.map(([, to = '']) => ({ from: file, to, typeOnly: false })),
  ];
  return { file, room: file.includes('/') ? (file.split('/')[0] ?? '') : file.replace('.ts', ''), text, code, imports };
}

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .toSorted()
  .map(read);
const inside = (one: Import) => one.to.startsWith('.');
/** `../model/event.js` in `core/execute.ts` -> `model/event.ts` */
const target = (one: Import) => normalize(join(dirname(one.from), one.to)).replace(/\.js$/, '.ts');
const roomOf = (file: string) => sources.find((source) => source.file === file)?.room ?? '?';
const all = sources.flatMap((source) => source.imports);
const shelves = ['engines', 'codecs', 'storages', 'channels', 'schedulers'];
const show = (one: Import) => `${one.from} -> ${inside(one) ? target(one) : one.to}`;

describe('who may know whom', () => {
  /** What each room may import beside itself. */
  const mayKnow: Readonly<Record<string, (file: string, to: string) => boolean>> = {
    model: () => false,
    system: (_file, to) => roomOf(to) === 'model',
    core: (_file, to) => roomOf(to) === 'model',
    config: (_file, to) => roomOf(to) === 'model' || shelves.some((shelf) => to === `${shelf}/index.ts`),
    cli: (file, to) =>
      ['core', 'config', 'model', 'wire'].includes(roomOf(to)) || (file === 'cli/commands/serve.ts' && roomOf(to) === 'api'),
    api: (_file, to) => ['core', 'config', 'model', 'wire'].includes(roomOf(to)),
    wire: (_file, to) => !['cli', 'api'].includes(roomOf(to)),
    index: () => true,
    ...Object.fromEntries(shelves.map((shelf) => [shelf, (_file: string, to: string) => ['model', 'system'].includes(roomOf(to))])),
  };

  test.each(Object.keys(mayKnow))('1-7: %s', (room) => {
    const found = all.filter((one) => inside(one) && roomOf(one.from) === room && roomOf(target(one)) !== room);
    expect(found.filter((one) => mayKnow[room]?.(one.from, target(one)) !== true).map(show)).toEqual([]);
  });

  test('every file lies in a known room, and every import leads to a file', () => {
    expect(sources.filter((source) => !(source.room in mayKnow)).map((source) => source.file)).toEqual([]);
    expect(all.filter((one) => inside(one) && roomOf(target(one)) === '?').map(show)).toEqual([]);
  });

  test('8: no cycles of files', () => {
    const next = new Map(sources.map((source) => [source.file, source.imports.filter(inside).map(target)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (path.includes(file) || done.has(file)) return;
      for (const to of next.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of next.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('8: no two folders that import each other', () => {
    const pairs = new Set(all.filter(inside).map((one) => `${roomOf(one.from)} ${roomOf(target(one))}`));
    const mutual = [...pairs].filter((pair) => {
      const [from, to] = pair.split(' ');
      return from !== to && pairs.has(`${to} ${from}`);
    });
    expect(mutual).toEqual([]);
  });

  test('9: each outside package has one home', () => {
    const cli = /^cli\//;
    const homes: Readonly<Record<string, RegExp>> = {
      commander: cli,
      chalk: cli,
      'cli-table3': cli,
      'string-width': cli,
      ora: cli,
      cosmiconfig: /^config\/load\.ts$/,
      execa: /^system\/programs\/exec\.ts$/,
      pg: /^system\/postgres\/postgres\.ts$/,
      'check-disk-space': /^system\/files\/disk\.ts$/,
      zod: new RegExp(`^(model|config|api|${shelves.join('|')})/`),
      'age-encryption': /^codecs\//,
      nodemailer: /^channels\/email\.ts$/,
      fastify: /^api\//,
      '@fastify': /^api\//,
      croner: /^(model|config)\//,
      'fastest-levenshtein': /^(model|config)\//,
    };
    const outside = all.filter((one) => !inside(one) && !one.to.startsWith('node:'));
    const home = (one: Import) => homes[one.to.split('/')[0] ?? ''];
    expect(outside.filter((one) => home(one)?.test(one.from) !== true).map(show)).toEqual([]);
  });

  test('1, 4, 9: model and core know the pure modules of Node only, the front rooms no files; programs and sockets have one home', () => {
    const pure = ['node:stream', 'node:stream/promises', 'node:crypto', 'node:path', 'node:util'];
    const allowed = (one: Import) => {
      if (one.typeOnly) return true;
      if (one.to === 'node:child_process') return ['system/programs/exec.ts', 'system/files/flock.ts'].includes(one.from);
      if (/^node:(net|tls|http|https|dns|worker_threads)/.test(one.to)) return roomOf(one.from) === 'system';
      if (['cli', 'api'].includes(roomOf(one.from))) return !one.to.startsWith('node:fs');
      return !['model', 'core'].includes(roomOf(one.from)) || pure.includes(one.to);
    };
    expect(all.filter((one) => one.to.startsWith('node:') && !allowed(one)).map(show)).toEqual([]);
  });

  test.each([
    ['console', /\bconsole\./, /^cli\/(main|render)\.ts$/],
    ['process.exit', /\bprocess\.exit\b(?!Code)/, /^cli\/(main|render|signals)\.ts$/],
    ['Date.now and new Date()', /\bDate\.now\b|\bnew Date\(\)/, /^system\/clock\.ts$/],
    ['process.env', /\bprocess\.env\b/, /^(system\/|config\/load\.ts$)/],
  ])('10: %s only where it belongs', (_name, word, home) => {
    expect(sources.filter((source) => word.test(source.code) && !home.test(source.file)).map((source) => source.file)).toEqual([]);
  });
});

describe('how a file looks', () => {
  test('it opens with a sentence that names its room', () => {
    const good = ({ room, text }: Source) =>
      (['index', 'wire'].includes(room) ? /^\/\*\*\n \* \S/ : new RegExp(`^/\\*\\*\\n \\* ${room}: \\S`)).test(text);
    expect(sources.filter((source) => !good(source)).map((source) => source.file)).toEqual([]);
  });

  test('it has no default export', () => {
    expect(sources.filter((source) => /^export default/m.test(source.code)).map((source) => source.file)).toEqual([]);
  });

  test('tests put no fakes in the place of modules', () => {
    const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));
    const word = /\bvi\.mock\b\(/;
    expect(tests.filter((file) => word.test(readFileSync(join(root, 'test', file), 'utf8')))).toEqual([]);
  });
});

describe('the budget', () => {
  // wire is free to know everything
  const measured = sources.map(({ imports, ...source }) => ({ ...source, imports: source.room === 'wire' ? 0 : imports.length }));
  const above = (limit: number, counts: ReadonlyMap<string, number>) => [...counts].filter(([, count]) => count > limit);

  test(`no file has more than ${limits.file} lines: part it`, () => {
    const long = measured.filter(({ file, text }) => linesOf(text) > limits.file && !mayBeLong[file]);
    expect(long.map(({ file, text }) => `${file}: ${linesOf(text)}`)).toEqual([]);
  });

  test(`no folder has more than ${limits.folder} files: part it by what they are about`, () => {
    expect(above(limits.folder, counted(sources.map(({ file }) => folderOf(file))))).toEqual([]);
  });

  test('its figures stand in CONTRIBUTING.md, about as they are; -u writes them anew', async () => {
    const page = join(root, 'CONTRIBUTING.md');
    const text = readFileSync(page, 'utf8');
    const within = /<!-- budget -->\n(.*)\n<!-- end -->/s;
    const [, before = ''] = within.exec(text) ?? [];
    const now = budget(measured);
    if (process.env['PRINT_BUDGET']) {
      const many = measured.filter(({ imports }) => imports > 12).map(({ file, imports }) => `above 12 imports: ${file} ${imports}`);
      const long = measured.flatMap(({ file, text: code }) => {
        const most = Math.max(0, ...functionsOf(code));
        return most > 50 ? [`above 50 lines: a function in ${file}, ${most}`] : [];
      });
      process.stdout.write(`${[now, ...long, ...many].join('\n')}\n`);
    }
    await expect(isAlike(before, now) ? text : text.replace(within, () => `<!-- budget -->\n${now}\n<!-- end -->`)).toMatchFileSnapshot(
      page,
    );
  });
});

describe('the scanner and the lint can fail', () => {
  test('an import is seen however it is written', () => {
    const folder = mkdtempSync(join(root, 'src/.scan-'));
    try {
      const file = relative(join(root, 'src'), join(folder, 'one.ts'));
      writeFileSync(
        join(root, 'src', file),
        `import type { A } from './a.js';\nimport {\n  b,\n  c,\n} from './b.js';\nexport * from './c.js';\nimport './d.js';\n// import './no.js';\nconst e = await import('./e.js');\n`,
      );
      expect(read(file).imports.map((one) => [one.to, one.typeOnly])).toEqual([
        ['./a.js', true],
        ['./b.js', false],
        ['./c.js', false],
        ['./d.js', false],
        ['./e.js', false],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a function is as long as it is', () => {
    const text = [
      'export function a(b: string) {\n  if (b) {\n    c();\n  }\n}',
      'class D {\n  async #e() {\n    f();\n  }\n}',
      'const g = (\n  h: string,\n) => {\n  i();\n};',
      'const j = () => {\n  k();\n};',
    ];
    expect(text.map(functionsOf)).toEqual([[5], [3], [], [3]]);
  });

  test('a table that is too old is seen', () => {
    expect([isAlike('median 70, most 250', 'median 72, most 249'), isAlike('median 70', 'median 99'), isAlike('', 'median 70')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('a promise that nobody waits for is an error', () => {
    const folder = mkdtempSync(join(root, 'test/.lint-'));
    try {
      writeFileSync(join(folder, 'floating.ts'), 'const work = async (): Promise<void> => {};\nwork();\nexport {};\n');
      const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), folder], {
        cwd: root,
        encoding: 'utf8',
      });
      expect(stdout).toContain('no-floating-promises');
      expect(status).not.toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
