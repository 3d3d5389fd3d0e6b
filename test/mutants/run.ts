/**
 * test: runs the mutants, each in a copy of the tree, and says which test killed it. It never touches the tree itself.
 *
 * `npm run test:mutants`, `-- --only TEXT` for those with that text in their name or file, `-- --markdown` to write the table of
 * docs/reliability.md.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { transformSync } from 'esbuild';
import { createVitest, type Reporter, type TestCase, type TestModule, type Vitest } from 'vitest/node';
import { mutants } from './all.js';
import { mutated, type Mutant } from './mutant.js';
import { writeTable, type Killed } from './table.js';

const root = process.cwd();
/** A mutant that makes tests hang ends the run after so long, ms. */
const patience = 600_000;
const left = new Set(['node_modules', '.git', 'dist', 'coverage']);
const say = (line: string) => void process.stdout.write(`${line}\n`);

/** A copy of the tree, whose packages are ours. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'backup-automation mutants-'));
  cpSync(root, copy, { recursive: true, filter: (path) => dirname(path) !== root || !left.has(basename(path)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

const build = (copy: string) => execFileSync('npm', ['run', '-s', 'build:js'], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });

/** Whether a test file, or what it imports of `test`, starts the built command. */
function needsBuild(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file) || !existsSync(file)) return false;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const imported = [...text.matchAll(/^(?!import type).*from '(\.[^']+)\.js'/gm)].map(([, to = '']) => join(dirname(file), `${to}.ts`));
  return text.includes('bin/backup-automation') || imported.some((one) => one.includes('/test/') && needsBuild(one, seen));
}

/** Notes the first test of a run that fails. The rest of its file runs on: a run that is cancelled takes long to let go of its process. */
class First implements Reporter {
  failed: string | null = null;

  private fail(what: string): void {
    this.failed ??= what;
  }

  onTestCaseResult(test: TestCase): void {
    if (test.result().state === 'failed') this.fail(`${nameOf(test.module)}: ${test.fullName}`);
  }

  onTestModuleEnd(module: TestModule): void {
    const [error] = module.errors();
    const suites = [...module.children.allSuites()].flatMap((suite) => suite.errors());
    const message = (error ?? suites[0])?.message;
    if (message !== undefined) this.fail(`${nameOf(module)}: ${message.split('\n', 1)[0]}`);
  }
}

const nameOf = ({ relativeModuleId }: TestModule): string => relativeModuleId.replace(/^test\//, '');

class Runner {
  private readonly copy: string;
  private readonly first: First;
  private readonly vitest: Vitest;

  private constructor(copy: string, first: First, vitest: Vitest) {
    [this.copy, this.first, this.vitest] = [copy, first, vitest];
  }

  static async open(): Promise<Runner> {
    const copy = copyTree();
    build(copy);
    process.chdir(copy);
    const first = new First();
    const vitest = await createVitest('test', { root: copy, watch: false, reporters: [first], retry: 0, testTimeout: 60_000 });
    return new Runner(copy, first, vitest);
  }

  async close(): Promise<void> {
    await this.vitest.close();
    process.chdir(root);
    rmSync(this.copy, { recursive: true, force: true });
  }

  /** The first test that fails; null: none does. */
  async test(files: readonly string[]): Promise<string | null> {
    this.first.failed = null;
    const timer = setTimeout(() => {
      process.stderr.write(`no end after ${patience / 1000} s\n`);
      process.exit(1);
    }, patience);
    for (const file of files) {
      const specifications = await this.vitest.globTestSpecifications([join('test', file)]);
      const { unhandledErrors } = await this.vitest.runTestSpecifications(specifications);
      if (specifications.length === 0) throw new Error(`there is no test/${file}`);
      if (unhandledErrors.length > 0) this.first.failed ??= `${file}: an unhandled error`;
      if (this.first.failed !== null) break;
    }
    clearTimeout(timer);
    return this.first.failed;
  }

  async kill(mutant: Mutant): Promise<Killed> {
    const path = join(this.copy, 'src', mutant.file);
    const before = readFileSync(path);
    const text = mutated(this.copy, mutant);
    transformSync(text, { loader: 'ts' });
    const started = performance.now();
    this.replace(path, text);
    try {
      if (mutant.tests.some((file) => needsBuild(join(this.copy, 'test', file)))) build(this.copy);
      const by = await this.test(mutant.tests);
      return { mutant, by, seconds: (performance.now() - started) / 1000 };
    } finally {
      this.replace(path, before);
    }
  }

  private replace(path: string, content: string | Uint8Array): void {
    writeFileSync(path, content);
    this.vitest.invalidateFile(path);
  }
}

async function runAll(wanted: readonly Mutant[]): Promise<Killed[]> {
  const runner = await Runner.open();
  try {
    return await killAll(runner, wanted);
  } finally {
    await runner.close();
  }
}

async function killAll(runner: Runner, wanted: readonly Mutant[]): Promise<Killed[]> {
  // a test that fails anyhow kills nothing
  const tests = [...new Set(wanted.flatMap((mutant) => mutant.tests))];
  for (const file of tests) {
    const failed = await runner.test([file]);
    if (failed !== null) throw new Error(`without any mutant: ${failed}`);
  }
  say(`${tests.length} test files pass without any mutant`);
  const done: Killed[] = [];
  for (const mutant of wanted) {
    const killed = await runner.kill(mutant);
    done.push(killed);
    const place = `${done.length} of ${wanted.length}`.padStart(10);
    say(`${place}  ${killed.seconds.toFixed(1).padStart(6)} s  ${mutant.name}: ${killed.by ?? 'SURVIVED'}`);
  }
  return done;
}

const { values } = parseArgs({ options: { only: { type: 'string' }, markdown: { type: 'boolean', default: false } } });
const isWanted = ({ name, file }: Mutant) => values.only === undefined || name.includes(values.only) || file.includes(values.only);
const done = await runAll(mutants.filter(isWanted));
const survivors = done.filter(({ by }) => by === null);
say(`${done.length - survivors.length} of ${done.length} killed`);
for (const { mutant } of survivors) say(`survived: ${mutant.name}`);
if (survivors.length > 0) process.exitCode = 1;
else if (values.markdown && done.length === mutants.length) writeTable(join(root, 'docs/reliability.md'), done);
