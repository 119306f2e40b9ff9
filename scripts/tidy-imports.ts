/** Who may import whom: the table of ARCHITECTURE, and handlers → use cases → store inside the server. */
import { posix } from 'node:path';
import type { Finding } from './tidy.ts';

interface Imported {
  readonly specifier: string;
  readonly line: number;
  readonly isTypeOnly: boolean;
}

interface PackageRule {
  /** Our packages it may import. */
  readonly ours: readonly string[];
  /** Of those, the ones it may import types from, and nothing that runs. */
  readonly typesOnly: readonly string[];
  /** Null: anything its package.json declares (knip checks that). */
  readonly others: readonly string[] | null;
}

const anyOther = null;
const RULES: Readonly<Record<string, PackageRule>> = {
  api: { ours: [], typesOnly: [], others: ['zod'] },
  core: { ours: [], typesOnly: ['@headrace/api'], others: ['immutable', 'temporal-polyfill'] },
  worker: { ours: ['@headrace/api', '@headrace/core'], typesOnly: [], others: anyOther },
  server: { ours: ['@headrace/api', '@headrace/core'], typesOnly: ['@headrace/worker'], others: anyOther },
  bundle: { ours: ['@headrace/api', '@headrace/core'], typesOnly: [], others: anyOther },
  cli: { ours: ['@headrace/api', '@headrace/bundle', '@headrace/core'], typesOnly: [], others: anyOther },
  web: { ours: ['@headrace/api', '@headrace/core'], typesOnly: [], others: anyOther },
};

// core cannot wait, read a clock or roll dice.
const IMPURE =
  /\b(?:Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|performance\.|process\.)/;

export function findForbiddenImports(path: string, text: string): Finding[] {
  const place = /^packages\/([^/]+)\/src\/(.+)$/.exec(path);
  const name = place?.[1];
  const inside = place?.[2];
  if (name === undefined || inside === undefined || isForTests(path)) return [];
  const rule = RULES[name];
  if (rule === undefined)
    return [{ path, line: 1, message: `packages/${name} is not in the table of who may import whom` }];
  const imports = readImports(text);
  return [
    ...imports.flatMap((imported) => {
      const message = judge(rule, { name, inside, imported });
      return message === null ? [] : [{ path, line: imported.line, message }];
    }),
    ...(name === 'core' ? findImpurity(path, text) : []),
  ];
}

/** Tests and what only they import may reach further. */
function isForTests(path: string) {
  return /\.test\.tsx?$|\/(testing|mock|builders)(\/|\.ts)/.test(path);
}

function readImports(text: string): Imported[] {
  const found: Imported[] = [];
  const pattern =
    /^(import|export)\b([^;'"]*?)\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gms;
  for (const match of text.matchAll(pattern)) {
    const specifier = match[3] ?? match[4] ?? match[5] ?? '';
    const line = text.slice(0, match.index).split('\n').length;
    found.push({ specifier, line, isTypeOnly: /^\s*type\b/.test(match[2] ?? '') });
  }
  return found;
}

function judge(
  rule: PackageRule,
  { name, inside, imported }: { name: string; inside: string; imported: Imported },
) {
  const { specifier, isTypeOnly } = imported;
  if (specifier.startsWith('.')) return judgeInside({ name, inside, specifier });
  if (specifier.startsWith('@headrace/') || specifier === 'headrace') {
    const [scope, ours] = specifier.split('/');
    const target = ours === undefined ? (scope ?? '') : `${scope}/${ours}`;
    if (specifier !== target) return `import ${target}, not a file inside it`;
    const isComposer = name === 'server' && inside === 'main.ts' && target === '@headrace/worker';
    if (rule.ours.includes(target) || isComposer) return null;
    if (rule.typesOnly.includes(target))
      return isTypeOnly ? null : `${name} may import only types from ${target}`;
    return `${name} must not import ${target}`;
  }
  if (name === 'web' && specifier.startsWith('node:')) return 'web runs in browsers: no node:*';
  if (rule.others === null) return null;
  const isAllowed = rule.others.some((other) => specifier === other || specifier.startsWith(`${other}/`));
  return isAllowed ? null : `${name} must not import ${specifier}`;
}

function judgeInside({ name, inside, specifier }: { name: string; inside: string; specifier: string }) {
  const target = posix.join(posix.dirname(inside), specifier);
  if (target.startsWith('..')) return `${specifier} leaves the package: import it by its name`;
  if (name !== 'server') return null;
  const folder = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');
  const isStore = /(^|-)store\.ts$/.test(posix.basename(target)) && folder(target) !== 'blobs';
  if (isStore && folder(target) !== folder(inside)) {
    return `${folder(target)}/store.ts is private to its folder: call a use case of ${folder(target)}`;
  }
  if (isStore && posix.basename(inside) === 'handlers.ts') return 'handlers call use cases, not the store';
  return null;
}

function findImpurity(path: string, text: string): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const word = /^\s*(\/\/|\*|\/\*)/.test(line) ? undefined : IMPURE.exec(line)?.[0];
    return word === undefined
      ? []
      : [{ path, line: index + 1, message: `core cannot use ${word}: pass it in` }];
  });
}
