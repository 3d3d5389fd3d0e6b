/**
 * test: an engine that needs no server: its dump is bytes that a test gives. It restores nothing.
 */
import { Duplex, PassThrough } from 'node:stream';
import type { BackupDetails } from '../../src/model/backup/backup.js';
import type { Engine } from '../../src/model/roles/engine.js';
import type { EngineProbe } from '../../src/model/roles/engine/dump.js';
import type { Stage } from '../../src/model/roles/flow.js';
import { unmeasured } from '../../src/model/moment/measurement.js';

/** A first stage that yields what `pieces` yields, no faster than it is read. */
export const yields = (pieces: () => AsyncIterable<Buffer> | Iterable<Buffer>): Stage => ({
  kind: 'transform',
  create: () => Duplex.from(pieces()),
});

/** A last stage that reads everything and finds nothing wrong. */
const anything: Stage = {
  kind: 'transform',
  create: () => new PassThrough({ transform: (_data, _encoding, next) => next() }),
};

const probe: EngineProbe = {
  databaseName: 'shop',
  serverVersion: '15.1',
  serverMajor: 15,
  clientVersion: '15.1',
  clientMajor: 15,
  clientFile: '/nowhere/pg_dump',
  compressesZstd: false,
  systemIdentifier: '7',
  databaseSize: 1000,
};

const details: BackupDetails = {
  format: 1,
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'C',
  roles: [],
  extensions: [],
  tablespaces: [],
  notIncluded: [],
  fingerprint: { method: 'none', tables: [], largeObjects: null },
};

const unknown = (): never => {
  throw new Error('the engine of this test does not know that');
};

export function fakeEngine(dump: Stage): Engine {
  return {
    kind: 'pg_dump',
    members: async (entry) => [{ name: entry, entry, connection: null }],
    measure: async () => unmeasured,
    probe: async () => probe,
    mark: () => Promise.reject(new Error('nothing is known of the server')),
    claim: async () => ({ without: null, isLost: () => false, release: async () => {} }),
    access: async () => ({ role: 'backup', serverMajor: 15, unreadable: [], largeObjects: { count: 0, first: [] } }),
    dump: async () => ({
      probe,
      snapshotLsn: null,
      artifacts: [{ name: 'database.dump', kind: 'database', stages: [dump], check: [anything] }],
      details: async () => details,
      inventory: async () => ({ expected: [], largeObjects: 0 }),
      close: async () => {},
    }),
    volumes: async () => [],
    listen: unknown,
    watch: () => Promise.reject(new Error('nobody watches')),
    load: unknown,
    check: async () => [anything],
    target: unknown,
    url: unknown,
    inspect: unknown,
    survey: unknown,
    addRoles: unknown,
    scratch: unknown,
    properties: unknown,
    amend: unknown,
  };
}
