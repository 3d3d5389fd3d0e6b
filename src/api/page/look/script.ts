/**
 * api: what the page does by itself in a browser: shows progress as it comes, and takes the page anew when something happened. Without
 * it the page says the same when it is loaded again. Text alone.
 */
export const script = /* js */ `'use strict';
(() => {
  const live = document.querySelector('main[data-live]');
  if (!live) return;
  const said = document.getElementById('said');
  const focusable = 'a, button, input, select, summary, [tabindex="0"]';
  const parse = (text) => new DOMParser().parseFromString(text, 'text/html');
  let waiting = 0;

  /** Who is typing or has opened something is left alone. */
  const isBusy = () => {
    const main = document.querySelector('main');
    return main.querySelector('details[open]') !== null || main.contains(document.activeElement) && /^(INPUT|SELECT)$/.test(document.activeElement.tagName);
  };

  const renew = async () => {
    waiting = 0;
    if (document.hidden || isBusy()) return;
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (answer.status === 401 || answer.redirected) return location.reload();
    if (!answer.ok) return;
    const [before, after] = [document.querySelector('main'), parse(await answer.text()).querySelector('main')];
    if (!after || isBusy() || before.innerHTML === after.innerHTML) return;
    const told = (main) => main.querySelector('h1')?.textContent.trim();
    const index = [...before.querySelectorAll(focusable)].indexOf(document.activeElement);
    const [was, is] = [told(before), told(after)];
    before.replaceChildren(...after.childNodes);
    before.querySelectorAll(focusable)[index]?.focus({ preventScroll: true });
    if (was !== is) said.textContent = is;
  };

  /** Several things that happen at once are one. */
  const soon = (ms) => {
    if (waiting === 0) waiting = setTimeout(() => renew().catch(() => {}), ms);
  };

  const source = new EventSource('/live');
  source.addEventListener('progress', ({ data }) => {
    for (const [id, text] of Object.entries(JSON.parse(data)))
      for (const place of document.querySelectorAll('[data-progress="' + CSS.escape(id) + '"]')) place.replaceChildren(...parse(text).body.childNodes);
  });
  source.addEventListener('changed', () => soon(300));
  // what was answered with anything but a stream is not asked again: logged out, or the server went
  source.addEventListener('error', () => source.readyState === EventSource.CLOSED && soon(1000));
  setInterval(() => soon(0), 60_000);
  document.addEventListener('visibilitychange', () => soon(0));
})();
`;
