/**
 * core: `health`: asks every part how it is, and lets the model judge. A part that fails is a check; it never throws for one.
 */
import { refusal } from '../model/backup/access.js';
import type { Database } from '../model/roles/engine/dump.js';
import { asFailure, Failure } from '../model/errors.js';
import type { BackupEvent } from '../model/events/event.js';
import { dueSince, expectedBy } from '../model/events/expectation.js';
import { knownSince } from '../model/events/known.js';
import { judgeHealth, type DatabaseFacts, type HealthFacts, type HealthReport, type StorageFacts } from '../model/health/health.js';
import { isToCome } from '../model/health/clock.js';
import type { AutomationFacts, ProofFacts, RoutineFacts } from '../model/health/automation.js';
import type { Schedule, Settings } from '../model/settings/settings.js';
import { waitingAdvice } from './backup/waits.js';
import { catalog, foreignAdvice, type Catalog } from './catalog/catalog.js';
import { missingCopies, type MissingCopies } from './catalog/missing.js';
import type { Context } from './context.js';
import { readHistory, type History } from './history/history.js';
import { sealingFacts } from './keys.js';
import { channelFacts } from './notify/facts.js';
import { reconcile } from './history/reconcile.js';
import { heldBack } from './catalog/retention.js';
import { schedulerFacts } from './schedules/scheduler.js';

export interface HealthDocument extends HealthReport {
  readonly configuration: Settings;
  readonly activeBackups: number;
}

/** An entry of `databases`, and the databases behind it; a Failure when its server could not be asked. */
interface Entry {
  readonly name: string;
  readonly members: readonly Database[] | Failure;
}

/** Days after which a restore is asked for, where no schedule says. */
const usualProof = 7;

/** What every part said. */
interface Found {
  readonly entries: readonly Entry[];
  readonly databases: readonly DatabaseFacts[];
  readonly storages: readonly StorageFacts[];
  readonly history: History;
  readonly ended: readonly BackupEvent[] | Failure;
  readonly stock: Catalog;
  readonly missing: MissingCopies;
  readonly sealing: HealthFacts['sealing'];
  readonly channels: HealthFacts['channels'];
  readonly stateRoom: number | null;
}

/**
 * The whole report, with what was measured now; events of dead processes are ended first, as before every deed. `look`: where a fold of
 * the ledger is kept, the Context that reads it.
 */
export async function health(context: Context, look = async () => context): Promise<HealthDocument> {
  const { settings } = context;
  const ended = await orFailure(reconcile(context), 'ledger');
  const looking = await look();
  const entries = await Promise.all(context.databases.map((name) => entryOf(context, name)));
  const [databases, storages, history] = await Promise.all([
    Promise.all(entries.map((entry) => lookAt(context, entry))),
    probeStorages(context),
    readHistory(looking),
  ]);
  const stock = await catalog(looking);
  const missing = await missingCopies(looking);
  const sealing = await sealingFacts(context, history.drilled);
  const channels = await channelFacts(context);
  const stateRoom = await context.stateRoom();
  const report = await judge(looking, { entries, databases, storages, history, ended, stock, missing, sealing, channels, stateRoom });
  context.log('info', `health: ${report.status}`, { issues: report.issues });
  const advice = [...(await waitingAdvice(context)), ...foreignAdvice(stock), ...report.advice];
  const activeBackups = await context.locks.placesTaken(settings.conditions.maxConcurrentBackups);
  return { ...report, advice, configuration: settings, activeBackups };
}

/** What can be told without asking a database or for a secret, from what was found already. It ends no event. */
export async function healthWithin(
  context: Context,
  found: Omit<Found, 'entries' | 'databases' | 'ended' | 'sealing' | 'stateRoom'>,
): Promise<HealthReport> {
  const members = new Failure('connection', 'it was not asked');
  const entries = context.databases.map((name) => ({ name, members }));
  return judge(context, { ...found, entries, databases: [], ended: [], sealing: null, stateRoom: await context.stateRoom() });
}

export const probeStorages = ({ storages }: Pick<Context, 'storages'>): Promise<StorageFacts[]> =>
  Promise.all(storages.map(async (storage) => ({ name: storage.name, probe: await orFailure(storage.probe(), 'storage') })));

async function judge(context: Context, found: Found): Promise<HealthReport> {
  const { settings } = context;
  const { history, storages, databases, sealing, channels } = found;
  return judgeHealth({
    ...automationFacts(context, found),
    sealing,
    scheduler: await schedulerFacts(context, history.scheduler),
    channels,
    heldBack: await heldBack(context),
    missingCopies: found.missing.missing.map(({ to, manifest: { backupId, database } }) => ({ storage: to.name, backupId, database })),
    restoreTimes: history.restoreTimes,
    maxRestoreTime: settings.health.maxRestoreTime,
    limits: settings.health,
    minDiskSpace: settings.conditions.minDiskSpace,
    databases,
    storages,
    newestSizes: newestSizes(found.stock),
  });
}

/** By storage: what the newest backup of each database took there. */
function newestSizes({ backups }: Catalog): Map<string, number> {
  const newest = new Map(backups.toReversed().map((backup) => [backup.database, backup]));
  const sizes = new Map<string, number>();
  for (const { storages, size } of newest.values()) for (const name of storages) sizes.set(name, (sizes.get(name) ?? 0) + size);
  return sizes;
}

const orFailure = <T>(asked: Promise<T>, code: 'storage' | 'connection' | 'ledger'): Promise<T | Failure> =>
  asked.catch((error: unknown) => asFailure(error, code));

async function entryOf(context: Context, name: string): Promise<Entry> {
  return { name, members: await orFailure(context.engine.members(name), 'connection') };
}

