import { formatClock } from './format.ts';
import { Elapsed } from './Moment.tsx';
import { type Outage, outageText } from './outage.ts';

/** The one notice that the server is away. Only what does not change is read out. */
export function OutageNotice({ outage }: { outage: Outage }) {
  const { what, next } = outageText(outage, formatClock(outage.heardAtMs));
  return (
    <div className="banner">
      <div role="alert">
        <strong>{what}</strong> {next}
      </div>
      <span aria-hidden="true" className="banner-time">
        for <Elapsed startMs={outage.heardAtMs} endMs={0} isShort goesOn />
      </span>
    </div>
  );
}
