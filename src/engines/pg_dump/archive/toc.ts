/**
 * engines: the table of contents at the front of an archive of pg_dump, read from its bytes as they come, and no further. It restores
 * nothing, and asks no program: what pg_restore lists parts names by blanks that names have too.
 *
 * Source of the format: ReadHead, ReadToc and ReadStr of PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c. The custom format has it in front
 * in a pipe, too; the directory format in `toc.dat`, with another word at the end of each entry.
 */
import { createHash } from 'node:crypto';
import type { StoredObject } from '../../../model/backup/backup.js';
import type { Contents } from '../../../model/backup/objects.js';
import { Failure } from '../../../model/errors.js';

/** Minor versions of the format that are known: those of pg_dump 9.6 to 18. */
const known = { oldest: 12, newest: 16 };
/** Bytes that one entry may have: a function's whole text, say. */
const longest = 256 * 1024 * 1024;
/** `toc.dat` of a directory says that it is of a tar. */
const formats = { custom: 1, directory: 3 } as const;

/** There are not bytes enough yet. */
class Short extends Error {}

interface Shape {
  readonly minor: number;
  readonly intSize: number;
  readonly offSize: number;
  readonly format: number;
}

/** Reads numbers and texts of an archive from `at` on. Throws `Short`. */
class Cursor {
  readonly bytes: Buffer;
  at: number;
  readonly #intSize: number;

  constructor(bytes: Buffer, at: number, intSize: number) {
    this.bytes = bytes;
    this.at = at;
    this.#intSize = intSize;
  }

  skip(count: number): number {
    if (this.at + count > this.bytes.length) throw new Short();
    this.at += count;
    return this.at - count;
  }

  byte(): number {
    return this.bytes.readUInt8(this.skip(1));
  }

