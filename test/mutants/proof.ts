/**
 * test: mutants of what a backup is worth: what is dumped and counted, what a proof says, where a restore may go.
 */
import type { Mutant } from './mutant.js';

const untrue = 'a backup is said to be proven that is not';
const overwritten = 'a restore destroys what nobody named';

export const proof: readonly Mutant[] = [
  {
    name: 'counts not taken in the snapshot of the dump',
    file: 'engines/pg_dump/dump.ts',
    edits: [["'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY'", "'BEGIN READ ONLY'"]],
    breaks: 'a good backup is called bad, or a bad one good',
    tests: ['engines/pg_dump/engine.test.ts'],
  },
  {
    name: 'pg_dump not given the snapshot',
    file: 'engines/pg_dump/dump.ts',
    edits: [['      `--snapshot=${snapshot.id}`,\n', '']],
    breaks: 'a good backup is called bad, or a bad one good',
    tests: ['integration/snapshot.test.ts'],
  },
  {
    name: 'tables not locked before they are counted',
    file: 'engines/pg_dump/dump.ts',
    edits: [["if (request.fingerprint !== 'none') await lockTables(session);", '']],
    breaks: 'a TRUNCATE between count and dump goes unnoticed',
    tests: ['engines/pg_dump/engine.test.ts'],
  },
  {
    name: 'one table left out of the count',
    file: 'engines/pg_dump/look/catalogue.ts',
    edits: [['of (await listTables(session)).filter(isCounted)) {', 'of (await listTables(session)).filter(isCounted).slice(1)) {']],
    breaks: 'a table can come back empty, and is said to be equal',
    tests: ['engines/pg_dump/engine.test.ts'],
  },
  {
    name: 'one table left out of the hashes',
    file: 'engines/pg_dump/look/content.ts',
    edits: [['of (await listTables(session)).filter(isWanted))', 'of (await listTables(session)).filter(isWanted).slice(1))']],
    breaks: 'a table can come back with other rows, and is said to be equal',
    tests: ['engines/pg_dump/look/content.test.ts'],
  },
  {
    name: "one column left out of a row's hash",
    file: 'engines/pg_dump/look/content.ts',
    edits: [['AND a.attnum > 0 AND NOT a.attisdropped', 'AND a.attnum > 1 AND NOT a.attisdropped']],
    breaks: 'a column can come back with other values, and is said to be equal',
    tests: ['engines/pg_dump/look/content.test.ts'],
  },
  {
    name: 'partitions and inheritance counted twice',
    file: 'engines/pg_dump/look/catalogue.ts',
    edits: [['AS rows FROM ONLY ${quoted}`', 'AS rows FROM ${quoted}`']],
    breaks: 'the count of a table is not that of its own rows',
    tests: ['engines/pg_dump/look/content.test.ts'],
  },
  {
    name: 'rows that differ not told',
    file: 'model/backup/fingerprint.ts',
    edits: [['else if (restored.rows !== table.rows)', 'else if (restored.rows < 0)']],
    breaks: untrue,
    tests: ['model/backup/fingerprint.test.ts'],
  },
  {
    name: 'a missing table not told',
    file: 'model/backup/fingerprint.ts',
    edits: [
      ['if (!restored) differences.push(`table', 'if (!restored && table.rows < 0) differences.push(`table'],
      ['else if (restored.rows', 'else if (restored && restored.rows'],
      ['else if (differ(table.hash, restored.hash))', 'else if (differ(table.hash, restored?.hash))'],
    ],
    breaks: untrue,
    tests: ['model/backup/fingerprint.test.ts'],
  },
  {
    name: 'a sequence behind not told',
    file: 'model/backup/fingerprint.ts',
    edits: [['return ahead < 0n ||', 'return ahead === null ||']],
    breaks: 'the next key that is given out exists already',
    tests: ['model/backup/fingerprint.test.ts'],
  },
  {
    name: 'what the catalogue has and the archive has not, taken',
    file: 'core/backup/contents.ts',
    edits: [['if (failure) throw failure;', 'if (failure && contents === null) throw failure;']],
    breaks: 'a backup lacks a table, and is said to be whole',
    tests: ['faults/completeness.test.ts'],
  },
  {
    name: 'a restore that came out different is proven',
    file: 'core/verify.ts',
    edits: [
      ["if (differences.length > 0) throw new Failure('verification'", "if (differences.length > 10_000) throw new Failure('verification'"],
    ],
    breaks: untrue,
    tests: ['core/restore.test.ts'],
  },
  {
    name: 'a failed verification recorded as good',
    file: 'core/verify.ts',
    edits: [['ok: code === null,', 'ok: true,']],
    breaks: untrue,
    tests: ['core/copies-reading.test.ts'],
  },
  {
    name: 'a bad copy passed over in silence',
    file: 'core/verify.ts',
    edits: [['if (found) bad.push(found);', 'if (found) away = failure;']],
    breaks: untrue,
    tests: ['core/copies-reading.test.ts'],
  },
  {
    name: 'a full disk of the proof speaks against the backup',
    file: 'core/verify.ts',
    edits: [["['verification', 'archive', 'restore', 'unreadable'].includes(code)", "code !== 'internal'"]],
    breaks: 'a good backup is called bad',
    tests: ['core/restore.test.ts'],
  },
  {
    name: "a manifest's signature not checked",
    file: 'core/backup/manifest.ts',
    edits: [["if (verdict === 'bad') return { problem: 'the signature of the manifest is wrong' };", '']],
    breaks: 'a forged backup is listed',
    tests: ['core/backup/manifest.test.ts'],
  },
  {
    name: 'an unsigned manifest taken for a signed one',
    file: 'core/backup/manifest.ts',
    edits: [
      [
        "if (!manifest.signature) return { manifest, trust: 'unsigned' };",
        "if (!manifest.signature) return { manifest, trust: 'signed' };",
      ],
    ],
    breaks: 'a forged backup is listed',
    tests: ['core/backup/manifest.test.ts'],
  },
  {
    name: 'the signature made over a part of the manifest',
    file: 'core/backup/manifest.ts',
    edits: [
      [
        'const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value, null, 2));',
        "const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value, (key, one: unknown) => (key === 'sha256' ? undefined : one), 2));",
      ],
    ],
    breaks: 'a forged backup is listed',
    tests: ['core/backup/manifest.test.ts'],
  },
  {
    name: 'sizes of files not compared with the manifest',
    file: 'core/backup/manifest.ts',
    edits: [['if (size !== artifact.size) return', 'if (size === undefined) return']],
    breaks: 'a file that was cut short is listed as good',
    tests: ['core/backup/manifest.test.ts'],
  },
  {
    name: 'the manifest of another backup taken',
    file: 'core/backup/manifest.ts',
    edits: [
      [
        'if (manifest.backupId !== stored.place.backupId || manifest.database !== stored.place.database)',
        'if (manifest.database !== stored.place.database)',
      ],
    ],
    breaks: 'an old backup is restored in place of a new one',
    tests: ['core/backup/manifest.test.ts'],
  },
  {
    name: 'the newest taken for the latest although it is suspect',
    file: 'core/catalog/catalog.ts',
    edits: [['backups.filter((backup) => !backup.suspect)', 'backups.filter((backup) => backup.doubts.length >= 0)']],
    breaks: 'an empty backup is restored in place of a good one',
    tests: ['core/catalog/latest.test.ts'],
  },
  {
    name: 'a table that lost its rows not told',
    file: 'model/backup/suspect.ts',
    edits: [['> Math.max(rowSlack, table.rows * rowShare))', '> Math.max(rowSlack, table.rows))']],
    breaks: 'an emptied database evicts its own backups',
    tests: ['model/backup/suspect.test.ts'],
  },
  {
    name: '--force-target: the name not compared',
    file: 'model/restore/target.ts',
    edits: [['if (forceTarget !== undefined && forceTarget !== state.databaseName)', "if (forceTarget === '')"]],
    breaks: overwritten,
    tests: ['core/restore.test.ts'],
  },
  {
    name: 'a target that is not empty taken',
    file: 'model/restore/target.ts',
    edits: [['const occupied = objects !== null && objects > 0;', 'const occupied = objects !== null && objects < 0;']],
    breaks: overwritten,
    tests: ['core/restore.test.ts'],
  },
  {
    name: 'the source taken as a target',
    file: 'model/restore/plan.ts',
    edits: [['target.systemIdentifier === manifest.systemIdentifier &&', "target.systemIdentifier === '' &&"]],
    breaks: overwritten,
    tests: ['core/restore.test.ts', 'model/restore/plan.test.ts'],
  },
  {
    name: '--create takes what is there already',
    file: 'model/restore/target.ts',
    edits: [
      ['if (state.objects !== null && create && forceTarget === undefined)', 'if (state.objects === 0 && create && forceTarget === null)'],
    ],
    breaks: overwritten,
    tests: ['core/restore.test.ts'],
  },
  {
    name: 'a restore that came out different is good',
    file: 'core/restore.ts',
    edits: [
      [
        "if (differences.length > 0)\n      throw new Failure('restore', `the restored",
        "if (differences.length > 10_000)\n      throw new Failure('restore', `the restored",
      ],
    ],
    breaks: 'a restore is said to be equal that is not',
    tests: ['core/restore.test.ts'],
  },
  {
    name: 'room on the target not looked at',
    file: 'core/restore.ts',
    edits: [['  if (reasons.length > 0)\n    throw', '  if (reasons.length > 100)\n    throw']],
    breaks: 'a restore fills the disk of the target',
    tests: ['core/restore.test.ts'],
  },
  {
    name: 'a failed --output kept',
    file: 'core/restore/extract.ts',
    edits: [['    await file.discard();\n    throw error;', '    await file.keep();\n    throw error;']],
    breaks: 'half an archive lies under the name of a whole one',
    tests: ['core/restore.test.ts'],
  },
];
