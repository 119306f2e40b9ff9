/** What of a repository is wanted: a branch, a tag, a commit, or whatever its default branch is. */
export type GitReference =
  | { readonly kind: 'branch' | 'tag' | 'commit'; readonly name: string }
  | { readonly kind: 'default' };

interface WrittenReference {
  readonly git_branch?: string | undefined;
  readonly git_tag?: string | undefined;
  readonly git_commit?: string | undefined;
}

export function readReference(source: WrittenReference): GitReference | { readonly problem: string } {
  const given: Exclude<GitReference, { kind: 'default' }>[] = [];
  if (source.git_branch !== undefined) given.push({ kind: 'branch', name: source.git_branch });
  if (source.git_tag !== undefined) given.push({ kind: 'tag', name: source.git_tag });
  if (source.git_commit !== undefined) given.push({ kind: 'commit', name: source.git_commit });
  const [reference] = given;
  if (!reference) return { kind: 'default' };
  if (given.length > 1)
    return {
      problem: `only one of branch, tag and commit may be named; given are ${given.map(({ kind }) => kind).join(' and ')}`,
    };
  const { kind, name } = reference;
  if (kind === 'commit') {
    return isCommit(name)
      ? { kind, name: name.toLowerCase() }
      : { problem: `"${name}" is no commit: write 7 to 64 hexadecimal digits` };
  }
  return isReferenceName(name) ? reference : { problem: `"${name}" is no name of a ${kind}` };
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{7,64}$/i.test(text);
}

export function isWholeCommit(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The rules of git check-ref-format, and none that begins like an option. */
export function isReferenceName(name: string): boolean {
  if (name.length === 0 || name.length > 255 || name === '@' || name.startsWith('-')) return false;
  if (/[\s\p{Cc}~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$/u.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** As messages name it, and as the store tells sources apart. */
export function describeReference(reference: GitReference): string {
  return reference.kind === 'default' ? 'the default branch' : `${reference.kind} ${reference.name}`;
}
