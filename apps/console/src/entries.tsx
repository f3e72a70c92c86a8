import { Anchor } from '@mantine/core';
import { api, day, inUnit, said, t } from '@premia/ui';
import { Link } from 'wouter';
import { DataTable } from './data-table.tsx';
import { useHere } from './place.ts';

type Row = Awaited<ReturnType<typeof api.newestEntries>>['entries'][number];
export const ENTRY_KINDS: Record<string, () => string> = { grant: () => t('przyznane', 'granted'), takeback: () => t('odebrane korektą', 'taken back'), adjustment: () => t('korekta ręczna', 'manual'), write_off: () => t('umorzenie', 'written off'), transfer: () => t('przekazanie', 'moved'), expiry: () => t('utrata ważności', 'expired'), revival: () => t('przywrócone', 'revived'), capture: () => t('wydane', 'spent'), refund: () => t('zwrot', 'refund') };

/** Ledger entries, newest first: everybody's or one member's. */
export function Entries({ member }: { member?: string }) {
  const { program } = useHere();
  return (
    <DataTable<Row> name={member === undefined ? 'entries' : 'member-entries'} file={`/v1/programs/${program.key}/entries`} keyOf={(row) => `${row.id}${row.amount}`} fixed={member === undefined ? {} : { member }} empty={t('W księdze nic jeszcze nie ma.', 'There is nothing in the ledger yet.')}
      filters={[{ name: 'search', word: t('Dokument, mechanika, powód', 'Document, mechanic, reason') }, ...(member === undefined ? [{ name: 'member', word: t('Kod uczestnika', 'Member code') }] : []), { name: 'unit', word: t('Jednostka', 'Unit'), options: program.units.map((unit) => ({ value: unit.key, label: unit.key })) }, { name: 'kind', word: t('Rodzaj', 'Kind'), options: Object.entries(ENTRY_KINDS).map(([value, word]) => ({ value, label: word() })) }]}
      ask={async (page) => { const { entries, next } = await api.newestEntries({ params: { program: program.key }, query: page as never }); return { rows: entries, next }; }}
      columns={[{ key: 'booked_on', sorts: true, word: t('Zaksięgowano', 'Booked'), show: (row) => day(row.booked_on) }, ...(member === undefined ? [{ key: 'member', word: t('Uczestnik', 'Member'), show: (row: Row) => <Anchor component={Link} href={`/members/${encodeURIComponent(row.member)}`}>{row.name ?? row.member}</Anchor> }] : []), { key: 'kind', sorts: true, word: t('Rodzaj', 'Kind'), show: (row) => ENTRY_KINDS[row.kind]?.() ?? row.kind }, { key: 'mechanic', word: t('Mechanika', 'Mechanic'), show: (row) => (row.mechanic_name ? said(row.mechanic_name) : row.mechanic ?? '') }, { key: 'document', word: t('Dokument', 'Document'), show: (row) => row.document ?? '' }, { key: 'window', word: t('Okno od', 'Window from'), show: (row) => (row.window === null ? '' : day(row.window)), hidden: true }, { key: 'reason', word: t('Powód', 'Reason'), show: (row) => row.reason ?? '' }, { key: 'amount', sorts: true, word: t('Ile', 'Amount'), number: true, show: (row) => <span className={row.amount.startsWith('-') ? 'minus' : ''}>{inUnit(row.amount, row.unit, program.units, true)}</span> }]} />
  );
}
