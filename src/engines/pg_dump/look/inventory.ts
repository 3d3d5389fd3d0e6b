/**
 * engines: what a whole dump of a database holds, by the server's own catalogue in the dump's own snapshot. What pg_dump rightly leaves out
 * is left out here too, each with its reason beside it. Reads only.
 */
import type { Expected, Inventory } from '../../../model/backup/objects.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { usersOf } from './catalogue.js';

/** The greatest number that initdb gives. */
const lastBuiltin = 16383;

interface Kind {
  /** In words. */
  readonly kind: string;
  readonly catalogue: string;
  readonly classid: number;
  readonly name: string;
  /** The column of its schema; none where it has no schema. */
  readonly schema?: string;
  readonly where?: string;
}

/** Made by the server along with something else: array types, a range's constructors. */
const notInternal = (catalogue: string): string => `NOT EXISTS (SELECT FROM pg_catalog.pg_depend i
  WHERE i.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND i.objid = c.oid AND i.deptype = 'i')`;
const notPublic = "c.nspname <> 'public' AND c.nspname <> 'information_schema' AND c.nspname !~ '^pg_'";

/** Objects with a line of their own in `pg_class` or a catalogue of their kind. */
const kinds: readonly Kind[] = [
  // `public` is there in every new database
  { kind: 'schema', catalogue: 'pg_namespace', classid: 2615, name: 'nspname', where: notPublic },
  { kind: 'extension', catalogue: 'pg_extension', classid: 3079, name: 'extname' },
  { kind: 'function', catalogue: 'pg_proc', classid: 1255, schema: 'pronamespace', name: 'proname', where: notInternal('pg_proc') },
  { kind: 'type', catalogue: 'pg_type', classid: 1247, schema: 'typnamespace', name: 'typname', where: notInternal('pg_type') },
  { kind: 'collation', catalogue: 'pg_collation', classid: 3456, schema: 'collnamespace', name: 'collname' },
  { kind: 'conversion', catalogue: 'pg_conversion', classid: 2607, schema: 'connamespace', name: 'conname' },
  // only named by another one so far
  { kind: 'operator', catalogue: 'pg_operator', classid: 2617, schema: 'oprnamespace', name: 'oprname', where: 'c.oprcode <> 0' },
  { kind: 'operator class', catalogue: 'pg_opclass', classid: 2616, schema: 'opcnamespace', name: 'opcname' },
  { kind: 'operator family', catalogue: 'pg_opfamily', classid: 2753, schema: 'opfnamespace', name: 'opfname' },
  { kind: 'text search parser', catalogue: 'pg_ts_parser', classid: 3601, schema: 'prsnamespace', name: 'prsname' },
  { kind: 'text search dictionary', catalogue: 'pg_ts_dict', classid: 3600, schema: 'dictnamespace', name: 'dictname' },
  { kind: 'text search template', catalogue: 'pg_ts_template', classid: 3764, schema: 'tmplnamespace', name: 'tmplname' },
  { kind: 'text search configuration', catalogue: 'pg_ts_config', classid: 3602, schema: 'cfgnamespace', name: 'cfgname' },
  { kind: 'language', catalogue: 'pg_language', classid: 2612, name: 'lanname' },
  { kind: 'access method', catalogue: 'pg_am', classid: 2601, name: 'amname' },
  { kind: 'cast', catalogue: 'pg_cast', classid: 2605, name: 'oid', where: notInternal('pg_cast') },
  { kind: 'transform', catalogue: 'pg_transform', classid: 3576, name: 'oid' },
  { kind: 'foreign data wrapper', catalogue: 'pg_foreign_data_wrapper', classid: 2328, name: 'fdwname' },
  { kind: 'foreign server', catalogue: 'pg_foreign_server', classid: 1417, name: 'srvname' },
  { kind: 'event trigger', catalogue: 'pg_event_trigger', classid: 3466, name: 'evtname' },
  { kind: 'publication', catalogue: 'pg_publication', classid: 6104, name: 'pubname' },
];

function ofKind({ kind, catalogue, classid, name, schema, where }: Kind): string {
  const mine = schema
    ? usersOf(catalogue)
    : `c.oid > ${lastBuiltin} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')`;
  return `SELECT '${kind}' AS kind, ${schema ? 'n.nspname::text' : 'NULL'} AS schema, c.${name}::text AS name, '${classid}/' || c.oid AS key
    FROM pg_catalog.${catalogue} c ${schema ? `JOIN pg_catalog.pg_namespace n ON n.oid = c.${schema}` : ''}
    WHERE ${mine}${where ? ` AND ${where}` : ''}`;
}

