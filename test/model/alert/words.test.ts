/** model/alert: an alert in words: bounded, without secrets, one line of subject, and the user's own words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../../src/model/alert/alert.js';
import { formatOrdinals, parseOrdinals } from '../../../src/model/alert/ordinals.js';
import { unknownPlaceholders } from '../../../src/model/alert/template.js';
import { messageOf } from '../../../src/model/alert/words.js';
import { registerSecret } from '../../../src/model/redact.js';
import { anAlert } from '../../fixtures/messages.js';

const alert: Alert = { ...anAlert, facts: [['Error', 'refused']], nextTry: null };

const plain = { configFile: null };

describe('words', () => {
  it('H9: keep line breaks out of the subject, secrets out of everything, and every size bounded', () => {
    registerSecret('tops3cret-word');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.integer({ min: 0, max: 30_000 }), (odd, size) => {
        const text = `${odd}\r\nBcc: x tops3cret-word ${'x'.repeat(size)}`;
        const hostile = { ...alert, database: text, title: text, reason: text, facts: [[text, text]], command: text } as const;
        const { subject, body, alert: told } = messageOf(hostile, 'ops', plain);
        expect(subject).not.toMatch(/[\r\n]/);
        expect(subject.length).toBeLessThanOrEqual(250);
        expect(body.length).toBeLessThanOrEqual(20_000);
        expect(subject + body + told.title + told.reason + (told.command ?? '') + (told.facts[0]?.[1] ?? '')).not.toContain(
          'tops3cret-word',
        );
      }),
    );
  });

  it('say when it is tried again, and the command to type', () => {
    const { body } = messageOf({ ...alert, nextTry: '2026-11-22T02:30:00.000Z' }, 'ops', plain);
    expect(body).toContain('tried again at 2026-11-22 02:30 UTC');
    expect(body).toContain('\n    backup-automation events show 0192f3a4');
  });

  it.each([
    ['/etc/backup.json', '--config /etc/backup.json'],
    ["/srv/our shop's/c.json", "--config '/srv/our shop'\\''s/c.json'"],
  ])('name the configuration %j, so that the command runs from any folder', (configFile, flag) => {
    const { body, alert: told } = messageOf(alert, 'ops', { configFile });
    expect(body).toContain(`backup-automation events show 0192f3a4 ${flag}`);
    expect(told.command).toBe(`backup-automation events show 0192f3a4 ${flag}`);
  });

  it('end a sentence once', () => {
    expect(messageOf({ ...alert, title: 'does it run?' }, 'ops', plain).body).toMatch(/^does it run\?\n/);
    expect(messageOf({ ...alert, title: 'it failed' }, 'ops', plain).body).toMatch(/^it failed\.\n/);
  });

  it("fill the user's own, and look for no braces in a fact", () => {
    const { subject, body, templated } = messageOf({ ...alert, title: '{{host}}' }, 'ops', {
      configFile: null,
      template: { subject: '[{{severity}}] {{ database }}', body: '{{title}} {{error}}' },
    });
    expect({ subject, body, templated }).toEqual({ subject: '[critical] shop', body: '{{host}} refused', templated: true });
    expect(unknownPlaceholders('{{host}} {{hots}} {{}}')).toEqual(['hots', '']);
  });
});

it('ordinals are the same after being written short', () => {
  expect(formatOrdinals([1, 2, 3, 7, 9, 10])).toBe('1-3,7,9-10');
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1 }), (some) => {
      const sorted = some.toSorted((a, b) => a - b);
      expect(parseOrdinals(formatOrdinals(sorted))).toEqual(sorted);
    }),
  );
});
