import { createContext, useContext } from 'react';
import type { Outage } from './outage.ts';

/** Told by the frame of the page; null while all is well. */
export const OutageContext = createContext<Outage | null>(null);

export function useOutage(): Outage | null {
  return useContext(OutageContext);
}