const relation = `SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${usersOf('pg_class')}`;
/** Of an extension that initdb did not make only the rows of what it declares as its configuration are dumped. */
const configuration = `SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid IN (SELECT pg_catalog.unnest(e.extconfig) FROM pg_catalog.pg_extension e WHERE e.oid > ${lastBuiltin})`;

const relations = `SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
    ELSE 'table' END, nspname::text, relname::text, '1259/' || oid FROM relation
  UNION ALL SELECT 'row security of', nspname::text, relname::text, 'ROW SECURITY/' || oid FROM relation WHERE relrowsecurity AND relkind IN ('r', 'p')`;

/** Rows lie in tables and partitions; what is partitioned, foreign or a view has none, and a standby has none of what is not logged. */
const data = `SELECT 'rows of table', nspname::text, relname::text, 'TABLE DATA/' || oid FROM filled
    WHERE relkind = 'r' AND (relpersistence = 'p' OR NOT pg_catalog.pg_is_in_recovery())
  UNION ALL SELECT 'position of sequence', nspname::text, relname::text, 'SEQUENCE SET/' || nspname || '/' || relname FROM filled
    WHERE relkind = 'S' AND (relpersistence = 'p' OR NOT pg_catalog.pg_is_in_recovery())`;

/** An index that is not valid is left out: it is what a CREATE INDEX CONCURRENTLY that failed leaves. */
const onTables = (major: number): string => `
  SELECT 'index', r.nspname::text, x.relname::text, '1259/' || x.oid FROM pg_catalog.pg_index i JOIN relation r ON r.oid = i.indrelid
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE (i.indisvalid OR r.relkind = 'p') AND i.indisready
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.oid AND k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x'))
  UNION ALL SELECT 'constraint', r.nspname::text, r.relname || ' ' || k.conname, '2606/' || k.oid FROM pg_catalog.pg_constraint k
    JOIN relation r ON r.oid = k.conrelid LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND k.contype <> 'f'
    WHERE (k.contype IN ('p', 'u', 'x') AND (i.indisvalid OR r.relkind = 'p') AND i.indisready)
      OR (k.contype = 'f' ${major >= 11 ? 'AND k.conparentid = 0' : ''})
  UNION ALL SELECT 'policy', r.nspname::text, r.relname || ' ' || p.polname, '3256/' || p.oid
    FROM pg_catalog.pg_policy p JOIN relation r ON r.oid = p.polrelid
  UNION ALL SELECT 'rule', r.nspname::text, r.relname || ' ' || w.rulename, '2618/' || w.oid
    FROM pg_catalog.pg_rewrite w JOIN relation r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
  UNION ALL SELECT 'statistics', n.nspname::text, s.stxname::text, '3381/' || s.oid FROM pg_catalog.pg_statistic_ext s
    JOIN relation r ON r.oid = s.stxrelid JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
  ${
    // a partition's own copy is made again with its table's
    major >= 13
      ? `UNION ALL SELECT 'trigger', r.nspname::text, r.relname || ' ' || t.tgname, '2620/' || t.oid
          FROM pg_catalog.pg_trigger t JOIN relation r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgparentid = 0`
      : ''
  }`;

/** Subscriptions are dumped for superusers alone; pg_dump warns of it. */
const subscriptions = `SELECT 'subscription', NULL, c.subname::text, '6100/' || c.oid FROM pg_catalog.pg_subscription c
  WHERE c.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
    AND pg_catalog.current_setting('is_superuser') = 'on'`;

/** Everything that the dump of this session's snapshot has to hold; with `schema` without rows. */
export async function readInventory(session: Session, content: 'all' | 'schema'): Promise<Inventory> {
  const expected = await session.query<Expected>(
    `WITH relation AS (${relation}), filled AS (SELECT * FROM relation UNION ALL ${configuration})
      ${[...kinds.map(ofKind), relations, onTables(session.serverMajor), subscriptions, ...(content === 'all' ? [data] : [])].join('\nUNION ALL ')}`,
  );
  const [objects] =
    content === 'schema'
      ? []
      : await session.query<{ count: number }>('SELECT pg_catalog.count(*) AS count FROM pg_catalog.pg_largeobject_metadata');
  return { expected, largeObjects: objects?.count ?? 0 };
}
