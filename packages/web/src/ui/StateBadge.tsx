import type { RunDocument } from '@headrace/api';
import { outcomeOf } from './outcome.ts';

export function StateBadge({ state }: { state: RunDocument['state'] }) {
  const { label, sign, tone } = outcomeOf(state);
  return (
    <span className={`badge tone-${tone}`}>
      <span aria-hidden="true">{sign}</span> {label}
    </span>
  );
}
