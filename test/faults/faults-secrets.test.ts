/**
 * test: where a secret may be, and where never (rows J of docs/reliability.md): every command, when it goes well and when it does not.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { runCli, startCli } from '../fixtures/cli.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { commandOf, descendants, until } from './processes.js';
import { noStrace } from './inject.js';

/** Passwords with everything that a shell, a URL, a passfile or SQL could trip over; each with a part to look for. */
const passwords = {
  url: `Canary1 '%@:\\/"$(id)`,
  file: `Canary2:\\'"#&;%40|`,
  env: `Canary3=ümlaut?&password=x`,
  command: `Canary4\`"'{}\\:`,
  wrong: `Canary5 wrong:'\\"%`,
};
/** As grep reads it too. */
const canary = /Canary[0-9]/;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster({ programs: await serverPrograms(), tcp: true });
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  for (const [name, password] of Object.entries(passwords))
    await sql(
      cluster.url('postgres'),
      `SET standard_conforming_strings = on; CREATE ROLE ${name}_role LOGIN SUPERUSER PASSWORD ${quote(password)}; CREATE DATABASE ${name}_db OWNER ${name}_role;`,
    );
  for (const name of Object.keys(passwords))
    await sql(cluster.url(`${name}_db`), 'CREATE TABLE t AS SELECT g AS n, md5(g::text) FROM generate_series(1, 3000) g');
});
afterAll(() => cluster.stop());

const urlOf = (name: keyof typeof passwords, database = `${name}_db`): string =>
  `postgresql://${name}_role:${encodeURIComponent(passwords[name])}@127.0.0.1:${cluster.port}/${database}`;

function secretive(): { project: Lab; env: Record<string, string> } {
  const at = (name: string) => ({ host: '127.0.0.1', port: cluster.port, user: `${name}_role`, database: `${name}_db` });
  const project = lab(
    {
      by_url: { url: 'env:SHOP_URL' },
      by_file: { ...at('file'), passwordFile: './password' },
      by_env: { ...at('env'), password: 'env:SHOP_PASSWORD' },
      by_command: { ...at('command'), password: 'command:cat secret.txt' },
      wrong: { ...at('wrong'), password: 'env:WRONG_PASSWORD' },
    },
    { autoRetry: false, log: { format: 'json', file: './log.jsonl' }, verify: { server: 'env:VERIFY_URL' } },
  );
  project.file('password', `${passwords.file}\n`);
  project.file('secret.txt', `${passwords.command}\n`);
  const env = {
    SHOP_URL: urlOf('url'),
    SHOP_PASSWORD: passwords.env,
    WRONG_PASSWORD: `${passwords.wrong}!`,
    TARGET_URL: urlOf('url', 'made_new'),
    VERIFY_URL: urlOf('url', 'postgres'),
  };
  return { project, env };
}

