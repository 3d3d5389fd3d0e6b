/**
 * test: H1, H2, H7: alerts of real processes to a real peer: killed between failing and telling, and told after all.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';
import { startPeer, type Peer } from '../fixtures/peer.js';

let peer: Peer;
beforeEach(async () => {
  peer = await startPeer();
});
afterEach(() => peer.close());

/** Nobody listens there: every backup fails at once. */
const nowhere = { shop: { host: '127.0.0.1', port: 1, user: 'nobody', database: 'shop' } };

function project(more: object = {}): Lab {
  const one = lab(nowhere, { autoRetry: false, alerts: { ops: { kind: 'webhook', url: 'env:HOOK', insecure: true } }, ...more });
  return { ...one, env: Object.assign(one.env, { HOOK: `${peer.url}/hook` }) };
}

const ledgerOf = ({ directory }: Lab): string => {
  const folder = join(directory, '.backup-automation', 'ledger');
  try {
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
  } catch {
    return '';
  }
};

interface Told {
  readonly key: string;
  readonly subject: string;
  readonly kind: string;
}

/** What the peer was sent of one kind. */
const told = (kind = 'failure'): Told[] =>
  peer.seen.flatMap(({ body, headers }) => {
    const { subject, alert } = JSON.parse(body) as { subject: string; alert: { kind: string } };
    return alert.kind === kind ? [{ subject, kind, key: String(headers['idempotency-key']) }] : [];
  });

describe('alerts of real processes', () => {
  it('H1: killed between failing and telling: the next start tells, and nothing twice without its key', async (context) => {
    const runs = count(5, 50);
    const violations: string[] = [];
    const delays: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const one = project();
      try {
        peer.seen.length = 0;
        peer.answer({ mode: 'hang' });
        const { child, done } = startCli(['execute'], { cwd: one.directory, env: one.env });
        for (let waited = 0; waited < 1000 && !ledgerOf(one).includes('"status":"failed"'); waited += 1) await sleep(5);
        await sleep((run % 5) * 10);
        child.kill('SIGKILL');
        await done;
        if (!ledgerOf(one).includes('"status":"failed"')) violations.push(`run ${run}: it did not fail`);
        const before = told().map(({ key }) => key);
        peer.answer({});
        const started = performance.now();
        await one.run(['execute', '--due']);
        delays.push(performance.now() - started);
        const after = told().slice(before.length);
        if (after.length !== 1) violations.push(`run ${run}: told ${after.length} times`);
        if (before.some((key) => key !== after[0]?.key)) violations.push(`run ${run}: told twice by different keys`);
      } finally {
        one.cleanup();
      }
    }
    const median = Math.round(delays.toSorted((a, b) => a - b)[Math.floor(delays.length / 2)] ?? 0);
    context.task.meta.score = {
      row: 'H1',
      what: 'killed between failing and telling',
      n: runs,
      violations,
      figures: `told within ${median} ms of the next start`,
    };
    expect(violations).toEqual([]);
  }, 300_000);

  it('H2: refused, then taken: told once it is answered, by one key', async () => {
    const one = project();
    try {
      peer.answer({ status: 500 });
      const failed = await one.json(['execute']);
      expect(failed.exitCode).toBe(20); // the backup's own
      expect(failed.stderr).toContain('could not be sent to ops');
      expect(told()).toHaveLength(1);
      peer.answer({});
      await one.run(['execute', '--due']);
      expect(told()).toHaveLength(1); // not before its time
      const shown = await one.run(['events', 'show', failed.document.events[0]?.id ?? '']);
      expect(shown.stdout).toMatch(/ops not told: .*500.*; again/);
      expect(shown.stdout).not.toContain('given up');
    } finally {
      one.cleanup();
    }
  });

  it('a failing alert beside a good backup is exit 3, and the backup is there', async () => {
    const database = await cloneDatabase('empty');
    const one = project({ databases: { shop: { url: database.url } }, alertOnSuccess: true });
    try {
      peer.answer({ status: 404 });
      const made = await one.json(['execute']);
      expect(made).toMatchObject({ exitCode: 3, document: { error: { code: 'alert' }, events: [{ status: 'completed' }] } });
      expect((await one.json(['backups'])).document.backups).toHaveLength(1);
      peer.answer({});
      expect((await one.run(['execute'])).exitCode).toBe(0);
      expect(told('success').map(({ subject }) => subject)).toEqual([expect.stringMatching(/^OK /), expect.stringMatching(/^OK /)]);
    } finally {
      one.cleanup();
      await database.drop();
    }
  });

  it('what was given up is said by health, until the channel takes something', async () => {
    const one = project();
    try {
      peer.answer({ status: 404 });
      const failed = await one.run(['execute']);
      expect(failed.stderr).toContain('ALERT LOST');
      const health = await one.json(['health']);
      expect(health.document['checks']).toContainEqual(expect.objectContaining({ name: 'alerts', subject: 'ops', status: 'critical' }));
      peer.answer({});
      const proof = await one.json(['test', '--alerts']);
      expect(proof).toMatchObject({ exitCode: 0, document: { ok: true, steps: [{ name: 'alert to ops (webhook)', ok: true }] } });
      expect(told('canary')).toHaveLength(1);
      const again = await one.json(['health']);
      expect(again.document['checks']).toContainEqual(expect.objectContaining({ name: 'alerts', subject: 'ops', status: 'healthy' }));
    } finally {
      one.cleanup();
    }
  });

  it('test --alerts is exit 1 when a channel does not take it, and 10 when there is none', async () => {
    const one = project();
    try {
      peer.answer({ status: 302, headers: { location: 'http://127.0.0.1:9/' } });
      expect(await one.json(['test', '--alerts'])).toMatchObject({ exitCode: 1, document: { ok: false, steps: [{ ok: false }] } });
      expect((await one.json(['test', '--alerts', '--set', 'alerts={}'])).exitCode).toBe(10);
    } finally {
      one.cleanup();
    }
  });

  it('health --alert tells when health changed, and nothing while it stays as it is', async () => {
    const one = project();
    try {
      expect((await one.run(['health', '--alert'])).exitCode).toBe(2);
      expect((await one.run(['health', '--alert'])).exitCode).toBe(2);
      expect(told('health')).toMatchObject([{ subject: expect.stringMatching(/^FAILED health /) }]);
    } finally {
      one.cleanup();
    }
  });
});
