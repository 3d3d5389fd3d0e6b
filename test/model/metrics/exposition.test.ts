/** model/metrics/exposition: the text format, exactly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exposition, Page } from '../../../src/model/metrics/exposition.js';
import { metrics } from '../../../src/model/metrics/names.js';
import { readExposition } from '../../fixtures/exposition.js';

const anything = fc.string({ unit: fc.oneof(fc.constantFrom('\\', '"', '\n', '{', '}', ',', ' ', 'n', 'é', '😀'), fc.string({ minLength: 1, maxLength: 1 })) }); // prettier-ignore
const numbers = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Infinity, -Infinity, Number.NaN, 1e21, 5e-324));

test('whatever stands in labels and values is read again as it was', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anything, { minLength: 1 }), fc.array(numbers), (texts, values) => {
      const page = new Page();
      const given = texts.map((target, index) => ({ labels: { target }, value: values[index] ?? 0 }));
      for (const { labels, value } of given) page.add('target_free_bytes', labels, value);
      const read = readExposition(exposition(page.families())).find(({ name }) => name === 'backup_automation_target_free_bytes');
      // carriage returns and the like are no line breaks of the format
      expect(read?.samples.map(({ labels, value }) => ({ labels, value: value + 0 }))).toEqual(
        given.map(({ labels, value }) => ({ labels, value: value + 0 })),
      );
    }),
  );
});

test('classes of durations add up', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 4 }), fc.double({ min: 0, max: 1e9, noNaN: true }), (counts, sum) => {
      const page = new Page();
      page.addHistogram('backup_duration_seconds', { schedule: 'daily', database: 'shop' }, [1, 5, 60], { counts, sum });
      const read = readExposition(exposition(page.families())).find(({ type }) => type === 'histogram');
      expect(read?.samples.find(({ name }) => name.endsWith('_count'))?.value).toBe(counts.reduce((a, b) => a + b, 0));
    }),
  );
});

test('every metric is there, in its own group, without a sample too', () => {
  const read = readExposition(exposition(new Page().families()));
  expect(read.map(({ name, type, help }) => [name, type, help])).toEqual(
    Object.entries(metrics).map(([name, { type, help }]) => [`backup_automation_${name}`, type, help]),
  );
});

test.each([
  'a 1',
  '# HELP a b\n# TYPE a gauge\na 1',
  '# HELP a b\n# TYPE a gauge\nb 1\n',
  '# HELP a b\n# TYPE a gauge\na{x="1",x="2"} 1\n',
  '# HELP a b\n# TYPE a gauge\na{x="1",} 1\n',
  '# HELP a b\n# TYPE a gauge\na{x="\\t"} 1\n',
  '# HELP a b\n# TYPE a gauge\na 1\na 1\n',
  '# HELP a b\n# TYPE a gauge\na Infinity\n',
  '# HELP a b\n# TYPE a counter\na -1\n',
  '# HELP a b\na 1\n# TYPE a gauge\n',
  '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
])('the reader of this test takes no %j', (text) => {
  expect(() => readExposition(text)).toThrow();
});
