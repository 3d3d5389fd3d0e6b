/**
 * api: what answers have in common. It decides nothing.
 */
import type { Failure } from '../model/errors.js';
import { redact } from '../model/redact.js';

/** A document as the commands print it: with an `error` beside what there is, when it did not go well. */
export const withError = (document: object, failure: Failure | null | undefined): object =>
  failure ? { ...document, error: { ...failure.toJSON(), message: redact(failure.message), hint: redact(failure.hint) } } : document;
