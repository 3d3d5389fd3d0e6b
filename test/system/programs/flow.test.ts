import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/model/errors.js';
import { registerSecret } from '../../../src/model/redact.js';
import type { Flow, ProgramStage, Stage } from '../../../src/model/roles/flow.js';
import { capture } from '../../../src/system/programs/exec.js';
import { runFlow } from '../../../src/system/programs/flow.js';

const sh = (script: string, warned?: ProgramStage['warned']): ProgramStage => ({
  kind: 'program',
  file: '/bin/sh',
  args: ['-c', script],
  explain: (exit) => new Failure('engine', `${script}: exit ${exit.exitCode} signal ${exit.signal}: ${exit.stderr.slice(-200)}`),
  ...(warned ? { warned } : {}),
});
const transform = (create: Extract<Stage, { kind: 'transform' }>['create']): Stage => ({ kind: 'transform', create });

async function collect(flow: Flow): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const data of flow.output) pieces.push(data as Buffer);
  await flow.done;
  return Buffer.concat(pieces).toString();
}

const megabytes = (n: number) => `head -c ${n}000000 /dev/zero`;

test('programs are joined and every byte arrives', async () => {
  expect(await collect(runFlow([sh('seq 1 3'), sh('tac'), sh("tr '\\n' ,")]))).toBe('3,2,1,');
  const hash = createHash('sha256');
  const flow = runFlow([sh(megabytes(30)), sh('gzip -1'), sh('gzip -d')]);
  let size = 0;
  for await (const data of flow.output) {
    hash.update(data as Buffer);
    size += (data as Buffer).length;
  }
  await flow.done;
  expect(size).toBe(30_000_000);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.alloc(30_000_000)).digest('hex'));
});

test('a secret that a program repeats is hidden in what is said of it', async () => {
  registerSecret('canary-of-a-flow');
  const script = 'echo "I know canary-of-a-flow" >&2; exit 1';
  const failure = await runFlow([sh(script)]).done.catch((error: unknown) => error);
  expect(failure).toMatchObject({ message: expect.stringContaining('I know ***') as string });
  const { stderr } = await capture('/bin/sh', ['-c', script]);
  expect(stderr).toBe('I know ***');
});

test('transforms and programs mix', async () => {
  expect(
    await collect(runFlow([sh('seq 1 5'), transform(createGzip), sh('gzip -d'), transform(createGzip), transform(createGunzip)])),
  ).toBe('1\n2\n3\n4\n5\n');
});

test('input feeds the first stage', async () => {
  expect(await collect(runFlow([sh('wc -c')], { input: Readable.from([Buffer.alloc(3_000_000)]) }))).toBe('3000000\n');
});

test.each([
  ['the only program', [sh('echo some; exit 3')], /exit 3/],
  ['the first of several', [sh('echo some; exit 4'), sh('cat'), sh('cat')], /exit 4/],
  ['the last', [sh('seq 1 10'), sh('cat >/dev/null; exit 5')], /exit 5/],
  ['a program killed in the middle of its output', [sh(`${megabytes(2)}; kill -9 $$`), sh('gzip')], /signal SIGKILL/],
  [
    'a reader that dies, not the writer that lost it',
    [sh(megabytes(50)), sh('head -c 10 >/dev/null; echo no room >&2; exit 6')],
    /exit 6.*no room/,
  ],
  ['a program before a transform', [sh('echo some; exit 7'), transform(createGzip)], /exit 7/],
  ['a program that does not exist', [{ ...sh(''), file: '/nowhere/pg_dump' }], /nowhere/],
  ['a transform that fails', [sh('echo not gzip'), transform(createGunzip)], /incorrect header/],
])('%s that fails fails the flow, its output errors', async (_name, stages, message) => {
  const flow = runFlow(stages);
  await expect(collect(flow)).rejects.toThrow(message);
  await expect(flow.done).rejects.toThrow(message);
});

test('a consumer that attaches late loses nothing', async () => {
  const flow = runFlow([sh('seq 1 4')]);
  await sleep(200);
  expect(await collect(flow)).toBe('1\n2\n3\n4\n');
});

test('input that breaks fails the flow', async () => {
  const input = new Readable({
    read() {
      this.destroy(new Error('the storage went away'));
    },
  });
  await expect(collect(runFlow([sh('cat')], { input }))).rejects.toThrow('the storage went away');
});

/** 20 MB, counted as they are read, and whether it was destroyed before its end. */
function counted() {
  let [bytes, destroyed] = [0, false];
  const input = new Readable({
    read() {
      const left = 20_000_000 - bytes;
      bytes += Math.min(left, 65_536);
      this.push(left > 0 ? Buffer.alloc(Math.min(left, 65_536)) : null);
    },
    destroy(error, next) {
      destroyed ||= !input.readableEnded;
      next(error);
    },
  });
  return { input, bytes: () => bytes, destroyed: () => destroyed };
}

