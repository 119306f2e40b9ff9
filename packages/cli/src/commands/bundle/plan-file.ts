/** Plans that are kept as files: `headrace bundle plan -o json > plan.json`, then `deploy --plan plan.json`. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findPlanChanges, type Plan, PlanDocument } from '@headrace/bundle';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';

const cure = 'make it anew with `headrace bundle plan -o json`, and look at it again';

export async function readPlanFile(context: CliContext, file: string): Promise<PlanDocument> {
  const text = await readFile(path.resolve(context.folder, file), 'utf8').catch((error: Error) => {
    throw new CommandError(`the plan ${file} cannot be read: ${error.message}`, {
      exitCode: exitCodes.usage,
      cure: 'make it with `headrace bundle plan -o json`',
    });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(`${file} is no JSON`, { exitCode: exitCodes.usage, cure });
  }
  const parsed = PlanDocument.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CommandError(`${file} is not a plan that this version understands`, {
    exitCode: exitCodes.usage,
    cure,
  });
}

export function refuseMovedPlan(kept: PlanDocument, plan: Plan): void {
  const changes = findPlanChanges(kept, plan);
  if (changes.length === 0) return;
  throw new CommandError(`the plan does not hold any more; nothing was changed:\n  ${changes.join('\n  ')}`, {
    exitCode: exitCodes.failed,
    cure,
  });
}
