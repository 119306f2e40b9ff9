import { CommandError, exitCodes } from '../../command-error.ts';

/** The parts of `a.b.c`, as many as `levels` names. */
export function splitName<const Levels extends readonly string[]>(
  name: string,
  levels: Levels,
): { [Level in keyof Levels]: string } {
  const parts = name.split('.');
  if (parts.length !== levels.length || parts.includes('')) {
    throw new CommandError(`${name} is not of the form ${levels.join('.')}`, {
      exitCode: exitCodes.usage,
      cure: `write ${levels.map((level) => level.toUpperCase()).join('.')}`,
    });
  }
  // As many as there are levels, as was just asked.
  return parts as unknown as { [Level in keyof Levels]: string };
}
