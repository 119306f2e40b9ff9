import type { ReactNode } from 'react';

/** A button that may be refused. It then says why, and stays in reach of the keyboard so that it can be asked. */
export function ActionButton(props: {
  readonly refusal: string | null;
  readonly onClick: () => void;
  readonly children: ReactNode;
}) {
  const { refusal, onClick, children } = props;
  return (
    <button
      type="button"
      aria-disabled={refusal !== null}
      title={refusal ?? undefined}
      onClick={() => refusal === null && onClick()}
    >
      {children}
    </button>
  );
}
