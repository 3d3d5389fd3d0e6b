/** system/http: certificates, sizes and ends, against real servers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { post } from '../../src/system/http.js';
import { makeCertificate } from '../fixtures/certificate.js';
import { startPeer, type Peer } from '../fixtures/peer.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const certificate = makeCertificate(folder);
let peer: Peer;
afterEach(() => peer.close());

const never = new AbortController().signal;
const sendTo = (url: string, ca?: string) => post({ url: new URL(url), headers: {}, body: 'hello', ca, timeoutMs: 5000 }, never);

test('any status is an answer, with its headers and no more than 64 KiB of its body', async () => {
  peer = await startPeer();
  peer.answer({ status: 418, headers: { 'x-a': 'b' }, body: 'x'.repeat(10_000_000) });
  const answer = await sendTo(peer.url);
  expect(answer).toMatchObject({ status: 418, headers: { 'x-a': 'b' } });
  expect(answer.body.length).toBeLessThanOrEqual(65_536);
  expect(peer.seen[0]).toMatchObject({ method: 'POST', body: 'hello' });
});

describe.skipIf(!certificate)('with a certificate of nobody known', () => {
  test('nothing is sent', async () => {
    peer = await startPeer(certificate ?? undefined);
    await expect(sendTo(peer.url)).rejects.toThrow(/self-signed certificate/);
    expect(peer.seen).toEqual([]);
  });

  test('it is taken from a file that is named', async () => {
    peer = await startPeer(certificate ?? undefined);
    expect(await sendTo(peer.url, certificate?.file)).toMatchObject({ status: 200, body: 'ok' });
  });

  test('for its own name alone', async () => {
    const other = makeCertificate(folder, 'DNS:elsewhere.example');
    peer = await startPeer(other ?? undefined);
    await expect(sendTo(peer.url, other?.file)).rejects.toThrow(/altnames/);
    expect(peer.seen).toEqual([]);
  });
});
