import { Alert, Button, Drawer, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, codeOf, t } from '@premia/ui';
import { useState, type ReactNode } from 'react';
import { told, useGuard, useUnsaved } from './parts.tsx';
import { useHere } from './place.ts';

type Said = { pl: string; en: string };
export type Benefit = { key: string; kind: 'discount' | 'service' | 'access' | 'reward'; pl: string; en: string };
export type Tier = { key: string; from: string | number; name?: Said; benefits?: Benefit[] };
export type TierSet = { key: string; role?: string; period?: string; downgrade?: string; measure: unknown; tiers: Tier[] };
export type Unit = { key: string; scale: number; names: { pl: { one: string; few: string; many: string; short: string }; en: { one: string; other: string; short: string } }; smallest_redemption?: number; grace_days?: number };
export type Period = { calendar: string; name: string; starts_on: string; ends_on: string };
export type SourceFile = { key: string; name?: Said; documents?: string; unknown?: string; codes?: { strip_decimal_zero?: boolean; upper?: boolean }; default_currency?: string; mapping?: Record<string, unknown> };
/** What the console edits of a program's file. The rest goes through as it is. */
export type ProgramParts = { tier_sets?: TierSet[]; units?: Unit[]; periods?: Period[]; sources?: SourceFile[]; employer_consent?: string };

/**
 * Changes a part of the program's file: on the newest one, so that two people's changes of different parts both stay. What would move recorded
 * results is refused, and offered as a proposal that a second person decides with its consequence in numbers.
 */
export function PartPanel({ title, change, dirty, close, children }: { title: string; change: (file: ProgramParts) => ProgramParts; dirty: boolean; close: () => void; children: ReactNode }) {
  const { program } = useHere();
  const client = useQueryClient();
  const { failed } = useGuard();
  const [past, setPast] = useState(false);
  const [reason, setReason] = useState('');
  useUnsaved(dirty);
  const next = async (): Promise<Record<string, unknown>> => { const file = await api.exportProgram({ params: { program: program.key } }); return { ...file, ...change(file as ProgramParts) }; };
  const done = async (text: string): Promise<void> => { told(text); await client.invalidateQueries(); close(); };
  const save = useMutation({ mutationFn: async () => api.applyProgram({ body: await next() }), onSuccess: () => done(t('Zapisane.', 'Saved.')), onError: (error) => { if (codeOf(error) === 'recalculation_needed') setPast(true); else failed(error); } });
  const propose = useMutation({ mutationFn: async () => api.proposeRecalculation({ params: { program: program.key }, body: { reason, file: await next() } }), onSuccess: () => done(t('Zaproponowane. Druga osoba zobaczy skutki w liczbach i zdecyduje.', 'Proposed. A second person sees the consequence in numbers and decides.')), onError: (error) => failed(error) });
  return (
    <Drawer opened onClose={close} position="right" size="xl" title={title} closeButtonProps={{ 'aria-label': t('Zamknij', 'Close') }} attributes={{ header: { role: 'none' } }}>
      <form onSubmit={(event) => { event.preventDefault(); if (past) propose.mutate(); else save.mutate(); }}><Stack>
        {children}
        {past ? <Alert color="yellow" variant="outline" role="alert" title={t('Ta zmiana dotyczy zapisanej sprzedaży', 'This change touches recorded sales')}><Text size="sm" mb="xs">{t('Nie wejdzie od razu: powstanie przeliczenie ze skutkami w liczbach, które zatwierdza inna osoba.', 'It does not hold at once: it becomes a recalculation with its consequence in numbers, approved by another person.')}</Text><label className="field">{t('Powód (zostaje w historii)', 'Reason (stays in the history)')}<textarea rows={2} required maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} /></label></Alert> : null}
        <Group justify="flex-end"><Button variant="default" onClick={close}>{t('Wróć', 'Back')}</Button><Button type="submit" disabled={!dirty} loading={save.isPending || propose.isPending}>{past ? t('Zaproponuj przeliczenie', 'Propose a recalculation') : t('Zapisz', 'Save')}</Button></Group>
      </Stack></form>
    </Drawer>
  );
}

export const Field = ({ word, value, change, type = 'text', required = true, pattern, min }: { word: string; value: string; change: (value: string) => void; type?: 'text' | 'date' | 'number'; required?: boolean; pattern?: string; min?: number }) => <label className="field">{word}<input type={type} value={value} required={required} {...(pattern === undefined ? {} : { pattern })} {...(min === undefined ? {} : { min })} onChange={(event) => change(event.target.value)} /></label>;
export const KEY_PATTERN = '[a-z0-9][a-z0-9_\\-]{0,63}';
