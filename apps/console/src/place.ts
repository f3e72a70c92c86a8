import type { Client } from '@premia/ui';
import { createContext, useContext } from 'react';

export type Session = Awaited<ReturnType<Client['readSession']>>;
export type Tenant = Session['tenants'][number];
export type Program = Tenant['programs'][number];
export type Here = { person: Session['person']; tenant: Tenant; program: Program; held: readonly string[] };
export const Place = createContext<Here | null>(null);

/** Where the operator works now. */
export function useHere(): Here {
  const here = useContext(Place);
  if (!here) throw new Error('outside a program');
  return here;
}
/** Whether the signed-in person's role allows it here, with a second factor where that is asked for. */
export function useMay(): (permission: string) => boolean {
  const { program, tenant, held } = useHere();
  return (permission) => program.permissions.includes(permission) || tenant.permissions.includes(permission) || held.includes(permission);
}
