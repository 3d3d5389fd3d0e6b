/**
 * test: alerting without a machine: a ledger in memory that survives its processes, channels that do as they are told, a clock that is set.
 */
import type { Context } from '../../../src/core/context.js';
import { notify, type NotifyOptions } from '../../../src/core/notify.js';
import { Failure } from '../../../src/model/errors.js';
import type { BackupEvent } from '../../../src/model/events/event.js';
import type { Fact, LedgerRecord } from '../../../src/model/events/ledger.js';
import type { LedgerLine } from '../../../src/model/roles/ledger.js';
import type { Channel, Message } from '../../../src/model/roles/channel.js';
import { alertingSchema, type Routing } from '../../../src/model/settings/alerts.js';
import type { Schedule, Settings } from '../../../src/model/settings/settings.js';
import { makeEvent } from '../../fixtures/ledger.js';

/** A process that was killed: what comes after does not happen. */
class Killed extends Error {}

export interface FakeChannel {
  readonly name: string;
  readonly received: Message[];
  /** What it does with the next messages; takes them when left out. */
  answer: (message: Message) => void;
}

export interface RigOptions {
  readonly channels?: Readonly<Record<string, Partial<Routing>>>;
  readonly alerting?: object;
  readonly settings?: Partial<Settings>;
  readonly schedules?: Readonly<Record<string, Schedule>>;
}

export interface Rig {
  readonly channels: Readonly<Record<string, FakeChannel>>;
  readonly records: LedgerRecord[];
  readonly said: string[];
  readonly context: Context;
  now(): Date;
  advance(ms: number): void;
  append(...facts: Fact[]): void;
  event(k: number, status: BackupEvent['status'], more?: Partial<BackupEvent>): void;
  /** As a process of its own would; false when it was killed after `steps` appends and sends. */
  drain(options?: Partial<NotifyOptions> & { readonly steps?: number }): Promise<Failure | null | 'killed'>;
  /** Loses what was folded. */
  forget(): void;
  subjects(channel?: string): string[];
}

export const down = () => {
  throw new Failure('alert', 'it does not answer');
};
export const gone = () => {
  throw new Failure('alert', 'there is no such hook', { class: 'permanent' });
};

export function rig({ channels: routing = { ops: {} }, alerting = {}, settings = {}, schedules = {} }: RigOptions = {}): Rig {
  let time = Date.UTC(2026, 0, 5, 12);
  let left = Infinity;
  let memory: string | null = null;
  const records: LedgerRecord[] = [];
  const said: string[] = [];
  const step = () => {
    left -= 1;
    if (left < 0) throw new Killed();
  };
  const write = (content: Fact | (BackupEvent & { record: 'event'; step: number })) => {
    const at = new Date(time).toISOString();
    const copy = JSON.parse(JSON.stringify(content)) as typeof content;
    records.push({ ...copy, v: 1, at, prev: String(records.length) });
  };
  const lineAt = (offset: number): LedgerLine[] => {
    const record = records[offset];
    return record ? [{ position: { segment: 1, offset }, record }] : [];
  };
  const channels = Object.fromEntries(
    Object.keys(routing).map((name): [string, FakeChannel] => [name, { name, received: [], answer: () => {} }]),
  );
  const roles = Object.values(channels).map((fake): Channel => ({
    name: fake.name,
    kind: 'fake',
    async send(message) {
      step();
      fake.answer(message);
      fake.received.push(message);
      step();
      return { detail: 'taken' };
    },
  }));
  // what alerts do not ask for is left out
  const context = {
    settings: {
      enabled: true,
      intelligentScheduling: false,
      alertOnFailure: true,
      alertOnSuccess: false,
      timezone: 'UTC',
      ...settings,
      alerting: alertingSchema.parse(alerting),
    },
    schedules,
    databases: ['shop'],
    channels: roles,
    routes: Object.fromEntries(Object.entries(routing).map(([name, route]) => [name, { severity: 'info', fallback: false, ...route }])),
    alertMemory: {
      recall: () => (memory === null ? null : JSON.parse(memory)),
      keep(content: object) {
        step();
        memory = JSON.stringify(content);
      },
    },
    ledger: {
      async appendFact(fact: Fact) {
        step();
        write(fact);
        step();
      },
      async *read(_damage: unknown, from?: { offset: number }) {
        for (let offset = from?.offset ?? 0; offset < records.length; offset += 1) yield* lineAt(offset);
      },
      async *readOutcomes() {
        for (let offset = 0; offset < records.length; offset += 1) yield* lineAt(offset);
      },
      async *readBackwards() {
        for (let offset = records.length - 1; offset >= 0; offset -= 1) yield* lineAt(offset);
      },
    },
    locks: { claimAlerts: async () => ({ release: () => {} }) },
    clock: {
      now: () => new Date(time),
      monotonic: () => time,
      sleep: (_ms: number, signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
    },
    newId: () => `id-${records.length}`,
    announce: (progress: { message?: string }) => void said.push(progress.message ?? ''),
    log: () => {},
    signal: new AbortController().signal,
    process: { host: 'db1', pid: 1, toolVersion: '0', configFile: null },
  } as unknown as Context;
  return {
    channels,
    records,
    said,
    context,
    now: () => new Date(time),
    advance: (ms) => void (time += ms),
    append: (...facts) => facts.forEach(write),
    event(k, status, more = {}) {
      write({ record: 'event', step: 1, ...makeEvent(k, status, { host: 'db1', scheduleId: 'daily', ...more }) });
    },
    async drain({ steps = Infinity, ...options } = {}) {
      left = steps;
      const failure = await notify(context, { budget: 30_000, ...options });
      const killed = left < 0;
      left = Infinity;
      return killed ? 'killed' : failure;
    },
    forget: () => void (memory = null),
    subjects: (channel = 'ops') => channels[channel]?.received.map(({ subject }) => subject) ?? [],
  };
}
