import type { ReactNode } from 'react';

/** Short facts side by side, as many to a line as fit: `<dl className="facts">` holds them. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