/** Every file of a folder but those that hold the secrets by our own doing. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['password', 'secret.txt'].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

const commands = [
  ['execute'],
  ['execute', '--json', '--verbose'],
  ['execute', '--dry-run', '--json'],
  ['backups', '--json'],
  ['verify', '--all', '--level', 'archive', '--verbose'],
  ['verify', 'latest', '--database', 'by_env', '--verbose'],
  ['restore', 'latest', '--database', 'by_url', '--to', 'env:TARGET_URL', '--create', '--json', '--verbose'],
  ['restore', 'latest', '--database', 'by_url', '--to', 'env:TARGET_URL', '--verbose'],
  ['restore', 'latest', '--database', 'by_url', '--to', 'env:SHOP_URL', '--json'],
  ['config', '--json'],
  ['config', 'validate'],
  ['health', '--verbose'],
  ['events', '--json'],
  ['active'],
  ['statistics', '--json'],
  ['test', '--json', '--verbose'],
  ['execute', '--database', 'nothing'],
] as const;

describe('J1: canary secrets', () => {
  it.skipIf(noStrace !== null)(
    `stay out of argv, environments, ledger, logs, manifests and every output${noStrace === null ? '' : ` (${noStrace})`}`,
    async () => {
      const { project, env } = secretive();
      const trace = join(project.directory, '..', `trace-${process.pid}`);
      for (const [index, args] of commands.entries()) {
        const under = ['strace', '-f', '--seccomp-bpf', '-qq', '-v', '-s', '65536', '-e', 'trace=execve', '-o', `${trace}.${index}`];
        const { stdout, stderr } = await project.run(args, { env, under });
        expect({ args, hits: `${stdout}${stderr}`.split('\n').filter((line) => canary.test(line)) }).toEqual({ args, hits: [] });
        expect(stdout + stderr).not.toContain('this is a bug');
        const [ours = '', ...children] = readFileSync(`${trace}.${index}`, 'utf8')
          .split('\n')
          .filter((line) => line.includes('execve('));
        // our own process was given them by its environment; nobody else is
        expect(ours).toContain('backup-automation.js');
        expect({ args, hits: children.filter((line) => canary.test(decodeEscapes(line))) }).toEqual({ args, hits: [] });
        expect(args[0] === 'execute' && children.length === 0 && args.length < 3).toBe(false);
        execFileSync('rm', [`${trace}.${index}`]);
      }
      for (const file of filesBelow(project.directory))
        expect({ file, hit: canary.test(readFileSync(file, 'latin1')) }).toEqual({ file, hit: false });
      const { document } = await project.json(['backups'], { env });
      // the roles' own hashes are in the globals, and every way to give a password but the wrong one led to a good backup
      expect(new Set(document.backups.map(({ database }) => database))).toEqual(new Set(['by_url', 'by_file', 'by_env', 'by_command']));
      project.cleanup();
    },
    120_000,
  );

  it('are not taken on the command line, nor literally in the file', async () => {
    const { project, env } = secretive();
    await project.run(['execute', '--database', 'by_url'], { env });
    const cases = [
      ['restore', 'latest', '--to', urlOf('url', 'made_new'), '--create'],
      ['execute', '--set', `databases.by_url.url=${urlOf('url')}`],
      ['execute', '--set', `databases.by_env.password=${passwords.env}`],
      ['config', 'update', 'databases.by_url.url', urlOf('url')],
    ];
    for (const args of cases) {
      const { exitCode, stdout, stderr } = await project.run(args, { env });
      expect({ args: args[1], exitCode }).toEqual({ args: args[1], exitCode: expect.toSatisfy((code) => code === 2 || code === 10) });
      expect(stdout + stderr).not.toMatch(canary);
      expect(stderr).toContain('env:');
    }
    project.cleanup();
  });

  it('a program that repeats its password file is hidden', async () => {
    const { project, env } = secretive();
    const shims = shimDirectory({
      pg_dump: (real) =>
        `#!/bin/sh\ncase "$1" in --version) exec '${real}' "$@";; esac\ncat "$PGPASSFILE" >&2; echo "pg_dump: error: password=$(cut -d: -f5- "$PGPASSFILE")" >&2; exit 1\n`,
    });
    const { exitCode, stdout, stderr } = await project.run(
      ['execute', '--database', 'by_file', '--json', '--verbose', '--set', `clientDirectory=${shims.directory}`],
      { env },
    );
    expect(exitCode).toBe(20);
    expect(stdout + stderr).not.toMatch(canary);
    for (const file of filesBelow(project.directory))
      expect({ file, hit: canary.test(readFileSync(file, 'latin1')) }).toEqual({ file, hit: false });
    shims.remove();
    project.cleanup();
  });
});

/** A server that repeats what a client told it, and more, in each field of its refusal. */
async function gossip(words: string): Promise<{ readonly port: number; close(): void }> {
  const fields = [`SFATAL`, `VFATAL`, `C28P01`, `M${words}`, `D${words}\n${words}`, `H${words}`, `W${words}`];
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const refusal = Buffer.concat([Buffer.from('E'), Buffer.alloc(4), body]);
  refusal.writeUInt32BE(body.length + 4, 1);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    // TLS and GSS are asked for by eight bytes
    socket.on('data', (data) => (data.length === 8 ? socket.write('N') : socket.end(refusal)));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('J4: a server that repeats the password', () => {
  const plain = passwords.url;
  const encoded = encodeURIComponent(plain);
  it.each([
    ['in a connection string', `no entry for host=127.0.0.1 user=url_role password='${plain.replaceAll(/['\\]/g, '\\$&')}' dbname=shop`],
    ['in a URL', `cannot connect to postgresql://url_role:${encoded}@127.0.0.1:5432/shop`],
    ['as it is', `password authentication failed for "${plain}"`],
    ['without a word before it', plain],
  ])('J4: %s: it is in no output and no file', async (_where, words) => {
    const server = await gossip(words);
    const url = `postgresql://url_role:${encoded}@127.0.0.1:${server.port}/shop`;
    const project = lab({ shop: { url: 'env:SHOP_URL' } }, { autoRetry: false, log: { format: 'json', file: './log.jsonl' } });
    try {
      for (const args of [['execute', '--json', '--verbose'], ['health'], ['test', '--json'], ['events', '--json']]) {
        const { stdout, stderr } = await project.run(args, { env: { SHOP_URL: url } });
        expect({ args, hits: `${stdout}${stderr}`.split('\n').filter((line) => canary.test(line)) }).toEqual({ args, hits: [] });
        // what it said came through, but for that
        if (args[0] === 'execute') expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'authentication' } });
      }
      const files = filesBelow(project.directory);
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) expect({ file, hit: canary.test(readFileSync(file, 'latin1')) }).toEqual({ file, hit: false });
    } finally {
      server.close();
      project.cleanup();
    }
  });
});

