/**
 * storages: what a member of the shelf is, as those see it who do not know which. It keeps nothing.
 */
import type * as z from 'zod';
import type { Storage } from '../model/roles/storage.js';
import type { StorageMemory } from '../system/files/storage-memory.js';

export interface StorageMember {
  readonly kind: string;
  readonly options: z.ZodObject;
  /** What no two storages may have alike: the key that says it, its value, and the word for it. */
  place(options: { readonly kind: string }): { readonly key: string; readonly value: string; readonly word: string };
  /** `warn` hears what weakens its promises and fails nothing. */
  create(name: string, options: { readonly kind: string }, memory: StorageMemory, warn: (message: string) => void): Storage;
}
