/**
 * test: where a page of the documentation is tried: a folder that stands for a whole machine, a database `shop`, a shell that
 * remembers what was exported and where it stands. What pages call by example names (hosts, folders, ids) is put in place.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { temporaryProject } from '../fixtures/cli.js';
import { cloneDatabase, databaseUrl, program, sql } from '../fixtures/database.js';

export interface Seen {
  readonly exitCode: number | null;
  /** stdout and stderr as a terminal shows them, with the page's example names. */
  readonly text: string;
}

export interface Stage {
  /** Runs a block; `until` lets it go on in the background from when it said that. */
  run(code: string, until?: string): Promise<Seen>;
  write(name: string, text: string): string;
  /** In a transaction that is undone. */
  sql(code: string): Promise<void>;
  clear(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');

/** Conditions that hold at any hour on any machine, as if the machine had them. */
const calm = {
  DB_BACKUP_WINDOW_START: '00:00',
  DB_BACKUP_WINDOW_END: '00:00',
  DB_BACKUP_MIN_DISK_SPACE: '1',
  DB_BACKUP_MAX_CONCURRENT: '16',
  DB_BACKUP_MAX_LOAD: '100',
  DB_BACKUP_HEALTH_CHECK: 'false',
};

/** Folders that pages name: below the stage's own root. */
const folders = /(?<![\w./-])\/(?=(?:mnt|srv|run\/secrets|var\/lib\/(?:prometheus|backup)|root|etc\/(?:backup|ssl))\b)/g;

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** The first and the newest id of what is there, for the ids that pages name. */
function idsIn(machine: string): { backup: string; event: string } {
  const ledger = join(machine, 'srv/backup/.backup-automation/ledger/events-000001.jsonl');
  const lines = existsSync(ledger) ? readFileSync(ledger, 'utf8') : '';
  const done = [...lines.matchAll(/"record":"event","id":"([^"]+)"[^\n]*"status":"completed"/g)].map(([, id = '']) => id);
  return { backup: done[0] ?? '0192f3a4', event: [...lines.matchAll(/"record":"event","id":"([^"]+)"/g)].at(-1)?.[1] ?? 'ID' };
}

export async function setStage(): Promise<Stage> {
  const project = temporaryProject();
  const database = await cloneDatabase('shop');
  const port = await freePort();
  const { socketDirectory, port: serverPort, superuser } = inject('postgres');
  // of a form that a shell takes for one word
  const url = `postgresql://${superuser}@${encodeURIComponent(socketDirectory)}:${serverPort}/${database.name}`;
  const machine = join(project.directory, 'm');
  const home = join(machine, 'srv/backup');
  for (const folder of ['srv/backup', 'mnt/backup', 'mnt/stick', 'mnt/nas', 'mnt/scratch', 'etc/backup', 'run/secrets', 'root', 'var/lib/prometheus/node-exporter'])
    mkdirSync(join(machine, folder), { recursive: true, mode: 0o700 }); // prettier-ignore
  mkdirSync(join(home, 'node_modules'));
  symlinkSync(root, join(home, 'node_modules/backup-automation'));
  const cli = join(root, 'bin/backup-automation.js');
  chmodSync(project.file('bin/backup-automation', `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`), 0o755);
  project.file('bin/crontab', '#!/bin/sh\ncase "$1" in -l) cat ~/crontab 2>/dev/null || { echo "no crontab for backup" >&2; exit 1; };; -r) rm -f ~/crontab;; -) cat >~/crontab;; *) cat "$1" >~/crontab;; esac\n'); // prettier-ignore
  chmodSync(join(project.directory, 'bin/crontab'), 0o755);

  const names: readonly (readonly [RegExp, () => string])[] = [
    [/postgresql:\/\/(?:\w+@)?(?:db1|localhost|HOST)\/(?:shop|DATABASE)(_copy2?)?\b/g, () => `${url}$1`],
    [/\bshop_copy/g, () => `${database.name}_copy`],
    [/(--force-target |--dbname=| -d )shop\b/g, () => `$1${database.name}`],
    [/\b0192f3a4(-5b6c-7d8e-9f00-112233445566)?\b/g, () => idsIn(machine).backup],
    [/\b0197a3\b|(?<=events (show )?)\bID\b/g, () => idsIn(machine).event],
    [/\b8484\b/g, () => String(port)],
    [/\bbackup-automation serve\b/g, () => `backup-automation serve --set api.port=${port}`],
    [folders, () => `${machine}/`],
  ];
  const real = (text: string) => names.reduce((words, [pattern, name]) => words.replace(pattern, name()), text);
  const shown = (text: string) =>
    text
      .replaceAll(`${machine}/`, '/')
      .replaceAll(`"${machine}"`, '"/"')
      .replaceAll(`--set api.port=${port} `, '')
      .replaceAll(String(port), '8484')
      .replaceAll(url, 'postgresql://backup@db1/shop')
      .replaceAll(database.name, 'shop')
      .replaceAll(new RegExp(`postgresql://${superuser}@/shop\\?host=[^ &']*&port=\\d+`, 'g'), 'postgresql://backup@db1/shop')
      .replaceAll(`${socketDirectory}:${serverPort}`, 'db1:5432')
      .replaceAll(socketDirectory, 'db1')
      .replaceAll(`"${superuser}"`, '"backup"')
      .replaceAll(`\\"${superuser}\\"`, '\\"backup\\"')
      .replace(new RegExp(`\\bcli:${userInfo().username} +${hostname()}\\b`, 'g'), 'cli:backup  db1')
      .replace(new RegExp(`Z on ${hostname()}$`, 'gm'), 'Z on db1')
      .trimEnd();

  const exported = { ...calm, PGHOST: socketDirectory, PGPORT: String(serverPort), PGUSER: superuser, DATABASE_URL: url };
  writeFileSync(join(project.directory, 'exports'), Object.entries(exported).map(([name, value]) => `export ${name}='${value}'\n`).join('')); // prettier-ignore
  writeFileSync(join(project.directory, 'folder'), home);
  const env = {
    ...project.env,
    PATH: `${join(project.directory, 'bin')}:${dirname(program('psql'))}:${project.env['PATH']}`,
    STAGE: project.directory,
  };
  const background = new Set<number>();
  // what is exported, and the folder, outlive the block
  const script = (code: string) => `exec 2>&1
set -a; . "$STAGE/exports"; set +a; cd "$(cat "$STAGE/folder")"
trap 'export -p | grep -v -e " STAGE=" -e " SHLVL=" -e " OLDPWD=" -e " PWD=" >"$STAGE/exports"; pwd >"$STAGE/folder"' EXIT
set -e\n${code}`;

  return {
    run: (code, until) =>
      new Promise((resolve, reject) => {
        const child = spawn('bash', ['-c', script(real(code))], { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
        let text = '';
        child.stdout.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          if (until === undefined || !shown(text).includes(until) || child.pid === undefined) return;
          background.add(child.pid);
          resolve({ exitCode: 0, text: shown(text) });
        });
        child.on('error', reject).on('close', (exitCode) => resolve({ exitCode, text: shown(text) }));
      }),
    write: (name, text) => {
      const file = name.startsWith('/') ? join(machine, name) : join(home, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, real(text), { mode: 0o600 });
      return file;
    },
    sql: async (code) => void (await sql(database.url, `BEGIN;\n${code}\nROLLBACK;`)),
    async clear() {
      for (const pid of background) process.kill(-pid, 'SIGTERM');
      for (const copy of ['_copy', '_copy2']) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS ${database.name}${copy} WITH (FORCE);`); // prettier-ignore
      await database.drop();
      project.cleanup();
    },
  };
}