const dumped = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('core') || name.startsWith('report'));
/** Whether a core comes to lie beside the process that died, where this test can look at it. */
const seesCores = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').startsWith('core');

/** A core may be larger than a string can be. */
function holdsCanary(path: string): boolean {
  const { status } = spawnSync('grep', ['-qa', canary.source, path]);
  expect([0, 1]).toContain(status);
  return status === 0;
}

describe.skipIf(!seesCores)(`J5: an image of the process${seesCores ? '' : ' (cores go elsewhere on this machine)'}`, () => {
  const unlimited = ['sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh'];

  it('J5: killed by ABRT and USR2, nothing of its memory and environment comes into a file', async () => {
    const { project, env } = secretive();
    const shims = shimDirectory({ pg_dump: shim.slow(30) });
    const options = {
      NODE_OPTIONS: `--report-on-fatalerror --report-on-signal --report-signal=SIGUSR2 --report-directory=${project.directory}`,
    };
    try {
      for (const signal of ['SIGUSR2', 'SIGABRT'] as const) {
        const { child, done } = startCli(['execute', '--database', 'by_url', '--set', `clientDirectory=${shims.directory}`], {
          cwd: project.directory,
          env: { ...project.env, ...env, ...options },
          under: unlimited,
        });
        await until('pg_dump runs', () => descendants(child.pid ?? 0).some((pid) => commandOf(pid).includes('sleep 30')));
        const filters = [child.pid ?? 0, ...descendants(child.pid ?? 0)].map((pid) => readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'));
        expect(new Set(filters.map((text) => Number(text)))).toEqual(new Set([0]));
        child.kill(signal);
        if (signal === 'SIGUSR2') child.kill('SIGKILL');
        await done;
      }
      const images = dumped(project.directory);
      expect(images.filter((name) => name.startsWith('report'))).toEqual([]);
      for (const name of images) expect({ name, hit: holdsCanary(join(project.directory, name)) }).toEqual({ name, hit: false });
    } finally {
      shims.remove();
      project.cleanup();
    }
  });

  it('J5: as any other process would leave it there', async () => {
    const { project, env } = secretive();
    const wait = ['-e', 'process.kill(process.pid, "SIGABRT"); setInterval(() => {}, 1000)'];
    const [file = '', ...words] = [...unlimited, process.execPath, ...wait];
    spawnSync(file, words, { cwd: project.directory, env: { ...project.env, ...env } });
    const images = dumped(project.directory);
    expect(images).toHaveLength(1);
    expect(holdsCanary(join(project.directory, images[0] ?? ''))).toBe(true);
    project.cleanup();
  });
});

/** strace writes other bytes than ASCII as octal. */
const decodeEscapes = (line: string): string => line.replace(/\\(["\\])/g, '$1');

describe('J2: modes', () => {
  it.each(['000', '022', '077'])('with umask %s every created file is 0600 and every folder 0700', async (umask) => {
    const { project, env } = secretive();
    const before = new Set(readdirSync(project.directory, { recursive: true }).map(String));
    const under = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
    expect(
      (await runCli(['execute', '--database', 'by_file'], { cwd: project.directory, env: { ...project.env, ...env }, under })).exitCode,
    ).toBe(0);
    await runCli(['restore', 'latest', '--database', 'by_file', '--output', 'out.dump'], {
      cwd: project.directory,
      env: { ...project.env, ...env },
      under,
    });
    const made = readdirSync(project.directory, { recursive: true })
      .map(String)
      .filter((name) => !before.has(name));
    expect(made).toContain('out.dump');
    expect(made.length).toBeGreaterThan(10);
    const wrong = made.filter((name) => {
      const stats = statSync(join(project.directory, name));
      return (stats.mode & 0o777) !== (stats.isDirectory() ? 0o700 : 0o600);
    });
    expect(wrong).toEqual([]);
    project.cleanup();
  });
});

describe('J3: a passfile', () => {
  const passfiles = (project: Lab) => filesBelow(join(project.directory, '.backup-automation')).filter((file) => file.endsWith('pgpass'));

  it('that a killed backup left is removed by the next start; one of a living process is not', async () => {
    const { project, env } = secretive();
    const shims = shimDirectory({ pg_dump: shim.slow(30), pg_restore: shim.slow(3) });
    const options = { cwd: project.directory, env: { ...project.env, ...env } };
    const { child, done } = startCli(['execute', '--database', 'by_file', '--set', `clientDirectory=${shims.directory}`], options);
    await until(
      'its password file is there',
      () => existsSync(join(project.directory, '.backup-automation')) && passfiles(project).length === 1,
    );
    expect(passfiles(project).map((file) => statSync(file).mode & 0o777)).toEqual([0o600]);
    await project.run(['health'], { env });
    expect(passfiles(project)).toHaveLength(1);
    child.kill('SIGKILL');
    await done;
    expect(passfiles(project)).toHaveLength(1);
    await project.run(['health'], { env });
    expect(passfiles(project)).toEqual([]);
    shims.remove();
    project.cleanup();
  });

  it('of a restore under way is not taken away by another start, and goes after a kill', async () => {
    const { project, env } = secretive();
    const shims = shimDirectory({ pg_restore: shim.slow(30) });
    await project.run(['execute', '--database', 'by_url'], { env });
    const options = { cwd: project.directory, env: { ...project.env, ...env, TARGET_URL: urlOf('url', 'made_by_restore') } };
    const args = [
      'restore',
      'latest',
      '--database',
      'by_url',
      '--to',
      'env:TARGET_URL',
      '--create',
      '--set',
      `clientDirectory=${shims.directory}`,
    ];
    const { child, done } = startCli(args, options);
    await until('its password file is there', () => passfiles(project).length === 1);
    await project.run(['health'], { env });
    expect(passfiles(project)).toHaveLength(1);
    child.kill('SIGKILL');
    await done;
    await project.run(['health'], { env });
    expect(passfiles(project)).toEqual([]);
    shims.remove();
    project.cleanup();
  });
});
