import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOwnAddress, mayReceiveToken, parseGitUrl } from './git-url.ts';

const https = ['https'] as const;
const every = ['https', 'http', 'ssh', 'file'] as const;

test.each([
  ['https://github.com/acme/pipelines', 'https', 'github.com', 443],
  ['https://Git.Example:8443/a/b.git', 'https', 'git.example', 8443],
  ['ssh://git@git.example/a', 'ssh', 'git.example', 22],
  ['git@git.example:a/b.git', 'ssh', 'git.example', 22],
  ['file:///srv/git/a.git', 'file', '', 0],
])('%s is a repository', (text, protocol, host, port) => {
  expect(parseGitUrl(text, every)).toMatchObject({ protocol, host, port });
});

test.each([
  ['', /is no URL/],
  ['/srv/git/a.git', /is no URL/],
  ['../a.git', /is no URL/],
  ['ext::sh -c id', /a character that none has/],
  ['ext::touch', /is no URL/],
  ['--upload-pack=id', /is no URL/],
  ['ssh://-oProxyCommand=id/x', /is no URL/],
  ['-oProxyCommand=id@h:x', /is no URL/],
  ['ssh://-u@h/x', /is no URL/],
  ['ssh://u:secret@h/x', /token/],
  ['file://host/x', /no absolute path/],
  ['https://h/x\nHost: evil', /a character that none has/],
  ['https://user@h/x', /holds a user or a token/],
  ['https://h/x?a=b', /query/],
  ['https://', /is no URL/],
  ['https://h', /is no URL/],
  ['git://h/x', /is no URL/],
  ['HTTPS://h/x', /is no URL/],
])('%j is refused', (text, problem) => {
  expect(parseGitUrl(text, every)).toEqual({ problem: expect.stringMatching(problem) });
});

test('what is not allowed is named with what is', () => {
  expect(parseGitUrl('file:///etc', https)).toEqual({
    problem: 'file:// is not allowed on this server (HEADRACE_GIT_PROTOCOLS); allowed: https://',
  });
});

describe('addresses of the own machine', () => {
  test.each([
    'localhost',
    'a.localhost',
    'localhost.',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[fe80::1]',
    '[fd00:ec2::254]',
  ])('%s is refused, unless files of this machine may be read too', (host) => {
    const text = `https://${host}/x`;

    expect(parseGitUrl(text, https)).toHaveProperty('problem');
    expect(parseGitUrl(text, ['https', 'file'])).not.toHaveProperty('problem');
  });

  test.each(['10.1.2.3', '192.168.0.1', 'git.example', '2001:db8::1', 'fd12::1', 'localhost.example'])(
    '%s is another machine',
    (host) => {
      expect(isOwnAddress(host)).toBe(false);
    },
  );
});

test('a token of a hosted provider goes to its host only, whatever name comes near it', () => {
  const may = (text: string, provider: Parameters<typeof mayReceiveToken>[1]) => {
    const url = parseGitUrl(text, every);
    return !('problem' in url) && mayReceiveToken(url, provider);
  };

  expect(may('https://github.com/a/b', 'gitHub')).toBe(true);
  for (const host of ['github.com.evil.org', 'evilgithub.com', 'evil.org', 'github.co'])
    expect(may(`https://${host}/a`, 'gitHub')).toBe(false);
  expect(may('https://dev.azure.com/a/b', 'azureDevOpsServices')).toBe(true);
  expect(may('https://git.acme.example/a', 'gitHubEnterprise')).toBe(true);
  expect(may('file:///srv/a', 'gitHubEnterprise')).toBe(false);
});

test('whatever passes is of an allowed form: no option, no other transport, no login', () => {
  const piece = fc.constantFrom(
    'https://',
    'ext::',
    '-',
    '--',
    'u:p@',
    '@',
    ':',
    '/',
    '..',
    'h',
    '\n',
    ' ',
    '%0a',
    '%2d',
    '[',
    '?',
    '#',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (parts) => {
      const text = parts.join('');
      const url = parseGitUrl(text, https);
      if ('problem' in url) return;
      expect(url.text).toMatch(/^https:\/\/[^\s@]+$/);
      expect(new URL(url.text)).toMatchObject({ protocol: 'https:', username: '', password: '' });
    }),
    { numRuns: 2_000 },
  );
});
