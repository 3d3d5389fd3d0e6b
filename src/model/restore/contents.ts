/**
 * model: the table of contents of an archive, as `pg_restore --list --verbose` prints it, and which of its entries make up a part. Pure.
 *
 * pg_restore's own --table leaves indexes, constraints, triggers and defaults behind; here they come along.
 */
import type { TableCount } from '../backup/backup.js';

export interface Entry {
  readonly id: number;
  /** `TABLE`, `FK CONSTRAINT`, ... */
  readonly kind: string;
  /** Schema, name and owner, parted by blanks that may be in them too. */
  readonly text: string;
  readonly needs: readonly number[];
}

export type TableName = Pick<TableCount, 'schema' | 'name'>;

/** The kinds that belong to a table or the like when they need it. */
const belongings = new Set(
  (
    'TABLE DATA,MATERIALIZED VIEW DATA,INDEX,CONSTRAINT,CHECK CONSTRAINT,FK CONSTRAINT,TRIGGER,RULE,DEFAULT,POLICY,ROW SECURITY,STATISTICS,' +
    'STATISTICS DATA,SEQUENCE,SEQUENCE OWNED BY,SEQUENCE SET,TABLE ATTACH,INDEX ATTACH,PUBLICATION TABLE,ACL,COMMENT,SECURITY LABEL'
  ).split(','),
);
/** They tie two things together: of no use where one of them is not there. */
const ties = new Set(['FK CONSTRAINT', 'TABLE ATTACH', 'INDEX ATTACH', 'PUBLICATION TABLE']);
const remarks = new Set(['ACL', 'COMMENT', 'SECURITY LABEL']);
const others = 'TABLE,VIEW,MATERIALIZED VIEW,FOREIGN TABLE,TYPE,SHELL TYPE,DOMAIN,SCHEMA,EXTENSION,DEFAULT ACL,EVENT TRIGGER'.split(',');
const kinds = [...belongings, ...others].toSorted((a, b) => b.length - a.length);

/** `220; 1259 16424 TABLE public orders postgres`, and below it `;	depends on: 855 855`. */
export function parseContents(listing: string): Entry[] {
  const entries: (Entry & { needs: number[] })[] = [];
  for (const line of listing.split('\n')) {
    const [, id, rest = ''] = /^(\d+); \d+ \d+ (.*)$/.exec(line) ?? [];
    if (id !== undefined) {
      const kind = kinds.find((one) => rest.startsWith(`${one} `)) ?? rest.split(' ', 1)[0] ?? '';
      entries.push({ id: Number(id), kind, text: rest.slice(kind.length + 1), needs: [] });
    } else if (line.startsWith(';\tdepends on:')) entries.at(-1)?.needs.push(...(line.match(/\d+/g) ?? []).map(Number));
  }
  return entries;
}

/** Whether a foreign key, `schema table key owner`, is one of this table, `schema table owner`, not one that points at it. */
const isKeyOf = (key: string, table: string): boolean =>
  [...table.matchAll(/ /g)].some(({ index }) => key.startsWith(table.slice(0, index + 1)) && key.endsWith(table.slice(index)));

const isOwnOf = (entry: Entry, owner: Entry): boolean => {
  if (entry.kind === 'FK CONSTRAINT') return isKeyOf(entry.text, owner.text);
  // what attaches a partition bears the partition's name
  return entry.kind !== 'TABLE ATTACH' || entry.text === owner.text;
};

export interface Ground {
  /** The target holds nothing yet: what the part needs comes along. */
  readonly empty: boolean;
  readonly schemas: readonly string[];
}

