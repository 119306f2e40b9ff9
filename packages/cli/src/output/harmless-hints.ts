/**
 * "Did you mean …?" for a word that was mistyped. Who is in a hurry repeats the command with the word that is offered, so
 * none is offered that changes or ends anything: `jobs delete` once was answered with `reset`.
 */
import type { Command } from 'commander';

/** They only show something. Groups only show their commands. */
const harmless =
  /^(?:list|get|status|doctor|logs|why|iterations|export|events|tokens|validate|plan|summary|spark-versions|list-.+|get-.+|.+-status)$/;
const hint = /\n?\(Did you mean (?:one of )?(.+)\?\)/;

/** @param command that the word was said to. */
export function keepHarmlessHints(text: string, command: Command): string {
  const offered = hint.exec(text)?.[1];
  if (offered === undefined) return text;
  const kept = offered.split(', ').filter((name) => isHarmless(name, command));
  if (kept.length === 0) return text.replace(hint, `\n(\`${pathOf(command)} --help\` shows what there is)`);
  return text.replace(hint, `\n(Did you mean ${kept.length > 1 ? 'one of ' : ''}${kept.join(', ')}?)`);
}

function isHarmless(name: string, command: Command): boolean {
  // An option: all but the one that keeps a command from asking.
  if (name.startsWith('-')) return name !== '--auto-approve';
  const found = command.commands.find((child) => child.name() === name);
  return harmless.test(name) || (found?.commands.length ?? 0) > 0 || name === 'bundle';
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
