/**
 * channels: what every member is given, and how its errors are said; sends nothing.
 */
import * as z from 'zod';
import { Failure, type FailureOptions } from '../model/errors.js';
import { oneLine } from '../model/harmless.js';
import { redact } from '../model/redact.js';
import type { Channel } from '../model/roles/channel.js';
import { isReference } from '../model/settings/reference.js';

/** What `wire` gives to each member. */
export interface ChannelTools {
  /** What a reference names. Throws `configuration`. */
  secret(reference: string): Promise<string>;
  now(): Date;
  /** The longest that one sending may take, ms. */
  readonly patience: number;
}

/** A member of the shelf, as those see it who do not know which. */
export interface ChannelMember {
  readonly kind: string;
  /** Keys of the options that only a reference may stand in. */
  readonly secrets: readonly string[];
  readonly options: z.ZodObject;
  create(name: string, options: { readonly kind: string }, tools: ChannelTools): Channel;
}

/** Keys of those channels that a user may host. */
export const placeShape = {
  insecure: z.boolean().default(false).describe('Whether a url of http:// is taken for other hosts than this one.'),
  ca: z.string().min(1).optional().describe('A file of certificates (PEM) trusted in place of the public authorities.'),
} as const;

/** `slack "ops"` */
export type Sender = Pick<Channel, 'kind' | 'name'>;

/** The error of a channel: names it, in one line, and no secret in it. */
export const alertFailure = ({ kind, name }: Sender, what: string, options: FailureOptions = {}): Failure =>
  new Failure('alert', `${kind} "${name}": ${redact(oneLine(what)).slice(0, 500)}`, options);

/** What stands in the options, or what the reference there names. It may be set the next time, so it is never permanent. */
export async function valueOf(text: string, sender: Sender, tools: ChannelTools): Promise<string> {
  if (!isReference(text)) return text;
  try {
    return await tools.secret(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw alertFailure(sender, error.message, { hint: error.hint, cause: error });
  }
}

/** Any error of the way there, as the channel's own. The signal's reason stays itself. */
export function explain(error: unknown, sender: Sender, signal: AbortSignal): Error {
  if (signal.aborted && error === signal.reason && error instanceof Error) return error;
  if (error instanceof Failure) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  const hint = /certificate/i.test(message) ? { hint: 'name the file of its authority in `ca`, or mend the certificate' } : {};
  return alertFailure(sender, message || code || String(error), hint);
}
