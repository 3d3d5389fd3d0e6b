/**
 * config: the schema as a person and an editor read it: the reference page, the JSON Schema, a file to begin with. Writes nothing.
 */
import { variables } from './environment.js';
import { choices, inputSchema, words, type SchemaNode } from './expected.js';
import { configVariable, places } from './file.js';
import { isTree } from './layers.js';
import { defaultSections } from './schema.js';

export const schemaFile = 'backup-automation.schema.json';

/** The JSON Schema (draft 2020-12) of a configuration file. */
export function jsonSchema(): Record<string, unknown> {
  const schema = inputSchema();
  // what is left out altogether is no error: these have defaults that depend on the surroundings
  const required = (schema.required ?? []).filter((key) => !(key in defaultSections));
  return {
    title: 'Configuration of backup-automation',
    ...schema,
    required,
    properties: { $schema: { type: 'string', description: 'Where this schema lies, for the editor.' }, ...schema.properties },
  };
}

/** A file to begin with: the keys that are changed first, at their defaults. */
export function sampleText(): string {
  const sample = {
    $schema: `./${schemaFile}`,
    backupWindow: { start: '01:00', end: '06:00' },
    conditions: { maxDatabaseLoad: 80, minDiskSpace: 10, maxConcurrentBackups: 2 },
    maxRetries: 3,
    retryDelay: 30,
    storages: defaultSections.storages(),
    schedules: defaultSections.schedules(),
    retention: { keepLast: 7, minimum: 3 },
  };
  return `${JSON.stringify(sample, null, 2)}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

interface Row {
  readonly key: string;
  readonly node: SchemaNode;
  /** The members of a shelf that have it; none where it is no shelf's. */
  readonly members: readonly string[];
}

/** Every key that can be written, `NAME` standing for a name of the user's choice. */
function* rows(node: SchemaNode, path: string): Generator<Row> {
  const objects = choices(node).filter((choice) => choice.type === 'object' || choice.properties);
  if (path && (objects.length === 0 || node.description !== undefined)) yield { key: path, node, members: [] };
  for (const object of objects) {
    const kind = object.properties?.['kind']?.const;
    for (const [key, inner] of Object.entries(object.properties ?? {}))
      for (const row of rows(inner, path ? `${path}.${key}` : key)) yield typeof kind === 'string' ? { ...row, members: [kind] } : row;
    if (typeof object.additionalProperties === 'object' && Object.keys(object.additionalProperties).length > 0)
      yield* rows(object.additionalProperties, `${path}.NAME`);
  }
}

const shelfOf = ({ key }: Row): string => key.split('.', 1)[0] ?? '';

/** What members of a shelf have alike, once; in the words of its row who has it, where not all do. */
function gathered(all: readonly Row[]): Row[] {
  const alike = new Map<string, Row>();
  for (const row of all) {
    const same = `${row.key} ${JSON.stringify(row.node)}`;
    alike.set(same, { ...row, members: [...(alike.get(same)?.members ?? []), ...row.members] });
  }
  const everyone = (row: Row) => new Set(all.filter((one) => shelfOf(one) === shelfOf(row)).flatMap((one) => one.members)).size;
  return [...alike.values()].map((row) => (row.members.length === everyone(row) ? { ...row, members: [] } : row));
}

function line({ key, node, members }: Row): string {
  const variable = variables.find(([, sets]) => sets === key)?.[0];
  const fallback = node.default === undefined || isTree(node.default) ? '' : `\`${JSON.stringify(node.default)}\``;
  const whose = members.length > 0 && node.const === undefined ? `${members.map((one) => `\`${one}\``).join(', ')}: ` : '';
  const about = `${whose}${node.description ?? ''}${variable ? ` Environment: \`${variable}\`.` : ''}`;
  return `| \`${key}\` | ${cell(words(node))} | ${cell(fallback)} | ${cell(about)} |`;
}

/** The page of docs/reference, in Markdown. */
export function referencePage(): string {
  const table = gathered([...rows(inputSchema(), '')])
    .map(line)
    .join('\n');
  const environment = variables
    .map(([name, key, kind]) => `| \`${name}\` | \`${key}\` | ${kind === 'switch' ? 'true, false, yes, no, 1, 0' : kind} |`)
    .join('\n');
  return `# Configuration

Made by \`npm run docs\` from the schema; change it there.

Looked for from the working directory upwards, the first found holds:

${places.map((place) => `- \`${place}\`${place === 'package.json' ? ', under the key `backup-automation`' : ''}`).join('\n')}

\`--config FILE\` or \`${configVariable}\` names another; a program (\`.js\`, \`.mjs\`) only \`--config\`. A file
that others may write is refused. Relative paths are relative to the file, without a file to the working directory.

Precedence: \`--set KEY=VALUE\`, then the environment, then the file, then the default. \`backup-automation config\` shows each value and
where it comes from; \`backup-automation config validate\` names everything that is wrong, and what is valid but not built yet.

A secret is never written in the file, only a reference to it: \`"env:NAME"\`, \`"file:PATH"\` (its first line; the file must be its
owner's alone) or \`"command:PROGRAM ARGUMENTS"\` (its first line of output; no shell). A whole \`url\` may be one.

\`databases\`, \`storages\` and \`schedules\` replace the defaults when they are given.

## Keys

| key | value | default | what it is |
|---|---|---|---|
${table}

## Environment

| variable | key | written as |
|---|---|---|
${environment}

An empty variable sets nothing.

## A file to begin with

\`backup-automation config init\` writes it.

\`\`\`json
${sampleText()}\`\`\`
`;
}
