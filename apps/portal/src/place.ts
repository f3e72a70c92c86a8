import type { Client, Look } from '@premia/ui';
import { createContext, useContext } from 'react';

type Session = Awaited<ReturnType<Client['readSession']>>;
export type ProgramHere = Session['tenants'][number]['programs'][number];
export type Here = { tenant: string; look: Look; program: ProgramHere; self: NonNullable<ProgramHere['self']>; permissions: string[] };
export const Place = createContext<Here | null>(null);

/** The program and the member that the screen is about. */
export function useHere(): Here {
  const here = useContext(Place);
  if (!here) throw new Error('outside a program');
  return here;
}
