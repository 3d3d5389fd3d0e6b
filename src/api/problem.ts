/**
 * api: what went wrong as a problem document (RFC 9457). It never tells a path, a statement, a stack or a version.
 */
import * as z from 'zod';
import { ConfigurationFailure } from '../config/problem.js';
import { Failure, type FailureCode } from '../model/errors.js';
import { harmless } from '../model/harmless.js';
import { redact } from '../model/redact.js';

export const problemType = 'application/problem+json; charset=utf-8';

export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  code: z.string().optional().describe('The `error.code` of the commands.'),
  hint: z.string().optional(),
  errors: z.array(z.object({ key: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

const titles: Readonly<Record<number, string>> = {
  400: 'The request is not understood',
  401: 'A valid token is needed',
  403: 'The token does not allow this',
  404: 'There is no such thing',
  405: 'This cannot be done with it',
  408: 'The request took too long',
  409: 'It is in the way of another request',
  413: 'The request is too large',
  415: 'Only application/json is understood',
  421: 'The server does not go by this name',
  422: 'The values cannot be',
  429: 'Too many requests',
  431: 'The headers are too large',
  500: 'Something went wrong',
  502: 'A server behind this one failed',
  503: 'Not now',
};

/** Whose fault it is, as far as it is not ours. */
const statuses: Readonly<Partial<Record<FailureCode, number>>> = {
  usage: 400,
  'not-found': 404,
  'not-now': 409,
  'no-key': 409,
  'not-available': 409,
  'restore-target': 409,
  configuration: 503,
  ledger: 503,
  connection: 502,
  authentication: 502,
  storage: 502,
};

/** A problem that a route tells by itself. */
export class Refusal extends Error {
  readonly problem: Problem;

  constructor(status: number, more: Partial<Problem> = {}) {
    const title = titles[status] ?? 'Error';
    super(title);
    this.problem = { type: 'about:blank', title, status, ...more };
  }
}

const path = /(?<![\w:/.])\/(?:[\w.@+~-]+\/)*[\w.@+~-]*/g;

/** Without secrets, control characters and paths of this machine. */
const plain = (text: string): string => harmless(redact(text)).replace(path, '…').slice(0, 2000);

/** What a person is told of a failure that is the server's own: the log tells the rest. */
const withheld = 'the log of the server tells more';

const byCode = (code: string, status: number, more: Partial<Problem>): Problem => ({
  type: `urn:backup-automation:${code}`,
  title: titles[status] ?? 'Error',
  status,
  code,
  ...more,
});

/** The values that are wrong, by their keys, without where they stand. */
export const wrongKeys = ({ problems }: ConfigurationFailure) =>
  problems.slice(0, 100).map(({ key, found, expected }) => ({ key, message: plain(`${found}, expected ${expected}`) }));

function ofFailure(failure: Failure): Problem {
  const status = statuses[failure.code] ?? 500;
  if (failure instanceof ConfigurationFailure)
    return byCode(failure.code, status, { detail: 'the configuration is wrong', errors: wrongKeys(failure) });
  const told = status < 500 || failure.code === 'configuration';
  return byCode(failure.code, status, told ? { detail: plain(failure.message), hint: plain(failure.hint) } : { detail: withheld });
}

function ofInput(error: z.ZodError): Problem {
  const errors = error.issues.slice(0, 20).map(({ path: keys, message }) => ({ key: plain(keys.join('.')), message: plain(message) }));
  return { type: 'about:blank', title: titles[400] ?? '', status: 400, errors };
}

/** Anything thrown, as far as others may know it. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return error.problem;
  if (error instanceof z.ZodError) return ofInput(error);
  if (error instanceof Failure) return ofFailure(error);
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  const known = status >= 400 && status in titles ? status : 500;
  return { type: 'about:blank', title: titles[known] ?? '', status: known, ...(known === 500 && { detail: withheld }) };
}
