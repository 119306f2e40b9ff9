/** A process of its own that makes a checkout: `check-out.ts <data root> <url> <commit>` prints its folder. */
import path from 'node:path';
import { createCheckouts } from '../../../packages/server/src/git/checkouts.ts';
import { parseGitUrl } from '../../../packages/server/src/git/git-url.ts';
import { createGit } from '../../../packages/server/src/git/run-git.ts';

const [root = '', text = '', commit = ''] = process.argv.slice(2);
const url = parseGitUrl(text, ['file']);
if ('problem' in url) throw new Error(url.problem);
const checkouts = createCheckouts({
  blobs: { locate: (key) => path.join(root, key) },
  git: createGit({ protocols: ['file'], environment: process.env }),
  isLocalAllowed: true,
  hasProxy: false,
});
const { folder } = await checkouts.ensure({ url, login: null }, commit);
console.log(folder);
