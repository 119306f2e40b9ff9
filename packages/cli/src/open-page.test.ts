import { expect, test } from 'vitest';
import { findOpener, openPage } from './open-page.ts';

test.each([
  ['darwin', {}, ['open']],
  ['win32', {}, ['rundll32', 'url.dll,FileProtocolHandler']],
  ['linux', { DISPLAY: ':0' }, ['xdg-open']],
  ['linux', { DISPLAY: '' }, null],
] as const)('%s with %o opens pages with %o', (platform, environment, opener) => {
  expect(findOpener(platform, environment)).toEqual(opener);
});

test('an opener that is not installed opens nothing', async () => {
  const world = { platform: 'aix', environment: { BROWSER: 'x' } } as const;
  const path = process.env.PATH;
  process.env.PATH = '/nonexistent';

  const isOpened = await openPage('http://127.0.0.1', world).finally(() => {
    process.env.PATH = path;
  });

  expect(isOpened).toBe(false);
});
