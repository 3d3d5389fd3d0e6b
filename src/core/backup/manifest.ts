/**
 * core: the manifest as bytes: written, signed, and believed only after it was looked at.
 *
 * The signature covers the JSON text of the manifest with `signature` set to null, members in the order they are stored.
 */
import { manifestSchema, type Manifest } from '../../model/backup/backup.js';
import type { StoredBackup } from '../../model/roles/storage.js';
import type { Signer } from '../context.js';

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value, null, 2));

/** The manifest signed and as it is stored. */
export function encodeManifest(manifest: Manifest, signer: Signer): Uint8Array {
  const unsigned = { ...manifest, signature: null };
  return bytesOf({ ...unsigned, signature: { key: signer.key(), value: signer.sign(bytesOf(unsigned)) } });
}

export type ReadManifest =
  | { readonly manifest: Manifest; readonly trust: 'signed' | 'unsigned' | 'other key' }
  | { readonly problem: string };

/** Parses, checks the signature, the place and the sizes: anything wrong is a `problem`, and then it is not a backup. */
export function readManifest(stored: StoredBackup, signer: Signer): ReadManifest {
  if (!stored.manifest) return { problem: 'there is no manifest' };
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(stored.manifest)) as Record<string, unknown>;
  } catch {
    return { problem: 'the manifest is not JSON' };
  }
  const parsed = manifestSchema.safeParse(raw);
  if (!parsed.success)
    return { problem: `the manifest is not one: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}` };
  const manifest = parsed.data;
  if (manifest.backupId !== stored.place.backupId || manifest.database !== stored.place.database)
    return { problem: `the manifest is of ${manifest.database}/${manifest.backupId}` };
  for (const artifact of manifest.artifacts) {
    const size = stored.sizes[artifact.name];
    if (size !== artifact.size) return { problem: `${artifact.name} has ${size ?? 'no'} bytes instead of ${artifact.size}` };
  }
  if (!manifest.signature) return { manifest, trust: 'unsigned' };
  const verdict = signer.verify(manifest.signature.key, bytesOf({ ...raw, signature: null }), manifest.signature.value);
  if (verdict === 'bad') return { problem: 'the signature of the manifest is wrong' };
  return { manifest, trust: verdict === 'good' ? 'signed' : 'other key' };
}
