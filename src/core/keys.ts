/**
 * core: the keys that backups are sealed to, and the drill that proves that a private key which somebody keeps opens what is sealed today.
 */
import { Readable } from 'node:stream';
import type { Codec } from '../model/roles/codec.js';
import { asFailure, Failure } from '../model/errors.js';
import type { KeyDrillRecord } from '../model/events/ledger.js';
import type { SealingFacts } from '../model/health/sealing.js';
import type { Encryption } from '../model/settings/settings.js';
import { catalog } from './catalog/catalog.js';
import { elapsed, type Context } from './context.js';
import { countOf } from '../model/units.js';

/** What a drill found: its record in the ledger. */
export type KeyDrill = Omit<KeyDrillRecord, 'record'>;

/** Every encryption that the configuration asks for, each once, with the key it stands under. */
function encryptionsOf({ settings, schedules }: Pick<Context, 'settings' | 'schedules'>): [string, Encryption][] {
  const all: [string, Encryption | null | undefined][] = [['encryption', settings.encryption]];
  for (const [name, { encryption }] of Object.entries(schedules)) all.push([`schedules.${name}.encryption`, encryption]);
  const asked = all.flatMap(([key, encryption]): [string, Encryption][] => (encryption ? [[key, encryption]] : []));
  return [...new Map(asked.toReversed().map((one) => [JSON.stringify(one[1]), one])).values()].toReversed();
}

/** Seals a text as a backup would be sealed, and opens it with the keys that are named here. */
async function tryCanary(context: Context, codec: Codec): Promise<void> {
  const text = `backup-automation canary ${context.newId()}`;
  const { signal } = context;
  const sealed = context.run([codec.encode()], { input: Readable.from([Buffer.from(text)]), signal });
  const opened = context.run([codec.decode()], { input: sealed.output, signal });
  const pieces: Buffer[] = [];
  for await (const piece of opened.output) pieces.push(piece as Buffer);
  await opened.done;
  if (Buffer.concat(pieces).toString() !== text) throw new Failure('internal', 'what was sealed opened as something else');
}

/** How many of the sealed backups that there are these keys open: "; opens 3 of 4 sealed backups". */
async function coverage(context: Context, own: readonly string[]): Promise<string> {
  const sealed = (await catalog(context)).backups.flatMap(({ manifest }) => (manifest.keys?.length ? [manifest.keys] : []));
  const opened = sealed.filter((keys) => keys.some((key) => own.includes(key))).length;
  return sealed.length > 0 ? `; of ${countOf(sealed.length, 'backup')} sealed to keys it opens ${opened}` : '';
}

/** Drills each encryption, and records what was found. Throws `no-key` or `configuration` when no private key can be read at all. */
export async function drillKeys(context: Context): Promise<KeyDrill[]> {
  const encryptions = encryptionsOf(context);
  if (encryptions.length === 0)
    throw new Failure('usage', 'no encryption is configured: there is no key to prove', {
      hint: 'set encryption.recipients to the public age keys',
    });
  const drills: KeyDrill[] = [];
  for (const [key, encryption] of encryptions) drills.push(await drill(context, key, encryption));
  return drills;
}

async function drill(context: Context, encryption: string, asked: Encryption): Promise<KeyDrill> {
  const started = context.clock.monotonic();
  const { codec, keys } = await context.seal(asked);
  const own = keys.length > 0 ? await context.ownKeys() : [];
  const opened = keys.filter((key) => own.includes(key));
  const failure = await tryCanary(context, codec).then(
    () => null,
    (error: unknown) => asFailure(error),
  );
  if (context.signal.aborted) throw failure ?? asFailure(context.signal.reason, 'interrupted');
  const what = keys.length > 0 ? `what is sealed to ${keys.join(', ')}` : 'what is sealed with the passphrase';
  const by = keys.length > 0 ? ` with ${(failure ? own : opened).join(', ')}` : '';
  const detail = failure ? `${what} does not open${by}: ${failure.message}` : `${what} opens${by}${await coverage(context, own)}`;
  const result = { encryption, keys, opened: failure ? [] : opened, ok: failure === null, detail };
  const duration = elapsed(context, started);
  await context.ledger.appendFact({ record: 'key-drill', ...context.actor, ...result, duration });
  return { ...result, duration };
}

/** What `health` asks of the keys; null: nothing is encrypted. `drilled`: when each key was last proven, ISO 8601, by its id. */
export async function sealingFacts(context: Context, drilled: ReadonlyMap<string, string>): Promise<SealingFacts | null> {
  const encryptions = encryptionsOf(context);
  if (encryptions.length === 0) return null;
  const problems: string[] = [];
  const lids: (readonly string[])[] = [];
  for (const [, encryption] of encryptions)
    await context.seal(encryption).then(
      ({ keys }) => lids.push(keys),
      (error: unknown) => problems.push(asFailure(error).message),
    );
  const keys = [...new Set(lids.flat())].map((id) => ({ id, provenAt: drilled.has(id) ? new Date(drilled.get(id) ?? '') : null }));
  return { problems, keys, identity: await identityFacts(context, lids) };
}

/** `lids`: the public ids of the keys, any of which opens what is sealed, for each encryption. */
async function identityFacts(context: Context, lids: readonly (readonly string[])[]): Promise<SealingFacts['identity']> {
  if (context.settings.verify.identity === undefined) return false;
  const own = await context.ownKeys().catch((error: unknown) => asFailure(error));
  if (own instanceof Failure) return { problem: own.message };
  const shut = lids.find((keys) => keys.length > 0 && !keys.some((key) => own.includes(key)));
  return shut === undefined || { problem: `verify.identity holds ${own.join(', ')}, and not the key of ${shut.join(', ')}` };
}