/** The entries that `seeds` stand for: with their partitions and all that belongs to them, and what they need there, in the archive's order. */
export function selectEntries(all: readonly Entry[], seeds: ReadonlySet<number>, ground: Ground): Entry[] {
  const byId = new Map(all.map((entry) => [entry.id, entry]));
  const chosen = new Map(all.filter(({ id }) => seeds.has(id)).map((entry) => [entry.id, entry]));
  const chosenOf = ({ needs }: Entry) => needs.flatMap((id) => chosen.get(id) ?? []);
  const add = (wanted: (entry: Entry) => boolean) => {
    for (let before = -1; before !== chosen.size;) {
      before = chosen.size;
      for (const entry of all) if (!chosen.has(entry.id) && wanted(entry)) chosen.set(entry.id, entry);
    }
  };
  const attached = new Map(all.filter(({ kind }) => kind === 'TABLE ATTACH').map((tie) => [tie.text, tie]));
  const isPartition = (entry: Entry) => {
    const tie = attached.get(entry.text);
    return tie?.needs.includes(entry.id) === true && chosenOf(tie).some(({ text }) => text !== tie.text);
  };
  add((entry) => entry.kind === 'TABLE' && isPartition(entry));
  add((entry) => belongings.has(entry.kind) && chosenOf(entry).some((owner) => isOwnOf(entry, owner)));
  const there = new Set(ground.schemas.map(oneLine));
  const isThere = (schema: Entry) => there.has(schemaName(schema, [...chosen.values()]) ?? '');
  const isWanted = (entry: Entry) => (entry.kind === 'SCHEMA' ? !isThere(entry) : ground.empty);
  const needed = new Set<number>();
  const take = (entry: Entry) => {
    for (const id of ties.has(entry.kind) ? [] : entry.needs) {
      const other = byId.get(id);
      if (!other || chosen.has(id) || needed.has(id) || !isWanted(other)) continue;
      needed.add(id);
      take(other);
    }
  };
  for (const entry of chosen.values()) take(entry);
  add((entry) => needed.has(entry.id) || (remarks.has(entry.kind) && entry.needs.some((id) => needed.has(id))));
  const isWhole = (entry: Entry) => !ground.empty || !ties.has(entry.kind) || entry.needs.every((id) => chosen.has(id) || !byId.has(id));
  return all.filter((entry) => chosen.has(entry.id) && isWhole(entry));
}

/** The longest beginning of `- schema owner` that what lies in it begins with too; both may have blanks. */
function schemaName({ id, text }: Entry, among: readonly Entry[]): string | undefined {
  const inside = among.filter(({ needs }) => needs.includes(id)).map((entry) => entry.text);
  const words = text.split(' ').slice(1);
  const beginnings = words.map((_word, at) => words.slice(0, words.length - at).join(' '));
  return beginnings.find((name) => inside.some((one) => one.startsWith(`${name} `)));
}

/** The order of a pg_restore over one connection, in three passes: what privileges could hinder, the privileges, what they may be needed for. */
export function passesOf(entries: readonly Entry[]): { readonly first: Entry[]; readonly privileges: Entry[]; readonly last: Entry[] } {
  const isPrivilege = ({ kind }: Entry) => kind === 'ACL' || kind === 'DEFAULT ACL';
  const isLast = ({ kind, text }: Entry) =>
    ['EVENT TRIGGER', 'MATERIALIZED VIEW DATA'].includes(kind) || (kind === 'COMMENT' && text.startsWith('- EVENT TRIGGER '));
  return {
    first: entries.filter((entry) => !isPrivilege(entry) && !isLast(entry)),
    privileges: entries.filter(isPrivilege),
    last: entries.filter(isLast),
  };
}

/** As pg_restore shows names. */
const oneLine = (name: string): string => name.replace(/[\n\r]/g, ' ');

/** Those of `tables` whose rows are among the entries. */
export function tablesIn<Table extends TableName>(entries: readonly Entry[], tables: readonly Table[]): Table[] {
  const filled = new Set<Table>();
  const heads = tables
    .map((table) => ({ table, head: `${oneLine(table.schema)} ${oneLine(table.name)} ` }))
    .toSorted((a, b) => b.head.length - a.head.length);
  for (const { kind, text } of entries) {
    const found = kind === 'TABLE DATA' && heads.find(({ head }) => text.startsWith(head));
    if (found) filled.add(found.table);
  }
  return tables.filter((table) => filled.has(table));
}
