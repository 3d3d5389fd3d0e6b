/** test: tokens are recognised by their hash alone, whatever is presented, and in the same time (K2). */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createToken, recognise, revokeToken } from '../../src/core/tokens.js';
import type { Token } from '../../src/model/access/token.js';
import type { Ledger } from '../../src/model/roles/ledger.js';
import { isFull } from '../fixtures/counts.js';
import { telling, welch } from '../fixtures/welch.js';

const now = new Date('2026-03-01T00:00:00Z');
const kept = (name: string, token: string, expiresAt: string | null = null): Token => ({
  id: name,
  name,
  role: 'read',
  sha256: createHash('sha256').update(token).digest('hex'),
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt,
});
const good = `bat_${'g'.repeat(43)}`;
const tokens = [kept('one', good), kept('over', 'bat_over', '2026-02-28T23:59:59Z'), kept('later', 'bat_later', '2026-03-01T00:00:01Z')];

test('the token itself, and nothing near it', () => {
  expect(recognise(tokens, good, now)?.name).toBe('one');
  expect(recognise(tokens, 'bat_later', now)?.name).toBe('later');
  expect(recognise(tokens, 'bat_over', now)).toBeNull();
  fc.assert(fc.property(fc.string(), (typed) => typed === good || typed === 'bat_later' || recognise(tokens, typed, now) === null));
  // what begins, ends or is written nearly like it, and what is kept of it
  const beginnings = Array.from(good, (_, at) => good.slice(0, at));
  const changed = Array.from(good, (character, at) => good.slice(0, at) + (character === 'x' ? 'y' : 'x') + good.slice(at + 1));
  for (const near of [...beginnings, ...changed, `${good}g`, ` ${good}`, good.toUpperCase(), tokens[0]?.sha256 ?? ''])
    expect(recognise(tokens, near, now), near).toBeNull();
});

test('who made and who revoked one stands in the ledger, without the token', async () => {
  let kept: readonly Token[] = [];
  const facts: object[] = [];
  const context = {
    clock: { now: () => now },
    newId: () => 'id',
    tokens: { list: () => [...kept], change: async (change: (all: readonly Token[]) => Token[]) => void (kept = change(kept)) },
    ledger: { appendFact: async (fact: object) => void facts.push(fact) } as unknown as Ledger,
  };
  const actor = { by: 'cli:me', address: 'here' };
  const { token } = await createToken(context, { name: 'one', role: 'operate', lifetime: null }, actor);
  expect(recognise(kept, token, now)?.name).toBe('one');
  await revokeToken(context, 'one', actor);
  expect(recognise(kept, token, now)).toBeNull();
  expect(facts).toMatchObject([
    { record: 'audit', ...actor, action: 'token create', target: 'one (operate)', ok: true },
    { record: 'audit', ...actor, action: 'token revoke', target: 'one (operate)', ok: true },
  ]);
  expect(JSON.stringify([facts, kept])).not.toContain(token);
});

test.skipIf(!isFull)('K2: the time does not tell how much of a token is right', () => {
  const many = Array.from({ length: 50 }, (_, index) => kept(`t${index}`, `bat_${index}`));
  const near = `${good.slice(0, -1)}h`;
  const far = `x${good.slice(1)}`;
  const times: Record<string, number[]> = { [near]: [], [far]: [] };
  for (let round = 0; round < 20_000; round += 1)
    for (const typed of round % 2 === 0 ? [near, far] : [far, near]) {
      const started = process.hrtime.bigint();
      recognise([...tokens, ...many], typed, now);
      times[typed]?.push(Number(process.hrtime.bigint() - started));
    }
  expect(Math.abs(welch(times[near] ?? [], times[far] ?? []))).toBeLessThan(telling);
});
