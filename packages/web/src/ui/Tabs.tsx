/** Tabs whose choice lives in the URL: each is a link, so it can be opened, copied and gone back from. */
import { Link } from 'react-router';

export interface Tab {
  readonly key: string;
  readonly label: string;
  readonly to: string;
}

export function Tabs({ tabs, selected, label }: { tabs: readonly Tab[]; selected: string; label: string }) {
  return (
    <nav aria-label={label} className="tabs">
      {tabs.map((tab) => (
        <Link key={tab.key} to={tab.to} replace aria-current={tab.key === selected ? 'true' : undefined}>
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
