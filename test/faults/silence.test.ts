/**
 * test: B3, H10: what is noticed when nobody can write it down, and when nothing is said any more, by real peers.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cloneDatabase } from '../fixtures/database.js';
import { lab } from '../fixtures/lab.js';
import { startPeer, type Peer } from '../fixtures/peer.js';

let peer: Peer;
beforeEach(async () => {
  peer = await startPeer();
});
afterEach(() => peer.close());

/** Someone outside who expects a success in each period, and judges as healthchecks.io does: `up`, or `down` with why. */
function watcher(): { period(): string } {
  let taken = 0;
  return {
    period() {
      const pings = peer.seen.slice(taken).map(({ path }) => new URL(path, peer.url));
      taken = peer.seen.length;
      const started = new Set<string | null>();
      let status = 'down: no ping came in time';
      for (const { pathname, searchParams } of pings) {
        const [, , place = ''] = pathname.split('/');
        if (place === 'start') started.add(searchParams.get('rid'));
        else if (place === 'fail' || Number(place) > 0) status = `down: /${place}`;
        else if (place === '') status = started.has(searchParams.get('rid')) ? 'up' : 'down: success without a start';
      }
      return status;
    },
  };
}

const schedules = { daily: { cron: '0 2 * * *' } };

it('H10: the success ping stops: a watcher outside raises the alarm, and ends it when one comes', async ({ task }) => {
  const database = await cloneDatabase('empty');
  const alerts = { watch: { kind: 'heartbeat', url: 'env:WATCH', schedules: ['daily'] } };
  const one = lab({ shop: { url: database.url } }, { autoRetry: false, schedules, alerts });
  try {
    one.env['WATCH'] = `${peer.url}/check`;
    peer.answer({ body: 'OK' });
    const watch = watcher();
    const seen: string[] = [];
    for (const runs of ['daily', 'daily', null, 'daily']) {
      if (runs) expect((await one.run(['execute', runs])).exitCode).toBe(0);
      seen.push(watch.period());
    }
    expect(seen).toEqual(['up', 'up', 'down: no ping came in time', 'up']);
    expect((await one.run(['execute', 'daily', '--set', 'databases.shop.url=postgresql:///none?host=127.0.0.1&port=1'])).exitCode).toBe(20);
    expect(watch.period()).toMatch(/^down: \/(20|fail)$/);
    expect((await one.run(['execute'])).exitCode).toBe(0);
    expect(watch.period()).toBe('down: no ping came in time');
    task.meta.score = { row: 'H10', what: 'periods seen from outside', n: 6, violations: [] };
  } finally {
    one.cleanup();
    await database.drop();
  }
});

const mayMount = process.platform === 'linux' && process.getuid?.() === 0;

it.skipIf(!mayMount)(
  'B3: the state directory is really full: exit 74, the channels are told directly, health is critical',
  async ({ task }) => {
    const alerts = { hook: { kind: 'webhook', url: 'env:HOOK' } };
    const database = await cloneDatabase('empty');
    const one = lab({ shop: { url: database.url } }, { schedules, alerts });
    const state = join(one.directory, '.backup-automation');
    let mounted = false;
    try {
      one.env['HOOK'] = `${peer.url}/hook`;
      mkdirSync(state, { mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=0700', 'tmpfs', state]);
      mounted = true;
      expect((await one.run(['execute'])).exitCode).toBe(0);
      const filler = join(state, 'filler');
      // to the last block
      for (const size of [65_536, 4096, 512])
        try {
          for (;;) writeFileSync(filler, 'x'.repeat(size), { flag: 'a' });
        } catch {}
      // what is left of the ledger's last block takes a few lines more
      let full = await one.run(['execute']);
      for (let tries = 0; tries < 3 && full.exitCode !== 74; tries += 1) {
        peer.seen.length = 0;
        full = await one.run(['execute']);
      }
      expect(full.exitCode).toBe(74);
      const subjects = peer.seen.map(({ body }) => (JSON.parse(body) as { subject: string }).subject);
      expect(subjects).not.toEqual([]);
      for (const subject of subjects) expect(subject).toMatch(/^FAILED ledger /);
      expect(full.stderr).toContain('was told directly');
      expect((await one.json(['health'])).document['status']).toBe('critical');
      execFileSync('rm', ['-f', filler]);
      expect((await one.run(['execute'])).exitCode).toBe(0);
      expect(existsSync(state)).toBe(true);
      task.meta.score = { row: 'B3', what: 'full state directories', n: 1, violations: [] };
    } finally {
      if (mounted) execFileSync('umount', ['-l', state]);
      one.cleanup();
      await database.drop();
    }
  },
  60_000,
);
