import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { expect, test } from 'vitest';
import { isIdentity, isRecipient, keyId, keyLines } from '../../../src/model/backup/age-key.js';

// from the documentation of age
const recipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

test('keys that age made are whole', async () => {
  expect(isRecipient(recipient)).toBe(true);
  for (let round = 0; round < 50; round += 1) {
    const identity = await generateX25519Identity();
    expect([isIdentity(identity), isRecipient(await identityToRecipient(identity))]).toEqual([true, true]);
    expect([isRecipient(identity), isIdentity(await identityToRecipient(identity))]).toEqual([false, false]);
  }
});

test('a key with any one character changed, left out or added is not', () => {
  for (let at = 0; at < recipient.length; at += 1) {
    for (const instead of ['q', 'p', 'b', '1', '', 'xx']) {
      const changed = recipient.slice(0, at) + instead + recipient.slice(at + 1);
      if (changed !== recipient) expect([changed, isRecipient(changed)]).toEqual([changed, false]);
    }
  }
});

test.each([
  '',
  'age1',
  'age1x',
  recipient.toUpperCase(),
  ` ${recipient}`,
  `${recipient}\n`,
  'ssh-ed25519 AAAA',
  'AGE-SECRET-KEY-1',
  recipient.replace('age', 'agf'),
])('%j is no public key', (text) => expect(isRecipient(text)).toBe(false));

test('comments and blank lines of a file of keys are not keys, whatever its line ends', () => {
  expect(keyLines('\ufeff# mine\r\n\r\n  age1a \r\n#x\nage1b')).toEqual(['age1a', 'age1b']);
});

test('a key has one short id', () => {
  expect(keyId(recipient)).toMatch(/^[0-9a-f]{16}$/);
  expect(keyId(recipient)).toBe(keyId(recipient));
  expect(keyId(`${recipient} `)).not.toBe(keyId(recipient));
});
