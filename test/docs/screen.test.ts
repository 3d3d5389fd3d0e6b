/** test: what is left on a terminal, for the picture in the README. */
import { expect, test } from 'vitest';
import { pictureOf, screenOf } from './screen.js';

const words = (written: string) => screenOf(written).map((line) => line.map(({ character }) => character).join(''));

test.each([
  ['a\r\nb\r\n', ['a', 'b']],
  ['\u001b[?25l\u001b[1G| one\u001b[1G\u001b[0K/ one\u001b[1G\u001b[0Kdone\r\n', ['done']],
  ['abc\rx', ['xbc']],
  ['old\r\n\u001b[1A\u001b[2Knew\r\n', ['new']],
])('%j leaves %j', (written, left) => {
  expect(words(written)).toEqual(left);
});

test('the picture has each word where it stood, in its colour', () => {
  const picture = pictureOf(screenOf('\u001b[1mA\u001b[22m  \u001b[32m<ok>\u001b[39m'), 20, 'title');
  expect(picture).toContain('font-weight="bold">A</text>');
  expect(picture).toContain('x="45.2" y="52" textLength="33.6" fill="#56d364">&lt;ok&gt;</text>');
});
