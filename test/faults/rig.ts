/**
 * test: a project into which faults are put, and the check that follows every fault. It injects nothing itself.
 *
 * A violation is a sentence: what a promise of docs/reliability.md says, and what was found instead.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { catalog, type Catalog } from '../../src/core/catalog/catalog.js';
import type { Context } from '../../src/core/context.js';
import { verifyBackup } from '../../src/core/verify.js';
import { isTerminal, type BackupEvent } from '../../src/model/events/event.js';
import type { LedgerDamage } from '../../src/model/roles/ledger.js';
import { makeContext } from '../../src/wire.js';
import { alwaysOpen, temporaryProject, type CliOptions, type CliResult, type TemporaryProject } from '../fixtures/cli.js';
import type { TestDatabase } from '../fixtures/database.js';

/** A password that no server asks for: it must stand in no file once all is over. */
const canary = 'canary-7f3a9c51';

export interface Rig extends TemporaryProject {
  readonly state: string;
  readonly store: string;
  /** Ids of the backups that were read to their end once. */
  readonly proven: Set<string>;
  /** `execute`, past the least free space, which a full disk would not let it pass. */
  execute(options?: Omit<CliOptions, 'cwd'>, ...more: readonly string[]): Promise<CliResult>;
  /** The same project in this process. */
  context(): Promise<Context>;
  catalog(): Promise<Catalog>;
  /** Events by id in the state that holds, and what of the ledger could not be read. */
  events(): Promise<{ events: BackupEvent[]; damage: LedgerDamage }>;
}

/** Folders beside the usual ones, where a test mounts something of its own. */
export interface RigOptions {
  readonly state?: string;
  readonly store?: string;
  readonly settings?: object;
}

export function openRig(database: TestDatabase, { state, store, settings }: RigOptions = {}): Rig {
  const project = temporaryProject(`${database.url}&password=${canary}`);
  const file = project.file('backup-automation.config.json', {
    ...alwaysOpen,
    autoRetry: false,
    // what was listed has to stay listed
    retention: { keepLast: 100_000 },
    clientDirectory: inject('postgres').binDirectory,
    databases: { shop: { url: 'env:DATABASE_URL' } },
    storages: { local: { kind: 'local', path: store ?? './backups' } },
    stateDirectory: state ?? './state',
    ...settings,
  });
  process.env['DATABASE_URL'] = project.env['DATABASE_URL'];
  const context = async () => (await makeContext({ config: file, set: [], quiet: true })).context;
  return {
    ...project,
    state: state ?? join(project.directory, 'state'),
    store: store ?? join(project.directory, 'backups'),
    proven: new Set(),
    execute: (options = {}, ...more) => project.run(['execute', '--force', '--json', ...more], options),
    context,
    catalog: async () => catalog(await context()),
    events: async () => {
      const damage = { corruptLines: 0, tornTail: false, gaps: 0 };
      const found = new Map<string, BackupEvent>();
      const { ledger } = await context();
      for await (const { record } of ledger.read(damage)) if (record.record === 'event') found.set(record.id, record);
      return { events: [...found.values()], damage };
    },
  };
}

/** Paths of all files below a folder. */
export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Files below the folders that hold the canary. */
const leaks = (folders: readonly string[]): string[] =>
  folders.flatMap((folder) => filesIn(folder)).filter((file) => readFileSync(file, 'latin1').includes(canary));

export interface Allowed {
  /** Lines of the ledger that the fault itself damaged. */
  readonly corruptLines?: number;
  /** What the interrupted run had said. */
  readonly said?: CliResult;
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * The check after every fault: the next run completes without a hand's help; what is listed is what is completed, and can be read to
 * its end; every event has ended; the ledger is whole; nothing partial, no private file, no secret is left.
 */
export async function afterwards(rig: Rig, { corruptLines = 0, said }: Allowed = {}): Promise<string[]> {
  const before = isThere(rig.state) && isThere(rig.store) ? await rig.catalog() : { backups: [] };
  const next = await rig.execute();
  if (next.exitCode !== 0) return [`the next run ended with ${next.exitCode ?? next.signal}: ${next.stderr}`];
  const violations: string[] = [];
  const claim = (holds: boolean, sentence: string) => void (holds || violations.push(sentence));

  const { backups, problems } = await rig.catalog();
  const ids = backups.map(({ backupId }) => backupId);
  claim(problems.length === 0, `not everything in the storage is a backup: ${problems.join('; ')}`);
  for (const { backupId } of before.backups) claim(ids.includes(backupId), `${backupId} was listed, and is lost`);
  const context = await rig.context();
  for (const backup of backups.filter(({ backupId }) => !rig.proven.has(backupId))) {
    const { ok, detail } = await verifyBackup(context, backup, 'archive');
    claim(ok, `${backup.backupId} is listed, and is not good: ${detail}`);
    rig.proven.add(backup.backupId);
  }

  const { events, damage } = await rig.events();
  claim(damage.corruptLines <= corruptLines, `${damage.corruptLines} lines of the ledger cannot be read`);
  claim(!damage.tornTail && damage.gaps === 0, `the ledger is torn, or has ${damage.gaps} gaps`);
  for (const event of events) {
    claim(isTerminal(event.status), `the event ${event.id} is ${event.status} for ever`);
    const listed = ids.includes(event.id);
    claim(
      listed === (event.status === 'completed'),
      `the event ${event.id} is ${event.status}, its backup ${listed ? 'is' : 'is not'} listed`,
    );
  }
  claim(
    ids.every((id) => events.some((event) => event.id === id)),
    'a backup is listed that no event made',
  );

  const left = readdirSync(join(rig.store, 'shop')).filter((name) => name.endsWith('.partial'));
  claim(left.length === 0, `left in the storage: ${left.join(', ')}`);
  const run = readdirSync(join(rig.state, 'run')).filter((name) => !name.endsWith('.lock'));
  claim(run.length === 0, `left in the state directory: run/${run.join(', ')}`);
  const leaking = leaks([rig.state, rig.store]);
  claim(leaking.length === 0, `a secret stands in ${leaking.join(', ')}`);
  for (const { stdout, stderr } of [next, said ?? next]) claim(!`${stdout}${stderr}`.includes(canary), 'a secret was said');
  return violations;
}