  int(): number {
    const sign = this.byte();
    const value = this.bytes.readUIntLE(this.skip(this.#intSize), this.#intSize);
    return sign === 0 ? value : -value;
  }

  text(): string | null {
    const length = this.int();
    if (length < 0) return null;
    if (length > longest) throw new Failure('archive', `the archive's table of contents has a text of ${length} bytes`);
    const from = this.skip(length);
    return this.bytes.toString('utf8', from, from + length);
  }
}

interface Entry {
  readonly table: string;
  readonly oid: string;
  readonly name: string;
  readonly kind: string;
  readonly definition: string;
  readonly schema: string | null;
  readonly owner: string;
}

/** Null: it is of a version that is not known here. Throws `Short`, or `archive` where it is no archive. */
function readHead(bytes: Buffer): { shape: Shape; count: number; at: number } | null {
  const start = new Cursor(bytes, 0, 4);
  const magic = bytes.toString('latin1', start.skip(5), 5);
  if (magic !== 'PGDMP') throw new Failure('archive', 'what pg_dump wrote is not an archive');
  const [major, minor, , intSize, offSize, format] = [start.byte(), start.byte(), start.byte(), start.byte(), start.byte(), start.byte()];
  const understood = major === 1 && minor >= known.oldest && minor <= known.newest && intSize <= 6;
  if (!understood || (format !== formats.custom && format !== formats.directory)) return null;
  const cursor = new Cursor(bytes, start.at, intSize);
  // compression, the seven parts of the time, the database's name and two versions
  if (minor >= 15) cursor.byte();
  else cursor.int();
  for (let part = 0; part < 7; part += 1) cursor.int();
  for (let part = 0; part < 3; part += 1) cursor.text();
  const count = cursor.int();
  return { shape: { minor, intSize, offSize, format }, count, at: cursor.at };
}

function readEntry(cursor: Cursor, { minor, offSize, format }: Shape): Entry {
  // its number, and whether there is data of it
  cursor.int();
  cursor.int();
  const [table, oid, name, kind] = [cursor.text(), cursor.text(), cursor.text(), cursor.text()];
  cursor.int(); // section
  const definition = cursor.text();
  cursor.text(); // how it is dropped
  cursor.text(); // how it is copied
  const schema = cursor.text();
  cursor.text(); // tablespace
  if (minor >= 14) cursor.text(); // table access method
  if (minor >= 16) cursor.int(); // kind of relation
  const owner = cursor.text();
  cursor.text(); // with oids
  while (cursor.text() !== null);
  if (format === formats.custom) cursor.skip(1 + offSize);
  else cursor.text();
  const entry = {
    table: table ?? '0',
    oid: oid ?? '0',
    name: name ?? '',
    kind: kind ?? '',
    definition: definition ?? '',
    owner: owner ?? '',
  };
  // an empty text is none
  return { ...entry, schema: schema || null };
}

/** What is no object of its own, or is data. */
const passedOver = new Set(
  'ENCODING,STDSTRINGS,SEARCHPATH,TABLE DATA,MATERIALIZED VIEW DATA,SEQUENCE SET,BLOB,BLOBS,BLOB METADATA,INDEX ATTACH,STATISTICS DATA,SHELL TYPE'.split(
    ',',
  ),
);
const withParts = new Set(['TABLE', 'FOREIGN TABLE', 'TYPE', 'ACL']);

/** The lines between the brackets: pg_dump writes a column, a check, a label on each. Of grants each is one. */
function partsOf(kind: string, definition: string): string[] {
  if (kind === 'ACL') return definition.split('\n').filter(Boolean);
  const lines = definition.split('\n');
  const first = lines.findIndex((line) => line.endsWith('('));
  const last = lines.findIndex((line, at) => at > first && line.startsWith(')'));
  return first < 0 || last < 0 ? [] : lines.slice(first + 1, last).map((line) => line.trim().replace(/,$/, ''));
}

function objectOf({ kind, schema, name, definition, owner }: Entry): StoredObject {
  const hash = createHash('sha256').update(`${owner}\0${definition}`).digest('hex').slice(0, 16);
  return { kind, schema, name, hash, ...(withParts.has(kind) && { parts: partsOf(kind, definition) }) };
}

/** How an entry is found: by the catalogue and the number of what it is of, else by its name. */
function keyOf({ kind, table, oid, schema, name }: Entry): string {
  if (table !== '0') return `${table}/${oid}`;
  return oid === '0' ? `${kind}/${schema}/${name}` : `${kind}/${oid}`;
}

/** pg_dump 17 puts many of one owner in one entry, their numbers one a line. */
function largeObjectsIn({ kind, definition }: Entry): number {
  if (kind === 'BLOB') return 1;
  return kind === 'BLOB METADATA' ? definition.split('\n').filter(Boolean).length : 0;
}

/**
 * Reads an archive's head to the end of its table of contents. Null: its version is not known here. Throws `archive` where it ends before,
 * or is none.
 */
export async function readContents(archive: AsyncIterable<Buffer>): Promise<Contents | null> {
  const objects: StoredObject[] = [];
  const keys = new Set<string>();
  let largeObjects = 0;
  let read = 0;
  let head: ReturnType<typeof readHead> | undefined;
  let rest: Buffer = Buffer.alloc(0);
  const take = (entry: Entry) => {
    keys.add(keyOf(entry));
    largeObjects += largeObjectsIn(entry);
    if (!passedOver.has(entry.kind)) objects.push(objectOf(entry));
  };
  for await (const piece of archive) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let at = 0;
    try {
      if (!head) {
        head = readHead(rest);
        if (head === null) return null;
        ({ at } = head);
      }
      for (; read < head.count; read += 1) {
        const cursor = new Cursor(rest, at, head.shape.intSize);
        take(readEntry(cursor, head.shape));
        ({ at } = cursor);
      }
      return { objects, keys, largeObjects };
    } catch (error) {
      if (!(error instanceof Short)) throw error;
    }
    rest = rest.subarray(at);
  }
  throw new Failure('archive', 'the archive ends within its table of contents');
}
