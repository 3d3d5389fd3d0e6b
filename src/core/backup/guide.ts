/**
 * core: RESTORE.md, which lies in every backup, for somebody who never heard of this tool.
 */
import { compressors } from '../../model/settings/compressors.js';
import { formOf, type Artifact, type Manifest } from '../../model/backup/backup.js';

const decoders = Object.fromEntries(Object.entries(compressors).map(([kind, { byHand }]) => [kind, byHand]));

/** The shell commands that undo an artifact's codecs, ending in `sink`. */
function pipeline(artifact: Artifact, keys: Manifest['keys'], sink: string): string {
  // age asks for a passphrase by itself
  const byName: Readonly<Record<string, string>> = { ...decoders, age: keys?.length ? 'age -d -i KEY' : 'age -d' };
  const [outermost, ...inner] = artifact.codecs.toReversed().map((codec) => byName[codec] ?? codec);
  return outermost ? [`${outermost} ${artifact.name}`, ...inner, sink].join(' | ') : `${sink} < ${artifact.name}`;
}

const block = (...lines: string[]): string => ['```sh', ...lines, '```'].join('\n');

function aboutKeys({ keys }: Pick<Manifest, 'keys'>): string {
  if (!keys) return '';
  if (keys.length === 0) return '\nIt is sealed with a passphrase, for which `age` asks: without it nobody can restore.\n';
  const one = keys.length === 1 ? 'the key' : 'one of the keys';
  return `
It is sealed: without a private key nobody can restore. \`KEY\` below is the file that holds it (\`AGE-SECRET-KEY-1...\`). What it was sealed to
is ${one} ${keys.join(', ')}; this tells which of them a file holds (the first 16 digits):

${block("age-keygen -y KEY | tr -d '\\n' | sha256sum")}
`;
}

/** The programs, beside pg_restore, that the commands name. */
function programsFor(artifacts: readonly Artifact[]): string {
  const used = ['age', 'zstd'].filter((program) => artifacts.some(({ codecs }) => codecs.includes(program)));
  if (artifacts.some((artifact) => formOf(artifact) === 'directory')) used.push('tar');
  return used.length === 0 ? '' : ` and ${used.map((program) => `\`${program}\``).join(' and ')}`;
}

/** What several processes dumped has to lie in a folder for pg_restore. */
function loading(dump: Artifact, manifest: Omit<Manifest, 'artifacts'>): string {
  const { keys } = manifest;
  const restore = `pg_restore${complains(manifest) ? '' : ' --exit-on-error'} --dbname=NEW_DATABASE`;
  if (formOf(dump) === 'custom') return block(pipeline(dump, keys, restore));
  const unpack = ['mkdir -p UNPACKED', pipeline(dump, keys, 'tar -x -C UNPACKED')];
  return block(...unpack, `${restore} UNPACKED/database.dir`);
}

/** pg_restore 17 begins with a setting that older servers do not know, and calls that an error. */
const complains = ({ clientVersion, serverVersion }: Omit<Manifest, 'artifacts'>): boolean =>
  Number.parseInt(clientVersion, 10) >= 17 && Number.parseInt(serverVersion, 10) < 17;
const onComplaint =
  'In a server older than PostgreSQL 17 exactly one error is to be ignored: `unrecognized configuration parameter "transaction_timeout"`.\n\n';

export function restoreGuide(manifest: Omit<Manifest, 'artifacts'>, artifacts: readonly Artifact[]): string {
  const dump = artifacts.find((artifact) => artifact.kind === 'database');
  const globals = artifacts.find((artifact) => artifact.kind === 'globals');
  const sums = artifacts.map((artifact) => `${artifact.sha256}  ${artifact.name}`);
  return `# How to restore this backup

A backup of the PostgreSQL database ${JSON.stringify(manifest.databaseName)}, taken on ${manifest.startedAt}
from a PostgreSQL ${manifest.serverVersion} server with pg_dump ${manifest.clientVersion}. You need \`pg_restore\` ${manifest.clientVersion.split('.')[0]} or
newer${programsFor(artifacts)}; nothing else. Run the commands in this folder.
${aboutKeys(manifest)}
1. Check that the files are whole:

${block("sha256sum -c <<'END'", ...sums, 'END')}

2. Make an empty database (choose the name and the server):

${block('createdb --template=template0 NEW_DATABASE')}

${
  globals
    ? `3. If roles are missing on the server, look at them and create those you need (tablespaces are in there too):

${block(pipeline(globals, manifest.keys, 'less'))}

4.`
    : '3.'
} ${dump && formOf(dump) === 'directory' ? 'Unpack, and restore' : 'Restore'}:

${dump ? loading(dump, manifest) : ''}
${dump && formOf(dump) === 'directory' ? '\n`UNPACKED` is a folder with room for the whole dump.\n' : ''}
${complains(manifest) ? onComplaint : ''}Add \`--no-owner --no-privileges\` when the roles of the source do not exist and are not wanted.

With backup-automation itself: \`backup-automation restore ${manifest.backupId} --to postgresql://.../NEW_DATABASE\`,
which also compares every table's row count with the one counted when the backup was taken.
`;
}
