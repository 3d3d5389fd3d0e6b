/**
 * config: the rules about keys and secrets: what seals can be, and none stands in the file; pure.
 */
import { channels, type ChannelMember } from '../../channels/index.js';
import { isRecipient } from '../../model/backup/age-key.js';
import { carriesPassword, isReference } from '../../model/settings/reference.js';
import type { Encryption } from '../../model/settings/settings.js';
import { leaves, type Path } from '../layers.js';
import type { Config } from '../schema.js';
import type { Finding, Rule } from './rule.js';

const readable = (text: string): string => (/^AGE-SECRET-KEY-/i.test(text) ? 'a private key' : text.slice(0, 80));

/** As examples write a key: it is no error before something is to be sealed to it. */
export const placeholder = 'age1...';

function encryptionFindings(path: Path, { recipients, recipientsFile, passphrase }: Encryption): Finding[] {
  const found: Finding[] = [];
  if (recipients === undefined && recipientsFile === undefined && passphrase === undefined)
    found.push({ path, expected: '`recipients`, `recipientsFile` or `passphrase`; null for none' });
  if (recipients?.length === 0) found.push({ path: [...path, 'recipients'], expected: 'at least one public age key' });
  if (passphrase !== undefined && (recipients ?? recipientsFile) !== undefined)
    found.push({ path: [...path, 'passphrase'], found: 'a passphrase beside keys', expected: 'either keys or this' });
  for (const [index, recipient] of (recipients ?? []).entries())
    if (!isRecipient(recipient) && recipient !== placeholder)
      found.push({
        path: [...path, 'recipients', String(index)],
        found: JSON.stringify(readable(recipient)),
        expected: 'a public age key, "age1..." of 62 characters with a right checksum',
      });
  return found;
}

export const encryptions: Rule = (config) => {
  const all: [Path, Encryption | null | undefined][] = [[['encryption'], config.encryption]];
  for (const [name, { encryption }] of Object.entries(config.schedules)) all.push([['schedules', name, 'encryption'], encryption]);
  const { identity } = config.verify;
  const literal = identity !== undefined && !isReference(identity);
  const asIdentity = 'a reference to private age keys, e.g. "file:/root/age.key"';
  return [
    ...all.flatMap(([path, encryption]) => (encryption ? encryptionFindings(path, encryption) : [])),
    ...(literal ? [{ path: ['verify', 'identity'], found: 'something else', expected: asIdentity }] : []),
  ];
};

const asReference = 'a reference to the secret, "env:NAME", "file:PATH" or "command:...", never the secret itself';
const secretKeys = /^(password|passphrase|token|secret|apiKey)$/i;

/** A key that the channel calls secret, or a header whose name tells. */
function isChannelSecret(config: Config, [section, name = '', key = '', header]: Path): boolean {
  const entry = config.alerts[name];
  if (section !== 'alerts' || !entry) return false;
  const { secrets }: ChannelMember = channels[entry.kind];
  return header === undefined ? secrets.includes(key) : key === 'headers' && /auth|token|key|secret|cookie/i.test(header);
}

export const noLiteralSecrets: Rule = (config) =>
  [
    ...leaves({
      databases: config.databases,
      alerts: config.alerts,
      verify: config.verify,
      encryption: config.encryption,
      schedules: config.schedules,
      storages: config.storages,
      api: { restoreTargets: config.api.restoreTargets },
    }),
  ].flatMap(([path, value]) => {
    const key = path.at(-1) ?? '';
    if (typeof value !== 'string' || isReference(value)) return [];
    if (secretKeys.test(key) || isChannelSecret(config, path)) return [{ path, found: 'a literal secret', expected: asReference }];
    return /^(url|server)$/.test(key) && carriesPassword(value) ? [{ path, found: 'a URL with a password', expected: asReference }] : [];
  });