/** One look at an entry's server: by its first database, when it is a cluster. */
async function lookAt(context: Context, { name, members }: Entry): Promise<DatabaseFacts> {
  if (members instanceof Failure) return { name, measurement: members, probe: members };
  const [first] = members;
  if (!first) {
    const empty = new Failure('no-database', `no database of "${name}" matches its names`, {
      hint: `check databases.${name} in the configuration`,
    });
    return { name, measurement: empty, probe: empty };
  }
  const measurement = await orFailure(context.engine.measure(first), 'connection');
  const probe = await orFailure(context.engine.probe(first), 'connection');
  return { name: first.name, measurement, probe, ...(probe instanceof Failure ? {} : { refused: await refusals(context, members) }) };
}

/** Each database on its own: rights are not the server's. */
async function refusals(context: Context, members: readonly Database[]): Promise<readonly Failure[]> {
  const refused: Failure[] = [];
  for (const member of members) {
    const access = await orFailure(context.engine.access(member), 'connection');
    const failure = access instanceof Failure ? access : refusal(member.name, access);
    if (failure) refused.push(failure);
  }
  return refused;
}

type Stock = Catalog & { readonly reachable: boolean };

function automationFacts(
  context: Context,
  { entries, storages, history, ended, stock: catalogued, stateRoom }: Found,
): Omit<AutomationFacts, 'sealing' | 'heldBack' | 'missingCopies' | 'restoreTimes' | 'maxRestoreTime' | 'scheduler' | 'channels'> {
  const stock = { ...catalogued, reachable: storages.every(({ probe }) => !(probe instanceof Failure)) };
  const now = context.clock.now();
  const suspects = stock.backups
    .filter(({ suspect }) => suspect)
    .map(({ backupId, database, doubts }) => `backup ${backupId} of ${database} is suspect: ${doubts.join('; ')}`);
  const badCopies = stock.backups
    .filter(({ storages, badCopies: bad }) => bad.length > 0 && bad.length < storages.length)
    .map(
      ({ backupId, database, badCopies: bad }) =>
        `the copy of ${backupId} of ${database} in ${bad.join(', ')} failed its newest verification`,
    );
  return {
    now,
    dates: {
      lastRecord: history.ending,
      future: stock.backups.filter(({ timestamp }) => isToCome(timestamp, now)).map(({ backupId }) => backupId),
    },
    routines: Object.entries(context.schedules).flatMap(([id, schedule]) =>
      routinesOf(context, { id, schedule }, namesOf(schedule, entries, stock), { now, history, stock }),
    ),
    // what is no longer configured is nobody's concern
    lastRuns: history.lastRuns.filter(({ database }) => entries.some(({ name }) => database === name || database.startsWith(`${name}--`))),
    deadRuns:
      ended instanceof Failure
        ? history.deadRuns
        : [...ended.filter(({ status }) => status === 'failed').map(({ id }) => id), ...history.deadRuns],
    unwritable: ended instanceof Failure ? ended.message : null,
    stateRoom,
    proofs: proofsOf(context, history, stock),
    uncaged: history.uncaged,
    // what cannot be reached is told by the storage's own check
    badBackups: [...suspects, ...badCopies, ...(stock.reachable ? stock.problems : [])],
    damage: history.damage,
  };
}

/** The databases that a schedule backs up; of an entry that cannot be asked those that were backed up before. */
function namesOf(schedule: Schedule, entries: readonly Entry[], { backups }: Stock): string[] {
  return entries
    .filter(({ name }) => schedule.databases?.includes(name) ?? true)
    .flatMap(({ name, members }) => {
      if (!(members instanceof Failure)) return members.map((member) => member.name);
      const known = new Set(backups.map(({ database }) => database).filter((database) => database.startsWith(`${name}--`)));
      return known.size > 0 ? [...known] : [name];
    });
}

interface Known {
  readonly now: Date;
  readonly history: History;
  readonly stock: Stock;
}

function routinesOf(
  { settings }: Context,
  { id, schedule }: { id: string; schedule: Schedule },
  databases: readonly string[],
  known: Known,
): RoutineFacts[] {
  const expectation = expectedBy(schedule, settings, known.now);
  if (!schedule.enabled) return [];
  return databases.map((database) => {
    // what another installation signed does not say that this one runs
    const newest = known.stock.backups.find((one) => one.signed && one.scheduleId === id && one.database === database && !one.suspect);
    const remembered = known.stock.reachable ? undefined : known.history.lastCompleted.get(`${id} ${database}`);
    const equal = known.history.lastEqual.get(`${id} ${database}`);
    const good = (equal?.backupId === newest?.backupId ? equal?.at : newest?.timestamp) ?? remembered;
    const lastGood = good === undefined ? null : new Date(good);
    const since = knownSince(known.history.known, id, known.history.beginning);
    const from = lastGood ?? since;
    return {
      scheduleId: id,
      database,
      expectation,
      lastGood,
      since,
      ...(expectation && from && { due: dueSince(schedule, settings, from, expectation) }),
      held: known.history.held.get(`${id} ${database}`) ?? null,
    };
  });
}

function proofsOf({ schedules }: Context, { restored }: History, { backups }: Stock): ProofFacts[] {
  return [...new Set(backups.map(({ database }) => database))].map((database) => {
    const own = backups.flatMap((backup) => (backup.database === database && backup.proven?.level === 'restore' ? [backup.proven.at] : []));
    const newest = [...own, restored.get(database) ?? ''].toSorted().at(-1);
    const days = Object.values(schedules).flatMap(({ verify, databases }) =>
      verify && (databases?.some((entry) => database === entry || database.startsWith(`${entry}--`)) ?? true) ? [verify.everyDays] : [],
    );
    return { database, restoredAt: newest ? new Date(newest) : null, everyDays: days.length > 0 ? Math.min(...days) : usualProof };
  });
}
