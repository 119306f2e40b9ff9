import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const [light = '', dark = ''] = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8').split(
  '@media',
);
const schemes = { light: readTokens(light), dark: { ...readTokens(light), ...readTokens(dark) } };

const tones = ['good', 'bad', 'warn', 'busy', 'idle'];
const pairs = [
  ...['text', 'dim', 'accent'].flatMap((text) =>
    ['ground', 'surface', 'sunken'].map((ground) => ({ text, ground })),
  ),
  // A node that is selected shows its small text on the ground of its tone.
  ...tones.flatMap((tone) => [tone, 'text', 'dim'].map((text) => ({ text, ground: `${tone}-ground` }))),
];

test.each(['light', 'dark'] as const)('every text stands out from what is behind it: %s', (scheme) => {
  const colours = schemes[scheme];

  const tooFaint = pairs.filter(({ text, ground }) => contrast(colours[text], colours[ground]) < 4.5);

  expect(tooFaint).toEqual([]);
});

function readTokens(css: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...css.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', colour = '']) => [name, colour]),
  );
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio; 0 for a colour that is not there. */
function contrast(first: string | undefined, second: string | undefined): number {
  if (!first || !second) return 0;
  const [darker = 0, lighter = 0] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