test('a program that may stop reading ends well, and its input is read to the end all the same', async () => {
  const whole = counted();
  let seen = 0;
  whole.input.on('data', (data: Buffer) => (seen += data.length));
  const flow = runFlow([{ ...sh('head -c 10 | wc -c'), stopsReading: true }], { input: whole.input });
  expect((await collect(flow)).trim()).toBe('10');
  expect(seen).toBe(20_000_000);
});

test('one that fails is not given the rest; one that may not stop reading fails', async () => {
  const rest = counted();
  await expect(collect(runFlow([{ ...sh('head -c 10; exit 5'), stopsReading: true }], { input: rest.input }))).rejects.toThrow(/exit 5/);
  expect([rest.destroyed(), rest.bytes() < 20_000_000]).toEqual([true, true]);
  await expect(collect(runFlow([sh('head -c 10')], { input: counted().input }))).rejects.toThrow();
});

test('it is said whether the source or its content is to blame', async () => {
  const source = new Readable({
    read() {
      this.destroy(new Error('EIO'));
    },
  });
  await expect(collect(runFlow([transform(createGunzip)], { input: source }))).rejects.toMatchObject({ code: 'storage' });
  const garbage = Readable.from([Buffer.from('not gzip')]);
  await expect(collect(runFlow([transform(createGunzip)], { input: garbage }))).rejects.toMatchObject({ code: 'archive' });
  const again = Readable.from([Buffer.from('not gzip')]);
  await expect(collect(runFlow([transform(createGunzip), sh('cat')], { input: again }))).rejects.toMatchObject({ code: 'archive' });
});

test('stop ends every program with the reason given', async () => {
  const flow = runFlow([sh('echo $$; sleep 60'), sh('cat')]);
  const first = await new Promise<Buffer>((resolve) => flow.output.once('data', resolve));
  const pid = Number(first.toString());
  expect(() => process.kill(pid, 0)).not.toThrow();
  flow.stop(new Failure('stalled', 'no byte for a while'));
  await expect(flow.done).rejects.toThrow('no byte for a while');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('an abort signal stops the flow', async () => {
  const controller = new AbortController();
  const flow = runFlow([sh('sleep 60')], { signal: controller.signal });
  controller.abort(new Failure('interrupted', 'asked to stop'));
  await expect(collect(flow)).rejects.toThrow('asked to stop');
});

test('a consumer that fails stops the programs', async () => {
  const flow = runFlow([sh('yes')]);
  flow.output.destroy(new Failure('storage', 'disk full'));
  await expect(flow.done).rejects.toThrow('disk full');
});

test('what a program said on stderr is handed on when it went well, its tail kept when it floods', async () => {
  const said: string[] = [];
  await collect(runFlow([sh('echo note >&2', (lines) => said.push(...lines))]));
  expect(said).toEqual(['note']);
  await expect(collect(runFlow([sh(`${megabytes(50)} | tr '\\0' x >&2; echo; echo the end >&2; exit 1`)]))).rejects.toThrow(/the end/);
});

test('capture never throws, and says why a program could not run', async () => {
  expect(await capture('/bin/sh', ['-c', 'echo out; echo err >&2; exit 2'])).toEqual({ exitCode: 2, stdout: 'out', stderr: 'err' });
  expect((await capture('/nowhere/at-all', [])).exitCode).not.toBe(0);
  expect((await capture('/bin/sh', ['-c', 'sleep 60'], { timeoutMs: 100 })).exitCode).toBe(null);
  expect((await capture('/bin/cat', [], { input: 'fed' })).stdout).toBe('fed');
});

test('children get an allowlisted environment', async () => {
  process.env['SOME_SECRET'] = 'hush';
  const { stdout } = await capture('/usr/bin/env', [], { env: { PGDATABASE: 'x' } });
  delete process.env['SOME_SECRET'];
  expect(stdout).not.toContain('SOME_SECRET');
  expect(stdout).toContain('PGDATABASE=x');
  expect(stdout).toContain('LC_ALL=C');
});

test('a program must not take a broken input for the end of it', async () => {
  const reason = new Failure('archive', 'the source broke');
  const source = () =>
    Readable.from(
      (async function* () {
        yield Buffer.alloc(300_000, 'x');
        await sleep(50);
        throw reason;
      })(),
    );
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-flow-'));
  try {
    for (const round of [1, 2, 3, 4, 5]) {
      // says that it saw the end of its input, as a sealer would seal its last chunk there
      const told = join(folder, String(round));
      const flow = runFlow([sh(`cat >/dev/null; echo end >'${told}'`)], { input: source() });
      await expect(collect(flow)).rejects.toBe(reason);
      const breaking = new PassThrough();
      const behind = runFlow([transform(() => breaking), sh(`cat >/dev/null; echo end >>'${told}'`)], {
        input: Readable.from([Buffer.alloc(1000)]),
      });
      breaking.once('data', () => breaking.destroy(reason));
      await expect(collect(behind)).rejects.toBe(reason);
      await sleep(50);
      expect(existsSync(told)).toBe(false);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
