import type { RunTaskDocument } from '@headrace/api';
import { outcomeOf } from '../../ui/outcome.ts';

/** Which of several attempts is shown, by its place; nothing to choose from one. */
export function AttemptSelect(props: {
  readonly attempts: readonly RunTaskDocument[];
  readonly place: number;
  readonly onChange: (place: number) => void;
}) {
  const { attempts, place, onChange } = props;
  if (attempts.length < 2) return null;
  return (
    <label className="attempts">
      Attempt
      <select value={place} onChange={(event) => onChange(Number(event.target.value))}>
        {attempts.map((each, at) => (
          <option key={each.run_id} value={at}>
            {at + 1} of {attempts.length}: {outcomeOf(each.state).label}
          </option>
        ))}
      </select>
    </label>
  );
}
